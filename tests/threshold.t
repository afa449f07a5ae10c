#!/usr/bin/python3
"""The threshold of X_best.json beside X_best.weights, which detector test, detector map and ols deploy take by themselves,
and what detector test says where no box is above its threshold. The networks here have no weights but their biases, so
that every box has a score that is known. tests/detector-train.t: how a training writes the file; tests/deploy.t: OpenCV."""

import atexit
import json
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))

tmp = os.path.realpath(tempfile.mkdtemp(prefix="threshold."))
atexit.register(shutil.rmtree, tmp)


def path(name):
    return os.path.join(tmp, name)


def put(name, content):
    with open(path(name), "w") as file:
        file.write(content)
    return name


def text(name):
    with open(path(name)) as file:
        return file.read()


def run(*arguments):
    """(status, stdout, what the program says on stderr by itself, in a line each)"""
    done = subprocess.run([DARKNET, "-nogpu", *arguments], cwd=tmp, capture_output=True, text=True)
    return done.returncode, done.stdout, [line for line in re.split("[\n]|Done!", done.stderr) if "darknet: " in line]


# A head of two classes with one anchor on 2 x 2 cells. Biases: x, y, w, h, objectness, two classes.
os.mkdir(path("images"))
os.mkdir(path("labels"))
Image.new("RGB", (64, 64), (90, 120, 30)).save(path("images/a.png"))
put("labels/a.txt", "0 .25 .25 .5 .5\n")
put("list", "images/a.png\n")
put("names", "dog\ncat\n")
put("data", "classes=2\nvalid=list\nnames=names\n")
NET = "[net]\nbatch=1\nwidth=64\nheight=64\nchannels=3\n[convolutional]\nfilters=7\nsize=1\nstride=32\nactivation=linear\n"
put("net.cfg", NET + "[yolo]\nmask=0\nanchors=32,32\nclasses=2\nnum=1\n")
put("region.cfg", NET + "[region]\nanchors=1,1\nclasses=2\ncoords=4\nnum=1\nsoftmax=1\nthresh=.6\n")


def logit(p):
    return math.log(p / (1 - p))


def weights(name, dog, cat=.001, objectness=None):
    """Weights of the network in which every box has these scores."""
    objectness = 1e9 if objectness is None else logit(objectness)  # 1e9: it is 1
    with open(path(name), "wb") as file:
        file.write(struct.pack("<iiiq7f21f", 0, 2, 0, 0, 0, 0, 0, 0, objectness, logit(dog), logit(cat), *[0] * 21))


def record(name, threshold, of, **more):
    """The file of a training, about the weights `of`."""
    with open(path(of), "rb") as file:
        crc = zlib.crc32(file.read()[:-8])
    put(name, json.dumps({"weights_crc32": crc, "iteration": 7, "map": .5, "threshold": threshold, **more}))


def test(name, *more):
    """What detector test prints of boxes, and what it says."""
    status, out, said = run("detector", "test", "data", "net.cfg", name, "images/a.png", "-out", "found", *more)
    return status, [line for line in out.splitlines() if re.match("(dog|cat): ", line)], said


# ---- no box above the threshold ----

NOTE = "darknet: note: "
for dog, cat, more, want in (
        (.21, .1, (), "no box above .50; the highest score is .21 (dog): try -thresh .1"),
        (.1, .213, (), "no box above .50; the highest score is .21 (cat): try -thresh .1"),
        (.21, .1, ("-thresh", ".3"), "no box above .30; the highest score is .21 (dog): try -thresh .1"),
        (.21, .1, ("-thresh", ".625"), "no box above .625; the highest score is .21 (dog): try -thresh .1"),
        (.9, .1, ("-thresh", ".95"), "no box above .95; the highest score is .90 (dog): try -thresh .4"),
        (.499, .1, (), "no box above .50; the highest score is .499 (dog): try -thresh .2"),
        (.0213, .001, (), "no box above .50; the highest score is .021 (dog): try -thresh .01"),
        (.0012, .001, (), "no box above .50; the highest score is .0012 (dog): try -thresh .0006"),
        (.4, .1, ("-thresh", "1"), "no box above 1.00; the highest score is .40 (dog): try -thresh .2")):
    weights("net.weights", dog, cat)
    status, boxes, said = test("net.weights", *more)
    ok((status, boxes, said) == (0, [], [NOTE + want]) and os.path.exists(path("found.jpg")),
       f"scores of {dog} and {cat}, {' '.join(more) or 'no -thresh'}: one line with the highest and a threshold to try",
       (status, boxes, said))
    if want.endswith(" .1"):
        status, boxes, said = test("net.weights", "-thresh", ".1")
        ok(boxes and not said, "which shows boxes, and then nothing is said", (boxes, said))
