#!/usr/bin/python3
"""darknet classifier suspects: the ranking against NumPy, precision against the true labels, what is written, and what is
refused. The score: src/eval/suspect_labels.h."""

import atexit
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))
TINTS = {"red": (150, 30, 30), "green": (30, 150, 30), "blue": (30, 30, 150), 'a, "b"': (120, 120, 30)}
NAMES = list(TINTS)

tmp = os.path.realpath(tempfile.mkdtemp(prefix="suspects."))
atexit.register(shutil.rmtree, tmp)
os.environ.setdefault("OMP_NUM_THREADS", "1")


def darknet(*arguments):
    """(status, stdout, stderr)"""
    done = subprocess.run([DARKNET, "classifier", *arguments, "-nogpu"], cwd=tmp, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def suspects(*arguments):
    return darknet("suspects", *arguments)


def put(content, name):
    with open(os.path.join(tmp, name), "w") as file:
        file.write(content)
    return name


def table(name):
    with open(os.path.join(tmp, name), newline="") as file:
        return list(csv.reader(file))


# ---- noise with a tint that says the class, and a network that was trained on it with wrong labels ----

rng = np.random.default_rng(1)
lists = {"train": 1200, "valid": 60}
for name, count in lists.items():
    os.mkdir(os.path.join(tmp, name))
    lines = []
    for i in range(count):
        label = i % len(NAMES)
        pixels = rng.integers(0, 100, (8, 8, 3)) + TINTS[NAMES[label]]
        Image.fromarray(pixels.astype(np.uint8)).save(os.path.join(tmp, name, f"{i}.png"))
        lines.append(f"{name}/{i}.png\t{label}\n")
    put("".join(lines), name + ".list")
put("".join(name + "\n" for name in NAMES), "names")
BASE = "classes=4\ntrain=train.list\nvalid=valid.list\nnames=names\nbackup=.\ntruth=list\n"
noisy, clean = put(BASE + "noise=.2\nnoise_seed=5\n", "noisy.data"), put(BASE, "clean.data")
NET = """[net]
batch=32
width=8
height=8
channels=3
min_crop=8
max_crop=8
learning_rate=.02
momentum=.9
max_batches=150
policy=constant
[convolutional]
filters=8
size=3
stride=2
pad=1
activation=leaky
[connected]
output={classes}
activation=linear
[ols]
smoothing=hard
"""
net = put(NET.format(classes=4), "net.cfg")
put(NET.format(classes=3), "three.cfg")
status, out, err = darknet("train", noisy, net, "-seed", "1")
assert status == 0, err
weights = "net.weights"
truth = np.arange(lists["train"]) % 4

# ---- the ranking, against NumPy ----


def reference(p, given):
    """The images in their order, and their scores: from the definition, in double precision"""
    logs = np.log(np.maximum(p, np.finfo(np.float32).tiny))
    usual = np.log([p[given == k, k].mean() for k in range(p.shape[1])])
    ratio = logs - usual
    own = ratio[np.arange(len(p)), given]
    ratio[np.arange(len(p)), given] = -np.inf
    score = ratio.max(1) - own
    return np.argsort(-score, kind="stable"), score


status, out, err = darknet("metrics", noisy, net, weights, "-list", "train", "-probabilities", "p.csv")
p = np.array([row[2:] for row in table("p.csv")[1:]], np.float32).astype(np.float64)
status, report, err = suspects(noisy, net, weights, "-top", "1200", "-csv", "all.csv", "-json", "all.json")
rows = table("all.csv")
path_of = [f"train/{i}.png" for i in range(1200)]
given = np.empty(1200, int)
for row in rows[1:]:
    given[path_of.index(row[1])] = NAMES.index(row[2])
same((status, rows[0], [row[0] for row in rows[1:]]),
     (0, "rank path label predicted p_label p_predicted score true_label".split(), [str(i + 1) for i in range(1200)]),
     "the CSV has a line for each suspect, ranks from 1")
same((np.sum(given != truth), sorted(row[1] for row in rows[1:])), (240, sorted(path_of)),
     "every image once, with the label that noise= gave it")
order, score = reference(p, given)
mine = np.array([path_of.index(row[1]) for row in rows[1:]])
ok(np.abs(score[mine] - [float(row[6]) for row in rows[1:]]).max() < 1e-5, "the scores are NumPy's",
   np.abs(score[mine] - [float(row[6]) for row in rows[1:]]).max())
ok((mine == order).mean() > .99 and np.diff(score[mine]).max() < 1e-6, "and so is the order", (mine[:9], order[:9]))
ok(all(row[3] == NAMES[p[i].argmax()] and row[7] == NAMES[truth[i]] and abs(float(row[4]) - p[i, given[i]]) < 1e-6 and
       abs(float(row[5]) - p[i].max()) < 1e-6 for i, row in zip(mine, rows[1:])),
   "with what is predicted, the probabilities of both classes, and the true label")

# ---- precision ----

wrong = (given != truth)[mine]
result = json.loads(open(os.path.join(tmp, "all.json")).read())
same(result["noise"], {"images": 240, "share": .2, "precision": [{"first": n, "precision": wrong[:n].mean()}
                                                                for n in (100, 1000, 1200)]},
     "precision at 100, 1,000 and all that are listed is that of the true labels")
ok(wrong[:100].mean() > .9, "a network that was trained with a fifth of wrong labels finds them", wrong[:100].mean())
ok(f"\nNoise changed 20.00 % of all labels, which is what chance would find. It changed the label of\n"
   f"    {100 * wrong[:100].mean():.2f} % of the first 100 suspects\n"
   f"    {100 * wrong[:1000].mean():.2f} % of the first 1000 suspects\n    20.00 % of the first 1200 suspects\n" in report,
   "the report says so, beside what chance would find", report[-400:])
for top, places in ((7, [7, 100, 1000]), (100, [100, 1000]), (500, [100, 500, 1000])):
    status, out, err = suspects(noisy, net, weights, "-top", str(top), "-json", "-")
    got = json.loads(out)
    same(([x["first"] for x in got["noise"]["precision"]], len(got["suspects"])), (places, top),
         f"-top {top}: precision at {places}, and so many are listed")
same({key: value for key, value in result["suspects"][0].items() if key != "score"},
     {"path": rows[1][1], "label": rows[1][2], "predicted": rows[1][3], "p_label": p[mine[0], given[mine[0]]],
      "p_predicted": p[mine[0]].max(), "true_label": rows[1][7]}, "the JSON has what the CSV has")
same((result["count"], result["classes"], result["list"], result["disbelieved"]), (1200, 4, "train", int((score > 0).sum())),
     "and how many images there are, and how many are disbelieved")

# ---- the report ----

status, report, err = suspects(noisy, net, weights, "-top", "3")
i = mine[0]
ok(status == 0 and report.startswith("1200 images of train= in noisy.data, 4 classes; the square in the middle, scaled to 8x8\n")
   and f"\n     1  {score[i]:7.3f}  labelled {NAMES[given[i]]} ({100 * p[i, given[i]]:.2f} %), predicted "
   f"{NAMES[p[i].argmax()]} ({100 * p[i].max():.2f} %), truly {NAMES[truth[i]]}: {path_of[i]}\n" in report and
   len(re.findall(r"^ +\d+ .* labelled ", report, re.M)) == 3, "the report lists as many as -top says", report)
status, report, err = suspects(noisy, net, weights)
same((status, len(re.findall(r"^ +\d+ .* labelled ", report, re.M))), (0, 100), "by default a hundred")
status, report, err = suspects(clean, net, weights, "-csv", "clean.csv", "-json", "clean.json")
got = json.loads(open(os.path.join(tmp, "clean.json")).read())
ok(status == 0 and "truly" not in report and "Noise" not in report and table("clean.csv")[0][-1] == "score" and
   "noise" not in got and "true_label" not in got["suspects"][0], "without noise nothing is said of true labels", report[:300])
status, report, err = suspects(noisy, net, weights, "-list", "valid")
ok(status == 0 and report.startswith("60 images of valid= in noisy.data") and "Noise" not in report and
   len(re.findall(r" labelled ", report)) == 60, "-list valid takes the other list, which noise leaves alone", report[:300])

# ---- the picture ----

status, out, err = suspects(noisy, net, weights, "-top", "1000", "-sheet", "sheet.png")
with Image.open(os.path.join(tmp, "sheet.png")) as picture:
    sheet = np.asarray(picture.convert("RGB"))
same((status, sheet.shape), (0, (14 + 10 * (128 + 39 + 14), 14 + 10 * (128 + 14), 3)), "-sheet draws the first hundred")
for k in (0, 11, 99):
    x, y = 14 + k % 10 * 142, 14 + k // 10 * 181
    with Image.open(os.path.join(tmp, path_of[mine[k]])) as picture:
        want = np.asarray(picture.convert("RGB")).repeat(16, 0).repeat(16, 1)
    ok(np.array_equal(sheet[y:y + 128, x:x + 128], want) and (sheet[y + 128:y + 167, x:x + 128] < 128).any(),
       f"image {k + 1} is where it should be, with text below")
suspects(noisy, net, weights, "-top", "4", "-sheet", "four.png")
with Image.open(os.path.join(tmp, "four.png")) as picture:
    same(picture.size, (14 + 4 * 142, 14 + 181), "or as many as -top says")

# ---- what is refused: one line, status 1 ----


def refused(name, want, *arguments):
    status, out, err = suspects(*arguments)
    lines = [line for line in err.splitlines() if line.startswith("darknet: ")]
    left = [f for f in os.listdir(tmp) if f.endswith(".tmp")]
    ok(status == 1 and len(lines) == 1 and lines[0] == err.splitlines()[-1] and want in lines[0] and out == "" and not left,
       name, (status, out[:300], lines, err[-300:], left))


refused("a cfg of another number of classes", "classes=4 in noisy.data, but 3 in three.cfg: must be the same", noisy,
        "three.cfg", weights)
put("red.png\n", "one.list")
refused("a single class", "classes=1: of one class no label is wrong",
        put("classes=1\ntrain=one.list\nnames=names\n", "one.data"), net, weights)
refused("weights that are missing", "cannot read the weights nowhere: No such file", noisy, net, "nowhere")
refused("a cfg that is missing", "cannot read the cfg nowhere: No such file", noisy, "nowhere", weights)
refused("a data file that is missing", "nowhere", "nowhere", net, weights)
put("x", "bad.png")
put("bad.png\t0\n", "bad.list")
refused("an image that is none", "bad.png: not an image that can be decoded",
        put(BASE.replace("train.list", "bad.list"), "bad.data"), net, weights)
for arguments, want in (((noisy, net), "needs <data> <cfg> <weights> (see darknet classifier suspects --help)"),
                        ((noisy, net, weights, weights), f"unexpected argument {weights}"),
                        ((noisy, net, weights, "-list", "test"), "-list test is not valid: must be train or valid"),
                        ((noisy, net, weights, "-top", "0"), "-top 0 is not valid: must be a whole number from 1"),
                        ((noisy, net, weights, "-rank", "5"), "unknown option -rank")):
    refused(" ".join(arguments), want, *arguments)
for option in ("-csv", "-json", "-sheet"):
    status, out, err = suspects(noisy, net, weights, option, "nowhere/x")
    ok(status == 1 and err == f"darknet: classifier suspects: {option}: cannot write nowhere/x: No such file or directory\n",
       f"a place where {option} cannot write is said before the network is loaded", err)
status, out, err = suspects("--help")
done = subprocess.run([DARKNET, "classifier", "suspects"], capture_output=True, text=True)
ok(status == 0 and done.returncode == 1 and out == done.stderr and
   all(f" {o} " in out for o in ("-top", "-list", "-csv", "-sheet", "-json")),
   "--help explains every option, and so does the command without arguments", (status, out, done.stderr))

finish()
