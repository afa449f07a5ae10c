"""The report of scripts/compare-labels: what the runs' results come to, in words, tables and charts."""

import json
import os
import re
import statistics
import subprocess

import comparison_statistics as stats
import report_pages as page
import svg_charts
from darknet_data import BadInput, read_text, write_whole

MOST_BINS = 100  # of a loss curve
MOST_CLASSES = 20  # of which each has its row
MOST_PAIRS = 10  # of classes that are taken for each other
SAME = 1e-9  # differences that are closer than this are equal


# ---- measures ----

class Measure:
    """A number of every run. get: a function of the run's results, {name of the evaluation: JSON}, that returns it or
    None. better: 1 where higher is better, -1 where lower is. correct: a function that returns 0 or 1 for each image,
    where the measure is the share of correct images."""

    def __init__(self, title, get, scale=1, better=1, meaning="", correct=None):
        self.title, self._get, self.scale, self.better, self.meaning = title, get, scale, better, meaning
        self.unit, self.digits, self.correct = (" points", 2, correct) if scale == 100 else ("", 4, correct)
        self.header = title + (" %" if scale == 100 else "")

    def of(self, results):
        """The value of a run, in the measure's unit; None where it has none."""
        try:
            value = self._get(results)
        except KeyError:
            return None
        return None if value is None else self.scale * value

    def show(self, value, sign=""):
        return f"{value:{sign}.{self.digits}f}"


def last(results, name=""):
    """The last model of a JSON of `classifier metrics`."""
    return results[name]["models"][-1]


def classifier_measures(comparison, top):
    measures = [
        Measure("top-1", lambda r: last(r)["top1"], 100, meaning="the share of images whose most probable class is right",
                correct=lambda r: last(r)["correct"]),
        Measure(f"top-{top}", lambda r: last(r)["top_k"], 100,
                meaning=f"the share whose class is among the {top} most probable ones"),
        Measure("NLL", lambda r: last(r)["nll"], better=-1,
                meaning="how surprised the network is by the right class, -log p; a confident mistake costs most"),
        Measure("ECE", lambda r: last(r)["ece"], 100, -1,
                "how far its confidence is from how often it is right: 5 % would be to claim 90 % and be right 85 %"),
        Measure("ECE, scaled", lambda r: last(r)["temperature"]["scaled_ece"], 100, -1,
                "the same after one number, the temperature, was fitted to half of the images; judged on the other half. "
                "What a temperature repairs is no reason to choose labels"),
        Measure("Brier", lambda r: last(r)["brier"], better=-1,
                meaning="the squared error of the probabilities: 0 is perfect, 2 the worst"),
    ]
    if comparison.human:
        measures.append(Measure("KL(human)", lambda r: last(r)["human"]["kl"], better=-1,
                                meaning="the distance of its probabilities from people's votes, where it is right"))
    if comparison.setting.has_noise:
        measures += [
            Measure("flipped as given", lambda r: share(last(r, "train")["noise"], "as_given"), 100, -1,
                    "of the training images whose label was changed, those that are predicted as the wrong label: it was "
                    "learned by heart"),
            Measure("flipped as true", lambda r: share(last(r, "train")["noise"], "as_true"), 100, 1,
                    "of the same images, those that are predicted as their true class all the same"),
        ]
    for further in comparison.further:
        def attacked(results, key, name=further.file):
            return last(results, name)["attacked"][key]
        if "-attack" in further.options:
            measures += [Measure(f"{further.name}: top-1", lambda r, a=attacked: a(r, "top1"), 100, 1,
                                 f"with `{' '.join(further.options)}`", correct=lambda r, a=attacked: a(r, "correct")),
                         Measure(f"{further.name}: NLL", lambda r, a=attacked: a(r, "nll"), 1, -1, "the same")]
            continue
        for title, key, scale, better in (("top-1", "top1", 100, 1), ("NLL", "nll", 1, -1), ("ECE", "ece", 100, -1)):
            measures.append(Measure(f"{further.name}: {title}", lambda r, n=further.file, k=key: last(r, n)[k], scale,
                                    better, f"with `{' '.join(further.options)}`"))
    return measures


def share(counts, key):
    return counts[key] / counts["images"] if counts["images"] else None


