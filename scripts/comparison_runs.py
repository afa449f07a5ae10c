"""The trainings and evaluations of scripts/compare-labels: which there are, what is finished, and doing the rest.

In the comparison's folder, with <run> = <method>-<seed>:
  data.data             the user's .data file with backup=<folder>/backup
  <run>.cfg, <run>.log  the network, and everything that darknet said in its training and evaluations
  <run>.json            the evaluation; <run>-<name>.json the further ones
  backup/               weights
  soft-labels/          those of the first seed of an OLS method, while it trained: comparison_soft_labels.py
  comparison.json       what each run was trained with, by which later calls know that it is still the same
"""

import collections
import contextlib
import ctypes
import datetime
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import time

import darknet_cfg
from comparison_soft_labels import SoftLabels, holds_momentum
from darknet_data import BadInput, Progress, read_text, say, write_whole

# The keys of src/ols/options.c; tests/compare-labels.t compares them.
KEYS = ("alpha", "soft_weight", "epsilon", "period", "start", "init", "empty", "normalise", "soft_temperature", "decay",
        "freeze")
HEAD_KEYS = {"class_gain": ("yolo",), "class_loss": ("yolo",), "iou_thresh": ("yolo",), "class_scale": ("region", "detection")}

# "12, 0.05: 3.4, 5.6 avg, ..., 96 images, epoch 0.05 of 20.00, ..." of a classifier; a detector has no second number.
ITERATION = re.compile(r"^(\d+)(?:, [\d.]+)?: ([^,\s]+), [^,\s]+ avg, .* images, epoch ([\d.]+)", re.MULTILINE)
MOST_CHECKPOINTS = 100  # of a classifier's training, one an epoch where there are no more epochs than that


# ---- methods and seeds ----

class Method:
    """`ls:epsilon=.2`: labels, and further keys of the section. `file` is its name in files' names, where .2 is 0_2:
    earlier versions cut those at the first dot."""

    def __init__(self, text):
        self.name = text
        self.smoothing, *pairs = text.split(":")
        self.keys = {}
        if self.smoothing not in (*darknet_cfg.SMOOTHINGS, "none"):
            raise BadInput(f"--methods {text}: must begin with one of {', '.join(darknet_cfg.SMOOTHINGS)}, none")
        for pair in pairs:
            key, _, value = pair.partition("=")
            if key not in (*KEYS, *HEAD_KEYS) or not re.fullmatch(r"[A-Za-z0-9.]+", value):
                raise BadInput(f"--methods {text}: {pair or 'nothing'} is no key=value: the keys are "
                               f"{', '.join((*KEYS, *HEAD_KEYS))}")
            self.keys[key] = value
        if self.smoothing == "none" and pairs:
            raise BadInput(f"--methods {text}: none is the section without keys")
        self.file = "-".join([self.smoothing] + [key + re.sub(r"^\.", "0.", value).replace(".", "_")
                                                 for key, value in self.keys.items()])


def parse_methods(text):
    methods = [Method(name) for name in text.split(",")]
    for i, method in enumerate(methods):
        if method.file in [other.file for other in methods[:i]]:
            raise BadInput(f"--methods {text}: {method.name} is there twice")
    return methods


def parse_seeds(text):
    seeds = text.split(",")
    if not all(re.fullmatch(r"\d{1,9}", seed) for seed in seeds) or len({int(seed) for seed in seeds}) < len(seeds):
        raise BadInput(f"--seeds {text}: must be different whole numbers with commas between them")
    return [int(seed) for seed in seeds]


class Evaluation:
    """Options of `classifier metrics` or `detector map`, and the name by which files and tables tell its result."""

    REFUSED = ((("-json", "-plot", "-curves"), " is set by this script"),
               (("-compare",), ": this script compares all runs"),
               (("-sheet", "-confusion", "-thresholds", "-probabilities", "-features", "-voc_out", "-coco_out"),
                ": every run would write the same file"))

    def __init__(self, text):
        name, equals, options = text.partition("=")
        if not equals or name.startswith("-"):
            name, options = "", text
        try:
            self.options = shlex.split(options)
        except ValueError as error:
            raise BadInput(f"--metrics {text}: {error}") from None
        self.name = name or " ".join(self.options).lstrip("-")
        self.file = re.sub(r"[^A-Za-z0-9_]+", "-", self.name).strip("-")
        if not self.options or not self.options[0].startswith("-") or not self.file:
            raise BadInput(f"--metrics {text}: must be options of darknet, or NAME=OPTIONS")
        for refused, why in self.REFUSED:
            for option in refused:
                if option in self.options:
                    raise BadInput(f"--metrics {text}: {option}{why}")


