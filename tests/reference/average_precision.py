#!/usr/bin/python3
"""AP as PASCAL VOC and COCO define it, the best F1 and detection ECE, in NumPy: what tests/detector-map.t compares `darknet detector map` with.

    average_precision.py <data file> <detections> [--coco] [--points 0|11|101] [--iou .5] [--count-difficult]
                         [--annotations] [--pycocotools]

Written after VOCevaldet.m and VOCap.m of VOC's development kit and pycocotools' COCOeval; shares nothing with src/eval.
<detections> is a folder in VOC's format or a .json of COCO's results. Objects are those of the label files, or with
--annotations those of VOC's Annotations/<id>.xml beside JPEGImages/. Prints the numbers as JSON.

Every box is kept in both forms: VOC's corners, which count pixels from 1, both ends inside, so that a side is
xmax - xmin + 1 long; and COCO's left, top, width, height.

--pycocotools adds what pycocotools makes of the same files, and ends with status 1 where a number differs by 1e-9 or
more. Compared with pycocotools 2.0.11 (NumPy 1.24.2, Python 3.11) on the random sets of tests/detector-map.t, in both
formats: the largest difference of all twelve numbers, of this script and of `detector map -coco`, was 3.1e-16. That test
repeats it wherever Python can import pycocotools.
"""

import argparse
import collections
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
from PIL import Image

COCO_80 = [i for i in range(1, 91) if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]
AREAS = {"all": (0, 1e10), "small": (0, 32 ** 2), "medium": (32 ** 2, 96 ** 2), "large": (96 ** 2, 1e10)}


# ---- reading ----

Object = collections.namedtuple("Object", "number difficult corners rectangle")
Detection = collections.namedtuple("Detection", "image number score corners rectangle")


def from_corners(corners):
    """Both forms of a box"""
    xmin, ymin, xmax, ymax = corners
    return (xmin, ymin, xmax, ymax), (xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1)


def from_rectangle(rectangle):
    x, y, w, h = rectangle
    return (x + 1, y + 1, x + w, y + h), (x, y, w, h)


def read_data(path):
    """(names, image paths) of a data file"""
    with open(path) as file:
        options = dict(line.split("=", 1) for line in file.read().replace(" ", "").split() if "=" in line)
    return tuple([line for line in open(options[key]).read().split("\n") if line] for key in ("names", "valid"))


def image_name(path):
    return os.path.splitext(os.path.basename(path))[0]


def label_objects(path):
    """[Object] of an image from its label files."""
    label = path
    for word, by in (("images", "labels"), ("JPEGImages", "labels"), ("raw", "labels"), (".jpg", ".txt"), (".png", ".txt")):
        label = label.replace(word, by, 1)
    width, height = Image.open(path).size
    apart = re.sub(r"(.*/|^)labels/", r"\1labels-difficult/", label)
    objects = []
    for file, difficult in ((label, False), (apart, True)):
        if difficult and apart == label or not os.path.exists(file):
            continue
        for line in open(file):
            number, *box = line.split()
            x, y, w, h = map(float, box)
            low = [(x - w / 2) * width, (y - h / 2) * height]
            high = [(x + w / 2) * width, (y + h / 2) * height]
            for corner in low, high:  # the files have six decimals
                for i, side in enumerate((width, height)):
                    if abs(corner[i] - round(corner[i])) < 1e-6 * side:
                        corner[i] = float(round(corner[i]))
            objects.append(Object(int(number), difficult, (low[0] + 1, low[1] + 1, *high),
                                  (*low, high[0] - low[0], high[1] - low[1])))
    return objects


def annotated_objects(path, names):
    """The same from VOC's own annotation."""
    root = ElementTree.parse(path.replace("JPEGImages", "Annotations").rsplit(".", 1)[0] + ".xml").getroot()
    return [Object(names.index(o.findtext("name")), o.findtext("difficult") == "1",
                   *from_corners(float(o.findtext("bndbox/" + key)) for key in ("xmin", "ymin", "xmax", "ymax")))
            for o in root.findall("object")]


def image_ids(images):
    """COCO's numbers of the images: digits of the names, or places in the list."""
    def digits(name):
        return re.sub(r"\D", "", name.rsplit("_", 1)[1] if name.startswith("COCO_") else name)
    found = [digits(image_name(path)) for path in images]
    if all(found) and len({int(d) for d in found}) == len(found):
        return [int(d) for d in found]
    return list(range(1, len(images) + 1))