def detector_measures(comparison):
    measures = [
        Measure("mAP", lambda r: r[""]["map"], 100, meaning="the mean over the classes of the average precision: high where "
                "boxes are found, in the right place (IoU .5), with the right class, and the sure ones are right"),
        Measure("precision", lambda r: r[""]["precision"], 100,
                meaning="of the boxes that score above .25, the share that is right"),
        Measure("recall", lambda r: r[""]["recall"], 100, meaning="of the objects, the share that such a box finds"),
        Measure("F1", lambda r: r[""]["f1"], 100, meaning="2 precision recall / (precision + recall)"),
        Measure("misclassified", lambda r: sum(c["misclassified"] for c in r[""]["confusion"]["classes"]) /
                max(r[""]["objects"], 1), 100, -1, "of the objects, the share on which a box of another class stands"),
    ]
    for further in comparison.further:
        def of(results, name=further.file):
            return results[name]
        measures.append(Measure(f"{further.name}: mAP", lambda r, f=of: f(r)["map"], 100, 1,
                                f"with `{' '.join(further.options)}`"))
        if "-coco" in further.options:
            measures.append(Measure(f"{further.name}: AP .50:.95", lambda r, f=of: f(r)["coco"]["ap"], 100, 1,
                                    "COCO's own number, the mean over ten overlaps that a hit needs"))
    return measures


# ---- differences ----

class Difference:
    """Of a measure between two methods, paired by seed. `low` and `high` are its 95 % interval, None where there is
    none; `over` says of what: "seeds", "images", or nothing. image_low and image_high: with several seeds, that over the
    images. outcome: "higher" or "lower" where no interval holds 0, "unclear", or "unknown" without an interval."""

    def __init__(self, measure, pairs):
        """pairs: [(results of the one, results of the other)], one a seed."""
        self.measure = measure
        values = [(measure.of(a), measure.of(b)) for a, b in pairs]
        kept = [i for i, (a, b) in enumerate(values) if a is not None and b is not None]
        self.values = [values[i][0] - values[i][1] for i in kept]
        self.mean = statistics.fmean(self.values) if self.values else None
        self.low = self.high = self.image_low = self.image_high = None
        self.over = ""
        images = self._over_images([pairs[i] for i in kept]) if measure.correct and kept else None
        if len(self.values) > 1:
            if max(self.values) - min(self.values) > SAME:
                _, self.low, self.high = stats.paired_t(self.values)
                self.over = "seeds"
                if images:
                    self.image_low, self.image_high = images
        elif images:
            self.low, self.high, self.over = *images, "images"

    def _over_images(self, pairs):
        _, low, high = stats.paired_bootstrap([self.measure.correct(a) for a, _ in pairs],
                                              [self.measure.correct(b) for _, b in pairs])
        return self.measure.scale * low, self.measure.scale * high

    @property
    def outcome(self):
        if self.low is None:
            return "unknown"
        intervals = [(self.low, self.high)] + ([(self.image_low, self.image_high)] if self.image_low is not None else [])
        if all(low > 0 for low, _ in intervals):
            return "higher"
        return "lower" if all(high < 0 for _, high in intervals) else "unclear"

    @property
    def is_better(self):
        return self.outcome == ("higher" if self.measure.better > 0 else "lower")

    @property
    def is_worse(self):
        return self.outcome == ("lower" if self.measure.better > 0 else "higher")

    def interval(self):
        show = self.measure.show
        return "" if self.low is None else f"[{show(self.low, '+')}, {show(self.high, '+')}]"

    def cell(self):
        if self.mean is None:
            return "–"
        word = " **better**" if self.is_better else " **worse**" if self.is_worse else ""
        return f"{self.measure.show(self.mean, '+')} {self.interval()}{word}".strip()

    def sentence(self, one, other):
        """In plain words, of the methods with these names."""
        m = self.measure
        if self.mean is None:
            return f"**{one}** and **{other}** have no finished run with the same seed yet."
        size = f"{m.show(abs(self.mean))}{m.unit}"
        way = "above" if self.mean > 0 else "below"
        if self.outcome == "unknown":
            if len(self.values) > 1 and abs(self.mean) < SAME:
                return f"**{one}** and **{other}** have the same {m.title} with every one of {len(self.values)} seeds."
            if len(self.values) > 1:
                return (f"**{one}** and **{other}** differ by {m.show(self.mean, '+')}{m.unit} in {m.title} with every one of "
                        f"{len(self.values)} seeds: from that no interval can be estimated.")
            return (f"With the one seed **{one}** is {size} {way} **{other}** in {m.title}. Another seed might turn that: "
                    "nothing can be said from one.")
        kind = "95 % interval over the images" if self.over == "images" else "95 % interval"
        where = f"({kind} {m.show(self.low)} to {m.show(self.high)})"
        if self.outcome == "unclear":
            text = (f"No difference between **{one}** and **{other}** that could be seen in {m.title}: "
                    f"{m.show(self.mean, '+')}{m.unit} {where}.")
            if self.image_low is not None and self.low * self.high > 0:
                text = (f"**{one}** is {size} {way} **{other}** in {m.title} {where}, but with other images to evaluate on it "
                        f"might not be: over these the interval is {m.show(self.image_low)} to {m.show(self.image_high)}.")
            return text
        return f"**{one}** is {size} {way} **{other}** in {m.title} {where}."


