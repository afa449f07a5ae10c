#!/usr/bin/python3
"""scripts/compare-labels: its statistics, what it trains and does not train again, how it goes on after a kill, what it
refuses, and whether the report's numbers are those of the evaluations."""

import atexit
import contextlib
import glob
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image, ImageDraw

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(ROOT, "tests", "helpers"), os.path.join(ROOT, "scripts")]
from tap import finish, ok, same, skip  # noqa: E402
import comparison_report as report  # noqa: E402
import comparison_results as results  # noqa: E402
import comparison_runs as runs  # noqa: E402
import darknet_cfg  # noqa: E402
import comparison_soft_labels as soft_labels  # noqa: E402
import comparison_statistics as stats  # noqa: E402
from darknet_data import BadInput  # noqa: E402

DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))
os.environ["OMP_NUM_THREADS"] = "1"
tmp = os.path.realpath(tempfile.mkdtemp(prefix="compare-labels."))
atexit.register(shutil.rmtree, tmp, ignore_errors=True)
os.chdir(tmp)


def start(*arguments, **options):
    command = [os.path.join(ROOT, "scripts", "compare-labels"), *arguments, "--darknet", DARKNET, "--gpus", "none"]
    # Where the tests run in the background of a shell, SIGINT is ignored, and so it would be in the script.
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options)


def compare(*arguments):
    """(status, stdout, stderr)"""
    process = start(*arguments)
    out, err = process.communicate()
    return process.returncode, out, err


def refused(name, want, *arguments):
    """Ends with status 1 and a last line that says `want`."""
    status, out, err = compare(*arguments)
    ok(status == 1 and not out and want in (err.splitlines() or [""])[-1], name, (status, out, err))


def put(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(content)
    return path


def text(path):
    with open(path) as file:
        return file.read()


def content(path):
    with open(path, "rb") as file:
        return file.read()


def result(path):
    return json.loads(text(path))


def trainings(log):
    """The commands of a log that train."""
    return re.findall(r"^\$ .* train .*", text(log), re.MULTILINE)


def row(page, first, table=0):
    """The cells of a row of report.md, by its first cell; of the table-th row of that name."""
    found = [line for line in page.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in found[table].split("|")[2:-1]] if len(found) > table else None


# ---- statistics ----

# Student's t at 97.5 %, from printed tables
table = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 9: 2.262, 14: 2.145, 30: 2.042, 99: 1.984}
same({n: round(stats.student_t(n), 3) for n in table}, table, "Student's t is that of the printed tables")
ok(abs(stats.student_t(4, .99) - 4.604) < 5e-4 and abs(stats.student_t(3, .9) - 2.353) < 5e-4, "also at 99 % and at 90 %")
mean, low, high = stats.paired_t([1., 2., 6.])  # mean 3, s.d. sqrt 7, half width 4.3027 sqrt(7 / 3)
ok(abs(mean - 3) < 1e-12 and abs(low - (3 - 6.5724)) < 1e-3 and abs(high - (3 + 6.5724)) < 1e-3,
   "the interval of a mean difference is t s / sqrt n on both sides", (mean, low, high))
same(stats.mean_and_deviation([5.]), (5., None), "a single value has no standard deviation")

generator = np.random.default_rng(5)
one, other = ((generator.random((2, 400)) < p).astype(int) for p in (.8, .74))
drawn = generator.integers(0, 400, (20000, 400))
by_hand = (one - other).mean(axis=0)[drawn].mean(axis=1)
difference, low, high = stats.paired_bootstrap(one.tolist(), other.tolist())
ok(abs(difference - (one.mean() - other.mean())) < 1e-12 and abs(low - np.percentile(by_hand, 2.5)) < .003 and
   abs(high - np.percentile(by_hand, 97.5)) < .003, "the bootstrap draws whole images, with all their seeds",
   (difference, low, high, np.percentile(by_hand, (2.5, 97.5))))
same(stats.paired_bootstrap([[1, 0, 1]], [[1, 0, 1]]), (0., 0., 0.), "two equal networks have no difference at all")


# ---- what a difference is called ----

measure = results.Measure("top-1", lambda r: r["top1"], 100, correct=lambda r: r["correct"])
error = results.Measure("NLL", lambda r: r["top1"], better=-1)


def made(right, of=100):
    """Results of a run that has the first `right` images right."""
    return {"top1": right / of, "correct": [1] * right + [0] * (of - right)}