# ---- the .data file and the cfg ----

def read_data(path):
    """The keys of a .data file, as Darknet reads it: without spaces and tabs, and the first line of a key counts."""
    values = {}
    for line in read_text(path).splitlines():
        key, equals, value = re.sub(r"[ \t\r]", "", line).partition("=")
        if equals and value and key[:1] not in ("#", ";"):
            values.setdefault(key, value)
    return values


def read_json(path):
    """What a JSON file holds. They are written whole, so that a damaged one was damaged by others."""
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise BadInput(f"{path}: damaged ({error}): remove it, and run the same again") from None


def count_lines(path):
    return sum(bool(line.strip()) for line in read_text(path).splitlines())


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


class Setting:
    """What is compared: the data, the network, and how they are trained."""

    LISTS = ("train", "valid", "names", "labels", "noise_file")  # keys that name files, which count by what they hold

    def __init__(self, data_file, cfg_file, weights):
        self.data_file, self.cfg_file, self.weights = data_file, cfg_file, weights
        self.data = read_data(data_file)
        for key in ("train", "valid"):
            if key not in self.data:
                raise BadInput(f"{data_file}: there is no {key}=: a comparison needs images to train on and others to "
                               "evaluate on")
        for key in self.LISTS:
            if key in self.data and not os.path.isfile(self.data[key]):
                raise BadInput(f"{data_file}: {key}={self.data[key]} is not there (relative paths are relative to the "
                               "folder where you are)")
        if weights and not os.path.isfile(weights):
            raise BadInput(f"--weights {weights}: no such file")
        self.sections = darknet_cfg.read(cfg_file)
        self.kind = self._kind()
        self.max_batches = self._number("max_batches")
        self.batch = self._number("batch")
        self.train_images, self.valid_images = count_lines(self.data["train"]), count_lines(self.data["valid"])
        if not self.train_images or not self.valid_images:
            raise BadInput(f"{data_file}: the list {'valid' if self.train_images else 'train'}= is empty")
        self.epochs = self.max_batches * self.batch / self.train_images
        self.fingerprint = self._fingerprint()
        self.has_noise = self.kind == "classifier" and ("noise_file" in self.data or
                                                        self.data.get("noise", "0").strip("0.") != "")

    def _kind(self):
        names = [section.name for section in self.sections]
        if any(name in darknet_cfg.HEADS for name in names):
            return "detector"
        if names[-1] in ("ols", "softmax"):
            return "classifier"
        raise BadInput(f"{self.cfg_file}: a classifier ends in [ols] or [softmax], and a detector has [yolo], [region] "
                       f"or [detection]; this cfg ends in [{names[-1]}]")

    def _number(self, key):
        net = self.sections[1] if len(self.sections) > 1 else darknet_cfg.Section("")
        value = net.get(key, "")
        if net.name not in ("net", "network") or not re.fullmatch(r"[1-9]\d*", value):
            raise BadInput(f"{self.cfg_file}: [net] needs {key}=, a whole number from 1, but has {value or 'none'}")
        return int(value)

    def cfg_of(self, method):
        """The text of the network's cfg with a method's labels."""
        if method.smoothing == "none" and self.kind == "classifier":
            raise BadInput("--methods none is for detectors: without [ols], a classifier is trained as with hard")
        sections = darknet_cfg.read(self.cfg_file)
        for section in sections[-1:] if self.kind == "classifier" else sections:
            if self.kind == "classifier":
                section.rename("ols")
            elif section.name not in darknet_cfg.HEADS:
                continue
            for key in method.keys:
                heads = HEAD_KEYS.get(key, (section.name,))
                if section.name not in heads:
                    raise BadInput(f"--methods {method.name}: {key} is a key of {' and '.join(f'[{name}]' for name in heads)}, "
                                   f"and {self.cfg_file} ends in [{section.name}]")
            if method.smoothing == "none":
                for key in ("smoothing",) + KEYS:
                    section.remove(key)
                continue
            section.set("smoothing", method.smoothing)
            for key, value in method.keys.items():
                section.set(key, value)
        return f"# {self.cfg_file} with the labels {method.name}, by scripts/compare-labels\n" + darknet_cfg.text(sections)

    def _fingerprint(self):
        """What a run depends on beside its cfg and seed, by the words of a message, as behind "another"."""
        keys = sorted((k, v) for k, v in self.data.items() if k not in self.LISTS + ("backup", "test"))
        parts = {".data file": hashlib.sha256(repr(keys).encode()).hexdigest()[:16]}
        for key in self.LISTS:
            parts[f"file of {key}="] = digest(self.data[key]) if key in self.data else None
        parts["--weights"] = digest(self.weights) if self.weights else None
        return parts

    def data_text(self, backup):
        lines = [f"{key} = {value}" for key, value in self.data.items() if key != "backup"]
        return f"# {self.data_file} for scripts/compare-labels\n" + "\n".join(lines) + f"\nbackup = {backup}\n"


