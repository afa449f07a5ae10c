#!/usr/bin/python3
"""darknet ols deploy: OpenCV's dnn module and unpatched Darknet can read its files, and their outputs are those of this
Darknet with the original network, within 1e-4. Tested with a classifier and a detector trained on photographs, and with
networks of random weights that contain everything that deploy replaces.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib

import numpy
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
sys.path.insert(0, "tests/helpers")
sys.dont_write_bytecode = True
import tap

TOLERANCE = 1e-4
ROOT = os.getcwd()
DATA = os.environ.get("OLS_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data")
CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()
LIBRARIES = {"openmp": "-fopenmp", "onednn": "-ldnnl", "openblas": "-lopenblas"}


# ---- Programs --------------------------------------------------------------------------------------------------------

class Failed(Exception):
    """A program that ended with an error; the message is the end of what it said."""


def run(*command, text=None, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, input=text, **more)
    if done.returncode:
        raise Failed(f"status {done.returncode} of {' '.join(command)}\n{done.stdout.decode(errors='replace')[-2000:]}")
    return done.stdout.decode(errors="replace")


def build(folder):
    """Builds the programs into `folder`."""
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    run("make", "-s", "variant", env=clean)
    out = run("make", "-s", "print-out", env=clean).strip()
    libraries = [LIBRARIES[name] for name in set(os.path.basename(out).split("-")) & set(LIBRARIES)]
    pristine, pristine_library = run("tests/helpers/build-pristine").splitlines()[-2:]
    ours = [f"{out}/libdarknet.a", "-lz", "-lm", "-pthread", *libraries]
    for name, source, include, rest in (("predict", "predict.c", "build/darknet", ours),
                                        ("unpatched", "predict.c", pristine, [pristine_library, "-lm", "-pthread"])):
        run("gcc", "-Ofast", "-w", f"-I{include}/include", f"tests/helpers/{source}", "-o", f"{folder}/{name}", *rest)
    flags = run("pkg-config", "--cflags", "opencv4").split()
    run("g++", "-w", *flags, "tests/helpers/opencv-predict.cpp", "-o", f"{folder}/opencv", "-lopencv_dnn", "-lopencv_core")
    return os.path.abspath(f"{out}/darknet.bin")


# ---- Networks --------------------------------------------------------------------------------------------------------

class Network:
    """A cfg, its trained weights, and what deploy makes of them."""

    def __init__(self, folder, name):
        self.cfg, self.weights = f"{folder}/{name}.cfg", f"{folder}/{name}.weights"
        self.out_cfg, self.out_weights = f"{folder}/{name}-out.cfg", f"{folder}/{name}-out.weights"
        self.folder, self.readers = folder, {"opencv": "OpenCV", "unpatched": "unpatched Darknet"}

    def shape(self):
        """Channels, height and width of the input."""
        with open(self.cfg, encoding="utf-8") as file:
            keys = dict(line.replace(" ", "").strip().split("=", 1) for line in file if "=" in line and line[0] != "#")
        return [int(keys[name]) for name in ("channels", "height", "width")]

    def classes(self):
        with open(self.cfg, encoding="utf-8") as file:
            return int([line for line in file if line.startswith("classes=")][0][8:])

    def deploy(self):
        run(DARKNET, "ols", "deploy", self.cfg, self.out_cfg, self.weights, self.out_weights)
        with open(self.weights, "rb") as one, open(self.out_weights, "rb") as two:
            one, two = one.read(), two.read()
        if one[:20] != two[:20]:
            raise Failed("another version, or another number of images seen")
        if two.endswith(b"OLS"):
            raise Failed("the deployed weights carry soft labels")

    def predict(self, image, program, cfg, weights):
        """The outputs of one of the programs, all in one array."""
        image.astype(numpy.float32).tofile(f"{self.folder}/input")
        shape = [str(n) for n in self.shape()] if program == "opencv" else []
        run(f"{self.folder}/{program}", cfg, weights, f"{self.folder}/input", *shape, f"{self.folder}/output")
        return numpy.fromfile(f"{self.folder}/output", numpy.float32).astype(float)

    def compare(self, images, kind):
        """The largest differences of OpenCV and unpatched Darknet with the deployed files from this Darknet with the
        original ones, and what is wrong with them."""
        all_scores = f"{self.folder}/all-scores.cfg"
        with open(self.out_cfg, encoding="utf-8") as file:
            text = file.read()
        with open(all_scores, "w", encoding="utf-8") as out:
            out.write(text.replace("thresh=.01\n", "").replace("[yolo]\n", "[yolo]\nthresh=0\nnms_threshold=0\n"))
        worst, said, self.kept = dict.fromkeys(self.readers, 0), [], 0
        for image in images:
            want = self.predict(image, "predict", self.cfg, self.weights)
            if not numpy.isfinite(want).all() or want.size == 0 or numpy.ptp(want) < 1e-3:
                return worst, "the original's outputs say nothing: " + str(want[:8])
            for program in self.readers:
                got = self.predict(image, program, all_scores if program == "opencv" else self.out_cfg, self.out_weights)
                if got.shape != want.shape:
                    return worst, f"{program} has {got.size} outputs, not {want.size}"
                if kind == "region" and program == "opencv":
                    got, problem = self.put_back(got, want, .001)
                    said += problem
                off = numpy.abs(got - want).max()
                if not off <= TOLERANCE:
                    said.append(f"{program}: off by {off:.1e}")
                worst[program] = max(worst[program], off)
            if kind == "yolo":
                got = self.predict(image, "opencv", self.out_cfg, self.out_weights)
                self.kept += numpy.count_nonzero(got.reshape(-1, 5 + self.classes())[:, 5:])
                got, problem = self.put_back(got, want, .01 if "\nthresh=.01\n" in text else .2)
                said += problem + ([] if numpy.abs(got - want).max() <= TOLERANCE else ["opencv: not as deployed"])
        return worst, "\n".join(said)

    def put_back(self, got, want, threshold):
        """OpenCV sets scores below a threshold to 0, and those of boxes that overlap one with a higher score. Gives the
        outputs with the scores for which that holds put back, and a list of what is wrong."""
        classes = self.classes()
        got, want = got.reshape(-1, 5 + classes).copy(), want.reshape(-1, 5 + classes)
        left_out = (got == 0) & (want > 0)
        left_out[:, :5] = False
        low, high = want[:, :2] - want[:, 2:4] / 2, want[:, :2] + want[:, 2:4] / 2
        wrong = 0
        for row, k in zip(*numpy.nonzero(left_out & (want > threshold + TOLERANCE))):
            sides = numpy.minimum(high, high[row]) - numpy.maximum(low, low[row])
            common = numpy.maximum(sides, 0).prod(1)
            overlap = common / (want[:, 2] * want[:, 3] + want[row, 2] * want[row, 3] - common)
            wrong += not ((overlap > .4 - 1e-3) & (got[:, k] > want[row, k] - TOLERANCE)).any()
        got[left_out] = want[left_out]
        return got.ravel(), [f"opencv: {wrong} scores are 0 for no reason"] if wrong else []

    def try_out(self, name, images, kind=""):
        """One test: deployed, and read alike by all."""
        try:
            self.deploy()
            worst, said = self.compare(images, kind)
            tap.ok(not said, f"{name}: the same outputs in {' and in '.join(self.readers.values())}", said)
            print("# off by " + ", ".join(f"{worst[reader]:.1e} ({self.readers[reader]})" for reader in self.readers))
        except Failed as problem:
            tap.ok(False, name, problem)


def photographs(paths, shape):
    """Images as inputs, of that size; both programs read the same numbers."""
    return [numpy.asarray(Image.open(path).convert("RGB").resize(shape[:0:-1], Image.BILINEAR), float)
            .transpose(2, 0, 1) / 255 for path in paths]


def noise(shape, n=3):
    random = numpy.random.RandomState(5)
    return [random.uniform(0, 1, shape) for _ in range(n)]


# ---- Random weights --------------------------------------------------------------------------------------------------

def section(name, **keys):
    return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in keys.items())


def net(size=16, **keys):
    return section("net", batch=4, width=size, height=keys.pop("height", size), channels=3, learning_rate=.01,
                   momentum=.9, **keys)


def conv(filters, size=3, activation="relu6", normal=1, **keys):
    keys = {"pad": 1, **keys}
    return section("convolutional", filters=filters, size=size, activation=activation, batch_normalize=normal, **keys)


def shortcut(n, activation="linear", **keys):
    return section("shortcut", **{"from": -n}, activation=activation, **keys)


END = conv(10, 1, "linear", 0) + section("avgpool") + section("ols")
ACTIVATE = section("activation", activation="relu6")

NETWORKS = {
    "relu6 after every kind of convolution": net() + conv(8, stride=2) + conv(16, 1) + conv(16, groups=16) +
        conv(12, 1, "linear") + conv(9, normal=0, groups=3) + END,
    "relu6 in shortcuts and [activation]": net() + conv(8, 3, "linear") + ACTIVATE + conv(8, 3, "linear") +
        shortcut(2, "relu6") + conv(8) + shortcut(3, "relu6") + ACTIVATE + END,
    "relu6 and normalisation in [connected]": net() + conv(8, stride=4) +
        section("connected", output=20, activation="relu6", batch_normalize=1) + ACTIVATE +
        section("connected", output=12, activation="leaky", batch_normalize=1) +
        section("connected", output=10, activation="linear") + section("ols", temperature=2),
    "[batchnorm]": net() + conv(8, normal=0) + section("batchnorm") + ACTIVATE + END,
    "indices of layers, absolute and relative": net() + conv(8) + conv(8) + section("route", layers="0, -1") + conv(8) +
        shortcut(4) + section("route", layers=3) + conv(8) + section("route", layers="-1, 1,-3") +
        section("shortcut", **{"from": 4}, activation="leaky") + END,
    "a shortcut from a larger layer with fewer channels": net() + conv(8) + conv(12, stride=2) + conv(12, 3, "linear") +
        shortcut(3, "relu6") + conv(12) + shortcut(2) + END,
    "a shortcut from more channels": net() + conv(12) + conv(12) + conv(8) + shortcut(2, "relu") + END,
    "alpha and beta of shortcuts": net() + conv(8) + conv(12, stride=2) + shortcut(2, alpha=.5, beta=-2) + conv(12) +
        shortcut(2, "relu6", alpha=2) + conv(12) + shortcut(2, beta=1) + END,
    "1x1 convolutions with a stride": net(17) + conv(8) + conv(12, 1, stride=2) + conv(16, 1, "linear", 0, stride=3) +
        END,
    "other activations": net() + conv(8, 3, "leaky") + conv(8, 3, "logistic") + conv(8, 3, "tanh") +
        section("convolutional", filters=8) + END,
    "squeeze and excitation with swish": net() + conv(8, 3, "swish", stride=2) + conv(16, 1, "swish") +
        conv(16, 3, "swish", groups=16) + section("avgpool") + conv(4, 1, "swish", 0) + conv(16, 1, "logistic", 0) +
        section("scale_channels", **{"from": -4}) + conv(8, 1, "linear") + shortcut(8) + conv(12, 3, "swish") +
        conv(10, 1, "linear", 0) + section("avgpool") + section("ols", temperature=20),
    "short names, blanks, comments and defaults": net().replace("[net]", "# a comment\n[network]") + " [ conv ] \n"
        "filters = 8\nsize=3\n\tpadding = 1\nactivation=relu\n;another\n[max]\nstride=2\n[conv]\nfilters=6\nsize=2\n"
        "activation=relu6\n[avg]\n[conn]\noutput=5\n[soft]\n",
    "pooling, dropout and upsampling with a scale": net(33) + conv(8) + section("maxpool", size=3, stride=2) + conv(8) +
        section("maxpool", size=2, stride=2) + conv(8) + section("maxpool", size=2, stride=1) +
        section("dropout", probability=.5) + conv(8) + section("upsample", stride=2, scale=.5) + conv(8) +
        conv(10, 1, "linear", 0) + section("avgpool") + section("softmax", temperature=.7) + section("cost"),
    "a policy that others do not know": net(policy="cosine", max_batches=100) + conv(8) + END,
    "two [yolo] heads on an oblong image": net(64, height=32) + conv(8, stride=4) + conv(16, stride=2) + conv(16) +
        conv(16, 1, "linear", 0) + section("yolo", mask="1,2", anchors="4,6, 10,8, 20,25", num=3, classes=3,
                                           smoothing="ols", alpha=.3) +
        section("route", layers=-3) + conv(8, 1) + section("upsample", stride=2) + section("route", layers="-1, 0") +
        conv(8, 1, "linear", 0) + section("yolo", mask=0, anchors="4,6, 10,8, 20,25", num=3, classes=3,
                                          smoothing="ols", alpha=.3),
    "a [yolo] head with a softmax over the classes, on an oblong image": net(64, height=32) + conv(8, stride=4) +
        conv(16, 1, "linear", 0) + section("yolo", mask="2,0", anchors="4,6, 10,8, 20,25", num=3, classes=3,
                                           class_loss="softmax", class_gain=2, smoothing="ols", jitter=.3),
    "a [yolo] head without mask": net(32) + conv(8, stride=4) + conv(16, 1, "linear", 0) +
        section("yolo", anchors="4,6, 10,8", num=2, classes=3),
    "a [region] head after [reorg], on an oblong image": net(32, height=64) + conv(8, stride=4) +
        section("reorg", stride=2) + conv(16, 1, "linear", 0) +
        section("region", anchors="1,1, 2,1.5", num=2, classes=3, coords=4, softmax=1, smoothing="ols"),
}


def random_networks(folder):
    for name, cfg in NETWORKS.items():
        made = Network(folder, "random")
        with open(made.cfg, "w", encoding="utf-8") as file:
            file.write(cfg)
        try:
            run(f"{folder}/predict", made.cfg, made.weights)
        except Failed as problem:
            tap.ok(False, name, problem)
            continue
        if "[scale_channels]" in cfg:
            del made.readers["unpatched"]
        is_region = "[region]" in cfg or "class_loss=softmax" in cfg
        made.try_out(name, noise(made.shape()), "region" if is_region else "yolo" if "[yolo]" in cfg else "")


def best_thresholds(folder):
    """The threshold of the best F1 beside the weights is OpenCV's, in both heads; a [region] has a thresh= of another
    meaning, which OpenCV reads all the same."""
    for kind, name in (("yolo", "a [yolo] head without mask"),
                       ("region", "a [region] head after [reorg], on an oblong image")):
        made = Network(folder, f"{kind}_best")
        with open(made.cfg, "w", encoding="utf-8") as file:
            file.write(NETWORKS[name] + ("thresh=.6\n" if kind == "region" else ""))
        run(f"{folder}/predict", made.cfg, made.weights)
        image = noise(made.shape(), 1)[0]
        want = made.predict(image, "predict", made.cfg, made.weights)
        threshold = round(numpy.median(want.reshape(-1, 8)[:, 5:]), 3)
        with open(made.weights, "rb") as weights, open(f"{folder}/{kind}_best.json", "w", encoding="utf-8") as file:
            json.dump({"weights_crc32": zlib.crc32(weights.read()[:-8]), "threshold": threshold}, file)
        made.deploy()
        got = made.predict(image, "opencv", made.out_cfg, made.out_weights)
        kept = got.reshape(-1, 8)[:, 5:]
        kept = kept[kept > 0]
        got, wrong = made.put_back(got, want, threshold)
        off = numpy.abs(got - want).max()
        tap.ok(not wrong and off <= TOLERANCE and kept.size > 3 and kept.min() > threshold - TOLERANCE,
               f"[{kind}]: the threshold of the best F1 is the one that OpenCV uses", (wrong, off, threshold, kept))


# ---- What is refused -------------------------------------------------------------------------------------------------

def ends_with(status, text, *command):
    """What is wrong where a deploy does not end with this status and text, or leaves a file behind."""
    before = set(os.listdir(command[0]))
    done = subprocess.run([DARKNET, "ols", "deploy", *command[1:]], cwd=command[0], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    said = done.stderr.decode()
    wrong = [] if done.returncode == status else [f"status {done.returncode}"]
    wrong += [] if text in said and (status == 0 or said.splitlines()[-1].startswith("darknet: ")) else [said[-500:]]
    left = set(os.listdir(command[0])) - before - (set() if status else set(command[2::2]))
    return wrong + [f"left behind: {left}" for _ in left if left]


def refusals(folder):
    made = Network(f"{folder}/refused", "net")
    os.mkdir(made.folder)

    def write(name, text):
        with open(f"{made.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        if "[rnn]" not in text:
            run(f"{folder}/predict", f"{made.folder}/{name}", f"{made.folder}/{name[:-4]}.weights")

    write("net.cfg", net() + conv(8) + END)
    write("relu.cfg", net(policy="cosine", max_batches=9) + conv(8, activation="relu") + conv(8, 3, "linear") +
          shortcut(2, alpha=.5) + END)
    write("local.cfg", net() + conv(8) + conv(8, stride=4) +
          section("local", filters=4, size=3, pad=1, activation="relu6") + END)
    softmax = conv(8, activation="linear") + section("yolo", anchors="4,6", classes=3, class_loss="softmax")
    write("softmax.cfg", net() + softmax + section("route", layers=0) + softmax.replace("4,6", "9,7"))
    write("rnn.cfg", section("net", inputs=9, batch=1) + section("rnn", output=3, activation="relu6"))
    with open(f"{made.folder}/relu.weights", "rb") as file:
        weights = bytearray(file.read())
    weights[20:24] = numpy.array(numpy.nan, numpy.float32).tobytes()  # the first bias
    weights[-8:-4] = zlib.crc32(weights[:-8]).to_bytes(4, "little")  # of the whole file: src/train/trailer.h
    with open(f"{made.folder}/nan.weights", "wb") as file:
        file.write(weights)
    everything = ("net.cfg", "out.cfg", "net.weights", "out.weights")
    for name, status, text, command in (
            ("relu6 takes weights", 1, "net.cfg: [convolutional] (layer 0) has activation=relu6", everything[:2]),
            ("so does a softmax in [yolo]", 1, "softmax.cfg: [yolo] (layer 1) has class_loss=softmax, which takes",
             ("softmax.cfg", "out.cfg")),
            ("a cfg that is not there", 1, "cannot open none.cfg: No such", ("none.cfg", *everything[1:])),
            ("weights that are not there", 1, "cannot open none.weights: No such",
             (*everything[:2], "none.weights", "o")),
            ("a folder that is not there", 1, "cannot write x/out.cfg: No such",
             ("net.cfg", "x/out.cfg", *everything[2:])),
            ("nor one for the weights", 1, "cannot write x/o: No such", (*everything[:3], "x/o")),
            ("its own cfg as the result", 1, "net.cfg would be overwritten", ("net.cfg", "./net.cfg", *everything[2:])),
            ("its own weights as the result", 1, "net.weights would be overwritten", (*everything[:3], "net.weights")),
            ("its own cfg as the weights", 1, "net.cfg would be overwritten", (*everything[:3], "net.cfg")),
            ("its own weights as the cfg", 1, "net.weights would be overwritten",
             ("net.cfg", "net.weights", "net.weights", "o")),
            ("its own cfg as the result, alone", 1, "relu.cfg would be overwritten", ("relu.cfg", "relu.cfg")),
            ("one file for both results", 1, "both cannot be both the cfg and the weights",
             ("net.cfg", "both", "net.weights", "both")),
            ("weights that are not finite", 1, "the outputs on a random image are not finite",
             ("relu.cfg", "o.cfg", "nan.weights", "o")),
            ("weights of another network", 1, "relu.weights does not fit this cfg",
             (*everything[:2], "relu.weights", "o")),
            ("relu6 in a recurrent layer", 1, "activation=relu6 cannot be written",
             ("rnn.cfg", "o.cfg", "rnn.weights", "o")),
            ("what OpenCV lacks is named", 0, "layer 2 (local): OpenCV's dnn module does not know",
             ("local.cfg", "out-local.cfg", "local.weights", "out-local.weights")),
            ("so is a second [region]", 0, "layer 4 (yolo): OpenCV's dnn module reads a network with one [region] only",
             ("softmax.cfg", "out-softmax.cfg", "softmax.weights", "out-softmax.weights"))):
        if name.startswith("relu6 in a rec"):  # header, three biases and nine, 27 and nine weights
            with open(f"{made.folder}/rnn.weights", "wb") as file:
                file.write(numpy.array([0, 2, 0, 0, 0], numpy.int32).tobytes() + bytes(4 * (3 + 27 + 3 + 9 + 3 + 9)))
        wrong = ends_with(status, text, made.folder, *command)
        tap.ok(not wrong, f"deploy: {name}", "\n".join(wrong))

    for name in "local", "softmax":
        tried = Network(made.folder, name)
        tried.folder = folder
        image = noise(tried.shape(), 1)[0]
        off = numpy.abs(tried.predict(image, "predict", tried.cfg, tried.weights) -
                        tried.predict(image, "unpatched", *(f"{made.folder}/out-{name}.{end}" for end in ("cfg", "weights"))))
        tap.ok(off.max() <= TOLERANCE, f"and unpatched Darknet reads it all the same: {name}.cfg", off.max())

    wrong = ends_with(0, "", made.folder, "relu.cfg", "out.cfg")
    with open(f"{made.folder}/relu.cfg", encoding="utf-8") as file:
        want = file.read().replace("=cosine", "=constant").replace("[ols]", "[softmax]")
    with open(f"{made.folder}/out.cfg", encoding="utf-8") as file:
        wrong += [] if want == file.read() else ["another cfg"]
    tap.ok(not wrong, "the cfg alone: only what others do not know is changed", "\n".join(wrong))


# ---- Trained on photographs ------------------------------------------------------------------------------------------

def unpack_cifar10(folder, train, test):
    """The first images of every class, in the layout of train/CLASS and test/CLASS."""
    most = {"train": train, "test": test}
    taken = {}
    with tarfile.open(f"{DATA}/cifar10-jpeg.tar.gz", "r|gz") as tar:
        for member in tar:
            parts = member.name.split("/")[-3:]
            if len(parts) < 3 or parts[0] not in most or not member.isfile():
                continue
            key = "/".join(parts[:2])
            taken[key] = taken.get(key, 0) + 1
            if taken[key] <= most[parts[0]]:
                os.makedirs(f"{folder}/{key}", exist_ok=True)
                with open(f"{folder}/{'/'.join(parts)}", "wb") as out:
                    shutil.copyfileobj(tar.extractfile(member), out)
    run("scripts/images-to-darknet", folder, folder, "--no-duplicates-check")


def train(kind, folder, data, net):
    """darknet ... train, with a seed; the final weights are those of `net`."""
    name = os.path.basename(net.cfg)[:-4]
    run(DARKNET, kind, "train", data, net.cfg, "-seed", "1", "-nogpu", "-loaders", "1", cwd=folder)
    shutil.move(f"{folder}/backup/{name}{'_final' if kind == 'detector' else ''}.weights", net.weights)


def classifiers(folder):
    names = {"resnet": "a residual [ols] classifier, trained on CIFAR-10"}
    if not os.path.exists(f"{DATA}/cifar10-jpeg.tar.gz"):
        for name in names.values():
            tap.skip(name, "no cifar10-jpeg.tar.gz in ../shared/data")
        return
    cifar = f"{folder}/cifar10"
    unpack_cifar10(cifar, 100, 1)
    for kind, name in names.items():
        net = Network(folder, kind)
        with open(net.cfg, "w", encoding="utf-8") as file:
            file.write(run("scripts/make-network", "resnet", "--depth", "8", "--classes", "10", "--batch", "32",
                           "--batches", "150", "--rate", ".05", "--burn-in", "10"))
        train("classifier", cifar, f"{cifar}/cifar10.data", net)
        images = photographs([f"{cifar}/test/{c}/{os.listdir(f'{cifar}/test/{c}')[0]}" for c in CLASSES],
                             net.shape())
        net.try_out(name, images)


def detectors(folder):
    name = "a MobileNetV2 YOLO with two heads, trained on VOC"
    if not os.path.exists(f"{DATA}/voc2012-100.tar.gz"):
        tap.skip(name, "no voc2012-100.tar.gz in ../shared/data")
        return
    with tarfile.open(f"{DATA}/voc2012-100.tar.gz") as tar:
        tar.extractall(folder)
    voc = next(at for at, folders, _ in os.walk(folder) if "JPEGImages" in folders)
    run("scripts/voc-to-darknet", voc, "--set", "train", "--list", f"{folder}/all.list", "--names-out",
        f"{folder}/voc.names")
    os.makedirs(f"{folder}/backup", exist_ok=True)
    with open(f"{folder}/all.list", encoding="utf-8") as file:
        paths = file.read().split()[:8]  # few enough to be learned in a moment
    with open(f"{folder}/few.list", "w", encoding="utf-8") as file:
        file.write("\n".join(paths) + "\n")
    with open(f"{folder}/voc.data", "w", encoding="utf-8") as file:
        file.write(f"classes=20\ntrain={folder}/few.list\nvalid={folder}/few.list\nnames={folder}/voc.names\n"
                   f"backup={folder}/backup\n")
    net = Network(folder, "yolo")
    with open(net.cfg, "w", encoding="utf-8") as file:
        file.write(run("scripts/make-network", "mobilenetv2", "detector", "--classes", "20", "--size", "96", "--width", ".25",
                       "--depth", ".34", "--anchors", "8,10,20,25,40,50,60,90", "--batch", "4", "--batches", "250",
                       "--rate", ".008", "--burn-in", "30", "--jitter", "0", "--colour", "1", "--hue", "0")
                   # thresh is read by OpenCV alone, instead of its .2; with gain 1 no logit is so large that its rounding shows
                   .replace("[yolo]\n", "[yolo]\nthresh=.01\nclass_gain=1\n"))
    train("detector", folder, f"{folder}/voc.data", net)
    net.try_out(name, photographs(paths[:6], net.shape()), "yolo")
    tap.ok(net.kept > 0, "scores above the threshold are there, and OpenCV keeps them")
    print(f"# {net.kept} scores")


def main():
    global DARKNET
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with tempfile.TemporaryDirectory() as folder:
        try:
            DARKNET = build(folder)
            tap.ok(True, "the programs are built")
        except Failed as problem:
            tap.ok(False, "the programs are built", problem)
            tap.finish()
        random_networks(folder)
        best_thresholds(folder)
        refusals(folder)
        classifiers(folder)
        detectors(folder)
    tap.finish()


if __name__ == "__main__":
    main()
