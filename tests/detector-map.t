#!/usr/bin/python3
"""darknet detector map: cases computed by hand; comparison with the NumPy reference (and pycocotools, if installed) on
random data and on real annotations; writing detections and reading them again; and a network. src/eval defines the
numbers."""

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

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "helpers"))
from tap import finish, ok, same, skip  # noqa: E402

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
    os.makedirs(os.path.dirname(os.path.join(*path)), exist_ok=True)
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

# Of the same object voc_label.py makes a label from 10 to 19 and 0 to 9, as voc-to-darknet does of (11, 1) to (19, 9).
short = make_set("short", ["dog"], {"7": ((40, 20), [(0, (11, 1, 19, 9), 0)])})
same([numbers(short, "-dets", dets, *more).get("map") for more in ((), ("-voc_label",))], [1, 1],
     "half of a box is half of a box whose label is a pixel short")
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
# box below the threshold; a difficult cat that has a box of a dog; a dog box on nothing; a second box on the dog, of another class.
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
     "found, misclassified, missed, boxes on no object")
result = numbers(data, "-dets", dets, "-thresh", ".1")
same([(p["class"], p["taken_for"]) for p in result["confusion"]["pairs"]], [("cat", "dog"), ("horse", "dog")],
     "a lower -thresh brings up more")
status, out, err = run(data, "-dets", dets)
ok("objects: 1 found, 1 misclassified (a box of IoU >= 0.50, but of another class), 1 missed" in out and
   re.search(r"^  1 cat +1  \. +\.  +0\n  2 horse  +\.  \.  \.  +1$", out, re.M) and re.search(r"no object +1 +0 +0$", out, re.M),
   "the report has it as a matrix", out)
# dog: TP .9; FP .8, .6, .5 -> precision 1/4, recall 1, F1 2/5.
same(out.splitlines()[0], "class_id = 0, name = dog, ap = 100.00% \t (TP = 1, FP = 3) \t FN = 0, precision = 0.25, "
     "recall = 1.00, F1-score = 0.40 ", "a class's line has precision, recall and F1")
ok(re.search(r"^ mean average precision \(mAP@0\.50\) = 0\.333333, or 33\.33 % $", out, re.M),
   "the line that scripts read is as it was", out)