# ---- runs ----

def seen_images(path):
    """How many images a weights file has seen; -1 where it is none. Darknet's header: three int32, then a uint64."""
    try:
        with open(path, "rb") as file:
            return struct.unpack("<3iQ", file.read(20))[3]
    except (OSError, struct.error):
        return -1


class Run:
    """The training of one method with one seed, and its files."""

    def __init__(self, folder, kind, method, seed):
        self.method, self.seed, self.kind = method, seed, kind
        self.name = f"{method.file}-{seed}"
        self.base = os.path.join(folder, self.name)
        self.cfg, self.log = self.base + ".cfg", self.base + ".log"
        self.backup = os.path.join(folder, "backup")
        self.soft_labels = SoftLabels(folder, self.name)
        self.weights = os.path.join(self.backup, self.name + ("_final.weights" if kind == "detector" else ".weights"))

    def result(self, evaluation=None):
        """The JSON file of the evaluation, or of a further one, by the name that it has in files."""
        return self.base + (f"-{evaluation}" if evaluation else "") + ".json"

    def is_trained(self):
        return os.path.exists(self.weights)

    def _own(self, pattern):
        """(match, path) of the run's files in backup/ whose names continue with the pattern."""
        names = os.listdir(self.backup) if os.path.isdir(self.backup) else []
        for name in sorted(names):
            match = re.fullmatch(re.escape(self.name) + pattern, name)
            if match:
                yield match, os.path.join(self.backup, name)

    def numbered(self):
        """The numbered weights, in order."""
        return [path for _, path in sorted((int(match[1]), path) for match, path in self._own(r"_(\d+)\.weights"))]

    def checkpoints(self):
        """All weights that a training has left to go on from; first those that hold the optimiser's state."""
        return [path for _, path in self._own(r"(\.backup|_last\.weights)")] + self.numbered()

    def checkpoint(self):
        """The newest of them, or None."""
        return max(self.checkpoints(), key=seen_images, default=None)

    def drop_checkpoints(self, keep=0, keep_soft_labels=False):
        """Removes what a training has left to go on from; keep: of the numbered weights, how many stay, the newest;
        keep_soft_labels: their soft labels are copied first."""
        # Looked up once: what a training saves while this copies is neither copied nor removed.
        numbered, checkpoints = self.numbered(), self.checkpoints() if keep_soft_labels else []
        for path in checkpoints:
            with contextlib.suppress(FileNotFoundError):  # a training renames a backup that it takes back
                self.soft_labels.take(path)
        for path in numbered[:len(numbered) - keep]:
            os.unlink(path)
        if not keep:
            for _, path in self._own(r"(\.backup|_last\.weights|.*\.before)"):
                os.unlink(path)

    def remove(self):
        """Removes all files of the run."""
        for _, path in self._own(r"[_.].*"):
            os.unlink(path)
        self.soft_labels.remove()
        folder, name = os.path.split(self.base)
        for other in os.listdir(folder or "."):
            if re.fullmatch(re.escape(name) + r"(-[\w-]+)?\.(cfg|log|json|png)", other):
                os.unlink(os.path.join(folder, other))

    def losses(self):
        """{iteration: (loss, epoch)}; of an iteration that was repeated, the later one."""
        if not os.path.exists(self.log):
            return {}
        return {int(i): (float(loss), float(epoch)) for i, loss, epoch in ITERATION.findall(read_text(self.log))}

    def reached(self):
        """(iteration, its loss as text) that the training has reached, from the end of its log; (0, "") before the first
        one."""
        try:
            with open(self.log, "rb") as file:
                file.seek(max(os.path.getsize(self.log) - 4000, 0))
                found = ITERATION.findall(file.read().decode(errors="replace"))
        except OSError:
            found = []
        return (int(found[-1][0]), found[-1][1]) if found else (0, "")


