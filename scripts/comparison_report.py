"""The report of scripts/compare-labels: what the runs' results come to, in words, tables and charts."""

import os
import re
import statistics
import subprocess

import report_pages as page
import svg_charts
from comparison_results import Results, last
from comparison_soft_labels import evenly, updates_of
from darknet_data import read_text, write_whole

MOST_BINS = 100  # of a loss curve
MOST_CLASSES = 20  # of which each has its row
LEAST_MAP = 1  # %; a detector below it finds nothing worth a comparison
LEAST_STRIP = 3  # soft labels of a run that make a strip
MOST_PAIRS = 10  # of classes that are taken for each other


# ---- in words ----

def conclusion(results):
    """What to train with, as far as the intervals allow to say it."""
    first, main = results.first.name, results.main
    differences = [(method, results.difference(main, method, results.first)) for method in results.others()]
    better = [(method, d) for method, d in differences if d.is_better]
    worse = [method.name for method, d in differences if d.is_worse]
    if not differences:
        return f"Only **{first}** was trained: there is nothing to compare it with."
    if better:
        best, _ = max(better, key=lambda pair: pair[1].mean)
        text = f"On these images, **{best.name}** is the better choice: its {main.title} is above that of **{first}**"
        rivals = [method for method, _ in differences if method is not best]
        unclear = [method.name for method in rivals if not results.difference(main, best, method).is_better]
        text += f". It cannot be told apart from {words(unclear)}." if unclear else ", and of all others." if rivals else "."
    elif any(d.over == "images" for _, d in differences):
        text = ("One seed does not decide which labels are better: train with three or more. The intervals below are of chance in "
                "which images are evaluated, not of chance in training, and another seed may turn it.")
    elif all(d.outcome == "unknown" for _, d in differences):
        text = "These runs do not decide it: train with more seeds."
    elif len(worse) == len(differences):
        text = f"On these images, **{first}** is the better choice: the others are below it."
    else:
        widths = [d.half_width() for _, d in differences if d.outcome == "unclear"]
        text = (f"Nothing was better than **{first}**" + (f", and {words(worse)} worse" if worse else "") + ". " +
                f"That does not show that the labels are equally good: with these runs, a difference of less than about "
                f"{two_digits(max(widths))}{main.unit} would not be seen (more seeds, and more images to evaluate on, make "
                "that smaller)." if widths else
                f"Nothing was shown to be better than **{first}**.")
    return text


def two_digits(number):
    """Rounded to two digits: 0.45, 130"""
    return f"{float(f'{number:.2g}'):g}"


def words(names):
    names = [f"**{name}**" for name in names]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def warning(results):
    """Says so where the networks of every method are no better than ones that have learned nothing. Empty otherwise."""
    main, one = results.main, next(iter(results.of.values()))[""]
    best = max(statistics.fmean(values) for values in (results.values(main, m) for m in results.comparison.methods) if values)
    if results.comparison.setting.kind == "detector":
        floor, instead = LEAST_MAP, "which is next to nothing"
    else:
        labels = one["images"]["labels"]
        share = max(labels.count(label) for label in set(labels)) / len(labels)
        floor = 100 * (share + 2 * (share * (1 - share) / len(labels)) ** .5)  # two standard errors above
        instead = f"and one class for every image would come to {main.show(100 * share)} %"
    return (f"**These networks have learned next to nothing, so they say nothing of the labels**: {main.title} is "
            f"{main.show(best)} % at best, {instead}. Train longer (max_batches=), or find out what is wrong, before "
            "comparing.") if best <= floor else ""


def other_measures(results, method):
    """A sentence on all measures but the main one."""
    groups = {"better": [], "worse": [], "no difference that could be seen": []}
    for measure in results.measures[1:]:
        d = results.difference(measure, method, results.first)
        if d.low is not None:
            key = "better" if d.is_better else "worse" if d.is_worse else "no difference that could be seen"
            groups[key].append(f"{measure.title} ({measure.show(d.mean, '+')})")
    said = [f"{key}: {', '.join(names)}" for key, names in groups.items() if names]
    return f"**{method.name}** against **{results.first.name}** in the other measures: {'; '.join(said)}." if said else ""


