#!/usr/bin/python3
"""Paths longer than Darknet's buffers are right, or refused with one line before anything is lost; and weights have the
name of their cfg without its last ending."""

import atexit
import os
import random
import shutil
import subprocess
import sys
import tempfile

from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))

tmp = os.path.realpath(tempfile.mkdtemp(prefix="paths."))
atexit.register(shutil.rmtree, tmp)
os.chdir(tmp)
os.environ["OMP_NUM_THREADS"] = "1"

IMAGES = 8
YOLO = ("[net]\nbatch=4\nsubdivisions=2\nwidth=32\nheight=32\nchannels=3\nmomentum=.9\nlearning_rate=.01\nmax_batches=100\n"
        "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=4\npad=1\nactivation=leaky\n"
        "[convolutional]\nfilters=7\nsize=1\nactivation=linear\n"
        "[yolo]\nmask=0\nanchors=8,8\nclasses=2\nnum=1\njitter=.2\nignore_thresh=.6\ntruth_thresh=1\nrandom=0\n")
OLS = ("[net]\nbatch=4\nwidth=8\nheight=8\nchannels=3\nmomentum=.9\nlearning_rate=.01\nmax_batches=4\n"
       "[connected]\noutput=2\nactivation=linear\n[ols]\n")
DETECTOR, CLASSIFIER = ("detector", YOLO), ("classifier", OLS)
LONG = "/".join([c * 120 for c in "abc"])  # 362 characters
random.seed(1)


