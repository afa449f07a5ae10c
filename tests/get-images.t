#!/usr/bin/python3
"""scripts/get-images: from archives of the published layouts, made here of a few images, to lists; from a server that cuts
connections; and archives that would do harm."""

import atexit
import hashlib
import io
import os
import pickle
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

import numpy as np
from PIL import Image

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(ROOT, "tests", "helpers"), os.path.join(ROOT, "scripts")]
from bad_server import Server  # noqa: E402
from tap import finish, ok, same, skip  # noqa: E402
from image_sets import FLOWERS, SETS  # noqa: E402

tmp = tempfile.mkdtemp(prefix="get-images.")
atexit.register(shutil.rmtree, tmp)


def get(*args, **options):
    """(status, stdout, stderr without warnings of small numbers) of get-images, started in tmp"""
    done = subprocess.run([os.path.join(ROOT, "scripts", "get-images"), *args], capture_output=True, text=True, timeout=300,
                          cwd=tmp, **options)
    return done.returncode, done.stdout, "".join(line for line in done.stderr.splitlines(True) if "WARNING" not in line)


def refused(name, want, *args, **options):
    """Bad input ends in one line that says `want`, status 1 and no images."""
    status, out, err = get(*args, **options)
    left = [entry for entry in os.listdir(f"{tmp}/{args[1]}") if "images" in entry] if os.path.isdir(f"{tmp}/{args[1]}") else []
    ok(status == 1 and out == "" and want in err.splitlines()[-1] and "Traceback" not in err and not left, name,
       (status, out, err, left))


def lines(*path):
    with open(os.path.join(tmp, *path)) as file:
        return file.read().splitlines()


def entries(*path):
    """(what follows images/, label or None) of a list, sorted"""
    found = [line.split("\t") for line in lines(*path)]
    return sorted((path.split("/images/")[1], label[0] if label else None) for path, *label in found)


def data(*path):
    return dict(line.split(" = ") for line in lines(*path))


# ---- archives of a few images ----

count = iter(range(10**6))


