"""The soft labels that a run of scripts/compare-labels had while it trained, for the strip in the report.

The weights that a training saves on its way are removed while it goes on. Before that, the soft labels at their end are
copied to files of their own, which are small, and which `darknet ols plot` reads as it reads weights:
    soft-labels/<run>_<n>.weights         after n updates of the soft labels: epochs, unless period= is set
"""

import os
import re

from darknet_data import write_whole

MOST_KEPT = 24  # files of a run
MOST_SHOWN = 12  # of these in a strip, as src/commands/soft_label_plot.c has it
MAGIC, HEADER, FOOTER, END = b"OLSstate", 48, 16, b"OLS\n"  # of a block behind weights: src/ols/ols.h
TRAILER_MAGIC, SHORTEST = b"OLSwhole", 48  # of the trailer behind the blocks: src/train/trailer.h


def _blocks(file):
    """Where the soft-label blocks of an open weights file begin and end; twice the same, where there are none. The trailer behind them is
    the whole file's, and no part of them: each block has a checksum of its own."""
    begin = end = file.seek(0, os.SEEK_END)
    while begin >= SHORTEST:
        file.seek(begin - FOOTER)
        footer = file.read(FOOTER)
        length = int.from_bytes(footer[:8], "little")
        if footer[12:] != END or not SHORTEST <= length <= begin:
            break
        begin -= length
        file.seek(begin)
        if file.read(8) == TRAILER_MAGIC:
            end = begin
    return begin, end


def _updates(file, begin):
    file.seek(begin)
    header = file.read(HEADER)
    return int.from_bytes(header[32:40], "little") if header[:8] == MAGIC else 0


def updates_of(path):
    """How often the soft labels of a weights file have been updated; 0 also where it has none."""
    with open(path, "rb") as file:
        return _updates(file, _blocks(file)[0])


def holds_momentum(path):
    """Whether a weights file holds the optimiser's state: src/train/trailer.h."""
    with open(path, "rb") as file:
        file.seek(_blocks(file)[1])
        header = file.read(16)
    return header[:8] == TRAILER_MAGIC and int.from_bytes(header[12:16], "little") > 0


def spread(numbers):
    """At most MOST_KEPT of the numbers, half of that or more: the first one in each of equal steps from 0. Steps only grow by doubling, so that a
    number that was left out once is not missed later."""
    step = 1
    while max(numbers) // step >= MOST_KEPT:
        step *= 2
    return set({number // step: number for number in sorted(numbers, reverse=True)}.values())


def evenly(numbers):
    """Of the numbers those that a strip shows: evenly spaced ones, with the first and the last."""
    last = len(numbers) - 1
    return numbers if last < MOST_SHOWN else [numbers[round(i * last / (MOST_SHOWN - 1))] for i in range(MOST_SHOWN)]


class SoftLabels:
    """The files of one run."""

    def __init__(self, folder, name):
        self.folder, self.name = os.path.join(folder, "soft-labels"), name

    def files(self):
        """{updates: path}"""
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        matches = [re.fullmatch(re.escape(self.name) + r"_(\d+)\.weights", name) for name in names]
        return {int(match[1]): os.path.join(self.folder, match[0]) for match in matches if match}

    def take(self, checkpoint):
        """Copies the soft labels of a checkpoint, if they are new and among those to keep."""
        files = self.files()
        with open(checkpoint, "rb") as file:
            begin, end = _blocks(file)
            updates = _updates(file, begin)
            if not updates or updates in files or updates not in spread([*files, updates]):
                return
            file.seek(begin)
            write_whole(os.path.join(self.folder, f"{self.name}_{updates}.weights"), file.read(end - begin))
        self._remove(set(files) - spread([*files, updates]))

    def remove(self):
        self._remove(self.files())

    def _remove(self, numbers):
        files = self.files()
        for number in numbers:
            os.unlink(files[number])
