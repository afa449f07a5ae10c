"""The numbers of scripts/compare-labels: the measures of every run, and their differences between methods."""

import os
import statistics

import comparison_statistics as stats
from comparison_runs import read_json
from darknet_data import BadInput

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
        Measure("best F1", lambda r: (r[""]["best_f1"] or {}).get("f1"), 100,
                meaning="the same above the score where it is highest, which every network has for itself. With soft labels scores are "
                "lower, so that .25 is not the same choice for all"),
        Measure("ECE", lambda r: r[""]["calibration"]["ece"], 100, -1,
                "how far the scores of boxes, from .01 on, are from how often such boxes are right"),
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

    def half_width(self):
        """Of the wider of its intervals: what a difference has to exceed, about, to be seen."""
        return max(self.high - self.low, self.image_high - self.image_low if self.image_low is not None else 0) / 2

    @property
    def is_better(self):
        """With several seeds only: an interval over the images says nothing of chance in training."""
        return self.over == "seeds" and self.outcome == ("higher" if self.measure.better > 0 else "lower")

    @property
    def is_worse(self):
        return self.over == "seeds" and self.outcome == ("lower" if self.measure.better > 0 else "higher")

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
                return (f"**{one}** and **{other}** differ by {m.show(self.mean, '+')}{m.unit} in {m.title} with every "
                        f"one of {len(self.values)} seeds: from that no interval can be estimated.")
            return (f"With the one seed **{one}** is {size} {way} **{other}** in {m.title}. Another seed might turn that: "
                    "nothing can be said from one.")
        kind = "95 % interval over the images" if self.over == "images" else "95 % interval"
        where = f"({kind} {m.show(self.low)} to {m.show(self.high)})"
        if self.outcome == "unclear":
            text = (f"No difference between **{one}** and **{other}** that could be seen in {m.title}: "
                    f"{m.show(self.mean, '+')}{m.unit} {where}.")
            if self.image_low is not None and self.low * self.high > 0:
                images = f"{m.show(self.image_low)} to {m.show(self.image_high)}"
                text = (f"**{one}** is {size} {way} **{other}** in {m.title} {where}, but with other images to evaluate "
                        f"on it might not be: over these the interval is {images}.")
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
        """The JSON of each evaluation, without what is of single images and not needed here."""
        results = {name or "": read_json(run.result(name)) for name, _ in self.comparison.evaluations(run)}
        for name, result in results.items():
            if name:
                result.pop("images", None)
            for model in result.get("models", []):
                for key in ("confidence", "predicted") if name else ("confidence",):
                    model.pop(key, None)
        return results

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
