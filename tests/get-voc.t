#!/usr/bin/python3
"""scripts/get-voc: makes a data set that Darknet trains on, from archives on disk and from a server that cuts
connections."""

import atexit
import fcntl
import hashlib
import io
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from bad_server import Server  # noqa: E402
from tap import finish, ok, same, skip  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("OLS_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data")
TRAINVAL07, TEST07, TRAINVAL12 = NAMES = ("VOCtrainval_06-Nov-2007.tar", "VOCtest_06-Nov-2007.tar",
                                          "VOCtrainval_11-May-2012.tar")

tmp = tempfile.mkdtemp(prefix="get-voc.")
while "raw" in os.path.basename(tmp):  # the one word Darknet replaces that chance may put there
    os.rmdir(tmp)
    tmp = tempfile.mkdtemp(prefix="get-voc.")
atexit.register(shutil.rmtree, tmp)


def command(*args):
    return [os.path.join(ROOT, "scripts", "get-voc"), *args]


def get(*args, **options):
    """(status, stdout, stderr) of get-voc"""
    done = subprocess.run(command(*args), capture_output=True, text=True, timeout=300, **options)
    return done.returncode, done.stdout, done.stderr


def refused(name, want, *args, **options):
    status, out, err = get(*args, **options)
    ok(status == 1 and out == "" and want in err.splitlines()[-1] and "Traceback" not in err, name, (status, out, err))
    return err