def outcomes(which, pairs):
    d = results.Difference(which, [(made(a), made(b)) for a, b in pairs])
    return d.outcome, d.is_better, d.is_worse, d.over


same(outcomes(measure, [(80, 60), (81, 60), (82, 60)]), ("higher", True, False, "seeds"), "a gain with every seed is better")
same(outcomes(measure, [(60, 80), (60, 81), (60, 82)]), ("lower", False, True, "seeds"), "a loss with every seed is worse")
same(outcomes(error, [(60, 80), (60, 81), (60, 82)]), ("lower", True, False, "seeds"), "of an error, lower is better")
same(outcomes(measure, [(80, 60), (60, 61), (62, 60)])[0], "unclear", "seeds that disagree leave it unclear")
same(outcomes(measure, [(61, 60), (62, 60), (62, 60)])[0], "unclear",
     "a gain on two images of a hundred is unclear, as other images might not have it")
same(outcomes(measure, [(80, 60)]), ("higher", False, False, "images"),
     "with one seed the interval is over the images, and no method is called better")
same(outcomes(error, [(80, 60)]), ("unknown", False, False, ""), "with one seed and no images nothing is claimed")
same(outcomes(measure, [(80, 60)] * 3)[0], "unknown", "of equal differences no interval is made up")
d = results.Difference(measure, [(made(61), made(60)), (made(62), made(60)), (made(62), made(60))])
same(d.half_width(), (d.image_high - d.image_low) / 2,
     "what would not be seen is as wide as the interval over the images where that is the wider one")
same([report.two_digits(n) for n in (.4512, 3.26, 130.8)], ["0.45", "3.3", "130"], "and is said with two digits")
d = results.Difference(measure, [(made(80), made(60)), (made(81), made(60)), (made(83), made(60))])
same(d.sentence("ols", "hard"), "**ols** is 21.33 points above **hard** in top-1 (95 % interval 17.54 to 25.13).",
     "a sentence says it in plain words")
ok("nothing can be said from one" in results.Difference(error, [(made(9), made(8))]).sentence("a", "b"),
   "and says plainly where one seed says nothing")

# ---- methods, seeds, cfgs ----

methods = runs.parse_methods("hard,ls:epsilon=.2,ols:alpha=.3:soft_weight=1")
same([m.file for m in methods], ["hard", "ls-epsilon0_2", "ols-alpha0_3-soft_weight1"], "file names have no dot")
options_table = text(os.path.join(ROOT, "src/ols/options.c"))
same(set(re.findall(r'^    \{"(\w+)", [A-Z]+, offsetof', options_table, re.MULTILINE)), {"smoothing", *runs.KEYS},
     "it knows the keys of the method")
methods_table = re.search(r"methods\[\] = \{(.*?)\n\};", text(os.path.join(ROOT, "src/ols/targets.c")), re.DOTALL)[1]
same(re.findall(r'\{"([\w-]+)", ', methods_table), list(darknet_cfg.SMOOTHINGS), "and the methods")
same(re.findall(r'\{"([\w-]+)", 1, ', methods_table), list(darknet_cfg.KEEPS_SOFT_LABELS), "and which keep soft labels")
same(set(report.EXPLAINED), {*darknet_cfg.SMOOTHINGS, "none"}, "and explains each")
same([m.file for m in runs.parse_methods("ols-single,ols:preset=fine-grained,sce:sce_a=-6")],
     ["ols-single", "ols-presetfine-grained", "sce-sce_a-6"], "a name or a value may have a hyphen")
for wrong, why in (("soft", "must begin with"), ("ls:epsilo=1", "is no key=value"), ("hard,hard", "is there twice"),
                   ("ls:epsilon=", "is no key=value"), ("ls:epsilon=.2,ls:epsilon=0.2", "is there twice")):
    try:
        runs.parse_methods(wrong)
        ok(False, f"--methods {wrong} is refused")
    except BadInput as refusal:
        ok(why in str(refusal), f"--methods {wrong} is refused", refusal)

for wrong, why in (("t=-attack fgsm -json a", "is set by this script"), ("t=-sheet a.png", "would write the same file"),
                   ("t=-coco -thresholds a.png", "would write the same file"),
                   ("t=-compare a.json", "this script compares all runs")):
    try:
        runs.Evaluation(wrong)
        ok(False, f"--metrics {wrong} is refused")
    except BadInput as refusal:
        ok(why in str(refusal), f"--metrics {wrong} is refused", refusal)