def run_keeping_script(*arguments):
    """run, and what gnuplot was given"""
    keeping = put(f"#!/bin/sh\ntee '{tmp}/script' | '{shutil.which('gnuplot')}'\n", tmp, "bin", "gnuplot")
    os.chmod(keeping, 0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{tmp}/bin:{path}"
    result = run(*arguments)
    os.environ["PATH"] = path
    return *result, text(tmp, "script")


if shutil.which("gnuplot"):
    status, out, err, script = run_keeping_script(data, "-dets", dets, "-confusion", "confusion.png")
    cells = re.findall(r"^(\d) (\d) (\S+)$", script, re.M)
    same({(int(row), int(column)): float(percent) for column, row, percent in cells if percent != "0"},
         {(0, 0): 100, (1, 0): 100, (2, 3): 100, (3, 0): 100}, "-confusion draws it: of each class, and of the boxes on nothing, in %")
    ok(re.search(r"'dog' 0, 'cat' 1, 'horse' 2, 'missed' 3\)", script) and
       "'dog (1)' 0, 'cat (1)' 1, 'horse (1)' 2, 'no object (1)' 3)" in script, "with names, and how many there are", script)
    with Image.open(os.path.join(tmp, "confusion.png")) as picture:
        ok(status == 0 and len(picture.convert("RGB").getcolors(1 << 20)) > 20, "as a picture", (status, err))
else:
    skip("-confusion draws it", "no gnuplot")

# The sheet of the image, enlarged three times: the missed horse is red at the left, the false dog on nothing at the right.
status, out, err = run(data, "-dets", dets, "-sheet", "sheet.png")
with Image.open(os.path.join(tmp, "sheet.png")) as picture:
    pixels = picture.convert("RGB")
same((status, [pixels.getpixel((22 + 3 * 10, 22 + 3 * y - 1)) for y in (20, 60)], pixels.getpixel((346 + 3 * 80, 22 + 3 * 90 - 1))),
     (0, [(0, 160, 0), (224, 32, 32)], (224, 32, 32)),
     "-sheet draws what is found green, and what is missed or false red")
perfect = make_voc("perfect.dets", [("a", k, .9, places[k]) for k in range(3)], names)
status, out, err = run(data, "-dets", perfect, "-sheet", "none.png")
ok(status == 0 and "note: no image with an error for none.png" in err and not os.path.exists(os.path.join(tmp, "none.png")),
   "without an error there is no sheet", err)
status, out, err = run(data, "-dets", perfect, "-sheet", "sheet.png")
ok(status == 0 and "sheet.png, which is not written; the one that is there is of an earlier run" in err, "and an older one is said to be so",
   err)

# By TIDE: dog .8 on the cat is a classification error, and so are cat .85 on the dog, which is found, horse .7 on the cat and dog .2
# on the horse. The first of a free object takes it: dog .8 the cat, dog .2 the horse. dog .6 lies in a difficult cat, dog .5 on
# nothing: both are background. AP: dog 1, cat and horse 0.
status, out, err = run(data, "-dets", dets, "-tide")
ok(re.search(r"^ +dAP +66\.67 +0\.00 +0\.00 +0\.00 +0\.00 +0\.00 +0\.00 +0\.00 $", out, re.M) and
   re.search(r"^ number +4 +0 +0 +0 +2 +0 $", out, re.M) and "AP that these start from = 33.33 %: IoU 0.5" in out,
   "-tide says which errors cost how much", out)
tide = numbers(data, "-dets", dets, "-tide").get("tide", {})
same((tide.get("count"), tide.get("foreground"), round(tide.get("dap", {}).get("Cls", 0), 6)),
     ({"Cls": 4, "Loc": 0, "Both": 0, "Dupe": 0, "Bkg": 2, "Miss": 0}, .5, .666667), "and so does the JSON")
ok("tide" not in numbers(data, "-dets", dets), "without the option it has nothing of the kind")

status, out, err = run(data, "-dets", dets)
plain = out
status, out, err = run(data, "-dets", dets, "-json", "names.json")
ok(status == 0 and out == plain, "-json <file> leaves the report as it is", out)
same(json.loads(text(tmp, "names.json")), numbers(data, "-dets", dets), "and writes what -json - prints")
ok(abs(json.loads(text(tmp, "names.json"))["map"] - 1 / 3) < 1e-12, "with the mean as \"map\" at the top level")

many = [f"c{i}" for i in range(25)]
data = make_set("pairs", many, {str(i): ((50, 50), [(24, (1, 1, 20, 20), 0)]) for i in range(1, 4)})
dets = make_voc("pairs.dets", [("1", 3, .9, (1, 1, 20, 20)), ("2", 4, .9, (1, 1, 20, 20)), ("3", 4, .9, (1, 1, 20, 20)),
                               ("3", 7, .9, (31, 31, 50, 50)), ("1", 9, .9, (31, 31, 50, 50)), ("2", 9, .9, (31, 31, 50, 50))],
                many)
status, out, err = run(data, "-dets", dets)
ok(re.search(r"^ +2 x c24 taken for c4 \n +1 x c24 taken for c3 \n +2 x no object taken for c9 \n +1 x no object taken for c7 \n\n",
             out, re.M), "above 20 classes it lists the pairs and what stands on nothing, the most frequent first", out)

# ---- random sets, against the reference ----

CLASSES = ["a", "b", "traffic_light", "light", "e"]  # a name that ends in another


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

# ---- scores ----

# Three dogs, found at .9 and .3 with a box on nothing at .6 between them, and a cat, at .2: of dogs F1 is 2/4, 2/5, 4/6;
# of all four objects 2/5, 2/6, 4/7, 6/8.
data = make_set("scores", ["dog", "cat", "cow"], {"a": ((100, 100), [
    (0, (1, 1, 20, 20), 0), (0, (41, 1, 60, 20), 0), (0, (61, 61, 80, 80), 0), (1, (1, 41, 20, 60), 0)])})
dets = make_voc("scores.dets", [("a", 0, .9, (1, 1, 20, 20)), ("a", 0, .6, (1, 81, 20, 100)), ("a", 0, .3, (41, 1, 60, 20)),
                                ("a", 1, .2, (1, 41, 20, 60))], ["dog", "cat", "cow"])
result = numbers(data, "-dets", dets)
same([c["best_f1"] and [round(n, 9) for n in c["best_f1"].values()] for c in result["classes"]],
     [[.2, round(2 / 3, 9), round(2 / 3, 9), round(2 / 3, 9)], [.1, 1, 1, 1], None],
     "the best F1 of each class, and the threshold that gives it; none of a class without a hit")
same([round(n, 9) for n in result["best_f1"].values()], [.1, .75, .75, .75], "and with one threshold for all")
# bins of 1/15: each box alone in its own; |1 - .9| + |0 - .6| + |1 - .3| + |1 - .2| over 4
ok(abs(result["calibration"]["ece"] - (.1 + .6 + .7 + .8) / 4) < 1e-12 and result["calibration"]["detections"] == 4,
   "detection ECE is the mean distance of scores and precision over the bins", result["calibration"])
status, out, err = run(data, "-dets", dets)
ok("   0 dog                        0.20              0.67    0.67      0.67 \n" in out and "   2 cow " in out and
   "     all classes, one threshold 0.10              0.75    0.75      0.75 \n" in out and
   "detection ECE = 55.00 %: score against precision at IoU 0.50, 4 boxes of score >= 0.01, 15 bins" in out,
   "the report has them in a table", out)

# The reference tries every score. The threshold has to be between the two scores, and gives these numbers as -thresh.
worst, wrong = 0, []
for data, voc, _ in pairs_of_files:
    for iou in (.5, .7):
        mine, theirs = numbers(data, "-dets", voc, "-iou_thresh", str(iou)), reference.score_numbers(data, voc, iou)
        worst = max(worst, abs(mine["calibration"]["ece"] - theirs["ece"]))
        wrong += [] if mine["calibration"]["detections"] == theirs["detections"] else [mine["calibration"]]
        for one, other in zip([mine] + mine["classes"], [theirs["all"]] + theirs["classes"]):
            if not one["best_f1"]:
                wrong += [other] if other[0] else []
                continue
            t, *three = one["best_f1"].values()
            worst = max([worst] + [abs(a - b) for a, b in zip(three, other)])
            wrong += [] if (other[3] if other[3] is not None else 0) <= t < other[4] else [(t, other)]
        again = numbers(data, "-dets", voc, "-iou_thresh", str(iou), "-thresh", repr(mine["best_f1"]["threshold"]))
        worst = max(worst, *(abs(again[key] - mine["best_f1"][key]) for key in ("f1", "precision", "recall")))
ok(worst < 1e-12 and not wrong, "best F1 and detection ECE agree with the reference on random sets", (worst, wrong))
dets = make_voc("logits.dets", [("a", 0, 7., (1, 1, 20, 20)), ("a", 0, -3., (41, 1, 60, 20))], ["dog", "cat", "cow"])
result = numbers(f"{tmp}/scores/data", "-dets", dets)
same((result["best_f1"]["threshold"], result["calibration"]["ece"]), (-3.5, None),
     "scores may be any numbers, which then have no ECE")

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

# ---- real annotations ----

archive = os.path.join(DATA, "voc2012-100.tar.gz")
if not os.path.exists(archive):
    skip("VOC 2012 annotations", f"no {archive}")
else:
    with tarfile.open(archive) as tar:
        tar.extractall(tmp)
    subprocess.run([os.path.join(ROOT, "scripts", "voc-to-darknet"), "VOCdevkit/VOC2012", "--set", "trainval", "--list",
                    "voc.list", "--names-out", "voc.names"], cwd=tmp, check=True, capture_output=True)
    data = put("classes=20\nvalid=voc.list\nnames=voc.names\n", tmp, "voc.data")
    rng, found = random.Random(4), []
    os.chdir(tmp)
    voc_names, images = reference.read_data(data)
    for image in images:
        for o in reference.annotated_objects(image, voc_names):
            for _ in range(3):
                number = o.number if rng.random() < .8 else rng.randrange(20)
                found.append((reference.image_name(image), number, rng.random(),
                              shifted(rng, o.corners, None, rng.random() < .5)))
    dets = make_voc("voc.dets", found, voc_names)
    for more, options in (([], {}), (["-points", "11"], {"points": 11}), (["-difficult"], {"count_difficult": True}),
                          (["-coco"], {"coco": True})):
        mine, theirs = numbers(data, "-dets", dets, *more), reference.evaluate(data, dets, annotations=True, **options)
        ok(mine and differs(mine, theirs) < 1e-9 and mine["difficult"] == 38 and mine["map"] > .2,
           f"labels give what VOC 2012's own annotations give: {' '.join(more) or 'VOC'}",
           mine and (differs(mine, theirs), mine["difficult"], mine["map"]))

# ---- there and back ----

data, voc, coco = pairs_of_files[0]
whole = numbers(data, "-dets", voc, "-coco_out", "out.json", "-voc_out", "out")
back = numbers(data, "-dets", "out.json", "-voc_out", "back")
again = numbers(data, "-dets", "out")
for result in whole, back, again:  # files have six decimals of a pixel
    result.pop("source", 0)
    for counts in [result] + result.get("classes", []):
        counts["average_iou"] = round(counts.get("average_iou", 0), 6)
ok(whole and whole == back == again, "what is written in VOC's and in COCO's format evaluates the same")
boxes = [[line.split() for k in CLASSES for line in text(tmp, folder, f"comp4_det_test_{k}.txt").splitlines()]
         for folder in ("out", "back")]
ok(all(one[:2] == other[:2] and all(abs(float(a) - float(b)) < 3e-6 for a, b in zip(one[2:], other[2:]))
       for one, other in zip(*boxes)) and len(boxes[0]) == len(boxes[1]) > 300,
   "from VOC's format to COCO's and back nothing changes")
# The first box of a random set, from (xmin, ymin) to (xmax, ymax), is written as it was given.
given = text(voc, "comp4_det_test_a.txt").splitlines()[0].split()
written = text(tmp, "out", "comp4_det_test_a.txt").splitlines()[0].split()
ok(given[0] == written[0] and all(abs(float(a) - float(b)) < 1e-6 for a, b in zip(given[1:], written[1:])),
   "VOC's corners are written as they were read", (given, written))
result = json.loads(text(tmp, "out.json"))[0]
same((result["category_id"], sorted(result)), (1, ["bbox", "category_id", "image_id", "score"]), "COCO's keys")

names = [f"c{i}" for i in range(80)]
data80 = make_set("eighty", names, {"COCO_val2014_000000000042": ((50, 50), [(11, (1, 1, 20, 20), 0)]),
                                    "000000000139": ((50, 50), [(79, (1, 1, 20, 20), 0)])})
dets = make_coco("eighty.json", [(42, 13, .9, (0, 0, 20, 20)), (139, 90, .8, (0, 0, 20, 20))])
same(numbers(data80, "-dets", dets, "-coco_out", "out.json").get("map"), 1, "80 classes have COCO's category ids, 13 and 90")
same([(r["image_id"], r["category_id"]) for r in json.loads(text(tmp, "out.json"))], [(42, 13), (139, 90)],
     "and image ids are the digits of COCO's file names")
dup = make_set("dup", ["a"], {"x1": ((50, 50), [(0, (1, 1, 20, 20), 0)]), "y1": ((50, 50), [])})
status, out, err = run(dup, "-dets", make_coco("dup.json", [(1, 1, .9, (0, 0, 20, 20))]), "-coco_out", "out.json")
ok(status == 0 and "100.00 %" in out and "image_id is the place in the list" in err,
   "images whose names give no ids of their own are numbered by the list", err)

# ---- curves ----

if shutil.which("gnuplot"):
    status, out, err = run(data, "-dets", voc, "-curves", "curves.png")
    with Image.open(os.path.join(tmp, "curves.png")) as picture:
        colours = picture.convert("RGB").getcolors(1 << 24)
    ok(status == 0 and len(colours) > 10, "-curves draws a picture", (status, err))
    # a panel for all classes and one for each, with all three curves and the mark
    status, out, err, script = run_keeping_script(f"{tmp}/scores/data", "-dets", f"{tmp}/scores.dets", "-thresholds", "scores.png")
    with Image.open(os.path.join(tmp, "scores.png")) as picture:
        colours = {colour: n for n, colour in picture.convert("RGB").getcolors(1 << 24)}
        size = picture.size
    drawn = [colours.get(c, 0) for c in ((0x6b, 0xae, 0xd6), (0xfd, 0x8d, 0x3c), (0x22, 0x22, 0x22), (0xcb, 0x18, 0x1d))]
    ok(status == 0 and size == (760, 760) and min(drawn) > 30, "-thresholds draws precision, recall, F1 and the best",
       (status, err, size, drawn))
    bare = re.sub("set key .*", "unset key", re.sub("set output .*", f"set output '{tmp}/bare.png'", script))
    subprocess.run(["gnuplot"], input=bare, text=True, check=True)
    with Image.open(f"{tmp}/bare.png") as without, Image.open(os.path.join(tmp, "scores.png")) as picture:
        below = [image.convert("RGB").crop((0, 40, *size)).tobytes() for image in (without, picture)]
    ok(below[0] == below[1], "and the key, above the panels, hides none of it")
    curves = [[line.split() for line in part.split("EOD")[0].splitlines()] for part in script.split("$curves << EOD\n")[1:]]
    same([(c[-2][1:] == c[-1][1:], c[-2][0], c[-1][0]) for c in curves[:3]], [(True, "0.2", "0"), (True, "0.3", "0"), (True, "0.2", "0")],
         "the last step of a curve goes from the lowest score to the lowest threshold")
    status, out, err = run(data, "-dets", voc, "-curves", "nowhere/curves.png")
    ok(status == 1 and err.splitlines()[-1].endswith("-curves: cannot write nowhere/curves.png: No such file or directory"),
       "and says so where it cannot", err)
else:
    skip("-curves draws a picture", "no gnuplot")

# ---- a network ----

rng = random.Random(5)
names = ["red", "green", "blue"]
data = make_set("net", names, {f"{i}": ((100, 70), [(rng.randrange(3), (11, 11, 50, 50), 0), (0, (31, 21, 90, 60), i % 2)])
                               for i in range(12)})
for i in range(12):  # something to see
    Image.frombytes("RGB", (100, 70), rng.randbytes(21000)).save(f"{tmp}/net/JPEGImages/{i}.png")
cfg = put("[net]\nbatch=1\nwidth=64\nheight=64\nchannels=3\n[convolutional]\nfilters=24\nsize=16\nstride=16\n"
          "activation=linear\n[yolo]\nmask=0,1,2\nanchors=40,40, 50,30, 30,50\nclasses=3\nnum=3\n", tmp, "net.cfg")
weights = os.path.join(tmp, "net.weights")
with open(weights, "wb") as file:
    file.write(struct.pack("<iiiq", 0, 2, 0, 0))
    file.write(struct.pack("<24f", *[0] * 24))
    file.write(struct.pack(f"<{24 * 768}f", *[rng.gauss(0, .08) for _ in range(24 * 768)]))
plain = numbers(data, cfg, weights, "-voc_out", "net.out", "-coco_out", "net.json", "-thresh", ".005")
ok(plain and plain["detections"] > 100 and plain["map"] > 0, "a network is evaluated", plain and plain["map"])
same(plain.get("source"), "images letterboxed to 64x64; NMS 0.45", "the input's size and letterboxing are stated")
for dets in "net.out", "net.json":
    result = numbers(data, "-dets", dets, "-thresh", ".005")
    ok(result and abs(result["map"] - plain["map"]) < 1e-6 and result["confusion"] == plain["confusion"] and
       all(abs(a - b) < 1e-6 for a, b in zip(by_class(result, "ap"), by_class(plain, "ap"))),
       f"and its detections give the same from {dets}", (result.get("map"), plain["map"]))
shape = [list(map(float, line.split()[2:])) for name in names
         for line in text(tmp, "net.out", f"comp4_det_test_{name}.txt").splitlines()]
ok(min(s[0] for s in shape) == min(s[1] for s in shape) == 1 and max(s[2] for s in shape) == 100 and
   max(s[3] for s in shape) == 70, "boxes are cut to the image, as detector valid does")

# detector valid writes boxes for labels that are a pixel short.
put(text(data) + f"results={tmp}\n", data)
softmax = put(text(cfg) + "class_loss=softmax\n", tmp, "softmax.cfg")
for network, what in (cfg, ""), (softmax, ", of a [yolo] with a softmax too"):
    status, out, err = run(data, network, weights, "-out", "valid_", group="valid")
    os.makedirs(os.path.join(tmp, "valid"), exist_ok=True)
    for name in names:
        os.rename(os.path.join(tmp, f"valid_{name}.txt"), os.path.join(tmp, "valid", f"valid_{name}.txt"))
    one, other = numbers(data, network, weights, "-voc_label"), numbers(data, "-dets", "valid", "-voc_label")
    ok(one and other and one["detections"] == other["detections"] and
       all(abs(a - b) < 1e-4 for a, b in zip(by_class(one, "ap"), by_class(other, "ap"))),
       "with -voc_label it agrees with detector valid and its files" + what, (by_class(one, "ap"), by_class(other, "ap")))

# The head that ols deploy writes instead of a [yolo] with a softmax gives what that gives.
deployed = os.path.join(tmp, "deployed.cfg"), os.path.join(tmp, "deployed.weights")
subprocess.run([DARKNET, "ols", "deploy", softmax, deployed[0], weights, deployed[1]], capture_output=True)
ok("[region]" in text(deployed[0]) and "[yolo]" not in text(deployed[0]), "a softmax in [yolo] is deployed as [region]")
for more in (), ("-flip",), ("-scales", "64,96"), ("-plain",):
    one, other, sigmoid = (numbers(data, *files, *more) for files in ((softmax, weights), deployed, (cfg, weights)))
    ok(one and other and one["map"] > 0 and one["detections"] == other["detections"] and
       all(abs(a - b) < 1e-6 for a, b in zip(by_class(one, "ap"), by_class(other, "ap"))) and
       by_class(one, "ap") != by_class(sigmoid, "ap"), " ".join(("and evaluated alike", *more)),
       (by_class(one, "ap"), by_class(other, "ap"), by_class(sigmoid, "ap")))

sources = {}
for more in ((), ("-plain",), ("-letterbox",), ("-scales", "64,96"), ("-flip",), ("-nms", "0")):
    result = numbers(data, cfg, weights, *more)
    sources[more] = result.get("source"), result.get("detections")
same([s for s, _ in sources.values()],
     ["images letterboxed to 64x64; NMS 0.45", "images stretched (plain resize) to 64x64; NMS 0.45",
      "images letterboxed to 64x64; NMS 0.45", "images letterboxed to 64x64, 96x96; NMS 0.45",
      "images letterboxed to 64x64, and mirrored; NMS 0.45", "images letterboxed to 64x64; NMS 0"],
     "options of detection are stated")
ok(sources[()][1] == sources["-letterbox",][1] and len({n for _, n in sources.values()}) == 5,
   "and each has its effect", [n for _, n in sources.values()])

# ---- what is refused: one line, status 1 ----


def refused(name, want, *arguments):
    status, out, err = run(*arguments)
    said = [line for line in err.splitlines() if line.startswith("darknet: ")]
    lines = [line for line in said if not line.startswith("darknet: note: ")]
    left = [f for f in os.listdir(tmp) if f.endswith(".tmp")]
    ok(status == 1 and len(lines) == 1 and lines[0] == err.splitlines()[-1] and want in lines[0] and out == "" and not left,
       name, (status, out, err, left))


# ---- against another evaluation ----

before = make_voc("before.dets", [d for i, d in enumerate(random_set(1, 30, True)[1]) if i % 3], CLASSES)
data, voc, coco = pairs_of_files[0]
status, out, err = run(data, "-dets", before, "-json", "before.json")
other = json.loads(text(tmp, "before.json"))
result = numbers(data, "-dets", voc, "-compare", "before.json")
compared = result.get("compared", {})
ok(compared and abs(compared["difference"] - (result["map"] - other["map"])) < 1e-12 and
   compared["low"] < compared["difference"] < compared["high"] and (compared["with"], compared["samples"]) == ("before.json", 1000),
   "-compare says the difference in mAP and its interval", compared)
expected = [(a and a - b) for a, b in zip(by_class(result, "ap"), by_class(other, "ap"))]
same([c["difference"] is None if e is None else abs(c["difference"] - e) < 1e-12 for c, e in zip(compared.get("classes", []), expected)],
     [True] * 5, "and of every class that has objects")
same([numbers(data, "-dets", voc, "-compare", "before.json", "-seed", seed).get("compared") == compared for seed in "12"], [True, False],
     "-seed draws the samples")
back = numbers(data, "-dets", before, "-compare", "before.json").get("compared", {})
same([back.get(key) for key in ("difference", "low", "high")], [0, 0, 0], "an evaluation does not differ from itself")
status, out, err = run(data, "-dets", voc, "-compare", "before.json")
ok(re.search(r"^ AP@0\.50 less that of before\.json, in points, with its 95 % interval by paired bootstrap over the 30 images", out, re.M) and
   re.search(r"^ mAP +[+-]\d+\.\d\d \[[+-]\d+\.\d\d, [+-]\d+\.\d\d\] $", out, re.M), "the report has it too", out)
status, out, err = run(data, "-dets", before, "-coco", "-iou_thresh", ".75", "-json", "coco.rules")
other = json.loads(text(tmp, "coco.rules"))
result = numbers(data, "-dets", voc, "-coco", "-iou_thresh", ".75", "-compare", "coco.rules")
difference = result["map"] - other["map"]
ok(abs(difference) > .01 and abs(result["compared"]["difference"] - difference) < 1e-12 and result["compared"]["iou_threshold"] == .75,
   "by COCO's rules as well, at the IoU that is said", result["compared"])
whole = json.loads(text(tmp, "before.json"))


def changed(**changes):
    """A copy of before.json with other things in per_image; its name"""
    copies.append(f"changed{len(copies)}.json")
    put(json.dumps({**whole, "per_image": {**whole["per_image"], **changes}}), tmp, copies[-1])
    return copies[-1]


def with_class(**changes):
    first, *rest = whole["per_image"]["classes"]
    return changed(classes=[{**first, **changes}, *rest])


copies = []
paths = whole["per_image"]["paths"]
for what, file, arguments, want in (
        ("of other rules", "before.json", ("-iou_thresh", ".75"),
         "evaluated by VOC, IoU 0.5, 0 recall points, difficult objects ignored, and here by VOC, IoU 0.75"),
        ("without difficult objects", "before.json", ("-difficult",), "recall points, difficult objects count: must be the same"),
        ("of another image", changed(paths=["x.png"] + paths[1:]), (), f"image 1 is x.png, and here {paths[0]}: must be the same list"),
        ("of more images", changed(paths=paths + ["x"]), (), "more than the 30 images here: must be the same list"),
        ("of fewer images", changed(paths=paths[:-1]), (), "is no result of detector map -json over these 30 images and 5 classes"),
        ("of another class", with_class(name="x"), (), "class 0 is x, and here a: must be the same"),
        ("of fewer classes", changed(classes=whole["per_image"]["classes"][:-1]), (), "over these 30 images and 5 classes"),
        ("of other labels", with_class(objects=[1]), (), "other objects of class a than here: must be the same labels"),
        ("of other boxes", changed(labels=whole["per_image"]["labels"] ^ 1), (), "other boxes than here: must be the same labels"),
        ("without a checksum", changed(labels=None), (), "where a number should be"),
        ("with a number far off", with_class(ranked=[1e300]), (), "1e+300 is not the number of an image, 1 to 30"),
        ("with an image that is not there", with_class(ranked=[31]), (), "31 is not the number of an image, 1 to 30"),
        ("with more hits than objects", with_class(ranked=[1] * 100), (), "more true positives than objects in image 1"),
        ("of an earlier version", put("{}", tmp, "none.json"), (), "none.json is no result of detector map -json over these 30 images"),
        ("that is none", put("[", tmp, "no.json"), (), "no.json:1:1: '[' where '{' should be"),
        ("that is not there", "nowhere.json", (), "nowhere.json")):
    refused(f"a result {what}", want, data, "-dets", voc, "-compare", file, *arguments)

moved = make_set("moved", ["dog"], {"7": ((40, 20), [(0, (11, 1, 20, 10), 0)])})
dets = make_voc("moved.dets", [("7", 0, .9, (11, 1, 20, 10))], ["dog"])
run(moved, "-dets", dets, "-json", "moved.json")
put(label(0, (12, 1, 21, 10), (40, 20)), tmp, "moved", "labels", "7.txt")
refused("a result of before a box was moved", "other boxes than here: must be the same labels", moved, "-dets", dets, "-compare", "moved.json")

far = make_coco("far.json", [(7, 1, .9, [1e12, 0, 10, 5]), (7, 1, .8, [1e300, 1e300, 10, 5]), (7, 1, .7, [-1e12, 0, 3e12, 5])])
status, out, err = run(f"{tmp}/half/data", "-dets", far, "-sheet", "far.png")
ok(status == 0 and os.path.exists(os.path.join(tmp, "far.png")), "boxes far outside of an image are drawn at its edge", err)

data, voc, coco = pairs_of_files[0]
image = os.path.splitext(os.path.basename(text(os.path.dirname(data), "list").split()[0]))[0]
for line, want, name in ((f"{image} .9 1 2 3", ":1: a detection is: image score xmin ymin xmax ymax", "a line too short"),
                         (f"\n{image} .9 1 2 3 x", ":2: ymax x: not a number", "a word for a number"),
                         (f"{image} nan 1 2 3 4", ":1: score nan: not a number", "a score that is no number"),
                         (f"{image} .9 1 2 1e999 4", ":1: xmax 1e999: not a number", "a number too large"),
                         ("other .9 1 2 3 4", ":1: image other is not in the list of images", "an image that is not listed")):
    put(line + "\n", tmp, "bad", "x_a.txt")
    refused(f"VOC's format: {name}", want, data, "-dets", "bad")
put("", tmp, "twice", "comp3_det_test_a.txt")
put("", tmp, "twice", "comp4_det_test_a.txt")
refused("two files of a class", "are both files of the class a: keep one", data, "-dets", "twice")
put("", tmp, "none", "a.dat")
refused("a folder without any", "has no file <...>_<class>.txt", data, "-dets", "none")
good = '{"image_id": %d, "category_id": 1, "bbox": [1, 2, 3, 4], "score": .5}' % int(image)
good = good.replace(".5", "0.5")
for content, want, name in (("", "bad.json:1:1: the file ends where '[' should be", "an empty file"),
                            ("[" + good, ":1:73: the file ends where ',' should be", "a file that is cut off"),
                            ("[" + good + ",]", "']' where '{' should be", "a comma too many"),
                            ("[" + good + good + "]", "'{' where ',' should be", "a comma that is missing"),
                            ("[" + good + "] x", "'x' where the end of the file should be", "something behind the list"),
                            ('{"annotations": []}', ":1:1: '{' where '[' should be", "no list"),
                            ("[\n" + good.replace("[1, 2, 3, 4]", "[1, 2, 3]") + "]", ":2:54: a bbox is four numbers", "a box of three numbers"),
                            ("[" + good.replace('"score"', '"scores"') + "]", "a result without score", "no score"),
                            ("[" + good.replace("0.5", "NaN") + "]", "'N' where a number should be", "NaN"),
                            ("[" + good.replace("0.5", "1e999") + "]", "1e999 is not a number of JSON", "a number too large"),
                            ("[" + good.replace("0.5", "1-2") + "]", "1-2 is not a number of JSON", "half a number"),
                            ("[" + good.replace('"score"', '"sc\n"') + "]", "where the end of a string should be", "a string"),
                            ("[" + good.replace(image.lstrip("0"), "123456") + "]", "image_id 123456 is no image", "an id"),
                            ("[" + good.replace("y_id\": 1", "y_id\": 6") + "]", "category_id 6: must be 1 to 5", "a category"),
                            ('[{"a": ' + "[" * 100, "lists more than 64 deep", "lists in lists")):
    put(content, tmp, "bad.json")
    refused(f"COCO's format: {name}", want, data, "-dets", "bad.json")
put('[{"segmentation": {"a": [1, [], {}], "b": "\\u00e9\\"", "c": [true, false, null]}, ' + good[1:] + "]", tmp, "extra.json")
same(numbers(data, "-dets", "extra.json").get("detections"), 1, "keys of no use are passed over")

for arguments, want in ((("-dets", voc, cfg, weights), "-dets takes the place of <cfg> and <weights>"),
                        (("-dets", voc, "-flip"), "-flip is for a network, and -dets has none"),
                        (("-dets", voc, "-loss"), "-loss is for a network, and -dets has none"),
                        ((cfg, weights, "-loss", "-flip"), "-loss is of one size, without -scales and -flip"),
                        ((cfg, weights, "-loss", "-scales", "64"), "-loss is of one size, without -scales and -flip"),
                        (("-dets", "nowhere"), "cannot read detections nowhere: No such file"),
                        (("-dets", voc, "-coco", "-points", "11"), "-points 11 is not valid: must be 101 with -coco"),
                        (("-dets", voc, "-points", "12"), "-points 12 is not valid: must be 0, 11 or 101"),
                        (("-dets", voc, "-iou_thresh", "0"), "-iou_thresh 0 is not valid: must be a number above 0, and 1 at most"),
                        (("-dets", voc, "-seed", "5"), "-seed needs -compare"),
                        (("-dets", voc, "-sheet_images", "5"), "-sheet_images needs -sheet"),
                        (("-dets", voc, "-sheet", "s.png", "-sheet_images", "201"), "-sheet_images 201 is not valid: must be a"),
                        (("-dets", voc, "-tide", "-iou_thresh", ".1"), "-iou_thresh 0.1 is not valid: must be above 0.1 with -tide"),
                        (("-dets", voc, "-thresh", "x"), "-thresh x is not valid: must be a number"),
                        ((cfg, weights, "-thresh", "0"), "-thresh 0 is not valid: must be a number from .005 to 1"),
                        ((cfg, weights, "-letterbox", "-plain"), "-letterbox and -plain exclude each other"),
                        ((cfg, weights, "-scales", "320,"), "-scales 320, is not valid: must be sizes with commas in between"),
                        ((cfg, weights, "-scales", "70"), "scale 70: must be a multiple of 16"),
                        ((cfg,), "needs <data> <cfg> <weights>, or <data> -dets <path>"),
                        (("-dets", voc, "-nmss", "1"), "unknown option -nmss"),
                        (("-dets", voc, "-coco", "-coco"), "-coco is given twice"),
                        (("-dets", voc, "-points", "50"), "-points 50 is not valid: must be 0, 11 or 101"),
                        ((cfg, weights, "-nms", "1.5"), "-nms 1.5 is not valid: must be a number from 0 to 1"),
                        ((cfg, weights, "more"), "unexpected argument more (see darknet detector map --help)"),
                        (("-dets",), "-dets needs a value"),
                        (("-dets", voc, "-json", "nowhere/x"), "-json: cannot write nowhere/x: No such file"),
                        (("-dets", voc, "-thresholds", "nowhere/x"), "-thresholds: cannot write nowhere/x: No such file"),
                        (("-dets", voc, "-coco_out", "nowhere/x"), "-coco_out: cannot write nowhere/x: No such file"),
                        (("-dets", voc, "-voc_out", "nowhere/x"), "cannot make the folder nowhere/x")):
    refused(" ".join(arguments).replace(tmp + "/", ""), want, f"{tmp}/net/data" if cfg in arguments else data, *arguments)
hundred = [f"c{i}" for i in range(100)]
refused("a confusion matrix of a hundred classes", "-confusion draws 99 classes at most, and these are 100",
        make_set("hundred", hundred, {"x": ((50, 50), [(0, (1, 1, 20, 20), 0)])}), "-dets", voc, "-confusion", "no.png")
hard = make_set("hard", ["a"], {"x": ((50, 50), [(0, (1, 1, 20, 20), 1)])})
dets = make_voc("hard.dets", [("x", 0, .9, (1, 1, 20, 20))], ["a"])
refused("nothing but difficult objects", "all labelled objects are difficult ones: -difficult counts them", hard, "-dets", dets)
same(numbers(hard, "-dets", dets, "-difficult").get("map"), 1, "unless they count")
status, out, err = run("--help")
done = subprocess.run([DARKNET, "detector", "map"], capture_output=True, text=True)
ok(status == 0 and done.returncode == 1 and out == done.stderr and
   all(f" {o} " in out for o in ("-iou_thresh", "-points", "-difficult", "-coco", "-thresh", "-tide", "-voc_label", "-nms", "-scales", "-compare", "-seed",
                                 "-flip", "-letterbox", "-plain", "-json", "-confusion", "-sheet", "-sheet_images", "-curves", "-thresholds", "-voc_out", "-coco_out", "-dets")),
   "--help explains every option, and so does the command without arguments", (status, out, done.stderr))

finish()
