#!/usr/bin/python3
"""scripts/plot-tsne: the distances against NumPy, what is drawn, and what is refused."""

import atexit
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same, skip  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
tmp = os.path.realpath(tempfile.mkdtemp(prefix="tsne."))
atexit.register(shutil.rmtree, tmp)
os.environ.setdefault("OMP_NUM_THREADS", "1")


def plot(*arguments, **environment):
    """(status, stdout, stderr)"""
    done = subprocess.run([os.path.join(ROOT, "scripts", "plot-tsne"), *arguments], cwd=tmp, capture_output=True, text=True,
                          env=dict(os.environ, **environment))
    return done.returncode, done.stdout, done.stderr


def put(content, name):
    with open(os.path.join(tmp, name), "w") as file:
        file.write(content)
    return name


def distances(features, labels, names):
    """(within, between): from the definition, an image and a pair of classes at a time"""
    x = [row / np.sqrt(sum(v * v for v in row)) for row in features.astype(np.float64)]
    means = [sum(v for v, label in zip(x, labels) if label == name) / labels.count(name) for name in names]
    within = [np.mean([np.sqrt(sum((v - mean) ** 2)) for v, label in zip(x, labels) if label == name])
              for name, mean in zip(names, means)]
    between = [np.sqrt(sum((means[i] - means[k]) ** 2)) for i in range(len(names)) for k in range(i + 1, len(names))]
    return np.mean(within), np.mean(between)


# ---- 40 images of three classes, the first of them with a name that CSV quotes ----

rng = np.random.default_rng(2)
NAMES = ["cat, old", "dog's", "truck"]
labels = [NAMES[min(i % 4, 2)] for i in range(40)]  # 10, 10 and 20 images
features = (rng.normal(0, 1, (40, 5)) + 4 * np.eye(3, 5)[[NAMES.index(name) for name in labels]]).astype(np.float32)
rows = [f'{i}.png,{chr(34) + name + chr(34) if "," in name else name},truck,' + ",".join(f"{v:.9g}" for v in f)
        for i, (name, f) in enumerate(zip(labels, features))]
HEAD = "path,label,predicted,f0,f1,f2,f3,f4"
csv = put("\n".join([HEAD] + rows) + "\n", "f.csv")

# ---- numbers ----

drawn = importlib.util.find_spec("sklearn") is not None and shutil.which("gnuplot") is not None
within, between = distances(features, labels, NAMES)
status, out, err = plot(csv, "all.png", "--perplexity", "5")
said = (f"40 images, 3 classes, 5 features\nmean distance to the mean of the own class {within:.4f}, between the means of two "
        f"classes {between:.4f}: ratio {within / between:.4f}\n")
if shutil.which("gnuplot"):
    same(out, said, "the distances are those of NumPy, of features scaled to length 1")
    status, out, err = plot(csv, "two.png", "--perplexity", "5", "--classes", "truck,dog's")
    pair = [i for i in range(40) if labels[i] != NAMES[0]]
    two = distances(features[pair], [labels[i] for i in pair], ["truck", "dog's"])
    ok(out.startswith("30 images, 2 classes") and f"ratio {two[0] / two[1]:.4f}" in out, "--classes takes only these", (out, err))
else:
    skip("the distances are those of NumPy, of features scaled to length 1", "no gnuplot")
    skip("--classes takes only these", "no gnuplot")

# ---- the picture ----

if drawn:
    from PIL import Image

    def pixels(name):
        """How many are of the first, second and third colour, or nearly: points have soft edges. And the size."""
        with Image.open(os.path.join(tmp, name)) as picture:
            rgb, size = np.asarray(picture.convert("RGB")).astype(int), picture.size
        return [int((np.abs(rgb - colour).max(2) < 60).sum()) for colour in ((31, 119, 180), (255, 127, 14), (44, 160, 44))], size

    plot(csv, "all.png", "--perplexity", "5")
    three, size = pixels("all.png")
    two, _ = pixels("two.png")
    ok(min(three) > 50 and three[2] > max(three[:2]) and size == (1060, 900), "a class is a colour", (three, size))
    ok(min(two[:2]) > 50 and two[0] > two[1] and two[2] < 30, "of --classes the first is the first colour", two)
    plot(csv, "again.png", "--perplexity", "5")
    plot(csv, "other.png", "--perplexity", "5", "--seed", "2", "--max", "20")
    plot(csv, "first.png", "--perplexity", "5", "--max", "20")
    pictures = [open(os.path.join(tmp, f"{name}.png"), "rb").read() for name in ("all", "again", "first", "other")]
    ok(pictures[0] == pictures[1] and pictures[2] != pictures[3], "the same seed draws the same picture, and another one another")
    few, _ = pixels("other.png")
    ok(0 < sum(few) < .8 * sum(three), "--max draws fewer points", (few, three))
    status, out, err = plot(csv, "x.png", "--perplexity", "5", "--max", "20")
    ok(out == said, "and the distances stay those of all", (out, err))
