"""Shared by the Python scripts: one-line errors, arguments, progress, atomic writing of files, and .data files.

Relative paths in .data files and lists are relative to the folder in which Darknet is started; that is Darknet's own
rule. The scripts write paths that begin with OUT as it was given: after `get-voc data/voc`, Darknet has to be started
in the same folder; after `get-voc /sets/voc`, it can be started anywhere.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import time

PROGRAM = os.path.basename(sys.argv[0])


# ---- the program: arguments, errors, messages ----

class BadInput(Exception):
    """An error that the user can correct; its text is the line to print."""


class Parser(argparse.ArgumentParser):
    """Prints one line for bad arguments and exits with status 1, as for all bad input."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message):
        sys.exit(f"{PROGRAM}: {message} (--help shows how)")


def whole_number(low, high):
    """An argparse type: an integer from low to high."""
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return value
    return parse


def share(text):
    """An argparse type: a part of a whole, from 0 to below 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to below 1")
    return value


def run(main):
    """Runs main. For bad input and file errors, prints one line and exits with status 1."""
    try:
        main()
    except BadInput as error:
        Progress.end()
        sys.exit(f"{PROGRAM}: {error}")
    except OSError as error:
        Progress.end()
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"{PROGRAM}: {where}{error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)


def say(text):
    Progress.end()
    print(f"{PROGRAM}: {text}", file=sys.stderr)


def one_line(error):
    return " ".join(str(error).split())


def pillow():
    try:
        from PIL import Image
    except ImportError:
        raise BadInput("needs Pillow: apt-get install python3-pil") from None
    return Image


class Problems:
    """Prints problems to stderr as they are found, and counts them by kind. `shown` stands before files of the set. Of a
    kind, the first `most` are printed; None: all."""

    def __init__(self, shown="", most=None):
        self.kinds, self.shown, self.most = {}, shown, most

    def add(self, kind, file, detail):
        count = self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if self.most is None or count <= self.most:
            say(f"{os.path.join(self.shown, file)}: {kind}: {detail}")
        elif count == self.most + 1:
            say(f"{kind}: that was the {self.most}th; from here on they are only counted")

    def __len__(self):
        return sum(self.kinds.values())

    def __str__(self):
        return ", ".join(f"{n} x {kind}" for kind, n in self.kinds.items()) or "none"


# ---- files ----

# The formats that Darknet without OpenCV decodes (stb_image) and Pillow can check, by Pillow's names. MPO is a JPEG file
# with more pictures behind the first one. Of stb_image's formats Pillow lacks HDR and PIC.
DECODED = ("JPEG", "MPO", "PNG", "BMP", "GIF", "TGA", "PSD", "PPM")
IMAGE_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tga", ".psd", ".ppm", ".pgm", ".pnm")


def is_image_name(name):
    """Whether a file's name ends as that of an image does, in whatever case; hidden files are none."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_ENDINGS


def is_one_line(path):
    """Whether a path can stand in a list: one a line, and a tab may follow it."""
    return not any(c in path for c in "\n\r\t\0")


def read_text(path):
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None


def write_whole(path, content):
    """Writes text or bytes to a file, which is replaced only once it is complete. Makes its folder if needed."""
    folder, name = os.path.split(path)
    os.makedirs(folder or ".", exist_ok=True)
    part = os.path.join(folder, f".{name}.part{os.getpid()}")
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogateescape")
    try:
        with open(part, "wb") as file:
            file.write(content)
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise


def write_lines(path, lines):
    """Writes a list of images, names or labels, one per line."""
    write_whole(path, "".join(line + "\n" for line in lines))


@contextlib.contextmanager
def only_one_in(folder):
    """Raises BadInput if this script is at work in the folder already. The lock ends with the process, however that
    ends."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"{folder}: another {PROGRAM} is at work there") from None
        yield
    finally:
        os.close(lock)


# ---- splits ----

def split(paths, count, seed):
    """Which `count` of the paths validate: those whose SHA-256 together with the seed is lowest. Returns a set.

    The paths are those below the set's folder, so that the choice is the same wherever the set lies. It depends on the
    paths alone: an image that is added or removed makes at most one other change sides.
    """
    def key(path):
        return hashlib.sha256(f"{seed} {path}".encode("utf-8", "surrogateescape")).digest(), path
    return set(sorted(paths, key=key)[:count])


def share_of(count, part):
    """How many of `count` images a share is: rounded, but at least one on either side where there are two."""
    return min(max(round(count * part), 1), count - 1) if part and count else 0


# ---- .data files ----

def as_given(folder):
    """The folder as written to lists and .data files: relative if it was given as a relative path."""
    return os.path.normpath(folder)


def data_prefix(out):
    """The same. Raises BadInput if Darknet could not read the path from a .data file."""
    prefix = as_given(out)
    if any(c.isspace() for c in prefix):
        raise BadInput(f"{prefix}: Darknet removes white space from .data files: choose a path without")
    return prefix


def set_name(name, out):
    """The name of OUT/NAME.data and OUT/NAME.names: the one that was given, or the folder's own."""
    name = name or os.path.basename(os.path.abspath(out)) or "set"
    if "/" in name or any(c.isspace() for c in name):
        raise BadInput(f"--name {name}: must be a file name without white space")
    return name


def data_text(classes, prefix, files, **settings):
    """The text of a .data file. files: [(key, name of a file or folder below prefix)]; settings: other keys."""
    values = [("classes", classes)] + [(key, f"{prefix}/{name}") for key, name in files] + list(settings.items())
    return "".join(f"{key} = {value}\n" for key, value in values)


def check_labels_in_path(prefix, labels):
    """Raises BadInput if a label occurs in the folder's path, as Darknet searches the whole path of an image for it."""
    for label in labels:
        if label in prefix + "/":
            raise BadInput(f"{prefix}: Darknet finds an image's class by searching its path for {label!r}, which this "
                           "folder's own path holds: choose another folder, or give it relative to the current one")


# ---- progress ----

class Progress:
    """Shows on stderr how much is done and the time left, for work that takes more than a few seconds: on a terminal
    one line that is overwritten, otherwise one line per 10 %. `begun`: how much an earlier run had done. `detail`: what
    stands behind, and is cut off where the terminal is narrow."""

    line_open = False  # whether a line is unfinished; it has to be ended before anything else is printed

    def __init__(self, total, what, begun=0):
        self.total, self.what, self.begun = max(total, 1), what, begun
        self.start = self.last = time.monotonic()
        self.tenth = 10 * begun // self.total

    def at(self, done, detail=""):
        now, tenth = time.monotonic(), 10 * done // self.total
        tty = sys.stderr.isatty()
        if now - self.start < (2 if tty else 10) or (now - self.last < .5 if tty else tenth <= self.tenth):
            return
        self.last, self.tenth, Progress.line_open = now, tenth, tty
        left = (now - self.start) * (self.total - done) / max(done - self.begun, 1)
        left = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
        line = f"{PROGRAM}: {self.what} {100 * done // self.total} %, {left} left{detail}"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:<{width}}" if tty else line, end="" if tty else "\n", file=sys.stderr, flush=True)

    @staticmethod
    def end():
        if Progress.line_open:
            print(file=sys.stderr)
        Progress.line_open = False