def read_detections(path, names, images):
    """[Detection] in the order of the files; `image` is the place in the list."""
    found = []
    if os.path.isdir(path):
        index = {image_name(image): i for i, image in enumerate(images)}
        for number, name in enumerate(names):
            for file in sorted(os.listdir(path)):
                if file == f"comp4_det_test_{name}.txt":
                    for line in open(os.path.join(path, file)):
                        image, score, *corners = line.rsplit(None, 5)
                        found.append(Detection(index[image], number, float(score), *from_corners(map(float, corners))))
        return found
    index = {i: n for n, i in enumerate(image_ids(images))}
    numbers = {c: i for i, c in enumerate(COCO_80 if len(names) == 80 else range(1, len(names) + 1))}
    for result in json.load(open(path)):
        found.append(Detection(index[result["image_id"]], numbers[result["category_id"]], result["score"],
                               *from_rectangle(result["bbox"])))
    return found


# ---- VOC ----

def voc_overlap(box, boxes):
    """IoU of one box with many, counted in pixels."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    both = np.prod(np.maximum(high - low + 1, 0), axis=1)
    area = np.prod(box[2:] - box[:2] + 1) + np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1)
    return both / (area - both)


def voc_ap(hits, misses, count, points):
    """AP from hits and misses (0 or 1 each) in the order of falling scores, and the number of objects."""
    hits, misses = np.cumsum(hits), np.cumsum(misses)
    precision = hits / np.maximum(hits + misses, 1)
    if points:
        steps = points - 1
        return sum(max(precision[hits * steps >= i * count], default=0.) for i in range(points)) / points
    recall = np.concatenate([[0.], hits / count, [1.]])
    precision = np.concatenate([[0.], precision, [0.]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * precision[1:]))


def voc_evaluate(objects, detections, classes, points, threshold, count_difficult):
    """AP by class, None for a class without objects. objects: a list of Objects by image."""
    result = []
    for number in range(classes):
        truth = [[o for o in of_image if o.number == number] for of_image in objects]
        boxes = [np.array([o.corners for o in t], float).reshape(-1, 4) for t in truth]
        difficult = [np.array([o.difficult and not count_difficult for o in t], bool) for t in truth]
        seen = [np.zeros(len(t), bool) for t in truth]
        count = sum(int(np.sum(~d)) for d in difficult)
        mine = [d for d in detections if d.number == number]
        order = np.argsort([-d.score for d in mine], kind="stable")
        hits, misses = np.zeros(len(mine), int), np.zeros(len(mine), int)
        for rank, place in enumerate(order):
            image, box = mine[place].image, np.array(mine[place].corners)
            overlaps = voc_overlap(box, boxes[image])
            if not len(overlaps) or max(overlaps) < threshold:
                misses[rank] = 1
                continue
            best = int(np.argmax(overlaps))
            if difficult[image][best]:
                continue
            hits[rank], misses[rank] = not seen[image][best], seen[image][best]
            seen[image][best] = True
        result.append(voc_ap(hits, misses, count, points) if count else None)
    return result


# ---- COCO ----

def coco_overlaps(found, truth):
    """IoU of all with all, boxes as left, top, width, height."""
    a, b = found[:, None, :], truth[None, :, :]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    both = np.prod(np.maximum(high - low, 0), axis=2)
    return both / (a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - both)


def coco_match(overlaps, ignored, threshold):
    """What each detection (by falling score) takes: an object's place, or -1. Objects that are ignored stand last."""
    free, taken = np.ones(len(ignored), bool), []
    for row in overlaps:
        choice = -1
        for group in (~ignored, ignored):
            able = np.flatnonzero(free & group & (row >= min(threshold, 1 - 1e-10)))
            if len(able):
                choice = able[np.flatnonzero(row[able] == np.max(row[able]))[-1]]
                break
        if choice >= 0:
            free[choice] = False
        taken.append(choice)
    return np.array(taken, int)


