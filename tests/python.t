#!/usr/bin/python3
"""python/darknet_ols.py: its results are those of `darknet classifier predict`, `detector test` and `detector map` for
the same images, its soft labels are those of `ols show`, and a caller's mistake raises an exception instead of ending
Python. Also: Darknet's own wrapper, converted to Python 3, still works with libdarknet.so.
"""

import atexit
import ctypes
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import zlib
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if "LD_LIBRARY_PATH" not in os.environ:  # where a GPU build's libraries are; the loader reads it at the start alone
    os.environ["LD_LIBRARY_PATH"] = "/usr/local/cuda/lib64"
    os.execv(sys.executable, [sys.executable, *sys.argv])

import numpy as np
from PIL import Image

sys.dont_write_bytecode = True
sys.path[:0] = [f"{ROOT}/tests/helpers", f"{ROOT}/python"]
import darknet_ols  # noqa: E402
from tap import finish, ok, same  # noqa: E402

DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or f"{ROOT}/darknet")
LIBRARY = os.environ.get("DARKNET_LIBRARY") or f"{ROOT}/libdarknet.so"
NAMES = ["dog", "a cat", "horse"]

tmp = tempfile.mkdtemp(prefix="python.")
atexit.register(shutil.rmtree, tmp)
os.chdir(tmp)


# ---- Programs --------------------------------------------------------------------------------------------------------

