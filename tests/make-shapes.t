#!/usr/bin/python3
"""scripts/make-shapes: the same images from the same seed, labels that Darknet reads correctly, boxes that fit."""

import atexit
import hashlib
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import numpy as np
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCRIPT = os.path.join(ROOT, "scripts", "make-shapes")
CLASSES = "circle ellipse square rectangle diamond triangle pentagon hexagon star cross".split()


def make(mode, out, train=20, test=10, size=48, seed=7, *more, cwd=None):
    """(status, stdout, stderr) of make-shapes"""
    done = subprocess.run([SCRIPT, mode, out, "--train", str(train), "--test", str(test), "--size", str(size),
                           "--seed", str(seed), *more], cwd=cwd, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def lines(*path):
    with open(os.path.join(*path)) as file:
        return file.read().splitlines()


def contents(folder):
    """{path below folder: hash}"""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(at, name), "rb") as file:
                found[os.path.join(at, name)[len(folder) + 1:]] = hashlib.sha256(file.read()).hexdigest()
    return found


def refused(name, want, *args):
    status, out, err = make(*args)
    ok(status == 1 and out == "" and err.count("\n") == 1 and want in err and not os.path.exists(args[1]), name,
       (status, out, err))


tmp = tempfile.mkdtemp(prefix="shapes.")
while "raw" in os.path.basename(tmp):  # the one word Darknet replaces that chance may put there
    os.rmdir(tmp)
    tmp = tempfile.mkdtemp(prefix="shapes.")
atexit.register(shutil.rmtree, tmp)

# ---- the same seed, the same bytes ----
for mode in ("classification", "detection"):
    for run in "ab":
        os.makedirs(f"{tmp}/{run}", exist_ok=True)
        status, out, err = make(mode, mode, cwd=f"{tmp}/{run}", *(20, 10, 48, 7))
        same((status, err), (0, ""), f"{mode}: made without a word on stderr")
    one, two = contents(f"{tmp}/a/{mode}"), contents(f"{tmp}/b/{mode}")
    ok(one == two and len(one) > 30, f"{mode}: the same seed gives byte-identical files")
    make(mode, f"{tmp}/other/{mode}", 20, 10, 48, 8)
    images = {k: v for k, v in one.items() if k.endswith(".jpg")}
    ok(not set(images.values()) & set(contents(f"{tmp}/other/{mode}").values()), f"{mode}: another seed gives other images")
    same(len(set(images.values())), 30, f"{mode}: no two images are the same, in train and test together")
    run = make(mode, f"{tmp}/more/{mode}", 23, 13, 48, 7)
    more = contents(f"{tmp}/more/{mode}")
    ok(all(more.get(k) == v for k, v in images.items()), f"{mode}: a larger set begins with the smaller one",
       (run, [k for k, v in images.items() if more.get(k) != v]))
    same([k for k in one if ".part" in k], [], f"{mode}: no partial files are left")

# ---- classification ----
out = f"{tmp}/set"
make("classification", out, 30, 20, 32, 1)
train, labels = lines(out, "train.list"), lines(out, "labels.txt")
same((len(train), len(lines(out, "test.list"))), (30, 20), "lists are as long as asked for")
same(lines(out, "shapes.names"), CLASSES, "shapes.names")
found = [[CLASSES[i] for i, label in enumerate(labels) if label in path] for path in train]
same(found, [[os.path.basename(path)[6:-4]] for path in train], "each path holds exactly one label, that of its name")
same([sorted(c[0] for c in found[i:i + 10]) for i in (0, 10, 20)], [sorted(CLASSES)] * 3, "every ten images hold every class")
same({Image.open(path).size + (Image.open(path).mode,) for path in train}, {(32, 32, "RGB")}, "images are as large as asked for")
same(lines(out, "shapes.data"), ["classes = 10"] + [f"{key} = {out}/{name}" for key, name in (
     ("train", "train.list"), ("valid", "test.list"), ("labels", "labels.txt"), ("names", "shapes.names"),
     ("backup", "backup"))] + ["top = 2"], "shapes.data")
ok(os.path.isdir(f"{out}/backup"), "the backup folder is made")
same((lines(tmp, "a/classification/train.list")[0][:21], lines(tmp, "a/classification/shapes.data")[1]),
     ("classification/train/", "train = classification/train.list"), "paths are as OUT was given")

