#!/usr/bin/python3
"""darknet check, and the same look before every training: every problem is named by file and line, nothing that is right
is refused, and what is right wherever labels lie and however lines end is trained on, bit for bit."""

import atexit
import io
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))

tmp = os.path.realpath(tempfile.mkdtemp(prefix="check."))
atexit.register(shutil.rmtree, tmp)
os.chdir(tmp)
os.environ["OMP_NUM_THREADS"] = "1"


def put(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def read(path):
    with open(path, "rb") as file:
        return file.read()


def run(*args):
    """(status, stdout, the lines of stderr that begin with "darknet: " and are no notes, stderr)"""
    done = subprocess.run([DARKNET, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          timeout=300)
    said = [line[len("darknet: "):] for line in done.stderr.splitlines() if line.startswith("darknet: ")]
    return done.returncode, done.stdout, [line for line in said if not line.startswith("note: ")], done.stderr


# ---- what is right ---------------------------------------------------------------------------------------------------

IMAGES = 12
YOLO = ("[net]\nbatch=4\nsubdivisions=2\nwidth=32\nheight=32\nchannels=3\nmomentum=.9\nlearning_rate=.01\nmax_batches=4\n"
        "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=4\npad=1\nactivation=leaky\n"
        "[convolutional]\nfilters=7\nsize=1\nactivation=linear\n"
        "[yolo]\nmask=0\nanchors=8,8\nclasses=2\nnum=1\njitter=.2\nignore_thresh=.6\ntruth_thresh=1\nrandom=0\n")
OLS = ("[net]\nbatch=4\nwidth=8\nheight=8\nchannels=3\nmomentum=.9\nlearning_rate=.01\nmax_batches=4\n"
       "[connected]\noutput=2\nactivation=linear\n[ols]\n")
random.seed(1)


def picture(i, size=24):
    drawn = Image.new("RGB", (size, size), (30, 30, 30))
    drawn.paste((240, 40, 40), (i % 9, i % 7, i % 9 + 8, i % 7 + 8))
    return drawn


def label(i):
    return f"{i % 2} {(i % 9 + 4) / 24!r} {(i % 7 + 4) / 24!r} {8 / 24!r} {8 / 24!r}\n"


def detector(image="images/{}.png", labels="labels/{}.txt"):
    """A detector's data: images and labels by these names."""
    for folder in "images", "labels", "backup", "lists":
        shutil.rmtree(folder, ignore_errors=True)
    for i in range(IMAGES):
        os.makedirs(os.path.dirname(image.format(i)), exist_ok=True)
        drawn = picture(i)
        if image.lower().endswith((".jpg", ".jpeg")):
            drawn.save(image.format(i), format="JPEG", quality=95)
        else:
            drawn.save(image.format(i))
        put(labels.format(i), label(i))
    put("lists/train", "".join(f"{tmp}/{image.format(i)}\n" for i in range(8)))
    put("lists/valid", "".join(f"{tmp}/{image.format(i)}\n" for i in range(8, IMAGES)))
    put("lists/names", "square\nother\n")
    put("data", "classes = 2\ntrain = lists/train\nvalid = lists/valid\nnames = lists/names\nbackup = backup\n")
    put("net.cfg", YOLO)
    os.makedirs("backup")


def classifier():
    for folder in "photos", "lists", "backup":
        shutil.rmtree(folder, ignore_errors=True)
    for i in range(8):
        os.makedirs(f"photos/{['cat', 'dog'][i % 2]}", exist_ok=True)
        picture(i).save(f"photos/{['cat', 'dog'][i % 2]}/{i}.png")
    put("lists/train", "".join(f"photos/{['cat', 'dog'][i % 2]}/{i}.png\n" for i in range(8)))
    put("lists/labels", "cat\ndog\n")
    put("data", "classes=2\ntrain=lists/train\nvalid=lists/train\nlabels=lists/labels\nbackup=backup\n")
    put("net.cfg", OLS)
    os.makedirs("backup")


def train(kind="detector", *options):
    """The weights of a training, or what it said."""
    status, _, _, err = run(kind, "train", "data", "net.cfg", "-seed", "3", "-nogpu", *options)
    path = "backup/net_final.weights" if kind == "detector" else "backup/net.weights"
    return read(path) if not status and os.path.exists(path) else err


detector()
same(run("check", "data")[:3], (0, "Checked data: 8 images to train, 4 to validate, 12 objects, 2 classes: no problem "
                                   "found\n", []), "what is right is said in one line")
same(run("check", "data", "net.cfg")[:3],
     (0, "Checked data and net.cfg: 8 images to train, 4 to validate, 12 objects, 2 classes: no problem found\n", []),
     "the same with the cfg")
same(os.listdir("backup"), [], "a check writes nothing")
plain = train()
ok(isinstance(plain, bytes), "what is right is trained on", plain)
same(train("detector", "-nocheck"), plain, "-nocheck changes nothing in the weights")

# ---- where labels lie, and how lines end -----------------------------------------------------------------------------


def as_others_write(text):
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()


detector()
for path in "lists/train", "lists/valid", "lists/names", "data", "net.cfg", *(f"labels/{i}.txt" for i in range(IMAGES)):
    put(path, as_others_write(read(path).decode()))
put("lists/train", read("lists/train").replace(b"\r", b" \t\r") + b"\r\n \r\n\n")
same(run("check", "data", "net.cfg")[2], [], "CRLF, a byte-order mark, trailing blanks and empty lines at the end are right")
same(train(), plain, "and are trained on as without them")

for image, labels in (("images/{}.bmp", "labels/{}.txt"), ("images/{}.png", "images/{}.txt"),
                      ("images/x/images/{}.png", "images/x/labels/{}.txt"), ("images/raw{}.png", "labels/raw{}.txt"),
                      ("images/a.jpg{}.png", "labels/a.jpg{}.txt"), ("images/straw/{}.bmp", "images/straw/{}.txt"),
                      ("images/JPEGImages/{}.png", "images/labels/{}.txt"),
                      ("draw/my_images/{}.png", "draw/my_labels/{}.txt")):
    detector(image, labels)
    found = run("check", "data", "net.cfg")[2]
    ok(not found and train() == plain, f"labels of {image} are found in {labels}", found)
detector("images/{}.jpg")
jpeg = train()
for ending in "jpeg", "JPG", "JPEG", "Jpeg":
    detector(f"images/{{}}.{ending}")
    same(train(), jpeg, f"images that end in .{ending} have labels")
ok(isinstance(jpeg, bytes) and jpeg != plain, "and are not the lossless ones", jpeg)

# ---- a detector's problems -------------------------------------------------------------------------------------------


def found(name, wanted, *args, status=1):
    """The check finds exactly these lines, in this order, and so does a training, without a crash."""
    code, out, lines, err = run("check", *(args or ("data", "net.cfg")))
    ok(code == status and out == "" and len(lines) == len(wanted) and all(w in line for w, line in zip(wanted, lines)),
       name, f"status {code}\nwanted {wanted}\ngot    {lines}\n{err[-300:]}")
    if args:
        return
    kind = "detector" if b"[yolo]" in read("net.cfg") else "classifier"
    trained = run(kind, "train", "data", "net.cfg", "-nogpu")
    if (trained[0], trained[2]) != (1, lines) or os.listdir("backup"):
        ok(False, f"{name}: a training says the same before it begins", trained)


detector()
for key, wanted in (("nosie=.4", "unknown key nosie=: did you mean noise=?"), ("Valid=x", "unknown key Valid=: did you mean valid=?")):
    put("data", read("data").split(b"backup")[0] + f"backup = backup\n{key}\n".encode())
    found(f"{key} in the .data file", [f"data:6: {wanted}"])
detector()
put("data", read("data") + b"train = lists/valid\n")
code, _, lines, err = run("check", "data", "net.cfg")
ok(code == 0 and not lines and "note: data:6: train= is given twice: line 2 counts" in err, "a key that comes twice is noted", err[-300:])
for key, wanted in ("sampling=eopch", "sampling=eopch is not valid"), ("truth=folder", "truth=folder is for classifiers"), ("noise=2", "noise=2"):
    put("data", read("data").split(b"backup")[0] + f"backup = backup\n{key}\n".encode())
    found(f"{key} of a detector", [f"data:6: {wanted}"])
detector()
for key, wanted in (("policy=step\nstep=0", "net.cfg:3: [net] step=0 is not valid: must be a whole number above 0"),
                    ("policy=steps\nscales=.1,.1\nsteps=3,2", "net.cfg:4: steps=3,2: each must be above the one before it")):
    put("net.cfg", YOLO.replace("[net]", f"[net]\n{key}"))
    found(f"{key.split()[-1]} after {key.split()[0]}", [wanted])
put("net.cfg", "# [yolo]\n" + YOLO.replace("[yolo]", "[yolov4]"))
found("a section that is no layer, and not what the images would be for a classifier", ["net.cfg:22: [yolov4] is no layer of this Darknet"])
detector()
put("labels/5.txt", label(5) * 91)
code, _, lines, err = run("check", "data", "net.cfg")
ok(code == 0 and "1 images of lists/train have more objects than the 90 that max= of the head" in err and "line 6, with 91" in err,
   "an image with more objects than a training sees is noted", err[-300:])
put("net.cfg", YOLO + "max=91\n")
ok("more objects" not in run("check", "data", "net.cfg")[3], "but not where max= has room for them")
detector()
put("data.5", read("data").replace(b"lists/train", b"lists/5"))
put("lists/5", f"{tmp}/images/5.png\n")
BAD_LABELS = ("0 0 0 .1 .1", "0 0 0 0 0", "0 nan .5 .1 .1", "cat .5 .5 .1 .1", "0 .5 .5 .1", "0 .5 .5 .1 .1 .9",
              "0,.5,.5,.1,.1", "0 12 8 4 4", "0 .5 inf .1 .1", "0 .5 .5 0 .1", "0 .5 .5 -.1 .1", "2 .5 .5 .1 .1",
              "-1 .5 .5 .1 .1", "0 .5 .5 .1 1e9")
for bad in BAD_LABELS:
    put("labels/5.txt", f"0 .5 .5 .1 .1\n{bad}\n")
    found(f"a label '{bad}'", [f"{tmp}/labels/5.txt:2: "])
    status, _, lines, err = run("detector", "train", "data.5", "net.cfg", "-nocheck", "-nogpu")
    ok(status == 1 and len(lines) == 1 and f"{tmp}/labels/5.txt:2: " in lines[0],
       f"'{bad}' with -nocheck ends the training with file and line", (status, err[-300:]))
put("labels/5.txt", "0 .5 .5 .1 .1\n".encode("utf-16"))
found("a label file in UTF-16", [f"{tmp}/labels/5.txt:1: "])
os.remove("labels/5.txt")
found("a label file that is missing", [f"lists/train:6: image {tmp}/images/5.png: no label file: there is no "
                                       f"{tmp}/labels/5.txt, {tmp}/images/5.txt (an image without objects needs an empty one)"])
os.mkdir("labels/5.txt")
found("a folder in place of a label file", [f"cannot read labels {tmp}/labels/5.txt: Is a directory"])
os.rmdir("labels/5.txt")
os.mkfifo("labels/5.txt")
found("a pipe in place of a label file", [f"lists/train:6: labels {tmp}/labels/5.txt: it is no file, but a pipe"])
os.remove("labels/5.txt")
put("labels/5.txt", "")
same(run("check", "data", "net.cfg")[2], [], "an empty label file is an image without objects")
os.remove("labels/9.txt")
same(run("check", "data", "net.cfg")[2], [], "an image to validate may have no label file, as for detector map")

detector()
whole = {name: read(f"images/{name}") for name in ("3.png",)}
jpg = "images/4.jpg"
picture(4, 200).save(jpg, quality=95)
put("labels/4.txt", label(4))
put("lists/train", read("lists/train").replace(b"/4.png", b"/4.jpg"))
photo = read(jpg)
same(run("check", "data", "net.cfg")[2], [], "a list of PNG and JPEG")
for name, content, why in (("cut off in its data", photo[:len(photo) // 2], "the end of the picture is missing"),
                           ("cut off in its header", photo[:100], "cut off in its header"),
                           ("empty", b"", "it is empty"), ("text", b"hello, I am no image", "it is no JPEG, PNG or BMP"),
                           ("a page of HTML", b"<html><body>404</body></html>", "it is no JPEG, PNG or BMP"),
                           ("with zeros", b"\0" * 1000, "it is no JPEG, PNG or BMP"),
                           ("the first bytes of a JPEG", b"\xff\xd8\xff", "cut off in its header"),
                           ("a JPEG of fill bytes", b"\xff\xd8" + b"\xff" * 1000, "cut off in its header"),
                           ("a JPEG with a segment of no length", b"\xff\xd8\xff\xe0" + b"\0" * 1000, "header is damaged"),
                           ("a PNG without an end", whole["3.png"][:-20], "cut off"),
                           ("a PNG with a chunk of two gigabytes", whole["3.png"][:33] + b"\x90\0\0\0IDAT" + whole["3.png"][41:],
                            "a length in it is damaged"),
                           ("a small PNG of many pixels", whole["3.png"][:16] + b"\0\x40\0\0\0\x10\0\0" + whole["3.png"][24:],
                            "more pixels than so few bytes can hold"),
                           ("a small JPEG of many pixels", re.sub(rb"(\xff\xc0...).{4}", lambda m: m[1] + 4 * b"p", photo,
                                                                flags=re.DOTALL),
                            "more pixels than so few bytes can hold"),
                           ("a BMP of many pixels", b"BM" + b"\0" * 12 + b"\x28\0\0\0\0\x10\0\0\0\x10\0\0" + b"\0" * 99,
                            "it is cut off"),
                           ("the first bytes of a PNG", whole["3.png"][:20], "cut off in its header")):
    put(jpg, content)
    found(f"an image: {name}", [f"lists/train:5: image {tmp}/images/4.jpg: it is {why}" if why.startswith("cut") else why])
    status, _, lines, err = run("detector", "anchors", "data", "-num", "1")
    same((status, lines), (1, [f"{tmp}/images/4.jpg is not an image that can be decoded"]), f"nor are anchors made of it: {name}")
def without_tables(content):
    """A JPEG whose data is coded by tables that it does not define."""
    out, at = content[:2], 2
    while content[at + 1] != 0xda:
        end = at + 2 + int.from_bytes(content[at + 2:at + 4], "big")
        out += b"" if content[at + 1] == 0xc4 else content[at:end]
        at = end
    return out + content[at:]


# The decoder used what its memory held before: what it did depended on the pictures before, as the seed chooses them.
noise = Image.effect_noise((64, 64), 90).convert("RGB")
noise.save(f"{tmp}/images/noise.jpg", quality=90)
put("images/untold.jpg", without_tables(read("images/noise.jpg")))
put("lists/untold", f"{tmp}/images/noise.jpg\n" * 3 + f"{tmp}/images/untold.jpg\n")
put("labels/noise.txt", label(4))
put("labels/untold.txt", label(4))
put("data.untold", read("data").replace(b"lists/train", b"lists/untold"))
ends = [run("detector", "train", "data.untold", "net.cfg", "-seed", str(seed), "-loaders", "1", "-cache", "0", "-nocheck", "-nogpu")
        for seed in range(1, 13)]
ok(all(end[0] == 1 and f"cannot load the image {tmp}/images/untold.jpg" in end[2][-1] for end in ends),
   "a JPEG without its tables is named, whatever was decoded before", [(end[0], end[2][-1:]) for end in ends])
for name in os.listdir("backup"):
    os.remove(f"backup/{name}")
put(jpg, photo + 20000 * b"bytes of a camera")
same(run("check", "data", "net.cfg")[2], [], "bytes behind the end of a JPEG are right")
os.remove(jpg)
found("an image that is missing", ["lists/train:5: image " + f"{tmp}/images/4.jpg: No such file or directory"])
os.mkdir(jpg)
found("a folder in a list", ["lists/train:5: image " + f"{tmp}/images/4.jpg: it is a folder"])
os.rmdir(jpg)
os.mkfifo(jpg)
found("a pipe in a list", ["lists/train:5: image " + f"{tmp}/images/4.jpg: it is no file, but a pipe"])



def chunk(name, content):
    """Of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def as_on_an_iphone(drawn):
    """With a chunk of its own at the beginning, and data without the head of zlib."""
    rows = b"".join(b"\0" + drawn.tobytes()[i:i + 3 * drawn.width] for i in range(0, 3 * drawn.width * drawn.height,
                                                                                3 * drawn.width))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"CgBI", b"P\0 \6") +
            chunk(b"IHDR", struct.pack(">IIBBBBB", drawn.width, drawn.height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)[2:-4]) + chunk(b"IEND", b""))


def saved(drawn, **options):
    file = io.BytesIO()
    drawn.save(file, **options)
    return file.getvalue()


drawn = picture(4)
tables = photo.index(b"\xff\xdb")
turned = Image.Exif()
turned[0x112] = 6
RIGHT_IMAGES = (photo[:tables] + b"\0\0\0" + photo[tables:], photo[:tables] + b"\xff\xff" + photo[tables:], photo + photo,
                saved(drawn, format="JPEG", progressive=True), saved(drawn.convert("L"), format="JPEG"),
                saved(drawn.convert("CMYK"), format="JPEG"), saved(drawn, format="JPEG", exif=turned.tobytes()),
                as_on_an_iphone(drawn), saved(drawn, format="PNG")[:-4], saved(drawn, format="PNG") + b"behind the end",
                saved(drawn.convert("L").convert("I;16"), format="PNG"), saved(drawn.convert("P"), format="PNG"),
                saved(drawn.convert("1"), format="PNG"), saved(drawn.convert("LA"), format="PNG"),
                saved(drawn, format="PNG", save_all=True, append_images=[picture(5)]), saved(drawn, format="GIF"),
                saved(drawn, format="BMP"), saved(drawn, format="PPM"), saved(drawn.convert("L"), format="PPM"),
                saved(drawn, format="TGA"), saved(drawn, format="TGA", compression="tga_rle"),
                saved(Image.new("L", (5000, 5000), 9), format="JPEG", quality=10, progressive=True, optimize=True))
detector()
for i, content in enumerate(RIGHT_IMAGES):
    put(f"images/{i}.png", content)
    put(f"labels/{i}.txt", label(4))
put("lists/train", "".join(f"{tmp}/images/{i}.png\n" for i in range(len(RIGHT_IMAGES))))
put("data", read("data") + b"sampling=epoch\n")
put("net.cfg", YOLO.replace("max_batches=4", "max_batches=8"))
code, _, lines, err = run("detector", "train", "data", "net.cfg", "-nogpu")
ok(code == 0 and not lines and "cannot" not in err, "every kind of image that can be decoded passes, and is trained on", lines)
put("images/4.png", b"\xff\xd8" + b"\xff" * 30000000)
began = time.monotonic()
code, _, lines, _ = run("check", "data", "net.cfg")
ok(code == 1 and len(lines) == 1 and "it is cut off in its header" in lines[0] and time.monotonic() - began < 20,
   "30 MB of bytes that could be the beginning of a segment take no minutes", (time.monotonic() - began, lines))

detector()
lines = read("lists/train").splitlines(keepends=True)
put("lists/train", b"".join(lines[:2] + [b"\n"] + lines[2:4] + [b" \t\n"] + lines[4:]))
found("empty lines in a list", ["lists/train:3: empty line", "lists/train:6: empty line"])
detector()
put("lists/train", b"")
found("a list without images to train", ["the list of images lists/train is empty"])
ok("no object" not in run("check", "data")[3], "of which nothing else is said")
detector()
put("lists/valid", b"")
found("a list without images", ["the list of images lists/valid is empty"])
put("lists/valid", read("lists/train").decode().encode("utf-16"))
found("a list in UTF-16", ["lists/valid:1: the list of images is no text in UTF-8"])
os.remove("lists/valid")
found("a list that is missing", ["cannot read the list of images lists/valid: No such file or directory"])
os.mkdir("lists/valid")
found("a folder in place of a list", ["cannot read the list of images lists/valid: Is a directory"])
os.rmdir("lists/valid")
os.mkfifo("lists/valid")
found("a pipe in place of a list", ["data: valid=lists/valid is no file, but a pipe"])

detector()
put("lists/names", "square\n")
found("fewer names than classes", ["lists/names has 1 names, but there are 2 classes"])
put("lists/names", "square\n\nother\n")
found("an empty line among the names", ["lists/names:2: empty line"])
detector()
put("data", read("data").replace(b"classes = 2", b"classes = 3"))
found("classes= of the data file against the cfg", ["data: classes=3, but the network has 2", "lists/names has 2 names"][:1])
put("data", read("data").replace(b"classes = 3", b"classes = two"))
found("classes= that is no number", ["data:1: classes=two is not valid"])
detector()
put("data", read("data") + b"what is this\ntop =\n")
found("lines of a data file that are none", ["data:6: what is this: a line of a .data file is", "data:7: top= has no value"])
put("data", read("net.cfg"))
for command in (["check"], ["detector", "train"]):
    code, _, lines, _ = run(*command, "data", "net.cfg")
    ok(code == 1 and len(lines) == 1 and "data is a cfg, in the place of <data>" in lines[0],
       f"a cfg in place of the data file of {' '.join(command)}", lines)
detector()
put("net.cfg", read("data"))
found("a data file in place of the cfg", ["net.cfg is a .data file, in the place of [cfg]"], "data", "net.cfg")
detector()
shutil.rmtree("backup")
code, _, lines, _ = run("check", "data", "net.cfg")
ok(code == 1 and lines == ["cannot save weights to the folder backup=backup of data: No such file or directory"],
   "a backup folder that is missing", lines)

detector()
for i in range(8):
    put(f"labels/{i}.txt", "".join("0 0 0 0 0\n" for _ in range(3)))
    if i < 5:
        os.remove(f"images/{i}.png")
put("lists/train", read("lists/train") * 3)
code, out, lines, err = run("check", "data", "net.cfg")
ok(code == 1 and len(lines) == 21 and lines[20] == "and 19 more problems", "of 39 problems 20 are listed, and the others counted",
   lines)

# ---- the cfg ---------------------------------------------------------------------------------------------------------


def with_cfg(old, new, base=YOLO):
    assert old in base
    put("net.cfg", base.replace(old, new))


detector()
for old, new, wanted in (
        ("subdivisions=2", "subdivisions=8", "net.cfg:3: subdivisions=8 is above batch=4: write subdivisions=4"),
        ("subdivisions=2", "subdivisions=3", "net.cfg:3: subdivisions=3 does not divide batch=4: write subdivisions=2"),
        ("subdivisions=2", "subdivisions=0", "net.cfg:3: subdivisions=0: must be a whole number above 0"),
        ("batch=4", "batch=-4", "net.cfg:2: batch=-4: must be a whole number above 0"),
        ("max_batches=4", "max_batches=4\npolicy=steps\nsteps=1,2,3\nscales=.1,.1",
         "net.cfg:11: steps=1,2,3 has 3 numbers, but scales=.1,.1 has 2: must be as many"),
        ("max_batches=4", "max_batches=4\npolicy=steps\nsteps=1", "net.cfg:10: policy=steps needs steps= and scales="),
        ("max_batches=4", "policy=linear\nmax_batches=4", "net.cfg:9: policy=linear is unknown: must be constant, "),
        ("max_batches=4", "max_batches=4\npolicy=steps\nsteps=\nscales=", "net.cfg:10: policy=steps needs steps= and scales="),
        ("width=32", "width=wide", "net.cfg:4: width=wide: must be a whole number above 0"),
        ("channels=3", "channels=1", "net.cfg:6: channels=1: must be 3, as images are loaded"),
        ("channels=3\n", "", "net.cfg:1: channels=: must be 3"),
        ("classes=2", "classes=0", "net.cfg:24: classes=0: must be a whole number above 0"),
        ("max_batches=4\n", "", "net.cfg:1: max_batches is missing in [net]: it must say how many iterations to train"),
        ("max_batches=4", "max_batches=0", "net.cfg:9: max_batches is not above 0"),
        ("classes=2", "classes=20", "data: classes=2, but the network has 20"),
        ("[net]", "[nets]", "net.cfg:1: a cfg begins with [net]")):
    with_cfg(old, new)
    if new == "classes=20":
        put("lists/names", "name\n" * 20)
    found(f"{new or f'no {old}'!r} in a cfg", [wanted])
detector()
for old, new, wanted in (("subdivisions=2", "subdivisions=8", "subdivisions=8 is above batch=4"),
                         ("channels=3", "channels=1", "channels=1: must be 3"),
                         (YOLO, "", "net.cfg:1: a cfg begins with [net]"),
                         ("max_batches=4", "max_batches=4\npolicy=steps\nsteps=1,2\nscales=1", "steps=1,2 has 2 numbers, but")):
    with_cfg(old, new)
    code, _, lines, _ = run("detector", "train", "data", "net.cfg", "-nogpu", "-nocheck")
    ok(code == 1 and len(lines) == 1 and wanted in lines[0], f"{new!r} with -nocheck ends with a line, too", (code, lines))
detector()
put("data", read("data").replace(b"classes = 2", b"classes = 4"))
put("lists/names", "a\nb\nc\nd\n")
code, _, lines, err = run("check", "data")
ok(code == 0 and not lines and "lists/train has no object of 2 of the 4 classes; the first of them is class 2" in err,
   "classes without an object are noted", err[-300:])
detector()
for old, new, note in (("max_batches=4", "max_batches=4\nburn_in=4", "burn_in=4 is not below max_batches=4"),
                       ("batch=4\nsubdivisions=2", "batch=1\nsubdivisions=1", "batch=1: an iteration trains a single image"),
                       ("max_batches=4", "max_batches=4\npolicy=steps\nsteps=2\nscales=.1,.1", "the last ones are not used")):
    with_cfg(old, new)
    code, _, lines, err = run("check", "data", "net.cfg")
    ok(code == 0 and not lines and note in err, f"{new!r} may be meant, and is noted", err[-300:])
put("net.cfg", OLS)
code, _, lines, _ = run("detector", "train", "data", "net.cfg", "-nogpu")
ok(code == 1 and lines == ["net.cfg has no [yolo], [region] or [detection]: it is no detector"],
   "a classifier's cfg for detector train", lines)

# map= in a [region]: label files have the classes of the map
detector()
put("lists/map", "1\n0\n1\n0\n")
put("net.cfg", YOLO.replace("[yolo]\nmask=0\nanchors=8,8", "[region]\nanchors=1,1\nmap=lists/map\ncoords=4"))
put("labels/5.txt", "3 .5 .5 .1 .1\n")
same(run("check", "data", "net.cfg")[2], [], "with map= the classes of label files are lines of the map")
put("labels/5.txt", "4 .5 .5 .1 .1\n")
code, _, lines, _ = run("check", "data", "net.cfg")
ok(code == 1 and len(lines) == 1 and "/labels/5.txt:1: class 4: must be 0 to 3" in lines[0], "and are none beyond it", lines)

# ---- classifiers -----------------------------------------------------------------------------------------------------

classifier()
same(run("check", "data", "net.cfg")[:3],
     (0, "Checked data and net.cfg: 8 images to train, 8 to validate, 2 classes: no problem found\n", []),
     "a classifier's data")
plain = train("classifier")
ok(isinstance(plain, bytes), "which is trained on", plain)
same(run("check", "data")[:2], (0, "Checked data: 8 images to train, 8 to validate, 2 classes: no problem found\n"),
     "and is known as a classifier's without the cfg")
for path in "lists/train", "lists/labels", "data", "net.cfg":
    put(path, as_others_write(read(path).decode()) + b"\r\n")
same(train("classifier"), plain, "CRLF and a byte-order mark change nothing for a classifier")
classifier()
put("lists/train", read("lists/train").replace(b"dog/3", b"cow/3").replace(b"cat/4", b"cat_dog/4"))
for old, new in ("dog/3", "cow/3"), ("cat/4", "cat_dog/4"):
    os.makedirs(os.path.dirname(f"photos/{new}"), exist_ok=True)
    os.rename(f"photos/{old}.png", f"photos/{new}.png")
found("images without a label, and with two", ["lists/train:4: photos/cow/3.png holds none of the labels in lists/labels",
                                                   "lists/train:5: photos/cat_dog/4.png holds 2 of the labels"])
classifier()
put("lists/labels", "cat\n")
found("fewer labels than classes", ["lists/labels has 1 lines, but data says classes=2"])
put("lists/labels", "cat\ndog\ncow\n")
put("data", read("data").replace(b"classes=2", b"classes=3"))
code, _, lines, err = run("check", "data")
ok(code == 0 and not lines and "lists/train has no image of 1 of the 3 classes; the first of them is class 2" in err,
   "labels without an image are noted", err[-300:])
put("data", read("data").replace(b"classes=3", b"classes=2"))
put("lists/labels", "cat\ncat\n")
code, _, lines, _ = run("check", "data")
ok(code == 1 and "holds 2 of the labels in lists/labels: cat, cat" in lines[0], "labels that are one another", lines)
classifier()
os.remove("photos/dog/3.png")
found("an image of a classifier that is missing", ["lists/train:4: image photos/dog/3.png: No such file or directory"])
classifier()
put("lists/tree", "cat -1\ndog -1\n")
put("data", read("data") + b"tree=lists/tree\n")
found("tree= with [ols]", ["data:6: tree=lists/tree does not go together with [ols] (net.cfg:12)"])
put("net.cfg", OLS.replace("[ols]", "[softmax]"))
found("tree= with a [softmax] that has none", ["data:6: tree=lists/tree needs tree=lists/tree in the [softmax] of net.cfg, too"])
put("net.cfg", OLS.replace("[ols]", "[softmax]\ntree=lists/tree"))
same(run("check", "data", "net.cfg")[2], [], "and with one that has it")
os.remove("lists/tree")
found("a tree that is missing", ["cannot read the tree lists/tree: No such file"])
classifier()
put("data", read("data") + b"noise=1.5\n")
found("noise= out of its range", ["data:6: noise=1.5 is not valid: must be a number from 0 to 1"])
classifier()
put("lists/noise", as_others_write("".join(f"{i}.png\t{i // 2 % 2}  \n" for i in range(8)) + "\n \n"))
put("data", read("data") + b"noise_file=lists/noise\n")
code, out, _, err = run("check", "data", "net.cfg")
ok(code == 0 and "Noise: 4 of 8 training labels" in err, "a table of labels with CRLF, a byte-order mark, blanks at the end", err[-300:])
put("lists/noise", "0.png\t1\n\n1.png\t0\n")
found("an empty line within it", ["lists/noise:2: no label: a line is path<TAB>label"])
classifier()
put("net.cfg", OLS.replace("output=2", "output=1000").replace("[ols]", "[softmax]"))
found("a [softmax] of another number of classes",
      ["classes=2 in data, but the network of net.cfg has 1000 outputs: must be the same"])
classifier()
put("net.cfg", OLS.replace("max_batches=4\n", ""))
same(run("check", "data", "net.cfg")[2], [], "a classifier may train without an end")
detector()
code, _, lines, _ = run("classifier", "train", "data", "net.cfg", "-nogpu")
ok(code == 1 and "net.cfg is a detector: train it with darknet detector train" in lines, "a detector's cfg for classifier train",
   lines)

# ---- images whose damage only decoding shows -------------------------------------------------------------------------


def png_without_end():
    """Noise of few values, coded without repetitions, and cut off: the code of zeros is a value's, so that a decoder that
    reads zeros behind the end goes on for ever."""
    values = bytes(random.choice(b"\0\0\0\0\1\2\3") for _ in range(24 * 73))
    deflate = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    data = (deflate.compress(values) + deflate.flush())[:200]

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 24, 24, 8, 2, 0, 0, 0)) + chunk(b"IDAT", data) +
            chunk(b"IEND", b""))


def jpeg_that_fails_an_assertion():
    """A progressive one whose first code table says that differences have 200 bits."""
    file = io.BytesIO()
    picture(4, 64).save(file, format="JPEG", progressive=True, quality=90)
    content = bytearray(file.getvalue())
    at = content.index(b"\xff\xc4") + 5
    symbols = sum(content[at:at + 16])
    content[at + 16:at + 16 + symbols] = bytes([200] * symbols)
    return bytes(content)


YOLO1 = YOLO[:YOLO.index("[convolutional]\nfilters=7")] + (
    "[connected]\noutput=28\nactivation=linear\n[detection]\nclasses=2\ncoords=4\nside=2\nnum=1\nsqrt=1\njitter=.2\n"
    "object_scale=1\nnoobject_scale=.5\nclass_scale=1\ncoord_scale=5\n")
for name, content, cfg in (("a JPEG that fails an assertion", jpeg_that_fails_an_assertion(), YOLO),
                           ("a PNG whose data has no end", png_without_end(), YOLO),
                           ("a small TGA of many pixels", b"\0\0\2" + b"\0" * 9 + b"\0\x50\0\x50\x20\0" + b"\0" * 50, YOLO),
                           ("the same for [detection]", png_without_end(), YOLO1)):
    detector()
    put("net.cfg", cfg)
    put("images/4.png", content)
    put("data", read("data") + b"sampling=epoch\n")
    same(run("check", "data", "net.cfg")[2], [], f"{name}: its header is right")
    stopped = set()
    for seed in "1", "2", "3", "4", "5", "6":
        shutil.rmtree("backup")
        os.makedirs("backup")
        code, _, lines, err = run("detector", "train", "data", "net.cfg", "-nogpu", "-seed", seed)
        wanted = f"cannot load the image {tmp}/images/4.png: it cannot be decoded"
        said = len(lines) == 1 and re.match(re.escape(wanted) + r"(?:; stopped after iteration (\d): \S*backup/net.backup goes on "
                                            r"from there)? \(-skip_bad takes others instead\)$", lines[0])
        stopped.add(said[1] if said and code == 1 and os.listdir("backup") == (["net.backup"] if said[1] else []) else (code, err[-200:]))
    same(stopped, {None, "1"}, f"{name}: it is named, what was trained before is saved, and the status is 1")
    code, _, lines, err = run("detector", "train", "data", "net.cfg", "-nogpu", "-skip_bad")
    ok(code == 0 and not lines and err.count(f"note: skipped the image {tmp}/images/4.png: it cannot be decoded") == 1 and
       "that were skipped: 1" in err and os.path.exists("backup/net_final.weights"),
       f"{name}: -skip_bad takes another one, and says so", (code, err[-300:]))
put("net.cfg", YOLO)
for i in range(8):
    put(f"images/{i}.png", png_without_end())
code, _, lines, err = run("detector", "train", "data", "net.cfg", "-nogpu", "-skip_bad")
ok(code == 1 and len(lines) == 1 and lines[0].endswith("it cannot be decoded"), "-skip_bad is not advised where it was given",
   (code, lines))
detector()
put("images/4.png", b"")
os.remove("images/5.png")
code, _, lines, err = run("detector", "train", "data", "net.cfg", "-nogpu", "-skip_bad")
ok(code == 0 and f"2 images of lists/train cannot be read and will be skipped; the first is line 5: {tmp}/images/4.png: it is empty"
   in err, "-skip_bad skips images that the check finds, too", (code, err[-300:]))
put("images/9.png", png_without_end())
code, _, lines, err = run("detector", "map", "data", "net.cfg", "backup/net_final.weights", "-nogpu")
ok(code == 1 and len(lines) == 1 and f"{tmp}/images/9.png" in lines[0], "detector map names a damaged image", (code, lines))
classifier()
put("photos/dog/3.png", png_without_end())
put("data", read("data") + b"sampling=epoch\n")
code, _, lines, err = run("classifier", "train", "data", "net.cfg", "-nogpu")
ok(code == 1 and len(lines) == 1 and lines[0].startswith("cannot load the image photos/dog/3.png: it cannot be decoded"),
   "classifier train names it", (code, lines))
code, _, lines, err = run("classifier", "train", "data", "net.cfg", "-nogpu", "-skip_bad")
ok(code == 0 and "skipped the image photos/dog/3.png" in err, "and skips it with -skip_bad", (code, err[-300:]))

# The commands that use a network.
DAMAGED = (("a JPEG that fails an assertion", jpeg_that_fails_an_assertion(), "it cannot be decoded"),
           ("a PNG whose data has no end", png_without_end(), "it cannot be decoded"),
           ("a small TGA of many pixels", b"\0\0\2" + b"\0" * 9 + b"\0\x50\0\x50\x20\0" + b"\0" * 50, "it cannot be decoded"),
           ("a small PNG of many pixels", whole["3.png"][:16] + b"\0\x40\0\0\0\x10\0\0" + whole["3.png"][24:],
            "its header says more pixels than so few bytes can hold"),
           ("text", b"hello, I am no image", "it is no JPEG, PNG or BMP"))
detector()
run("detector", "train", "data", "net.cfg", "-nogpu")
for name, content, why in DAMAGED:
    put("images/9.png", content)
    for command in (("valid", "data", "net.cfg", "backup/net_final.weights"),
                    ("test", "data", "net.cfg", "backup/net_final.weights", f"{tmp}/images/9.png")):
        code, _, lines, err = run("detector", *command, "-nogpu")
        ok(code == 1 and len(lines) == 1 and lines[0] == f"cannot load the image {tmp}/images/9.png: {why}",
           f"{name}: detector {command[0]} names it", (code, lines, err[-300:]))
classifier()
put("valid.data", read("data") + b"valid=lists/train\n")
run("classifier", "train", "data", "net.cfg", "-nogpu")
for name, content, why in DAMAGED:
    put("photos/dog/3.png", content)
    for command in (("valid", "valid.data", "net.cfg", "backup/net.weights"),
                    ("predict", "data", "net.cfg", "backup/net.weights", "photos/dog/3.png")):
        code, _, lines, err = run("classifier", *command, "-nogpu")
        ok(code == 1 and len(lines) == 1 and lines[0] == f"cannot load the image photos/dog/3.png: {why}",
           f"{name}: classifier {command[0]} names it", (code, lines, err[-300:]))

# ---- the command -----------------------------------------------------------------------------------------------------

code, out, lines, _ = run("check", "--help")
ok(code == 0 and out.startswith("usage: darknet check <data> [cfg]"), "check explains itself", out)
code, out, lines, err = run("check")
ok(code == 1 and "usage: darknet check" in err, "check without a data file", err)
found("a data file that is missing", ["cannot read the data file nowhere: No such file or directory"], "nowhere")
detector()
ok(re.search(r"(?m)^Checked data and net.cfg: ", run("detector", "train", "data", "net.cfg", "-nogpu")[3]),
   "a training says what was checked")

finish()