# ---- which soft labels are kept ----

kept = set()
for number in range(1, 121):
    kept = soft_labels.spread([*kept, number])
same(sorted(kept), [1, *range(8, 121, 8)], "of 120 epochs those stay that are evenly spaced")
counts = [len(soft_labels.spread(range(1, n + 1))) for n in range(1, 1000)]
ok(counts[:23] == list(range(1, 24)) and min(counts[23:]) >= 12 and max(counts) <= 24, "of few all, of many 12 to 24", counts)
same((soft_labels.evenly([1, 2, 5]), soft_labels.evenly(list(range(1, 24)))), ([1, 2, 5], list(range(1, 24, 2))),
     "a strip shows up to twelve of them")

# ---- a classifier: noise with a tint that says the class ----

TINTS = {"red": (40, 0, 0), "green": (0, 40, 0), "blue": (0, 0, 40), "pink": (40, 0, 30)}
random.seed(1)
for split, n in ("train", 24), ("valid", 15):
    paths = []
    for name, tint in TINTS.items():
        for i in range(n):
            paths.append(f"{split}-{i}-{name}.ppm")
            with open(paths[-1], "wb") as image:
                image.write(b"P6\n12 12\n255\n" + bytes(random.randrange(200) + tint[k % 3] for k in range(12 * 12 * 3)))
    put(f"{split}.list", "\n".join(paths) + "\n")
put("names", "\n".join(TINTS) + "\n")
put("my.data", "classes = 4\ntrain = train.list\nvalid = valid.list\nlabels = names\nbackup = nowhere\ntop = 2\n")
NET = """[net]
batch=8
width=12
height=12
channels=3
momentum=.9
learning_rate=.05
max_batches=120

[convolutional]
filters=8
size=3
stride=2
pad=1
activation=leaky

[convolutional]
filters=4
size=1
stride=1
activation=linear

[avgpool]

[softmax]
groups=1
"""
put("my.cfg", NET)
CALL = ("my.data", "my.cfg", "--methods", "hard,ols:alpha=.6", "--seeds", "1,2", "--out", "out")
RUNS = ("hard-1", "ols-alpha0_6-1", "hard-2", "ols-alpha0_6-2")

status, out, err = compare(*CALL)
ok(status == 0 and all(os.path.exists(f"out/{r}.{e}") for r in RUNS for e in ("json", "cfg", "log")) and
   all(os.path.exists(f"out/backup/{r}.weights") for r in RUNS), "every method is trained and evaluated with every seed",
   (status, out, err))
ok("4 runs of 120 batches" in err and out.splitlines()[-1].startswith("The report: out/index.html"),
   "it says what it does and where the report is", (out, err))
same(sorted(os.listdir("out/backup")), sorted(f"{r}.weights" for r in RUNS), "only the final weights are kept")
ok(text("out/ols-alpha0_6-1.cfg").split("[avgpool]")[1].split() == ["[ols]", "groups=1", "smoothing=ols", "alpha=.6"] and
   text("out/hard-1.cfg").split("[avgpool]")[1].split() == ["[ols]", "groups=1", "smoothing=hard"],
   "[softmax] becomes [ols] with the method's keys", text("out/ols-alpha0_6-1.cfg"))
os.makedirs("byhand/backup")
put("byhand/my.data", text("my.data").replace("nowhere", "byhand/backup"))
shutil.copy("out/ols-alpha0_6-2.cfg", "byhand/net.cfg")
subprocess.run([DARKNET, "classifier", "train", "byhand/my.data", "byhand/net.cfg", "-seed", "2", "-nogpu"],
               capture_output=True)
ok(content("byhand/backup/net.weights") == content("out/backup/ols-alpha0_6-2.weights"),
   "a run has the weights that `classifier train` gives, bit for bit")


def epochs_of(folder, run):
    """The numbers of the soft labels that a run has kept."""
    return sorted(int(re.search(r"_(\d+)\.weights$", name)[1]) for name in glob.glob(f"{folder}/soft-labels/{run}_*"))


subprocess.run([DARKNET, "classifier", "train", "byhand/my.data", "byhand/net.cfg", "-seed", "1", "-nogpu"],
               capture_output=True)
