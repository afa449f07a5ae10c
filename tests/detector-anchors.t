#!/usr/bin/python3
"""darknet detector anchors: boxes have the sizes of training, compared with an independent computation; errors; a real
data set."""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree

import numpy
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same, skip  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("OLS_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data")
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))

tmp = tempfile.mkdtemp(prefix="detector-anchors.")
while "raw" in os.path.basename(tmp):  # the one word Darknet replaces that chance may put there
    os.rmdir(tmp)
    tmp = tempfile.mkdtemp(prefix="detector-anchors.")
atexit.register(shutil.rmtree, tmp)
os.chdir(tmp)


def put(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(content)


def text(path):
    with open(path) as file:
        return file.read()


def run(*args, **options):
    """(status, stdout, stderr) of darknet detector anchors"""
    done = subprocess.run([DARKNET, "detector", "anchors", *args], capture_output=True, text=True, **options)
    return done.returncode, done.stdout, done.stderr


def refused(name, want, *args, **options):
    status, out, err = run(*args, **options)
    ok(status == 1 and out == "" and err.count("\n") == 1 and err.startswith("darknet: ") and want in err, name,
       (status, out, err))


def result(out):
    """The anchors in the last line, and the average IoU."""
    numbers = re.fullmatch(r"anchors = ([0-9.]+,[0-9.]+(?:, [0-9.]+,[0-9.]+)*)", out.splitlines()[-1])
    return (numpy.array([float(n) for n in numbers[1].split(",")]).reshape(-1, 2),
            float(re.search(r"^average IoU ([0-9.]+)$", out, re.MULTILINE)[1]))


def average_iou(boxes, anchors):
    both = numpy.minimum(boxes[:, None], anchors[None]).prod(2)
    return (both / (boxes.prod(1)[:, None] + anchors.prod(1)[None] - both)).max(1).mean()


# ---- sizes worked out by hand ----
# In a 100x100 network an image of 200x100 becomes 100x50, and one of 50x100 becomes 50x100. The boxes: half of the width
# and all of the height of the first: 50x50, or 50x100 stretched; .2 x .4 of the second: 10x40, or 20x40 stretched. The
# third is smaller than .001 of its image.
Image.new("RGB", (200, 100)).save("wide.jpg")
Image.new("RGB", (50, 100)).save("tall.png")
put("wide.txt", "0 .5 .5 .5 1\n1 .5 .5 .0009 .5\n")
put("tall.txt", "1 .5 .5 .2 .4\n")
put("train.list", "wide.jpg\ntall.png\n\n")
put("set.data", "classes = 2\ntrain = train.list\n")
status, out, err = run("set.data", "-num", "2", "-width", "100", "-height", "100")
same((status, err, out.splitlines()[-1]), (0, "", "anchors = 10.0,40.0, 50.0,50.0"), "boxes count as training scales images")
ok("2 boxes in 2 images fitted into 100x100, seed 1, best of 50 restarts\n1 more have a side below 0.001 " in out,
   "boxes, images and those that training leaves out are counted", out)
ok(re.search(r"^  0  10.0,40.0 +1   50.0 %  1.0000\n  1  50.0,50.0 +1   50.0 %  1.0000\n\naverage IoU 1.0000$", out, re.MULTILINE),
   "the table tells how many boxes every anchor suits, and how well", out)
status, out, err = run("-num", "2", "-width", "100", "set.data", "-stretch", "-height", "100", "-seed", "5")
same((status, out.splitlines()[-1]), (0, "anchors = 20.0,40.0, 50.0,100"), "-stretch: fractions times the network's size")
# 200x100 in 50x80: 50x25. 50x100: 40x80.
status, out, err = run("set.data", "-num", "2", "-width", "50", "-height", "80")
same(out.splitlines()[-1], "anchors = 8.00,32.0, 25.0,25.0", "a network that is not square")

# ---- what is wrong with files and arguments ----

refused("more anchors than different sizes", "-num 3 is more than the 2 different sizes of the 2 boxes in 2 images", "set.data",
        "-num", "3")
status, out, err = run()
helped = run("--help")
ok(status == 1 and out == "" and helped == (0, err, "") and err.startswith("usage: darknet detector anchors <data>") and
   all(f" {o} " in err for o in ("-num", "-width", "-height", "-stretch", "-seed", "-restarts", "-plot")),
   "--help explains every option, and so does the command without arguments", (status, out, err, helped))
refused("no data file", "detector anchors: needs <data> (see darknet detector anchors --help)", "-num", "3")
refused("a data file that is not there", "cannot read the data file nope.data: No such file", "nope.data")
for content, want in (("classes=2\n", "bad.data has no train="), ("train=train.list\n", "bad.data has no classes="),
                      ("train=train.list\nclasses=two\n", "bad.data:2: classes=two is not valid: must be a whole number from 1 to 1000000"),
                      ("train=nope\nclasses=2\n", "cannot read the list of images nope"),
                      ("train=.\nclasses=2\n", "cannot read the list of images .: Is a directory"),
                      ("train=empty\nclasses=2\n", "the list of images empty is empty"),
                      ("train=gap\nclasses=2\n", "gap:2: empty line"),
                      ("train=unlabelled\nclasses=2\n", "no label file none.txt of the image none.jpg"),
                      ("train=gif\nclasses=2\n", "no label file a.txt of the image a.gif"),
                      ("train=noimage\nclasses=2\n", "cannot read the image gone.jpg"),
                      ("train=nojpeg\nclasses=2\n", "text.jpg is not an image"),
                      ("train=train.list\nclasses=1\n", "wide.txt:2: class 1: must be 0 to 0"),
                      ("train=nobox\nclasses=2\n", "none of its 1 images has a labelled object")):
    put("bad.data", content)
    put("empty", "")
    put("gap", "wide.jpg\n\ntall.png\n")
    put("unlabelled", "none.jpg\n")
    put("gif", "a.gif\n")
    put("noimage", "gone.jpg\n")
    put("gone.txt", "0 .5 .5 .5 .5\n")
    put("nojpeg", "text.jpg\n")
    put("text.jpg", "no image")
    put("text.txt", "0 .5 .5 .5 .5\n")
    put("nobox", "bare.jpg\n")
    put("bare.txt", "\n")
    shutil.copy("wide.jpg", "bare.jpg")
    refused(f"{want}: one line and status 1", want, "bad.data")
put("bad.data", "train=noimage\nclasses=2\n")
same(run("bad.data", "-stretch", "-num", "1")[0], 0, "-stretch needs no images")
for args, want in ((("-num", "0"), "-num 0 is not valid: must be a whole number from 1 to 1000"),
                   (("-num", "many"), "-num many is not valid"), (("-width", "-416"), "-width -416 is not valid"),
                   (("-height", "1e3"), "-height 1e3 is not valid"), (("-seed", "4294967296"), "-seed 4294967296 is not"),
                   (("-restarts", "0"), "-restarts 0 is not valid"), (("-num",), "-num needs a value"),
                   (("-numb", "3"), "unknown option -numb"),
                   (("-num", "3", "-num", "4"), "-num is given twice"), (("more",), "unexpected argument more")):
    refused(f"{' '.join(args)}: one line and status 1", want, "set.data", *args)

# ---- the picture ----

if not shutil.which("gnuplot"):
    skip("-plot", "gnuplot is not installed")
else:
    status, out, err = run("set.data", "-num", "2", "-plot", "anchors.png")
    ok(status == 0 and err == "" and Image.open("anchors.png").size == (820, 800), "-plot draws a picture", (status, err))
    status, out, err = run("set.data", "-num", "2", "-plot", "nowhere/anchors.png")
    ok(status == 1 and "-plot: cannot write nowhere/anchors.png" in err and err.count("\n") == 1,
       "a picture that cannot be written is an error", (status, err))
os.mkdir("bin")
status, out, err = run("set.data", "-num", "2", "-plot", "other.png", env={"PATH": f"{tmp}/bin", "OMP_WAIT_POLICY": "passive"})
ok(status == 1 and "install gnuplot-nox" in err and err.count("\n") == 1 and "anchors = " in out and
   not [f for f in os.listdir(".") if "other.png" in f], "without gnuplot that is said, after the anchors", (status, out, err))

# ---- a training takes the last line as it is ----

put("net.cfg", "[net]\nbatch=1\nwidth=32\nheight=32\nchannels=3\nlearning_rate=.001\nmax_batches=1\n[convolutional]\nfilters=14\n"
    f"size=1\nstride=16\nactivation=linear\n[yolo]\nmask=0,1\nnum=2\nclasses=2\n{run('set.data', '-num', '2')[1].splitlines()[-1]}\n")
put("train.data", "classes=2\ntrain=train.list\nbackup=.\n")
put("train.list", "wide.jpg\ntall.png\n")
done = subprocess.run([DARKNET, "detector", "train", "train.data", "net.cfg", "-nogpu"], capture_output=True, text=True)
ok(done.returncode == 0 and os.path.exists("net_final.weights"), "the last line is a key that training takes", done.stderr)

# ---- a real set ----

archive = os.path.join(DATA, "bccd.tar.gz")
if not os.path.exists(archive):
    skip("BCCD", f"no {archive}")
else:
    with tarfile.open(archive) as tar:
        tar.extractall(tmp)
    subprocess.run([os.path.join(ROOT, "scripts/voc-to-darknet"), "bccd/BCCD", "--set", "trainval", "--list", "bccd.list",
                    "--classes", "auto"], check=True, capture_output=True)
    put("bccd.data", "classes=3\ntrain=bccd.list\n")
    sizes = []
    for name in text("bccd/BCCD/ImageSets/Main/trainval.txt").split():
        for box in ElementTree.parse(f"bccd/BCCD/Annotations/{name}.xml").iter("bndbox"):
            xmin, ymin, xmax, ymax = (int(box.findtext(key)) for key in ("xmin", "ymin", "xmax", "ymax"))
            if xmax > xmin and ymax > ymin:  # all images are 640x480
                sizes.append([(min(xmax, 640) - max(xmin, 1) + 1) / 640, (min(ymax, 480) - max(ymin, 1) + 1) / 480])
    sizes = numpy.array(sizes)
    for size in 416, 224:
        args = ("bccd.data", "-width", str(size), "-height", str(size))
        status, out, err = run(*args)
        anchors, average = result(out)
        areas = anchors.prod(1)
        ok(status == 0 and err == "" and len(anchors) == 9 and all(areas[:-1] <= areas[1:]) and
           out.startswith(f"{len(sizes)} boxes in 292 images"), f"BCCD at {size}: nine anchors, smallest first", (out, err))
        ok(abs(average - average_iou(sizes * [size, size * .75], anchors)) < 1e-4, f"BCCD at {size}: their average IoU",
           (average, average_iou(sizes * [size, size * .75], anchors)))
        # numpy's k-means with medians, best of 2,000 restarts: .8853
        ok(average > .884, f"BCCD at {size}: as good as k-means gets", average)
        same(run(*args, "-seed", "1")[1], out, f"BCCD at {size}: the same again")
        other, average = result(run(*args, "-seed", "2")[1])
        ok(not numpy.array_equal(other, anchors) and average > .884, f"BCCD at {size}: another seed, others as good", average)
    before = run("bccd.data", "-stretch")[1]
    anchors, average = result(before)
    ok(abs(average - average_iou(sizes * 416, anchors)) < 1e-4, "BCCD, -stretch: the average IoU", average)
    put("bccd.list", "".join(line + "\n" for line in reversed(text("bccd.list").splitlines())))
    same(run("bccd.data", "-stretch")[1], before, "BCCD, -stretch: the same from a list in another order")

finish()