def the_verdict(results):
    texts = [warning(results) or conclusion(results)]
    texts += [results.difference(results.main, method, results.first).sentence(method.name, results.first.name)
              for method in results.others()]
    return texts


# ---- tables ----

def main_table(results):
    seeds, main = results.comparison.seeds, results.main
    rows = []
    for method in results.comparison.methods:
        by_seed = {run.seed: main.of(results.of[run.name]) for run in results.finished(method)}
        cells = [main.show(by_seed[seed]) if by_seed.get(seed) is not None else "–" for seed in seeds]
        difference = "" if method is results.first else results.difference(main, method, results.first).cell()
        rows.append([method.name] + cells + [results.spread(main, method), difference])
    return page.table([f"labels, {main.header}"] + [f"seed {seed}" for seed in seeds] +
                      ["mean ± s.d.", f"minus {results.first.name}, 95 % interval"], rows)


def known_measures(results):
    """Those that a run has."""
    return [m for m in results.measures if any(results.values(m, method) for method in results.comparison.methods)]


def measures_tables(results):
    """(blocks) Means and differences, with a row for each measure, as there are more of them than methods."""
    measures, methods, others = known_measures(results), results.comparison.methods, results.others()
    first = results.first
    blocks = [page.table(["mean ± s.d."] + [method.name for method in methods] + ["better is"],
                         [[m.header] + [results.spread(m, method) for method in methods] +
                          ["higher" if m.better > 0 else "lower"] for m in measures])]
    if others:
        header = ["difference, 95 % interval"] + [f"{method.name} minus {first.name}" for method in others]
        blocks.append(page.table(header, [
            [m.header] + [results.difference(m, method, first).cell() for method in others] for m in measures]))
    return blocks


def runs_table(results):
    measures, rows = known_measures(results), []
    for method in results.comparison.methods:
        for run in results.finished(method):
            values = [(measure, measure.of(results.of[run.name])) for measure in measures]
            rows.append([method.name, str(run.seed)] + [m.show(v) if v is not None else "–" for m, v in values])
    return page.table(["labels", "seed"] + [measure.header for measure in measures], rows)


def class_scores(results, run):
    """[(name, objects or images, score from 0 to 1 or None)]"""
    result = results.of[run.name][""]
    if results.comparison.setting.kind == "classifier":
        return [(c["name"], c["images"], c["accuracy"]) for c in result["models"][-1]["classes"]]
    return [(c["name"], c["objects"], c["ap"]) for c in result["classes"]]


def class_table(results):
    """(blocks) The score of every class; of many classes, those whose score differs most between methods."""
    methods = [method for method in results.comparison.methods if results.finished(method)]
    by_method = {method: [class_scores(results, run) for run in results.finished(method)] for method in methods}
    rows = []
    for k, (name, count, _) in enumerate(by_method[methods[0]][0]):
        means = []
        for method in methods:
            scores = [run[k][2] for run in by_method[method] if run[k][2] is not None]
            means.append(100 * statistics.fmean(scores) if scores else None)
        if None not in means:
            rows.append((max(means) - min(means), name, count, means))
    classifier = results.comparison.setting.kind == "classifier"
    what = "accuracy" if classifier else "AP"
    text = (f"The {what} of each class in %, the mean over the seeds, the largest differences first."
            f"{'' if len(rows) <= MOST_CLASSES else f' These are {MOST_CLASSES} of {len(rows)} classes.'} Chance makes "
            "some classes differ where the labels do not matter, the more the fewer images a class has: look for "
            "differences that are large and have a reason.")
    rows = sorted(rows, key=lambda row: (-row[0], row[1]))[:MOST_CLASSES]
    if not rows:
        return []
    return [page.heading("Class by class"), page.paragraph(text), page.table(
        ["class", "images" if classifier else "objects"] + [method.name for method in methods] +
        [f"{method.name} minus {methods[0].name}" for method in methods[1:]],
        [[name, str(int(count))] + [f"{mean:.2f}" for mean in means] + [f"{mean - means[0]:+.2f}" for mean in means[1:]]
         for _, name, count, means in rows])]


