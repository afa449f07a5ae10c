#!/usr/bin/python3
"""darknet ols plot: the strip of several checkpoints, from checkpoints that are made here, and what it refuses."""

import atexit
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
from PIL import Image

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(ROOT, "tests", "helpers")]
from tap import finish, ok, same, skip  # noqa: E402

DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))
os.environ["OMP_NUM_THREADS"] = "1"
tmp = os.path.realpath(tempfile.mkdtemp(prefix="ols-plot."))
atexit.register(shutil.rmtree, tmp, ignore_errors=True)
os.chdir(tmp)
GNUPLOT = shutil.which("gnuplot")


def put(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    return path


def content(path):
    with open(path, "rb") as file:
        return file.read()


def checkpoint(path, S, updates, images=0):
    """A weights file with these soft labels, as src/ols/ols.h lays them out."""
    K = len(S)
    block = b"OLSstate" + struct.pack("<2I4q", 1, K, images, 0, updates, 0) + np.asarray(S, "<f4").tobytes()
    block += bytes(4 * K * K + 16 * K)
    block += struct.pack("<Q", len(block) + 16)
    return put(path, bytes(20) + block + struct.pack("<I", zlib.crc32(block)) + b"OLS\n")


def after(epoch):
    """S of three classes, of which S[0][1] tells the epoch."""
    return [[1 - epoch / 100, epoch / 100, 0], [.04, .9, .06], [.1, .2, .7]]


def plot(*arguments, path=os.environ["PATH"]):
    """(status, stderr)"""
    done = subprocess.run([DARKNET, "ols", "plot", *arguments], capture_output=True, text=True, env={**os.environ, "PATH": path})
    return done.returncode, done.stdout + done.stderr


def drawn(*arguments):
    """(status, stderr, what gnuplot was given, picture)"""
    put("bin/gnuplot", f"#!/bin/sh\ntee '{tmp}/script' | '{GNUPLOT}'\n".encode())
    os.chmod("bin/gnuplot", 0o755)
    status, err = plot(*arguments, path=f"{tmp}/bin:{os.environ['PATH']}")
    if status:
        ok(False, f"{' '.join(arguments)} is drawn", err)
        finish()
    script = content("script").decode()
    with Image.open(arguments[-1]) as picture:
        return status, err, script, picture.convert("RGB")


def panels(script, picture):
    """[(title, data block, (left, top, right, bottom) in pixels)] in the order in which they are drawn"""
    found = re.findall(r"lmargin at screen (\S+)\nset rmargin at screen (\S+)\nset tmargin at screen (\S+)\nset bmargin at screen "
                       r"(\S+)\n[^$]*?set title '(.*?)'.*\nplot (\$S\d+) ", script)
    width, height = picture.size
    return [(title, name, (float(left) * width, (1 - float(top)) * height, float(right) * width, (1 - float(bottom)) * height))
            for left, right, top, bottom, title, name in found]


def rows_and_columns(places):
    return len({round(top) for _, _, (_, top, _, _) in places}), len({round(left) for _, _, (left, _, _, _) in places})


def block(script, name):
    rows = re.search(rf"^{re.escape(name)} << EOD\n(.*?)EOD", script, re.MULTILINE | re.DOTALL)[1]
    return [[float(number) for number in row.split()] for row in rows.splitlines()]


def pixel(picture, place, y, k, classes=3):
    """The colour in the middle of S[y][k] of a heat map."""
    left, top, right, bottom = place
    return picture.getpixel((round(left + (k + .5) * (right - left) / classes), round(top + (y + .5) * (bottom - top) / classes)))


FILES = [checkpoint(f"run_{epoch}.weights", after(epoch), epoch) for epoch in range(1, 21)]
put("three.names", b"cat\nit's 5%\ndog\n")

# ---- what is refused ----

put("out.png", b"as it was")


def refused(name, want, *arguments):
    """Ends with one line that says `want`, and leaves what stands where the picture is to be."""
    status, err = plot(*arguments)
    ok(status == 1 and err.count("\n") == 1 and err.startswith("darknet: ") and want in err and content("out.png") == b"as it was",
       name, (status, err))


checkpoint("four.weights", np.eye(4), 3)
put("plain.weights", bytes(200))
put("two.names", b"cat\ndog\n")
refused("a checkpoint of another number of classes is named", "four.weights holds soft labels of 4 classes, but run_1.weights of 3",
        FILES[0], FILES[1], "four.weights", "out.png")
refused("one without soft labels is named", "plain.weights holds no soft labels", FILES[0], "plain.weights", "out.png")
refused("one that is not there is named", "cannot open gone.weights", FILES[0], "gone.weights", "out.png")
put("cut.weights", content(FILES[0])[:-30] + content(FILES[0])[-16:])
refused("one that is damaged is named", "cut.weights", FILES[0], "cut.weights", "out.png")
refused("names of another number of classes are refused", "two.names has 2 names, but the soft labels are of 3 classes",
        *FILES[:3], "out.png", "-names", "two.names")
refused("a picture that cannot be written is named", "cannot draw nowhere/out.png", *FILES[:3], "nowhere/out.png")
for last in ("run_3.weights", "old.backup"):
    shutil.copy("run_3.weights", "old.backup")
    before = content(last)
    refused(f"where <out.png> is forgotten, {last} stays as it is", f"{last} would be replaced by the picture: <out.png> is missing",
            *FILES[:2], last)
    same(content(last), before, "and is not a picture")
refused("a checkpoint alone needs a name for the picture", "ols plot: needs <weights>... <out.png>", FILES[0])

if not GNUPLOT:
    skip("the strip", "no gnuplot")
    finish()
put("empty/readme", b"")
status, err = plot(*FILES[:3], "out.png", path=f"{tmp}/empty")
ok(status == 1 and "cannot draw out.png: gnuplot is missing" in err and content("out.png") == b"as it was",
   "without gnuplot that is said", (status, err))

# ---- one checkpoint ----

status, err, script, alone = drawn(FILES[4], "one.png")
ok(status == 0 and not err and "title 'Soft labels S after 5 updates: row = true class'" in script and "multiplot" not in script and
   alone.size == (475, 335), "one checkpoint is one heat map with numbers", (status, err, alone.size, script))

# ---- several ----

shuffled = [FILES[i] for i in (9, 1, 5, 0, 3)]
status, err, script, picture = drawn(*shuffled, "strip.png")
shown = panels(script, picture)
same([title for title, _, _ in shown], ["epoch 1", "epoch 2", "epoch 4", "epoch 6", "epoch 10"],
     "a strip is in order of the epochs, whatever the order of the arguments")
same([block(script, name)[0][1] for _, name, _ in shown], [.01, .02, .04, .06, .1], "every heat map is of the epoch in its title")
lefts = [place[0] for _, _, place in shown]
ok(status == 0 and not err and rows_and_columns(shown) == (1, 5) and lefts == sorted(lefts), "up to six stand in one row, from the left",
   (status, err, shown))
ok(picture.width > 2 * alone.width and picture.height > alone.height, "the picture is larger than that of one", picture.size)
for n, wanted in ((2, (1, 2)), (6, (1, 6)), (7, (2, 4)), (8, (2, 4)), (12, (2, 6))):
    _, _, script, many = drawn(*FILES[:n], "many.png")
    same((rows_and_columns(panels(script, many)), len(panels(script, many))), (wanted, n), f"{n} stand in {wanted[0]} x {wanted[1]}")
    tops = [round(top) for _, _, (_, top, _, _) in panels(script, many)]
    ok(tops == sorted(tops), "in rows from the top down", tops)
    inside = all(0 <= left < right < many.width and 0 <= top < bottom < many.height for _, _, (left, top, right, bottom) in
                 panels(script, many))
    ok(inside and many.width < 1800 and many.height < 1300, "the picture holds them, and is of a sensible size", many.size)

colours = [[[pixel(picture, place, y, k) for k in range(3)] for y in range(3)] for _, _, place in shown]
ok(all(c[1][0] == colours[0][1][0] and c[2][1] == colours[0][2][1] for c in colours), "all have one colour scale", colours)
ok(all(sum(c[0][0]) < sum(c[2][1]) < sum(c[2][0]) < sum(c[1][0]) < sum(c[0][2]) for c in colours) and
   sum(colours[0][0][1]) > sum(colours[4][0][1]), "rows are the true classes, from the top, and more is darker", colours)

_, _, script, picture = drawn(*FILES[:7], "-names", "three.names", "names.png")
tics = r"set {}tics [^(\n]*\('cat' 0, 'it''s 5%%' 1, 'dog' 2\)"
same([len(re.findall(tics.format(axis), script)) for axis in "yx"], [2, 4], "names stand once for every row and column")
ok(re.search(r"title 'cat'\.' \(highest .*title 'dog'\.' \(lowest .*title 'dog'\.' -> '\.'it''s 5%'\.' \(strongest pair\)'", script),
   "the chart names the classes that it follows", script)
put("long.names", b"a common green bottle fly\nthe black-headed sheep fly\na horse fly of the marshes\n")
for n in 2, 7:
    _, _, script, wide = drawn(*FILES[:n], "-names", "long.names", "long.png")
    below = max(bottom for _, _, (_, _, _, bottom) in panels(script, wide))
    margin = wide.crop((wide.width - 8, round(below), wide.width, wide.height))
    same(margin.getcolors(), [(8 * margin.height, (255, 255, 255))], f"{n}: long names in the chart's key are not cut off")
curves = block(script, "$curves")
mean = [np.trace(after(epoch)) / 3 for epoch in range(1, 8)]
ok([row[0] for row in curves] == list(range(1, 8)) and np.allclose([row[1] for row in curves], mean, atol=1e-5) and
   all(np.allclose(row[2:], [1 - row[0] / 100, .7, .2]) for row in curves), "mean, highest and lowest S[y][y], and the strongest pair", curves)

# ---- many, and the same ----

status, err, script, picture = drawn(*FILES, "twenty.png")
titles = [int(title.split()[1]) for title, _, _ in panels(script, picture)]
steps = {b - a for a, b in zip(titles, titles[1:])}
ok(status == 0 and len(titles) == 12 and titles[0] == 1 and titles[-1] == 20 and steps == {1, 2} and
   rows_and_columns(panels(script, picture)) == (2, 6), "of twenty, twelve are shown, evenly spaced from the first to the last", titles)
same(err, "darknet: note: twenty.png shows 12 of 20 checkpoints, evenly spaced\n", "and one line says so")
same(len(block(script, "$curves")), 20, "the chart has all of them")

again = [checkpoint(f"again_{i}.weights", after(2), 2, images=i) for i in (5, 9)]
status, err, script, picture = drawn(again[1], FILES[2], FILES[1], again[0], "again.png")
same([title for title, _, _ in panels(script, picture)], ["epoch 2", "epoch 3"], "the same soft labels are shown once")
ok(err.startswith("darknet: note: 2 of 4 checkpoints have the soft labels of another one") and err.count("\n") == 1,
   "and one line says so", err)
other = checkpoint("other.weights", after(50), 2)
_, err, script, picture = drawn(FILES[1], other, "runs.png")
same((sorted(block(script, name)[0][1] for _, name, _ in panels(script, picture)), err), ([.02, .5], ""),
     "those of two runs after the same epoch are both shown")
_, _, script, picture = drawn(FILES[1], again[0], "alone.png")
ok("multiplot" not in script, "where one is left, it is drawn as one is")

K = 1000
S = np.full((K, K), 1e-4)
S[778, 124] = .9
large = [checkpoint(f"large_{i}.weights", S, i) for i in (1, 2)]
_, _, script, picture = drawn(*large, "large.png")
cells = np.array(block(script, "$S0"))
ok(cells.shape[0] == cells.shape[1] <= 440 and cells.max() == .9 and (cells > .5).sum() == 1 and cells[778 // 3, 124 // 3] == .9,
   "of more classes than pixels a cell is the largest entry of several", (cells.shape, cells.max()))
ok(not re.search(r"set [xy]tics [^(\n]*\(", script), "and names have no room")
finish()
