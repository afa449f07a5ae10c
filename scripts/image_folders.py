"""Folders of images, by class or with a table of labels, to what Darknet's classifier trains on. Used by
images-to-darknet and get-images.

An entry is (path below the set's folder, class). A part of a set, "train", "valid" or "test", is a list of entries.
"""

import contextlib
import csv
import multiprocessing
import os
import signal
import warnings

from darknet_data import (BadInput, DECODED, PROGRAM, Progress, data_prefix, data_text, is_image_name, is_one_line, one_line,
                          pillow, read_text, say, share, share_of, split, whole_number, write_lines, write_whole)

PARTS = {"train": ("train",), "valid": ("val", "valid", "validation"), "test": ("test",)}


# ---- where the images are ----

def visible(folder):
    """Names in the folder, sorted, of its folders and of its files; without hidden ones and a Mac's __MACOSX."""
    names = sorted(name for name in os.listdir(folder) if not name.startswith(".") and name != "__MACOSX")
    folders = [name for name in names if os.path.isdir(os.path.join(folder, name))]
    return folders, [name for name in names if name not in set(folders)]


def files_below(folder, below):
    """Paths of all files in folder/below and the folders in there, from `folder` on, sorted."""
    found = []
    for at, folders, files in os.walk(os.path.join(folder, below)):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        at = os.path.relpath(at, folder)
        found += [os.path.normpath(os.path.join(at, name)) for name in files if not name.startswith(".")]
    return sorted(found)


def is_usable(path, problems):
    """Whether a file can be listed as an image; reports it otherwise."""
    if not is_image_name(os.path.basename(path)):
        problems.add("no image", path, "left out")
    elif not is_one_line(path):
        problems.add("unusable name", repr(path), "it holds a tab or a line break; left out")
    else:
        return True
    return False


def parts_of(folder, problems):
    """{part: path of its folder below `folder`}: train, valid and test where there is a folder train with folders in it,
    otherwise all is "train", in `folder` itself."""
    folders, _ = visible(folder)
    if "train" not in folders or not visible(os.path.join(folder, "train"))[0]:
        return {"train": ""}
    parts = {}
    for part, names in PARTS.items():
        there = [name for name in names if name in folders]
        if len(there) > 1:
            raise BadInput(f"{folder}: has {' and '.join(there)}, of which one can be the images to validate on")
        if there:
            parts[part] = there[0]
    for name in folders:
        if name not in parts.values():
            problems.add("folder not used", name, "stands beside train, and is none of "
                         + ", ".join(name for names in PARTS.values() for name in names))
    return parts


def in_order(names):
    """The classes in the order of their numbers: sorted; by value where all names are numbers, so that 10 follows 9."""
    numbers = all(name.isascii() and name.isdigit() for name in names)
    return sorted(names, key=lambda name: (int(name), name) if numbers else name)


def find_by_class(folder, problems):
    """({part: entries}, classes) of a folder with a folder for each class."""
    sets, names = {}, set()
    for part, below in parts_of(folder, problems).items():
        folders, files = visible(os.path.join(folder, below))
        for name in files:
            if is_usable(os.path.join(below, name), problems):
                problems.add("no class", os.path.join(below, name), "lies beside the folders of the classes; left out")
        names.update(folders)
        sets[part] = [(path, name) for name in folders for path in files_below(folder, os.path.join(below, name))
                      if is_usable(path, problems)]
    if not names:
        raise BadInput(f"{folder}: has no folder for each class (of a folder of images alone, --labels tells the classes)")
    return sets, in_order(names)