weights("net.weights", .7)
status, boxes, said = test("net.weights")
same((status, len(boxes), said), (0, 4, []), "where boxes are found nothing is said")
run("detector", "test", "data", "net.cfg", "net.weights", "images/a.png", "-out", "found.png")
with Image.open(path("found.png")) as picture:
    outline = picture.convert("RGB").getpixel((63, 56))  # the right side of the lower box, where no name is
ok(outline != (90, 120, 30), "boxes are drawn in an image of 64 pixels, too", outline)
for objectness in 1e-8, 1e-40:
    weights("net.weights", .9, objectness=objectness)
    same(test("net.weights")[1:], ([], [NOTE + "no box above .50, nor any of a score worth showing"]),
         f"nor is a score of {objectness} recommended")
with open(path("infinite.weights"), "wb") as file:  # the width, so that no score is touched
    file.write(struct.pack("<iiiq7f21f", 0, 2, 0, 0, 0, 0, float("inf"), 0, logit(.1), 0, 0, *[0] * 21))
same(test("infinite.weights")[1:],
     ([], [NOTE + "no box: the output is not finite: weights that are untrained or have diverged"]),
     "an output that is not finite is said to be so")

# ---- a [region] ----

for objectness, want in (.9, []), (.3, [NOTE + "no box above .50; the highest score is .30 (dog): try -thresh .1"]):
    weights("net.weights", 1 - 1e-6, 1e-6, objectness)
    status, out, said = run("detector", "test", "data", "region.cfg", "net.weights", "images/a.png", "-out", "found")
    same((status, out.count("dog: 90%"), said), (0, 0 if want else 4, want), f"the same of a [region], with an objectness of {objectness}")

# ---- more classes than names ----

put("one", "dog\n")
put("one.data", "classes=2\nnames=one\n")
status, out, said = run("detector", "test", "one.data", "net.cfg", "net.weights", "images/a.png", "-out", "few")
ok(status == 1 and said == ["darknet: 2 classes, but 1 names in one: every class needs one"] and "Predicted" not in out and
   not os.path.exists(path("few.jpg")), "fewer names than classes are refused before anything is detected", (status, out, said))

# ---- the threshold of the file ----

weights("x_best.weights", .21)
status, boxes, said = test("x_best.weights")
same((len(boxes), len(said)), (0, 1), "without a file the threshold is .5")


def thresholds(name="x_best.weights", *more):
    """The threshold that detector map uses, and what it says."""
    status, out, said = run("detector", "map", "data", "net.cfg", name, *more)
    found = re.search("for conf_thresh = ([0-9.]+),", out)
    return status, found and found[1], said


same(thresholds(), (0, "0.25", []), "and that of detector map .25")
record("x_best.json", .125, "x_best.weights")
USED = NOTE + "threshold .125, the best F1 of x_best.json"
status, boxes, said = test("x_best.weights")
same((status, len(boxes), said), (0, 4, [USED]), "detector test uses that of X_best.json and says so in a line")
same(thresholds(), (0, "0.125", [USED]), "and so does detector map")
same((len(test("x_best.weights", "-thresh", ".3")[1]), test("x_best.weights", "-thresh", ".2")[1:]),
     (0, (["dog: 21%"] * 4, [])), "-thresh of detector test overrides it, without a word")
same(thresholds("x_best.weights", "-thresh", ".3"), (0, "0.30", []), "and that of detector map")
shutil.copy(path("x_best.weights"), path("x_final.weights"))
shutil.copy(path("x_best.json"), path("x_final.json"))
same(thresholds("x_final.weights"), (0, "0.25", []), "weights of other names have no such file")
for ending in "weights", "json":
    shutil.copy(path(f"x_best.{ending}"), path(f"x_best.old.{ending}"))
