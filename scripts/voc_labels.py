"""Converts VOC annotations to Darknet labels. Used by voc-to-darknet, get-voc and make-shapes.

A VOC set is a folder with JPEGImages/<id>.jpg, Annotations/<id>.xml and ImageSets/Main/<set>.txt. The corners of a VOC
box are pixel numbers from 1, and both end pixels belong to the box: xmin=1, xmax=width is the whole width. Darknet
needs one line per object, "class x y w h", as fractions of the image, where x, y is the centre. In continuous
coordinates the VOC box spans xmin-1 .. xmax, hence

    x = ((xmin - 1) + xmax) / 2 / width      w = (xmax - (xmin - 1)) / width      and likewise y, h.

(In Darknet's own voc_label.py the centre is half a pixel further left and up, and the box is one pixel smaller.)
"""

import math
import os
import xml.etree.ElementTree as ElementTree

from darknet_data import BadInput, Progress, as_given, one_line, pillow, read_text, say, write_lines, write_whole

VOC_CLASSES = ("aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
               "pottedplant sheep sofa train tvmonitor").split()

# Darknet's fill_truth_detection finds the label file of an image by these replacements in its path, in this order. Each
# replaces the first occurrence anywhere in the path, also in the name of a folder.
DARKNET_REPLACES = (("images", "labels"), ("JPEGImages", "labels"), ("raw", "labels"),
                    (".jpg", ".txt"), (".png", ".txt"), (".JPG", ".txt"), (".JPEG", ".txt"))
IMAGE_ENDINGS = (".jpg", ".png", ".JPG", ".JPEG")


def darknet_label_path(image_path):
    """The file from which Darknet will read the boxes of this image."""
    for word, by in DARKNET_REPLACES:
        image_path = image_path.replace(word, by, 1)
    return image_path


def check_set_folder(folder):
    """Raises BadInput if the path of a VOC set would lead Darknet to wrong label files (darknet_label_path)."""
    image = os.path.join(folder, "JPEGImages", "0.jpg")
    if "\n" in folder or "\r" in folder:
        raise BadInput(f"line break in the path {folder!r}: Darknet's lists hold one path a line")
    if darknet_label_path(image) != os.path.join(folder, "labels", "0.txt"):
        words = [word for word, _ in DARKNET_REPLACES if word in folder]
        raise BadInput(f"{folder}: Darknet replaces {' and '.join(map(repr, words))} in the path of an image to find its "
                       f"labels, and would look for {darknet_label_path(image)}: rename or move the folder, or link to it "
                       f"from elsewhere")


class Problems:
    """Prints each problem to stderr when it is found, and counts them by kind. `shown`: folder printed before files."""

    def __init__(self, shown):
        self.kinds, self.shown = {}, shown

    def add(self, kind, file, detail):
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        say(f"{os.path.join(self.shown, file)}: {kind}: {detail}")

    def __len__(self):
        return sum(self.kinds.values())

    def __str__(self):
        return ", ".join(f"{n} x {kind}" for kind, n in self.kinds.items()) or "none"


class Result:
    """The result of convert(): counts, the class names by class number, and the image paths of the list."""

    def __init__(self, shown):
        self.images = self.empty = self.objects = self.difficult = 0
        self.names, self.paths = [], []
        self.problems = Problems(shown)

    def __str__(self):
        return (f"{self.images} images ({self.empty} without a labelled object), {self.objects} objects, "
                f"{self.difficult} difficult ones kept apart; problems: {self.problems}")


def convert(folder, set_name, list_path, classes, keep_difficult=False, strict=False, shown=""):
    """Writes labels/<id>.txt for every image of ImageSets/Main/<set_name>.txt, and the list of these images.

    list_path: None for no list. classes: list of names, or None for all names in Annotations, sorted. shown: the
    folder's name in messages. With `strict` any problem raises BadInput. Everything is read before anything is written,
    so that the set is then unchanged.
    """
    result = Result(shown)
    problems = result.problems
    if not os.path.isdir(folder):
        raise BadInput(f"{folder}: no such folder")
    for part in ("JPEGImages", "Annotations"):
        if not os.path.isdir(os.path.join(folder, part)):
            raise BadInput(f"{folder}: not a VOC set, it has no {part} folder")
    listed = as_given(folder)
    check_set_folder(listed)
    ids = read_set(os.path.join(folder, "ImageSets", "Main", set_name + ".txt"), problems)
    result.names = list(classes) if classes else names_found(os.path.join(folder, "Annotations"))
    numbers = {name: i for i, name in enumerate(result.names)}

    converted = []
    progress = Progress(len(ids), f"reading {os.path.join(shown, set_name)}:")
    for done, name in enumerate(ids, 1):
        image = find_image(folder, name)
        xml = os.path.join("Annotations", name + ".xml")
        if not image:
            problems.add("missing image", os.path.join("JPEGImages", name + ".jpg"), "image left out")
        elif darknet_label_path(os.path.join(listed, image)) != os.path.join(listed, "labels", name + ".txt"):
            problems.add("unusable path", image, "Darknet would look for its labels in "
                         f"{darknet_label_path(os.path.join(listed, image))}; image left out")
        else:
            boxes = read_annotation(folder, xml, image, numbers, problems)
            if boxes is not None:
                converted.append((name, os.path.join(listed, image), boxes))
        progress.at(done)
    progress.end()
    if strict and len(problems):
        raise BadInput(f"{folder}: --strict, nothing written; problems: {problems}")
    if not converted:
        raise BadInput(f"{folder}: nothing could be converted; problems: {problems}")
    if problems.kinds.get("unknown class") and not any(boxes for _, _, boxes in converted):
        raise BadInput(f"{folder}: all objects are of unknown classes, nothing written: --classes auto takes those that are "
                       f"there; problems: {problems}")

    for kind in ("labels", "labels-difficult"):
        os.makedirs(os.path.join(folder, kind), exist_ok=True)
    progress = Progress(len(converted), f"writing labels of {os.path.join(shown, set_name)}:")
    for name, _, boxes in converted:
        labels = [line for line, difficult in boxes if keep_difficult or not difficult]
        apart = [line for line, difficult in boxes if difficult and not keep_difficult]
        # Darknet ends if a label file is missing, so an image without objects gets an empty one.
        write_whole(os.path.join(folder, "labels", name + ".txt"), "".join(labels))
        difficult_path = os.path.join(folder, "labels-difficult", name + ".txt")
        if apart:
            write_whole(difficult_path, "".join(apart))
        elif os.path.lexists(difficult_path):  # from an earlier run
            os.unlink(difficult_path)
        result.images += 1
        result.empty += not labels
        result.objects += len(labels)
        result.difficult += len(apart)
        progress.at(result.images)
    progress.end()
    result.paths = [path for _, path, _ in converted]
    if list_path:
        write_lines(list_path, result.paths)
    return result


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
    for ending in IMAGE_ENDINGS:
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
    """[(label line, whether difficult)] of one image, or None if the image has to be left out."""
    Image = pillow()
    try:
        with Image.open(os.path.join(folder, image)) as file:
            width, height = file.size
    except Exception as error:  # Pillow raises many types
        problems.add("unreadable image", image, f"{one_line(error)}; image left out")
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
    x, w = (xmin - 1 + xmax) / 2 / width, (xmax - xmin + 1) / width
    y, h = (ymin - 1 + ymax) / 2 / height, (ymax - ymin + 1) / height
    return f"{numbers[name]} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n"


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
