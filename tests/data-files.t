#!/usr/bin/python3
"""data/: every .data file works for a program that is started in the repository's folder, and the scripts write the
files that it names. (To Darknet paths are relative to the folder in which it is started.)"""

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
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))
CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck".split()


def read(name, root=ROOT):
    """{key: value} of a .data file"""
    with open(os.path.join(root, "data", name)) as file:
        lines = [line.split("#")[0].partition("=") for line in file]
    return {key.strip(): value.strip() for key, _, value in lines if key.strip()}


def lines(*path):
    with open(os.path.join(*path)) as file:
        return file.read().splitlines()


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


# ---- each file ----
files = sorted(name for name in os.listdir(f"{ROOT}/data") if name.endswith(".data"))
same(files, ["bccd.data", "cifar10.data", "imagenet.data", "voc.data"], "the .data files")
for name in files:
    data = read(name)
    paths = {key: value for key, value in data.items() if key not in ("classes", "top", "truth")}
    ok(not [value for value in paths.values() if os.path.isabs(value) or ".." in value] and data["backup"] == "backup",
       f"{name}: paths are relative, weights go to backup/", paths)
    names = lines(ROOT, data["names"])
    # Darknet's list for ImageNet goes on with classes that the 1000 of ILSVRC are a part of.
    enough = len(names) > 1000 if name == "imagenet.data" else len(names) == int(data["classes"])
    ok(enough, f"{name}: its names are there", len(names))
ignored = subprocess.run(["git", "check-ignore", "data/voc/train.list", "data/labels", "data/cifar10/train/cat/1.jpg",
                          "data/voc.data", "data/voc.names", "data/README.md"],
                         cwd=ROOT, capture_output=True, text=True)
if ignored.returncode not in (0, 1):
    skip("what git ignores below data/", "this is no clone")
else:
    same(ignored.stdout.split(), ["data/voc/train.list", "data/labels", "data/cifar10/train/cat/1.jpg"],
         "git ignores what is fetched or generated below data/, and nothing else there")

# ---- what the scripts fill, in a folder that stands for the repository's ----
tmp = tempfile.mkdtemp(prefix="data-files.")
while "raw" in os.path.basename(tmp):  # the one word Darknet replaces that chance may put there
    os.rmdir(tmp)
    tmp = tempfile.mkdtemp(prefix="data-files.")
atexit.register(shutil.rmtree, tmp)
top = f"{tmp}/top"
shutil.copytree(f"{ROOT}/data", f"{top}/data", ignore=lambda _, found: [n for n in found if "." not in n])
os.makedirs(f"{tmp}/archives")
for archive, year, part in (("VOCtrainval_06-Nov-2007.tar", 2007, "trainval"),
                            ("VOCtest_06-Nov-2007.tar", 2007, "test"),
                            ("VOCtrainval_11-May-2012.tar", 2012, "trainval")):
    base = f"{tmp}/VOCdevkit/VOC{year}"
    photo = f"{year}{part}"
    for folder in ("ImageSets/Main", "Annotations", "JPEGImages"):
        os.makedirs(f"{base}/{folder}")
    with open(f"{base}/ImageSets/Main/{part}.txt", "w") as file:
        file.write(photo + "\n")
    with open(f"{base}/Annotations/{photo}.xml", "w") as file:
        file.write("<annotation><object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>30"
                   "</ymax></bndbox></object><object><name>cat</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>40"
                   "</xmax><ymax>20</ymax></bndbox></object></annotation>")
    Image.new("RGB", (60, 40)).save(f"{base}/JPEGImages/{photo}.jpg")
    with tarfile.open(f"{tmp}/archives/{archive}", "w") as tar:
        tar.add(f"{tmp}/VOCdevkit", "VOCdevkit")
    shutil.rmtree(f"{tmp}/VOCdevkit")
status, said = run(f"{ROOT}/scripts/get-voc", "data/voc", "--from", f"{tmp}/archives", "--no-verify", cwd=top)
data = read("voc.data")
same((status, lines(top, data["train"]), lines(top, data["names"]) == lines(top, "data/voc/voc.names")),
     (0, [f"data/voc/VOCdevkit/VOC{year}/JPEGImages/{year}trainval.jpg" for year in (2007, 2012)], True),
     "get-voc data/voc fills voc.data, with relative paths")
own = read("voc/voc.data", top)
same([own[key] for key in ("classes", "train", "valid")], [data[key] for key in ("classes", "train", "valid")],
     "as its own data/voc/voc.data does")
status, said = run(DARKNET, "detector", "anchors", "data/voc.data", "-num", "2", cwd=top)
ok(status == 0 and "4 boxes in 2 images" in said, "the program reads it, started there", said)
status, said = run(DARKNET, "detector", "anchors", "top/data/voc.data", "-num", "2", cwd=tmp)
ok(status == 1 and "data/voc/train.list" in said.splitlines()[-1], "and does not, started elsewhere: one line", said)
status, said = run(f"{ROOT}/scripts/get-voc", f"{top}/data/voc", "--from", f"{tmp}/archives", "--no-verify", cwd=tmp)
status, said = run(DARKNET, "detector", "anchors", f"{top}/data/voc/voc.data", "-num", "2", cwd=tmp)
ok(status == 0 and "4 boxes in 2 images" in said, "a set that was given by an absolute path is read everywhere", said)

for part in ("train", "test"):
    for name in CIFAR10:
        os.makedirs(f"{tmp}/cifar/{part}/{name}")
        Image.new("RGB", (32, 32)).save(f"{tmp}/cifar/{part}/{name}/0000.jpg")
with tarfile.open(f"{tmp}/cifar.tar.gz", "w:gz") as tar:
    tar.add(f"{tmp}/cifar", "CIFAR-10-images-master")
status, said = run(f"{ROOT}/scripts/images-to-darknet", f"{tmp}/cifar.tar.gz", "data/cifar10", cwd=top)
data, own = read("cifar10.data"), read("cifar10/cifar10.data", top)
same((status, lines(top, data["names"])), (0, CIFAR10), "images-to-darknet ARCHIVE data/cifar10")
keys = ("classes", "train", "valid", "test", "labels", "top", "truth")
same([data[key] for key in keys], [own[key] for key in keys], "fills what cifar10.data names")
with open(f"{top}/net.cfg", "w") as file:
    file.write("[net]\nbatch=2\nwidth=32\nheight=32\nchannels=3\nmax_batches=2\nlearning_rate=.01\n"
               "[connected]\noutput=10\nactivation=linear\n[ols]\n")
os.mkdir(f"{top}/backup")
status, said = run(DARKNET, "classifier", "train", "data/cifar10.data", "net.cfg", "-nogpu", cwd=top)
ok(status == 0 and os.path.exists(f"{top}/backup/net.weights"), "and a training reads it, and saves to backup/",
   said[-300:])

finish()
