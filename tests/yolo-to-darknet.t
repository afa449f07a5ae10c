#!/usr/bin/python3
"""scripts/yolo-to-darknet: data.yaml as Ultralytics has it, labels that stay where they are, and what Darknet cannot read."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile

from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same, skip  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))


def convert(*args, cwd=None):
    """(status, stdout, stderr) of yolo-to-darknet, in the temporary folder"""
    done = subprocess.run([os.path.join(ROOT, "scripts", "yolo-to-darknet"), *args], cwd=cwd or tmp, capture_output=True,
                          text=True)
    return done.returncode, done.stdout, done.stderr


def refused(name, want, *args):
    status, out, err = convert(*args)
    ok(status == 1 and out == "" and want in err.splitlines()[-1] and not os.path.exists(f"{tmp}/{args[1]}"), name,
       (status, out, err))


def text(*path):
    with open(os.path.join(tmp, *path)) as file:
        return file.read()


def put(content, *path):
    os.makedirs(os.path.dirname(os.path.join(tmp, *path)), exist_ok=True)
    with open(os.path.join(tmp, *path), "w") as file:
        file.write(content)


def pictures(folder, names, label="0 0.5 0.5 0.2 0.2\n"):
    """Images below folder/images, and labels where they have any."""
    for name in names:
        path = os.path.join(tmp, folder, "images", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.new("RGB", (40, 30)).save(path)
        if label is not None:
            put(label, folder, "labels", os.path.splitext(name)[0] + ".txt")


try:
    import yaml  # noqa: F401
except ImportError:
    skip("all of yolo-to-darknet", "no PyYAML here")
    finish()

tmp = tempfile.mkdtemp(prefix="yolo-to-darknet.")
while "raw" in os.path.basename(tmp):  # the one word Darknet replaces that chance may put there
    os.rmdir(tmp)
    tmp = tempfile.mkdtemp(prefix="yolo-to-darknet.")
atexit.register(shutil.rmtree, tmp)

# ---- a sound set ----
pictures("hats", [f"train/{i}.jpg" for i in range(10)] + ["val/a.jpg", "val/deep/b.png"])
pictures("hats", ["train/none.jpg"], None)
put("# comment\npath: hats\ntrain: images/train\nval: images/val  # relative to path\nnc: 2\nnames: ['hat', 'big cap']\n"
    "download: |\n  import os\n", "hats.yaml")
status, out, err = convert("hats.yaml", "set")
same((status, err, out), (0, "", "yolo-to-darknet: 11 train, 2 valid of 2 classes: set/set.data: 13 images (1 without a labelled "
                          "object, 1 empty label files made), 12 objects; problems: none\n"),
     "a sound set is converted without a word on stderr")
same((text("set/train.list").split(), text("set/valid.list").split()),
     ([f"hats/images/train/{i}.jpg" for i in range(10)] + ["hats/images/train/none.jpg"],
      ["hats/images/val/a.jpg", "hats/images/val/deep/b.png"]), "lists")
same((text("set/set.names"), text("set/set.data")), ("hat\nbig cap\n", "classes = 2\ntrain = set/train.list\nvalid = "
     "set/valid.list\nnames = set/set.names\nbackup = set/backup\n"), "names and .data file")
same((text("hats/labels/train/none.txt"), text("hats/labels/train/3.txt")), ("", "0 0.5 0.5 0.2 0.2\n"),
     "labels stay as they are, and a missing one becomes an empty file")
done = subprocess.run([DARKNET, "detector", "anchors", "set/set.data", "-num", "1"], cwd=tmp, capture_output=True, text=True)
ok(done.returncode == 0 and "10 boxes in 11 images" in done.stdout + done.stderr, "the program reads it", done.stdout + done.stderr)

# ---- ways to write data.yaml ----
put("train: [images/train, more.txt]\nval: images/val\nnames:\n  0: hat\n  1: cap\n", "hats/data.yaml")
pictures("hats", ["more/c.jpg", "more/d.jpg"])
put("./images/more/d.jpg\n\nimages/more/c.jpg\n", "hats/more.txt")
convert("hats/data.yaml", "two")
same((text("two/train.list").split()[-2:], text("two/two.names")),
     (["hats/images/more/d.jpg", "hats/images/more/c.jpg"], "hat\ncap\n"), "no path, several places, a list, names as a map")
pictures("robo/train", ["x.jpg"])
pictures("robo/valid", ["y.jpg"])
put("train: ../train/images\nval: ../valid/images\nnc: 1\nnames: [hat]\n", "robo/data.yaml")
convert("robo/data.yaml", "robo.out")
same(text("robo.out/valid.list"), "robo/valid/images/y.jpg\n", "../valid/images, which Ultralytics takes from the YAML's folder")
put("path: hats\ntrain: images/more\nnames: [hat]\n", "yamls/hats.yaml")
convert("yamls/hats.yaml", "yamls.out")
same(text("yamls.out/train.list").split(), ["hats/images/more/c.jpg", "hats/images/more/d.jpg"],
     "a path that is not in the YAML's folder but in the current one")
put(f"path: {tmp}/hats\ntrain: images/train\nval: images/val\nnames: [hat]\n", "abs.yaml")
convert("abs.yaml", "abs")
same(text("abs/valid.list").split()[0], f"{tmp}/hats/images/val/a.jpg", "an absolute path makes absolute lists")

# ---- the split ----
put("path: hats\ntrain: images/train\nval: images/train\nnames: [hat]\n", "same.yaml")
status, out, err = convert("same.yaml", "same")
ok("hats/images/train/0.jpg: on both sides" in err and "11 x on both sides" in out, "images on both sides are reported", err)
status, out, err = convert("same.yaml", "same", "--val", ".2")
train, valid = text("same/train.list").split(), text("same/valid.list").split()
same((err, len(train), len(valid), len(set(train + valid))), ("", 9, 2, 11), "--val where val is train")
put("train: images/train\nnames: [hat]\n", "hats/noval.yaml")
convert("noval.yaml", "../noval", "--val", ".2", cwd=f"{tmp}/hats")
same(["hats/" + path for path in text("noval/valid.list").split()], valid, "the same images from elsewhere, and where there is no val")
convert("same.yaml", "same", "--val", ".2", "--seed", "3")
ok(text("same/valid.list").split() != valid, "another seed takes others")
convert("hats/noval.yaml", "same")
ok(not os.path.exists(f"{tmp}/same/valid.list"), "without any the list of an earlier run goes")
refused("--val where val has images of its own", "has images to validate on", "hats.yaml", "x", "--val", ".2")

# ---- problems ----
pictures("sick", ["good.jpg", "odd.jpeg", "raw1.jpg", "twin.jpg", "twin.png"])
for name, label in (("polygon", "0 .1 .1 .2 .2 .3 .3\n"), ("few", "0 .1 .1\n"), ("pixels", "0 50 50 20 20\n"), ("class", "7 .5 .5 .1 .1\n"),
                    ("word", "hat .5 .5 .1 .1\n"), ("nan", "0 nan .5 .1 .1\n"), ("flat", "0 .5 .5 0 .1\n")):
    pictures("sick", [name + ".jpg"], label)
put("x", "sick/images/text.jpg")
put("train: images\nnames: [hat, cap]\n", "sick/data.yaml")
status, out, err = convert("sick/data.yaml", "s")
for want in ("sick/labels/polygon.txt: no boxes: line 1: 7 numbers are a polygon", "sick/labels/few.txt: broken label: line 1",
             "sick/labels/pixels.txt: broken label", "sick/labels/word.txt: broken label", "sick/labels/nan.txt: broken label",
             "sick/labels/flat.txt: broken label", "sick/labels/class.txt: unknown class: line 1: class 7, and there are 2",
             "sick/images/odd.jpeg: unusable path", "sick/images/raw1.jpg: unusable path", "sick/images/text.jpg: unreadable image",
             "sick/images/twin.png: listed twice"):
    ok("yolo-to-darknet: " + want in err, f"reported: {want}", err)
same((status, text("s/train.list").split()), (0, ["sick/images/good.jpg", "sick/images/twin.jpg"]), "what is sound is listed")
refused("--strict: one problem is an error and nothing is written", "--strict, nothing written", "sick/data.yaml", "s3", "--strict")
os.makedirs(f"{tmp}/images-old")
shutil.copytree(f"{tmp}/hats", f"{tmp}/images-old/hats")
status, out, err = convert("images-old/hats/data.yaml", "old")
ok(status == 1 and "no image is left to train on" in err.splitlines()[-1] and "labels-old/hats/images/train/0.txt" in err and
   not os.path.exists(f"{tmp}/old"), "a set whose path leads Darknet elsewhere is refused", err)

# ---- files that are something else ----
for name, content, want in (("tab", "\ttrain: x", "no YAML"), ("empty", "", "has no key train"), ("list", "- 1\n", "has no key train"),
                            ("gap", "train: hats/images\nnames: {0: a, 2: b}\n", "not numbered 0, 1, 2"),
                            ("nonames", "train: hats/images\n", "names must be a list"),
                            ("double", "train: hats/images\nnames: [a, a]\n", "class 1 is 'a'"),
                            ("count", "train: hats/images\nnc: 3\nnames: [a, b]\n", "nc is 3, and there are 2 names"),
                            ("gone", "train: nope/images\nnames: [a]\n", "train: nope/images: there is no"),
                            ("file", "train: hats.yaml\nnames: [a]\n", "must be a folder of images, or a list")):
    put(content, name + ".yaml")
    refused(f"{name}.yaml: one line and status 1", want, name + ".yaml", "x")
refused("no such file", "no such file", "nope.yaml", "x")
status, out, err = convert("--help")
ok(status == 0 and all(o in out for o in ("--val", "--seed", "--name", "--strict")), "--help names every option")

finish()