def photo(kind="JPEG"):
    """An image that no other resembles."""
    patches = np.random.default_rng(next(count)).integers(0, 256, (6, 6, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(patches).resize((48, 48), Image.BICUBIC).save(out, kind)
    return out.getvalue()


def tar_of(files, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def put(content, *path):
    os.makedirs(os.path.dirname(os.path.join(tmp, *path)), exist_ok=True)
    with open(os.path.join(tmp, *path), "wb") as file:
        file.write(content)


def mat(**variables):
    import scipy.io
    out = io.BytesIO()
    scipy.io.savemat(out, variables)
    return out.getvalue()


def table(names, rows):
    """An array of structs."""
    array = np.empty(len(rows), [(name, object) for name in names])
    for i, row in enumerate(rows):
        array[i] = row
    return array


class Python2Pickler(pickle._Pickler):
    """Writes strings as Python 2 did, which CIFAR's archives were pickled with."""

    def save_string(self, text):
        text = text if isinstance(text, bytes) else text.encode("latin1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(text)) + text)
        self.memoize(text)
    dispatch = {**pickle._Pickler.dispatch, bytes: save_string, str: save_string}


def pickled(value):
    out = io.BytesIO()
    Python2Pickler(out, 2).dump(value)
    return out.getvalue()


rng = np.random.default_rng(1)


def pixels(count):
    """Images of blocks, which all differ, as CIFAR's archives hold them."""
    return rng.integers(0, 256, (count, 3, 4, 4), np.uint8).repeat(8, 2).repeat(8, 3).reshape(count, 3072)


def sums_of(folder):
    """Writes the sums of all archives there. Returns options that make get-images take them."""
    text = "".join(f"{hashlib.md5(open(os.path.join(tmp, folder, name), 'rb').read()).hexdigest()}  {name}\n"
                   for name in sorted(os.listdir(f"{tmp}/{folder}")))
    put(text.encode(), f"{folder}.md5")
    return ["--from", folder, "--md5", f"{folder}.md5"]


# ---- CIFAR ----
CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck".split()
batches = {f"data_batch_{i}": {b"data": pixels(2), b"labels": [i - 1, i + 4]} for i in range(1, 6)}
batches["test_batch"] = {b"data": pixels(2), b"labels": [9, 3]}
batches["batches.meta"] = {b"label_names": [name.encode() for name in CIFAR10]}


def cifar10(folder, **changed):
    put(tar_of({f"cifar-10-batches-py/{name}": content for name, content in {
        "readme.html": b"x", **{name: pickled(value) for name, value in batches.items()}, **changed}.items()}, "w:gz"),
        f"{folder}/cifar-10-python.tar.gz")
    return folder


status, out, err = get("cifar10", "cifar10", *sums_of(cifar10("c10")))
same((status, err, out), (0, "", "get-images: 10 train, 2 valid images of 10 classes: cifar10/cifar10.data; problems: none\n"),
     "CIFAR-10; the last line is that of images-to-darknet")
same((lines("cifar10/labels.txt"), lines("cifar10/cifar10.names")), (CIFAR10, CIFAR10), "its classes, in its order")
same(lines("cifar10/valid.list"), ["cifar10/images/test/cat/00001.png", "cifar10/images/test/truck/00000.png"],
     "test images by class; their names are their numbers")
same([path for path in lines("cifar10/train.list") if "frog" in path or "airplane" in path],
     ["cifar10/images/train/airplane/00000.png", "cifar10/images/train/frog/00003.png"], "training images by class")
same((sorted(lines("cifar10/train.list"))[1], sorted(lines("cifar10/train.list"))[-1]),
     ("cifar10/images/train/automobile/00002.png", "cifar10/images/train/truck/00009.png"), "the training files are counted on")
image = np.asarray(Image.open(f"{tmp}/cifar10/images/train/truck/00009.png"))
same(image.transpose(2, 0, 1).reshape(-1).tolist(), batches["data_batch_5"][b"data"][1].tolist(), "bit by bit the same pixels")
same(lines("cifar10/cifar10.data"), [
    "classes = 10", "train = cifar10/train.list", "valid = cifar10/valid.list", "test = cifar10/valid.list",
    "labels = cifar10/labels.txt", "names = cifar10/cifar10.names", "backup = cifar10/backup", "top = 5", "truth = folder"],
    "cifar10.data says truth=folder")
same((sorted(os.listdir(f"{tmp}/cifar10")), sorted(os.listdir(f"{tmp}/cifar10/images"))),
     (["backup", "cifar10.data", "cifar10.names", "images", "labels.txt", "train.list", "valid.list"],
      ["classes.tsv", "test", "train"]), "nothing else is left")

fine = {b"fine_label_names": [b"apple", b"bee", b"pear", b"wasp"], b"coarse_label_names": [b"fruit", b"insects"]}
both = {b"data": pixels(8), b"fine_labels": [0, 1, 2, 3] * 2, b"coarse_labels": [0, 1, 0, 1] * 2}
half = {**both, b"data": pixels(8)}
put(tar_of({f"cifar-100-python/{name}": pickled(value) for name, value in (("meta", fine), ("test", half), ("train", both))}),
    "c100/cifar-100-python.tar.gz")
status, out, err = get("cifar100", "cifar100", *sums_of("c100"))
same((status, err, lines("cifar100/labels.txt"), data("cifar100/cifar100.data")["truth"], lines("cifar100/valid.list")[0]),
     (0, "", ["apple", "bee", "pear", "wasp"], "folder", "cifar100/images/test/fruit/apple/00000.png"), "CIFAR-100, fine classes")
status, out, err = get("cifar100", "cifar100", "--level", "coarse", "--from", "c10")
same((status, err, lines("cifar100/labels.txt"), data("cifar100/cifar100.data")["truth"], entries("cifar100/valid.list")[::7]),
     (0, "", ["fruit", "insects"], "list", [("test/fruit/apple/00000.png", "fruit"), ("test/insects/wasp/00007.png", "insects")]),
     "coarse classes of the same images, for which no archive is needed")
status, out, err = get("cifar100", "cifar100", "--val", ".5", "--seed", "3")
same((status, out), (0, "get-images: 4 train, 4 valid, 8 test images of 4 classes: cifar100/cifar100.data; problems: none\n"),
     "--val takes of the training images, and the test images are test.list")

# ---- CUB-200-2011 ----
birds = ["001.Black_footed_Albatross", "002.Crow"]
photos = {f"{birds[i % 2]}/{i}.jpg": str(i) for i in range(1, 7)}
cub = {"classes.txt": "".join(f"{i} {name}\n" for i, name in enumerate(birds, 1)),
       "images.txt": "".join(f"{i} {name}\n" for name, i in photos.items()),
       "image_class_labels.txt": "".join(f"{i} {birds.index(name.split('/')[0]) + 1}\n" for name, i in photos.items()),
       "train_test_split.txt": "".join(f"{i} {int(int(i) < 5)}\n" for i in photos.values())}
cub = {f"CUB_200_2011/{name}": text.encode() for name, text in cub.items()}
cub["CUB_200_2011/parts/parts.txt"] = cub["attributes.txt"] = b"x"
cub.update({f"CUB_200_2011/images/{name}": photo() for name in photos})
put(tar_of(cub, "w:gz"), "cub/CUB_200_2011.tgz")
status, out, err = get("cub200", "cub200", *sums_of("cub"))
same((status, err, lines("cub200/labels.txt"), lines("cub200/cub200.names"), data("cub200/cub200.data")["truth"]),
     (0, "", birds, ["Black footed Albatross", "Crow"], "folder"), "CUB-200-2011: names for people beside the labels")
same((entries("cub200/train.list"), entries("cub200/valid.list")),
     ([(f"train/{birds[i % 2]}/{i}.jpg", None) for i in (2, 4, 1, 3)], [(f"test/{birds[i % 2]}/{i}.jpg", None) for i in (6, 5)]),
     "split as its table says")
same(open(f"{tmp}/cub200/images/test/{birds[1]}/5.jpg", "rb").read(), cub[f"CUB_200_2011/images/{birds[1]}/5.jpg"],
     "photographs are as they were")

# ---- sets with MATLAB files ----
try:
    import scipy.io  # noqa: F401
    missing = ""
except ImportError:
    missing = "no SciPy"
if missing:
    skip("Flowers-102, Stanford Cars and ImageNet", missing)
else:
    put(tar_of({f"jpg/image_{i:05d}.jpg": photo() for i in range(1, 307)}, "w:gz"), "flowers/102flowers.tgz")
    put(mat(labels=np.arange(306)[None] % 102 + 1), "flowers/imagelabels.mat")
    put(mat(trnid=np.arange(1, 103)[None], valid=np.arange(103, 205)[None], tstid=np.arange(205, 307)[None]), "flowers/setid.mat")
    status, out, err = get("flowers102", "flowers102", *sums_of("flowers"))
    same((status, out, len(lines("flowers102/labels.txt")), lines("flowers102/labels.txt")[0], lines("flowers102/labels.txt")[-1]),
         (0, "get-images: 204 train, 102 valid images of 102 classes: flowers102/flowers102.data; problems: none\n", 102,
          "pink primrose", "blackberry lily"), "Flowers-102: train and valid are trained on; the names of its page")
    same(entries("flowers102/train.list")[:2], [("train/alpine sea holly/image_00035.jpg", None),
                                                ("train/alpine sea holly/image_00137.jpg", None)], "by image number and class number")

    makes = ["AM General Hummer SUV 2000", "Ram C/V Cargo Van Minivan 2012"]
    fields = ("bbox_x1", "class", "fname")
    put(tar_of({"devkit/cars_meta.mat": mat(class_names=np.array(makes, object)[None]), "devkit/README.txt": b"x",
                "devkit/cars_train_annos.mat": mat(annotations=table(fields, [(1, 1 + i % 2, f"{i:05d}.jpg") for i in range(4)])[None])},
               "w:gz"), "cars/car_devkit.tgz")
    put(tar_of({f"cars_train/{i:05d}.jpg": photo() for i in range(4)}), "cars/cars_train.tgz")
    put(tar_of({f"cars_test/{i:05d}.jpg": photo() for i in range(2)}), "cars/cars_test.tgz")
    put(mat(annotations=table(fields, [(1, 2 - i, f"{i:05d}.jpg") for i in range(2)])[None]),
        "cars/cars_test_annos_withlabels.mat")
    status, out, err = get("cars", "cars-set", *sums_of("cars"))
    same((status, err, lines("cars-set/labels.txt"), lines("cars-set/cars.names")),
         (0, "", [makes[0], makes[1].replace("/", "-")], makes), "Stanford Cars: a class with a / has a folder with a -")
    same(entries("cars-set/valid.list"), [("test/AM General Hummer SUV 2000/00001.jpg", None),
                                          ("test/Ram C-V Cargo Van Minivan 2012/00000.jpg", None)],
         "images of one name on both sides stay two")
    refused("Stanford Cars without archives: its address is gone", "gone since 2023: name the folder", "cars", "cars-none")
    with open(f"{tmp}/sitecustomize.py", "w") as file:
        file.write("import sys\nsys.modules['scipy'] = None\n")
    refused("without SciPy the Debian package is named", "apt-get install python3-scipy", "cars", "cars-none", *sums_of("cars"),
            env={**os.environ, "PYTHONPATH": tmp})
    put(b"no such file", "bad-mat/cars_test_annos_withlabels.mat")
    for name in ("car_devkit.tgz", "cars_train.tgz", "cars_test.tgz"):
        shutil.copy(f"{tmp}/cars/{name}", f"{tmp}/bad-mat")
    refused("a file that is none of MATLAB's", "no MATLAB file that can be read", "cars", "cars-bad", "--from", "bad-mat", "--no-verify")

    # ImageNet: the order is that of ILSVRC2012_ID; synsets with children are no classes.
    synsets = [(2, "n01440764", "tench, Tinca tinca", 0), (1, "n03126707", "crane", 0), (3, "n02012849", "crane", 0),
               (4, "n00001740", "entity", 3)]
    devkit = {"ILSVRC2012_devkit_t12/data/meta.mat": mat(synsets=table(("ILSVRC2012_ID", "WNID", "words", "num_children"), synsets)[:, None]),
              "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": b"2\n1\n3\n",
              "ILSVRC2012_devkit_t12/readme.txt": b"x"}
    put(tar_of(devkit, "w:gz"), "in/ILSVRC2012_devkit_t12.tar.gz")
    put(tar_of({f"ILSVRC2012_val_{i:08d}.JPEG": photo() for i in (3, 1, 2)}), "in/ILSVRC2012_img_val.tar")
    put(tar_of({f"{number}.tar": tar_of({f"{number}_{i}.JPEG": photo() for i in range(2)}) for _, number, *_ in synsets[:3]}),
        "in/ILSVRC2012_img_train.tar")
    status, out, err = get("imagenet", "in-set", *sums_of("in"))
    same((status, err, lines("in-set/labels.txt"), lines("in-set/imagenet.names")),
         (0, "", ["n03126707", "n01440764", "n02012849"], ["crane (n03126707)", "tench", "crane (n02012849)"]),
         "ImageNet: classes by ILSVRC2012_ID, and two cranes")
    same((entries("in-set/valid.list"), lines("in-set/train.list")[0], data("in-set/imagenet.data")["truth"]),
         ([("val/n01440764/ILSVRC2012_val_00000001.JPEG", None), ("val/n02012849/ILSVRC2012_val_00000003.JPEG", None),
           ("val/n03126707/ILSVRC2012_val_00000002.JPEG", None)], "in-set/images/train/n03126707/n03126707_0.JPEG", "folder"),
         "its val images by class")
    with open(f"{tmp}/in/ILSVRC2012_img_train.tar", "rb") as whole:
        put(whole.read()[:30000], "in-cut/ILSVRC2012_img_train.tar")
    for name in ("ILSVRC2012_devkit_t12.tar.gz", "ILSVRC2012_img_val.tar"):
        shutil.copy(f"{tmp}/in/{name}", f"{tmp}/in-cut")
    status, out, err = get("imagenet", "in-again", "--from", "in-cut", "--no-verify")
    ok(status == 1 and "ILSVRC2012_img_train.tar: no whole tar archive" in err and not os.path.exists(f"{tmp}/in-again/images"),
       "a train archive that is cut is refused", (status, err))
    work = f"{tmp}/in-again/.images.unpacking/train"
    done = [name for name in os.listdir(work) if not name.startswith(".")]
    for name in done:
        os.unlink(f"{work}/{name}/{name}_1.JPEG")  # shows that the folder is left as it is
    status, out, err = get("imagenet", "in-again", *sums_of("in"))
    same((0 < len(done) < 3, status, len(lines("in-again/train.list"))), (True, 0, 6 - len(done)),
         "the next run goes on after the last class that was whole")

# ---- Aircraft ----
planes = {"F/A-18": ("McDonnell Douglas", "F/A-18"), "737-300": ("Boeing", "Boeing 737"), "737-700": ("Boeing", "Boeing 737")}
aircraft = {"variants.txt": "".join(name + "\n" for name in planes)}
for part, first in (("trainval", 0), ("test", 100)):
    for level, of in (("manufacturer", lambda v: planes[v][0]), ("family", lambda v: planes[v][1]), ("variant", str)):
        aircraft[f"images_{level}_{part}.txt"] = "".join(f"{first + i:07d} {of(v)}\n" for i, v in enumerate([*planes, *planes]))
aircraft = {f"fgvc-aircraft-2013b/data/{name}": text.encode() for name, text in aircraft.items()}
aircraft.update({f"fgvc-aircraft-2013b/data/images/{i:07d}.jpg": photo() for i in (*range(6), *range(100, 106))})
put(tar_of(aircraft, "w:gz"), "air/fgvc-aircraft-2013b.tar.gz")
status, out, err = get("aircraft", "aircraft", *sums_of("air"))
same((status, err, lines("aircraft/labels.txt"), lines("aircraft/aircraft.names"), entries("aircraft/valid.list")[0]),
     (0, "", ["F-A-18", "737-300", "737-700"], list(planes), ("test/Boeing/Boeing 737/737-300/0000101.jpg", None)),
     "FGVC-Aircraft: variants in the order of its table")
for level, labels in (("family", ["Boeing 737", "F-A-18"]), ("manufacturer", ["Boeing", "McDonnell Douglas"])):
    status, out, err = get("aircraft", "aircraft", "--level", level)
    same((status, lines("aircraft/labels.txt"), [label for _, label in entries("aircraft/train.list")]),
         (0, labels, [labels[0]] * 4 + [labels[1]] * 2), f"--level {level}")

# ---- Tiny ImageNet ----
tiny = {"wnids.txt": b"n02124075\nn01443537\n", "words.txt": b"n01443537\tgoldfish, Carassius auratus\nn02124075\tEgyptian cat\n",
        "val/val_annotations.txt": b"val_0.JPEG\tn01443537\t0\t0\t9\t9\nval_1.JPEG\tn02124075\t0\t0\t9\t9\n",
        "val/images/val_0.JPEG": photo(), "val/images/val_1.JPEG": photo(), "test/images/test_0.JPEG": photo()}
for number in ("n02124075", "n01443537"):
    tiny[f"train/{number}/{number}_boxes.txt"] = b"x"
    tiny.update({f"train/{number}/images/{number}_{i}.JPEG": photo() for i in range(3)})
os.makedirs(f"{tmp}/tiny")
with zipfile.ZipFile(f"{tmp}/tiny/tiny-imagenet-200.zip", "w") as archive:
    for name, content in tiny.items():
        archive.writestr(f"tiny-imagenet-200/{name}", content)
status, out, err = get("tiny-imagenet", "tiny-set", *sums_of("tiny"))
same((status, err, lines("tiny-set/labels.txt"), lines("tiny-set/tiny-imagenet.names"), lines("tiny-set/valid.list")),
     (0, "", ["n02124075", "n01443537"], ["Egyptian cat", "goldfish"],
      ["tiny-set/images/val/n02124075/val_1.JPEG", "tiny-set/images/val/n01443537/val_0.JPEG"]), "Tiny ImageNet")
same((len(lines("tiny-set/train.list")), lines("tiny-set/train.list")[3]),
     (6, "tiny-set/images/train/n01443537/n01443537_0.JPEG"), "its training images, class by class")

# ---- what is reported ----
done = subprocess.run([f"{ROOT}/scripts/get-images", "cub200", "cub200"], capture_output=True, text=True, cwd=tmp)
ok("WARNING: there are 4 train images where the set has 5,994" in done.stderr and "2 test images where the set has 5,794" in
   done.stderr and done.returncode == 0, "counts other than the published ones are warned of", done.stderr)
fewer = {name: content for name, content in cub.items() if not name.endswith("/1.jpg")}
put(tar_of(fewer, "w:gz"), "fewer/CUB_200_2011.tgz")
status, out, err = get("cub200", "fewer-set", *sums_of("fewer"))
ok(status == 0 and "1.jpg: missing image: is in the annotations and not in the archive" in err and "1 x missing image" in out,
   "an image that the archive lacks", (status, out, err))

# ---- archives that would do harm ----


class Harm:
    def __reduce__(self):
        return os.system, (f"touch {tmp}/harm",)


refused("a pickle that runs a program is not obeyed", "posix.system, which arrays do not need", "cifar10", "harm-set",
        "--from", cifar10("harm10", data_batch_1=pickle.dumps(Harm())), "--no-verify")
ok(not os.path.exists(f"{tmp}/harm"), "and nothing of it was run")
for name, content, want in (("cut", pickled(batches["data_batch_1"])[:500], "data_batch_1: not read"),
                            ("no dict", pickled([1]), "data_batch_1: holds no dict"),
                            ("another shape", pickled({b"data": pixels(2)[:, :300], b"labels": [0, 1]}), "3x32x32"),
                            ("a class of no name", pickled({b"data": pixels(2), b"labels": [0, 10]}), "labels from 0 to 9"),
                            ("no labels", pickled({b"data": pixels(2)}), "not the archives of this set")):
    refused(f"a file of CIFAR that is damaged: {name}", want, "cifar10", "damaged", "--from",
            cifar10("damaged10", data_batch_1=content), "--no-verify")
put(b"mine", "mine.jpg")
for name, change, want in (("names a file by its whole path", {"images.txt": f"1 {tmp}/mine.jpg\n".encode()}, "none of the images"),
                           ("climbs out", {"images.txt": b"1 ../../../../mine.jpg\n"}, "outside of the set's folder"),
                           ("has a class that climbs out", {"classes.txt": b"1 ..\n2 b\n"}, "name a class '..'"),
                           ("has two classes of one name", {"classes.txt": b"1 a\n2 a\n"}, "two classes of the set have one name"),
                           ("numbers a class that is none", {"image_class_labels.txt": b"".join(b"%d 0\n" % i for i in range(1, 7))},
                            "is of class -1 of 2"),
                           ("lacks a table", {"classes.txt": None}, "classes.txt: no such file")):
    changed = {**cub, **{f"CUB_200_2011/{key}": value for key, value in change.items()}}
    put(tar_of({key: value for key, value in changed.items() if value is not None}, "w:gz"), "evil/CUB_200_2011.tgz")
    refused(f"a set that {name}", want, "cub200", "evil-set", "--from", "evil", "--no-verify")
for evil in ("../evil.jpg", f"{tmp}/evil.jpg", "CUB_200_2011/images/../../../evil.jpg"):
    put(tar_of({**cub, evil: b"x"}), "evil/CUB_200_2011.tgz")
    refused(f"an archive that reaches outside by {evil.replace(tmp, '')}", "unpacked outside", "cub200", "evil-set", "--from", "evil", "--no-verify")
ok(os.path.exists(f"{tmp}/mine.jpg") and not os.path.exists(f"{tmp}/evil.jpg"), "nothing is moved or written there")

# ---- sums, and a server that cuts connections ----
md5 = hashlib.md5(open(f"{tmp}/cub/CUB_200_2011.tgz", "rb").read()).hexdigest()
official = next(iter(SETS["cub200"].archives)).md5
refused("another sum than the published one: file, both sums and what to do",
        f"cub/CUB_200_2011.tgz: its MD5 is {md5} and not {official}, so it is damaged or another archive: put the official one "
        "there; --no-verify takes it", "cub200", "sum", "--from", "cub")
same(get("cub200", "sum", "--archives", "cub", "--no-checksum")[0], 0, "--no-verify takes it, by its other name too")
refused("an archive that is not there", "has no CUB_200_2011.tgz", "cub200", "none", "--from", "c10")

server = Server(f"{tmp}/cub")
# The first request only asks for the size.
server.behave(cut={"CUB_200_2011.tgz": [0, 2000, 1000]})
status, out, err = get("cub200", "served", "--from", server.url, "--md5", "cub.md5")
same((status, [first for _, first in server.log], len(lines("served/train.list"))), (0, [None, None, 2000, 3000], 4),
     "a fetch that is cut goes on from the byte that was reached")
server.behave("slow")
put(os.urandom(600000), "long/CUB_200_2011.tgz")  # no archive; its sum is wrong too
server.folder = f"{tmp}/long"
running = subprocess.Popen([f"{ROOT}/scripts/get-images", "cub200", "killed", "--from", server.url], cwd=tmp, stderr=subprocess.DEVNULL)
part = f"{tmp}/killed/archives/CUB_200_2011.tgz.part"
deadline = time.monotonic() + 60
while time.monotonic() < deadline and not (os.path.exists(part) and os.path.getsize(part)):
    time.sleep(.02)
running.send_signal(signal.SIGKILL)
running.wait()
have = os.path.getsize(part)
server.behave()
refused("a fetched archive with another sum is not taken", "remove it and run again to fetch it anew", "cub200", "killed",
        "--from", server.url)
same((0 < have < 600000, server.log[-1]), (True, ("CUB_200_2011.tgz", have)), "and a killed run had left what it had")

# ---- arguments, and what --list says ----
refused("no such set", "invalid choice: 'mnist'", "mnist", "x")
refused("a level that the set has not", "aircraft has manufacturer and family and variant", "aircraft", "x", "--level", "fine")
refused("a level of a set without", "--level fine: cub200 has no levels", "cub200", "x", "--level", "fine")
refused("white space in OUT", "white space", "cub200", "a b")
refused("no such folder", "no such folder", "cub200", "x", "--from", "nowhere")
status, out, err = get("--list")
ok(status == 0 and all(f"{name}\n" in out for name in SETS) and "8,144 training and 8,041 test images" in out and
   "ILSVRC2012_img_train.tar" in out and "90 classes" in out, "--list says what the sets are", out)
status, out, err = get("--help")
ok(status == 0 and all(option in out for option in ("--list", "--level", "--from", "--no-verify", "--md5", "--val", "--seed",
                                                    "--drop-duplicates", "--strict")), "--help names every option")
same((len(FLOWERS.split(",")), len(set(FLOWERS.split(",")))), (102, 102), "there are 102 names of flowers")
same([name for name, spec in SETS.items() for archive in spec.archives if not archive.md5 or bool(archive.url) == bool(spec.trouble)],
     [], "every archive has a sum, and an address or a reason for having none")

finish()
