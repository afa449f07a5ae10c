#!/usr/bin/python3
"""Compares the fast CPU paths with Darknet's own code. Both train the same networks on the same images. The resulting
weights, and the predictions in between, must agree: after one iteration within 1e-4 of the largest value of each array;
after three within 5e-2, because a single [relu] that is 0 in one and above 0 in the other makes a difference of 2e-2.

Darknet's own code is compiled with double instead of float here, because in single precision its sums have errors of up
to 1e-3 in these networks, which is too much for a reference. dump-training.c trains, predicts after every iteration,
and resizes networks with random=1 on the way.
"""

import concurrent.futures
import glob
import os
import subprocess
import sys
import tempfile

import numpy

os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
sys.path.insert(0, "tests/helpers")
sys.dont_write_bytecode = True
import tap

TOLERANCES = {1: 1e-4, 3: 5e-2}
FLOOR = .01  # of the largest value: some arrays are sums that cancel, such as gradients by biases before normalisation
HOST = "build/darknet"
LIBRARIES = {"openmp": "-fopenmp", "onednn": "-ldnnl", "openblas": "-lopenblas"}

DOUBLE = """\
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define float double
#undef FLT_MAX
#define FLT_MAX DBL_MAX
"""


def build_fast(program):
    """dump-training with the switches that are the default here; returns the folder that they are built in."""
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    subprocess.run(["make", "-s", "variant"], check=True, env=clean)
    said = subprocess.run(["make", "-s", "print-out"], check=True, env=clean, stdout=subprocess.PIPE)
    out = said.stdout.decode().strip()
    found = set(os.path.basename(out).split("-")) & set(LIBRARIES)
    subprocess.run(["gcc", "-Ofast", "-w", f"-I{HOST}/include", "tests/helpers/dump-training.c", f"{out}/libdarknet.a", "-o",
                    program, "-lz", "-lm", "-pthread", *[LIBRARIES[name] for name in found]], check=True)
    return out


def build_double(program, folder, built):
    """The same with Darknet's own code, in double."""
    with open(f"{folder}/double.h", "w", encoding="utf-8") as file:
        file.write(DOUBLE)
    include = ["-Isrc"] + [f"-isystem{HOST}/include", f"-isystem{HOST}/src"]
    double = ["-include", f"{folder}/double.h"]
    commands = []
    host = [f"{HOST}/src/{os.path.basename(object)[:-2]}.c" for object in glob.glob(f"{built}/darknet/*.o")]
    for source in [s for s in host if os.path.exists(s)] + [s for s in glob.glob("src/**/*.c", recursive=True) if not s.startswith("src/commands/")]:
        flags = ["-include", "src/data/random_stream.h"] if source.startswith(HOST) else []
        # image.c works on vectors of floats, and is not called
        commands.append([*(double if os.path.basename(source) != "image.c" else []), *flags, "-c", source, "-o",
                         f"{folder}/{source.replace('/', '-')}.o"])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda c: subprocess.run(["gcc", "-std=gnu99", "-D_GNU_SOURCE", "-O2", "-w", *include, *c], check=True), commands))
    subprocess.run(["gcc", "-O2", "-w", *double, f"-I{HOST}/include", "tests/helpers/dump-training.c",
                    *glob.glob(f"{folder}/*.o"), "-o", program, "-lz", "-lm", "-pthread"], check=True)


def net(batch=3, subdivisions=1, size=32, **more):
    keys = dict(batch=batch * subdivisions, subdivisions=subdivisions, width=size, height=size, channels=3, momentum=.9,
                decay=.0005, learning_rate=.01, max_batches=100, **more)
    return "[net]\n" + "".join(f"{k}={v}\n" for k, v in keys.items())


def conv(filters, size=3, stride=1, pad=1, groups=1, activation="relu", normal=1):
    return (f"[convolutional]\nfilters={filters}\nsize={size}\nstride={stride}\npad={pad}\ngroups={groups}\n"
            f"activation={activation}\nbatch_normalize={normal}\n")


def shortcut(back, activation="linear"):
    return f"[shortcut]\nfrom={-back}\nactivation={activation}\n"


def route(*layers):
    return "[route]\nlayers=" + ",".join(map(str, layers)) + "\n"


END = "[avgpool]\n[connected]\noutput=10\nactivation=linear\n[softmax]\n"
UPSAMPLE = "[upsample]\nstride=2\n"