tails = {n: content(f"out/soft-labels/ols-alpha0_6-1_{n}.weights") for n in epochs_of("out", "ols-alpha0_6-1")}
same((list(tails), len(os.listdir("out/soft-labels"))), (list(range(1, 11)), 10),
     "the first seed of OLS has kept its soft labels of every epoch, and no other run has")
ok(all(len(tail) == 48 + 2 * 64 + 2 * 32 + 16 and content(f"byhand/backup/net_{n}.weights")[:-48].endswith(tail)
       for n, tail in tails.items() if n < 10) and content("out/backup/ols-alpha0_6-1.weights")[:-48].endswith(tails[10]),
   "which stand before the trailer of the weights that `classifier train` saves", {n: len(tail) for n, tail in tails.items()})

# ---- the report's numbers, from the evaluations ----

page, html = text("out/report.md"), text("out/index.html")
models = {r: result(f"out/{r}.json")["models"][-1] for r in RUNS}


def wanted(first, get, digits):
    """The cells of a measure's rows: mean ± s.d. of both methods, and the difference with its interval."""
    values = [[get(models[f"{method}-{seed}"]) for seed in (1, 2)] for method in ("hard", "ols-alpha0_6")]
    spread = [f"{sum(v) / 2:.{digits}f} ± {abs(v[0] - v[1]) / 2 ** .5:.{digits}f}" for v in values]
    d = [b - a for a, b in zip(*values)]
    half = 12.7062047 * statistics.stdev(d) / 2 ** .5
    interval = f" [{sum(d) / 2 - half:+.{digits}f}, {sum(d) / 2 + half:+.{digits}f}]" if half > 1e-9 else ""
    return spread, f"{sum(d) / 2:+.{digits}f}{interval}"


for first, get, digits in (("top-1 %", lambda m: 100 * m["top1"], 2), ("top-2 %", lambda m: 100 * m["top_k"], 2),
                           ("NLL", lambda m: m["nll"], 4), ("ECE %", lambda m: 100 * m["ece"], 2),
                           ("ECE, scaled %", lambda m: 100 * m["temperature"]["scaled_ece"], 2),
                           ("Brier", lambda m: m["brier"], 4)):
    spread, difference = wanted(first, get, digits)
    got = (row(page, first) or [])[:2], re.sub(r" \*\*\w+\*\*", "", (row(page, first, 1) or [""])[0])
    same(got, (spread, difference), f"mean, s.d. and t interval of {first} are those of the JSON files")
same(row(page, "hard")[:2], [f"{100 * models[f'hard-{s}']['top1']:.2f}" for s in (1, 2)], "every seed's top-1 is there")
ok(not re.search(r"https?:|//|<script|<link|@import|url\(", re.sub(r"base64,[\w+/=]*", "", html)) and
   html.count("<img") == html.count("src='data:image/png;base64,"), "the page needs nothing but itself")
ok("<svg" in html and html.count("<polyline") >= 6 and html.count("<circle") == 4,
   "the page has the loss of every run, and a dot for each")
pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page)
ok(len(pictures) >= 2 and all(os.path.exists(os.path.join("out", picture)) for picture in pictures),
   "the Markdown names pictures that are there", pictures)
ok("scripts/compare-labels my.data my.cfg" in page and "classifier train out/data.data out/hard-1.cfg -seed 1" in page and
   "96 images to train on, 60 to evaluate on" in page, "it says what was done, and how to repeat it", page)


shutil.copy("out/hard-1.json", "kept.json")
put("out/hard-1.json", "{")
refused("a result that was damaged is named, with what to do", "out/hard-1.json: damaged", *CALL, "--report-only")
os.replace("kept.json", "out/hard-1.json")

put("short.cfg", NET.replace("max_batches=120", "max_batches=2").replace("learning_rate=.05", "learning_rate=.00001"))
status, out, err = compare("my.data", "short.cfg", "--seeds", "1,2", "--methods", "hard,ls", "--out", "short")
ok(status == 0 and "have learned next to nothing" in out.splitlines()[0] and "one class for every image would come to 25.00 %" in out and
   "have learned next to nothing" in text("short/report.md") and "next to nothing" not in page,
   "networks that learned nothing are no ground for a verdict, and it says so", (status, out, err))

