"""The published data sets of get-images: what they consist of, and how their archives become folders by class.

Archives are unpacked into the folder `unpacked` of a work folder. The function `sort` of a set gets that folder, and
returns a Sorted: the classes in the set's own order and, image by image, which part and class it is of. Names in archives
and annotations come from a network: none is used as a path before inside() or folder_name() has looked at it.
"""

import collections
import fnmatch
import functools
import os
import pickle
import re
import shutil
import tarfile

from archives import Archive, made_whole, unpack, unpack_file
from darknet_data import BadInput, Progress, is_one_line, one_line, pillow, read_text

TRAIN = "train"  # the folder of the training images; that of the others is `held_out` of a set

# folder: of the class below train and test; at sets with levels the coarser ones come first, as in "fish/shark".
# title: what to show to people.
Class = collections.namedtuple("Class", "folder title")

# part: a folder, TRAIN or the set's held_out. number: of the class, from 0. put: a function that puts the image at a path.
Image = collections.namedtuple("Image", "part number name put")

Sorted = collections.namedtuple("Sorted", "classes images")

# archives: {Archive: function of its path and the work folder that unpacks it}; images: how many (training, held out);
# levels: from coarse to fine, of which the last is the default; size, terms, page, note: for people; trouble: why it cannot
# be fetched, or None; needs: the module that reading it takes, or None; resumes: whether what was unpacked before an error
# is of use to the next run.
Set = collections.namedtuple("Set", "title archives sort images classes size terms page held_out levels trouble note needs "
                             "resumes", defaults=("test", (), None, "", None, False))


# ---- names that come from a network ----

def inside(folder, name):
    """The path of an image that annotations name. Raises BadInput if it would lie outside of the folder."""
    if name.startswith("/") or ".." in name.split("/") or not is_one_line(name):
        raise BadInput(f"annotations name {name!r}, which lies outside of the set's folder: not used")
    return os.path.join(folder, name)


def folder_name(name):
    """A class's name as that of a folder: `/` becomes `-`."""
    name = name.strip().replace("/", "-")
    if not name or name.startswith(".") or not is_one_line(name):
        raise BadInput(f"annotations name a class {name!r}: not used")
    return name


# ---- unpacking ----

def below(top, *patterns, into=""):
    """A function that unpacks, into the folder unpacked/INTO, the members below the folder `top` of an archive, wherever
    that is in it, whose path from there matches a pattern."""
    def member_path(parts):
        rest = parts[parts.index(top) + 1:] if top in parts else []
        wanted = any(fnmatch.fnmatchcase("/".join(rest), pattern) for pattern in patterns)
        return ["unpacked", *filter(None, [into]), *rest] if wanted else None
    return lambda path, work: unpack(path, work, member_path)


def copied(path, work):
    """Takes a file that is no archive."""
    os.makedirs(f"{work}/unpacked", exist_ok=True)
    shutil.copy(path, f"{work}/unpacked")


def photos_at_top(path, work):
    unpack(path, work, lambda parts: ["unpacked", parts[-1]] if parts[-1].endswith(".JPEG") else None)


def tars_of_classes(path, work):
    """Unpacks a tar archive that holds one for each class straight to train/CLASS. A class that an interrupted run had
    finished is passed over."""
    with open(path, "rb") as file:
        progress = Progress(os.path.getsize(path), f"unpacking {os.path.basename(path)}:")
        try:
            with tarfile.open(fileobj=file) as tar:
                for member in tar:
                    found = re.fullmatch(r"(?:.*/)?(n\d+)\.tar", member.name)
                    target = found and os.path.join(work, TRAIN, found[1])
                    if found and member.isfile() and not os.path.isdir(target):
                        with made_whole(target) as folder:
                            unpack_file(tar.extractfile(member), f"{path}: {member.name}", folder,
                                        lambda parts: parts[-1:] if parts[-1].endswith(".JPEG") else None,
                                        lambda: progress.at(file.tell()))
        except tarfile.TarError as error:
            raise BadInput(f"{path}: no whole tar archive: {one_line(error)}") from None
        progress.end()