def find_in_table(folder, table, problems):
    """({"train": entries}, classes) of a folder of images and a table of file and label.

    The table is CSV or TSV. Its first line is a header where its first field names no file. A file may be written
    without its ending.
    """
    rows = read_table(table)
    there = {}  # also by the name without ending
    for path in files_below(folder, ""):
        if os.path.splitext(path)[1].lower() not in (".csv", ".tsv") and is_usable(path, problems):
            there[path] = path
    for path in sorted(there):
        there.setdefault(os.path.splitext(path)[0], path)

    def find(name):
        return there.get(os.path.normpath(name)) if name else None

    file_at, label_at = 0, 1
    if not find(rows[0][1][0]) and len(rows) > 1:
        head = [field.lower() for field in rows[0][1]]
        file_at = next((head.index(name) for name in ("file", "filename", "file_name", "path", "image", "image_id", "id")
                        if name in head), 0)
        label_at = next((head.index(name) for name in ("label", "class", "category", "breed", "species")
                         if name in head), 1)
        rows = rows[1:]
    labels, contradicted = {}, set()
    for number, row in rows:
        where = f"line {number}"
        name, label = (row[at].strip() if at < len(row) else "" for at in (file_at, label_at))
        path = find(name)
        if not name or not label or not is_one_line(label):
            problems.add("bad line", table, f"{where}: no file and label; left out")
        elif not path:
            problems.add("missing image", table, f"{where}: {name}; left out")
        elif path not in labels:
            labels[path] = label
        elif labels[path] != label:
            contradicted.add(path)
            problems.add("two labels", table, f"{where}: {name} is {label!r} here and {labels[path]!r} before; left out")
        else:
            problems.add("listed twice", table, f"{where}: {name}; used once")
    for path in sorted(set(there.values()) - set(labels)):
        problems.add("no label", path, f"is not in {table}; left out")
    entries = [(path, label) for path, label in sorted(labels.items()) if path not in contradicted]
    if not entries:
        raise BadInput(f"{table}: labels no image in {folder}; problems: {problems}")
    return {"train": entries}, in_order(set(labels.values()))


def read_table(path):
    """[(line number, fields)] of a CSV or TSV file, without empty lines."""
    text = read_text(path)
    first = text.split("\n", 1)[0]
    delimiter = "\t" if path.lower().endswith(".tsv") or "\t" in first else ","
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(field.strip() for field in row)]
    except csv.Error as error:
        raise BadInput(f"{path}: line {reader.line_num}: {error}") from None
    if not rows:
        raise BadInput(f"{path}: is empty")
    if not any(len(row) > 1 for _, row in rows):
        raise BadInput(f"{path}: has one column; wanted are file and label, with a comma or a tab between")
    return rows


def check_classes(sets, names, folder, problems):
    """Reports classes that have no images, or none in the training part, and names that differ in case alone. Returns
    the classes that have any, in order."""
    found = {part: {name for _, name in entries} for part, entries in sets.items()}
    good = [name for name in names if any(name in some for some in found.values())]
    if not good:
        raise BadInput(f"{folder}: holds no image; problems: {problems}")
    for name in names:
        if name not in good:
            problems.add("empty class", name, "has no image; left out")
        elif name not in found["train"]:
            problems.add("nothing to train on", name, "this class has no training image")
    by_case = {}
    for name in good:
        by_case.setdefault(name.casefold(), []).append(name)
    for alike in by_case.values():
        if len(alike) > 1:
            problems.add("alike names", alike[0], f"{' and '.join(map(repr, alike))} differ in case alone; they stay "
                         f"{len(alike)} classes")
    return good


# ---- looking into the images ----

def examine(path, hashed):
    """(what is wrong, or None, and the perceptual hash or None) of an image. Decodes all of it."""
    Image = pillow()
    warnings.simplefilter("ignore")  # Pillow's, of what does not matter to pixels
    try:
        with Image.open(path) as image:
            if image.format not in DECODED:
                return f"Darknet does not decode {image.format}", None
            if not hashed:
                image.load()
                return None, None
            import near_duplicates
            side = near_duplicates.SIDE
            image.draft("L", (side, side))  # lets the JPEG decoder shrink, which is faster
            grey = image.convert("L").resize((side, side), Image.BOX)
            return None, near_duplicates.perceptual_hash(grey)
    except Exception as error:  # Pillow raises many kinds
        return one_line(error), None