strip = "figures/soft-labels-ols-alpha0_6-1-epochs.png"
if shutil.which("gnuplot"):
    caption = re.search(rf"!\[(.*)\]\({re.escape(strip)}\)", page)
    ok(caption and caption[1].startswith("ols:alpha=.6, seed 1, while it trained: after epochs 1, 2, 3, 4, 5, 6, 7, 8, 9, 10. "),
       "the page shows OLS's soft labels over the epochs, and says which epochs these are", caption)
    with Image.open(f"out/{strip}") as one, Image.open("out/figures/soft-labels-ols-alpha0_6-1.png") as other:
        ok(one.width > 2 * other.width, "as a strip, beside those at the end", (one.size, other.size))
else:
    skip("the page shows OLS's soft labels over the epochs", "no gnuplot")

# ---- nothing twice ----

def state_of():
    return {path: (os.path.getmtime(path), content(path)) for path in glob.glob("out/*.log") + glob.glob("out/backup/*") +
            glob.glob("out/*.json")}


before = state_of()
status, out, err = compare(*CALL)
ok(status == 0 and state_of() == before, "what is finished is not done again", err)
status, out, err = compare(*CALL[:3], "hard", *CALL[4:], "--metrics", "soft=-attack fgsm -eps 1")
ok(status == 0 and [len(trainings(f"out/{r}.log")) for r in RUNS] == [1] * 4 and result("out/hard-2-soft.json")["attack"] and
   "| soft: top-1 % |" in text("out/report.md"), "a further evaluation needs no training, and has its rows", err)
attacked = [100 * result(f"out/hard-{s}-soft.json")["models"][-1]["attacked"]["top1"] for s in (1, 2)]
ok(row(text("out/report.md"), "soft: top-1 %")[0].startswith(f"{sum(attacked) / 2:.2f} ± "), "which are of the attack")

status, out, err = compare(*CALL[:4], "--seeds", "1,2,7", "--out", "out", "--report-only")
ok(status == 0 and "Missing here: hard-7, ols-alpha0_6-7" in text("out/report.md") and not os.path.exists("out/hard-7.log"),
   "--report-only trains nothing, and names the runs that are missing", err)
refused("without any finished run there is no report", "no run is finished yet", *CALL[:2], "--out", "none", "--report-only")

# ---- after a kill ----


# With momentum: whatever ends the comparison, its training gets SIGTERM, and saves it.
put("long.cfg", NET.replace("max_batches=120", "max_batches=1500"))
LONG = ("my.data", "long.cfg", "--methods", "ols:alpha=.6", "--seeds", "2", "--out")
status, out, err = compare(*LONG, "whole")


def interrupt(folder, number):
    """Starts a comparison, sends the signal once the training has got to a checkpoint and is well before its end, and
    returns (status, stderr, whether a training was cut off, whether its process is gone)."""
    process = start(*LONG, folder)
    log = f"{folder}/ols-alpha0_6-2.log"
    for _ in range(3000):
        with contextlib.suppress(OSError):
            if re.search(r"^1\d\d, ", text(log), re.MULTILINE):
                break
        time.sleep(.02)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    process.send_signal(number)
    _, err = process.communicate()
    for _ in range(600):
        alive = [pid for pid in children if os.path.exists(f"/proc/{pid}") and "Z" not in
                 text(f"/proc/{pid}/stat").split(")")[-1].split()[0]]
        if not alive:
            break
        time.sleep(.05)
    return process.returncode, err, children and not os.path.exists(f"{folder}/backup/ols-alpha0_6-2.weights"), not alive


for number, folder in (signal.SIGKILL, "killed"), (signal.SIGINT, "stopped"):
    status, err, cut, gone = interrupt(folder, number)
    ok(cut and gone and status == (-9 if number == signal.SIGKILL else 130), f"{number.name} ends the training too",
       (status, err, cut, gone))
    if number == signal.SIGINT:
        ok("0 of 1 runs are finished, and the same command goes on" in err.splitlines()[-1], "and it says how to go on", err)
    status, out, err = compare(*LONG, folder)
    commands = trainings(f"{folder}/ols-alpha0_6-2.log")
    ok(status == 0 and "1 go on" in err and len(commands) == 2 and "ols-alpha0_6-2.backup" in commands[1],
       "the same command goes on from the newest weights, which hold the momentum", (status, err, commands))
    ok(content(f"{folder}/backup/ols-alpha0_6-2.weights") == content("whole/backup/ols-alpha0_6-2.weights"),
       "and ends with the weights of a training that was not interrupted, bit for bit")
    strips = [{n: content(f"{f}/soft-labels/ols-alpha0_6-2_{n}.weights")[48:112] for n in epochs_of(f, "ols-alpha0_6-2")}
              for f in ("whole", folder)]
    ok(strips[0] == strips[1] and len(strips[0]) >= 12, "and with the same soft labels over the epochs", [list(s) for s in strips])