def coco_class(objects, detections, number, thresholds, area, most):
    """[(AP, highest recall)] of a class by threshold; None without objects of that area. An object that is difficult is
    ignored like one of another area."""
    low, high = AREAS[area]
    outcome = [[] for _ in thresholds]  # (score, hit, ignored)
    count = 0
    by_image = collections.defaultdict(list)
    for d in detections:
        if d.number == number:
            by_image[d.image].append(d)
    for image, of_image in enumerate(objects):
        truth = [o for o in of_image if o.number == number]
        boxes = np.array([o.rectangle for o in truth], float).reshape(-1, 4)
        sizes = boxes[:, 2] * boxes[:, 3]
        ignored = np.array([o.difficult for o in truth], bool) | (sizes < low) | (sizes > high)
        count += int(np.sum(~ignored))
        mine = sorted(by_image[image], key=lambda d: -d.score)[:most]
        found = np.array([d.rectangle for d in mine], float).reshape(-1, 4)
        outside = (found[:, 2] * found[:, 3] < low) | (found[:, 2] * found[:, 3] > high)
        overlaps = coco_overlaps(found, boxes)
        for t, threshold in enumerate(thresholds):
            taken = coco_match(overlaps, ignored, threshold)
            for d, choice in enumerate(taken):
                skip = ignored[choice] if choice >= 0 else outside[d]
                outcome[t].append((mine[d].score, choice >= 0, bool(skip)))
    if not count:
        return None
    result = []
    for of_threshold in outcome:
        order = np.argsort([-o[0] for o in of_threshold], kind="stable")
        kept = [of_threshold[i] for i in order if not of_threshold[i][2]]
        hits = np.cumsum([o[1] for o in kept]) if kept else np.zeros(0)
        recall = hits / count
        precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
        places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
        result.append((sum(precision[p] for p in places if p < len(precision)) / 101, recall[-1] if len(recall) else 0.))
    return result


def coco_evaluate(objects, detections, classes):
    """COCO's twelve numbers and AP by class (None: no objects). Images must be in the order of their ids."""
    thresholds = np.linspace(.5, .95, 10)

    def all_classes(area, most):
        """arrays of [class with objects, threshold]: AP, AR"""
        of = [coco_class(objects, detections, k, thresholds, area, most) for k in range(classes)]
        numbers = np.array([c for c in of if c]).reshape(-1, 10, 2)
        return numbers[..., 0], numbers[..., 1], of

    def mean(numbers):
        return float(np.mean(numbers)) if numbers.size else None

    ap, ar, of = all_classes("all", 100)
    result = {"ap": mean(ap), "ap50": mean(ap[:, 0]), "ap75": mean(ap[:, 5])}
    sizes = {area: all_classes(area, 100) for area in ("small", "medium", "large")}
    result.update({f"ap_{area}": mean(sizes[area][0]) for area in sizes})
    result.update({"ar1": mean(all_classes("all", 1)[1]), "ar10": mean(all_classes("all", 10)[1]), "ar100": mean(ar)})
    result.update({f"ar_{area}": mean(sizes[area][1]) for area in sizes})
    return result, [None if c is None else float(np.mean([ap for ap, _ in c])) for c in of]


def pycocotools_evaluate(objects, detections, classes):
    """The same twelve numbers by pycocotools, for objects none of which is difficult."""
    from contextlib import redirect_stdout
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    truth = COCO()
    annotations = [{"image_id": image, "category_id": o.number, "iscrowd": 0, "bbox": list(o.rectangle),
                    "area": o.rectangle[2] * o.rectangle[3]} for image, of_image in enumerate(objects) for o in of_image]
    truth.dataset = {"images": [{"id": i} for i in range(len(objects))], "categories": [{"id": k} for k in range(classes)],
                     "annotations": [dict(a, id=i) for i, a in enumerate(annotations, 1)]}
    results = [{"image_id": d.image, "category_id": d.number, "score": d.score, "bbox": list(d.rectangle)}
               for d in detections]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    keys = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
            "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large")
    return {key: None if value < 0 else float(value) for key, value in zip(keys, evaluation.stats)}


# ---- both ----

def largest_difference(one, other):
    """Between dicts of numbers; infinite where one has None and the other not."""
    return max(0. if one[k] is None and other[k] is None else np.inf if None in (one[k], other[k]) else
               abs(one[k] - other[k]) for k in other)


# ---- scores ----

def voc_judged(objects, detections, number, threshold):
    """[(score, hit)] of a class by falling score, without the ignored ones, and the number of objects. As voc_evaluate."""
    truth = [[o for o in of_image if o.number == number] for of_image in objects]
    boxes = [np.array([o.corners for o in t], float).reshape(-1, 4) for t in truth]
    seen, judged = set(), []
    for d in sorted((d for d in detections if d.number == number), key=lambda d: -d.score):
        overlaps = voc_overlap(np.array(d.corners), boxes[d.image])
        best = int(np.argmax(overlaps)) if len(overlaps) else -1
        over = best >= 0 and overlaps[best] >= threshold
        if over and truth[d.image][best].difficult:
            continue
        judged.append((d.score, over and (d.image, best) not in seen))
        if over:
            seen.add((d.image, best))
    return judged, sum(not o.difficult for t in truth for o in t)