def confused_pairs(results, run):
    """{(class, taken for): how often}"""
    result, pairs = results.of[run.name][""], {}
    if results.comparison.setting.kind == "detector":
        return {(p["class"], p["taken_for"]): p["count"] for p in result["confusion"]["pairs"]}
    for label, predicted in zip(result["images"]["labels"], last({"": result})["predicted"]):
        if label != predicted:
            pair = result["names"][label], result["names"][predicted]
            pairs[pair] = pairs.get(pair, 0) + 1
    return pairs


def pairs_table(results):
    methods = [method for method in results.comparison.methods if results.finished(method)]
    means = {}
    for method in methods:
        runs = results.finished(method)
        for run in runs:
            for pair, count in confused_pairs(results, run).items():
                means.setdefault(pair, dict.fromkeys(methods, 0.))[method] += count / len(runs)
    rows = sorted(means.items(), key=lambda item: (-max(item[1].values()), item[0]))[:MOST_PAIRS]
    return page.table(["taken for another class most often"] + [method.name for method in methods],
                      [[f"{a} taken for {b}"] + [f"{counts[method]:.1f}" for method in methods]
                       for (a, b), counts in rows]) if rows else page.paragraph("No class was taken for another one.")


# ---- charts ----

def loss_curve(run, epochs):
    """[(epoch, mean loss)], one point an epoch, or a bin of several where there are many, or of a part where there are
    few."""
    losses = run.losses().values()
    width = epochs / min(max(int(epochs), 10), MOST_BINS)
    bins = {}
    for loss, epoch in losses:
        if loss == loss and abs(loss) != float("inf"):
            bins.setdefault(int(max(epoch / width - 1e-6, 0)), []).append(loss)
    return [((k + 1) * width, statistics.fmean(values)) for k, values in sorted(bins.items())]


def score_curve(run, setting):
    """[(epoch, top-1 or mAP in %)] that were evaluated while training."""
    pattern = r"^(\d+): (?:top-1|mAP@0\.50) ([\d.]+) %, "
    points = dict(re.findall(pattern, read_text(run.log), re.MULTILINE)) if os.path.exists(run.log) else {}
    return sorted((int(i) * setting.batch / setting.train_images, float(score)) for i, score in points.items())


def mean_curve(curves):
    """Where all curves have a point."""
    tables = [dict(curve) for curve in curves]
    return [(x, statistics.fmean(table[x] for table in tables)) for x, _ in curves[0]
            if all(x in table for table in tables)] if curves else []


def series_of(results, curve_of):
    series = []
    for method in results.comparison.methods:
        curves = [curve for curve in (curve_of(run) for run in results.finished(method)) if curve]
        series.append((method.name, mean_curve(curves), curves))
    return series


def charts(results, folder):
    setting, main = results.comparison.setting, results.main
    kinds = [
        ("scores", svg_charts.dots(f"{main.title} of every run, and the mean of each method", main.header,
                                   [(m.name, results.values(main, m)) for m in results.comparison.methods
                                    if results.values(main, m)]),
         f"{main.title} on the validation images: a dot is a run, a bar the mean of a method."),
        ("score-curves", svg_charts.curves(f"{main.title} on the validation images while training", "epoch", main.header,
                                           series_of(results, lambda run: score_curve(run, setting))),
         f"{main.title} while training: thick the mean of a method, thin its seeds."),
        ("loss-curves", svg_charts.curves("Training loss", "epoch", "loss", series_of(
            results, lambda run: loss_curve(run, setting.epochs))),
         "Training loss: thick the mean of a method, thin its seeds. The heights of different labels cannot be compared: "
         "a soft label leaves a loss above 0 even where the prediction is perfect."),
    ]
    blocks = []
    for name, svg, caption in kinds:
        if svg:
            path = os.path.join(folder, f"{name}.svg")
            write_whole(path, svg_charts.as_file(svg))
            blocks.append(page.figure(path, caption, svg))
    return blocks


