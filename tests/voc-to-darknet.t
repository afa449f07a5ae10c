#!/usr/bin/python3
"""scripts/voc-to-darknet: labels computed by hand, the report of every problem, and real sets if they are available."""

import atexit
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same, skip  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("OLS_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data")


def convert(*args, cwd=None):
    """(status, stdout, stderr) of voc-to-darknet"""
    done = subprocess.run([os.path.join(ROOT, "scripts", "voc-to-darknet"), *args], cwd=cwd, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def text(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def put(content, *path):
    os.makedirs(os.path.join(*path[:-1]), exist_ok=True)
    with open(os.path.join(*path), "w") as file:
        file.write(content)


def obj(name, xmin, ymin, xmax, ymax, difficult=0, more=""):
    return (f"<object><name>{name}</name><difficult>{difficult}</difficult>{more}<bndbox><xmin>{xmin}</xmin>"
            f"<ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox></object>")


def annotation(*objects, size="<size><width>200</width><height>100</height><depth>3</depth></size>"):
    return "<annotation>" + size + "".join(objects) + "</annotation>"


def make_set(folder, images, name="train", listed=None):
    """A set of 200x100 images: {id: XML text, or None for no XML}."""
    os.makedirs(os.path.join(folder, "JPEGImages"))
    os.makedirs(os.path.join(folder, "Annotations"))
    for image, xml in images.items():
        Image.new("RGB", (200, 100)).save(os.path.join(folder, "JPEGImages", image + ".jpg"))
        if xml is not None:
            put(xml, folder, "Annotations", image + ".xml")
    put(listed or "".join(image + "\n" for image in images), folder, "ImageSets", "Main", name + ".txt")
    return folder


def files(folder):
    return sorted(os.path.join(at, f)[len(folder) + 1:] for at, _, names in os.walk(folder) for f in names)


tmp = tempfile.mkdtemp(prefix="voc-to-darknet.")
while "raw" in os.path.basename(tmp):  # the one word Darknet replaces that chance may put there
    os.rmdir(tmp)
    tmp = tempfile.mkdtemp(prefix="voc-to-darknet.")
atexit.register(shutil.rmtree, tmp)

# ---- numbers worked out by hand ----
# dog covers all of 200x100: centre .5 .5, size 1 1.
# cat (11, 21) - (30, 60): spans 10..30 and 20..60, so centre 20/200 = .1 and 40/100 = .4, size 20/200 = .1, 40/100 = .4.
# person (101, 51) - (200, 100): spans 100..200 and 50..100, so centre .75 .75, size .5 .5. Marked difficult.
# In VOC's order aeroplane is 0, cat 7, dog 11, person 14.
part = ("<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>")
hand = make_set(f"{tmp}/hand", {
    "one": annotation(obj("dog", 1, 1, 200, 100), obj("cat", 11, 21, 30, 60, more=part), obj("person", 101, 51, 200, 100, 1)),
    "none": annotation()})
status, out, err = convert(hand, "--set", "train", "--list", f"{tmp}/lists/train.list", "--names-out", f"{tmp}/voc.names")
same((status, err), (0, ""), "a sound set is converted without a word on stderr")
same(text(hand, "labels/one.txt"), "11 0.500000 0.500000 1.000000 1.000000\n7 0.100000 0.400000 0.100000 0.400000\n",
     "labels are those worked out by hand, in VOC's class order")
same(text(hand, "labels-difficult/one.txt"), "14 0.750000 0.750000 0.500000 0.500000\n", "difficult objects are kept apart")
same(text(hand, "labels/none.txt"), "", "an image without objects has an empty label file")
ok(not os.path.exists(f"{hand}/labels-difficult/none.txt"), "no file of difficult objects where there are none")
same(text(tmp, "lists/train.list"), f"{hand}/JPEGImages/one.jpg\n{hand}/JPEGImages/none.jpg\n", "the list holds absolute paths")
names = text(tmp, "voc.names").split()
same((len(names), names[0], names[7], names[14], names[19]), (20, "aeroplane", "cat", "person", "tvmonitor"), "--names-out")
same(out, f"voc-to-darknet: {tmp}/lists/train.list: 2 images (1 without a labelled object), 2 objects, "
     "1 difficult ones kept apart; problems: none\n", "the summary counts")
ok(not [f for f in files(tmp) if ".part" in f], "no partial files are left")

status, out, err = convert(hand, "--set", "train", "--list", f"{tmp}/train.list", "--keep-difficult")
same(text(hand, "labels/one.txt").splitlines()[2:], ["14 0.750000 0.750000 0.500000 0.500000"],
     "--keep-difficult puts them into the labels")
ok(not os.path.exists(f"{hand}/labels-difficult/one.txt"), "and takes away what an earlier run kept apart")

convert("hand", "--set", "train", "--list", "rel.list", cwd=tmp)
same(text(tmp, "rel.list").split()[0], "hand/JPEGImages/one.jpg", "and paths as the folder is given, where that is relative")

# ---- classes ----
put("person\ndog\n\n", tmp, "two.names")
status, out, err = convert(hand, "--set", "train", "--list", f"{tmp}/train.list", "--classes", f"{tmp}/two.names")
same(text(hand, "labels/one.txt"), "1 0.500000 0.500000 1.000000 1.000000\n", "--classes FILE numbers by line")
ok("Annotations/one.xml: unknown class: 'cat'" in err, "and reports other classes", err)
put(annotation(obj("ant", 1, 1, 9, 9)), hand, "Annotations", "other.xml")
convert(hand, "--set", "train", "--list", f"{tmp}/train.list", "--classes", "auto", "--names-out", f"{tmp}/auto.names")
same(text(tmp, "auto.names"), "ant\ncat\ndog\nperson\n", "--classes auto: the names of all annotations, sorted")
put("dog\n\ncat\n", tmp, "gap.names")
status, out, err = convert(hand, "--set", "train", "--list", f"{tmp}/train.list", "--classes", f"{tmp}/gap.names")
same((status, err), (1, f"voc-to-darknet: {tmp}/gap.names: line 2 is empty\n"), "a gap among the class names is refused")

# ---- everything that can be wrong with a set; what is sound in it is converted ----
sick = make_set(f"{tmp}/sick", {
    "boxes": annotation(obj("dog", 50, 10, 50, 20), obj("dog", 10, 60, 20, 50), obj("cat", 191, 91, 260, 140),
                        obj("cow", 201, 1, 230, 50), obj("gnu", 1, 1, 50, 50), obj("dog", "", 1, 50, 50),
                        obj("dog", "nan", 1, 50, 50), "<object><name>dog</name></object>", obj("bus", 0, 1, 20, 20)),
    "zero": annotation(obj("dog", 1, 1, 100, 50), size="<size><width>0</width><height>0</height></size>"),
    "nosize": annotation(obj("dog", 1, 1, 100, 50), size=""),
    "wrong": annotation(obj("dog", 1, 1, 100, 50), size="<size><width>100</width><height>200</height></size>"),
    "noxml": None, "badxml": "<annotation><object>", "notjpeg": annotation(), "straw": annotation()},
    listed="boxes\nzero\nnosize\nwrong\nnoxml\nbadxml\nnotjpeg\nstraw\nmissing\nboxes\n../boxes\n")
put("no image", sick, "JPEGImages", "notjpeg.jpg")
status, out, err = convert(sick, "--set", "train", "--list", f"{tmp}/sick.list")
same(status, 0, "a set with problems is converted")
for line, name in (
        ("Annotations/boxes.xml: degenerate box: 'dog' (50, 10) - (50, 20)", "xmax = xmin"),
        ("Annotations/boxes.xml: degenerate box: 'dog' (10, 60) - (20, 50)", "ymax < ymin"),
        ("Annotations/boxes.xml: box clipped: 'cat' (191, 91) - (260, 140), image 200x100", "a box that leaves the image"),
        ("Annotations/boxes.xml: box clipped: 'bus' (0, 1) - (20, 20), image 200x100", "a box that begins at 0"),
        ("Annotations/boxes.xml: box outside image: 'cow' (201, 1) - (230, 50), image 200x100", "a box beside the image"),
        ("Annotations/boxes.xml: unknown class: 'gnu'", "an unknown class"),
        ("Annotations/boxes.xml: broken object: 'dog' has no bndbox of four numbers", "an object without numbers"),
        ("Annotations/zero.xml: no size in XML: took the image's 200x100", "a size of 0"),
        ("Annotations/nosize.xml: no size in XML: took the image's 200x100", "no size"),
        ("Annotations/wrong.xml: wrong size in XML: 100x200; took the image's 200x100", "a wrong size"),
        ("Annotations/noxml.xml: missing XML", "a missing annotation"),
        ("Annotations/badxml.xml: broken XML", "a broken annotation"),
        ("JPEGImages/notjpeg.jpg: unreadable image", "an unreadable image"),
        ("JPEGImages/missing.jpg: missing image", "a missing image"),
        ("JPEGImages/straw.jpg: unusable path: Darknet would look for its labels in "
         f"{sick}/labels/stlabels.txt", "an image that Darknet would find no labels for"),
        (f"{sick}/ImageSets/Main/train.txt: listed twice: boxes", "an image listed twice"),
        (f"{sick}/ImageSets/Main/train.txt: bad id: '../boxes'", "an id that leads elsewhere")):
    ok("voc-to-darknet: " + line in err, f"reported: {name}", err)
# cat (191, 91) - (200, 100) after clipping: spans 190..200 and 90..100, so centre .975 .95, size .05 .1.
# bus (1, 1) - (20, 20): spans 0..20 both ways: centre .05 .1, size .1 .2. In VOC's order bus is 5.
same(text(sick, "labels/boxes.txt"), "7 0.975000 0.950000 0.050000 0.100000\n5 0.050000 0.100000 0.100000 0.200000\n",
     "what is left after clipping is labelled")
# dog (1, 1) - (100, 50) of the true 200x100.
same([text(sick, f"labels/{i}.txt") for i in ("zero", "nosize", "wrong")], ["11 0.250000 0.250000 0.500000 0.500000\n"] * 3,
     "the image's true size counts")
same([os.path.basename(p) for p in text(tmp, "sick.list").split()], ["boxes.jpg", "zero.jpg", "nosize.jpg", "wrong.jpg"],
     "only what was converted is listed")
same(out.partition("problems: ")[2], "1 x listed twice, 1 x bad id, 2 x degenerate box, 2 x box clipped, "
     "1 x box outside image, 1 x unknown class, 3 x broken object, 2 x no size in XML, 1 x wrong size in XML, "
     "1 x missing XML, 1 x broken XML, 1 x unreadable image, 1 x unusable path, 1 x missing image\n",
     "the summary counts each kind")

strict = make_set(f"{tmp}/strict", {"a": annotation(), "b": annotation(obj("gnu", 1, 1, 5, 5))})
before = files(strict)
status, out, err = convert(strict, "--set", "train", "--list", f"{tmp}/strict.list", "--strict")
same((status, out, files(strict), os.path.exists(f"{tmp}/strict.list")), (1, "", before, False),
     "--strict: one problem is an error and nothing is written")
useless = make_set(f"{tmp}/useless", {"a": None})
status, out, err = convert(useless, "--set", "train", "--list", f"{tmp}/useless.list")
same((status, os.path.exists(f"{tmp}/useless.list")), (1, False), "nothing to convert is an error, without a list")

# ---- ImageSets of one class, Windows' line ends ----
put("one  1\r\nnone -1\r\n", hand, "ImageSets", "Main", "dog_train.txt")
convert(hand, "--set", "dog_train", "--list", f"{tmp}/dog.list")
same(text(tmp, "dog.list"), f"{hand}/JPEGImages/one.jpg\n", "a set of one class holds the images marked 1")

# ---- folders in which Darknet would not find the labels ----
for word in ("raw", "images", "JPEGImages", ".jpg"):
    folder = make_set(f"{tmp}/{word}/set", {"a": annotation(obj("dog", 1, 1, 5, 5))})
    status, out, err = convert(folder, "--set", "train", "--list", f"{tmp}/word.list")
    ok(status == 1 and f"Darknet replaces {word!r}" in err and err.count("\n") == 1 and not os.path.exists(f"{folder}/labels"),
       f"a folder below {word} is refused", err)
status, out, err = convert("set", "--set", "train", "--list", "word.list", cwd=f"{tmp}/raw")
same((status, err), (0, ""), "unless the listed path is without the word")

# ---- images and annotations in one folder, as labelImg writes them ----
def flat_set(folder, images):
    for image, xml in images.items():
        os.makedirs(folder, exist_ok=True)
        Image.new("RGB", (200, 100)).save(os.path.join(folder, image))
        if xml is not None:
            put(xml, folder, os.path.splitext(image)[0] + ".xml")
    return folder


flat = flat_set(f"{tmp}/flat", {f"{i}.jpg": annotation(obj("hat", 11, 21, 30, 60)) for i in range(10)})
flat_set(flat, {"new.png": annotation(obj("cap", 1, 1, 200, 100), obj("hat", 1, 1, 50, 50, 1)), "none.jpg": None,
                "odd.jpeg": annotation(), "0.png": None})
put(annotation(), flat, "lost.xml")
put("x", flat, "._3.jpg")  # what a Mac leaves
status, out, err = convert("flat", "--list", "flat.list", "--classes", "auto", "--names-out", "flat.names", cwd=tmp)
same((status, text(flat, "3.txt"), text(flat, "new.txt"), text(tmp, "flat.names")),
     (0, "1 0.100000 0.400000 0.100000 0.400000\n", "0 0.500000 0.500000 1.000000 1.000000\n", "cap\nhat\n"),
     "labels are beside the images, where Darknet looks for them")
same(text(tmp, "flat.list").split(), [f"flat/{i}.jpg" for i in range(10)] + ["flat/new.png"], "all images are listed")
for want in ("none.xml: missing XML", "odd.jpeg: unusable path: Darknet would look for its labels in flat/odd.jpeg",
             "0.png: two images: has the annotation and labels of 0.jpg", "lost.xml: missing image",
             "flat/new.png: difficult objects: 1 left out"):
    ok("voc-to-darknet: " + want in err, f"reported: {want}", err)
status, out, err = convert("flat", "--list", "flat.list", "--classes", "auto", "--val", ".3", "--val-list", "val.list", cwd=tmp)
ok("._3" not in err, "hidden files are not mentioned", err)
train, valid = text(tmp, "flat.list").split(), text(tmp, "val.list").split()
same((len(train), len(valid), sorted(train + valid)), (8, 3, [f"flat/{i}.jpg" for i in range(10)] + ["flat/new.png"]),
     "--val sends a share to --val-list")
shutil.copytree(flat, f"{tmp}/other/images")
convert("other/images", "--list", "flat.list", "--classes", "auto", "--val", ".3", "--val-list", "val.list", cwd=tmp)
same(text(tmp, "val.list").split(), [path.replace("flat/", "other/images/") for path in valid], "the same ones in another place")
same((text(tmp, "other/labels/3.txt"), text(tmp, "other/labels-difficult/new.txt")),
     ("1 0.100000 0.400000 0.100000 0.400000\n", "1 0.125000 0.250000 0.250000 0.500000\n"),
     "of a folder `images` the labels are in `labels` beside it, and difficult ones are kept")
convert("flat", "--list", "flat.list", "--classes", "auto", "--val", ".3", "--val-list", "val.list", "--seed", "2", cwd=tmp)
ok(text(tmp, "val.list").split() != valid, "another seed takes others")
status, out, err = convert("hand", "--list", "all.list", "--val", ".5", "--val-list", "val.list", cwd=tmp)
same((text(tmp, "all.list").count("\n"), text(tmp, "val.list").count("\n")), (1, 1), "a set in VOC's layout can be split too")
shutil.copytree(flat, f"{tmp}/images-2/set")
status, out, err = convert(f"{tmp}/images-2/set", "--list", f"{tmp}/x.list", "--classes", "auto")
ok(status == 1 and "Darknet replaces 'images'" in err and not os.path.exists(f"{tmp}/x.list"),
   "a folder that leads Darknet elsewhere is refused", err)
flat_set(f"{tmp}/lone", {"a.jpg": annotation(obj("hat", 1, 1, 9, 9))})
status, out, err = convert("lone", "--list", "x.list", "--classes", "auto", "--val", ".5", "--val-list", "v.list", cwd=tmp)
ok(status == 1 and "there is one image" in err and not os.path.exists(f"{tmp}/lone/a.txt"), "one image cannot be split", err)
for args in (("--val", ".2"), ("--val-list", "v.list"), ("--val", "1", "--val-list", "v.list")):
    status, out, err = convert(flat, "--list", f"{tmp}/x.list", *args)
    ok(status == 1 and err.count("\n") == 1, f"{' '.join(args)}: one line and status 1", err)

# ---- arguments ----
for args, name in (((f"{tmp}/nowhere", "--set", "train", "--list", "x"), "no such folder"),
                   ((tmp, "--set", "train", "--list", "x"), "a folder that is no VOC set"),
                   ((hand, "--set", "nope", "--list", "x"), "no such set"),
                   ((hand, "--set", "../train", "--list", "x"), "a set that is a path"),
                   ((hand, "--set", "train"), "no list"),
                   ((hand, "--set", "train", "--list", "x", "--classes", f"{tmp}/nope"), "no such class file"),
                   ((hand, "--set", "train", "--list", f"{tmp}/voc.names/x"), "a list that cannot be written")):
    status, out, err = convert(*args)
    ok(status == 1 and out == "" and err.count("\n") == 1, f"{name}: one line and status 1", (status, err))
status, out, err = convert("--help")
ok(status == 0 and all(o in out for o in ("--set", "--list", "--classes", "--names-out", "--keep-difficult", "--strict",
                                      "--val", "--val-list", "--seed")),
   "--help names every option")

# ---- real sets ----
# Counts of objects, difficult ones and degenerate boxes are those of the sets' own description.
cells = make_set(f"{tmp}/cells", {"a": annotation(obj("RBC", 1, 1, 50, 50)), "b": annotation()})
status, out, err = convert(cells, "--set", "train", "--list", f"{tmp}/cells.list")
ok(status == 1 and "all objects are of unknown classes, nothing written: --classes auto" in err.splitlines()[-1] and
   not os.path.exists(f"{cells}/labels") and not os.path.exists(f"{tmp}/cells.list"),
   "a set of other classes alone is refused, and keeps the labels that it has", err)

put("RBC\nWBC\nPlatelets\n", tmp, "bccd.names")
for archive, folder, classes, sets, want in (
        ("voc2012-100.tar.gz", "VOCdevkit/VOC2012", "voc", ("train", "val"), (100, 273 - 38, 38, [])),
        ("bccd.tar.gz", "bccd/BCCD", f"{tmp}/bccd.names", ("train", "val", "test"), (364, 4888 - 2, 0, [
            "Annotations/BloodImage_00338.xml: degenerate box: 'RBC' (504, 337) - (504, 337); object left out",
            "Annotations/BloodImage_00343.xml: degenerate box: 'RBC' (181, 329) - (181, 329); object left out"]))):
    archive = os.path.join(DATA, archive)
    if not os.path.exists(archive):
        skip(os.path.basename(archive), f"no {archive}")
        continue
    with tarfile.open(archive) as tar:
        tar.extractall(tmp)
    folder, said, listed = os.path.join(tmp, folder), "", []
    for name in sets:
        status, out, err = convert(folder, "--set", name, "--list", f"{tmp}/real.list", "--classes", classes)
        said += err
        listed += text(tmp, "real.list").split()
    lines = {kind: sum(text(folder, kind, f).count("\n") for f in os.listdir(os.path.join(folder, kind)))
             for kind in ("labels", "labels-difficult")}
    degenerate = sorted(line.partition(": ")[2] for line in said.splitlines() if "degenerate" in line)
    same((len(listed), lines["labels"], lines["labels-difficult"], degenerate), want,
         f"{os.path.basename(archive)}: images, objects, difficult ones; degenerate boxes, each with its file")
    numbers = [[float(n) for n in line.split()] for f in os.listdir(f"{folder}/labels")
               for line in text(folder, "labels", f).splitlines()]
    ok(all(0 < w <= 1 and 0 < h <= 1 and -1e-6 <= x - w / 2 and x + w / 2 <= 1 + 1e-6 and -1e-6 <= y - h / 2 and
           y + h / 2 <= 1 + 1e-6 for _, x, y, w, h in numbers), f"{os.path.basename(archive)}: all boxes lie in their image")
    if "bccd" in archive:  # the same images and annotations as labelImg would have them
        shutil.copytree(f"{folder}/JPEGImages", f"{tmp}/cells-flat")
        shutil.copytree(f"{folder}/Annotations", f"{tmp}/cells-flat", dirs_exist_ok=True)
        status, out, err = convert(f"{tmp}/cells-flat", "--list", f"{tmp}/a.list", "--val", ".2", "--val-list", f"{tmp}/b.list",
                                   "--classes", classes)
        same([text(tmp, name).count("\n") for name in ("a.list", "b.list")] +
             [sum(text(tmp, "cells-flat", f"{os.path.basename(path)[:-4]}.txt") == text(folder, "labels",
                  f"{os.path.basename(path)[:-4]}.txt") for path in listed)], [291, 73, 364],
             "in one folder with its annotations, it gets the same labels and is split")

finish()
