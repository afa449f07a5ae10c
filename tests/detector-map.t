#!/usr/bin/python3
"""darknet detector map: cases worked by hand, the NumPy reference (and pycocotools, where Python has it) on random sets and
on real annotations, files of detections there and back, and a network. What the numbers mean: src/eval."""

import atexit
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

from PIL import Image

from tap import finish, ok, same, skip

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("OLS_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data")
DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or os.path.join(ROOT, "darknet"))
sys.path.insert(0, os.path.join(ROOT, "tests", "reference"))
import average_precision as reference  # noqa: E402

tmp = os.path.realpath(tempfile.mkdtemp(prefix="map."))
while "raw" in os.path.basename(tmp):  # the one word Darknet replaces that chance may put there
    os.rmdir(tmp)
    tmp = os.path.realpath(tempfile.mkdtemp(prefix="map."))
atexit.register(shutil.rmtree, tmp)


def run(*arguments, group="map"):
    """(status, stdout, stderr) of detector map"""
    done = subprocess.run([DARKNET, "detector", group, *arguments, "-nogpu"], cwd=tmp, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def numbers(*arguments):
    """The JSON of a run; {} where it failed, with a remark."""
    status, out, err = run(*arguments, "-json", "-")
    if status:
        print(f"# {arguments}: {err}")
    return json.loads(out) if not status else {}


def put(content, *path):
    os.makedirs(os.path.join(*path[:-1]), exist_ok=True)
    with open(os.path.join(*path), "w") as file:
        file.write(content)
    return os.path.join(*path)


def text(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def label(number, box, size):
    """A label line, as voc-to-darknet makes it of VOC's corners"""
    (xmin, ymin, xmax, ymax), (w, h) = box, size
    return (f"{number} {(xmin - 1 + xmax) / 2 / w:.6f} {(ymin - 1 + ymax) / 2 / h:.6f} {(xmax - xmin + 1) / w:.6f} "
            f"{(ymax - ymin + 1) / h:.6f}\n")


def make_set(name, names, images):
    """A data file. images: {name: (size, [(class number, corners, difficult)])}"""
    folder = os.path.join(tmp, name)
    for image, (size, objects) in images.items():
        os.makedirs(os.path.join(folder, "JPEGImages"), exist_ok=True)
        Image.new("RGB", size).save(os.path.join(folder, "JPEGImages", image + ".png"))
        put("".join(label(k, box, size) for k, box, difficult in objects if not difficult), folder, "labels", image + ".txt")
        apart = "".join(label(k, box, size) for k, box, difficult in objects if difficult)
        if apart:
            put(apart, folder, "labels-difficult", image + ".txt")
    put("".join(f"{folder}/JPEGImages/{image}.png\n" for image in images), folder, "list")
    put("".join(n + "\n" for n in names), folder, "names")
    return put(f"classes={len(names)}\nvalid={folder}/list\nnames={folder}/names\n", folder, "data")


def make_voc(name, detections, names):
    """A folder of VOC's files. detections: [(image, class number, score, corners)]"""
    for k, of in enumerate(names):
        put("".join(f"{image} {score!r} " + " ".join(f"{c!r}" for c in box) + "\n"
                    for image, number, score, box in detections if number == k), tmp, name, f"comp4_det_test_{of}.txt")
    return os.path.join(tmp, name)


def make_coco(name, results):
    """results: [(image_id, category_id, score, rectangle)]"""
    return put(json.dumps([{"image_id": i, "category_id": c, "bbox": b, "score": s} for i, c, s, b in results]), tmp, name)


def by_class(result, key):
    return [c[key] for c in result.get("classes", [])]


# ---- worked by hand ----

# An object of 10 x 10 pixels, and a box over its upper half: 50 of 100 pixels, an IoU of exactly 1/2. Without VOC's pixel
# it would be 9*4 of 9*9. As COCO's rectangle it is 10 x 5 of 10 x 10; had it lost the pixel, 9 x 4.
data = make_set("half", ["dog"], {"7": ((40, 20), [(0, (11, 1, 20, 10), 0)])})
dets = make_voc("half.dets", [("7", 0, .9, (11, 1, 20, 5))], ["dog"])
same(numbers(data, "-dets", dets).get("map"), 1, "VOC's boxes count the last pixel: an IoU of 50/100 is enough for .5")
same(numbers(data, "-dets", dets, "-iou_thresh", ".500001").get("map"), 0, "and for no more than .5")
full = make_coco("half.json", [(7, 1, .9, [10, 0, 10, 5])])
less = make_coco("less.json", [(7, 1, .9, [10, 0, 10, 4.99])])
same([numbers(data, "-dets", d, "-coco").get("map") for d in (full, less)], [1, 0],
     "COCO's boxes do not: 10 x 5 reaches .5 of 10 x 10, 10 x 4.99 does not")
same(numbers(data, "-dets", full).get("map"), 1, "a COCO file evaluated by VOC's rule is the same box")

# A pixel short labels: voc_label.py makes (11, 1)-(20, 10) a box from 10 to 19, 0 to 9.
short = make_set("short", ["dog"], {"7": ((40, 20), [(0, (11, 1, 19, 9), 0)])})
same([numbers(short, "-dets", dets, *more).get("map") for more in ((), ("-voc_label",))], [1, 1],
     "half of a box is half of a box whose label is a pixel short")
almost = make_voc("almost.dets", [("7", 0, .9, (11, 1, 20, 9))], ["dog"])  # 90 of 100 with the pixel, 81 of 90 without
tight = make_voc("tight.dets", [("7", 0, .9, (11, 1, 20, 10))], ["dog"])  # 100 of 100 with the pixel, 81 of 100 without
same([numbers(short, "-dets", tight, "-iou_thresh", ".9", *more).get("map") for more in ((), ("-voc_label",))], [0, 1],
     "-voc_label adds the pixel that voc_label.py's labels lack")

# One difficult object with two boxes, one ordinary object with one, a box on nothing. By score: on difficult, on nothing,
# on ordinary, on difficult. VOC leaves the first and the last out: FP TP, precision 1/2. Counted: TP FP TP FP, areas
# 1/2 * 1 + 1/2 * 2/3 = 5/6.
data = make_set("difficult", ["dog", "cat"], {"a": ((100, 100), [(0, (1, 1, 20, 20), 1), (0, (41, 1, 60, 20), 0)])})
dets = make_voc("difficult.dets", [("a", 0, .9, (1, 1, 20, 20)), ("a", 0, .8, (1, 61, 20, 80)),
                                   ("a", 0, .7, (41, 1, 60, 20)), ("a", 0, .6, (2, 1, 21, 20))], ["dog", "cat"])
result = numbers(data, "-dets", dets)
same((result["map"], result["tp"], result["fp"], result["fn"], result["difficult"]), (.5, 1, 1, 0, 1),
     "difficult objects are neither hit nor miss")
result = numbers(data, "-dets", dets, "-difficult")
ok(abs(result["map"] - 5 / 6) < 1e-12 and (result["tp"], result["fp"]) == (2, 2), "-difficult counts them", result)
status, out, err = run(data, "-dets", dets)
ok("1 images, 1 objects, 1 difficult ones ignored" in out, "the report says so", out)

# Two objects side by side, 20 x 20 with 10 in common. The first box is the left one, the second is nearer to it than to
# the right one (16 wide in common: 16/24 = 2/3, and 14/26 = 7/13): VOC calls it a duplicate, COCO lets it find the other.
data = make_set("second", ["dog"], {"a": ((100, 100), [(0, (1, 1, 20, 20), 0), (0, (11, 1, 30, 20), 0)])})
dets = make_voc("second.dets", [("a", 0, .9, (1, 1, 20, 20)), ("a", 0, .8, (5, 1, 24, 20))], ["dog"])
same([numbers(data, "-dets", dets, *more).get("tp") for more in ((), ("-coco",))], [1, 2],
     "a second-best object counts for COCO, and not for VOC")

# 101 boxes on nothing or too late: of an image COCO takes the 100 that score highest.
data = make_set("many", ["dog"], {"1": ((100, 100), [(0, (1, 1, 20, 20), 0)])})
dets = make_voc("many.dets", [("1", 0, 1 - i / 1000, (51, 51, 60, 60)) for i in range(100)] + [("1", 0, .5, (1, 1, 20, 20))],
                ["dog"])
same([numbers(data, "-dets", dets, *more).get("tp") for more in ((), ("-coco",))], [1, 0],
     "COCO takes 100 boxes of an image, VOC all")

# Names: a dog found; a cat taken for a dog (.8, and a weaker horse box that does not count again); a horse missed, with a
# box below the threshold; a difficult cat that has a box of a dog; a dog box on nothing; a second, misnamed box on the dog.
names = ["dog", "cat", "horse"]
places = [(1, 1, 20, 20), (41, 1, 60, 20), (1, 41, 20, 60), (41, 41, 60, 60)]
data = make_set("names", names, {"a": ((100, 100), [(0, places[0], 0), (1, places[1], 0), (2, places[2], 0),
                                                      (1, places[3], 1)])})
dets = make_voc("names.dets", [("a", 0, .9, places[0]), ("a", 1, .85, places[0]), ("a", 0, .8, places[1]),
                               ("a", 2, .7, places[1]), ("a", 0, .2, places[2]), ("a", 0, .6, places[3]),
                               ("a", 0, .5, (71, 71, 90, 90))], names)
result = numbers(data, "-dets", dets)
same(result["confusion"]["pairs"], [{"class": "cat", "taken_for": "dog", "count": 1}], "which class was taken for which")
same([tuple(c.values()) for c in result["confusion"]["classes"]], [(1, 0, 0, 1), (0, 1, 0, 0), (0, 0, 1, 0)],
     "found, misnamed, missed, boxes on no object")
result = numbers(data, "-dets", dets, "-thresh", ".1")
same([(p["class"], p["taken_for"]) for p in result["confusion"]["pairs"]], [("cat", "dog"), ("horse", "dog")],
     "a lower -thresh brings up more")
status, out, err = run(data, "-dets", dets)
ok("objects: 1 found, 1 misnamed (a box of IoU >= 0.50, but of another class), 1 missed" in out and
   re.search(r"^  1 cat +1  \. +\.  +0$", out, re.M) and re.search(r"no object +1 +0 +0$", out, re.M),
   "the report has it as a matrix", out)
# dog: TP .9; FP .8, .6, .5 -> precision 1/4, recall 1, F1 2/5.
same(out.splitlines()[0], "class_id = 0, name = dog, ap = 100.00% \t (TP = 1, FP = 3) \t FN = 0, precision = 0.25, "
     "recall = 1.00, F1-score = 0.40 ", "a class's line has precision, recall and F1")
ok(re.search(r"^ mean average precision \(mAP@0\.50\) = 0\.333333, or 33\.33 % $", out, re.M),
   "the line that scripts read is as it was", out)

many = [f"c{i}" for i in range(25)]
data = make_set("pairs", many, {str(i): ((50, 50), [(24, (1, 1, 20, 20), 0)]) for i in range(1, 4)})
dets = make_voc("pairs.dets", [("1", 3, .9, (1, 1, 20, 20)), ("2", 4, .9, (1, 1, 20, 20)), ("3", 4, .9, (1, 1, 20, 20))], many)
status, out, err = run(data, "-dets", dets)
ok(re.search(r"^ +2 x c24 taken for c4 \n +1 x c24 taken for c3 $", out, re.M),
   "above 20 classes it lists the pairs, the most frequent first", out)

# ---- random sets, against the reference ----

CLASSES = ["a", "b", "light", "traffic_light", "e"]  # a name that ends in another


def shifted(rng, box, size, whole):
    """A box near another one; `whole`: of whole pixels, which brings IoUs of exactly 1/2 and 3/4 about. (Of others no
    IoU may be as simple: on which side of a threshold it comes out would be a matter of rounding.)"""
    by = [rng.choice((0, 0, .1, .2, .5)) * (box[2] - box[0] + 1) * rng.choice((-1, 1)) for _ in range(4)]
    by = [int(b) if whole else b * (.8 + .4 * rng.random()) for b in by]
    xmin, ymin = box[0] + by[0], box[1] + by[1]
    return (xmin, ymin, max(box[2] + by[2], xmin + 1), max(box[3] + by[3], ymin + 1))


def random_set(seed, images, difficult):
    """(data file, [detections with the image's name])"""
    rng = random.Random(seed)
    scenes, found = {}, []
    for i in rng.sample(range(1, 1000), images):
        size = rng.randint(90, 400), rng.randint(90, 400)
        objects = []
        for _ in range(rng.choice((0, 1, 2, 4, 8))):
            w, h = rng.randint(8, size[0] // 2), rng.randint(8, size[1] // 2)
            x, y = rng.randint(1, size[0] - w), rng.randint(1, size[1] - h)
            objects.append((rng.choice((0, 0, 0, 1, 2, 3)), (x, y, x + w - 1, y + h - 1), difficult and rng.random() < .2))
        scenes[f"{i:06d}"] = size, objects
        for number, box, _ in objects + objects:
            number = number if rng.random() < .8 else rng.randrange(5)
            for _ in range(rng.choice((0, 1, 1, 2))):
                # scores of two digits: equal ones are frequent
                found.append((f"{i:06d}", number, round(rng.random(), 2), shifted(rng, box, size, rng.random() < .5)))
        for _ in range(rng.choice((0, 0, 2, 30))):
            found.append((f"{i:06d}", 0, round(rng.random(), 2), shifted(rng, (20, 20, 50, 50), size, True)))
    rng.shuffle(found)
    return make_set(f"random{seed}", CLASSES, scenes), found


def differs(mine, theirs):
    """The largest difference between the command's numbers and the reference's"""
    worst = abs(mine["map"] - theirs["map"])
    pairs = list(zip(by_class(mine, "ap"), theirs["ap"]))
    if "coco" in theirs:
        pairs += [(mine["coco"][key], value) for key, value in theirs["coco"].items()]
        pairs += zip(by_class(mine, "ap_50_95"), theirs["ap_50_95"])
    for one, other in pairs:
        worst = max(worst, float("inf") if (one is None) != (other is None) else abs((one or 0) - (other or 0)))
    return worst


worst = {}
pairs_of_files = []
for seed in (1, 2, 3):
    data, found = random_set(seed, 30, seed != 3)
    voc = make_voc(f"random{seed}.dets", found, CLASSES)
    coco = make_coco(f"random{seed}.json", [(int(image), k + 1, score, (x - 1, y - 1, x2 - x + 1, y2 - y + 1))
                                            for image, k, score, (x, y, x2, y2) in found])
    pairs_of_files.append((data, voc, coco))
    for points in (0, 11, 101):
        for iou, more in (.5, []), (.75, ["-difficult"]):
            mine = numbers(data, "-dets", voc, "-points", str(points), "-iou_thresh", str(iou), *more)
            theirs = reference.evaluate(data, voc, points=points, iou=iou, count_difficult=bool(more))
            key = "VOC", f"-points {points}"
            worst[key] = max(worst.get(key, 0), differs(mine, theirs) if mine else 9)
    for dets, more in (voc, []), (coco, ["-difficult"]):
        mine = numbers(data, "-dets", dets, "-coco", *more)
        theirs = reference.evaluate(data, dets, coco=True, count_difficult=bool(more))
        key = "COCO", "of VOC's files" if dets == voc else "of COCO's results"
        worst[key] = max(worst.get(key, 0), differs(mine, theirs) if mine else 9)
for (rule, what), difference in worst.items():
    ok(difference < 1e-9, f"{rule} agrees with the reference on random sets, {what}", f"largest difference {difference}")

try:
    import pycocotools  # noqa: F401
except ImportError:
    skip("the reference agrees with pycocotools", "Python has no pycocotools")
else:
    worst = 0
    for data, voc, coco in pairs_of_files:
        for dets in (voc, coco):
            result = reference.compare(data, dets)
            worst = max(worst, result["largest_difference"])
            mine = numbers(data, "-dets", dets, "-coco", "-difficult")
            worst = max(worst, reference.largest_difference(mine["coco"], result["pycocotools"]))
    print(f"# largest difference {worst}")
    ok(worst < 1e-9, "the reference and the command agree with pycocotools", worst)

finish()
