#!/usr/bin/python3
"""A short training of each kind, and what its evaluation runs, under AddressSanitizer, UndefinedBehaviorSanitizer and
LeakSanitizer; skipped for a program without them (make SANITIZE=1). Darknet loses memory on purpose: all that a training
has until it ends. So whose a leak is depends on who allocated: the first function of its stack that is no allocator. A
file of suppressions would hide more, as it matches all callers."""

import glob
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "helpers"))
from tap import finish, ok, skip  # noqa: E402

PROGRAM = os.path.realpath(os.environ.get("DARKNET_PROGRAM", os.path.join(ROOT, "darknet")))
ALLOCATORS = re.compile(r"^(__interceptor_\w+|malloc|calloc|realloc|x(malloc|calloc|realloc|strdup)|grow_array)$")
FRAME = re.compile(r"#\d+ \w+ in (\S+) (\S+)")

NET = """[net]
batch=4
subdivisions=2
width=32
height=32
channels=3
learning_rate=.001
max_batches=8
policy=steps
steps=4
scales=.1
[convolutional]
batch_normalize=1
filters=4
size=3
stride=2
pad=1
activation=leaky
"""
LINEAR = "[convolutional]\nfilters={}\nsize=3\nstride=2\npad=1\nactivation=linear\n"
CFGS = {
    "yolo": LINEAR.format(16) + "[yolo]\nmask=0,1\nanchors=8,8,16,16\nnum=2\nclasses=3\nsmoothing=ols\n",
    "region": LINEAR.format(16) + "[region]\nanchors=1,1,2,2\nnum=2\nclasses=3\nsoftmax=1\nsmoothing=ols\n",
    "detection": "[connected]\noutput=52\nactivation=linear\n"
                 "[detection]\nside=2\nnum=2\ncoords=4\nclasses=3\nsmoothing=ols\n",
    "ols": "[connected]\noutput=3\nactivation=linear\n[ols]\n",
}


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def make_data(folder):
    paths = []
    for k, name in enumerate(("red", "green", "blue")):
        for i in range(2):
            colour = [60 * i + 30] * 3
            colour[k] = 220
            paths.append(f"{folder}/images/{name}-{i}.ppm")
            write(paths[-1], b"P6\n16 16\n255\n" + bytes(colour) * 256)
            write(f"{folder}/labels/{name}-{i}.txt", f"{k} 0.5 0.5 0.6 0.4\n")
    write(f"{folder}/list", "\n".join(paths) + "\n")
    write(f"{folder}/names", "red\ngreen\nblue\n")
    write(f"{folder}/backup/.keep", "")
    write(f"{folder}/data", f"classes=3\ntrain={folder}/list\nvalid={folder}/list\nnames={folder}/names\n"
                            f"backup={folder}/backup\n")
    for name, head in CFGS.items():
        write(f"{folder}/{name}.cfg", NET + head)


def own_leaks(report):
    """The stacks of leaks that are ours. What hangs on a leak of Darknet's is Indirect."""
    found = []
    for leak in re.findall(r"Direct leak of .*?(?=\n\n|\Z)", report, re.S):
        frames = [frame for frame in FRAME.findall(leak) if not ALLOCATORS.match(frame[0])]
        if frames and re.search(r"(^|/)src/", frames[0][1]) and "/darknet/src/" not in frames[0][1]:
            found.append(leak)
    return found


def run(folder, arguments):
    """Returns what is wrong with a run; nothing: "". Every process, also that of an evaluation, reports to a file."""
    log = os.path.join(folder, "report")
    environment = dict(os.environ, OMP_NUM_THREADS="1", UBSAN_OPTIONS=f"log_path={log}",
                       ASAN_OPTIONS=f"detect_leaks=1:exitcode=0:log_path={log}")
    done = subprocess.run([PROGRAM] + arguments, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode(errors="replace")
    wrong = f"status {done.returncode}: {said[-600:]}" if done.returncode else ""
    for path in glob.glob(log + ".*"):
        with open(path, errors="replace") as file:
            report = file.read()
        os.remove(path)
        if "ERROR: AddressSanitizer" in report or "runtime error" in report:
            wrong += report[:3000]
        wrong += "\n\n".join(own_leaks(report))
    for line in said.splitlines():
        if line.startswith("darknet: note: iteration"):  # an evaluation that failed
            wrong += line
    return wrong


EXAMPLE = """Direct leak of 5 byte(s) in 1 object(s) allocated from:
    #0 0x1 in __interceptor_malloc ../../x.cpp:69
    #1 0x2 in xmalloc {}base/memory.c:20
    #2 0x3 in a_function {}

"""
ok(own_leaks(EXAMPLE.format("src/", "src/train/x.c:3")) and
   not own_leaks(EXAMPLE.format("src/", "build/darknet/src/data.c:3")), "a leak is of the code that allocated")

with open(PROGRAM, "rb") as program:
    is_sanitized = b"__asan_init" in program.read()
if not is_sanitized:
    skip("trainings have no error, and no leak of ours", "the program is not of make SANITIZE=1")
with tempfile.TemporaryDirectory() as work:
    make_data(work)
    for cfg in CFGS if is_sanitized else ():
        kind = "classifier" if cfg == "ols" else "detector"
        evaluation = "-topk" if cfg == "ols" else "-map"
        weights = f"backup/{cfg}.weights" if cfg == "ols" else f"backup/{cfg}_final.weights"
        for name, arguments in ((f"{kind} train, [{cfg}]", ["train", "data", f"{cfg}.cfg", "-seed", "1"]),
                                (f"{kind} train {evaluation}, [{cfg}]",
                                 ["train", "data", f"{cfg}.cfg", "-seed", "1", evaluation, "2"]),
                                (f"{kind} {'metrics' if cfg == 'ols' else 'map'}, [{cfg}]",
                                 ["metrics" if cfg == "ols" else "map", "data", f"{cfg}.cfg", weights])):
            wrong = run(work, [kind] + arguments)
            ok(not wrong, f"{name}: no error, and no leak of ours", wrong)
finish()