# ---- reading annotations ----

def rows(path):
    """The lines of a table: (first field, the rest), which white space separates."""
    return [line.strip().split(None, 1) for line in read_text(path).splitlines() if line.strip()]


def matlab(path):
    """The variables of a MATLAB file."""
    import scipy.io
    try:
        return scipy.io.loadmat(path, squeeze_me=True)
    except OSError:
        raise
    except Exception as error:  # SciPy raises many kinds
        raise BadInput(f"{path}: no MATLAB file that can be read: {one_line(error)}") from None


def values(array):
    """The elements of what may have been an array of one element."""
    import numpy as np
    return list(np.atleast_1d(array))


def moved(folder, part, number, name):
    """An image that is moved to its place from where it was unpacked."""
    return Image(part, number, os.path.basename(name), functools.partial(os.rename, inside(folder, name)))


# ---- CIFAR ----

class ArraysOnly(pickle.Unpickler):
    """Reads a pickle of lists, dicts, bytes and NumPy arrays. A pickle may name any function for its reader to call; here
    these are what arrays are made by, and nothing else."""

    def find_class(self, module, name):
        import numpy as np
        made_by = np.empty(0).__reduce__()[0]
        allowed = {("numpy.core.multiarray", "_reconstruct"): made_by, ("numpy._core.multiarray", "_reconstruct"): made_by,
                   ("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype}
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which arrays do not need")
        return allowed[module, name]


def unpickled(folder, name):
    """The dict in a file that Python 2 pickled."""
    path = os.path.join(folder, name)
    try:
        with open(path, "rb") as file:
            found = ArraysOnly(file, encoding="bytes").load()
    except FileNotFoundError:
        raise BadInput(f"the archive holds no {name}") from None
    except Exception as error:  # damaged pickles raise all kinds
        raise BadInput(f"{name}: not read: {one_line(error) or type(error).__name__}") from None
    if not isinstance(found, dict):
        raise BadInput(f"{name}: holds no dict")
    return found


def cifar_names(folder, file, key):
    return [folder_name(name.decode()) for name in unpickled(folder, file)[key]]


def cifar_images(folder, batches, labels_key, classes):
    """Images of {part: batch files}. They are named by their number in the part, from 0."""
    for part, files in batches.items():
        first = 0
        for file in files:
            batch = unpickled(folder, file)
            pixels, labels = batch[b"data"], batch[labels_key]
            if pixels.dtype != "u1" or pixels.shape != (len(labels), 3072) or not all(0 <= y < classes for y in labels):
                raise BadInput(f"{file}: is not made of images of 3x32x32 bytes with labels from 0 to {classes - 1}")
            for number, (image, label) in enumerate(zip(pixels, labels), first):
                picture = pillow().fromarray(image.reshape(3, 32, 32).transpose(1, 2, 0).copy())
                yield Image(part, label, f"{number:05d}.png", picture.save)
            first += len(labels)


def sort_cifar10(folder):
    classes = [Class(name, name) for name in cifar_names(folder, "batches.meta", b"label_names")]
    batches = {TRAIN: [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}
    return Sorted(classes, cifar_images(folder, batches, b"labels", len(classes)))


def sort_cifar100(folder):
    fine, coarse = (cifar_names(folder, "meta", key) for key in (b"fine_label_names", b"coarse_label_names"))
    test = unpickled(folder, "test")
    above = dict(zip(test[b"fine_labels"], test[b"coarse_labels"]))
    classes = [Class(f"{coarse[above[number]]}/{name}", name) for number, name in enumerate(fine)]
    return Sorted(classes, cifar_images(folder, {TRAIN: ["train"], "test": ["test"]}, b"fine_labels", len(fine)))


# ---- fine-grained sets ----

def sort_cub200(folder):
    classes = [Class(folder_name(name), name.partition(".")[2].replace("_", " ") or name)
               for _, name in rows(f"{folder}/classes.txt")]
    number, trained = (dict(rows(f"{folder}/{name}.txt")) for name in ("image_class_labels", "train_test_split"))
    images = [moved(folder, TRAIN if trained[key] == "1" else "test", int(number[key]) - 1, f"images/{name}")
              for key, name in rows(f"{folder}/images.txt")]
    return Sorted(classes, images)


# The names on the set's page, by number; its archives hold the numbers alone.
FLOWERS = """pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold, tiger lily, moon
orchid, bird of paradise, monkshood, globe thistle, snapdragon, colt's foot, king protea, spear thistle, yellow iris,
globe-flower, purple coneflower, peruvian lily, balloon flower, giant white arum lily, fire lily, pincushion flower,
fritillary, red ginger, grape hyacinth, corn poppy, prince of wales feathers, stemless gentian, artichoke, sweet william,
carnation, garden phlox, love in the mist, mexican aster, alpine sea holly, ruby-lipped cattleya, cape flower, great
masterwort, siam tulip, lenten rose, barbeton daisy, daffodil, sword lily, poinsettia, bolero deep blue, wallflower,
marigold, buttercup, oxeye daisy, common dandelion, petunia, wild pansy, primula, sunflower, pelargonium, bishop of
llandaff, gaura, geranium, orange dahlia, pink-yellow dahlia, cautleya spicata, japanese anemone, black-eyed susan,
silverbush, californian poppy, osteospermum, spring crocus, bearded iris, windflower, tree poppy, gazania, azalea, water
lily, rose, thorn apple, morning glory, passion flower, lotus, toad lily, anthurium, frangipani, clematis, hibiscus,
columbine, desert-rose, tree mallow, magnolia, cyclamen, watercress, canna lily, hippeastrum, bee balm, ball moss,
foxglove, bougainvillea, camellia, mallow, mexican petunia, bromelia, blanket flower, trumpet creeper, blackberry lily"""


def sort_flowers102(folder):
    classes = [Class(name, name) for name in " ".join(FLOWERS.split()).split(", ")]
    split = matlab(f"{folder}/setid.mat")
    labels = values(matlab(f"{folder}/imagelabels.mat")["labels"])
    images = [moved(folder, part, int(labels[i - 1]) - 1, f"image_{i:05d}.jpg")
              for key, part in (("trnid", TRAIN), ("valid", TRAIN), ("tstid", "test")) for i in values(split[key])]
    return Sorted(classes, images)


def sort_cars(folder):
    classes = [Class(folder_name(name), name) for name in values(matlab(f"{folder}/cars_meta.mat")["class_names"])]
    images = [moved(folder, part, int(row["class"]) - 1, f"{photos}/{row['fname']}")
              for part, table, photos in ((TRAIN, "cars_train_annos.mat", "cars_train"),
                                          ("test", "cars_test_annos_withlabels.mat", "cars_test"))
              for row in values(matlab(f"{folder}/{table}")["annotations"])]
    return Sorted(classes, images)


def sort_aircraft(folder):
    def table(level, part):
        return dict(rows(f"{folder}/images_{level}_{part}.txt"))
    variants = [name.strip() for name in read_text(f"{folder}/variants.txt").splitlines() if name.strip()]
    above, images = {}, []
    for part, of in ((TRAIN, "trainval"), ("test", "test")):
        maker, family, variant = (table(level, of) for level in ("manufacturer", "family", "variant"))
        for key, name in variant.items():
            above[name] = (maker[key], family[key])
            images.append(moved(folder, part, variants.index(name), f"images/{key}.jpg"))
    classes = [Class("/".join(map(folder_name, (*above[name], name))), name) for name in variants]
    return Sorted(classes, images)


# ---- ImageNet ----

def synset_classes(names):
    """Classes by their number in WordNet. names: [(number, words)]. A title is the first of the words; where another
    class has the same, the number follows."""
    titles = [words.split(",")[0].strip() for _, words in names]
    return [Class(folder_name(number), title if titles.count(title) == 1 else f"{title} ({number})")
            for (number, _), title in zip(names, titles)]


def sort_tiny_imagenet(folder):
    words = dict(line.split("\t", 1) for line in read_text(f"{folder}/words.txt").splitlines() if "\t" in line)
    numbers = read_text(f"{folder}/wnids.txt").split()
    images = [moved(folder, TRAIN, i, f"train/{number}/images/{name}") for i, number in enumerate(numbers)
              for name in sorted(os.listdir(inside(folder, f"train/{number}/images")))]
    for line in read_text(f"{folder}/val/val_annotations.txt").splitlines():
        name, number = line.split("\t")[:2]
        images.append(moved(folder, "val", numbers.index(number), f"val/images/{name}"))
    return Sorted(synset_classes([(number, words[number]) for number in numbers]), images)


def sort_imagenet(folder):
    """Of the training images only the classes: these are unpacked to where they stay."""
    synsets = values(matlab(f"{folder}/meta.mat")["synsets"])
    numbers = sorted((int(row["ILSVRC2012_ID"]), str(row["WNID"]), str(row["words"])) for row in synsets
                     if row["num_children"] == 0)
    labels = [int(line) for line in read_text(f"{folder}/ILSVRC2012_validation_ground_truth.txt").split()]
    place = {number: i for i, (number, *_) in enumerate(numbers)}
    images = [moved(folder, "val", place[label], f"ILSVRC2012_val_{i:08d}.JPEG") for i, label in enumerate(labels, 1)]
    return Sorted(synset_classes([row[1:] for row in numbers]), images)


# ---- the sets ----

OXFORD, TORONTO = "https://www.robots.ox.ac.uk/~vgg/data", "https://www.cs.toronto.edu/~kriz"

# The MD5 sums are those that torchvision checks by (torchvision/datasets/cifar.py, flowers102.py, imagenet.py; and
# stanford_cars.py until its address broke). It has none of CUB-200-2011, FGVC-Aircraft and Tiny ImageNet: of these, and of the
# addresses of all, several independent projects name the same.
SETS = {
    "cifar10": Set(
        "CIFAR-10: 32x32 images of animals and vehicles, as PNG files",
        {Archive("cifar-10-python.tar.gz", f"{TORONTO}/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"):
         below("cifar-10-batches-py", "*_batch*", "batches.meta")},
        sort_cifar10, (50000, 10000), 10, "170 MB", "no licence is stated; its page asks to cite Krizhevsky 2009",
        f"{TORONTO}/cifar.html", needs="numpy"),
    "cifar100": Set(
        "CIFAR-100: 32x32 images of 100 classes (fine) or 20 (coarse), as PNG files",
        {Archive("cifar-100-python.tar.gz", f"{TORONTO}/cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"):
         below("cifar-100-python", "train", "test", "meta")},
        sort_cifar100, (50000, 10000), 100, "169 MB", "no licence is stated; its page asks to cite Krizhevsky 2009",
        f"{TORONTO}/cifar.html", levels=("coarse", "fine"), needs="numpy"),
    "cub200": Set(
        "CUB-200-2011 (Caltech-UCSD Birds): birds, most of them of North America",
        {Archive("CUB_200_2011.tgz", "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
                 "97eceeb196236b17998738112f37df78"):
         below("CUB_200_2011", "images/*.jpg", "images.txt", "image_class_labels.txt", "train_test_split.txt", "classes.txt")},
        sort_cub200, (5994, 5794), 200, "1.2 GB", "research and education, not commercial; the photographs belong to their "
        "authors", "https://www.vision.caltech.edu/datasets/cub_200_2011/"),
    "flowers102": Set(
        "Oxford Flowers-102: flowers of the United Kingdom; its train and valid images are trained on",
        {Archive("102flowers.tgz", f"{OXFORD}/flowers/102/102flowers.tgz", "52808999861908f626f3c1f4e79d11fa"):
         below("jpg", "*.jpg"),
         Archive("setid.mat", f"{OXFORD}/flowers/102/setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c"): copied,
         Archive("imagelabels.mat", f"{OXFORD}/flowers/102/imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"): copied},
        sort_flowers102, (2040, 6149), 102, "345 MB", "no licence is stated; its page asks to cite Nilsback 2008",
        f"{OXFORD}/flowers/102/", needs="scipy"),
    "cars": Set(
        "Stanford Cars: photographs of cars by make, model and year",
        {Archive("car_devkit.tgz", None, "c3b158d763b6e2245038c8ad08e45376"):
         below("devkit", "cars_meta.mat", "cars_train_annos.mat"),
         Archive("cars_train.tgz", None, "065e5b463ae28d29e77c1b4b166cfe61"): below("cars_train", "*.jpg", into="cars_train"),
         Archive("cars_test.tgz", None, "4ce7ebf6a94d07f1952d94dd34c4d501"): below("cars_test", "*.jpg", into="cars_test"),
         Archive("cars_test_annos_withlabels.mat", None, "b0a2b23655a3edd16d84508592a98d10"): copied},
        sort_cars, (8144, 8041), 196, "2.0 GB", "research, not commercial",
        "http://ai.stanford.edu/~jkrause/cars/car_dataset.html (gone since 2023)",
        trouble="their address at ai.stanford.edu is gone since 2023", needs="scipy"),
    "aircraft": Set(
        "FGVC-Aircraft (2013b): 100 variants, 70 families or 30 manufacturers; its trainval images are trained on",
        {Archive("fgvc-aircraft-2013b.tar.gz", f"{OXFORD}/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz",
                 "d4acdd33327262359767eeaa97a4f732"): below("data", "images/*.jpg", "*.txt")},
        sort_aircraft, (6667, 3333), 100, "2.8 GB", "research, not commercial; the photographs belong to their authors",
        f"{OXFORD}/fgvc-aircraft/", levels=("manufacturer", "family", "variant"),
        note="""The OLS paper trains on these 6,667 images and says 90 classes; no level of the set has as many.
The lowest 20 rows of each photograph name its author. The set's README wants them cut off, which is not done here."""),
    "tiny-imagenet": Set(
        "Tiny ImageNet: 64x64 images of 200 of ImageNet's classes; its val images are held out, as those of its test folder "
        "have no labels",
        {Archive("tiny-imagenet-200.zip", "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
                 "90528d7ca1a48142e341f4ef8d21d0de"):
         below("tiny-imagenet-200", "train/*.JPEG", "val/*", "words.txt", "wnids.txt")},
        sort_tiny_imagenet, (100000, 10000), 200, "248 MB", "those of ImageNet: research and education, not commercial",
        "http://cs231n.stanford.edu/", held_out="val"),
    "imagenet": Set(
        "ImageNet (ILSVRC2012): classes in the order of Darknet's own weights; its val images are held out",
        {Archive("ILSVRC2012_devkit_t12.tar.gz", None, "fa75699e90414af021442c21a62c3abf"):
         below("data", "meta.mat", "ILSVRC2012_validation_ground_truth.txt"),
         Archive("ILSVRC2012_img_train.tar", None, "1d675b47d978889d74fa0da5fadfb00e"): tars_of_classes,
         Archive("ILSVRC2012_img_val.tar", None, "29b22e2961454d5413ddabcf34fc5622"): photos_at_top},
        sort_imagenet, (1281167, 50000), 1000, "144 GB", "research and education, not commercial",
        "https://image-net.org/download.php", held_out="val", trouble="image-net.org gives them to those who ask for them",
        needs="scipy", resumes=True),
}