losses = runs.Run("killed", "classifier", methods[0], 1)
losses.log = "killed/ols-alpha0_6-2.log"
same(sorted(losses.losses()), list(range(1, 1501)), "the loss curve has every iteration once")
named = re.search(r"interrupted: ols-alpha0_6-2 at batch (\d+)", text("killed/report.md"))
ok(named and int(named[1]) >= 96 and "held the momentum" not in text("killed/report.md"),
   "the report names a run that went on, and where", named)
subprocess.run([DARKNET, "classifier", "train", "byhand/my.data", "byhand/net.cfg", "-topk", "-seed", "1", "-nogpu"], capture_output=True)
same([soft_labels.holds_momentum(f"byhand/backup/net{end}.weights") for end in ("_last", "_best", "_1", "")], [True, False, False, False],
     "it knows which weights hold the momentum")
put("killed/comparison.json", text("killed/comparison.json").replace('"resumed_without_momentum_at": []',
                                                                     f'"resumed_without_momentum_at": [{named[1]}]'))
compare(*LONG, "killed", "--report-only")
ok("Not all checkpoints held the momentum" in text("killed/report.md"), "and says so where a run went on without")

# ---- what has changed ----

put("other.cfg", NET.replace("learning_rate=.05", "learning_rate=.04"))
before = state_of()
refused("another cfg is refused, with what to do", "out/hard-1: was begun with another cfg: --restart removes what is "
        "outdated (hard-1, hard-2)", "my.data", "other.cfg", "--methods", "hard", "--seeds", "1,2", "--out", "out")
put("train.list", text("train.list").replace("train-0-red.ppm\n", ""))
refused("so is another list", "another file of train=: --restart", *CALL)
same(state_of(), before, "and nothing is lost by that")
put("train.list", "train-0-red.ppm\n" + text("train.list"))
status, out, err = compare("my.data", "other.cfg", "--methods", "hard", "--seeds", "1", "--out", "out", "--restart")
weights = [f"out/backup/hard-{seed}.weights" for seed in (1, 2)]
kept = [content(path) == before[path][1] for path in weights]
ok(status == 0 and "removed, and trained anew: hard-1" in err and kept == [False, True] and
   not os.path.exists("out/hard-1-soft.json"), "--restart trains the outdated runs anew, and no others", err)
shutil.copytree("out", "copy")
status, out, err = compare("my.data", "other.cfg", "--methods", "ols:alpha=.6", "--seeds", "1", "--out", "copy", "--restart")
now = {n: content(f"copy/soft-labels/ols-alpha0_6-1_{n}.weights") for n in epochs_of("copy", "ols-alpha0_6-1")}
ok(status == 0 and list(now) == list(tails) and all(now[n] != tails[n] for n in tails),
   "and of OLS with the soft labels of the new training", (status, err, list(now)))
put("my.cfg", "# a comment\n" + NET)
status, out, err = compare(*CALL, "--methods", "ols:alpha=.6")
ok(status == 0 and len(trainings("out/ols-alpha0_6-1.log")) == 1, "a comment in the cfg changes nothing", err)
holder = subprocess.Popen(["flock", "out", "sleep", "20"])
time.sleep(.3)
refused("two at a time in one folder are refused", "another compare-labels is at work there", *CALL)
holder.kill()
holder.wait()

# ---- one seed, wrong labels, several jobs, pretrained weights ----

put("noisy.data", text("my.data") + "noise = .25\nnoise_seed = 3\n")
put("short.cfg", NET.replace("max_batches=120", "max_batches=36"))
del os.environ["OMP_NUM_THREADS"]
cores = len(os.sched_getaffinity(0))
status, out, err = compare("noisy.data", "short.cfg", "--methods", "hard,ls", "--seeds", "4", "--out", "noisy", "--jobs",
                           "2", "--weights", "out/backup/hard-2.weights", "--evaluate-every", "1")