# ---- the results ----

class Results:
    """All finished runs of a comparison."""

    def __init__(self, comparison):
        self.comparison = comparison
        self.of = {run.name: self._read(run) for run in comparison.runs if comparison.is_finished(run)}
        if not self.of:
            raise BadInput(f"{comparison.folder}: no run is finished yet that a report could be of")
        self.first = comparison.methods[0]
        self.missing = [run.name for run in comparison.runs if run.name not in self.of]
        one = next(iter(self.of.values()))[""]
        if comparison.setting.kind == "classifier":
            self.measures = classifier_measures(comparison, one["top"])
            self.valid_images = one["count"]
        else:
            self.measures = detector_measures(comparison)
            self.valid_images = one["images"]
        self.main = self.measures[0]

    def _read(self, run):
        return {name or "": json.loads(read_text(run.result(name))) for name, _ in self.comparison.evaluations(run)}

    def finished(self, method):
        """The method's finished runs."""
        return [run for run in self.comparison.runs if run.method is method and run.name in self.of]

    def values(self, measure, method):
        values = [measure.of(self.of[run.name]) for run in self.finished(method)]
        return [value for value in values if value is not None]

    def difference(self, measure, method, other):
        runs = {run.seed: run for run in self.finished(other)}
        return Difference(measure, [(self.of[run.name], self.of[runs[run.seed].name]) for run in self.finished(method)
                                    if run.seed in runs])

    def others(self):
        return self.comparison.methods[1:]

    def spread(self, measure, method):
        values = self.values(measure, method)
        if not values:
            return "–"
        mean, deviation = stats.mean_and_deviation(values)
        return measure.show(mean) + (f" ± {measure.show(deviation)}" if deviation is not None else "")

    def picture_of(self, method):
        """The first run of the method with a picture, or None."""
        return next((run for run in self.finished(method) if os.path.exists(run.base + ".png")), None)


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
    elif all(d.outcome == "unknown" for _, d in differences):
        text = "These runs do not decide it: train with more seeds."
    elif len(worse) == len(differences):
        text = f"On these images, **{first}** is the better choice: the others are below it."
    else:
        widths = [(d.high - d.low) / 2 for _, d in differences if d.outcome == "unclear"]
        text = (f"Nothing was better than **{first}**" + (f", and {words(worse)} worse" if worse else "") + ". " +
                f"That does not show that the labels are equally good: with these runs, a difference of less than about "
                f"{max(widths):.2g}{main.unit} would not be seen." if widths else
                f"Nothing was shown to be better than **{first}**.")
    if any(d.over == "images" for _, d in differences):
        text += (" All of this is from one seed: the interval is of chance in which images are evaluated, not of chance in "
                 "training, and another seed may turn it.")
    return text


def words(names):
    names = [f"**{name}**" for name in names]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


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
    texts = [conclusion(results)]
    texts += [results.difference(results.main, method, results.first).sentence(method.name, results.first.name)
              for method in results.others()]
    return texts


# ---- tables ----

def main_table(results):
    seeds = results.comparison.seeds
    rows = []
    for method in results.comparison.methods:
        by_seed = {run.seed: results.main.of(results.of[run.name]) for run in results.finished(method)}
        rows.append([method.name] + [results.main.show(by_seed[s]) if by_seed.get(s) is not None else "–" for s in seeds] +
                    [results.spread(results.main, method)] +
                    ([""] if method is results.first else [results.difference(results.main, method, results.first).cell()]))
    return page.table([f"labels, {results.main.header}"] + [f"seed {seed}" for seed in seeds] +
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
        blocks.append(page.table(["difference, 95 % interval"] + [f"{method.name} minus {first.name}" for method in others], [
            [m.header] + [results.difference(m, method, first).cell() for method in others] for m in measures]))
    return blocks


def runs_table(results):
    measures, rows = known_measures(results), []
    for method in results.comparison.methods:
        for run in results.finished(method):
            values = [measure.of(results.of[run.name]) for measure in measures]
            rows.append([method.name, str(run.seed)] + [m.show(v) if v is not None else "–" for m, v in zip(measures, values)])
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
            f"{'' if len(rows) <= MOST_CLASSES else f' These are {MOST_CLASSES} of {len(rows)} classes.'} Chance makes some "
            "classes differ where the labels do not matter, the more the fewer images a class has: look for differences that "
            "are large and have a reason.")
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


