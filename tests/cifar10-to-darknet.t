#!/usr/bin/python3
"""scripts/cifar10-to-darknet: lists and labels as Darknet needs them, and malicious or damaged archives."""

import io
import os
import subprocess
import sys
import tarfile
import tempfile

from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same, skip  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("OLS_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data")
CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()


def convert(*args, cwd=None):
    """(status, stdout, stderr) of cifar10-to-darknet"""
    done = subprocess.run([os.path.join(ROOT, "scripts", "cifar10-to-darknet"), *args], cwd=cwd, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def refused(name, want, *args):
    """Bad input ends in one line that says `want`, status 1 and no images."""
    status, out, err = convert(*args)
    err = [line for line in err.splitlines() if "CIFAR-10 has" not in line]  # that these sets are small is said before
    ok(status == 1 and out == "" and len(err) == 1 and want in err[0] and not os.path.exists(f"{args[1]}/train"), name,
       (status, out, err))


def lines(*path):
    with open(os.path.join(*path)) as file:
        return file.read().splitlines()


def archive(path, names, links=(), mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(JPEG)
            tar.addfile(info, io.BytesIO(JPEG))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return path


buffer = io.BytesIO()
Image.new("RGB", (32, 32)).save(buffer, "JPEG")
JPEG = buffer.getvalue()
work = tempfile.TemporaryDirectory(prefix="cifar10-to-darknet.")
tmp = work.name
small = [f"{part}/{c}/{i:04d}.jpg" for part, n in (("train", 4), ("test", 2)) for c in CLASSES for i in range(n)]

# ---- a sound archive ----
good = archive(f"{tmp}/good.tar.gz", ["README", *small], [("train/cat/0009.jpg", "/etc/passwd")])
status, out, err = convert(good, f"{tmp}/set")
same((status, out), (0, f"cifar10-to-darknet: 40 train, 20 test images of 10 classes: {tmp}/set/cifar10.data\n"), "unpacks")
same(sorted(f"{tmp}/set/{p}" for p in small if p.startswith("train/")), sorted(lines(tmp, "set/train.list")), "train.list")
same(sorted(f"{tmp}/set/{p}" for p in small if p.startswith("test/")), sorted(lines(tmp, "set/test.list")), "test.list")
ok(all(os.path.isfile(p) for part in ("train", "test") for p in lines(tmp, f"set/{part}.list")), "what is listed is there")
labels = lines(tmp, "set/labels.txt")
same(labels[1], "/automobile/", "labels are folders")
same(lines(tmp, "set/cifar10.names"), CLASSES, "names, in CIFAR-10's order")
found = [[i for i, label in enumerate(labels) if label in p] for p in lines(tmp, "set/train.list")]
same(found, [[i] for i in range(10) for _ in range(4)], "each path holds exactly one label, its class's")
same(lines(tmp, "set/cifar10.data"), ["classes = 10"] + [f"{key} = {tmp}/set/{name}" for key, name in (
     ("train", "train.list"), ("valid", "test.list"), ("test", "test.list"), ("labels", "labels.txt"),
     ("names", "cifar10.names"), ("backup", "backup"))] + ["top = 2"], "cifar10.data")
ok(os.path.isdir(f"{tmp}/set/backup"), "the backup folder is made")
ok(", 4 of truck\n" in err and "test: CIFAR-10 has 1000 images of each class, this set 2 of airplane, 2 of automobile" in err,
   "counts that are not CIFAR-10's are reported", err)
ok("2 members are no images of CIFAR-10 and were left out" in err and not os.path.lexists(f"{tmp}/set/train/cat/0009.jpg"),
   "links are not unpacked, and what is left out is counted", err)
same(sorted(os.listdir(f"{tmp}/set")), ["backup", "cifar10.data", "cifar10.names", "labels.txt", "test", "test.list",
                                        "train", "train.list"], "nothing else is left in the folder")
wrapped = archive(f"{tmp}/wrapped.tar", ["CIFAR/" + p for p in small], mode="w")
same(convert(wrapped, f"{tmp}/unwrapped")[0], 0, "a folder around train and test, and no compression, make no difference")
same(len(lines(tmp, "unwrapped/train.list")), 40, "and all images are found")

# ---- an unpacked folder, --val ----
status, out, err = convert("set", "lists", cwd=tmp)
same((status, lines(tmp, "lists/train.list")[0], lines(tmp, "lists/cifar10.data")[1]),
     (0, "set/train/airplane/0000.jpg", "train = lists/train.list"), "a folder as source; paths are as folders were given")
convert(f"{tmp}/set", f"{tmp}/val", "--val", "12", "--seed", "5")
train, val = lines(tmp, "val/train.list"), lines(tmp, "val/val.list")
same((len(train), len(val), sorted(train + val)), (28, 12, sorted(lines(tmp, "set/train.list"))), "--val takes N off train")
same([sum(f"/{c}/" in p for p in val) for c in CLASSES], [2, 2] + [1] * 8, "evenly from all classes")
ok({f"valid = {tmp}/val/val.list", f"test = {tmp}/val/test.list"} <= set(lines(tmp, "val/cifar10.data")),
   "valid= is then val.list, and test= the test set")
convert(f"{tmp}/set", f"{tmp}/val2", "--val", "12", "--seed", "5")
convert(f"{tmp}/set", f"{tmp}/val3", "--val", "12", "--seed", "6")
ok(val == lines(tmp, "val2/val.list") != lines(tmp, "val3/val.list"), "the seed decides which")
convert(f"{tmp}/set", f"{tmp}/val")
ok(len(lines(tmp, "val/train.list")) == 40 and not os.path.exists(f"{tmp}/val/val.list"), "without --val an old val.list goes")
refused("--val of all there is", "none left", f"{tmp}/set", f"{tmp}/val4", "--val", "40")
with open(f"{tmp}/set/train/dog/0002.jpg", "wb") as file:
    file.write(b"GIF89a")
status, out, err = convert(f"{tmp}/set", f"{tmp}/gif")
ok(status == 0 and "train/dog/0002.jpg: unreadable image" in err and len(lines(tmp, "gif/train.list")) == 39,
   "a file that is no image is reported and left out", err)

# ---- what is refused ----
status, out, err = convert(good, f"{tmp}/set")
ok(status == 1 and "is there already" in err and err.count("\n") == 1, "an unpacked set is not unpacked over", err)
refused("a member that leads out", "unpacked outside",
        archive(f"{tmp}/up.tar.gz", small + ["../escaped.jpg"]), f"{tmp}/up/set")
ok(not os.path.exists(f"{tmp}/up/escaped.jpg") and os.listdir(f"{tmp}/up/set") == [], "and nothing of it is left")
refused("a member with an absolute path", "unpacked outside",
        archive(f"{tmp}/abs.tar.gz", [f"{tmp}/abs-escaped.jpg"] + small), f"{tmp}/abs")
refused("classes that are missing", "missing: train/frog, test/frog, test/ship",
        archive(f"{tmp}/few.tar.gz", [p for p in small if "/frog/" not in p and "test/ship" not in p]), f"{tmp}/few")
with open(good, "rb") as whole, open(f"{tmp}/cut.tar.gz", "wb") as cut:
    cut.write(whole.read()[:-200])
refused("an archive that is cut short", "no whole tar archive", f"{tmp}/cut.tar.gz", f"{tmp}/cut")
with open(f"{tmp}/not.tar.gz", "wb") as file:
    file.write(JPEG)
refused("a file that is no archive", "no whole tar archive", f"{tmp}/not.tar.gz", f"{tmp}/not")
refused("no such archive", "No such file", f"{tmp}/nope.tar.gz", f"{tmp}/nope")
refused("a folder whose path holds a label", "'/bird/'", good, f"{tmp}/bird/set")
refused("a folder that is itself named like one", "'/bird/'", good, f"{tmp}/bird")
refused("white space in the path", "white space", good, f"{tmp}/a b")
refused("a bad number", "--val", good, f"{tmp}/bad", "--val", "-1")
status, out, err = convert("--help")
ok(status == 0 and all(o in out for o in ("--val", "--seed")), "--help names every option")

# ---- the real set ----
real = os.path.join(DATA, "cifar10-jpeg.tar.gz")
if os.path.exists(real):
    status, out, err = convert(real, f"{tmp}/real")
    reports = [line for line in err.splitlines() if not line.endswith(" left")]  # but for the progress
    same((status, reports, len(lines(tmp, "real/train.list")), len(lines(tmp, "real/test.list"))), (0, [], 50000, 10000),
         "all of CIFAR-10: 50000 and 10000 images, nothing to report")
else:
    skip("all of CIFAR-10", f"no {real}")

finish()
