"""Converts VOC annotations to Darknet labels. Used by voc-to-darknet, get-voc and make-shapes.

A VOC set is a folder with JPEGImages/<id>.jpg, Annotations/<id>.xml and ImageSets/Main/<set>.txt; labelImg writes the
same annotations beside the images, <id>.jpg and <id>.xml in one folder. A VOC box is 1-based and inclusive: xmin=1,
xmax=width covers the whole width. Darknet wants one line per object, "class x y w h", as fractions of the image, with
x, y the centre. In continuous coordinates the VOC box spans xmin-1 .. xmax, hence

    x = ((xmin - 1) + xmax) / 2 / width      w = (xmax - (xmin - 1)) / width      and likewise y, h.

(In Darknet's own voc_label.py the centre is half a pixel further left and up, and the box is one pixel smaller.)
"""

import math
import os
import xml.etree.ElementTree as ElementTree

from darknet_data import BadInput, Progress, as_given, is_image_name, is_one_line, one_line, read_text, write_lines
from darknet_labels import (LABELLED_ENDINGS, Labelled, Result, box_line, check_label_path, darknet_label_path, draw_split,
                            image_size, write_labels)

VOC_CLASSES = ("aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
               "pottedplant sheep sofa train tvmonitor").split()


def check_set_folder(folder):
    """Raises BadInput where the path of a VOC set, as Darknet will read it, leads Darknet to other label files."""
    check_label_path(folder, os.path.join(folder, "JPEGImages", "0.jpg"), os.path.join(folder, "labels", "0.txt"))


def check_flat_folder(folder):
    """The same for a folder that holds the images itself: labels beside the images, or in `labels` beside `images`."""
    image = os.path.join(folder, "0.jpg")
    above, name = os.path.split(folder)
    labels = os.path.join(above, "labels") if name in ("images", "JPEGImages") else folder
    check_label_path(folder, image, os.path.join(labels, "0.txt"))


def convert(folder, set_name, list_path, classes, keep_difficult=False, strict=False, shown="", val=0, seed=1,
            val_list=None):
    """Writes a label file for every image of ImageSets/Main/<set_name>.txt, and the list of these images.

    set_name: None for all images. A folder without JPEGImages and ImageSets holds images and annotations together.
    list_path: None for no list. classes: list of names, or None for all names in the annotations, sorted. shown: what
    problems call the folder. val: the share of the images that goes to the list val_list instead, drawn by `seed`.
    Everything is read before anything is written, so that `strict`, which turns any problem into BadInput, leaves the
    set as it was.
    """
    result = Result(shown)
    problems = result.problems
    if not os.path.isdir(folder):
        raise BadInput(f"{folder}: no such folder")
    listed = as_given(folder)
    flat = set_name is None and not os.path.isdir(os.path.join(folder, "JPEGImages"))
    annotations, pictures = ("", "") if flat else ("Annotations", "JPEGImages")
    for part in (pictures, annotations):
        if not os.path.isdir(os.path.join(folder, part)):
            raise BadInput(f"{folder}: not a VOC set, it has no {part} folder")
    (check_flat_folder if flat else check_set_folder)(listed)
    if set_name is None:
        found = all_images(folder, pictures, problems)
    else:
        ids = read_set(os.path.join(folder, "ImageSets", "Main", set_name + ".txt"), problems)
        found = [(name, find_image(folder, name)) for name in ids]
    result.names = list(classes) if classes else names_found(os.path.join(folder, annotations))
    numbers = {name: i for i, name in enumerate(result.names)}
    labels = os.path.dirname(darknet_label_path(os.path.join(listed, pictures, "0.jpg")))

    converted = []
    progress = Progress(len(found), f"reading {os.path.join(shown, set_name or as_given(folder))}:")
    for done, (name, image) in enumerate(found, 1):
        xml = os.path.join(annotations, name + ".xml")
        if not image:
            problems.add("missing image", os.path.join(pictures, name + ".jpg"), "image left out")
        else:
            path = os.path.join(listed, image)
            label_path = darknet_label_path(path)
            if label_path != os.path.join(labels, name + ".txt"):
                problems.add("unusable path", image, f"Darknet would look for its labels in {label_path}; image left out")
            else:
                boxes = read_annotation(folder, xml, image, numbers, problems)
                if boxes is not None:
                    converted.append(Labelled(os.path.basename(image), path, label_path, boxes))
        progress.at(done)
    progress.end()
    if strict and len(problems):
        raise BadInput(f"{folder}: --strict, nothing written; problems: {problems}")
    if not converted:
        raise BadInput(f"{folder}: nothing could be converted; problems: {problems}")
    if problems.kinds.get("unknown class") and not any(image.boxes for image in converted):
        raise BadInput(f"{folder}: all objects are of unknown classes, nothing written: --classes auto takes those that are "
                       f"there; problems: {problems}")
    train, valid = draw_split(converted, val, seed)
    if val and not valid:
        raise BadInput(f"{folder}: --val {val:g}: there is one image, and none is left to validate on")

    if not flat:
        os.makedirs(os.path.join(folder, "labels-difficult"), exist_ok=True)
    write_labels(converted, result, f" of {os.path.join(shown, set_name)}" if set_name else "", keep_difficult)
    if list_path:
        write_lines(list_path, [image.image for image in train])
    if val_list:
        write_lines(val_list, [image.image for image in valid])
    return result


