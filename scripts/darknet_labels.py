"""Darknet's label files for detection: where Darknet looks for them, how a box is written, and writing those of a whole
set. Used by the converters of annotations: voc_labels.py, coco-to-darknet and yolo-to-darknet.

A label file has one line per object, "class x y w h", as fractions of the image, with x, y the centre of the box.
"""

import os
from typing import NamedTuple

from darknet_data import (BadInput, Problems, Progress, data_prefix, data_text, one_line, pillow, share_of, split,
                          write_lines, write_whole)

# What Darknet's fill_truth_detection does to the path of an image to find its label file, in its order. Each replaces
# the first occurrence anywhere in the path, also in a folder's name.
DARKNET_REPLACES = (("images", "labels"), ("JPEGImages", "labels"), ("raw", "labels"),
                    (".jpg", ".txt"), (".png", ".txt"), (".JPG", ".txt"), (".JPEG", ".txt"))
LABELLED_ENDINGS = (".jpg", ".png", ".JPG", ".JPEG")  # an image of another has no label file


class Labelled(NamedTuple):
    """An image and its objects."""
    key: str      # what the split is drawn by, the same wherever the set lies
    image: str    # its path as it is listed
    labels: str   # the path of its label file
    boxes: list   # of (line of the label file, difficult?)


class Result:
    """What was converted: counts, the class names in the order of their numbers, and the images' paths as listed."""

    def __init__(self, shown="", most=None):
        self.images = self.empty = self.objects = self.difficult = 0
        self.names, self.paths = [], []
        self.problems = Problems(shown, most)

    def __str__(self):
        return (f"{self.images} images ({self.empty} without a labelled object), {self.objects} objects, "
                f"{self.difficult} difficult ones kept apart; problems: {self.problems}")


def darknet_label_path(image_path):
    """The file in which Darknet will look for the boxes of this image."""
    for word, by in DARKNET_REPLACES:
        image_path = image_path.replace(word, by, 1)
    return image_path


def check_label_path(folder, image, labels):
    """Raises BadInput where the folder's path leads Darknet from an image in it to other label files than `labels`."""
    if "\n" in folder or "\r" in folder:
        raise BadInput(f"line break in the path {folder!r}: Darknet's lists hold one path a line")
    if darknet_label_path(image) != labels:
        words = [word for word, _ in DARKNET_REPLACES if word in folder]
        raise BadInput(f"{folder}: Darknet replaces {' and '.join(map(repr, words))} in the path of an image to find its "
                       f"labels, and would look for {darknet_label_path(image)}: rename or move the folder, or link to it "
                       f"from elsewhere")


def difficult_path(labels):
    """The file for the difficult objects that belongs to a label file: the last folder `labels` of its path becomes
    labels-difficult. None where there is no such folder, so that there is no place for them."""
    folders = labels.split("/")
    for i in reversed(range(len(folders) - 1)):
        if folders[i] == "labels":
            return "/".join(folders[:i] + ["labels-difficult"] + folders[i + 1:])
    return None


def image_size(path):
    """(width, height). Raises BadInput where the image cannot be read."""
    Image = pillow()
    try:
        with Image.open(path) as file:
            return file.size
    except Exception as error:  # Pillow raises many kinds
        raise BadInput(one_line(error)) from None


def box_line(number, left, top, right, bottom, width, height):
    """The line of a box whose edges are given in pixels, from 0 to the image's width and height."""
    return (f"{number} {(left + right) / 2 / width:.6f} {(top + bottom) / 2 / height:.6f} {(right - left) / width:.6f} "
            f"{(bottom - top) / height:.6f}\n")


def draw_split(images, part, seed):
    """Splits a list of Labelled: (those to train on, those to validate on), each in the order that they had."""
    chosen = split([image.key for image in images], share_of(len(images), part), seed)
    return [image for image in images if image.key not in chosen], [image for image in images if image.key in chosen]


def write_labels(images, result, what, keep_difficult=False):
    """Writes the label files of a list of Labelled, and counts in `result`. keep_difficult: difficult objects are labels
    like others."""
    progress = Progress(len(images), f"writing labels{what}:")
    for done, (_, path, labels_path, boxes) in enumerate(images, 1):
        labels = [line for line, difficult in boxes if keep_difficult or not difficult]
        apart = [line for line, difficult in boxes if difficult and not keep_difficult]
        # Darknet ends the whole run where a label file is missing, so an image without objects has an empty one.
        write_whole(labels_path, "".join(labels))
        apart_path = difficult_path(labels_path)
        if apart and apart_path:
            write_whole(apart_path, "".join(apart))
        elif apart:
            result.problems.add("difficult objects", path, f"{len(apart)} left out; images in a folder `images` have a "
                                "folder labels-difficult beside it for them")
            apart = []
        elif apart_path and os.path.lexists(apart_path):  # of an earlier run
            os.unlink(apart_path)
        result.images += 1
        result.empty += not labels
        result.objects += len(labels)
        result.difficult += len(apart)
        result.paths.append(path)
        progress.at(done)
    progress.end()


def write_set(out, name, names, train, valid):
    """Writes train.list, valid.list (where there are images), NAME.names and NAME.data into `out`, and makes the folder
    backup. Returns the path of the .data file."""
    prefix = data_prefix(out)
    files = []
    for key, images in (("train", train), ("valid", valid)):
        path = os.path.join(out, key + ".list")
        if images:
            write_lines(path, [image.image for image in images])
            files.append((key, key + ".list"))
        elif os.path.lexists(path):  # of an earlier run
            os.unlink(path)
    write_lines(os.path.join(out, name + ".names"), names)
    os.makedirs(os.path.join(out, "backup"), exist_ok=True)
    files += [("names", name + ".names"), ("backup", "backup")]
    write_whole(os.path.join(out, name + ".data"), data_text(len(names), prefix, files))
    return f"{prefix}/{name}.data"
