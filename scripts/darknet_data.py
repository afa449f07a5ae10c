"""What the Python scripts share: errors in one line, arguments, progress, files that are whole or not there, and how a
.data file is written.

Paths in .data files and lists are relative to the folder in which Darknet is started, that is Darknet's own rule. The
scripts write them as OUT was given: `get-voc data/voc` writes data/voc/train.list, for those who start Darknet in the
same folder, and `get-voc /sets/voc` writes paths that are right from everywhere.
"""

import argparse
import os
import sys
import time

PROGRAM = os.path.basename(sys.argv[0])


# ---- the program: arguments, errors, messages ----

class BadInput(Exception):
    """Something the user can put right; its text is the one line to print."""


class Parser(argparse.ArgumentParser):
    """Bad arguments are one line and status 1, like all bad input."""

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


def run(main):
    """Runs main and exits; what the user can put right ends in one line and status 1."""
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


# ---- files ----

def read_text(path):
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None


def write_whole(path, content):
    """Writes text or bytes to a file that is either whole or not there; makes its folder."""
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
    """A list of images, names or labels: one a line."""
    write_whole(path, "".join(line + "\n" for line in lines))


# ---- .data files ----

def as_given(folder):
    """The folder as it goes into lists and .data files: relative where it was given relative to the current folder."""
    return os.path.normpath(folder)


def data_prefix(out):
    """The same, refused where Darknet could not read it back from a .data file."""
    prefix = as_given(out)
    if any(c.isspace() for c in prefix):
        raise BadInput(f"{prefix}: Darknet removes white space from .data files: choose a path without")
    return prefix


def data_text(classes, prefix, files, **settings):
    """A .data file. files: [(key, name of a file or folder below prefix)]; settings: other keys."""
    values = [("classes", classes)] + [(key, f"{prefix}/{name}") for key, name in files] + list(settings.items())
    return "".join(f"{key} = {value}\n" for key, value in values)


def check_labels_in_path(prefix, labels):
    """Raises BadInput where a label occurs in the folder's path: Darknet finds the class by strstr on the whole path."""
    for label in labels:
        if label in prefix + "/":
            raise BadInput(f"{prefix}: Darknet finds an image's class by searching its path for {label!r}, which this "
                           "folder's own path holds: choose another folder, or give it relative to the current one")


# ---- progress ----

class Progress:
    """Shows on stderr how much is done and the time left, for work that takes more than a few seconds: one line that is
    rewritten on a terminal, a line for every tenth elsewhere. `begun`: how much an earlier run had done."""

    line_open = False  # of any of them; nothing else may be printed into it

    def __init__(self, total, what, begun=0):
        self.total, self.what, self.begun = max(total, 1), what, begun
        self.start = self.last = time.monotonic()
        self.tenth = 10 * begun // self.total

    def at(self, done):
        now, tenth = time.monotonic(), 10 * done // self.total
        tty = sys.stderr.isatty()
        if now - self.start < (2 if tty else 10) or (now - self.last < .5 if tty else tenth <= self.tenth):
            return
        self.last, self.tenth, Progress.line_open = now, tenth, tty
        left = (now - self.start) * (self.total - done) / max(done - self.begun, 1)
        left = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
        line = f"{PROGRAM}: {self.what} {100 * done // self.total} %, {left} left"
        print(f"\r{line}   " if tty else line, end="" if tty else "\n", file=sys.stderr, flush=True)

    @staticmethod
    def end():
        if Progress.line_open:
            print(file=sys.stderr)
        Progress.line_open = False