def all_images(folder, below, problems):
    """[(name without ending, path)] of all images in folder/below, in order; annotations without an image are reported."""
    files = sorted(os.listdir(os.path.join(folder, below)))
    found = {}
    for file in files:
        name = os.path.splitext(file)[0]
        if not is_image_name(file):
            continue
        if not is_one_line(file):
            problems.add("unusable path", repr(file), "it holds a tab or a line break; image left out")
        elif name in found:
            problems.add("two images", os.path.join(below, file), f"has the annotation and labels of "
                         f"{os.path.basename(found[name])}; image left out")
        else:
            found[name] = os.path.join(below, file)
    annotations = files if not below else sorted(os.listdir(os.path.join(folder, "Annotations")))
    for file in annotations:
        name, ending = os.path.splitext(file)
        if ending == ".xml" and name not in found:
            problems.add("missing image", file, "an annotation without an image; left out")
    if not found:
        raise BadInput(f"{os.path.join(folder, below)}: holds no image")
    return sorted(found.items())


def read_set(path, problems):
    """The ids in an ImageSets/Main file, without repetitions."""
    ids, seen = [], set()
    for line in read_text(path).splitlines():
        fields = line.split()
        if not fields:
            continue
        name = line.strip()
        if len(fields) == 2 and fields[1] in ("-1", "0", "1"):  # VOC's list for one class; -1: not in this image
            if fields[1] == "-1":
                continue
            name = fields[0]
        if "/" in name or name in (".", "..") or "\0" in name:
            problems.add("bad id", path, f"{name!r} is no file name; left out")
        elif name in seen:
            problems.add("listed twice", path, f"{name}; used once")
        else:
            seen.add(name)
            ids.append(name)
    if not ids:
        raise BadInput(f"{path}: names no image")
    return ids


def find_image(folder, name):
    for ending in LABELLED_ENDINGS:
        image = os.path.join("JPEGImages", name + ending)
        if os.path.isfile(os.path.join(folder, image)):
            return image
    return None


def names_found(annotations):
    """Class names in all annotations of the folder, not of one set, so that train and test have the same numbers."""
    found = set()
    for file in os.listdir(annotations):
        if file.endswith(".xml"):
            try:
                root = ElementTree.parse(os.path.join(annotations, file)).getroot()
            except (ElementTree.ParseError, ValueError, LookupError, OSError):
                continue  # reported later, when its image is converted
            found.update((obj.findtext("name") or "").strip() for obj in root.findall("object"))
    found.discard("")
    if not found:
        raise BadInput(f"{annotations}: no annotation names a class")
    return sorted(found)


def read_annotation(folder, xml, image, numbers, problems):
    """[(label line, difficult?)] of one image, or None where the image has to be left out."""
    try:
        width, height = image_size(os.path.join(folder, image))
    except BadInput as error:
        problems.add("unreadable image", image, f"{error}; image left out")
        return None
    try:
        root = ElementTree.parse(os.path.join(folder, xml)).getroot()
    except FileNotFoundError:
        problems.add("missing XML", xml, "image left out")
        return None
    except (ElementTree.ParseError, ValueError, LookupError, OSError) as error:
        problems.add("broken XML", xml, f"{one_line(error)}; image left out")
        return None
    try:
        size = tuple(int(float(root.findtext("size/" + side))) for side in ("width", "height"))
    except (TypeError, ValueError, OverflowError):
        size = (0, 0)
    if min(size) <= 0:
        problems.add("no size in XML", xml, f"took the image's {width}x{height}")
    elif size != (width, height):
        problems.add("wrong size in XML", xml, f"{size[0]}x{size[1]}; took the image's {width}x{height}")
    boxes = []
    for obj in root.findall("object"):
        line = read_object(obj, width, height, xml, numbers, problems)
        if line:
            boxes.append((line, (obj.findtext("difficult") or "").strip() == "1"))
    return boxes


def read_object(obj, width, height, xml, numbers, problems):
    """The label line of one <object>, or None if it has to be left out."""
    name = (obj.findtext("name") or "").strip()
    try:  # VOC itself has some numbers with a fraction
        corners = [float(obj.findtext("bndbox/" + key)) for key in ("xmin", "ymin", "xmax", "ymax")]
    except (TypeError, ValueError):
        corners = [math.nan]
    if not all(map(math.isfinite, corners)):
        problems.add("broken object", xml, f"{name!r} has no bndbox of four numbers; object left out")
        return None
    if name not in numbers:
        problems.add("unknown class", xml, f"{name!r}; object left out")
        return None
    xmin, ymin, xmax, ymax = corners
    text = f"{name!r} ({xmin:g}, {ymin:g}) - ({xmax:g}, {ymax:g})"
    if xmax <= xmin or ymax <= ymin:
        problems.add("degenerate box", xml, f"{text}; object left out")
        return None
    xmin, ymin, xmax, ymax = max(xmin, 1), max(ymin, 1), min(xmax, width), min(ymax, height)
    if xmax <= xmin or ymax <= ymin:
        problems.add("box outside image", xml, f"{text}, image {width}x{height}; object left out")
        return None
    if [xmin, ymin, xmax, ymax] != corners:
        problems.add("box clipped", xml, f"{text}, image {width}x{height}")
    return box_line(numbers[name], xmin - 1, ymin - 1, xmax, ymax, width, height)


def read_names(path):
    """Reads a file of class names, one per line, in the order of class numbers."""
    names = [line.strip() for line in read_text(path).splitlines()]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise BadInput(f"{path}: holds no class name")
    for i, name in enumerate(names):
        if not name:  # Darknet would count it as a class
            raise BadInput(f"{path}: line {i + 1} is empty")
        if name in names[:i]:
            raise BadInput(f"{path}: {name!r} occurs twice")
    return names
