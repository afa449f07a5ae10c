#!/usr/bin/python3
"""scripts/images-to-darknet: layouts, tables, splits, what is reported, and near-duplicates across a split."""

import atexit
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import numpy as np
from PIL import Image, ImageEnhance

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(ROOT, "tests", "helpers"), os.path.join(ROOT, "scripts")]
from tap import finish, ok, same, skip  # noqa: E402
from darknet_data import share_of, split  # noqa: E402
from near_duplicates import differing_bits, nearest, perceptual_hash  # noqa: E402

DATA = os.environ.get("OLS_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data")


def convert(*args, cwd=None):
    """(status, stdout, stderr) of images-to-darknet"""
    done = subprocess.run([os.path.join(ROOT, "scripts", "images-to-darknet"), *args], cwd=cwd, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def refused(name, want, *args, cwd=None):
    """Bad input ends in a line that says `want`, status 1 and no .data file."""
    status, out, err = convert(*args, cwd=cwd)
    out_folder = os.path.join(cwd or "", args[1])
    left = os.listdir(out_folder) if os.path.isdir(out_folder) else []
    ok(status == 1 and out == "" and want in err.splitlines()[-1] and not left, name, (status, out, err, left))


def lines(*path):
    with open(os.path.join(*path)) as file:
        return file.read().splitlines()


def put(content, *path):
    os.makedirs(os.path.dirname(os.path.join(*path)), exist_ok=True)
    with open(os.path.join(*path), "wb" if isinstance(content, bytes) else "w") as file:
        file.write(content)


def picture(number, size=48):
    """An image of large patches in random colours, another one for each number."""
    patches = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(patches).resize((size, size), Image.BICUBIC)


def encoded(number, kind="JPEG"):
    buffer = io.BytesIO()
    picture(number).save(buffer, kind)
    return buffer.getvalue()


count = iter(range(10**6))


def make(folder, names):
    """A tree of images that all differ."""
    kinds = {".png": "PNG", ".bmp": "BMP", ".gif": "GIF", ".ppm": "PPM", ".tga": "TGA"}
    for name in names:
        put(encoded(next(count), kinds.get(os.path.splitext(name)[1].lower(), "JPEG")), folder, name)
    return folder


def data(path):
    return dict(line.split(" = ") for line in lines(path))


tmp = tempfile.mkdtemp(prefix="images-to-darknet.")
atexit.register(shutil.rmtree, tmp)

# ---- a folder for each class ----
make(f"{tmp}/pets", [f"{c}/{i:02d}.jpg" for c, n in (("dog", 20), ("cat", 10), ("big ant", 5)) for i in range(n)])
status, out, err = convert("pets", "set", "--val", ".2", "--seed", "1", cwd=tmp)
same((status, err, out), (0, "", "images-to-darknet: 28 train, 7 valid images of 3 classes: set/set.data; problems: none\n"),
     "a sound set is converted without a word on stderr")
train, valid = lines(tmp, "set/train.list"), lines(tmp, "set/valid.list")
same(sorted(train + valid), sorted(f"pets/{c}/{i:02d}.jpg" for c, n in (("dog", 20), ("cat", 10), ("big ant", 5))
                                   for i in range(n)), "every image is on one side, with its path as the folder was given")
same([sum(f"/{c}/" in path for path in valid) for c in ("big ant", "cat", "dog")], [1, 2, 4], "--val .2 of each class")
same((lines(tmp, "set/set.names"), lines(tmp, "set/labels.txt")), (["big ant", "cat", "dog"],) * 2, "names and labels, sorted")
same(lines(tmp, "set/set.data"), [
    "classes = 3", "train = set/train.list", "valid = set/valid.list", "test = set/valid.list", "labels = set/labels.txt",
    "names = set/set.names", "backup = set/backup", "top = 1", "truth = folder"], "set.data says truth=folder")
same(sorted(os.listdir(f"{tmp}/set")), ["backup", "labels.txt", "set.data", "set.names", "train.list", "valid.list"],
     "nothing else is written")
# Darknet's own rule, where it can be right: each name occurs in the paths of its class and in no other.
same([[name for name in lines(tmp, "set/labels.txt") if name in path] for path in train],
     [[path.split("/")[1]] for path in train], "each path holds exactly one label")

# ---- the split ----
convert(f"{tmp}/pets", f"{tmp}/again", "--val", ".2")
same([path[len(tmp) + 1:] for path in lines(tmp, "again/valid.list")], valid, "the same images wherever the set lies; seed 1 is "
     "the default")
convert("pets", "other", "--val", ".2", "--seed", "2", cwd=tmp)
ok(lines(tmp, "other/valid.list") != valid, "another seed takes others")
convert("pets", "default", cwd=tmp)
same(lines(tmp, "default/valid.list"), valid, "without --val a fifth")
status, out, err = convert("pets", "again", "--val", "0", cwd=tmp)
ok(status == 0 and len(lines(tmp, "again/train.list")) == 35 and not os.path.exists(f"{tmp}/again/valid.list") and
   "valid" not in data(f"{tmp}/again/again.data"), "--val 0: none, and the list of an earlier run goes", err)
paths = [f"cat/{i}.jpg" for i in range(1100)]
before, after = split(paths[:1000], 200, 7), split(paths, 220, 7)
moved = len(before - after) + len((after - before) & set(paths[:1000]))
ok(len(before) == 200 and moved <= 20, "a tenth more images: few earlier ones change sides", moved)
moved = [len(split(paths[:n], share_of(n, .2), 7) ^ (split(paths[:n + 1], share_of(n + 1, .2), 7) - {paths[n]}))
         for n in range(2, 300)]
same(max(moved), 1, "one more image: at most one other changes sides")
same([share_of(n, .2) for n in (0, 1, 2, 3, 10, 100)], [0, 0, 1, 1, 2, 20], "shares; of two images one validates")
same((share_of(3, .99), share_of(5, 0)), (2, 0), "one is left to train on, and a share of 0 is none")

# ---- parts, endings, nesting ----
make(f"{tmp}/parts", ["train/a/1.JPG", "train/a/2.jpeg", "train/b/3.PNG", "train/b/4.bmp", "train/b/5.Gif", "train/a/6.ppm",
                      "train/a/7.tga", "test/a/1.jpg", "test/b/2.jpg"])
status, out, err = convert("parts", "p", cwd=tmp)
same((status, err, len(lines(tmp, "p/train.list")), lines(tmp, "p/valid.list")),
     (0, "", 7, ["parts/test/a/1.jpg", "parts/test/b/2.jpg"]), "train and test; endings of all formats in any case")
status, out, err = convert("parts", "p", "--val", ".3", cwd=tmp)
same((len(lines(tmp, "p/train.list")), len(lines(tmp, "p/valid.list")), lines(tmp, "p/test.list")),
     (5, 2, ["parts/test/a/1.jpg", "parts/test/b/2.jpg"]), "--val beside a test folder")
same([data(f"{tmp}/p/p.data")[key] for key in ("valid", "test")], ["p/valid.list", "p/test.list"], "valid= and test= then differ")
for name in ("val", "valid", "validation"):
    make(f"{tmp}/with-{name}", ["train/a/1.jpg", "train/b/1.jpg", f"{name}/a/2.jpg", f"{name}/b/3.jpg", "test/b/4.jpg"])
    convert(f"with-{name}", name, cwd=tmp)
    same([[os.path.basename(path) for path in lines(tmp, name, part + ".list")] for part in ("train", "valid", "test")],
         [["1.jpg", "1.jpg"], ["2.jpg", "3.jpg"], ["4.jpg"]], f"train, {name} and test")
refused("--val where a validation folder is", "has a folder of images to validate on", "with-val", "v1", "--val", ".2", cwd=tmp)
make(f"{tmp}/both", ["train/a/1.jpg", "val/a/2.jpg", "valid/a/2.jpg"])
refused("two validation folders", "has val and valid", "both", "v2", cwd=tmp)
make(f"{tmp}/vehicles", ["bus/1.jpg", "bus/2.jpg", "train/1.jpg", "train/2.jpg"])
convert("vehicles", "veh", cwd=tmp)
same(lines(tmp, "veh/veh.names"), ["bus", "train"], "a class may be named train")
make(f"{tmp}/digits", [f"{i}/1.jpg" for i in range(11)])
convert("digits", "dig", "--val", "0", cwd=tmp)
same(lines(tmp, "dig/dig.names"), [str(i) for i in range(11)], "classes that are numbers are in the order of these")
make(f"{tmp}/deep", ["a/1.jpg", "a/more/2.jpg", "b/1.jpg", "b/2.jpg"])
convert("deep", "d", "--val", "0", cwd=tmp)
same((lines(tmp, "d/train.list"), data(f"{tmp}/d/d.data")["truth"]),
     (["deep/a/1.jpg\ta", "deep/a/more/2.jpg\ta", "deep/b/1.jpg\tb", "deep/b/2.jpg\tb"], "list"),
     "images in folders of a class's folder: the lists carry the labels, and truth=list")

# ---- problems ----
sick = make(f"{tmp}/sick", ["Ant/1.jpg", "Ant/2.jpg", "ant/1.jpg", "ant/2.jpg", "bee/1.jpg", "bee/2.jpg", "loose.jpg"])
put("x", sick, "bee", "notes.txt")
put("x", sick, "readme.txt")
put(encoded(1)[:-200], sick, "bee", "cut.jpg")
put("x", sick, "bee", "text.jpg")
put("x", sick, "bee", ".hidden.jpg")
put(encoded(2), sick, "bee", "a\tb.jpg")
picture(3).save(f"{sick}/bee/webp.jpg", "WEBP")
os.makedirs(f"{sick}/cow")
status, out, err = convert("sick", "s", cwd=tmp)
for want in ("bee/notes.txt: no image: left out", "readme.txt: no image: left out", "bee/cut.jpg: unreadable image: image file is truncated",
             "bee/text.jpg: unreadable image: cannot identify", "bee/webp.jpg: unreadable image: Darknet does not decode WEBP",
             "unusable name: it holds a tab", "loose.jpg: no class: lies beside", "cow: empty class: has no image",
             "Ant: alike names: 'Ant' and 'ant' differ in case alone"):
    ok("images-to-darknet: " in err and want in err, f"reported: {want}", err)
same((status, len(err.splitlines()), out), (0, 9, "images-to-darknet: 3 train, 3 valid images of 3 classes: s/s.data; problems: "
     "1 x no class, 2 x no image, 1 x unusable name, 3 x unreadable image, 1 x empty class, 1 x alike names\n"),
     "the summary counts each kind; what is hidden is not mentioned")
same(lines(tmp, "s/s.names"), ["Ant", "ant", "bee"], "an empty class has no number")
refused("--strict: one problem is an error and nothing is written", "--strict, nothing written", "sick", "s2", "--strict", cwd=tmp)
for i in range(25):
    put("x", sick, "bee", f"notes{i}.txt")
status, out, err = convert("sick", "s", cwd=tmp)
ok(err.count(": no image: ") == 21 and "no image: that was the 20th" in err and "27 x no image" in out,
   "of a kind twenty are printed, and all are counted", err)
make(f"{tmp}/untrained", ["train/a/1.jpg", "test/a/1.jpg", "test/b/1.jpg"])
status, out, err = convert("untrained", "u", cwd=tmp)
ok(status == 0 and "b: nothing to train on" in err, "a class that is in the test folder alone", err)

# ---- tables ----
make(f"{tmp}/flat", [f"{i}.jpg" for i in range(6)] + ["more/6.jpg", "unlabelled.jpg"])
table = "0.jpg,cat\n1.jpg,dog\n2.jpg,cat\n3.jpg,dog\n4.jpg,\"dog, wet\"\n5.jpg,dog\nmore/6.jpg,cat\n"
put(table, tmp, "plain.csv")
status, out, err = convert("flat", "t", "--labels", "plain.csv", "--val", "0", cwd=tmp)
want = ["flat/0.jpg\tcat", "flat/2.jpg\tcat", "flat/more/6.jpg\tcat", "flat/1.jpg\tdog", "flat/3.jpg\tdog", "flat/5.jpg\tdog",
        "flat/4.jpg\tdog, wet"]
same((status, sorted(lines(tmp, "t/train.list")), data(f"{tmp}/t/t.data")["truth"], lines(tmp, "t/t.names")),
     (0, sorted(want), "list", ["cat", "dog", "dog, wet"]), "a table without a header: lists of path, tab, label")
ok("unlabelled.jpg: no label" in err, "an image that is not in the table is reported", err)
put("split,label,file\n" + "".join(f"x,{line.split(',', 1)[1]},{line.split(',', 1)[0]}\n" for line in table.splitlines()),
    tmp, "head.csv")
convert("flat", "t-head", "--labels", "head.csv", "--val", "0", cwd=tmp)
same(sorted(lines(tmp, "t-head/train.list")), sorted(want), "a header tells which columns they are")
put("id\tbreed\r\n" + "".join(f"{i}\t{'cat' if i < 3 else 'dog'}\r\n" for i in range(6)), tmp, "flat/labels.tsv")
status, out, err = convert("flat", "t-tsv", "--labels", "labels.tsv", "--val", "0", cwd=tmp)
same(sorted(lines(tmp, "t-tsv/train.list")), [f"flat/{i}.jpg\t{'cat' if i < 3 else 'dog'}" for i in range(6)],
     "TSV, files without their ending, a table that lies in the folder, Windows' line ends")
ok("no image" not in err, "which is not reported as a file that is none", err)
put("0.jpg,cat\n0.jpg,cat\n1.jpg,cat\n1.jpg,dog\n9.jpg,cat\n2.jpg\n3.jpg,dog\n", tmp, "bad.csv")
status, out, err = convert("flat", "t-bad", "--labels", "bad.csv", "--val", "0", cwd=tmp)
for want in ("bad.csv: listed twice: line 2: 0.jpg", "bad.csv: two labels: line 4: 1.jpg is 'dog' here and 'cat' before",
             "bad.csv: missing image: line 5: 9.jpg", "bad.csv: bad line: line 6"):
    ok(want in err, f"reported: {want}", err)
same(lines(tmp, "t-bad/train.list"), ["flat/0.jpg\tcat", "flat/3.jpg\tdog"], "and what is sound is listed")
put("0.jpg\n1.jpg\n", tmp, "one.csv")
refused("a table of one column", "has one column", "flat", "t1", "--labels", "one.csv", cwd=tmp)
refused("no such table", "nope.csv: no such file", "flat", "t2", "--labels", "nope.csv", cwd=tmp)

# ---- archives ----
with tarfile.open(f"{tmp}/pets.tar.gz", "w:gz") as tar:
    tar.add(f"{tmp}/pets", "some/where/pets")
    info = tarfile.TarInfo("some/where/pets/dog/link.jpg")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    tar.addfile(info)
status, out, err = convert("pets.tar.gz", "tar", "--val", ".2", cwd=tmp)
same((status, [path.replace("tar/images/", "pets/") for path in lines(tmp, "tar/valid.list")]), (0, valid),
     "an archive is unpacked into OUT/images, without the folders around it, and split as the folder is")
ok(all(os.path.isfile(f"{tmp}/{path}") for path in lines(tmp, "tar/train.list")) and
   "1 members are none" in err and not os.path.lexists(f"{tmp}/tar/images/dog/link.jpg") and
   not [name for name in os.listdir(f"{tmp}/tar") if name.startswith(".")], "all is there, links are not, and no work folder", err)
status, out, err = convert("pets.tar.gz", "tar", cwd=tmp)
ok(status == 1 and "is there already" in err, "nothing is unpacked over it", err)
status, out, err = convert("tar/images", "tar", "--val", ".2", "--no-duplicates-check", cwd=tmp)
same((status, len(lines(tmp, "tar/train.list"))), (0, 28), "but lists of it are written anew")
with zipfile.ZipFile(f"{tmp}/flat.zip", "w") as archive:
    archive.write(f"{tmp}/flat/0.jpg", "0.jpg")
    archive.write(f"{tmp}/flat/1.jpg", "1.jpg")
    archive.writestr("__MACOSX/._0.jpg", "x")
    archive.writestr("train.csv", "0.jpg,cat\n1.jpg,dog\n")
status, out, err = convert("flat.zip", "zip", "--labels", "train.csv", "--val", "0", cwd=tmp)
same((status, lines(tmp, "zip/train.list")), (0, ["zip/images/0.jpg\tcat", "zip/images/1.jpg\tdog"]),
     "a zip archive that holds its table")
with zipfile.ZipFile(f"{tmp}/up.zip", "w") as archive:
    archive.writestr("a/1.jpg", encoded(1))
    archive.writestr("../up.jpg", encoded(2))
refused("a member that leads out", "unpacked outside", "up.zip", "z1", cwd=tmp)
ok(not os.path.exists(f"{tmp}/up.jpg"), "is not written")
with open(f"{tmp}/flat.zip", "rb") as whole:
    put(whole.read()[:-100], tmp, "cut.zip")
refused("a zip archive that is cut short", "no whole zip archive", "cut.zip", "z2", cwd=tmp)
with open(f"{tmp}/pets.tar.gz", "rb") as whole:
    put(whole.read()[:-100], tmp, "cut.tar.gz")
for name in ("../up.jpg", f"{tmp}/up.jpg"):
    with tarfile.open(f"{tmp}/up.tar", "w") as tar:
        tar.add(f"{tmp}/pets/dog/00.jpg", "dog/1.jpg")
        info = tar.gettarinfo(f"{tmp}/pets/dog/01.jpg")
        info.name = name
        tar.addfile(info, open(f"{tmp}/pets/dog/01.jpg", "rb"))
    refused(f"a member of a tar archive that leads to {name.replace(tmp, '')}", "unpacked outside", "up.tar", "z4", cwd=tmp)
ok(not os.path.exists(f"{tmp}/up.jpg"), "is not written")
refused("a tar archive that is cut short", "no whole tar archive", "cut.tar.gz", "z3", cwd=tmp)
shutil.make_archive(f"{tmp}/sick", "tar", sick)
refused("--strict leaves nothing of an archive", "--strict", "sick.tar", "z4", "--strict", cwd=tmp)

# ---- near-duplicates ----
alike = make(f"{tmp}/alike", [f"{part}/{c}/{i}.jpg" for part, n in (("train", 30), ("test", 10)) for c in "ab" for i in range(n)])
photo = picture(12345, 96)
photo.save(f"{alike}/train/a/photo.png")
ImageEnhance.Brightness(photo.resize((64, 64))).enhance(.8).save(f"{alike}/test/a/darker.jpg", quality=60)
shutil.copy(f"{alike}/train/b/7.jpg", f"{alike}/test/a/copy.jpg")
Image.new("RGB", (32, 32), "red").save(f"{alike}/train/a/flat.png")
Image.new("RGB", (32, 32), "blue").save(f"{alike}/test/a/flat.png")
status, out, err = convert("alike", "n", cwd=tmp)
ok("test/a/darker.jpg: near-duplicate: looks like train/a/photo.png, which is trained on (" in err,
   "smaller, darker and compressed, it is found", err)
ok("test/a/copy.jpg: near-duplicate: looks like train/b/7.jpg, which is trained on, but a here and b there (0 of 64" in err,
   "a copy under another label", err)
same((status, out.partition("problems: ")[2], len(lines(tmp, "n/valid.list"))), (0, "2 x near-duplicate\n", 23),
     "no other image is taken for one, and they stay in the list")
table = [line.split("\t") for line in lines(tmp, "n/duplicates.tsv")]
same((table[0][:3], table[1]), (["image", "class", "training image"], ["alike/test/a/copy.jpg", "a", "alike/train/b/7.jpg", "b", "0"]),
     "duplicates.tsv has them all")
status, out, err = convert("alike", "n", "--drop-duplicates", cwd=tmp)
same((len(lines(tmp, "n/valid.list")), [path for path in lines(tmp, "n/valid.list") if "darker" in path or "copy" in path],
      len(lines(tmp, "n/train.list"))), (21, [], 62), "--drop-duplicates leaves them out of the validation list")
status, out, err = convert("alike", "n", "--no-duplicates-check", cwd=tmp)
ok(err == "" and not os.path.exists(f"{tmp}/n/duplicates.tsv"), "--no-duplicates-check, and the table of an earlier run goes", err)
convert("alike", "n", "--val", ".1", cwd=tmp)
ok(len(lines(tmp, "n/duplicates.tsv")) == 3 and "alike/test/a/copy.jpg" in "".join(lines(tmp, "n/duplicates.tsv")),
   "a test set beside a validation set is compared too")

rng = np.random.default_rng(1)
known = rng.integers(0, 1 << 63, 500).astype(np.uint64)
known[100:] = known[rng.integers(0, 100, 400)] ^ np.bitwise_or.reduce(
    np.uint64(1) << rng.integers(0, 64, (400, 3)).astype(np.uint64), axis=1)
asked = known[::3] ^ np.bitwise_or.reduce(np.uint64(1) << rng.integers(0, 64, (167, 4)).astype(np.uint64), axis=1)
bits = np.array([[bin(int(a) ^ int(b)).count("1") for a in known] for b in asked])
same(differing_bits(known[None], asked[:, None]).tolist(), bits.tolist(), "differing bits, as Python counts them")
for limit, at_once in ((0, 1 << 22), (3, 1 << 22), (4, 7)):
    index, distance = nearest(known, asked, limit, at_once)
    least = bits.min(axis=1)
    found = index >= 0
    same(((least <= limit).tolist(), least[found].tolist(), bits[np.arange(len(asked)), index][found].tolist()),
         (found.tolist(), distance[found].tolist(), distance[found].tolist()),
         f"the nearest within {limit}, {at_once} pairs at a time, as all pairs tell")
same([a.tolist() for a in nearest([], [1])] + [a.tolist() for a in nearest([1], [])], [[-1], [5], [], []], "of none there is none")
# The definition, slowly: the cosine transform's frequencies 1 to 8 against their median.
grey = np.asarray(picture(5).convert("L").resize((32, 32)), float)
waves = [sum(grey[y, x] * np.cos(np.pi * u * (2 * y + 1) / 64) * np.cos(np.pi * v * (2 * x + 1) / 64)
             for y in range(32) for x in range(32)) for u in range(1, 9) for v in range(1, 9)]
same(bin(perceptual_hash(grey)), bin(int("".join(str(int(w > np.median(waves))) for w in waves), 2)), "the hash, by its definition")
same(perceptual_hash(np.full((32, 32), 200)), None, "an image of one grey has none")

# ---- arguments ----
refused("white space in OUT", "white space", "pets", "a b", cwd=tmp)
refused("no such source", "No such file", "nope", "o1", cwd=tmp)
refused("a share of 1", "--val", "pets", "o2", "--val", "1", cwd=tmp)
refused("a folder of images alone", "--labels tells the classes", "flat/more", "o3", cwd=tmp)
make(f"{tmp}/single", ["a/1.jpg", "b/1.jpg"])
refused("nothing to validate on", "every class has one image", "single", "o4", cwd=tmp)
refused("options that exclude each other", "do not go together", "pets", "o5", "--drop-duplicates", "--no-duplicates-check", cwd=tmp)
refused("a name that is a path", "must be a file name", "pets", "o7", "--name", "a/b", cwd=tmp)
convert("pets", "o6", "--name", "my", cwd=tmp)
ok({"my.data", "my.names"} <= set(os.listdir(f"{tmp}/o6")), "--name")
status, out, err = convert("--help")
ok(status == 0 and all(option in out for option in ("--labels", "--val", "--seed", "--name", "--no-duplicates-check",
                                                    "--drop-duplicates", "--strict")), "--help names every option")

# ---- a real set: the first ten training and five test images of each class ----
real = os.path.join(DATA, "imagenet32-100.tar.gz")
if os.path.exists(real):
    with tarfile.open(real) as tar, tarfile.open(f"{tmp}/real.tar", "w") as part:
        for member in tar:
            number = os.path.basename(member.name)
            if member.isfile() and number < ("0010" if member.name.startswith("train/") else "0005"):
                part.addfile(member, tar.extractfile(member))
    status, out, err = convert("real.tar", "real", cwd=tmp)
    same((status, out), (0, "images-to-darknet: 1000 train, 500 valid images of 100 classes: real/real.data; problems: none\n"),
         "photographs of 100 classes, from an archive")
    names = lines(tmp, "real/real.names")
    same([path.split("/")[3] for path in lines(tmp, "real/valid.list")], [name for name in names for _ in range(5)],
         "in the order of the classes")
else:
    skip("photographs of 100 classes, from an archive", f"no {real}")
real = os.path.join(DATA, "cifar10-jpeg.tar.gz")
if os.path.exists(real):
    status, out, err = convert(real, "cifar10", cwd=tmp)
    same((status, out, len(lines(tmp, "cifar10/duplicates.tsv"))), (0, "images-to-darknet: 50000 train, 10000 valid images of 10 "
         "classes: cifar10/cifar10.data; problems: 73 x near-duplicate\n", 74), "all of CIFAR-10, with its near-duplicates")
else:
    skip("all of CIFAR-10, with its near-duplicates", f"no {real}")

finish()