def examine_task(task):
    return examine(*task)


def without_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, and ends these


def readable(folder, sets, problems, hashed=False):
    """Takes unreadable images out of the sets {part: entries}, in place, with reports. Returns {path: hash}, of those
    that have one."""
    pillow()
    if hashed:
        try:
            import near_duplicates  # noqa: F401
        except ImportError:
            raise BadInput("needs NumPy: apt-get install python3-numpy (or --no-duplicates-check)") from None
    paths = [path for entries in sets.values() for path, _ in entries]
    progress, bad, hashes = Progress(len(paths), "read images:"), set(), {}
    tasks = [(os.path.join(folder, path), hashed) for path in paths]
    workers = min(os.cpu_count() or 1, 16, len(paths) // 200)
    with multiprocessing.Pool(workers, without_interrupts) if workers > 1 else contextlib.nullcontext() as pool:
        results = pool.imap(examine_task, tasks, 64) if pool else map(examine_task, tasks)
        for done, (path, (reason, value)) in enumerate(zip(paths, results), 1):
            if reason:
                problems.add("unreadable image", path, f"{reason}; left out")
                bad.add(path)
            elif value is not None:
                hashes[path] = value
            progress.at(done)
    progress.end()
    for entries in sets.values():
        entries[:] = [entry for entry in entries if entry[0] not in bad]
    return hashes


def near_duplicates_of(train, others, hashes, problems):
    """Reports images of `others` (entries) that look as an image of `train` does. Returns [(path, class, training path,
    its class, distance)]."""
    import near_duplicates
    train = [(path, name) for path, name in train if path in hashes]
    others = [(path, name) for path, name in others if path in hashes]
    found = []
    results = near_duplicates.nearest([hashes[path] for path, _ in train], [hashes[path] for path, _ in others])
    for (path, name), index, distance in zip(others, *results):
        if index >= 0:
            twin, twins_class = train[index]
            found.append((path, name, twin, twins_class, int(distance)))
            differ = f", but {name} here and {twins_class} there" if name != twins_class else ""
            problems.add("near-duplicate", path, f"looks like {twin}, which is trained on{differ} "
                         f"({distance} of 64 bits differ)")
    return found


# ---- from what was found to what is written ----

def add_set_options(parser, default_share):
    """Those that images-to-darknet and get-images share. default_share: says what --val is without the option."""
    parser.add_argument("--val", type=share, metavar="SHARE", help="share of the training images of each class to validate "
                        f"on (default {default_share})")
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=1, metavar="K",
                        help="which ones --val takes (default 1)")
    parser.add_argument("--no-duplicates-check", dest="duplicates_check", action="store_false",
                        help="do not look for near-duplicates")
    parser.add_argument("--drop-duplicates", action="store_true",
                        help="leave near-duplicates of training images out of valid.list and test.list")
    parser.add_argument("--strict", action="store_true", help="any problem is an error, and nothing is written")


def check_set_options(args):
    if args.drop_duplicates and not args.duplicates_check:
        raise BadInput("--drop-duplicates and --no-duplicates-check do not go together")


