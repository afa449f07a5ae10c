#!/usr/bin/python3
"""Compares trainings with nesterov=1 with PyTorch's SGD(nesterov=True), iteration by iteration: the same first weights, the
same images, warm-up, a rate that changes, weight decay, a batch in subdivisions. tests/helpers/dump-training.c trains.
"""

import os
import subprocess
import sys
import tempfile

import numpy

os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
sys.path.insert(0, "tests/helpers")
sys.dont_write_bytecode = True
import tap

try:
    import torch
except ImportError:
    tap.skip("agreement with PyTorch", "python3-torch is not installed")
    tap.finish()

HOST = "build/darknet"
LIBRARIES = {"openmp": "-fopenmp", "onednn": "-ldnnl", "openblas": "-lopenblas"}
ITERATIONS, BATCH, SIDE, CLASSES = 8, 6, 6, 3
RATE, BURN_IN, STEPS, SCALES = .05, 3, (5, 7), (.1, .5)
MOMENTUM, DECAY = .9, .02

CFG = f"""\
[net]
batch={BATCH}
subdivisions=2
width={SIDE}
height={SIDE}
channels=2
momentum={MOMENTUM}
decay={DECAY}
learning_rate={RATE}
burn_in={BURN_IN}
policy=steps
steps={",".join(map(str, STEPS))}
scales={",".join(map(str, SCALES))}
max_batches=100
%s
[convolutional]
filters=4
size=3
stride=1
pad=1
activation=leaky
[connected]
output={CLASSES}
activation=linear
[softmax]
"""


def build(program):
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    subprocess.run(["make", "-s", "variant"], check=True, env=clean)
    out = subprocess.run(["make", "-s", "print-out"], check=True, env=clean, stdout=subprocess.PIPE).stdout.decode().strip()
    found = set(os.path.basename(out).split("-")) & set(LIBRARIES)
    subprocess.run(["gcc", "-Ofast", "-w", f"-I{HOST}/include", "tests/helpers/dump-training.c", f"{out}/libdarknet.a", "-o",
                    program, "-lz", "-lm", "-pthread", *[LIBRARIES[name] for name in found]], check=True)


def weights_after(program, cfg, iterations, folder, **environment):
    """Biases and weights of the [convolutional], and those of the [connected], after so many iterations."""
    file = f"{folder}/a.weights"
    subprocess.run([program, "train", cfg, str(iterations), f"{folder}/dump", file], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    numbers, at, arrays = numpy.fromfile(file, numpy.float32, offset=20), 0, []
    for shape in ((4,), (4, 2, 3, 3), (CLASSES,), (CLASSES, 4 * SIDE * SIDE)):
        n = int(numpy.prod(shape))
        arrays.append(numbers[at:at + n].reshape(shape).astype(float))
        at += n
    return arrays


class Images:
    """The images of dump-training.c, in its order."""

    def __init__(self):
        self.random = 7

    def uniform(self):
        self.random = (self.random * 1664525 + 1013904223) % 2**32
        return (self.random >> 8) / 2**24

    def batch(self):
        x, y = [], []
        for _ in range(BATCH):
            x.append([self.uniform() - .5 for _ in range(2 * SIDE * SIDE)])
            y.append(int(self.uniform() * CLASSES))
        return torch.tensor(x, dtype=torch.double).view(BATCH, 2, SIDE, SIDE), torch.tensor(y)


def rate_of(iteration):
    """Darknet's learning rate: during burn_in with its 4th power, then steps."""
    if iteration < BURN_IN:
        return RATE * (iteration / BURN_IN)**4
    return RATE * numpy.prod([scale for step, scale in zip(STEPS, SCALES) if step <= iteration])


def pytorch(first, nesterov):
    """The arrays after every iteration."""
    parameters = [torch.tensor(a, requires_grad=True) for a in first]
    conv_bias, conv, bias, connected = parameters
    sgd = torch.optim.SGD([{"params": [conv, connected], "weight_decay": DECAY}, {"params": [conv_bias, bias]}], lr=RATE,
                          momentum=MOMENTUM, nesterov=nesterov)
    images, result = Images(), []
    for iteration in range(1, ITERATIONS + 1):
        x, y = images.batch()
        x = torch.nn.functional.leaky_relu(torch.nn.functional.conv2d(x, conv, conv_bias, padding=1), .1)
        loss = torch.nn.functional.cross_entropy(x.flatten(1) @ connected.T + bias, y)
        for group in sgd.param_groups:
            group["lr"] = rate_of(iteration)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        result.append([p.detach().numpy().copy() for p in parameters])
    return result


def worst(one, other):
    return max(abs(a - b).max() for a, b in zip(one, other))


def main():
    with tempfile.TemporaryDirectory() as folder:
        program, cfg = f"{folder}/dump-training", f"{folder}/net.cfg"
        build(program)
        for key, nesterov in (("nesterov=1", True), ("nesterov=0", False)):
            with open(cfg, "w", encoding="utf-8") as file:
                file.write(CFG % key)
            for name, environment in (("the fast paths", {}), ("Darknet's own code", {"ONEDNN": "0", "OPENBLAS": "0"})):
                first = weights_after(program, cfg, 0, folder, **environment)
                want = pytorch(first, nesterov)
                off = [worst(weights_after(program, cfg, i + 1, folder, **environment), want[i]) for i in range(ITERATIONS)]
                tap.ok(max(off) < 2e-6, f"{key}, with {name}: the weights are PyTorch's after every iteration", off)
                tap.ok(worst(first, want[-1]) > .01, f"{key}, with {name}: and they have moved")
        tap.ok(worst(pytorch(first, True)[-1], pytorch(first, False)[-1]) > 1e-3, "the two momenta can be told apart here")
    tap.finish()


if __name__ == "__main__":
    main()