def soft_label_picture(results, darknet, weights, path, caption):
    """A block: a picture of the soft labels of these weights, or why there is none."""
    data = results.comparison.setting.data
    names = data.get("names") or data.get("labels")
    done = subprocess.run([darknet, "ols", "plot", *weights, path] + (["-names", names] if names else []),
                          capture_output=True, text=True)
    if not done.returncode:
        return page.figure(path, caption)
    said = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return page.paragraph(f"No picture {os.path.basename(path)}: {said}")


def soft_label_strip(results, darknet, run, path):
    """[block], the soft labels of a run while it trained; empty where it has kept fewer than three."""
    files = run.soft_labels.files()
    files.setdefault(updates_of(run.weights), run.weights)
    if len(files) < LEAST_STRIP:
        return []
    unit = "updates" if re.search(r"^\s*period\s*=\s*\d", read_text(run.cfg), re.MULTILINE) else "epochs"
    numbers = evenly(sorted(files))
    return [soft_label_picture(
        results, darknet, [files[number] for number in numbers], path,
        f"{run.method.name}, seed {run.seed}, while it trained: after {unit} {', '.join(map(str, numbers))}. Below, the share of "
        "the right class (mean, and the classes that have the most and the least of it) and the largest share of another class.")]


def soft_label_pictures(results, darknet, folder):
    blocks = []
    for method in results.comparison.methods:
        runs = [run for run in results.finished(method) if run.is_trained()]
        if not method.keeps_soft_labels or not runs:
            continue
        run, path = runs[0], os.path.join(folder, f"soft-labels-{runs[0].name}.png")
        blocks.append(soft_label_picture(results, darknet, [run.weights], path, f"{method.name}, seed {run.seed}: a row is the "
                                         "soft label of a class at the end of the training."))
        blocks += soft_label_strip(results, darknet, run, os.path.join(folder, f"soft-labels-{run.name}-epochs.png"))
    if not blocks:
        return []
    return [page.heading("What Online Label Smoothing learned"), page.paragraph(
        "OLS gives every class a soft label, the average of what the network predicted for the images of that class that "
        "it got right (of ols-single, what it predicted for one of them). Dark cells beside the diagonal are classes that the network finds similar; if they make sense, the "
        "soft labels carry knowledge that hard labels lack.")] + blocks


def confusion_pictures(results):
    classifier = results.comparison.setting.kind == "classifier"
    runs = [run for run in map(results.picture_of, results.comparison.methods) if run]
    none = [] if runs else [page.paragraph("No pictures: gnuplot was not there when the runs were evaluated.")]
    what = ("left, whether its confidence can be believed (bars on the diagonal: yes); right, which class is taken for which"
            if classifier else "precision over recall of every class")
    return [page.heading("Mistakes"), pairs_table(results)] + none + [
        page.figure(run.base + ".png", f"{run.method.name}, seed {run.seed}: {what}.") for run in runs]


# ---- what was done ----

def distinct(values):
    return "; ".join(dict.fromkeys(filter(None, values))) or "not known"