def darknet(*arguments):
    """What the program prints to stdout."""
    arguments = [DARKNET, *map(str, arguments), *(["-nogpu"] if arguments[0] != "ols" else [])]
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        print(f"# status {done.returncode} of {arguments}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def python(code, *arguments, **environment):
    """(status, stdout, stderr) of a Python that has imported darknet_ols."""
    code = f"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {ROOT + '/python'!r}); import darknet_ols\n" + code
    done = subprocess.run(["/usr/bin/python3", "-c", code, *arguments], capture_output=True, text=True,
                          env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


def command(*arguments, **environment):
    """(status, stdout, stderr) of the module as a program."""
    done = subprocess.run(["/usr/bin/python3", f"{ROOT}/python/darknet_ols.py", *map(str, arguments)], capture_output=True,
                          text=True, env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


def raises(kind, text, function, name):
    """One test: function() raises this exception, and its message holds the text."""
    try:
        result = function()
    except kind as error:
        ok(text in str(error), name, f"got {error}\nwant {text}")
    except Exception as error:
        ok(False, name, f"{type(error).__name__}: {error}")
    else:
        ok(False, name, f"returned {result!r}")


def put(path, *lines):
    with open(path, "w") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return path


def raw(path):
    with open(path, "rb") as file:
        return file.read()


# ---- Images, networks ------------------------------------------------------------------------------------------------

def make_images():
    """Noise at several scales, in sizes that are scaled up, down, by width, by height, and not at all."""
    rng = np.random.RandomState(1)
    os.makedirs("images")
    os.makedirs("labels")
    paths = []
    for i, (w, h, kind) in enumerate([(70, 50, "png"), (33, 97, "png"), (64, 48, "png"), (201, 80, "jpg")]):
        small = Image.fromarray(rng.randint(0, 256, (4, 5, 3)).astype(np.uint8)).resize((w, h), Image.BICUBIC)
        pixels = np.clip(np.asarray(small) + rng.normal(0, 20, (h, w, 3)), 0, 255).astype(np.uint8)
        paths.append(f"{tmp}/images/{i}.{kind}")
        Image.fromarray(pixels).save(paths[-1])
        put(f"labels/{i}.txt", "0 .5 .5 .5 .5")
    return paths


def convolution(filters, size=3, stride=1, activation="leaky"):
    return ["[convolutional]", f"filters={filters}", f"size={size}", f"stride={stride}", "pad=1", f"activation={activation}"]


# Not square, and with a batch and subdivisions that the module has to leave aside.
NET = ["# batch=9", "[net]", "batch = 6", "subdivisions=2", "width=64", "height=48", "channels=3", "learning_rate=.02",
       "max_batches=8", *convolution(8, stride=2), *convolution(16, stride=2), *convolution(20, stride=2)]
CLASSIFIER = [*NET, "[avgpool]", "[connected]", "output=3", "activation=linear"]


def yolo_head(mask, classes):
    return [*convolution(2 * (5 + classes), 1, activation="linear"), "[yolo]", f"mask={mask}", f"classes={classes}", "num=4",
            "anchors=8,8,20,12,12,20,40,30"]


def two_heads(classes, classes_too):
    return [*NET, *convolution(20, stride=2), *yolo_head("2,3", classes), "[route]", "layers=-3", *convolution(8, 1),
            "[upsample]", "stride=2", "[route]", "layers=-1,2", *yolo_head("0,1", classes_too)]


CFGS = {
    "ols": [*CLASSIFIER, "[ols]"],
    "softmax": [*CLASSIFIER, "[softmax]"],
    "yolo": two_heads(3, 3),
    "region": [*NET, *convolution(16, 1, activation="linear"), "[region]", "classes=3", "coords=4", "num=2",
               "anchors=1,1,3,2", "softmax=1", "bias_match=1"],
    "detection": [*NET, "[connected]", "output=117", "activation=linear", "[detection]", "classes=3", "coords=4", "side=3",
                  "num=2", "sqrt=1", "rescore=1"],
}
IMAGES = make_images()
put("names", *NAMES)
put("list", *IMAGES)
put("of.data", "classes=3", f"names={tmp}/names", f"valid={tmp}/list", "top=3")
for name, lines in CFGS.items():
    put(f"{name}.cfg", *lines)
    darknet("partial", f"{name}.cfg", "", f"{name}.weights", 99)  # random ones

# Darknet looks for the letters that `detector test` draws in data/ of the folder that it is started in.
os.symlink(f"{ROOT}/build/darknet/data", "data")


def load(name, **more):
    return darknet_ols.Network(f"{name}.cfg", f"{name}.weights", names=more.pop("names", NAMES), quiet=True, **more)


# ---- Darknet's own wrapper -------------------------------------------------------------------------------------------

# It is Python 2; all but its last lines, behind __main__, is Python 3 as well.
with open(f"{ROOT}/build/darknet/python/darknet.py") as source:
    wrapper = re.sub(r"^lib = .*$", f"lib = CDLL({LIBRARY!r}, RTLD_GLOBAL)", source.read().split("if __name__")[0],
                     flags=re.MULTILINE)
put("wrapper.py", wrapper)
status, out, err = python("""
sys.path.insert(0, ".")
from wrapper import *
net = load_net(b"ols.cfg", b"ols.weights", 0)
im = load_image(sys.argv[1].encode(), 0, 0)
out = predict_image(net, im)
print([out[i] for i in range(3)])
""", IMAGES[0])
wanted = load("ols").predict(load("ols").letterbox(IMAGES[0]))
ok(status == 0 and np.allclose(json.loads(out), wanted, rtol=1e-5),
   "Darknet's own wrapper loads libdarknet.so, a network with [ols], and predicts what this module does", out + err)

# ---- Networks and pixels ---------------------------------------------------------------------------------------------

yolo = load("yolo", names="names", batch=3)
same((yolo.width, yolo.height, yolo.channels, yolo.inputs, yolo.outputs, yolo.classes, yolo.names, yolo.batch),
     (64, 48, 3, 64 * 48 * 3, 16 * 8 * 6, 3, NAMES, 3), "a network says what it takes and gives")
same(yolo.layers, ["convolutional"] * 5 + ["yolo", "route", "convolutional", "upsample", "route", "convolutional", "yolo"],
     "and what its layers are")
same([load(name).layers[-1] for name in CFGS], list(CFGS), "also the other ones")
same([darknet_ols.load_image(p).shape for p in IMAGES], [(50, 70, 3), (97, 33, 3), (48, 64, 3), (80, 201, 3)],
     "an image is height x width x 3")
ok(all((darknet_ols.load_image(p) == np.asarray(Image.open(p))).all() for p in IMAGES[:3]), "with Pillow's pixels in a PNG")


class CImage(ctypes.Structure):
    _fields_ = [("w", ctypes.c_int), ("h", ctypes.c_int), ("c", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_float))]

    def array(self):
        return np.ctypeslib.as_array(self.data, (self.c, self.h, self.w))


library = ctypes.CDLL(LIBRARY)
library.load_image_color.restype = library.letterbox_image.restype = CImage
library.letterbox_image.argtypes = [CImage, ctypes.c_int, ctypes.c_int]
loaded = [library.load_image_color(p.encode(), 0, 0) for p in IMAGES]
ramp = np.arange(768, dtype=np.uint8).reshape(1, 256, 3)
Image.fromarray(ramp.repeat(2, 0)).save("ramp.png")
ok(all((darknet_ols._floats(darknet_ols.load_image(p)) == im.array()).all() for p, im in zip(IMAGES, loaded)) and
   (darknet_ols._floats(darknet_ols.load_image("ramp.png")) == library.load_image_color(b"ramp.png", 0, 0).array()).all(),
   "and load_image_color's floats to the bit, in a JPEG and for all bytes, too")
ok(all((yolo.letterbox(p) == library.letterbox_image(im, 64, 48).array()).all() for p, im in zip(IMAGES, loaded)),
   "letterbox has letterbox_image's to the bit")
ok(np.float32(1e-40) * np.float32(1) > 0, "Python's denormal numbers survive the loading of a library that flushes its own")

# ---- Classification --------------------------------------------------------------------------------------------------


def predicted(network, path):
    """What `classifier predict` prints, as [(percent, name)]."""
    said = darknet("classifier", "predict", "of.data", f"{network}.cfg", f"{network}.weights", path)
    return re.findall(r"^ *([\d.]+)%: (.*)$", said, re.MULTILINE)


def percents(result):
    return [(f"{np.float32(p) * np.float32(100):.2f}", name) for name, p in result]


for name in "ols", "softmax":
    net = load(name)
    got, want = [percents(net.classify(p)) for p in IMAGES], [predicted(name, p) for p in IMAGES]
    ok(got == want and len(set(map(str, got))) == 4 and all(len(w) == 3 for w in want),
       f"classify is `classifier predict`: [{name}]", f"{got}\n{want}")

# Two kinds under a root of two: the probability of a leaf is the product along its branch.
put("tree", "animal -1", "thing -1", "dog 0", "a-cat 0")
put("four", "animal", "thing", "dog", "a-cat")
put("tree.cfg", *CLASSIFIER[:-2], "output=4", "activation=linear", "[softmax]", f"tree={tmp}/tree")
darknet("partial", "tree.cfg", "", "tree.weights", 99)
put("of.data", "classes=4", f"names={tmp}/four", "top=4")
want = predicted("tree", IMAGES[0])
got = percents(load("tree", names="four").classify(IMAGES[0]))
put("of.data", "classes=3", f"names={tmp}/names", f"valid={tmp}/list", "top=3")
ok(got == want and len(want) == 4 and want[-1] == ("0.00", "animal"), "and with a tree of classes", f"{got}\n{want}")

net, four = load("ols"), load("ols", batch=4)
arrays = [np.asarray(Image.open(p)) for p in IMAGES[:3]]
want = [net.classify(p) for p in IMAGES[:3]]
same([net.classify(a) for a in arrays], want, "an array is classified as the file with its pixels is")
same([net.classify(a[:, ::-1, ::-1][:, ::-1, ::-1]) for a in arrays], want, "and so is a view of it")
same(net.classify(IMAGES[0], top=1), want[0][:1], "top=1 gives the best class alone")
same(load("ols", names=None).classify(IMAGES[0])[0][0], NAMES.index(want[0][0][0]), "a class without a name is a number")
same(net.classify(IMAGES[:3]), want, "a list of images gives a list")

inputs = np.random.RandomState(2).randint(0, 256, (7, 48, 64, 3)).astype(np.uint8)
want = np.array([net.predict(i) for i in inputs])
ok(want.shape == (7, 3) and want.dtype == np.float32 and np.allclose(want.sum(1), 1) and len(np.unique(want, axis=0)) == 7,
   "predict gives the outputs of one input", want)
ok(np.allclose(net.predict(inputs), want, atol=1e-6) and np.allclose(four.predict(inputs), want, atol=1e-6),
   "and of seven, which go through the network one by one or in fours", four.predict(inputs) - want)
planes = np.moveaxis(inputs, 3, 1) / 255
same([(net.predict(planes) == want).all(), (net.predict(planes[1]) == want[1]).all(),
      (net.predict(planes.reshape(7, -1)) == want).all(), (net.predict(planes[1].ravel()) == want[1]).all()], [True] * 4,
     "floats with the channels first, or in one row, are the same input")
same(net.predict(inputs[:0]).shape, (0, 3), "no inputs have no outputs")

results = {}
threads = [threading.Thread(target=lambda i=i: results.update({i: net.predict(inputs)})) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ok(all((results[i] == want).all() for i in range(4)), "threads may share a network")

# ---- Detection -------------------------------------------------------------------------------------------------------

THRESHOLDS = {"yolo": .4, "region": .2, "detection": .05}


def tested(network, path):
    """What `detector test` prints, sorted."""
    said = darknet("detector", "test", "of.data", f"{network}.cfg", f"{network}.weights", path, "-thresh",
                   THRESHOLDS[network], "-out", "drawn")
    return sorted(re.findall(r"^(.*): (\d+)%$", said, re.MULTILINE))


for name, threshold in THRESHOLDS.items():
    net = load(name)
    found = [net.detect(p, threshold) for p in IMAGES]
    got = [sorted((d.name, f"{np.float32(d.score) * np.float32(100):.0f}") for d in f) for f in found]
    want = [tested(name, p) for p in IMAGES]
    ok(got == want and 8 <= sum(map(len, got)) < 400 and len({n for f in got for n, _ in f}) > 1,
       f"detect finds what `detector test` does: [{name}]", f"{got}\n{want}")
    print(f"# {[len(f) for f in found]} boxes")

    darknet("detector", "map", "of.data", f"{name}.cfg", f"{name}.weights", "-coco_out", "found.json", "-letterbox")
    with open("found.json") as file:
        want = [(r["image_id"], r["category_id"] - 1, *r["bbox"], r["score"]) for r in json.load(file)]
    got = []
    for i, path in enumerate(IMAGES):
        f = net.detect(path, .005)
        h, w = darknet_ols.load_image(path).shape[:2]
        inside = np.clip(f.boxes, 0, [w, h, w, h])  # as detector map writes them
        for (left, top, right, bottom), score, k in zip(inside.tolist(), f.scores.tolist(), f.classes.tolist()):
            got.append((i, k, left, top, right - left, bottom - top, score))
    # Scores can be equal: every row has a twin on the other side, in whatever order.
    apart = np.abs(np.array(got)[:, None] - np.array(want)).max(2)
    ok(len(got) == len(want) > 50 and apart.min(0).max() < 1e-3 and apart.min(1).max() < 1e-3,
       f"and where `detector map` does: [{name}]", f"{len(got)} {got[:3]}\n{len(want)} {want[:3]}")

    # Darknet takes a batch of two for an image and its mirror image.
    for batch in 2, 3:
        several = load(name, batch=batch).detect(IMAGES, threshold)
        ok(len(several) == 4 and all(len(one) == len(two) and (one.classes == two.classes).all() and
                                     np.allclose(one.boxes, two.boxes, atol=1e-3) and
                                     np.allclose(one.scores, two.scores, atol=1e-5) for one, two in zip(several, found)),
           f"with batch={batch} as one by one: [{name}]")

net = load("yolo")
found = net.detect(IMAGES[0], .2)
ok((np.diff(found.scores) <= 0).all() and len(found) == len(found.boxes) == len(found.classes) > 2,
   "the highest score is the first")
first = list(found)[0]
same((first.name, first.score, first.box), (NAMES[found.classes[0]], found.scores[0], tuple(found.boxes[0])),
     "detections come one by one, or as arrays")
every = net.detect(IMAGES[0], .2, nms=0)
ok(len(every) > len(found) and set(found.scores) <= set(every.scores), "nms=0 keeps all boxes")
same(list(net.detect(np.asarray(Image.open(IMAGES[0])), .2)), list(found), "an array is as good as a file")
same(len(net.detect(IMAGES[0], 1)), 0, "nothing scores above 1")

# ---- Soft labels -----------------------------------------------------------------------------------------------------

# 10 images, 6 an iteration: the last of 8 iterations begins an epoch.
os.makedirs("train")
os.makedirs("backup")
for i in range(10):
    pixels = np.random.RandomState(i).randint(0, 90, (64, 64, 3)).astype(np.uint8)
    pixels[..., i % 3] += 120
    Image.fromarray(pixels).save(f"train/{i}-_{NAMES[i % 3][-3:]}.png")
put("train.list", *(f"{tmp}/train/{i}-_{NAMES[i % 3][-3:]}.png" for i in range(10)))
put("labels.txt", *(f"_{n[-3:]}." for n in NAMES))
put("train.data", "classes=3", f"train={tmp}/train.list", f"labels={tmp}/labels.txt", f"backup={tmp}/backup")
put("square.cfg", *("height=64" if line == "height=48" else line for line in CFGS["ols"]))  # trainers take no others
darknet("classifier", "train", "train.data", "square.cfg", "-seed", 1)
trained = "backup/square.weights"


def shown(*arguments):
    """What `ols show` prints: numbers of the first line, the table"""
    head, *rest = darknet("ols", "show", *arguments).splitlines() or [""]
    return [int(n) for n in re.findall(r"\d+", head)], [line.split()[1:] for line in rest[-3:]]


def as_shown(s):
    return ([s.classes, s.updates, s.images, int(s.correct.sum()), int(s.seen.sum())],
            [[f"{v:.4f}" for v in row] for row in s.S.tolist()])


labels = darknet_ols.soft_labels(trained)
same(as_shown(labels), shown(trained), "soft_labels reads what `ols show` reads")
same((labels.updates, labels.images, labels.iterations, labels.unlabelled, labels.seen.sum()), (4, 8, 1, 0, 6),
     "and what it does not print: 48 images are 4 epochs of 10 and 8 images, 6 of which came after the last update")
ok(labels.correct.sum() > 0 and (labels.correct <= labels.seen).all() and np.allclose(labels.A.sum(1), labels.correct),
   "A sums up one distribution for every correct prediction", f"{labels.A}\n{labels.correct}")
ok(labels.S.flags.writeable and labels.S.dtype == np.float32 and labels.correct.dtype == np.int64, "as arrays of one's own")


def with_checksum(content):
    return content[:-8] + zlib.crc32(content[:-8]).to_bytes(4, "little") + content[-4:]


def version_1(content):
    """The same without mark and trailer: src/train/trailer.h"""
    return content[:8] + bytes(4) + content[12:-TRAILER]


TRAILER, fresh = 48, raw("ols.weights")
block = fresh[len(raw("softmax.weights")) - TRAILER:-TRAILER]  # S is uniform in it
with open("two.weights", "wb") as file:
    file.write(with_checksum(raw(trained)[:-TRAILER] + block + raw(trained)[-TRAILER:]))
same([as_shown(darknet_ols.soft_labels("two.weights", i)) for i in range(2)],
     [shown("two.weights", "-set", i) for i in range(2)], "and the second set of a file that has two")
same(darknet_ols.soft_labels("two.weights", 1).updates, 0, "which is another one")
status, out, err = python(f"print(darknet_ols.soft_labels({trained!r}).S.sum())", DARKNET_LIBRARY="/nowhere/lib.so")
ok(status == 0 and abs(float(out) - 3) < 1e-4, "without the library", err)

# ---- What goes wrong -------------------------------------------------------------------------------------------------


def damaged(name, content):
    with open(name, "wb") as file:
        file.write(content)
    return name


whole = raw(trained)
flipped = bytearray(whole)
flipped[-148] ^= 1
in_weights = bytearray(whole)
in_weights[150] ^= 1
Error, soft, Network = darknet_ols.DarknetError, darknet_ols.soft_labels, darknet_ols.Network
same(as_shown(soft(damaged("v1.weights", version_1(whole)))), as_shown(labels), "a file of version 1 is read")
raises(Error, "bad.weights is damaged: its checksum", lambda: soft(damaged("bad.weights", flipped)), "soft labels with a wrong bit are refused")
raises(Error, "bad.weights is damaged: its checksum", lambda: soft(damaged("bad.weights", in_weights)), "and weights with one")
raises(Error, "block is damaged (checksum)", lambda: soft(damaged("bad.weights", version_1(flipped))), "also those of version 1")
raises(Error, "cut off or damaged", lambda: soft(damaged("bad.weights", whole[:-1])), "and such that are cut off")
raises(Error, "cut off or damaged", lambda: soft(damaged("bad.weights", whole[:-TRAILER])), "also where the trailer begins")
raises(Error, "holds no soft labels", lambda: soft(damaged("bad.weights", version_1(whole)[:-1])), "or those of version 1")
raises(Error, "holds no soft labels", lambda: soft("softmax.weights"), "and a file without any")
raises(Error, "holds no soft labels", lambda: soft(damaged("bad.weights", b"")), "and an empty one")
old = version_1(whole)
raises(Error, "does not begin where", lambda: soft(damaged("bad.weights", old[:-16] + len(old).to_bytes(8, "little") + old[-8:])),
       "and a wrong length")
raises(Error, "0 to 1", lambda: soft("two.weights", 2), "and a set that is not there")
raises(FileNotFoundError, "none.weights", lambda: soft("none.weights"), "a missing file is FileNotFoundError")
raises(IsADirectoryError, "backup", lambda: soft("backup"), "a folder is no file")

for what in "none.cfg", "none.weights", "none.names":
    arguments = [what if what.endswith(end) else good for end, good in (("cfg", "ols.cfg"), ("weights", "ols.weights"))]
    raises(FileNotFoundError, what, lambda: Network(*arguments, names=what if what.endswith("names") else None),
           f"no {what}: FileNotFoundError")
raises(ValueError, "2 names for a network with 3 classes", lambda: load("ols", names=NAMES[:2]), "two names for three classes")
raises(Error, "bad.weights is cut off", lambda: Network("ols.cfg", damaged("bad.weights", fresh[:999])),
       "weights that end too soon do not end Python")
raises(Error, "First section must be [net]", lambda: Network(put("bad.cfg", *CFGS["ols"][9:])), "nor does a cfg without [net]")
raises(Error, "[olsen] is no layer of this Darknet", lambda: Network(put("bad.cfg", *NET, "[olsen]")), "nor an unknown section")
raises(Error, "alpha", lambda: Network(put("bad.cfg", *CFGS["ols"], "alpha=7")), "nor a value out of its range")
raises(Error, "from= is missing", lambda: Network(put("bad.cfg", *NET, "[shortcut]", "activation=linear")), "nor a key that is missing")
unlimited = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, unlimited[1]))  # Darknet does not ask whether there was memory: 16 GB here
raises(Error, "crashed (SIGSEGV)", lambda: Network(put("bad.cfg", "[net]", "inputs=4", "[connected]", "output=400000000")),
       "nor what Darknet crashes at")
resource.setrlimit(resource.RLIMIT_AS, unlimited)
raises(Error, "recurrent", lambda: Network(put("bad.cfg", *CFGS["ols"][:4], "time_steps=2", *CFGS["ols"][4:]), quiet=True),
       "recurrent networks are refused")
raises(ValueError, "batch=0", lambda: load("ols", batch=0), "a batch of none")
status, out, err = python("print(darknet_ols._library()._functions.library_gpus())")
if int(out) < 0:
    raises(Error, "was built without GPU=1", lambda: load("ols", gpu=0), "a GPU where there is no code for it")
else:
    raises(Error, "no such GPU", lambda: load("ols", gpu=99), "a GPU that is not there")

net = load("ols")
raises(FileNotFoundError, "none.png", lambda: net.classify("none.png"), "a missing image")
raises(Error, "bad.png is not a picture", lambda: net.classify(damaged("bad.png", raw(IMAGES[0])[:200])), "a broken image")
raises(ValueError, "too long and thin", lambda: net.classify(np.zeros((1, 999, 3), np.uint8)), "a line for an image")
raises(ValueError, "48 x 64 of uint8", lambda: net.classify(np.zeros((48, 64), np.uint8)), "an image without colours")
raises(ValueError, "float64", lambda: net.classify(np.zeros((48, 64, 3))), "an image of floats")
raises(ValueError, "50 x 70 x 3 of uint8: this network takes 48 x 64 x 3 of uint8", lambda: net.predict(arrays[0]),
       "predict of another size")
raises(ValueError, "3 x 64 x 48 of float64", lambda: net.predict(np.zeros((3, 64, 48))), "width and height exchanged")
raises(ValueError, "must be uint8 or floats", lambda: net.predict(np.zeros((48, 64, 3), int)), "predict of other numbers")
raises(ValueError, "cannot detect: it does not end in [yolo]", lambda: net.detect(IMAGES[0]), "detection by a classifier")
raises(ValueError, "ends in [yolo]", lambda: yolo.classify(IMAGES[0]), "classification by a detector")
raises(ValueError, "threshold=50", lambda: yolo.detect(IMAGES[0], 50), "a threshold in percent")
raises(ValueError, "top=0", lambda: net.classify(IMAGES[0], top=0), "the best none")
put("differ.cfg", *two_heads(3, 2))
raises(ValueError, "differ in their number of classes", lambda: Network("differ.cfg", quiet=True).detect(IMAGES[0]),
       "heads of different classes")
for name in "ols", "yolo":
    values = np.frombuffer(raw(f"{name}.weights"), np.uint8).copy()
    values[20:24] = np.frombuffer(np.float32(np.nan).tobytes(), np.uint8)  # the first bias
    damaged("nan.weights", with_checksum(values.tobytes()))
    diverged = Network(f"{name}.cfg", "nan.weights", quiet=True)
    raises(Error, "not finite", lambda: (diverged.detect if name == "yolo" else diverged.classify)(IMAGES[0]),
           f"weights that have diverged: [{name}]")
with load("ols") as closed:
    pass
closed.close()
raises(ValueError, "closed", lambda: closed.predict(inputs[0]), "a network that is closed cannot be used")

status, out, err = python("darknet_ols.Network('ols.cfg')", DARKNET_LIBRARY="/nowhere/libdarknet.so")
ok(status == 1 and "cannot load libdarknet.so: /nowhere/libdarknet.so" in err and "`make`" in err,
   "without a library it says how to build it", err)
status, out, err = python("darknet_ols.Network('ols.cfg')", DARKNET_LIBRARY="libm.so.6")
ok(status == 1 and "it has no load_network" in err, "and that a library is another one", err)
status, out, err = python("net = darknet_ols.Network('ols.cfg', 'ols.weights', quiet=sys.argv[1] == '1')", "1")
same((status, out, err), (0, "", ""), "quiet=True keeps Darknet quiet, and a network that nobody closes is no trouble")
status, out, err = python("net = darknet_ols.Network('ols.cfg', 'ols.weights', quiet=sys.argv[1] == '1')", "0")
ok(status == 0 and err.count("layer     filters") == 1, "without it the layers are listed, once", err)

# ---- The command line ------------------------------------------------------------------------------------------------

status, out, err = command("classify", "ols.cfg", "ols.weights", *IMAGES[:2], "--names", "names", "--top", 2)
same(json.loads(out or "0"), [{"image": p, "classes": [{"class": n, "probability": v} for n, v in load("ols").classify(p, 2)]}
                              for p in IMAGES[:2]], "the command line prints classes as JSON")
status, out, err = command("detect", "yolo.cfg", "yolo.weights", IMAGES[0], "--threshold", .2)
same(json.loads(out or "0"), [{"image": IMAGES[0], "detections": [{"class": NAMES.index(d.name), "score": d.score,
                                                                  "box": list(d.box)} for d in found]}], "and boxes")
status, out, err = command("soft-labels", trained)
same({k: v for k, v in json.loads(out or "{}").items() if k in ("S", "images")}, {"S": labels.S.tolist(), "images": 8},
     "and soft labels")
status, out, err = command("soft-labels", "softmax.weights")
same((status, out, err.count("\n"), err[:44]), (1, "", 1, "darknet_ols: softmax.weights holds no soft la"[:44]),
     "and an error in one line")
finish()