def squeeze(few, filters):
    """Squeeze-and-excitation of the layer before it."""
    return ("[avgpool]\n" + conv(few, 1, normal=0, activation="swish") + conv(filters, 1, normal=0, activation="logistic") +
            "[scale_channels]\nfrom=-4\n")


def yolo(mask, random=0):
    return (f"[yolo]\nmask={mask}\nanchors=4,6, 9,9, 20,14\nnum=3\nclasses=3\nignore_thresh=.5\ntruth_thresh=1\n"
            f"random={random}\n")


NETWORKS = {
    "a residual network of one width": net() + conv(16) + conv(16) + conv(16, activation="linear") +
        shortcut(3, "relu") + conv(16) + conv(16, activation="linear") + shortcut(3, "relu") + END,
    "shortcuts from more pixels and fewer channels": net() + conv(16) + conv(32, stride=2) +
        conv(32, activation="linear") + shortcut(3, "relu") + conv(48, stride=2) + conv(48, activation="linear") +
        shortcut(3, "leaky") + END,
    "a shortcut from a shortcut of fewer channels": net() + conv(16) + conv(24, activation="leaky") +
        conv(20, activation="leaky") + shortcut(2) + conv(24, activation="leaky") + shortcut(2) + conv(16) + END,
    "channels that fill no block": net() + conv(5) + conv(19, activation="leaky") + conv(19, activation="linear") +
        shortcut(2, "leaky") + conv(7, 1) + END,
    "shortcuts from fewer pixels, and from more channels": net() + conv(40, stride=2) + conv(20) + UPSAMPLE +
        shortcut(2) + conv(24) + END,
    "inverted residuals, width 24": net() + conv(16, stride=2) + conv(96, 1) + conv(96, stride=2, groups=96) +
        conv(24, 1, activation="linear") + conv(144, 1) + conv(144, groups=144) + conv(24, 1, activation="linear") +
        shortcut(4) + conv(40, 1) + END,
    "inverted residuals with relu6": net() + conv(16, stride=2, activation="relu6") + conv(96, 1, activation="relu6") +
        conv(96, stride=2, groups=96, activation="relu6") + conv(24, 1, activation="linear") +
        conv(24, activation="linear") + "[shortcut]\nfrom=-2\nalpha=4\nbeta=-3\nactivation=relu6\n" +
        conv(40, 1, normal=0, activation="relu6") + END,
    "kernels of 5 and 7, stride 3, no pad": net(size=61) + conv(16, 7, 2) + conv(32, 5, 3, pad=0) + conv(16, 1, 2) +
        END,
    "groups of 2, 4 and 8": net() + conv(16) + conv(32, groups=2) + conv(32, groups=8) + conv(24, groups=4) + END,
    "convolutions without batch normalisation": net() + conv(16, normal=0) + conv(24, normal=0, activation="leaky") +
        conv(9, normal=0, activation="linear") + conv(16) + END,
    "activations that have no fast path": net() + conv(16) + conv(16, activation="elu") +
        conv(16, activation="logistic") + conv(16) + END,
    "squeeze and excitation, with swish and behind blocked layers": net() + conv(16, stride=2, activation="swish") +
        conv(32, 1, activation="swish") + conv(32, groups=32, activation="swish") + squeeze(8, 32) +
        conv(16, 1, activation="linear") + shortcut(8) + conv(48) + squeeze(4, 48) + conv(16) + shortcut(2, "swish") + END,
    "pixels that are scaled": net() + conv(16) + conv(24) + conv(1, 1, normal=0, activation="logistic") +
        "[scale_channels]\nfrom=-2\nscale_wh=1\nactivation=leaky\n" + conv(16) + END,
    "max pooling, with and without a remainder": net(size=33) + conv(16) + "[maxpool]\nsize=2\nstride=2\n" + conv(20) +
        "[maxpool]\nsize=3\nstride=2\n" + conv(32) + "[maxpool]\nsize=2\nstride=1\n" + END,
    "routes to blocks and to parts of blocks": net() + conv(16) + conv(32) + conv(20) + route(-1) + conv(16) +
        route(0, 1, 2) + conv(16) + route(-1, 2, 0) + conv(24) + END,
    "a layer that is read four times": net() + conv(16) + conv(16) + shortcut(2) + route(0, -1, 0) + conv(16) + END,
    "both inputs of a shortcut are read again": net() + conv(16) + conv(16) + shortcut(2, "relu") + route(2, 1, 0) +
        conv(16) + END,
    "an upsampling with a scale": net() + conv(16, stride=2) + conv(16) + UPSAMPLE + "scale=.5\n" + conv(16) + END,
    "a route of 34 layers": net() + conv(16) + conv(4) + route(0) + conv(16) + conv(16) +
        conv(8, normal=0, activation="linear") + route(*[1] * 32, 3, 5) + conv(16) + END,
    "dropout between convolutions": net() + conv(16) + conv(16) + "[dropout]\nprobability=.5\n" + conv(32) + conv(16) +
        END,
    "a local and a normalization layer in between": net() + conv(16, stride=2) + "[normalization]\nsize=5\n" +
        conv(16, stride=2) + "[local]\nsize=3\nstride=2\npad=1\nfilters=6\nactivation=leaky\n" + END,
    "a convolution as the classifier": net() + conv(16) + "[avgpool]\n" +
        conv(10, 1, normal=0, activation="linear") + "[softmax]\n",
    "batches in subdivisions": net(batch=2, subdivisions=3) + conv(16) + conv(20) + shortcut(2) + conv(16) + END,
    "one image at a time": net(batch=1) + conv(16) + conv(20) + conv(24, stride=2) + END,
    "two YOLO heads, upsampling, and a resize": net() + conv(16, stride=2) + conv(32, stride=2) +
        conv(32, groups=32) + conv(24, 1, activation="linear") + conv(48, stride=2, activation="leaky") +
        conv(16, 1, normal=0, activation="linear") + yolo("1,2", random=1) + route(-3) + conv(16, 1) + UPSAMPLE +
        route(-1, 3) + conv(8, 1, normal=0, activation="linear") + yolo("0", random=1),
    "squeeze and excitation under a YOLO head, and a resize": net() + conv(16, stride=2) + conv(32, stride=2) +
        squeeze(8, 32) + conv(32, stride=2, activation="swish") + conv(16, 1, normal=0, activation="linear") +
        yolo("1,2", random=1),
    "batch normalisation and leaky under a head": net() + conv(16, stride=2) + conv(32, stride=2) +
        conv(45, 1, activation="leaky") + "[region]\nanchors=1,1, 2,3, 3,1, 2,2, 4,5\nnum=5\nclasses=4\ncoords=4\n"
        "softmax=1\nrescore=1\n",
    "a network of connected layers": net(size=8) + "[connected]\noutput=40\nactivation=relu\nbatch_normalize=1\n"
        "[connected]\noutput=10\nactivation=linear\n[softmax]\n",
}