def settle(args, source, sets, names, folder, problems):
    """Decides by the options what of the sets {part: entries} is written, and changes them: unreadable images go, --val is
    taken, near-duplicates are looked for, and a test part without a validation part validates. Returns (the classes that
    have images, the near-duplicates)."""
    if args.val and "valid" in sets:
        raise BadInput(f"--val {args.val:g}: {source} has a folder of images to validate on")
    hashes = readable(folder, sets, problems, hashed=args.duplicates_check)
    names = check_classes(sets, names, source, problems)
    if not sets["train"]:
        raise BadInput(f"{source}: has no image to train on; problems: {problems}")

    part = .2 if args.val is None and len(sets) == 1 else args.val
    if part:
        sets["train"], sets["valid"] = take_share(sets["train"], names, args.seed, part)
        if not sets["valid"]:
            raise BadInput(f"--val {part:g}: every class has one image, and none is left to validate on; --val 0 takes none")
    for name, entries in sets.items():
        if not entries:
            raise BadInput(f"{source}: has no {name} image; problems: {problems}")
    if "valid" not in sets and "test" in sets:
        sets["valid"] = sets.pop("test")

    twins = []
    for name in ("valid", "test") if args.duplicates_check else ():
        found = near_duplicates_of(sets["train"], sets.get(name, []), hashes, problems)
        twins += found
        dropped = {path for path, *_ in found} if args.drop_duplicates else ()
        if dropped:
            sets[name] = [entry for entry in sets[name] if entry[0] not in dropped]
            if not sets[name]:
                raise BadInput(f"--drop-duplicates: no {name} image is left")
    if args.strict and len(problems):
        raise BadInput(f"{source}: --strict, nothing written; problems: {problems}")
    return names, twins


def take_share(entries, classes, seed, part):
    """Splits entries: returns (those that stay, those that are taken), by class and path."""
    stay, taken, by_class = [], [], {name: [] for name in classes}
    for path, name in sorted(entries):
        by_class[name].append(path)
    for name, paths in by_class.items():
        chosen = split(paths, share_of(len(paths), part), seed)
        stay += [(path, name) for path in paths if path not in chosen]
        taken += [(path, name) for path in paths if path in chosen]
    return stay, taken


def list_lines(folder, entries, with_label):
    prefix = os.path.normpath(folder)
    return [os.path.normpath(os.path.join(prefix, path)) + (f"\t{name}" if with_label else "") for path, name in entries]


def write_set(out, name, shown, sets, labels, titles, twins, problems):
    """Writes lists, labels.txt, NAME.names (the titles of the labels), duplicates.tsv and NAME.data into `out`, makes the
    folder backup, and prints what that came to. shown: the path of the set's folder that lists begin with."""
    prefix = data_prefix(out)
    in_folders = all(os.path.basename(os.path.dirname(path)) == label for entries in sets.values() for path, label in entries)
    for part in ("train", "valid", "test"):
        path = os.path.join(out, part + ".list")
        if part in sets:
            write_lines(path, list_lines(shown, sets[part], not in_folders))
        elif os.path.lexists(path):
            os.unlink(path)  # of an earlier run
    write_duplicates(os.path.join(out, "duplicates.tsv"), shown, twins)
    write_lines(os.path.join(out, "labels.txt"), labels)
    write_lines(os.path.join(out, name + ".names"), titles)
    os.makedirs(os.path.join(out, "backup"), exist_ok=True)

    files = [(part, part + ".list") for part in ("train", "valid", "test") if part in sets]
    if "valid" in sets and "test" not in sets:
        files.append(("test", "valid.list"))  # what `darknet classifier test` reads
    files += [("labels", "labels.txt"), ("names", name + ".names"), ("backup", "backup")]
    write_whole(os.path.join(out, name + ".data"), data_text(
        len(labels), prefix, files, top=min(5, max(1, len(labels) // 2)), truth="folder" if in_folders else "list"))
    counts = ", ".join(f"{len(sets[part])} {part}" for part in ("train", "valid", "test") if part in sets)
    print(f"{PROGRAM}: {counts} images of {len(labels)} classes: {prefix}/{name}.data; problems: {problems}")


def write_duplicates(path, shown, twins):
    if twins:
        say(f"near-duplicates: {path} has all {len(twins)}")
        write_lines(path, ["image\tclass\ttraining image\tits class\tdiffering bits"] + [
            "\t".join((os.path.join(shown, image), label, os.path.join(shown, twin), twins_label, str(bits)))
            for image, label, twin, twins_label, bits in twins])
    elif os.path.lexists(path):
        os.unlink(path)  # of an earlier run