def best_f1(judged, count):
    """F1, precision and recall of the highest F1, and the scores that its threshold is between; by trying them all."""
    scores, hits = np.array([s for s, _ in judged]), np.array([h for _, h in judged], bool)
    best = (0., 0., 0., None, None)
    for s in sorted(set(scores), reverse=True):
        tp, kept = int(np.sum(hits[scores >= s])), int(np.sum(scores >= s))
        f1 = 2 * tp / (kept + count) if kept + count else 0.
        if f1 > best[0] + 1e-12:
            best = f1, tp / kept, tp / count, max(scores[scores < s], default=None), s
    return best


def score_numbers(data, detections, iou=.5, lowest=.01, bins=15):
    """The best F1 of every class and of all together, as best_f1 gives it, and the detection ECE."""
    names, images = read_data(data)
    objects = [label_objects(i) for i in images]
    found = read_detections(detections, names, images)
    classes = [voc_judged(objects, found, k, iou) for k in range(len(names))]
    every = [j for judged, _ in classes for j in judged]
    kept = np.array([(s, h) for s, h in every if s >= lowest], float)
    place = np.clip(np.ceil(kept[:, 0] * bins) - 1, 0, bins - 1)
    ece = sum(np.sum(place == m) / len(kept) * abs(np.mean(kept[place == m, 1]) - np.mean(kept[place == m, 0]))
              for m in range(bins) if np.any(place == m))
    return {"classes": [best_f1(*c) for c in classes], "all": best_f1(every, sum(count for _, count in classes)),
            "ece": float(ece), "detections": len(kept)}


# ---- files ----

def evaluate(data, detections, coco=False, points=None, iou=.5, count_difficult=False, annotations=False):
    """{"map": ..., "ap": [by class], and with coco "coco": {...}, "ap_50_95": [by class]}, for files."""
    names, images = read_data(data)
    if coco:
        images = [image for _, image in sorted(zip(image_ids(images), images))]
    objects = [annotated_objects(i, names) if annotations else label_objects(i) for i in images]
    found = read_detections(detections, names, images)
    if count_difficult:
        objects = [[o._replace(difficult=False) for o in of_image] for of_image in objects]
    if coco:
        of = [coco_class(objects, found, k, [iou], "all", 100) for k in range(len(names))]
        ap = [c and c[0][0] for c in of]
        numbers, by_class = coco_evaluate(objects, found, len(names))
        result = {"ap": ap, "coco": numbers, "ap_50_95": by_class}
    else:
        result = {"ap": voc_evaluate(objects, found, len(names), points or 0, iou, count_difficult)}
    with_objects = [ap for ap in result["ap"] if ap is not None]
    result["map"] = sum(with_objects) / len(with_objects)
    return result


def compare(data, detections, annotations=False):
    """COCO's twelve numbers of the files by evaluate, with those of pycocotools as "pycocotools", and how they differ.
    Difficult objects count, as pycocotools knows none."""
    names, images = read_data(data)
    images = [image for _, image in sorted(zip(image_ids(images), images))]
    objects = [annotated_objects(i, names) if annotations else label_objects(i) for i in images]
    result = evaluate(data, detections, True, count_difficult=True, annotations=annotations)
    result["pycocotools"] = pycocotools_evaluate(objects, read_detections(detections, names, images), len(names))
    result["largest_difference"] = largest_difference(result["coco"], result["pycocotools"])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("detections")
    parser.add_argument("--coco", action="store_true")
    parser.add_argument("--points", type=int, choices=(0, 11, 101), default=0)
    parser.add_argument("--iou", type=float, default=.5)
    parser.add_argument("--count-difficult", action="store_true")
    parser.add_argument("--annotations", action="store_true")
    parser.add_argument("--pycocotools", action="store_true")
    a = parser.parse_args()
    if a.pycocotools:
        result = compare(a.data, a.detections, a.annotations)
    else:
        result = evaluate(a.data, a.detections, a.coco, a.points, a.iou, a.count_difficult, a.annotations)
    print(json.dumps(result, indent=1))
    sys.exit(a.pycocotools and result["largest_difference"] >= 1e-9)


if __name__ == "__main__":
    main()