def learn(program, number, cfg, iterations, out):
    """The arrays that dump-training writes, in numbers of this type."""
    run = subprocess.run([program, "learn", cfg, str(iterations), out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if run.returncode:
        raise ValueError(run.stderr.decode()[-300:])
    data, at, result = open(out, "rb").read(), 0, []
    while at < len(data):
        n = int(numpy.frombuffer(data, numpy.uint64, 1, at)[0])
        result.append(numpy.frombuffer(data, number, n, at + 8).astype(float))
        at += 8 + n * numpy.dtype(number).itemsize
    return result


def disagreement(one, other):
    """The largest difference of two lists of arrays, in parts of the largest value of its array."""
    if not one or [len(a) for a in one] != [len(b) for b in other]:
        raise ValueError("they write different arrays")
    if not all(numpy.isfinite(a).all() for a in one + other):
        raise ValueError("not all values are finite")
    return max(numpy.abs(a - b).max() / max(numpy.abs(b).max(), FLOOR) for a, b in zip(one, other))


def main():
    with tempfile.TemporaryDirectory() as folder:
        fast, judge, cfg = f"{folder}/fast", f"{folder}/judge", f"{folder}/net.cfg"
        built = build_fast(fast)
        if "onednn" not in built:
            tap.skip("agreement with Darknet's own code", "oneDNN is not installed")
            tap.finish()
        build_double(judge, folder, built)
        for name, text in NETWORKS.items():
            with open(cfg, "w", encoding="utf-8") as file:
                file.write(text)
            said = []
            for iterations, tolerance in TOLERANCES.items():
                try:
                    worst = disagreement(learn(fast, numpy.float32, cfg, iterations, f"{folder}/fast.out"),
                                         learn(judge, numpy.float64, cfg, iterations, f"{folder}/judge.out"))
                    said += [f"after {iterations} iterations: off by {worst:.1e}"] if worst > tolerance else []
                except ValueError as problem:
                    said.append(str(problem))
            tap.ok(not said, name, "\n".join(said))
    tap.finish()


if __name__ == "__main__":
    main()