else:
    for name in ("a class is a colour", "of --classes the first is the first colour",
                 "the same seed draws the same picture, and another one another", "--max draws fewer points",
                 "and the distances stay those of all"):
        skip(name, "no scikit-learn (python3-sklearn) or no gnuplot (gnuplot-nox)")

# ---- what is refused: one line, status 1, no picture ----


def refused(name, want, *arguments, **environment):
    status, out, err = plot(*arguments, **environment)
    left = [f for f in os.listdir(tmp) if f.startswith(".") or f == "no.png"]
    ok(status == 1 and err.count("\n") == 1 and want in err and err.startswith("plot-tsne: ") and not left, name,
       (status, out, err, left))


os.mkdir(os.path.join(tmp, "without"))
os.mkdir(os.path.join(tmp, "without", "sklearn"))
put("raise ImportError('not here')\n", "without/sklearn/__init__.py")
if shutil.which("gnuplot"):
    refused("without scikit-learn the line names its package", "needs scikit-learn (not here): apt-get install python3-sklearn",
            csv, "no.png", PYTHONPATH=os.path.join(tmp, "without"), PYTHONDONTWRITEBYTECODE="1")
    if drawn:
        refused("a perplexity of as many images as there are", "--perplexity 40: must be below the number of images drawn, 40",
                csv, "no.png", "--perplexity", "40")
        refused("a picture in no folder", "nowhere", csv, "nowhere/no.png", "--perplexity", "5")
    refused("a file that is missing", "nowhere.csv: No such file or directory", "nowhere.csv", "no.png")
    refused("another file", "other.csv: not what darknet classifier metrics -features writes",
            put("path,label,a\n", "other.csv"), "no.png")
    refused("an empty file", "not what darknet classifier metrics -features writes", put("", "empty.csv"), "no.png")
    refused("a row that is too short", "short.csv:3: 7 columns, where the first line has 8",
            put("\n".join([HEAD, rows[0], rows[1].rpartition(",")[0]]) + "\n", "short.csv"), "no.png")
    refused("what is no number", "word.csv:2: could not convert string to float: 'x'",
            put(f"{HEAD}\n0.png,a,a,1,2,3,4,x\n", "word.csv"), "no.png")
    refused("what is not finite", "nan.csv: a feature is not finite", put(f"{HEAD}\n0.png,a,a,1,2,3,4,nan\n", "nan.csv"), "no.png")
    refused("a single class", "one.csv: two classes or more are needed, and here are 1",
            put(f"{HEAD}\n0.png,a,a,1,2,3,4,5\n", "one.csv"), "no.png")
    refused("no image", "none.csv: two classes or more are needed, and here are 0", put(HEAD + "\n", "none.csv"), "no.png")
    refused("a class that is not there", "--classes cow: no image in f.csv has this label", csv, "no.png", "--classes", "truck,cow")
    refused("a class twice", "--classes truck,truck: a class is there twice", csv, "no.png", "--classes", "truck,truck")
    refused("a perplexity of 0", "argument --perplexity: '0' is not a number above 0", csv, "no.png", "--perplexity", "0")
    refused("a single image", "argument --max: '1' is not a whole number from 2", csv, "no.png", "--max", "1")
refused("without gnuplot the line names its package", "needs gnuplot: apt-get install gnuplot-nox", csv, "no.png", PATH="/nowhere")

status, out, err = plot("--help")
ok(status == 0 and re.search(r"--perplexity.*--seed.*--max.*--classes", out, re.S) and "python3-sklearn" in out,
   "--help explains every option, and says what is needed", (out, err))

finish()
