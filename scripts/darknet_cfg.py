"""Reads and changes Darknet's .cfg files; lines that are not set stay as they are."""

from darknet_data import read_text

HEADS = ("yolo", "region", "detection")

# The words of smoothing= in the order of src/ols, each in a phrase; tests/networks.t compares them.
SMOOTHINGS = {"hard": "hard labels", "ls": "label smoothing", "ols": "online label smoothing"}


class Section:
    """A section of a cfg: its name and its lines, unchanged except for keys that are set."""

    def __init__(self, name):
        self.name, self.lines = name, []

    def position(self, key):
        for i, line in enumerate(self.lines):
            if line.split("#")[0].partition("=")[0].strip() == key and "=" in line:
                return i
        return None

    def get(self, key, missing):
        i = self.position(key)
        return missing if i is None else self.lines[i].split("#")[0].partition("=")[2].strip()

    def set(self, key, value):
        i = self.position(key)
        if i is not None:
            self.lines[i] = f"{key}={value}"
            return
        end = len(self.lines)
        while end > 1 and not self.lines[end - 1].strip():
            end -= 1
        self.lines.insert(end, f"{key}={value}")

    def remove(self, key):
        while self.position(key) is not None:
            del self.lines[self.position(key)]

    def rename(self, name):
        self.lines[0], self.name = f"[{name}]", name


def read(path):
    """The sections of a cfg; the first one, without a name, is what stands before the others."""
    sections = [Section("")]
    for line in read_text(path).splitlines():
        if line.strip().startswith("["):
            sections.append(Section(line.strip().strip("[]").strip()))
        sections[-1].lines.append(line)
    return sections


def text(sections):
    return "\n".join(line for section in sections for line in section.lines) + "\n"