def soft_label_pictures(results, darknet, folder):
    setting, blocks = results.comparison.setting, []
    names = setting.data.get("names") or setting.data.get("labels")
    for method in results.comparison.methods:
        runs = [run for run in results.finished(method) if run.is_trained()]
        if method.smoothing != "ols" or not runs:
            continue
        path = os.path.join(folder, f"soft-labels-{runs[0].name}.png")
        done = subprocess.run([darknet, "ols", "plot", runs[0].weights, path] + (["-names", names] if names else []),
                              capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no output"])[-1]
            blocks.append(page.paragraph(f"No picture of the soft labels of {runs[0].name}: {said}"))
        else:
            blocks.append(page.figure(path, f"{method.name}, seed {runs[0].seed}: a row is the soft label of a class at the "
                                      "end of the training."))
    if not blocks:
        return []
    return [page.heading("What Online Label Smoothing learned"), page.paragraph(
        "OLS gives every class a soft label, the average of what the network predicted for the images of that class that it got "
        "right. Bright cells beside the diagonal are classes that the network finds similar; if they make sense, the soft labels "
        "carry knowledge that hard labels lack.")] + blocks


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
        ["data", f"`{setting.data_file}`: {setting.train_images} images to train on, {results.valid_images} to evaluate on"
         + (f" with {objects} objects" if objects else "")],
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
    resumed = [f"{run.name} at batch {' and '.join(map(str, comparison.of(run)['resumed_at']))}" for run in comparison.runs
               if run.name in results.of and "resumed_at" in comparison.of(run)]
    if resumed:
        rows.append(["interrupted", f"{', '.join(resumed)}. Darknet's checkpoints do not hold the momentum, so that these runs "
                                    "are nearly but not exactly those that would have been"])
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
    texts = [
        "**The interval.** Runs with the same labels differ by their seeds alone: other random weights, another order of the "
        "images. Methods are compared seed by seed. The 95 % interval of the mean difference (Student's t) is where it would "
        "probably be with very many seeds; where it holds 0, chance may be all there is. "
        f"{'Three seeds or fewer make it wide; more make it narrower.' if seeds < 4 else ''}".strip(),
        "**What it leaves out.** All runs are judged on the same "
        f"{images} images. For shares of correct images, a second interval, from drawing these images again (bootstrap), has "
        "to leave out 0 as well before a method is called better or worse.",
        "**Many numbers.** One interval in twenty leaves out 0 by chance alone. This page has many: a single **better** among the "
        "other measures, in a table of dozens, is no finding.",
        "**The validation images** decided nothing: all numbers are of the final weights of each run, not of the best epoch, as "
        "a choice by these images would flatter every method. Choosing the labels by this page is such a choice too, if a small one: "
        "the number to publish is that of the chosen method on images that were not used here.",
        "**Only this setting.** Labels, network, schedule and data belong together. OLS needs a network that has learned something "
        "before its soft labels are worth much: what a short training shows may be different in a long one.",
    ]
    return [page.heading("How to read this"), page.bullets(texts)]


# ---- the page ----

EXPLAINED = {
    "hard": "**hard** labels tell the network that an object is its class and nothing else, and that all other classes are "
            "equally wrong",
    "ls": "**ls**, label smoothing, takes a little from the right class and gives it to all classes alike",
    "ols": "**ols**, Online Label Smoothing, learns while it trains how much each class resembles the others, and trains with "
           "that, half and half with the hard label",
    "none": "**none** is Darknet's own loss, in which a box may be of several classes",
}


def introduction(results):
    smoothings = dict.fromkeys(method.smoothing for method in results.comparison.methods)
    setting = results.comparison.setting
    return (f"The same network was trained on {setting.train_images} images with different labels, everything else equal: " +
            "; ".join(EXPLAINED[name] for name in smoothings) + f". Each was trained with {len(results.comparison.seeds)} "
            f"seed{'s' * (len(results.comparison.seeds) > 1)}, and judged by the same {results.valid_images} images that it was "
            "not trained on.")


def blocks_of(results, trainer, command, figures):
    blocks = [page.verdict(the_verdict(results)), page.paragraph(introduction(results))]
    if results.missing:
        blocks.append(page.paragraph(f"**Not all runs are finished.** Missing here: {', '.join(results.missing)}."))
    found = [text for text in (other_measures(results, method) for method in results.others()) if text]
    drawn = charts(results, figures)
    blocks += [page.heading("Result"), main_table(results), drawn[0], page.heading("All measures"), *map(page.paragraph, found),
               *measures_tables(results), page.bullets([f"**{m.title}**: {m.meaning}." for m in known_measures(results)]),
               page.paragraph("Every run:"), runs_table(results)]
    if drawn[1:]:
        blocks += [page.heading("While training")] + drawn[1:]
    blocks += soft_label_pictures(results, trainer.darknet, figures) + confusion_pictures(results) + class_table(results)
    blocks += [page.heading("What was compared"), facts(results), page.paragraph("To repeat it:"), commands(results, command)]
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