os.environ["OMP_NUM_THREADS"] = "1"
page = text("noisy/report.md")
counts = [result(f"noisy/{m}-4-train.json")["models"][-1]["noise"] for m in ("hard", "ls")]
ok(status == 0 and counts[0]["images"] == 24 and row(page, "flipped as given %")[:2] ==
   [f"{100 * c['as_given'] / 24:.2f}" for c in counts] and row(page, "flipped as true %")[:2] ==
   [f"{100 * c['as_true'] / 24:.2f}" for c in counts], "with noise= the report says what became of the changed labels",
   (status, err, page))
share = max(cores // 2, 1)
ok(all(f"-loaders {share}" in trainings(f"noisy/{m}-4.log")[0] for m in ("hard", "ls")) and
   result("noisy/comparison.json")["runs"]["ls-4"]["threads"] == str(share), "jobs side by side share the processors")
ok("out/backup/hard-2.weights -seed 4 -clear" in trainings("noisy/ls-4.log")[0], "--weights is what every run starts from")
ok("figures/score-curves.svg" in page and text("noisy/figures/score-curves.svg").count("<polyline") == 2,
   "--evaluate-every draws top-1 while training", page)
subprocess.run([DARKNET, "classifier", "metrics", "noisy/data.data", "noisy/ls-4.cfg", "noisy/backup/ls-4.weights",
                "-compare", "noisy/hard-4.json", "-json", "compared.json", "-nogpu"], capture_output=True)
against = result("compared.json")["models"][-1]["compared"]
said = row(page, "top-1 %", 1)[0]
got = [float(number) for number in re.findall(r"[-+][\d.]+", said)]
ok(len(got) == 3 and all(abs(g - 100 * against[k]) < 1.7 for g, k in zip(got, ("difference", "low", "high"))),
   "with one seed the interval is that of `classifier metrics -compare`", (said, against))
ok("95 % interval over the images" in page and "One seed does not decide" in page and "another seed may turn it" in page,
   "and what it leaves out is said")

# ---- what cannot be done ----

refused("a value out of its range is refused before anything is trained", "epsilon=2 is not valid", *CALL[:2], "--methods",
        "hard,ls:epsilon=2", "--out", "new")
ok(not glob.glob("new/*.log"), "and nothing was")
refused("a list that is not there is named", "valid=gone.list is not there",
        put("gone.data", text("my.data").replace("valid.list", "gone.list")), "my.cfg")
refused("a cfg of something else is refused", "this cfg ends in [avgpool]",
        "my.data", put("end.cfg", NET.split("[softmax]")[0]))
refused("--methods none of a classifier is refused", "is for detectors", *CALL[:2], "--methods", "none", "--out", "new")
refused("a key of [yolo] in a classifier is refused", "class_gain is a key of [yolo], and my.cfg ends in [ols]", *CALL[:2],
        "--methods", "hard,ls:class_gain=2", "--out", "new")
refused("seeds that are none are refused", "must be different whole numbers", *CALL[:2], "--seeds", "1,1")
refused("an option that the script sets is refused", "-json is set by this script", *CALL, "--metrics", "x=-json y")
put("wrong.list", "train-0-grey.ppm\n" * 8)
refused("a training that cannot begin ends all, with its reason", "train-0-grey.ppm",
        put("wrong.data", text("my.data").replace("train.list", "wrong.list")), "my.cfg", "--out", "wrong")
done = subprocess.run([os.path.join(ROOT, "scripts", "compare-labels"), *CALL, "--darknet", "gone"], capture_output=True,
                      text=True)
same((done.returncode, done.stderr), (1, "compare-labels: gone is not there: run make first, or name the program with "
                                      "--darknet\n"), "without the program it says make")
put("burst.cfg", NET.replace("max_batches=120", "max_batches=60\npolicy=steps\nsteps=32\nscales=1e30"))
status, out, err = compare("my.data", "burst.cfg", "--methods", "hard,ls", "--seeds", "1", "--out", "burst")
ok(status == 1 and "no run is finished yet" in err and all(f"the training of {r}-1 failed: " in err for r in ("hard", "ls")),
   "a training that diverges is named, and the others go on", err)

# ---- a detector: squares on grey ----

random.seed(1)
for split, n in ("train", 24), ("valid", 8):
    paths = []
    for i in range(n):
        picture, k = Image.new("RGB", (48, 48), (30, 30, 30)), i % 2
        x, y = random.randint(2, 28), random.randint(2, 28)
        ImageDraw.Draw(picture).rectangle([x, y, x + 15, y + 15], fill=((240, 40, 40), (40, 240, 40))[k])
        paths.append(f"squares/images/{split}{i}.jpg")
        put(f"squares/labels/{split}{i}.txt", f"{k} {(x + 8) / 48} {(y + 8) / 48} {16 / 48} {16 / 48}\n")
        os.makedirs("squares/images", exist_ok=True)
        picture.save(paths[-1], quality=95)
    put(f"squares/{split}.list", "\n".join(paths) + "\n")
put("squares/names", "red\ngreen\n")
put("squares/my.data", "classes=2\ntrain=squares/train.list\nvalid=squares/valid.list\nnames=squares/names\n")
layers = "".join(f"\n[convolutional]\nbatch_normalize=1\nfilters={f}\nsize=3\nstride={s}\npad=1\nactivation=leaky\n"
                 for f, s in ((8, 2), (16, 2), (16, 2)))
HEAD = ("\n[yolo]\nmask=0\nanchors=16,16\nclasses=2\nnum=1\njitter=.1\nignore_thresh=.6\ntruth_thresh=1\nrandom=0\n"
        "smoothing=ls\n")
put("squares/net.cfg", "[net]\nbatch=8\nwidth=48\nheight=48\nchannels=3\nmomentum=.9\nlearning_rate=.02\n"
    "max_batches=130\n" + layers + "\n[convolutional]\nfilters=7\nsize=1\nstride=1\nactivation=linear\n" + HEAD)
DETECTOR = ("squares/my.data", "squares/net.cfg", "--methods", "none,ols", "--out", "found", "--metrics", "coco=-coco")
status, out, err = compare(*DETECTOR, "--seeds", "1,2")
page = text("found/report.md") if status == 0 else ""
ok(status == 0 and "smoothing" not in text("found/none-1.cfg").split("[net]")[1] and
   "smoothing=ols" in text("found/ols-1.cfg"), "a detector's heads get smoothing=, and with none they have none", err)
maps = [[100 * result(f"found/{m}-{s}.json")["map"] for s in (1, 2)] for m in ("none", "ols")]
same((row(page, "mAP %") or [])[:2], [f"{statistics.mean(m):.2f} ± {statistics.stdev(m):.2f}" for m in maps],
     "its table has the mAP of `detector map`")
best = [[100 * result(f"found/{m}-{s}.json")["best_f1"]["f1"] for s in (1, 2)] for m in ("none", "ols")]
ece = [[100 * result(f"found/{m}-{s}.json")["calibration"]["ece"] for s in (1, 2)] for m in ("none", "ols")]
for name, values in ("best F1 %", best), ("ECE %", ece):
    same((row(page, name) or [])[:2], [f"{statistics.mean(v):.2f} ± {statistics.stdev(v):.2f}" for v in values],
         f"and {name}, where methods with lower scores are not judged by a threshold of others")
coco = [[100 * result(f"found/{m}-{s}-coco.json")["coco"]["ap"] for s in (1, 2)] for m in ("none", "ols")]
same((row(page, "coco: AP .50:.95 %") or [])[:2], [f"{statistics.mean(c):.2f} ± {statistics.stdev(c):.2f}" for c in coco],
     "and COCO's AP where that was asked for")
same(sorted(os.listdir("found/backup")), [f"{m}-{s}_final.weights" for m in ("none", "ols") for s in (1, 2)],
     "and keeps its final weights")
status, out, err = compare(*DETECTOR, "--seeds", "1", "--report-only")
ok(status == 0 and ("nothing can be said from one" in out) and "These runs do not decide it" in out,
   "with one seed of a detector no difference is claimed", out)
ok(len(epochs_of("found", "ols-1")) < 2 and "figures/soft-labels-ols-1.png" in page and "-epochs.png" not in page,
   "where a short training leaves fewer than three, there is no strip", page)
put("squares/longer.cfg", text("squares/net.cfg").replace("max_batches=130", "max_batches=320"))
status, out, err = compare("squares/my.data", "squares/longer.cfg", "--methods", "ols", "--seeds", "1", "--out", "longer")
shown = re.search(r"while it trained: after epochs ([\d, ]+)\.", text("longer/report.md")) if status == 0 else None
same(shown and shown[1], "33, 66, 100, 106", "that of a detector is of every 100 batches at most, and of its end")
finish()