class Comparison:
    """All runs of a call, and what comparison.json says of them."""

    def __init__(self, folder, setting, methods, seeds, further, human):
        self.folder, self.setting, self.methods, self.seeds = folder, setting, methods, seeds
        self.further, self.human = list(further), human
        self.data_file = os.path.join(folder, "data.data")
        self.state_file = os.path.join(folder, "comparison.json")
        # Seed by seed, so that what is there after an interruption can be compared.
        self.runs = [Run(folder, setting.kind, method, seed) for seed in seeds for method in methods]
        self.state = read_json(self.state_file) if os.path.exists(self.state_file) else {"runs": {}}

    def of(self, run):
        """What is known of a run; empty before it was begun."""
        return self.state["runs"].get(run.name, {})

    def save(self):
        write_whole(self.state_file, json.dumps(self.state, indent=1) + "\n")

    def evaluations(self, run):
        """[(name in files or None, options)] of a run's evaluations."""
        kind, data = self.setting.kind, self.setting.data
        base = ["-top", data["top"]] if kind == "classifier" and "top" in data else []
        result = [(None, base + (["-human", self.human] if self.human else []))]
        if self.setting.has_noise:
            result.append(("train", base + ["-list", "train"]))
        return result + [(further.file, ([] if "-top" in further.options else base) + further.options)
                         for further in self.further]

    def missing(self, run):
        """Those of the evaluations that are not there as they are wanted."""
        known = self.of(run).get("evaluations", {})
        return [(name, options) for name, options in self.evaluations(run)
                if not os.path.exists(run.result(name)) or known.get(name or "") != options]

    def drop_checkpoints(self, run, keep=0):
        """Run.drop_checkpoints; of a run that the report has a strip of, the soft labels stay."""
        run.drop_checkpoints(keep, run.method.smoothing == "ols" and run.seed == self.seeds[0])

    def is_finished(self, run):
        return not self.outdated(run) and os.path.exists(run.cfg) and not self.missing(run)

    def outdated(self, run):
        """In words, why files of a run cannot be used: what has changed since it began. Empty where they can."""
        known = self.of(run)
        if not known:
            there = os.path.exists(run.cfg) or run.is_trained() or run.checkpoint()
            return f"is not in {self.state_file}" if there else ""
        changed = [] if _same_network(run.cfg, self.setting.cfg_of(run.method)) else ["another cfg"]
        now = self.setting.fingerprint
        changed += [f"another {part}" for part in now if now[part] != known["data"].get(part)]
        return f"was begun with {' and '.join(changed)}" if changed else ""

    def refuse_outdated(self, restart):
        """Ends with an error where runs were begun with other data or another network; or, to restart, removes them."""
        outdated = [(run, what) for run in self.runs for what in [self.outdated(run)] if what]
        if not outdated:
            return
        names = ", ".join(run.name for run, _ in outdated)
        if not restart:
            raise BadInput(f"{outdated[0][0].base}: {outdated[0][1]}: --restart removes what is outdated ({names}) and "
                           "trains it anew; another --out leaves it")
        for run, _ in outdated:
            run.remove()
            self.state["runs"].pop(run.name, None)
        self.save()
        say(f"removed, and trained anew: {names}")


def _same_network(path, text):
    def lines(content):
        return [line.strip() for line in content.splitlines() if line.strip() and line.strip()[0] not in "#;"]
    return os.path.exists(path) and lines(read_text(path)) == lines(text)


# ---- doing it ----

def _end_with_parent():
    """In a child: it gets SIGTERM when this script ends, even if that was killed; Ctrl-C is left to this script."""
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


class Failed(Exception):
    """A command of a run failed; the text says which and why."""


