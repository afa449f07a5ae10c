#!/usr/bin/python3
"""scripts/coco-to-darknet: labels worked out by hand, classes, splits, and every problem reported."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile

from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))


def convert(*args):
    """(status, stdout, stderr) of coco-to-darknet, in the temporary folder"""
    done = subprocess.run([os.path.join(ROOT, "scripts", "coco-to-darknet"), *args], cwd=tmp, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def refused(name, want, *args):
    status, out, err = convert(*args)
    ok(status == 1 and out == "" and want in err.splitlines()[-1] and not os.path.exists(f"{tmp}/{args[2]}/labels"), name,
       (status, out, err))


def text(*path):
    with open(os.path.join(tmp, *path)) as file:
        return file.read()


def pictures(folder, *names):
    for name in names:
        os.makedirs(os.path.dirname(os.path.join(tmp, folder, name)), exist_ok=True)
        Image.new("RGB", (200, 100)).save(os.path.join(tmp, folder, name))


def annotations(name, images, boxes, categories=((7, "dog"), (3, "cat"), (90, "bird")), **more):
    """images: [(id, file)]; boxes: [(image, category, bbox, crowd)]"""
    content = {"images": [{"id": i, "file_name": file, "width": 200, "height": 100} for i, file in images],
               "annotations": [{"id": n, "image_id": i, "category_id": c, "bbox": box, "iscrowd": crowd}
                               for n, (i, c, box, crowd) in enumerate(boxes)],
               "categories": [{"id": i, "name": name} for i, name in categories], **more}
    with open(os.path.join(tmp, name), "w") as file:
        json.dump(content, file)


tmp = tempfile.mkdtemp(prefix="coco-to-darknet.")
while "raw" in os.path.basename(tmp):  # the one word Darknet replaces that chance may put there
    os.rmdir(tmp)
    tmp = tempfile.mkdtemp(prefix="coco-to-darknet.")
atexit.register(shutil.rmtree, tmp)

# ---- numbers worked out by hand ----
# In 200x100: (20, 10) with 40x50 has its centre at 40/200 = .2 and 35/100 = .35 and the size .2 x .5. By id cat is 0, dog 1,
# bird 2.
pictures("photos", "a.jpg", "sub/b.png", "c.jpg")
annotations("a.json", [(5, "a.jpg"), (9, "sub/b.png"), (2, "c.jpg")],
            [(5, 7, [20, 10, 40, 50], 0), (5, 3, [0, 0, 200, 100], 0), (9, 90, [100, 50, 100.4, 50], 0),
             (9, 7, [0, 0, 100, 50], 1)])
status, out, err = convert("a.json", "photos", "set")
same((status, err), (0, ""), "a sound set is converted without a word on stderr")
same(text("set/labels/train/a.txt"), "1 0.200000 0.350000 0.200000 0.500000\n0 0.500000 0.500000 1.000000 1.000000\n",
     "labels are those worked out by hand, categories numbered by their ids")
same((text("set/labels/train/sub/b.txt"), text("set/labels-difficult/train/sub/b.txt")),
     ("2 0.750000 0.750000 0.500000 0.500000\n", "1 0.250000 0.250000 0.500000 0.500000\n"), "a crowd is kept apart")
same(text("set/labels/train/c.txt"), "", "an image without objects has an empty label file")
same((text("set/set.names"), text("set/train.list"), text("set/set.data")),
     ("cat\ndog\nbird\n", "set/images/train/a.jpg\nset/images/train/sub/b.png\nset/images/train/c.jpg\n",
      "classes = 3\ntrain = set/train.list\nnames = set/set.names\nbackup = set/backup\n"), "names, list and .data file")
same(out, "coco-to-darknet: 3 train, 0 valid of 3 classes: set/set.data: 3 images (1 without a labelled object), 3 objects, "
     "1 difficult ones kept apart; problems: none\n", "the summary counts")
same((os.path.realpath(f"{tmp}/set/images/train"), os.readlink(f"{tmp}/set/images/train"), sorted(os.listdir(f"{tmp}/photos"))),
     (os.path.realpath(f"{tmp}/photos"), "../../photos", ["a.jpg", "c.jpg", "sub"]), "the images stay as they are, behind a link")
done = subprocess.run([DARKNET, "detector", "anchors", "set/set.data", "-num", "2"], cwd=tmp, capture_output=True, text=True)
ok(done.returncode == 0 and "3 boxes in 3 images" in done.stdout + done.stderr, "the program reads it", done.stdout + done.stderr)
# With absolute paths, below a folder whose name holds a word that Darknet replaces.
pictures("raw/images/deep", "a.jpg", "sub/b.png", "c.jpg")
status, out, err = convert("a.json", f"{tmp}/raw/images/deep", f"{tmp}/abs")
same((status, text("abs/train.list").split()[0], os.readlink(f"{tmp}/abs/images/train")),
     (0, f"{tmp}/abs/images/train/a.jpg", f"{tmp}/raw/images/deep"), "images may lie where Darknet would not find labels")

# ---- splits ----
pictures("many", *(f"{i}.jpg" for i in range(20)))
annotations("many.json", [(i, f"{i}.jpg") for i in range(20)], [(i, 3, [0, 0, 10, 10], 0) for i in range(20)], ((3, "cat"),))
convert("many.json", "many", "m", "--val", ".2")
train, valid = text("m/train.list").split(), text("m/valid.list").split()
same((len(train), len(valid), sorted(train + valid)), (16, 4, sorted(f"m/images/train/{i}.jpg" for i in range(20))), "--val")
ok("valid = m/valid.list" in text("m/m.data"), "m.data names the list")
convert("many.json", "many", "m2", "--val", ".2")
convert("many.json", "many", "m3", "--val", ".2", "--seed", "2")
ok([p.replace("m2/", "m/") for p in text("m2/valid.list").split()] == valid !=
   [p.replace("m3/", "m/") for p in text("m3/valid.list").split()], "the seed decides which")
convert("many.json", "many", "m")
ok(not os.path.exists(f"{tmp}/m/valid.list"), "without --val the list of an earlier run goes")
pictures("more", "0.jpg", "1.jpg")
annotations("more.json", [(1, "0.jpg"), (2, "1.jpg")], [(2, 3, [0, 0, 200, 100], 0)], ((3, "cat"),))
status, out, err = convert("many.json", "many", "two", "--val-json", "more.json", "--val-images", "more", "--name", "my")
same((status, text("two/valid.list").split(), text("two/labels/valid/1.txt"), text("two/labels/train/1.txt")[:10]),
     (0, ["two/images/valid/0.jpg", "two/images/valid/1.jpg"], "0 0.500000 0.500000 1.000000 1.000000\n", "0 0.025000"),
     "--val-json with images of the same names in another folder")
ok(os.path.exists(f"{tmp}/two/my.data"), "--name")
status, out, err = convert("many.json", "many", "both", "--val-json", "more.json")
ok("0.jpg: on both sides: is in many.json and in more.json" in err and "2 x on both sides" in out, "images on both sides", err)
refused("other categories in --val-json", "categories are not those", "many.json", "many", "x", "--val-json", "a.json",
        "--val-images", "photos")

# ---- everything that can be wrong with a set; what is sound in it is converted ----
with open(f"{tmp}/photos/text.jpg", "w") as file:
    file.write("x")
pictures("photos", "d.jpg", "e.png", "f.jpg")
os.rename(f"{tmp}/photos/e.png", f"{tmp}/photos/e.jpeg")
annotations("sick.json",
            [(1, "a.jpg"), (2, "gone.jpg"), (3, "text.jpg"), (4, "../a.jpg"), (5, "e.jpeg"), (6, "a.jpg"), (7, "d.jpg")],
            [(1, 3, [10, 10, 0, 5], 0), (1, 3, [190, 90, 50, 50], 0), (1, 3, [200, 0, 10, 10], 0), (1, 3, [1, 2, 3], 0),
             (1, 4, [1, 2, 3, 4], 0), (99, 3, [1, 2, 3, 4], 0), (1, 3, [float("nan"), 2, 3, 4], 0), (7, 3, [-.9, 0, 10, 10], 0)])
content = json.loads(text("sick.json"))
content["images"][6].update(width=10, height=20)
with open(f"{tmp}/sick.json", "w") as file:
    json.dump(content, file)
status, out, err = convert("sick.json", "photos", "sick")
for want in ("a.jpg: annotations[0]: degenerate box: (10, 10), 0x5", "a.jpg: annotations[1]: box clipped: (190, 90), 50x50",
             "a.jpg: annotations[2]: box outside image", "a.jpg: annotations[3]: broken object",
             "sick.json: unknown class: annotations[4] is of category 4", "sick.json: unknown image: annotations[5] is of image 99",
             "a.jpg: annotations[6]: broken object", "gone.jpg: missing image", "text.jpg: unreadable image",
             "sick.json: bad path: '../a.jpg'", "e.jpeg: unusable path", "sick.json: listed twice: a.jpg",
             "d.jpg: wrong size: 10x20 in the JSON; took the image's 200x100", "sick.json: empty class: no box is of 'dog'"):
    ok("coco-to-darknet: " + want in err, f"reported: {want}", err)
same((text("sick/labels/train/a.txt"), text("sick/labels/train/d.txt")),
     ("0 0.975000 0.950000 0.050000 0.100000\n", "0 0.022750 0.050000 0.045500 0.100000\n"),
     "what is left after clipping is labelled; a pixel outside is clipped without a word")
same((text("sick/train.list").split(), sum("box clipped" in line for line in err.splitlines())),
     (["sick/images/train/a.jpg", "sick/images/train/d.jpg"], 1), "only what was converted is listed")
refused("--strict: one problem is an error and nothing is written", "--strict, nothing written", "sick.json", "photos", "s2", "--strict")

# ---- files that are something else ----
for name, content, want in (("no", "{", "no JSON"), ("list", "[]", "has no list 'images'"),
                            ("captions", json.dumps({"images": [], "annotations": [{"image_id": 1}], "categories": []}),
                             "annotations[0] has no 'category_id'")):
    with open(f"{tmp}/{name}.json", "w") as file:
        file.write(content)
    refused(f"{name}.json: one line and status 1", want, f"{name}.json", "photos", "x")
annotations("double.json", [(1, "a.jpg")], [], ((1, "cat"), (2, "cat")))
refused("two categories of one name", "two categories have the name 'cat'", "double.json", "photos", "x")
refused("no such file", "no such file", "nope.json", "photos", "x")
refused("no such folder", "no such folder", "a.json", "nope", "x")
refused("an output folder that leads Darknet elsewhere", "Darknet replaces 'raw'", "a.json", "photos", "raw/set")
refused("options that exclude each other", "do not go together", "a.json", "photos", "x", "--val", ".2", "--val-json", "a.json")
os.makedirs(f"{tmp}/own/images/train")
refused("an image folder of the user's own in OUT", "no link that this script made", "a.json", "photos", "own")
status, out, err = convert("--help")
ok(status == 0 and all(o in out for o in ("--val ", "--seed", "--val-json", "--val-images", "--name", "--strict")),
   "--help names every option")

finish()