def facts(results):
    comparison, setting = results.comparison, results.comparison.setting
    states = [comparison.of(run) for run in comparison.runs if run.name in results.of]
    objects = next(iter(results.of.values()))[""].get("objects")
    rows = [
        ["data", f"`{setting.data_file}`: {setting.train_images} images to train on, {results.valid_images} to evaluate "
         "on" + (f" with {objects} objects" if objects else "")],
        ["kind", setting.kind],
        ["network", f"`{setting.cfg_file}`" + (f", starting from `{setting.weights}`" if setting.weights else
                                               ", from random weights")],
        ["schedule", f"{setting.max_batches} batches of {setting.batch}: {setting.epochs:.4g} epochs"],
        ["labels", ", ".join(f"{method.name}" for method in comparison.methods)],
        ["seeds", ", ".join(map(str, comparison.seeds))],
        ["trained", distinct([min(s.get("trained", "") for s in states), max(s.get("trained", "") for s in states)])],
        ["darknet", distinct(", ".join(state.get("version", [])) for state in states)],
        ["machine", distinct(state.get("machine") for state in states)],
        ["threads", distinct(state.get("threads") for state in states)],
    ]
    resumed = [f"{run.name} at batch {' and '.join(map(str, comparison.of(run)['resumed_at']))}"
               for run in comparison.runs if run.name in results.of and "resumed_at" in comparison.of(run)]
    if resumed:
        of = map(comparison.of, [run for run in comparison.runs if run.name in results.of])
        lost = any(state.get("resumed_without_momentum_at", state.get("resumed_at")) for state in of)
        nearly = (". Not all checkpoints held the momentum (numbered weights do not), so that these runs are nearly but not exactly those "
                  "that would have been") if lost else ""
        rows.append(["interrupted", ", ".join(resumed) + nearly])
    for method in comparison.methods:
        seconds = [s["seconds"] for s in map(comparison.of, results.finished(method)) if "seconds" in s]
        if seconds:
            rows.append([f"time of a training, {method.name}", duration(statistics.fmean(seconds))])
    if setting.has_noise:
        noise = [f"{key}={setting.data[key]}" for key in ("noise", "noise_seed", "noise_file", "noise_column")
                 if key in setting.data]
        rows.insert(1, ["wrong labels", f"`{' '.join(noise)}`: training labels were changed on purpose; the evaluation is "
                                        "by the true ones"])
    return page.facts(rows)


def duration(seconds):
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def commands(results, command):
    """The whole comparison, and what it came to for one run."""
    run = next(run for run in results.comparison.runs if run.name in results.of)
    said = re.findall(r"^\$ (.*)", read_text(run.log), re.MULTILINE) if os.path.exists(run.log) else []
    return page.code("\n".join([command, "", f"# what it did for {run.name}"] + list(dict.fromkeys(said))))


def notes(results):
    seeds, images = len(results.comparison.seeds), results.valid_images
    few = " Three seeds or fewer make it wide; more make it narrower." if seeds < 4 else ""
    over_images = ("For shares of correct images, a second interval, from drawing these images again (bootstrap), has to "
                   "leave out 0 as well before a method is called better or worse."
                   if results.comparison.setting.kind == "classifier" else
                   "How much of a difference is chance in the choice of these images, this page does not know.")
    texts = [
        "**The interval.** Runs with the same labels differ by their seeds alone: other random weights, another order of "
        "the images. Methods are compared seed by seed. The 95 % interval of the mean difference (Student's t) is where it "
        f"would probably be with very many seeds; where it holds 0, chance may be all there is.{few}",
        f"**What it leaves out.** All runs are judged on the same {images} images. {over_images}",
        "**The validation labels** are taken to be right. Where some are wrong, every method looks worse than it is, and one "
        "that has learned the same mistakes looks better than it should: look at them first (`darknet classifier suspects "
        "-list valid`)." if results.comparison.setting.kind == "classifier" else
        "**The validation boxes** are taken to be right. Where some are missing or wrong, every method looks worse than it "
        "is.",
        "**Many numbers.** One interval in twenty leaves out 0 by chance alone. This page has many: a single **better** "
        "among the other measures, in a table of dozens, is no finding.",
        "**The validation images** decided nothing: all numbers are of the final weights of each run, not of the best "
        "epoch, as a choice by these images would flatter every method. Choosing the labels by this page is such a choice "
        "too, if a small one: the number to publish is that of the chosen method on images that were not used here.",
        "**Only this setting.** Labels, network, schedule and data belong together. OLS needs a network that has learned "
        "something before its soft labels are worth much: what a short training shows may be different in a long one.",
    ]
    return [page.heading("How to read this"), page.bullets(texts)]