def text(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def files(folder):
    return sorted(os.path.join(at, f)[len(folder) + 1:] for at, _, names in os.walk(folder) for f in names)


# ---- archives of VOC's layout ----

def jpeg(seed, side=100):
    """Noise, which stays large when compressed."""
    out = io.BytesIO()
    Image.frombytes("RGB", (2 * side, side), random.Random(seed).randbytes(6 * side * side)).save(out, "JPEG", quality=95)
    return out.getvalue()


def annotation(name, corners=(1, 1, 100, 50), difficult=0):
    corners = "".join(f"<{key}>{value}</{key}>" for key, value in zip(("xmin", "ymin", "xmax", "ymax"), corners))
    return ("<annotation><size><width>200</width><height>100</height></size><object><name>"
            f"{name}</name><difficult>{difficult}</difficult><bndbox>{corners}</bndbox></object></annotation>").encode()


def add(tar, path, content):
    info = tarfile.TarInfo(path)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def archive(path, year, sets, annotations, more=()):
    """sets: {name: ids}; annotations: {id: XML}."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    base = f"VOCdevkit/VOC{year}"
    with tarfile.open(path, "w") as tar:
        for name, ids in sets.items():
            add(tar, f"{base}/ImageSets/Main/{name}.txt", "".join(i + "\n" for i in ids).encode())
            for i in ids:
                add(tar, f"{base}/JPEGImages/{i}.jpg", jpeg(i))
        for i, xml in annotations.items():
            add(tar, f"{base}/Annotations/{i}.xml", xml)
        add(tar, f"{base}/SegmentationClass/{ids[0]}.png", b"segmentation")
        for name, content in more:
            add(tar, name, content)


def write_sums(folder, path):
    with open(path, "w") as file:
        for name in NAMES:
            with open(f"{folder}/{name}", "rb") as tar:
                file.write(f"{hashlib.md5(tar.read()).hexdigest()}  {name}\n")
    return path


disk = f"{tmp}/disk"
# The same id in both years: its two images and labels must stay two.
archive(f"{disk}/{TRAINVAL07}", "2007", {"trainval": ["000005", "000007"]},
        {"000005": annotation("cat"), "000007": annotation("dog", difficult=1)})
archive(f"{disk}/{TEST07}", "2007", {"test": ["000001"]}, {"000001": annotation("person", difficult=1)})
archive(f"{disk}/{TRAINVAL12}", "2012", {"trainval": [f"2008_{i:06}" for i in range(20)] + ["000005"]},
        {**{f"2008_{i:06}": annotation("bus") for i in range(20)}, "000005": annotation("sheep"),
         "2008_000003": annotation("bus", (50, 10, 50, 20)), "2008_000004": annotation("gnu")})
sums = write_sums(disk, f"{tmp}/sums")
total = {name: os.path.getsize(f"{disk}/{name}") for name in NAMES}

# ---- archives that are on the disk ----

out07, out12 = f"{tmp}/a/VOCdevkit/VOC2007", f"{tmp}/a/VOCdevkit/VOC2012"
status, out, err = get(f"{tmp}/a", "--from", disk, "--md5", sums)
same(status, 0, "a set is made of archives on the disk")
same(text(tmp, "a/train.list"), "".join(f"{out07}/JPEGImages/{i}.jpg\n" for i in ("000005", "000007")) +
     "".join(f"{out12}/JPEGImages/2008_{i:06}.jpg\n" for i in range(20)) + f"{out12}/JPEGImages/000005.jpg\n",
     "train.list: trainval of 2007, then of 2012, by absolute paths")
same(text(tmp, "a/test.list"), f"{out07}/JPEGImages/000001.jpg\n", "test.list: test of 2007")
same([text(folder, "labels/000005.txt").split()[0] for folder in (out07, out12)], ["7", "16"],
     "an id that both years have keeps two labels: a cat in 2007, a sheep in 2012")
same((text(out07, "labels/000007.txt"), text(out07, "labels-difficult/000007.txt").split()[0],
      text(out07, "labels-difficult/000001.txt").split()[0]), ("", "11", "14"), "difficult objects are kept apart")
same(text(tmp, "a/voc.data"), f"classes = 20\ntrain = {tmp}/a/train.list\nvalid = {tmp}/a/test.list\n"
     f"names = {tmp}/a/voc.names\nbackup = {tmp}/a/backup\n", "voc.data")
same((len(text(tmp, "a/voc.names").split()), os.path.isdir(f"{tmp}/a/backup")), (20, True), "voc.names, and the backup folder")
for line in ("VOC2012/Annotations/2008_000003.xml: degenerate box: 'bus' (50, 10) - (50, 20); object left out",
             "VOC2012/Annotations/2008_000004.xml: unknown class: 'gnu'; object left out"):
    ok(f"get-voc: {line}\n" in err, f"reported: {line.partition(':')[2].strip()}", err)
ok("WARNING: train.list has 23 images where VOC's has 16,551" in err and "WARNING: test.list has 1 images where VOC's has 4,952"
   in err, "counts other than the paper's are warned of", err)
ok(out.splitlines()[-1] == f"get-voc: 23 images to train on, 1 to test on: {tmp}/a/voc.data", "the last line counts", out)
same((sorted(os.listdir(f"{tmp}/a")), sorted(os.listdir(out12))),
     (["VOCdevkit", "backup", "test.list", "train.list", "voc.data", "voc.names"],
      ["Annotations", "ImageSets", "JPEGImages", "labels", "labels-difficult"]),
     "nothing else: no archives, no segmentations")

# ---- again ----

before = {f: os.stat(f"{tmp}/a/{f}").st_mtime_ns for f in files(f"{tmp}/a")}
status, out, err = get(f"{tmp}/a", "--from", f"{tmp}/a")  # a folder without archives: none is asked for
ok(status == 0 and "nothing to do, it is all there" in out and "WARNING" in err, "a finished set is left alone, which is said",
   (status, out, err))
same({f: os.stat(f"{tmp}/a/{f}").st_mtime_ns for f in files(f"{tmp}/a")}, before, "and no file is written")
for what, path in (("a label", f"{out12}/labels/2008_000007.txt"), ("the list", f"{tmp}/a/train.list")):
    content = text(path)
    os.unlink(path)
    status, out, err = get(f"{tmp}/a", "--from", f"{tmp}/a")
    ok(status == 0 and text(path) == content, f"{what} that is missing is made anew, without archives", (status, out, err))
os.rename(f"{tmp}/a", f"{tmp}/moved")
status, out, err = get(f"{tmp}/moved", "--from", f"{tmp}/moved")
ok(status == 0 and text(tmp, "moved/test.list") == f"{tmp}/moved/VOCdevkit/VOC2007/JPEGImages/000001.jpg\n",
   "a set that was moved gets new lists", (status, out, err))
shutil.rmtree(f"{tmp}/moved/VOCdevkit/VOC2007")
os.makedirs(f"{tmp}/moved/VOCdevkit/.VOC2007.unpacking/JPEGImages")
with open(f"{tmp}/moved/VOCdevkit/.VOC2007.unpacking/JPEGImages/000005.jpg", "w") as half:
    half.write("half an im")
inode = os.stat(f"{tmp}/moved/VOCdevkit/VOC2012").st_ino
os.mkdir(f"{tmp}/only07")
for name in (TRAINVAL07, TEST07):
    shutil.copy(f"{disk}/{name}", f"{tmp}/only07")
status, out, err = get(f"{tmp}/moved", "--from", f"{tmp}/only07", "--md5", sums)
same((status, os.stat(f"{tmp}/moved/VOCdevkit/VOC2012").st_ino == inode, sorted(os.listdir(f"{tmp}/moved/VOCdevkit")),
      open(f"{tmp}/moved/VOCdevkit/VOC2007/JPEGImages/000005.jpg", "rb").read() == jpeg("000005")),
     (0, True, ["VOC2007", "VOC2012"], True), "a year that was killed while unpacking is unpacked anew, the other one is not")

# ---- what is no archive of VOC ----

refused("archives with other sums are refused", "its MD5 is", f"{tmp}/b", "--from", disk)
ok(not os.path.exists(f"{tmp}/b/VOCdevkit/VOC2007"), "and not unpacked")
status, out, err = get(f"{tmp}/b", "--from", disk, "--no-verify")
same((status, len(text(tmp, "b/train.list").splitlines())), (0, 23), "unless --no-verify says so")
os.makedirs(f"{tmp}/outside")
for name in NAMES:
    shutil.copy(f"{disk}/{name}", f"{tmp}/outside")
for evil in ("../evil.txt", "/tmp/get-voc-evil.txt", "VOCdevkit/VOC2012/JPEGImages/../../../../evil.txt"):
    archive(f"{tmp}/outside/{TRAINVAL12}", "2012", {"trainval": ["x"]}, {"x": annotation("cat")}, [(evil, b"evil")])
    refused(f"an archive that reaches outside by {evil} is refused", "outside of the folder", f"{tmp}/c", "--from",
            f"{tmp}/outside", "--no-verify")
archive(f"{tmp}/outside/{TRAINVAL12}", "2012", {"trainval": ["x"]}, {"x": annotation("cat")})
with tarfile.open(f"{tmp}/outside/{TRAINVAL12}", "a") as tar:
    link = tarfile.TarInfo("VOCdevkit/VOC2012/Annotations/passwd.xml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    tar.addfile(link)
status, out, err = get(f"{tmp}/c", "--from", f"{tmp}/outside", "--no-verify")
ok(status == 0 and not os.path.lexists(f"{tmp}/c/VOCdevkit/VOC2012/Annotations/passwd.xml"), "links are not unpacked",
   (status, err))
for name, content in (("cut", open(f"{disk}/{TRAINVAL07}", "rb").read()[:30000]), ("no tar", b"<html>Please log in</html>")):
    with open(f"{tmp}/outside/{TRAINVAL07}", "wb") as file:
        file.write(content)
    refused(f"an archive that is {name} is refused", TRAINVAL07, f"{tmp}/d", "--from", f"{tmp}/outside", "--no-verify")
    same(os.listdir(f"{tmp}/d/VOCdevkit"), [], "and leaves no half of a set")

# ---- from a server ----

server = Server(disk)
url = server.url


def fetched(folder):
    return {name: name in NAMES and open(f"{folder}/archives/{name}", "rb").read() == open(f"{disk}/{name}", "rb").read()
            for name in os.listdir(f"{folder}/archives")}


half = total[TRAINVAL12] // 2
# The first request of each archive only asks for its size.
server.behave(cut={TRAINVAL12: [0, half, 100000]})
status, out, err = get(f"{tmp}/e", "--from", url, "--md5", sums)
same((status, fetched(f"{tmp}/e")), (0, dict.fromkeys(NAMES, True)), "archives come whole from a server that cuts connections")
same([first for name, first in server.log if name == TRAINVAL12], [None, None, half, half + 100000],
     "and go on from the byte that was reached")
ok(f"{TRAINVAL12}: the connection ended after" in err and "next try in 1 s" in err and "its MD5 is right" in err,
   "which is said", err)
same(len(text(tmp, "e/train.list").splitlines()), 23, "and are converted")

server.behave("slow")
running = subprocess.Popen(command(f"{tmp}/f", "--from", url, "--md5", sums), stderr=subprocess.DEVNULL)
part = f"{tmp}/f/archives/{TRAINVAL12}.part"
deadline = time.monotonic() + 120
while time.monotonic() < deadline and not (os.path.exists(part) and os.path.getsize(part) > 0):
    time.sleep(.02)
running.send_signal(signal.SIGKILL)
running.wait()
have = os.path.getsize(part)
server.behave()
status, out, err = get(f"{tmp}/f", "--from", url + "/", "--md5", sums)
same((status, fetched(f"{tmp}/f"), 0 < have < total[TRAINVAL12], server.log),
     (0, dict.fromkeys(NAMES, True), True, [(TRAINVAL12, None), (TRAINVAL12, have)]),
     "a run that was killed is continued where it was, and what it had is not asked for")

server.behave("no ranges", cut={TEST07: [0, 20000]})
status, out, err = get(f"{tmp}/g", "--from", url, "--md5", sums)
ok(status == 0 and all(fetched(f"{tmp}/g").values()) and "cannot go on in the middle of a file; from its beginning" in err,
   "a server without ranges sends a cut archive again from its beginning", (status, err))

server.behave(busy=1)
status, out, err = get(f"{tmp}/h", "--from", url, "--md5", sums)
ok(status == 0 and "503" in err and "next try in 1 s" in err, "a server that is busy is asked again", (status, err))

server.behave()
refused("another archive's sum is refused", "remove it and run again to fetch it anew", f"{tmp}/i", "--from", url)
ok(os.path.exists(f"{tmp}/i/archives/{TRAINVAL07}.part") and not os.path.exists(f"{tmp}/i/archives/{TRAINVAL07}"),
   "and is not taken for whole")
server.behave("gone")
refused("a server without the archives is an error that names other places", "404 Not Found: name another place by --from",
        f"{tmp}/j", "--from", url)
server.behave("no size")
refused("a server that does not tell sizes is an error", "does not say how large", f"{tmp}/j", "--from", url)
server.behave("huge")
err = refused("a disk that is too small is said before anything is fetched", "make room", f"{tmp}/j", "--from", url)
ok("needs 6000000.0 GB (3000000.0 GB to fetch, 3000000.0 GB unpacked)" in err and not os.listdir(f"{tmp}/j/archives"),
   "with what it needs", err)

# ---- a disk that fills up ----


def limit(size):
    """No file may grow beyond this; Python sees an error, as when a disk is full."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}


server.behave()
refused("a disk that is full while fetching is one line", f"{TRAINVAL07}.part: File too large: make room, and run the same again",
        f"{tmp}/l", "--from", url, "--md5", sums, **limit(50000))
same(os.path.getsize(f"{tmp}/l/archives/{TRAINVAL07}.part"), 50000, "what came is kept")
server.log.clear()
refused("and one that is full while unpacking", "000005.jpg: File too large: make room, and run the same again", f"{tmp}/m",
        "--from", disk, "--no-verify", **limit(5000))
same(os.listdir(f"{tmp}/m/VOCdevkit"), [], "half a year is taken away")
status, out, err = get(f"{tmp}/l", "--from", url, "--md5", sums)
same((status, server.log[:4]), (0, [(TRAINVAL07, None), (TEST07, None), (TRAINVAL12, None), (TRAINVAL07, 50000)]),
     "with room, it goes on where it was")

# ---- arguments ----

for args, want, name in (((f"{tmp}/k", "--from", f"{tmp}/nowhere"), "no such folder", "no such folder"),
                         ((f"{tmp}/k", "--from", "ftp://x/y"), "http://", "an address of another kind"),
                         ((f"{tmp}/k", "--from", f"{tmp}/only07", "--no-verify"), f"has no {TRAINVAL12}", "an archive missing"),
                         ((f"{tmp}/k", "--md5", f"{tmp}/nowhere"), "no such file", "no such file of sums"),
                         ((f"{tmp}/k", "--md5", f"{disk}/{TEST07}"), "not a line of md5sum's", "a file that holds no sums"),
                         ((f"{tmp}/raw/voc", "--from", disk), "Darknet replaces 'raw'", "a folder that Darknet would misread"),
                         ((f"{tmp}/a b", "--from", disk), "white space", "white space in the path")):
    refused(f"{name}: one line and status 1", want, *args)
ok(not os.path.exists(f"{tmp}/raw/voc") and not os.path.exists(f"{tmp}/a b"), "and nothing is made")
os.makedirs(f"{tmp}/locked")
held = os.open(f"{tmp}/locked", os.O_RDONLY)
fcntl.flock(held, fcntl.LOCK_EX)
refused("two at once in one folder are refused", "another get-voc is at work", f"{tmp}/locked", "--from", disk)
os.close(held)

# ---- real photographs ----

real = os.path.join(DATA, "voc2012-100.tar.gz")
if not os.path.exists(real):
    skip("real photographs", f"no {real}")
else:
    # 30 of them play 2007's trainval, 20 its test, and all 100 the trainval of 2012.
    with tarfile.open(real) as tar:
        content = {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}
    ids = content["VOCdevkit/VOC2012/ImageSets/Main/trainval.txt"].decode().split()
    os.mkdir(f"{tmp}/photos")
    for name, year, part, chosen in ((TRAINVAL07, 2007, "trainval", ids[:30]), (TEST07, 2007, "test", ids[30:50]),
                                     (TRAINVAL12, 2012, "trainval", ids)):
        with tarfile.open(f"{tmp}/photos/{name}", "w") as tar:
            add(tar, f"VOCdevkit/VOC{year}/ImageSets/Main/{part}.txt", "".join(i + "\n" for i in chosen).encode())
            for i in chosen:
                for file in (f"Annotations/{i}.xml", f"JPEGImages/{i}.jpg"):
                    add(tar, f"VOCdevkit/VOC{year}/{file}", content[f"VOCdevkit/VOC2012/{file}"])
    status, out, err = get(f"{tmp}/r", "--from", f"{tmp}/photos", "--no-verify")
    same((status, [len(text(tmp, f"r/{part}.list").splitlines()) for part in ("train", "test")]), (0, [130, 20]),
         "real photographs: images")
    ok("get-voc: VOC2012 trainval: 100 images" in out and "235 objects, 38 difficult ones kept apart; problems: none" in out,
       "their objects", out)

finish()