class Job:
    """A run's commands, one after the other, on one device."""

    def __init__(self, trainer, run, device):
        self.trainer, self.run, self.device = trainer, run, device
        self.commands = collections.deque()
        self.process = self.name = None
        self.first_iteration = 0
        comparison = trainer.comparison
        if not run.is_trained():
            self.commands.append(("", self._training()))
        for name, options in comparison.missing(run):
            self.commands.append((name, options))

    def _training(self):
        setting, run = self.trainer.comparison.setting, self.run
        options = ["-seed", str(run.seed)]
        checkpoint = run.checkpoint()
        if checkpoint:
            batch, state = seen_images(checkpoint) // setting.batch, self.trainer.comparison.of(run)
            # A state of an earlier version names only the first list: then no checkpoint held the momentum.
            lost = state.setdefault("resumed_without_momentum_at", state.get("resumed_at", [])[:])
            state.setdefault("resumed_at", []).append(batch)
            if not holds_momentum(checkpoint):
                lost.append(batch)
            self.trainer.comparison.save()
        start = [checkpoint] if checkpoint else [setting.weights] if setting.weights else []
        if setting.weights and not checkpoint:
            options.append("-clear")
        if self.trainer.evaluate_every:
            options += ["-map" if setting.kind == "detector" else "-topk", str(self.trainer.evaluate_every)]
        if setting.kind == "classifier" and setting.epochs > MOST_CHECKPOINTS:
            options += ["-keep", str(int(setting.epochs / MOST_CHECKPOINTS))]
        return start + options + self.trainer.loaders

    def _arguments(self, name, options):
        kind, run = self.trainer.comparison.setting.kind, self.run
        begin = [self.trainer.darknet, kind]
        if name == "":
            return begin + ["train", self.trainer.comparison.data_file, run.cfg] + options + self.device
        command, picture = ("map", "-curves") if kind == "detector" else ("metrics", "-plot")
        if name is None and shutil.which("gnuplot"):
            options = options + [picture, run.base + ".png"]
        return begin + [command, self.trainer.comparison.data_file, run.cfg, run.weights] + options + [
            "-json", run.result(name)] + self.device

    def begin(self):
        """Starts the next command. Returns whether there was one."""
        if not self.commands:
            return False
        self.name, self.options = self.commands.popleft()
        arguments = self._arguments(self.name, self.options)
        self.first_iteration = 0
        with open(self.run.log, "ab") as log:
            log.write(f"$ {shlex.join(arguments)}\n".encode())
            log.flush()
            self.log_start, self.started = log.tell(), time.monotonic()
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            env=self.trainer.environment, preexec_fn=_end_with_parent)
        return True

    def said(self):
        """What the command has said."""
        with open(self.run.log, "rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def end(self):
        """Takes note of a command that has ended. Raises Failed."""
        state, said = self.trainer.comparison.of(self.run), self.said()
        if self.process.returncode:
            raise Failed(f"{'the training' if self.name == '' else 'the evaluation'} of {self.run.name} failed: "
                         f"{(said.strip().splitlines() or ['no output'])[-1]} (see {self.run.log})")
        if self.name == "":
            iterations = len(ITERATION.findall(said))
            if iterations:
                state["seconds"] = round((time.monotonic() - self.started) / iterations *
                                         self.trainer.comparison.setting.max_batches, 1)
            state["trained"] = datetime.datetime.now().isoformat(" ", "minutes")
            self.trainer.comparison.drop_checkpoints(self.run)
        else:
            state.setdefault("evaluations", {})[self.name or ""] = self.options
        self.trainer.comparison.save()


class Trainer:
    """Does what is missing of a comparison, `jobs` runs at a time."""

    def __init__(self, comparison, darknet, jobs, gpus, evaluate_every):
        self.comparison, self.darknet, self.evaluate_every = comparison, darknet, evaluate_every
        self.jobs, self.gpus = jobs, gpus
        self.environment = dict(os.environ)
        self.loaders = []
        if jobs > 1:
            share = max(len(os.sched_getaffinity(0)) // jobs, 1)
            self.environment.setdefault("OMP_NUM_THREADS", str(share))
            self.loaders = ["-loaders", str(share)]
        self.version = subprocess.run([darknet, "--version"], capture_output=True, text=True).stdout.splitlines()
        self.machine = machine("GPU" in " ".join(self.version).split() and ["-nogpu"] not in gpus)

    def check_cfgs(self):
        """Every cfg is one that Darknet takes; else the last one would fail after hours."""
        for method in self.comparison.methods:
            path = os.path.join(self.comparison.folder, ".check.cfg")
            write_whole(path, self.comparison.setting.cfg_of(method))
            done = subprocess.run([self.darknet, "ops", path, "-nogpu"], capture_output=True, text=True)
            os.unlink(path)
            if done.returncode:
                raise BadInput(f"--methods {method.name}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")

    def prepare(self, run):
        """The run's cfg, and what is known of it."""
        comparison = self.comparison
        if not os.path.exists(run.cfg) or not comparison.of(run):
            write_whole(run.cfg, comparison.setting.cfg_of(run.method))
            comparison.state["runs"][run.name] = {"data": comparison.setting.fingerprint}
        state = comparison.of(run)
        if not run.is_trained():
            state["version"], state["machine"] = self.version, self.machine
            threads = self.environment.get("OMP_NUM_THREADS") or str(len(os.sched_getaffinity(0)))
            before = state.setdefault("threads", threads)
            if before.split()[-1] != threads:  # then a repeated run would not be the same bit for bit
                state["threads"] = f"{before}, then {threads}"
        comparison.save()

    def work(self):
        """Trains and evaluates what is missing. Returns the failures, by the run's name. Raises BadInput where a training
        fails before its first iteration, as all others then would."""
        waiting = collections.deque(run for run in self.comparison.runs if not self.comparison.is_finished(run))
        if not waiting:
            return {}
        devices = self.gpus or [[]]
        free = collections.deque(devices[i % len(devices)] for i in range(self.jobs))
        active, failures = [], {}
        self._begin_progress(waiting)
        try:
            while waiting or active:
                while waiting and free:
                    run = waiting.popleft()
                    self.prepare(run)
                    # A checkpoint of an interruption may hold soft labels that no numbered weights hold.
                    self.comparison.drop_checkpoints(run, keep=2)
                    active.append(Job(self, run, free.popleft()))
                    active[-1].begin()
                time.sleep(.05)
                for job in list(active):
                    if job.process.poll() is None:
                        continue
                    try:
                        job.end()
                        if job.begin():
                            continue
                    except Failed as failure:
                        if not job.run.reached()[0]:
                            raise BadInput(str(failure)) from None
                        say(str(failure))
                        failures[job.run.name] = str(failure)
                    active.remove(job)
                    free.append(job.device)
                self._show_progress(active)
        finally:
            for job in active:
                if job.process.poll() is None:
                    job.process.terminate()
            for job in active:
                job.process.wait()
            Progress.end()
        return failures

    def _reached(self):
        most = self.comparison.setting.max_batches
        return sum(most if run.is_trained() else min(run.reached()[0], most) for run in self.comparison.runs)

    def _begin_progress(self, waiting):
        finished, begun = len(self.comparison.runs) - len(waiting), sum(bool(run.checkpoint()) for run in waiting)
        setting = self.comparison.setting
        say(f"{len(self.comparison.runs)} runs of {setting.max_batches} batches ({setting.epochs:.4g} epochs) in "
            f"{self.comparison.folder}: {finished} are finished, {begun} go on, {len(waiting) - begun} begin")
        self.next_look = 0
        total = self.comparison.setting.max_batches * len(self.comparison.runs)
        self.progress = Progress(total, "trained", self._reached())

    def _show_progress(self, active):
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + 1
        most = self.comparison.setting.max_batches
        trained = sum(run.is_trained() for run in self.comparison.runs)
        now = ["{0}: batch {2} of {1}, loss {3}".format(job.run.name, most, *job.run.reached()) if job.name == "" else
               f"{job.run.name} is evaluated" for job in active]
        self.progress.what = f"{trained} of {len(self.comparison.runs)} trained, in all"
        self.progress.at(self._reached(), f"; {'; '.join(now)}")
        for job in active:
            if job.name == "":
                self.comparison.drop_checkpoints(job.run, keep=2)


def machine(with_gpu):
    """The processor's name and count; with_gpu: and the GPUs' names."""
    found = re.search(r"^model name\s*: (.*)", read_text("/proc/cpuinfo"), re.MULTILINE)
    text = f"{found[1] if found else os.uname().machine}, {os.cpu_count()} processors"
    if with_gpu and shutil.which("nvidia-smi"):
        gpus = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True)
        text += ", " + ", ".join(gpus.stdout.splitlines())
    return text


def stop_on_signals():
    """A batch system's SIGTERM and a closed terminal end the work as Ctrl-C does."""
    def stop(*_):
        raise KeyboardInterrupt
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