same(thresholds("x_best.old.weights")[1], "0.125", "but those that a later training has set aside")

# ---- a file that is not right: a line, and the default, as without it ----

whole = text("x_best.json")
for content, why, name in (
        (whole[:-9], "x_best.json:1:69: the file ends where", "cut off"),
        ("", "x_best.json:1:1: the file ends where '{' should be", "empty"),
        ("[1, 2]", "x_best.json:1:1: '[' where '{' should be", "another JSON"),
        ('{"a": 1}', 'it has no "weights_crc32" and "threshold"', "of another kind"),
        (whole.replace("0.125", '"low"'), "where a number should be", "a word for the threshold"),
        (whole.replace("0.125", "7"), "it is not from .005 to 1", "out of range"),
        (whole.replace("0.125", "0.001"), "it is not from .005 to 1", "too low"),
        (whole.replace("0.125", "null"), "no box was right when it was written", "without a threshold"),
        (whole.replace("crc32\": ", "crc32\": 1"), "it belongs to other weights", "of other weights")):
    put("x_best.json", content)
    status, used, said = thresholds()
    ok((status, used) == (0, "0.25") and len(said) == 1 and why in said[0] and 
       said[0].startswith(NOTE + "the threshold of x_best.json is not used: "), f"{name}: a line says why, and the default is used",
       (status, used, said))
    status, boxes, said = test("x_best.weights")
    ok(status == 0 and not boxes and len(said) == 2 and why in said[0], "in detector test too", (status, boxes, said))
put("x_best.json", whole)
weights("x_best.weights", .22)
ok("it belongs to other weights" in thresholds()[2][0], "weights that are replaced have lost their threshold")
weights("x_best.weights", .21)
same(thresholds()[1], "0.125", "and have it again when they are put back")

# ---- ols deploy ----


def deploy(cfg, name="x_best.weights"):
    """What deploy prints and says, and the thresh= lines of its cfg."""
    status, out, said = run("ols", "deploy", cfg, "out.cfg", name, "out.weights")
    return status, out, said, [line for line in text("out.cfg").splitlines() if line.startswith("thresh")]


status, out, said, lines = deploy("net.cfg")
ok(status == 0 and said == [USED] and lines == ["thresh=0.125"] and "\nthresh=0.125 in its heads: " in out,
   "ols deploy writes thresh= into a [yolo] and says so", (status, out, said, lines))
status, out, said, lines = deploy("net.cfg", "x_final.weights")
ok(status == 0 and not said and not lines and "thresh" not in out, "and nothing where there is no such file",
   (status, out, said, lines))
status, out, said, lines = deploy("region.cfg")
same((status, lines), (0, ["thresh=0.125"]), "in a [region] it takes the place of the training's thresh=")
put("own.cfg", text("net.cfg") + "thresh=.3\n")
status, out, said, lines = deploy("own.cfg")
same((status, lines, said), (0, ["thresh=.3"], [USED, NOTE + "the heads keep their own thresh="]),
     "a thresh= that stands in a [yolo] stays")
put("v1.cfg", NET.split("[conv")[0] + "[connected]\noutput=28\nactivation=linear\n"
    "[detection]\nclasses=2\ncoords=4\nside=2\nnum=1\nsoftmax=0\nsqrt=1\nrescore=1\n")
with open(path("v1_best.weights"), "wb") as file:
    file.write(struct.pack("<iiiq", 0, 2, 0, 0) + struct.pack("<28f", *[.5] * 28) + bytes(4 * 28 * 64 * 64 * 3))
record("v1_best.json", .2, "v1_best.weights")
status, out, said, lines = deploy("v1.cfg", "v1_best.weights")
ok((status, lines, said[:1]) == (0, [], [NOTE + "threshold .20, the best F1 of v1_best.json"]) and "thresh=" not in out + "".join(said),
   "a [detection] has none, and nothing is said of heads that keep theirs", (status, out, said, lines))
put("x_best.json", "")
status, out, said, lines = deploy("net.cfg")
ok(status == 0 and not lines and len(said) == 1 and "the file ends" in said[0],
   "a damaged file is named, and the network is deployed without it", (status, out, said, lines))

finish()