# ---- detection ----
out = f"{tmp}/boxes"
make("detection", out, 60, 10, 96, 3, "--max-objects", "6")
voc = f"{out}/VOCdevkit/SHAPES"
same(lines(out, "train.list"), [f"{voc}/JPEGImages/train{i:05d}.jpg" for i in range(60)], "train.list")
same(lines(voc, "ImageSets/Main/test.txt"), [f"test{i:05d}" for i in range(10)], "ImageSets/Main/test.txt")
same(lines(out, "shapes.data"), ["classes = 10"] + [f"{key} = {out}/{name}" for key, name in (
     ("train", "train.list"), ("valid", "test.list"), ("names", "shapes.names"), ("backup", "backup"))], "shapes.data")
most, marked, seen, sound, agree = 0, 0, set(), True, True
for path in lines(out, "train.list") + lines(out, "test.list"):
    name = os.path.basename(path)[:-4]
    root = ElementTree.parse(f"{voc}/Annotations/{name}.xml").getroot()
    sound &= (root.findtext("filename"), root.findtext("size/width"), root.findtext("size/height")) == (name + ".jpg", "96", "96")
    want = {"0": [], "1": []}
    for obj in root.findall("object"):
        x0, y0, x1, y1 = (int(obj.findtext("bndbox/" + k)) for k in ("xmin", "ymin", "xmax", "ymax"))
        sound &= 1 <= x0 < x1 <= 96 and 1 <= y0 < y1 <= 96
        seen.add(obj.findtext("name"))
        want[obj.findtext("difficult")].append("%d %.6f %.6f %.6f %.6f" % (
            CLASSES.index(obj.findtext("name")), (x0 - 1 + x1) / 192, (y0 - 1 + y1) / 192, (x1 - x0 + 1) / 96, (y1 - y0 + 1) / 96))
    most = max(most, len(want["0"]) + len(want["1"]))
    apart = f"{voc}/labels-difficult/{name}.txt"
    marked += len(want["1"])
    agree &= lines(voc, f"labels/{name}.txt") == want["0"] and (lines(apart) if os.path.exists(apart) else []) == want["1"]
ok(sound, "annotations name their image, its size and boxes inside it")
ok(agree, "labels are what the annotations say")
ok(4 < most <= 6, "--max-objects is kept and made use of", most)
ok(0 < marked < 40, "some objects, and not many, are marked difficult", marked)
same(seen, set(CLASSES), "every class occurs")

# ---- shapes and boxes, from within ----
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("make_shapes", SCRIPT)
shapes = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_shapes", loader))
loader.exec_module(shapes)

# Rows 2..4 and columns 3..5 counted from 1; the pixel of .2 is too faint to count.
mask = np.zeros((6, 7), np.float32)
mask[1, 3], mask[2, 2:5], mask[3, 3], mask[5, 6] = 1, (.3, 1, .25), 1, .2
same(shapes.tight_box(mask), (3, 2, 5, 4), "tight_box: VOC's 1-based inclusive corners")
same(shapes.tight_box(np.zeros((4, 4))), None, "tight_box: nothing to see")


def spread(points):
    """The larger and the smaller of the shape's two principal standard deviations, by its area."""
    area = shapes.coverage(64, lambda pen, scale: shapes.polygon(pen, points * .4 + .5, scale))
    y, x = np.mgrid[:64, :64]
    big, small = np.linalg.eigvalsh(np.cov(np.stack([x.ravel(), y.ravel()]), aweights=area.ravel()))[::-1]
    return (big / small) ** .5


def corners(points):
    """Where the outline turns by more than 20 degrees: how often to either side."""
    step = np.roll(points, -1, 0) - points
    after = np.roll(step, -1, 0)
    turn = np.degrees(np.arctan2(step[:, 0] * after[:, 1] - step[:, 1] * after[:, 0], (step * after).sum(1)))
    return tuple(sorted((int((turn > 20).sum()), int((turn < -20).sum()))))


def tilt(points):
    """By how much the longest side is off the next axis, in degrees."""
    step = np.roll(points, -1, 0) - points
    longest = step[np.argmax((step ** 2).sum(1))]
    angle = np.degrees(np.arctan2(longest[1], longest[0])) % 90
    return min(angle, 90 - angle)