def put(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(content)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def run(*args, **keys):
    """(status, stdout, stderr)"""
    done = subprocess.run([DARKNET, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          timeout=300, **keys)
    return done.returncode, done.stdout, done.stderr


def is_refused(done, *words):
    """Status 1 and one line, with these words in it."""
    said = [line for line in done[2].splitlines() if line.startswith("darknet: ") and "darknet: note" not in line]
    return done[0] == 1 and len(said) == 1 and all(word in said[0] for word in words)


def data(where, cfg="net.cfg", kind=DETECTOR, **keys):
    """Images, lists and cfg below a folder; the .data file's name."""
    for i in range(IMAGES):
        drawn = Image.new("RGB", (24, 24), (30, 30, 30))
        drawn.paste((240, 40, 40), (i, i, i + 8, i + 8))
        image = f"{where}/images/{'square' if i % 2 else 'other'}.{i}.png"
        os.makedirs(os.path.dirname(image), exist_ok=True)
        drawn.save(image)
        put(image.replace("images", "labels").replace(".png", ".txt"), f"{i % 2} {(i + 4) / 24} {(i + 4) / 24} .33 .33\n")
    images = [f"{tmp}/{where}/images/{'square' if i % 2 else 'other'}.{i}.png\n" for i in range(IMAGES)]
    put(f"{where}/train", "".join(images[:6]))
    put(f"{where}/valid", "".join(images[6:]))
    put(f"{where}/names", "other\nsquare\n")
    values = {"classes": 2, "train": f"{where}/train", "valid": f"{where}/valid", "names": f"{where}/names",
              "labels": f"{where}/names", "backup": f"{where}/backup", "results": f"{where}/results", "top": 1, **keys}
    put(f"{where}/my.data", "".join(f"{key} = {value}\n" for key, value in values.items()))
    put(f"{where}/{cfg}", kind[1])
    os.makedirs(values["backup"], exist_ok=True)
    return f"{where}/my.data"


# ---- long paths that are right ------------------------------------------------------------------------------------------

my = data(LONG)
cfg, weights, image = f"{LONG}/net.cfg", f"{LONG}/backup/net_final.weights", f"{LONG}/images/square.1.png"
code, out, err = run("detector", "train", my, cfg, "-map", "-seed", "1", "-nogpu")
made = sorted(os.listdir(f"{LONG}/backup"))
same((code, [name for name in made if name.endswith((".weights", ".backup", ".csv"))]),
     (0, ["net.backup", "net_100.weights", "net_best.weights", "net_final.weights", "net_last.weights", "net_log.csv"]),
     "detector train -map saves weights and log to a path of 400 characters")
code, out, err = run("detector", "valid", my, cfg, weights, "-nogpu")
same((code, sorted(os.listdir(f"{LONG}/results"))), (0, ["comp4_det_test_other.txt", "comp4_det_test_square.txt"]),
     "detector valid writes its results to such a path")
code, out, err = run("detector", "map", my, cfg, weights, "-nogpu")
ok(code == 0 and "mAP" in out, "detector map reads from such paths", err)
ok(run("detector", "test", my, cfg, weights, image, "-out", "found", "-nogpu")[0] == 0 and os.path.exists("found.jpg"),
   "detector test takes an image with such a path")
code, out, err = run("detector", "test", my, cfg, weights, "-out", "typed", "-nogpu", input=f"{image}\n")
ok(code == 0 and os.path.exists("typed.jpg"), "nor with one that is typed in", err)

shutil.rmtree("a" * 120)
my = data(LONG, kind=CLASSIFIER)
weights = f"{LONG}/backup/net.weights"
code, out, err = run("classifier", "train", my, cfg, "-topk", "-seed", "1", "-nogpu")
ok(code == 0 and {"net.weights", "net_2.weights", "net_best.weights"} <= set(os.listdir(f"{LONG}/backup")),
   "classifier train -topk saves weights to such a path", err)
ok(run("classifier", "valid", my, cfg, weights, "-nogpu")[0] == 0 and
   run("classifier", "metrics", my, cfg, weights, "-nogpu")[0] == 0 and
   run("classifier", "predict", my, cfg, weights, image, "-nogpu")[0] == 0,
   "classifier valid, metrics and predict read from such paths")
ok(run("ols", "show", weights)[0] == 0, "so does ols show")

# ---- longer than a path may be, and what Darknet has no room for -------------------------------------------------------

endless = "/".join(["d" * 200] * 25)
my = data("short")
for key, words in (("backup", "backup="), ("train", "list of images"), ("valid", "list of images"), ("names", "list of names")):
    values = {"classes": 2, "train": "short/train", "valid": "short/valid", "names": "short/names",
              "backup": "short/backup", key: endless}
    put("endless.data", "".join(f"{name} = {value}\n" for name, value in values.items()))
    for command in (("check",), ("detector", "train")):
        done = run(*command, "endless.data", "short/net.cfg")
        ok(is_refused(done, words, "too long") and not os.listdir("short/backup"),
           f"{' '.join(command)} refuses a {key}= of 5,000 characters")
put("endless.data", read("short/my.data").decode().replace("results = short/results", f"results = {endless}"))
run("detector", "train", my, "short/net.cfg", "-seed", "1", "-nogpu")
weights = "short/backup/net_final.weights"
ok(is_refused(run("detector", "valid", "endless.data", "short/net.cfg", weights), "cannot make the folder"),
   "detector valid refuses such a results=")
put("short/names", "other\n" + "square" * 50 + "\n")
ok(is_refused(run("detector", "valid", my, "short/net.cfg", weights), "cannot write", "File name too long"),
   "and a class of which no file can have the name")
put("short/names", "other\nsquare\n")
put("short/train", read("short/train").decode() + endless + ".png\n")
done = run("detector", "train", my, "short/net.cfg")
ok(done[0] == 1 and "darknet: short/train:7: path too long" in done[2], "a training names the line of a path too long", done[2])
ok(is_refused(run("detector", "test", my, "short/net.cfg", weights, endless), "too long"), "detector test refuses it")
ok(is_refused(run("detector", "test", my, "short/net.cfg", weights, "short/images/square.1.png", "-out", "e" * 300),
              "too long"), "and a picture's name that Darknet has no room for")
put(f"short/{'n' * 240}.cfg", YOLO)
ok(is_refused(run("detector", "train", data("short"), f"short/{'n' * 240}.cfg", "-nocheck"), "the name of short/nnn", "270"),
   "a cfg whose weights no file can have the name of is refused before training, with -nocheck too")

# ---- the name of the weights --------------------------------------------------------------------------------------------

shutil.rmtree("short")
for name in "a.b.cfg", "a.c.cfg":
    my = data("dots", cfg=name, kind=CLASSIFIER)
    run("classifier", "train", my, f"dots/{name}", "-seed", name[2:3] == "b" and "1" or "2", "-nogpu")
ok({"a.b.weights", "a.c.weights"} <= set(os.listdir("dots/backup")) and "a.weights" not in os.listdir("dots/backup"),
   "a.b.cfg and a.c.cfg have weights of their own")
before = read("dots/backup/a.b.weights")
os.rename("dots/backup/a.c.weights", "dots/backup/a.backup")
put("dots/a.d.cfg", OLS.replace("max_batches=4", "max_batches=8"))
code, out, err = run("classifier", "train", my, "dots/a.d.cfg", "dots/backup/a.backup", "-nogpu")
ok(code == 0 and "a.backup may be of an earlier version" in err and "a.d.backup" in err,
   "a training that goes on from weights with the name of earlier versions says where it writes", err)
ok(read("dots/backup/a.b.weights") == before and "a.d.weights" in os.listdir("dots/backup"), "and writes over no other file")
put("dots/net.cfg", YOLO)
run("detector", "train", my, "dots/net.cfg", "-seed", "1", "-nogpu")
run("detector", "valid", my, "dots/net.cfg", "dots/backup/net_final.weights", "-nogpu")
found = "".join(read(f"dots/results/{name}").decode() for name in os.listdir("dots/results"))
same({line.split()[0] for line in found.splitlines()} - {"other.6", "square.7"}, set(),
     "detector valid names an image by all of its name, too")

finish()