# ---- the page ----

EXPLAINED = {
    "hard": "**hard** labels tell the network that an object is its class and nothing else, and that all other classes are "
            "equally wrong",
    "ls": "**ls**, label smoothing, takes a little from the right class and gives it to all classes alike",
    "ols": "**ols**, Online Label Smoothing, learns while it trains how much each class resembles the others, and trains "
           "with that beside the hard label",
    "ols-single": "**ols-single** is that with the prediction of one image as the soft label of a class",
    "bootsoft": "**bootsoft**, soft bootstrapping, trusts a label less and what the network predicts more",
    "boothard": "**boothard**, hard bootstrapping, trusts a label less and the class that the network predicts more",
    "disturb": "**disturb**, DisturbLabel, changes the labels of some images of every batch at random",
    "sce": "**sce**, symmetric cross entropy, adds a loss that grows no further where a label seems wrong",
    "gce": "**gce**, generalised cross entropy, gives images whose label seems wrong less weight",
    "pc": "**pc**, pairwise confusion, draws the predictions of images of two classes to each other",
    "tfkd": "**tfkd** adds a teacher that is always sure of the right class, softened by a temperature",
    "none": "**none** is Darknet's own code, with hard labels as well",
}


def introduction(results):
    smoothings = dict.fromkeys(method.smoothing for method in results.comparison.methods)
    setting = results.comparison.setting
    wrong = ", some of whose labels were changed to wrong ones on purpose," if setting.has_noise else ""
    return (f"The same network was trained on {setting.train_images} images{wrong} with different labels, everything else "
            "equal: " +
            "; ".join(EXPLAINED[name] for name in smoothings) + f". Each was trained with {len(results.comparison.seeds)} "
            f"seed{'s' * (len(results.comparison.seeds) > 1)}, and judged by the same {results.valid_images} images that it "
            "was not trained on.")


def blocks_of(results, trainer, command, figures):
    blocks = [page.verdict(the_verdict(results)), page.paragraph(introduction(results))]
    if results.missing:
        blocks.append(page.paragraph(f"**Not all runs are finished.** Missing here: {', '.join(results.missing)}."))
    found = [text for text in (other_measures(results, method) for method in results.others()) if text]
    drawn = charts(results, figures)
    meanings = [f"**{measure.title}**: {measure.meaning}." for measure in known_measures(results)]
    blocks += [page.heading("Result"), main_table(results), drawn[0],
               page.heading("All measures"), *map(page.paragraph, found), *measures_tables(results), page.bullets(meanings),
               page.paragraph("Every run:"), runs_table(results)]
    if drawn[1:]:
        blocks += [page.heading("While training")] + drawn[1:]
    blocks += soft_label_pictures(results, trainer.darknet, figures) + confusion_pictures(results) + class_table(results)
    blocks += [page.heading("What was compared"), facts(results), page.paragraph("To repeat it:"),
               commands(results, command)]
    return blocks + notes(results)


def write_report(comparison, trainer, command):
    """Writes index.html, report.md and figures/. Returns what to say of them."""
    results = Results(comparison)
    figures = os.path.join(comparison.folder, "figures")
    os.makedirs(figures, exist_ok=True)
    setting = comparison.setting
    title = f"Which labels? {os.path.basename(setting.cfg_file)} on {os.path.basename(setting.data_file)}"
    blocks = blocks_of(results, trainer, command, figures)
    write_whole(os.path.join(comparison.folder, "index.html"), page.html_page(title, blocks))
    write_whole(os.path.join(comparison.folder, "report.md"), page.markdown_page(title, blocks, comparison.folder))
    said = "\n".join(the_verdict(results)).replace("**", "")
    return f"{said}\nThe report: {comparison.folder}/index.html, and the same as report.md"