drawn = {name: [shapes.outline(name, np.random.RandomState(i)) for i in range(100)] for name in CLASSES}
same({name: {corners(p) for p in drawn[name]} for name in CLASSES},
     {"circle": {(0, 0)}, "ellipse": {(0, 0)}, "square": {(0, 4)}, "rectangle": {(0, 4)}, "diamond": {(0, 4)},
      "triangle": {(0, 3)}, "pentagon": {(0, 5)}, "hexagon": {(0, 6)}, "star": {(5, 5)}, "cross": {(4, 8)}},
     "each class has its corners")
for name, low, high in (("circle", 1, 1.03), ("ellipse", 1.12, 1.65), ("square", 1, 1.1), ("rectangle", 1.17, 1.95)):
    stretch = [spread(p) for p in drawn[name]]
    ok(low <= min(stretch) and max(stretch) <= high, f"{name}: stretched by {low} to {high}", (min(stretch), max(stretch)))
for name, low, high in (("square", 0, 16), ("rectangle", 0, 16), ("diamond", 25, 45)):
    off = [tilt(p) for p in drawn[name]]
    ok(low <= min(off) and max(off) <= high, f"{name}: sides are {low} to {high} degrees off the axes", (min(off), max(off)))

fits = []
for i, name in enumerate(CLASSES * 3):
    canvas = np.full((64, 64, 3), .5, np.float32)
    mask, _ = shapes.draw_object(canvas, np.random.RandomState(i), name, np.array([.45, .55]), .3)
    x0, y0, x1, y1 = shapes.tight_box(mask)
    changed = np.abs(canvas - .5).max(2) > .01
    ys, xs = np.nonzero(changed)
    fits.append(max(abs(xs.min() + 1 - x0), abs(ys.min() + 1 - y0), abs(xs.max() + 1 - x1), abs(ys.max() + 1 - y1)))
ok(max(fits) <= 1, "boxes end where the pixels that were drawn do, to a pixel", fits)

# ---- difficulty ----
def noisiness(folder):
    """Mean difference between neighbouring pixels: noise and clutter raise it."""
    images = [np.asarray(Image.open(f"{folder}/train/{n}"), np.float32) for n in sorted(os.listdir(f"{folder}/train"))]
    return float(np.mean([np.abs(np.diff(im, axis=1)).mean() for im in images]))


for name, more in (("default", ()), ("one", ("--difficulty", "1")), ("easy", ("--difficulty", "0"))):
    make("classification", f"{tmp}/{name}", 20, 10, 48, 7, *more)
pictures = [{k: v for k, v in contents(f"{tmp}/{name}").items() if k.endswith(".jpg")} for name in ("default", "one")]
same(pictures[0], pictures[1], "--difficulty 1 is the default")
ok(noisiness(f"{tmp}/easy") < .8 * noisiness(f"{tmp}/default"), "--difficulty 0 is calmer",
   (noisiness(f"{tmp}/easy"), noisiness(f"{tmp}/default")))

# ---- what is refused ----
refused("a difficulty above 1", "--difficulty", "classification", f"{tmp}/s", 20, 10, 48, 7, "--difficulty", "1.5")
refused("a path that holds a label", "'_star.'", "classification", f"{tmp}/my_star.d/set")
refused("white space in the path", "white space", "classification", f"{tmp}/a b")
refused("a path in which Darknet would not find the labels", "'raw'", "detection", f"{tmp}/raw/set")
refused("too small a size", "--size", "classification", f"{tmp}/s", 20, 10, 15)
refused("too small a size for detection", "--size", "detection", f"{tmp}/s", 20, 10, 47)
refused("no images", "--train", "classification", f"{tmp}/s", 0)
refused("a seed that is no number", "--seed", "classification", f"{tmp}/s", 20, 10, 48, "x")
refused("an unknown mode", "segmentation", "segmentation", f"{tmp}/s")
done = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True)
ok(done.returncode == 0 and all(o in done.stdout for o in ("classification", "detection", "--train", "--test", "--size",
                                                            "--seed", "--max-objects", "--difficulty")), "--help names every option")

finish()
