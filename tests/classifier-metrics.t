#!/usr/bin/python3
"""darknet classifier metrics: the NumPy reference on trained networks, several weights, mirrored images, people's votes,
comparisons, what is written, what is refused. What the numbers mean: src/eval/classification_metrics.h."""

import atexit
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib

import numpy as np
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same, skip  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("OLS_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data")
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))
sys.path.insert(0, os.path.join(ROOT, "tests", "reference"))
import classification_metrics as reference  # noqa: E402

tmp = os.path.realpath(tempfile.mkdtemp(prefix="metrics."))
atexit.register(shutil.rmtree, tmp)
os.environ.setdefault("OMP_NUM_THREADS", "1")
CLASSES = "circle ellipse square rectangle diamond triangle pentagon hexagon star cross".split()


def darknet(*arguments):
    """(status, stdout, stderr)"""
    done = subprocess.run([DARKNET, "classifier", *arguments, "-nogpu"], cwd=tmp, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def metrics(*arguments):
    return darknet("metrics", *arguments)


def numbers(*arguments):
    """The JSON of a run; None where it failed, with a remark."""
    status, out, err = metrics(*arguments, "-json", "-")
    if status:
        print(f"# {arguments}: {err.splitlines()[-1:]}")
    return json.loads(out) if not status else None


def put(content, *path):
    os.makedirs(os.path.dirname(os.path.join(tmp, *path)), exist_ok=True)
    with open(os.path.join(tmp, *path), "w") as file:
        file.write(content)
    return os.path.join(*path)


def text(*path):
    with open(os.path.join(tmp, *path)) as file:
        return file.read()


def table(*path):
    with open(os.path.join(tmp, *path), newline="") as file:
        return list(csv.reader(file))


def probabilities(*path):
    return reference.read_probabilities(os.path.join(tmp, *path))[3]


# ---- two small networks, trained for a moment ----

subprocess.run([os.path.join(ROOT, "scripts", "make-shapes"), "classification", "shapes", "--train", "1000", "--test", "151",
                "--size", "24", "--seed", "3"], cwd=tmp, check=True, capture_output=True)
data = "shapes/shapes.data"
put(re.sub("top *=.*\n", "", text(data)), data)  # so that the default is tested
NET = """[net]
batch={batch}
subdivisions={subdivisions}
width=24
height=24
channels=3
min_crop=24
max_crop=24
learning_rate=.02
momentum=.9
decay=.0001
max_batches=500
policy=constant
[convolutional]
batch_normalize=1
filters=8
size=3
stride=1
pad=1
activation=relu
[maxpool]
size=2
stride=2
[convolutional]
batch_normalize=1
filters=16
size=3
stride=2
pad=1
activation=relu
[connected]
output={classes}
activation=linear
{end}
"""


def cfg(name, end="[ols]\nsmoothing=hard", batch=32, subdivisions=1, classes=10):
    return put(NET.format(end=end, batch=batch, subdivisions=subdivisions, classes=classes), name + ".cfg")


def train(name, seed, **more):
    """The weights that a cfg trains to"""
    os.makedirs(os.path.join(tmp, name), exist_ok=True)
    of_training = re.sub("backup *=.*", f"backup={name}", text(data))
    status, out, err = darknet("train", put(of_training, name + ".data"), cfg(name, **more), "-seed", str(seed))
    if status:
        print(f"# {err.splitlines()[-1:]}")
    return f"{name}/{name}.weights"


hard, ols = train("hard", 1), train("ols", 2, end="[ols]\nsmoothing=ols")
net = "hard.cfg"
assert os.path.exists(os.path.join(tmp, hard)) and os.path.exists(os.path.join(tmp, ols)), "the trainings have failed"

# ---- the numbers, against the reference ----


def largest_difference(mine, theirs):
    """Between numbers, in lists and dicts of the same form; those of the reference decide which are looked at."""
    if isinstance(theirs, dict):
        return max(largest_difference(mine[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list):
        return max([0. if len(mine) == len(theirs) else np.inf] + [largest_difference(a, b) for a, b in zip(mine, theirs)])
    return 0. if mine is None and theirs is None else np.inf if mine is None or theirs is None else abs(mine - theirs)


def compare(mine, theirs):
    """The largest difference of a model in the JSON, and that of its temperature, which floats limit"""
    theirs = dict(theirs)
    theirs.pop("confusion")
    heat = theirs.pop("temperature")
    model = dict(mine, bins=[[b["count"], b["confidence"], b["accuracy"]] for b in mine["bins"]])
    return largest_difference(model, theirs), largest_difference(mine["temperature"], heat)


for weights, more, options in (([hard], [], {}), ([ols], ["-bins", "7", "-top", "2", "-seed", "9"],
                                                  {"bins": 7, "top": 2, "seed": 9}),
                               ([hard, ols], ["-tta", "flip", "-bins", "1"], {"bins": 1})):
    result = numbers(data, net, *weights, *more, "-probabilities", "p.csv", "-confusion", "c.csv")
    theirs = reference.evaluate(os.path.join(tmp, "p.csv"), **options)
    differences = compare(result["models"][-1], theirs)
    what = f"of {len(weights)} weights, {' '.join(more) or 'by default'}"
    ok(differences[0] < 1e-8 and differences[1] < 1e-5 and .2 < theirs["top1"] < 1, f"the reference agrees: {what}",
       (differences, theirs["top1"]))
    rows = table("c.csv")
    ok(rows[0][1:] == [row[0] for row in rows[1:]] == CLASSES and
       [[int(n) for n in row[1:]] for row in rows[1:]] == theirs["confusion"], f"the confusion matrix as well: {what}", rows)
    same((result["names"], result["count"], len(result["models"])),
         (CLASSES, 151, 3 if len(weights) == 2 else 1), f"names, images and models: {what}")

# ---- running the network ----

of = {}  # of all weights by name: the models of the JSON
for name, weights in (("hard", [hard]), ("ols", [ols]), ("both", [hard, ols])):
    result = numbers(data, net, *weights, "-probabilities", name + ".csv")
    of[name] = result["models"]
p = {name: probabilities(name + ".csv") for name in of}
ok(np.abs((p["hard"] + p["ols"]) / 2 - p["both"]).max() < 1e-6, "an ensemble is the mean of the predicted distributions")
same([m["weights"] for m in of["both"]], [hard, ols, "ensemble of 2"], "each alone, and the ensemble last")
same(of["both"][:2], of["hard"] + of["ols"], "alone as without the other")

of_two = put(text(data) + "top=2\n", "two.data")
same([json.loads(metrics(of_two, net, hard, *more, "-json", "-")[1])["top"] for more in ([], ["-top", "3"])], [2, 3],
     "top= of the data file says which k, and -top another one")
status, out, err = darknet("valid", put(text(data) + "top=5\n", "valid.data"), net, hard)
last = re.findall(r"^150: top 1: ([0-9.]+), top 5: ([0-9.]+)", out, re.M)
ok(last and abs(float(last[0][0]) - of["hard"][0]["top1"]) < 1e-6 and abs(float(last[0][1]) - of["hard"][0]["top_k"]) < 1e-6,
   "top-1 and top-5 are those of classifier valid", (last, of["hard"][0]["top1"], of["hard"][0]["top_k"]))

for name, more in (("softmax", {"end": "[softmax]\ngroups=1\n[cost]\ntype=sse"}), ("single", {"batch": 1}),
                   ("divided", {"batch": 64, "subdivisions": 8})):
    result = numbers(data, cfg(name, **more), hard, "-probabilities", name + ".csv")
    ok(result and np.abs(probabilities(name + ".csv") - p["hard"]).max() < 1e-5,
       {"softmax": "[softmax] with a [cost] behind it gives the same as [ols]", "single": "batch=1 gives what batch=32 does",
        "divided": "and so does a batch that is divided"}[name])

# Images with the same pixels, plain and mirrored: PNG keeps them.
paths = text("shapes/test.list").split()
for folder, turned in (("plain", False), ("mirrored", True)):
    os.makedirs(os.path.join(tmp, folder))
    for path in paths:
        im = Image.open(os.path.join(tmp, path)).convert("RGB")
        im = im.transpose(Image.FLIP_LEFT_RIGHT) if turned else im
        im.save(os.path.join(tmp, folder, os.path.basename(path)[:-4] + ".png"))
    put("".join(f"{folder}/{os.path.basename(path)[:-4]}.png\n" for path in paths), folder + ".list")
    put(re.sub("valid *=.*", f"valid={folder}.list", text(data)), folder + ".data")
for name, which, more in (("a", "plain", []), ("b", "mirrored", []), ("c", "plain", ["-tta", "flip"])):
    numbers(which + ".data", net, hard, *more, "-probabilities", name + ".csv")
a, b, c = (probabilities(name + ".csv") for name in "abc")
ok(np.abs((a + b) / 2 - c).max() < 1e-6 and np.abs(a - b).max() > .01, "-tta flip is the mean over image and mirror image",
   (np.abs((a + b) / 2 - c).max(), np.abs(a - b).max()))

# 30 x 60 pixels: of them the middle 30 x 30.
rng = np.random.default_rng(1)
tall = rng.integers(0, 256, (60, 30, 3), np.uint8)
tall[:15] = tall[45:] = 0
other = tall.copy()
other[:15] = other[45:] = 255
for name, pixels in (("tall_star", tall), ("other_star", other), ("cut_star", tall[15:45])):
    Image.fromarray(pixels).save(os.path.join(tmp, name + ".png"))
put("tall_star.png\nother_star.png\ncut_star.png\n", "tall.list")
numbers(put(re.sub("valid *=.*", "valid=tall.list", text(data)), "tall.data"), net, hard, "-probabilities", "tall.csv")
rows = probabilities("tall.csv")
ok(np.array_equal(rows[0], rows[1]) and np.array_equal(rows[0], rows[2]), "of an image the square in the middle is seen", rows)

train_list = numbers(data, net, hard, "-list", "train")
same((train_list["count"], train_list["list"], train_list["images"]["paths"][0]), (1000, "train", text("shapes/train.list").split()[0]),
     "-list train takes the other list")
noisy = numbers(put(text(data) + "noise=.1\nnoise_seed=3\n", "noisy.data"), net, hard, "-list", "train")
same((noisy["images"]["labels"], noisy["models"][0]["top1"], noisy["models"][0]["noise"]["images"]),
     (train_list["images"]["labels"], train_list["models"][0]["top1"], 100),
     "with noise= the numbers are of the true labels, and what was changed is counted")
status, out, err = metrics("noisy.data", net, hard, "-list", "train")
counts = noisy["models"][0]["noise"]
ok(f"as the true class {counts['as_true']:.2f} %, as the label given {counts['as_given']:.2f} %" in out and
   counts["as_true"] > counts["as_given"], "and how these are predicted", (counts, out))

changed = [numbers("noisy.data", net, hard, "-list", "train", "-changed", n) for n in ("1000", "100", "30", "30")]
same([(r["count"], r["models"][0]["noise"]) for r in changed[:2]], [(100, counts)] * 2, "-changed sees only the changed images")
some = changed[2]["images"]["paths"]
ok(changed[2] == changed[3] and len(some) == changed[2]["models"][0]["noise"]["images"] == 30 and
   [p for p in changed[0]["images"]["paths"] if p in some] == some and some != changed[0]["images"]["paths"][:30],
   "-changed n draws n of them, the same again, in the order of the list")
ok(some != numbers("noisy.data", net, hard, "-list", "train", "-changed", "30", "-seed", "2")["images"]["paths"],
   "another seed draws others")

# ---- people ----

votes = rng.dirichlet(np.full(10, .3), 151)
rows = [[str(i), os.path.basename(path)] + [f"{v:.6f}" for v in votes[i][::-1]] for i, path in enumerate(paths)]
rows[3][1] = paths[3]  # a longer end of the path
head = ["index", "file"] + ["p_" + name for name in CLASSES[::-1]]
put("".join("\t".join(row) + "\n" for row in [head] + rows[:100]), "votes.tsv")
result = numbers(data, net, hard, "-human", "votes.tsv")
theirs = reference.evaluate(os.path.join(tmp, "hard.csv"), human_path=os.path.join(tmp, "votes.tsv"))["human"]
ok(largest_difference(result["models"][0]["human"], theirs) < 1e-6 and 20 < theirs["images"] < 100,
   "KL(human || model) agrees with the reference: of columns in any order, of correct images, where there are votes",
   (result["models"][0]["human"], theirs))
status, out, err = metrics(data, net, hard, "-human", "votes.tsv")
ok(f"{theirs['kl']:.4f}\n" in out and "Human votes for 100 of the images" in out, "the report has it", out)

# ---- comparing ----

status, report, err = metrics(data, net, hard, ols, "-json", "both.json", "-mistakes", "4")
same(json.loads(text("both.json"))["models"], of["both"], "-json <file> writes what -json - prints")
os.symlink("behind.json", os.path.join(tmp, "link.json"))
os.mkfifo(os.path.join(tmp, "pipe.json"))
reader = subprocess.Popen(["timeout", "60", "cat", "pipe.json"], cwd=tmp, stdout=subprocess.PIPE, text=True)
for name in ("/dev/null", "link.json", "pipe.json"):
    ok(not metrics(data, net, hard, ols, "-json", name)[0], f"-json {name}")
ok(not os.path.isfile("/dev/null") and os.path.islink(os.path.join(tmp, "link.json")), "a device stays a device, a link a link")
same([json.loads(content)["models"] for content in (text("behind.json"), reader.communicate()[0])], [of["both"]] * 2,
     "what a link points to, and the reader of a pipe, get the whole file")
status, out, err = metrics(data, net, hard, ols, "-json", "/dev/stdout")
ok(not status and out[:out.index("{")] == report[:out.index("{")] and json.loads(out[out.index("{"):out.rindex("}") + 1])["models"] ==
   of["both"], "-json /dev/stdout into a pipe is beside the report", (status, out[:300], err))
with open(os.path.join(tmp, "all.txt"), "w") as stdout:
    subprocess.run([DARKNET, "classifier", "metrics", data, net, hard, ols, "-json", "/dev/stdout", "-nogpu"], stdout=stdout,
                   stderr=subprocess.DEVNULL, cwd=tmp, check=False)
ok("top-1" in text("all.txt") and '"models"' in text("all.txt"), "and into a file", text("all.txt")[:300])
result = numbers(data, net, hard, "-compare", "both.json", "-seed", "5")
theirs = reference.evaluate(os.path.join(tmp, "hard.csv"), seed=5, other=of["both"][-1]["correct"])["compared"]
ok(largest_difference(result["models"][0]["compared"], theirs) < 1e-12 and theirs["low"] < theirs["high"],
   "-compare: difference and interval agree with the reference", (result["models"][0]["compared"], theirs))
difference = of["hard"][0]["top1"] - of["both"][-1]["top1"]
ok(abs(result["models"][0]["compared"]["difference"] - difference) < 1e-12, "the other model is the last one in the file",
   (result["models"][0]["compared"], difference))
status, out, err = metrics(data, net, hard, "-compare", "both.json", "-seed", "5")
ok(f"{100 * theirs['difference']:+.2f} points [{100 * theirs['low']:+.2f}, {100 * theirs['high']:+.2f}]" in out,
   "the report has it in points", out)

# ---- attacks ----

attacked = {}
for name, more in (("fgsm", ["fgsm", "-eps", "4"]), ("one", ["pgd", "-eps", "4", "-steps", "1", "-step_size", "4"]),
                   ("pgd", ["pgd", "-eps", "4", "-steps", "10", "-step_size", "1"]),
                   ("random", ["pgd", "-eps", "4", "-steps", "10", "-step_size", "1", "-random_start"]),
                   ("none", ["fgsm", "-eps", "0"])):
    result = numbers(data, net, hard, "-attack", *more)
    attacked[name] = result["models"][0]["attacked"]
same(attacked["fgsm"], attacked["one"], "-attack fgsm is one step of pgd")
ok(of["hard"][0]["top1"] > attacked["fgsm"]["top1"] >= attacked["pgd"]["top1"] and
   of["hard"][0]["nll"] < attacked["fgsm"]["nll"] < attacked["pgd"]["nll"], "an attack costs accuracy, and pgd more than fgsm",
   {name: (a["top1"], a["nll"]) for name, a in attacked.items()})
ok(abs(attacked["random"]["nll"] / attacked["pgd"]["nll"] - 1) < .05 and attacked["random"]["nll"] != attacked["pgd"]["nll"],
   "-random_start starts elsewhere", (attacked["random"]["nll"], attacked["pgd"]["nll"]))
ok(attacked["none"]["correct"] == of["hard"][0]["correct"] and abs(attacked["none"]["nll"] - of["hard"][0]["nll"]) < 1e-5 and
   all(abs(a["top1"] - np.mean(a["correct"])) < 1e-12 for a in attacked.values()),
   "with -eps 0 nothing changes", (attacked["none"]["nll"], of["hard"][0]["nll"]))
result = numbers(data, net, hard, ols, "-attack", "fgsm", "-eps", "4")
ok([m.pop("attacked", None) for m in result["models"]][::2] == [attacked["fgsm"], None] and result["models"] == of["both"] and
   result["attack"] == {"name": "fgsm", "eps": 4, "steps": 1, "step_size": 4, "random_start": 0},
   "each of several weights is attacked alone, and the other numbers stay", result["attack"])
status, out, err = metrics(data, net, hard, ols, "-attack", "pgd", "-eps", "4", "-steps", "10", "-step_size", "1")
ok(f"Under PGD, eps 4/255, 10 steps of 1/255:\n    top-1 {100 * attacked['pgd']['top1']:.2f} %, NLL {attacked['pgd']['nll']:.4f}  "
   f"{hard}\n" in out, "the report says so", out)

# ---- the report ----

ensemble = of["both"][-1]
line = next(line for line in report.splitlines() if line.startswith("ensemble of 2"))
same(line.split()[3:], [f"{100 * ensemble['top1']:.2f}", f"{100 * ensemble['top_k']:.2f}", f"{ensemble['nll']:.4f}",
                        f"{ensemble['brier']:.4f}", f"{100 * ensemble['ece']:.2f}", f"{100 * ensemble['classwise_ece']:.2f}"],
     "a line for each model")
heads = [row for row in report.splitlines() if row.startswith("weights ")]
ok(len({len(row) for row in report.splitlines() if row.startswith(("weights ", hard, ols, "ensemble of"))}) == 1 and heads,
   "in columns", report)
star = ensemble["classes"][8]
ok(re.search(rf"^star +{star['images']} +{100 * star['accuracy']:.2f} +{100 * star['precision']:.2f} +{100 * star['f1']:.2f}$",
             report, re.M), "a line for each class", report)
wrong = sorted((-c, i) for i, (c, right) in enumerate(zip(ensemble["confidence"], ensemble["correct"])) if not right)
listed = re.findall(r"^ +([0-9.]+) %  (\w+), labelled (\w+): (.*)$", report, re.M)
labels = json.loads(text("both.json"))["images"]["labels"]
same(listed, [(f"{-100 * c:.2f}", CLASSES[ensemble["predicted"][i]], CLASSES[labels[i]], paths[i]) for c, i in wrong[:4]],
     "-mistakes lists the most confident ones")
pairs = [(int(n), a, b) for n, a, b in re.findall(r"^ +(\d+) x (\w+) taken for (\w+)$", report, re.M)]
matrix = np.array(reference.evaluate(os.path.join(tmp, "both.csv"))["confusion"])
np.fill_diagonal(matrix, 0)
same((len(pairs), pairs[0][0], [n for n, _, _ in pairs], [int(matrix[CLASSES.index(a), CLASSES.index(b)]) for _, a, b in pairs]),
     (10, int(matrix.max()), sorted(matrix.ravel().tolist(), reverse=True)[:10], [n for n, _, _ in pairs]),
     "and the classes that are taken for each other most often")

# ---- features ----


def last_layer(path, inputs):
    """(biases, weights[classes][inputs]) of the last section of a weights file, which ends with them and soft labels"""
    before = 8 * 4 + 8 * 27 + 16 * 4 + 16 * 72
    with open(os.path.join(tmp, path), "rb") as file:
        values = np.frombuffer(file.read()[20:][:4 * (before + 10 + 10 * inputs)], np.float32)[before:].astype(np.float64)
    return values[:10], values[10:].reshape(10, inputs)


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def features(*path):
    return np.array([row[3:] for row in table(*path)[1:]], np.float32).astype(np.float64)


status, out, err = metrics(data, net, hard, "-features", "f.csv", "-probabilities", "p.csv")
rows, answers = table("f.csv"), json.loads(text("both.json"))
same((status, rows[0], [row[:3] for row in rows[1:]]),
     (0, ["path", "label", "predicted"] + [f"f{k}" for k in range(16 * 36)],
      [[path, CLASSES[label], CLASSES[k]] for path, label, k in zip(paths, answers["images"]["labels"], of["hard"][0]["predicted"])]),
     "-features writes a line for each image: path, names of label and prediction, numbers")
biases, matrix = last_layer(hard, 16 * 36)
ok(np.abs(softmax(features("f.csv") @ matrix.T + biases) - probabilities("p.csv")).max() < 1e-5 and
   np.abs(probabilities("p.csv") - p["hard"]).max() < 1e-5 and np.ptp(features("f.csv")) > .1,
   "they are the input of the last section: with its weights they give the probabilities",
   np.abs(softmax(features("f.csv") @ matrix.T + biases) - probabilities("p.csv")).max())
status, out, err = metrics(data, cfg("uneven", batch=7), hard, "-features", "uneven.csv", "-attack", "fgsm")
ok(status == 0 and np.abs(features("uneven.csv") - features("f.csv")).max() < 1e-4,
   "also with a last batch that is not full, and of the images before an attack", err[-300:])
POOLED = """[convolutional]
filters=10
size=1
stride=1
activation=linear
[avgpool]
"""
pooled = put(re.sub(r"\[connected\]\n.*\n.*\n", POOLED, NET.format(end="[ols]", batch=32, subdivisions=1, classes=10)), "pooled.cfg")
drawn = rng.normal(0, .3, 8 * 4 + 8 * 27 + 16 * 4 + 16 * 72 + 10 + 160).astype(np.float32)
drawn[24:32] = drawn[8 * 31 + 48:8 * 31 + 64] = 1
with open(os.path.join(tmp, "pooled.weights"), "wb") as file:
    file.write(np.array([0, 2, 0, 0, 0], np.int32).tobytes() + drawn.tobytes())
status, out, err = metrics(data, pooled, "pooled.weights", "-features", "pooled.csv", "-probabilities", "p.csv")
biases, matrix = last_layer("pooled.weights", 16)
ok(features("pooled.csv").shape == (151, 16) and
   np.abs(softmax(features("pooled.csv") @ matrix.T + biases) - probabilities("p.csv")).max() < 1e-5,
   "of a 1x1 convolution with an [avgpool] behind it they are the means of its input's channels", err[-300:])

# ---- the picture of the mistakes ----

status, out, err = metrics(data, net, hard, ols, "-mistakes", "12", "-sheet", "mistakes.png")
with Image.open(os.path.join(tmp, "mistakes.png")) as picture:
    sheet = np.asarray(picture.convert("RGB"))
same((status, sheet.shape), (0, (14 + 2 * 181, 14 + 10 * 142, 3)), "-sheet draws the mistakes, ten a row")
for k in (0, 1, 11):
    x, y = 14 + k % 10 * 142 + 4, 14 + k // 10 * 181 + 4  # 24 pixels become 120
    with Image.open(os.path.join(tmp, paths[wrong[k][1]])) as picture:
        want = np.asarray(picture.convert("RGB")).astype(int).repeat(5, 0).repeat(5, 1)
    # Pillow's JPEG decoder and stb_image's differ by a little.
    ok(np.abs(sheet[y:y + 120, x:x + 120] - want).mean() < 2 and (sheet[y + 124:y + 163, x - 4:x + 124] < 128).any(),
       f"mistake {k + 1} is where it should be, with text below", np.abs(sheet[y:y + 120, x:x + 120] - want).mean())
right = [f"{path}\t{k}" for path, k in zip(paths, of["hard"][0]["predicted"])]
put("\n".join(right[:9]) + "\n", "right.list")
put("classes=10\nnames=shapes/shapes.names\nvalid=right.list\ntruth=list\n", "right.data")
status, out, err = metrics("right.data", net, hard, "-mistakes", "12", "-sheet", "none.png")
ok(status == 0 and "darknet: note: no image for none.png, which is not written" in err and
   not os.path.exists(os.path.join(tmp, "none.png")), "without a mistake there is no picture, and a note says so", err[-200:])

if shutil.which("gnuplot"):
    status, out, err = metrics(data, net, hard, "-plot", "plot.png")
    with Image.open(os.path.join(tmp, "plot.png")) as picture:
        ok(status == 0 and picture.size == (1280, 680) and len(picture.convert("RGB").getcolors(1 << 20)) > 20,
           "-plot draws both pictures", (status, err, picture.size))
else:
    skip("-plot draws both pictures", "no gnuplot")

# 120 classes: the report lists the worst, and names that CSV has to quote are quoted.
many = ['a, "b"'] + [f"class{i:03}" for i in range(1, 120)]
put("".join(n + "\n" for n in many), "many.names")
put("".join(f"{path}\t{i % 119}\n" for i, path in enumerate(paths)), "many.list")
put("classes=120\nnames=many.names\nvalid=many.list\ntruth=list\n", "many.data")
wide = cfg("many", classes=120)
with open(os.path.join(tmp, "none.weights"), "wb") as file:
    file.write(np.array([0, 2, 0, 0, 0], np.int32).tobytes() + bytes(4))
parameters = 8 * 4 + 8 * 27 + 16 * 4 + 16 * 72 + 120 + 120 * 16 * 36
drawn = rng.normal(0, .05, parameters).astype(np.float32)
drawn[24:32] = drawn[8 * 31 + 48:8 * 31 + 64] = 1  # rolling variances
with open(os.path.join(tmp, "many.weights"), "wb") as file:
    file.write(np.array([0, 2, 0, 0, 0], np.int32).tobytes() + drawn.tobytes())
status, out, err = metrics("many.data", wide, "many.weights", "-confusion", "many.csv", "-probabilities", "many.p")
ok(status == 0 and "The 20 classes with the lowest accuracy; -json has all 120." in out and
   len(re.findall(r"^class\d+ ", out, re.M)) + out.count('\na, "b"') == 20 and "\nclass119 " not in out,
   "above 100 classes the report lists the worst 20 that have images", (err, out))
if shutil.which("gnuplot"):
    metrics("many.data", wide, "many.weights", "-plot", "many.png")
    with Image.open(os.path.join(tmp, "many.png")) as picture:
        same(picture.size, (1400, 1440), "and the picture has the reliability diagram alone")
else:
    skip("and the picture has the reliability diagram alone", "no gnuplot")
ok(status == 0 and table("many.csv")[0][1:] == table("many.p")[0][2:] == many, "names in a CSV are quoted where they must be")

# ---- what is refused: one line, status 1 ----


def refused(name, want, *arguments):
    status, out, err = metrics(*arguments)
    lines = [line for line in err.splitlines() if line.startswith("darknet: ")]
    left = [f for f in os.listdir(tmp) if f.endswith(".tmp")]
    ok(status == 1 and len(lines) == 1 and lines[0] == err.splitlines()[-1] and want in lines[0] and out == "" and not left,
       name, (status, out[:300], lines, err[-300:], left))


def votes_file(change):
    """votes.tsv with rows changed"""
    table_rows = [line.split("\t") for line in text("votes.tsv").splitlines()]
    change(table_rows)
    return put("".join("\t".join(row) + "\n" for row in table_rows), "bad.tsv")


refused("a cfg of another number of classes", "classes=10 in shapes/shapes.data, but 120 in many.cfg: must be the same",
        data, wide, "many.weights")
refused("a network that is no classifier", "does not end in [softmax] or [ols]: it is no classifier", data,
        cfg("bare", end=""), hard)
refused("groups", "a [softmax] with tree=, groups= or spatial= is not one distribution", data,
        cfg("groups", end="[softmax]\ngroups=2"), hard)
refused("-changed with the other list", "-changed needs -list train", "noisy.data", net, hard, "-changed", "5")
refused("-changed without noise", "no label of train= in", data, net, hard, "-list", "train", "-changed", "5")
refused("weights that are missing", "cannot read the weights nowhere: No such file", data, net, hard, "nowhere")
refused("a cfg that is missing", "cannot read the cfg nowhere: No such file", data, "nowhere", hard)
refused("a data file that is missing", "nowhere", "nowhere", net, hard)
refused("weights that are cut off", "none.weights", data, net, "none.weights")
with open(os.path.join(tmp, hard), "rb") as file:
    content = bytearray(file.read())
content[20:24] = np.float32(np.nan).tobytes()
content[-8:-4] = zlib.crc32(content[:-8]).to_bytes(4, "little")  # of the whole file: src/train/trailer.h
with open(os.path.join(tmp, "nan.weights"), "wb") as file:
    file.write(content)
refused("weights that have diverged", "the output is not finite: weights that are untrained or have diverged", data, net, "nan.weights")
put("x", "bad_star.jpg")
put(paths[0] + "\nbad_star.jpg\n", "bad.list")
refused("an image that is none", "bad_star.jpg: not an image that can be decoded",
        put(re.sub("valid *=.*", "valid=bad.list", text(data)), "bad.data"), net, hard)
Image.new("RGB", (1, 9)).save(os.path.join(tmp, "thin_star.png"))
put("thin_star.png\n", "bad.list")
refused("an image a pixel wide", "thin_star.png: must be 2x2 pixels at least", "bad.data", net, hard)
put("1.jpg\n", "bad.list")
refused("an image without a class", "1.jpg", "bad.data", net, hard)
put("circle\n", "short.names")
refused("fewer names than classes", "short.names", put("classes=10\nnames=short.names\nvalid=shapes/test.list\n", "short.data"),
        net, hard)

refused("votes without a column for a class", "bad.tsv has no column p_star", data, net, hard, "-human",
        votes_file(lambda rows: rows[0].__setitem__(rows[0].index("p_star"), "star")))
refused("votes without files", "bad.tsv has no column file", data, net, hard, "-human",
        votes_file(lambda rows: rows[0].__setitem__(1, "path")))
refused("votes that are no number", "bad.tsv:3: x is not valid: must be a number from 0 to 1", data, net, hard, "-human",
        votes_file(lambda rows: rows[2].__setitem__(5, "x")))
refused("votes that do not sum to 1", "bad.tsv:2: the classes sum to", data, net, hard, "-human",
        votes_file(lambda rows: rows[1].__setitem__(5, "1")))
refused("votes with a column too few", "bad.tsv:4: must have 12 columns", data, net, hard, "-human",
        votes_file(lambda rows: rows[3].pop()))
refused("votes for a file twice", f"{os.path.basename(paths[0])} is there twice", data, net, hard, "-human",
        votes_file(lambda rows: rows.append(rows[1])))
refused("votes for other images", "bad.tsv has no row for any image of the list", data, net, hard, "-human",
        votes_file(lambda rows: [row.__setitem__(1, "x" + row[1]) for row in rows[1:]]))

refused("a comparison over other images", f"image 1 is {paths[0]}, and here plain/", "plain.data", net, hard, "-compare", "both.json")
put("".join(f"{path}\t0\n" for path in paths), "zeros.list")
put("classes=10\nnames=shapes/shapes.names\nvalid=zeros.list\ntruth=list\n", "zeros.data")
refused("a comparison with other labels", "and here 0: must be the same", "zeros.data", net, hard, "-compare", "both.json")
put("\n".join(paths[:-1]) + "\n", "fewer.list")
put(re.sub("valid *=.*", "valid=fewer.list", text(data)), "fewer.data")
refused("a comparison with more images", "more than 150 images", "fewer.data", net, hard, "-compare", "both.json")
metrics("fewer.data", net, hard, "-json", "fewer.json")
refused("and with fewer", "fewer.json is no result of classifier metrics -json over these 151 images", data, net, hard, "-compare", "fewer.json")
refused("a comparison with something else", "is no result of classifier metrics", data, net, hard, "-compare", put("{}", "empty.json"))
refused("or with what is no JSON", "bad.json:1:1: 'x' where '{' should be", data, net, hard, "-compare", put("x", "bad.json"))
refused("or with nothing", "cannot read the result nowhere: No such file", data, net, hard, "-compare", "nowhere")

for arguments, want in (((data, net), "needs <data> <cfg> <weights> (see darknet classifier metrics --help)"),
                        ((data, net, hard, "-list", "test"), "-list test is not valid: must be valid or train"),
                        ((data, net, hard, "-tta", "ten"), "-tta ten is not valid: must be flip"),
                        ((data, net, hard, "-top", "11"), "-top 11: must be 10 at most, the number of classes"),
                        ((data, net, hard, "-top", "0"), "-top 0 is not valid: must be a whole number from 1"),
                        ((data, net, hard, "-bins", "0"), "-bins 0 is not valid: must be a whole number from 1 to 1000"),
                        ((data, net, hard, "-mistakes", "x"), "-mistakes x is not valid"),
                        ((data, net, hard, "-attack", "cw"), "-attack cw is not valid: must be fgsm or pgd"),
                        ((data, net, hard, "-eps", "8"), "-eps needs -attack"),
                        ((data, net, hard, "-attack", "fgsm", "-steps", "8"), "-steps needs -attack pgd"),
                        ((data, net, hard, "-attack", "fgsm", "-random_start"), "-random_start needs -attack pgd"),
                        ((data, net, hard, "-attack", "fgsm", "-tta", "flip"), "-attack and -tta exclude each other"),
                        ((data, net, hard, "-attack", "fgsm", "-eps", "256"), "-eps 256 is not valid: must be a number from 0 to 255"),
                        ((data, net, hard, "-sheet", "x.png"), "-sheet needs -mistakes"),
                        ((data, net, hard, "-sheet", "x.png", "-mistakes", "1001"),
                         "-sheet draws 1000 images at most, and -mistakes is 1001"),
                        ((data, net, hard, ols, "-features", "x.csv"), "-features is of one weights file, and these are 2"),
                        ((data, net, hard, "-features", "x.csv", "-tta", "flip"), "-features and -tta exclude each other"),
                        ((data, net, hard, "-bin", "5"), "unknown option -bin")):
    refused(" ".join(arguments), want, *arguments)
put("[net]\nbatch=8\nwidth=24\nheight=24\nchannels=3\n[connected]\noutput=10\nactivation=linear\n[ols]\n", "linear.cfg")
with open(os.path.join(tmp, "linear.weights"), "wb") as file:
    file.write(np.array([0, 2, 0, 0, 0], np.int32).tobytes() + bytes(4 * (10 + 10 * 3 * 24 * 24)))
refused("features of a network whose first section is its last with weights",
        "linear.cfg has no features: no section comes before its last [connected] or [convolutional]", data, "linear.cfg",
        "linear.weights", "-features", "x.csv")
for option in ("-json", "-confusion", "-probabilities", "-plot", "-features", "-sheet"):
    status, out, err = metrics(data, net, hard, "-mistakes", "3", option, "nowhere/x")
    ok(status == 1 and err == f"darknet: classifier metrics: {option}: cannot write nowhere/x: No such file or directory\n",
       f"a place where {option} cannot write is said before the network is loaded", err)
status, out, err = metrics("--help")
done = subprocess.run([DARKNET, "classifier", "metrics"], capture_output=True, text=True)
ok(status == 0 and done.returncode == 1 and out == done.stderr and
   all(f" {o} " in out for o in ("-list", "-tta", "-top", "-bins", "-seed", "-mistakes", "-human", "-compare", "-json",
                                 "-confusion", "-plot", "-probabilities", "-features", "-sheet", "-attack", "-eps", "-steps", "-step_size",
                                 "-random_start")),
   "--help explains every option, and so does the command without arguments", (status, out, done.stderr))

# ---- CIFAR-10H, with the images that it is about ----

archive, table_of_votes = os.path.join(DATA, "cifar10-jpeg.tar.gz"), os.path.join(DATA, "cifar10h.tsv")
if not os.path.exists(archive) or not os.path.exists(table_of_votes):
    skip("CIFAR-10H", f"no {archive} and {table_of_votes}")
else:
    with tarfile.open(archive) as tar:
        members = [m for m in tar.getmembers() if re.fullmatch(r"(\./)?(.*/)?test/\w+/000\d\.jpg", m.name)]
        tar.extractall(os.path.join(tmp, "cifar"), members)
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    files = sorted(os.path.join("cifar", m.name) for m in members)
    put("".join(n + "\n" for n in names), "cifar.names")
    put("".join(f + "\n" for f in files), "cifar.list")
    put("classes=10\nnames=cifar.names\nvalid=cifar.list\ntruth=folder\n", "cifar.data")
    result = numbers("cifar.data", net, hard, "-human", os.path.realpath(table_of_votes), "-probabilities", "cifar.csv")
    theirs = reference.evaluate(os.path.join(tmp, "cifar.csv"), human_path=table_of_votes)
    ok(result and len(files) == 100 and largest_difference(result["models"][0]["human"], theirs["human"]) < 1e-6 and
       theirs["human"]["images"] == sum(theirs["correct"]) > 0, "CIFAR-10H's table has a row for every image, and agrees",
       (len(files), theirs["human"]))

finish()
