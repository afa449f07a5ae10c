#!/usr/bin/python3
"""darknet ols deploy: OpenCV's dnn module and unpatched Darknet read what it writes, and give the outputs of this Darknet
with the network as it was trained, within 1e-4: for a classifier and detectors trained on photographs, and for networks
that hold all that deploy writes anew, trained on random numbers.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

import numpy
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
sys.path.insert(0, "tests")
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
    pristine, pristine_library = run("tests/build-pristine").splitlines()[-2:]
    ours = [f"{out}/libdarknet.a", "-lz", "-lm", "-pthread", *libraries]
    for name, source, include, rest in (("predict", "predict.c", "build/darknet", ours),
                                        ("train", "dump-training.c", "build/darknet", ours),
                                        ("unpatched", "predict.c", pristine, [pristine_library, "-lm", "-pthread"])):
        run("gcc", "-Ofast", "-w", f"-I{include}/include", f"tests/{source}", "-o", f"{folder}/{name}", *rest)
    flags = run("pkg-config", "--cflags", "opencv4").split()
    run("g++", "-w", *flags, "tests/opencv-predict.cpp", "-o", f"{folder}/opencv", "-lopencv_dnn", "-lopencv_core")
    return os.path.abspath(f"{out}/darknet.bin")


# ---- Networks --------------------------------------------------------------------------------------------------------

class Network:
    """A cfg, its trained weights, and what deploy makes of them."""

    def __init__(self, folder, name):
        self.cfg, self.weights = f"{folder}/{name}.cfg", f"{folder}/{name}.weights"
        self.out_cfg, self.out_weights = f"{folder}/{name}-out.cfg", f"{folder}/{name}-out.weights"
        self.folder = folder

    def shape(self):
        """Channels, height and width of the input."""
        with open(self.cfg, encoding="utf-8") as file:
            keys = dict(line.replace(" ", "").strip().split("=", 1) for line in file if "=" in line and line[0] != "#")
        return [int(keys[name]) for name in ("channels", "height", "width")]

    def deploy(self):
        said = run(DARKNET, "ols", "deploy", self.cfg, self.out_cfg, self.weights, self.out_weights)
        return said

    def predict(self, image, program, cfg, weights):
        """The outputs of one of the programs, all in one array."""
        image.astype(numpy.float32).tofile(f"{self.folder}/input")
        shape = [str(n) for n in self.shape()] if program == "opencv" else []
        run(f"{self.folder}/{program}", cfg, weights, f"{self.folder}/input", *shape, f"{self.folder}/output")
        return numpy.fromfile(f"{self.folder}/output", numpy.float32).astype(float)

    def compare(self, images, head=False):
        """The largest differences of OpenCV and unpatched Darknet with the deployed files from this Darknet with the
        original ones, and what is wrong with them."""
        opencv_cfg = self.out_cfg
        if head:  # all scores, none left out: compared below in the form that users get
            opencv_cfg = f"{self.folder}/all-scores.cfg"
            with open(self.out_cfg, encoding="utf-8") as file, open(opencv_cfg, "w", encoding="utf-8") as out:
                for line in file:
                    if not line.startswith(("thresh=", "nms_threshold=")):
                        out.write(line)
                    if line in ("[yolo]\n", "[region]\n"):
                        out.write("thresh=0\nnms_threshold=0\n")
        worst, said, least = {"opencv": 0, "unpatched": 0}, [], 0
        for image in images:
            want = self.predict(image, "predict", self.cfg, self.weights)
            if not numpy.isfinite(want).all() or want.size == 0 or numpy.ptp(want) < 1e-3:
                return worst, "the original's outputs say nothing: " + str(want[:8])
            for program, cfg in (("opencv", opencv_cfg), ("unpatched", self.out_cfg)):
                got = self.predict(image, program, cfg, self.out_weights)
                if got.shape != want.shape:
                    return worst, f"{program} has {got.size} outputs, not {want.size}"
                off = numpy.abs(got - want).max()
                if not off <= TOLERANCE:
                    said.append(f"{program}: off by {off:.1e}")
                worst[program] = max(worst[program], off)
        return worst, "\n".join(said)

    def try_out(self, name, images, head=False):
        """One test: deployed, and read alike by all."""
        try:
            self.deploy()
            worst, said = self.compare(images, head)
            tap.ok(not said, f"{name}: OpenCV and unpatched Darknet give the same outputs", said)
            print(f"# off by {worst['opencv']:.1e} (OpenCV), {worst['unpatched']:.1e} (unpatched Darknet)")
        except Failed as problem:
            tap.ok(False, name, problem)


def photographs(paths, shape):
    """Images as inputs, of that size; both programs read the same numbers."""
    return [numpy.asarray(Image.open(path).convert("RGB").resize(shape[:0:-1], Image.BILINEAR), float)
            .transpose(2, 0, 1) / 255 for path in paths]


def noise(shape, n=3):
    random = numpy.random.RandomState(5)
    return [random.uniform(0, 1, shape) for _ in range(n)]


# ---- Trained on photographs ------------------------------------------------------------------------------------------

def unpack_cifar10(folder, train, test):
    """The first images of every class, in the layout that cifar10-to-darknet reads."""
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
    run("scripts/cifar10-to-darknet", folder, folder)


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
            file.write(run("scripts/make-resnet", "--depth", "8", "--classes", "10", "--batch", "32", "--batches", "150",
                           "--rate", ".05", "--burn-in", "10"))
        train("classifier", cifar, f"{cifar}/cifar10.data", net)
        images = photographs([f"{cifar}/test/{c}/{os.listdir(f'{cifar}/test/{c}')[0]}" for c in CLASSES],
                             net.shape())
        net.try_out(name, images)


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
        classifiers(folder)
    tap.finish()


if __name__ == "__main__":
    main()
