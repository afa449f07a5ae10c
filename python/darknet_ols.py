"""Darknet's networks in Python 3, with NumPy arrays in and out, and the soft labels that a training has learned.

    import darknet_ols

    with darknet_ols.Network("my.cfg", "my.weights", names="my.names") as net:
        net.classify("cat.jpg")              # [("cat", 0.93), ("dog", 0.05), ...]
        for found in net.detect("street.jpg"):
            print(found.name, found.score, found.box)
        net.predict(array)                   # the network's output as it is

    darknet_ols.soft_labels("my.weights").S  # needs neither the library nor the cfg

It calls libdarknet.so of darknet-ols: the one that the environment variable DARKNET_LIBRARY names, or the one that
`make` leaves in the folder above this file, or an installed one. Images are paths, or arrays as OpenCV and Pillow have
them, but always in the order red, green, blue. README.md beside this file says more.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import dataclasses
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import zlib
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

__all__ = ["DarknetError", "Detection", "Detections", "Network", "SoftLabels", "load_image", "soft_labels"]

Path = Union[str, "os.PathLike[str]"]
Image = Union[Path, np.ndarray]  # of a file; or pixels: height x width x 3, uint8, RGB


class DarknetError(Exception):
    """Darknet cannot do what was asked: its text says why."""


# ---- The library -----------------------------------------------------------------------------------------------------

_NETWORK, _DETECTIONS, _INT, _FLOAT = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_float
_TEXT, _INT_OUT = ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)
_FLOATS = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")

# What is called, as darknet.h and src/eval/library.h declare it: result, arguments.
_FUNCTIONS = {
    "load_network": (_NETWORK, _TEXT, _TEXT, _INT),
    "free_network": (None, _NETWORK),
    "network_width": (_INT, _NETWORK),
    "network_height": (_INT, _NETWORK),
    "network_predict": (ctypes.POINTER(ctypes.c_float), _NETWORK, _FLOATS),
    "library_gpus": (_INT,),
    "library_use_gpu": (None, _INT),
    "library_network_batch": (_INT, _NETWORK),
    "library_network_channels": (_INT, _NETWORK),
    "library_network_inputs": (_INT, _NETWORK),
    "library_network_outputs": (_INT, _NETWORK),
    "library_network_classes": (_INT, _NETWORK),
    "library_network_layers": (_INT, _NETWORK),
    "library_layer_type": (_TEXT, _NETWORK, _INT),
    "library_load_image": (ctypes.POINTER(ctypes.c_ubyte), _TEXT, _INT_OUT, _INT_OUT),
    "library_free": (None, ctypes.c_void_p),
    "library_letterbox": (None, _NETWORK, _FLOATS, _INT, _INT, _INT, _FLOATS),
    "library_leaf_probabilities": (None, _NETWORK, _FLOATS),
    "library_cannot_detect": (_TEXT, _NETWORK),
    "library_detect": (_DETECTIONS, _NETWORK, _INT, _INT, _INT, _FLOAT, _FLOAT, _FLOAT, _INT_OUT),
    "library_take_detections": (None, _NETWORK, _DETECTIONS, _INT, _FLOATS),
}


class _Library:
    """libdarknet.so, loaded, and what has to be around every call of it.

    It is linked with -Ofast: whoever loads it makes the thread's processor flush denormal numbers to zero, and
    Darknet's results are those of a program that does so. Python and NumPy expect the opposite. So the two
    floating-point environments are exchanged before and after a call. One call runs at a time: which GPU is used is a
    global variable of Darknet's.
    """

    def __init__(self, path: str):
        self.path = path
        self._lock = threading.RLock()  # the garbage collector may close a network in the middle of a call for another
        self._gpu = -1
        self._math = ctypes.CDLL("libm.so.6")
        self._fast = ctypes.create_string_buffer(256)  # a fenv_t: 32 bytes on x86-64
        outside = ctypes.create_string_buffer(256)
        self._math.fegetenv(outside)
        # Threads of OpenMP that wait for work would spin for milliseconds, which takes processors from those that work.
        # The program `darknet` sets the same; libgomp reads it while it is loaded.
        shorten = not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys()
        if shorten:
            os.environ["GOMP_SPINCOUNT"] = "1000"
        try:
            self._functions = ctypes.CDLL(path)
        finally:
            if shorten:
                del os.environ["GOMP_SPINCOUNT"]
            self._math.fegetenv(self._fast)
            self._math.fesetenv(outside)
        for name, (result, *arguments) in _FUNCTIONS.items():
            try:
                function = getattr(self._functions, name)
            except AttributeError:
                raise DarknetError(f"{path} does not belong to this darknet_ols.py: it has no {name}") from None
            function.restype, function.argtypes = result, arguments

    @contextlib.contextmanager
    def functions(self, gpu: Optional[int] = None) -> Iterator[ctypes.CDLL]:
        """The functions to call, until the block ends."""
        outside = ctypes.create_string_buffer(256)
        with self._lock:
            self._math.fegetenv(outside)
            self._math.fesetenv(self._fast)
            gpu_outside, self._gpu = self._gpu, -1 if gpu is None else gpu
            try:
                self._functions.library_use_gpu(self._gpu)
                yield self._functions
            finally:
                self._gpu = gpu_outside
                self._functions.library_use_gpu(self._gpu)
                self._math.fesetenv(outside)


@functools.lru_cache(maxsize=None)
def _library() -> _Library:
    """The library, which is looked for when it is needed first."""
    beside = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "libdarknet.so")
    path = os.environ.get("DARKNET_LIBRARY") or (beside if os.path.exists(beside) else "libdarknet.so")
    try:
        return _Library(path)
    except OSError as error:
        raise DarknetError(f"cannot load libdarknet.so: {error}. `make` in the folder of darknet-ols builds it; "
                           f"DARKNET_LIBRARY may name one that lies elsewhere") from None


@contextlib.contextmanager
def _without_stderr(quiet: bool) -> Iterator[None]:
    """What C prints to stderr meanwhile is dropped, if `quiet`."""
    if not quiet:
        yield
        return
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


# Darknet ends the process where it cannot load a cfg or its weights. This is the process that it may end; where it
# comes to its last line, the files are good.
_TRY_TO_LOAD = """
import ctypes, os, sys
library = ctypes.CDLL(sys.argv[1])
library.library_use_gpu(-1)
library.load_network(*map(os.fsencode, sys.argv[2:]), 0)
print("loaded")
"""


def _try_to_load(library: str, cfg: str, weights: str) -> Optional[str]:
    """None where Darknet can load the network, else what it said."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", _TRY_TO_LOAD, library, cfg, weights],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.stdout.endswith(b"loaded\n"):
        return None
    lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines()]
    lines = [line for line in lines if line and "Assertion `" not in line]  # error() prints a reason and asserts 0
    said = ([line for line in lines if line.startswith("darknet: ")] or lines or ["no message"])[-1]
    said = said[len("darknet: "):] if said.startswith("darknet: ") else said
    if done.returncode < 0 and done.returncode != -signal.SIGABRT:
        return f"Darknet crashed ({signal.Signals(-done.returncode).name}), after: {said}"
    return said


def _with_batch(cfg: bytes, batch: int) -> bytes:
    """The cfg with batch=`batch` and subdivisions=1 in its first section, [net]."""
    lines: List[bytes] = []
    sections = 0
    for line in cfg.split(b"\n"):
        bare = line.translate(None, b" \t")  # as Darknet reads it
        if sections == 1 and bare.startswith((b"batch=", b"subdivisions=")):
            continue
        lines.append(line)
        if bare.startswith(b"["):
            sections += 1
            if sections == 1:
                lines += [b"batch=%d" % batch, b"subdivisions=1"]
    return b"\n".join(lines)


# ---- Images ----------------------------------------------------------------------------------------------------------

def load_image(path: Path) -> np.ndarray:
    """The picture in a file as Darknet decodes it: height x width x 3, uint8, RGB."""
    with open(path, "rb"):  # a file that is missing or may not be read is Python's own exception
        pass
    w, h = ctypes.c_int(), ctypes.c_int()
    with _library().functions() as lib:
        pixels = lib.library_load_image(os.fsencode(path), ctypes.byref(w), ctypes.byref(h))
        if not pixels:
            raise DarknetError(f"{os.fspath(path)} is not a picture that can be decoded")
        try:
            return np.ctypeslib.as_array(pixels, (h.value, w.value, 3)).copy()
        finally:
            lib.library_free(pixels)


def _floats(pixels: np.ndarray) -> np.ndarray:
    """Bytes ... x height x width x channels as Darknet's floats: ... x channels x height x width, 0 to 1."""
    return np.divide(np.moveaxis(pixels, -1, -3), np.float32(255), dtype=np.float32, order="C")


def _pixels(image: Image) -> np.ndarray:
    """An image of either kind as pixels."""
    if isinstance(image, (str, os.PathLike)):
        return load_image(image)
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError("an image is a path, or an array of height x width x 3 with dtype uint8 in the order RGB; "
                         f"this one is {_shape(pixels)}")
    return pixels


def _shape(array: np.ndarray) -> str:
    return f"{' x '.join(map(str, array.shape)) or 'a single value'} of {array.dtype}"


# ---- Networks --------------------------------------------------------------------------------------------------------

class Detection(NamedTuple):
    """One box around one thing."""
    name: Union[str, int]  # of the class; its number where the network has no names
    score: float  # 0 to 1
    box: Tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the image


@dataclasses.dataclass(frozen=True)
class Detections:
    """What was found in an image, highest score first: as arrays, or one Detection after the other by iteration.

    A box that two classes score above the threshold for is there twice, as `detector test` prints it twice.
    """
    boxes: np.ndarray  # n x 4, float32: left, top, right, bottom in pixels of the image; may reach beyond its edges
    scores: np.ndarray  # n, float32
    classes: np.ndarray  # n, int: numbers of the classes
    names: Optional[Sequence[str]] = None  # of all classes

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        for box, score, number in zip(self.boxes.tolist(), self.scores.tolist(), self.classes.tolist()):
            yield Detection(self.names[number] if self.names else number, score, tuple(box))


class Network:
    """A network for inference. Use it in a `with` block, or close() it, to free its memory.

    cfg, weights   files; without weights they are random
    gpu            number of the GPU, in a library that was built with GPU=1; None: the CPU
    names          of the classes: a file with one a line, or a sequence
    batch          images that go through the network at once, whatever the cfg says: memory for as many is taken, and
                   fewer images cost as much time
    quiet          Darknet's table of layers is not printed to stderr
    check          first has another process load the files. Darknet ends its process where it cannot; so it is that
                   one, and here DarknetError is raised. Takes as long as loading does

    Raises OSError where a file is missing, DarknetError where Darknet cannot load it, ValueError for other arguments.

    Attributes: width, height, channels (0 where the cfg only says inputs=), inputs and outputs (numbers of an image),
    classes, names (list or None), layers (kinds of all layers as a cfg writes them: ["convolutional", ..., "ols"]),
    batch, gpu. Threads may share a network; one call runs at a time.
    """

    def __init__(self, cfg: Path, weights: Optional[Path] = None, gpu: Optional[int] = None,
                 names: Union[Path, Sequence[str], None] = None, batch: int = 1, quiet: bool = False,
                 check: bool = True):
        self._net = None
        if batch < 1:
            raise ValueError(f"batch={batch}: must be 1 or more")
        with open(cfg, "rb") as file:
            text = _with_batch(file.read(), batch)
        if weights is not None:
            with open(weights, "rb"):
                pass
        if names is not None:
            names = _read_names(names) if isinstance(names, (str, os.PathLike)) else list(names)
        self._library = _library()
        self._check_gpu(gpu)
        self.gpu, self.batch, self.names = gpu, batch, names
        with tempfile.NamedTemporaryFile(suffix=".cfg") as file:
            file.write(text)
            file.flush()
            files = file.name, os.fspath(weights) if weights is not None else ""
            problem = _try_to_load(self._library.path, *files) if check and sys.executable else None
            if problem:
                raise DarknetError(f"cannot load {os.fspath(cfg)}: {problem}")
            with self._library.functions(gpu) as lib, _without_stderr(quiet):
                self._net = lib.load_network(*map(os.fsencode, files), 0)
        self._read_attributes()
        try:
            if self._loaded_batch != batch:
                raise DarknetError(f"cannot use {os.fspath(cfg)}: recurrent networks (time_steps=) are not supported")
            if names is not None and len(names) != self.classes:
                raise ValueError(f"{len(names)} names for a network with {self.classes} classes")
        except Exception:
            self.close()
            raise

    def _check_gpu(self, gpu: Optional[int]) -> None:
        if gpu is None:
            return
        with self._library.functions() as lib:
            there = lib.library_gpus()
        if there < 0:
            raise DarknetError(f"gpu={gpu}: {self._library.path} was built without GPU=1; gpu=None is the CPU")
        if not 0 <= gpu < there:
            raise DarknetError(f"gpu={gpu}: there is no such GPU; {there} can be used, numbered from 0")

    def _read_attributes(self) -> None:
        with self._library.functions(self.gpu) as lib:
            net = self._net
            self.width, self.height = lib.network_width(net), lib.network_height(net)
            self.channels = lib.library_network_channels(net)
            self.inputs, self.outputs = lib.library_network_inputs(net), lib.library_network_outputs(net)
            self.classes = lib.library_network_classes(net)
            self.layers = [lib.library_layer_type(net, i).decode() for i in range(lib.library_network_layers(net))]
            self._loaded_batch = lib.library_network_batch(net)
            self._cannot_detect = lib.library_cannot_detect(net)

    def close(self) -> None:
        """Frees the network; it cannot be used any more. May be called twice."""
        if self._net is None:
            return
        with self._library.functions(self.gpu) as lib:
            net, self._net = self._net, None
            if net is not None:
                lib.free_network(net)

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return (f"<darknet_ols.Network {self.width}x{self.height}x{self.channels}, {len(self.layers)} layers to "
                f"[{self.layers[-1]}], {self.classes} classes>")

    # ---- inference ----

    def predict(self, array: np.ndarray) -> np.ndarray:
        """The output of the network as it is: of a classifier the probabilities, of a detector its last head's numbers.

        array   pixels of the network's own size: height x width x channels, uint8; or what the network computes with:
                channels x height x width, floats (0 to 1 for images; see letterbox), or `inputs` floats in one row.
                Several inputs have one more dimension in front.
        Returns float32: `outputs` numbers, or n x outputs for several inputs.
        """
        rows, single = self._rows(array)
        outputs = np.empty((len(rows), self.outputs), np.float32)
        for start in range(0, len(rows), self.batch):
            with self._library.functions(self.gpu) as lib:
                outputs[start:start + self.batch] = self._forward(lib, rows[start:start + self.batch])
        return outputs[0] if single else outputs

    def _rows(self, array: np.ndarray) -> Tuple[np.ndarray, bool]:
        """The input as n x inputs floats, and whether it is one without a dimension for n."""
        array = np.asarray(array)
        pixels, planes = (self.height, self.width, self.channels), (self.channels, self.height, self.width)
        if array.dtype == np.uint8:
            shapes = [pixels]
        elif np.issubdtype(array.dtype, np.floating):
            shapes = [planes, (self.inputs,)]
        else:
            raise ValueError(f"the input is {_shape(array)}: must be uint8 or floats")
        for shape in shapes:
            if array.shape in (shape, array.shape[:1] + shape):
                rows = _floats(array) if array.dtype == np.uint8 else np.ascontiguousarray(array, np.float32)
                return rows.reshape(-1, self.inputs), array.shape == shape
        raise ValueError(f"the input is {_shape(array)}: this network takes {' x '.join(map(str, pixels))} of uint8, "
                         f"or {' x '.join(map(str, planes))} of floats (letterbox makes them), or several of them")

    def _forward(self, lib: ctypes.CDLL, rows: np.ndarray) -> np.ndarray:
        """The outputs for one batch or less. The heads keep theirs until the next pass: who wants them goes on in the
        same `with` block."""
        self._check_open()
        batch = np.zeros((self.batch, self.inputs), np.float32)
        batch[:len(rows)] = rows
        output = lib.network_predict(self._net, batch)
        return np.ctypeslib.as_array(output, (self.batch, self.outputs))[:len(rows)].copy()

    def _check_open(self) -> None:
        if self._net is None:
            raise ValueError("this network is closed")

    def letterbox(self, image: Image) -> np.ndarray:
        """An image scaled to fit into the network's input, with grey around it: channels x height x width floats, for
        predict. classify and detect do it themselves, as `classifier predict` and `detector test` do."""
        if self.channels != 3:
            raise ValueError(f"this network's input has {self.channels} channels: only predict can be used with it")
        pixels = _pixels(image)
        h, w = pixels.shape[:2]
        # Darknet reads out of bounds for a side that becomes a single pixel.
        if min(self.width, self.height) < 2 or w * self.height < 2 * h or h * self.width < 2 * w:
            raise ValueError(f"an image of {w} x {h} pixels is too long and thin for {self.width} x {self.height}")
        boxed = np.empty((3, self.height, self.width), np.float32)
        with self._library.functions(self.gpu) as lib:
            self._check_open()
            lib.library_letterbox(self._net, _floats(pixels), w, h, 3, boxed)
        return boxed

    def classify(self, image: Union[Image, Sequence[Image]], top: int = 5) -> List:
        """The `top` most probable classes of an image, as `classifier predict` finds them: [(name, probability), ...].
        The name is the class's number where the network has no names. For a list of images: a list of such lists."""
        if top < 1:
            raise ValueError(f"top={top}: must be 1 or more")
        if self.layers[-1] in ("yolo", "region", "detection"):
            raise ValueError(f"this network ends in [{self.layers[-1]}], it is a detector: use detect")
        images, single = _several(image)
        results = []
        for start in range(0, len(images), self.batch):
            rows = np.array([self.letterbox(i).ravel() for i in images[start:start + self.batch]])
            with self._library.functions(self.gpu) as lib:
                outputs = self._forward(lib, rows)
                for probabilities in outputs:
                    lib.library_leaf_probabilities(self._net, probabilities)
            _check_finite(np.isfinite(outputs).all())
            for best, p in zip(np.argsort(-outputs, kind="stable")[:, :top].tolist(), outputs.tolist()):
                results.append([(self.names[k] if self.names else k, p[k]) for k in best])
        return results[0] if single else results

    def detect(self, image: Union[Image, Sequence[Image]], threshold: float = .5, nms: float = .45,
               hier: float = .5) -> Union[Detections, List[Detections]]:
        """What a detector finds in an image, as `detector test` does it. For a list of images: a list of Detections.

        threshold   score that a box needs, 0 to 1
        nms         of two boxes of a class that overlap by more than this (IoU), the one with the lower score is
                    dropped; 0 keeps all
        hier        for a [region] with tree=: down to which probability its branches are followed
        """
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold={threshold}: must be 0 to 1")
        if self._cannot_detect:
            raise ValueError(f"this network cannot detect: {self._cannot_detect.decode()}")
        images, single = _several(image)
        results = []
        for start in range(0, len(images), self.batch):
            batch = [_pixels(i) for i in images[start:start + self.batch]]
            rows = np.array([self.letterbox(pixels).ravel() for pixels in batch])
            with self._library.functions(self.gpu) as lib:
                self._forward(lib, rows)
                for i, pixels in enumerate(batch):
                    results.append(self._take(lib, i, pixels.shape[:2], threshold, nms, hier))
        return results[0] if single else results

    def _take(self, lib: ctypes.CDLL, i: int, size: Tuple[int, int], threshold: float, nms: float,
              hier: float) -> Detections:
        """What the network found in image i of the batch that went through it last. size: height, width."""
        h, w = size
        count = ctypes.c_int()
        found = lib.library_detect(self._net, i, w, h, threshold, hier, nms, ctypes.byref(count))
        _check_finite(found)
        rows = np.empty((count.value, 4 + self.classes), np.float32)
        lib.library_take_detections(self._net, found, count, rows)
        row, number = np.nonzero(rows[:, 4:])
        scores = rows[row, 4 + number]
        order = np.argsort(-scores, kind="stable")
        centre, half = rows[row, :2][order], rows[row, 2:4][order] / 2
        boxes = np.concatenate([centre - half, centre + half], 1) * np.array([w, h, w, h], np.float32)
        return Detections(boxes, scores[order], number[order], self.names)


def _several(image: Union[Image, Sequence[Image]]) -> Tuple[Sequence[Image], bool]:
    """A list of images, and whether it is a single one that was not in a list."""
    several = isinstance(image, (list, tuple)) or (isinstance(image, np.ndarray) and image.ndim == 4)
    return (image, False) if several else ([image], True)


def _check_finite(finite: object) -> None:
    if not finite:
        raise DarknetError("the network's output is not finite: its weights have diverged, or belong to another cfg")


def _read_names(path: Path) -> List[str]:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().rstrip("\n").split("\n")


# ---- Soft labels -----------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class SoftLabels:
    """What Online Label Smoothing has learned; K classes. src/ols/ols.h says what an update does."""
    S: np.ndarray  # K x K, float32: a row a class; sums to 1 or is all zero; normalise=hits: to up to K
    A: np.ndarray  # K x K, float32: probabilities summed since the last update, of which the next S is made
    correct: np.ndarray  # K, int64: images (objects) of the class since the last update that were predicted correctly
    seen: np.ndarray  # K, int64: images (objects) of the class since the last update
    images: int  # since the last update: the position in the epoch
    iterations: int  # since the last update
    updates: int  # so far
    unlabelled: int  # images since the last update without a class (ols.h: ols_labels)

    @property
    def classes(self) -> int:
        return len(self.S)


_MAGIC, _VERSION, _HEADER, _FOOTER, _END = b"OLSstate", 1, 48, 16, b"OLS\n"  # the block in a checkpoint: src/ols/ols.h
# the checksum of a whole checkpoint: src/train/trailer.h
_TRAILER_MAGIC, _TRAILER_VERSION, _TRAILER, _TRAILER_MARK = b"OLSwhole", 1, 48, b"OLS2"


def soft_labels(weights: Path, which: int = 0) -> SoftLabels:
    """The soft labels in a .weights file: the set number `which`, where a network has several [ols] sections.

    Reads the file by itself: no library, no cfg. Raises OSError where it cannot be read, and DarknetError where it
    holds no such soft labels, or damaged ones."""
    name = os.fspath(weights)
    with open(weights, "rb") as file:
        try:
            ends = _block_ends(file, _end_of_blocks(file))
        except ValueError as error:
            raise DarknetError(f"{name} {error}") from None
        if not ends:
            raise DarknetError(f"{name} holds no soft labels: it was not trained with smoothing=ols or ols-single, or it is cut off")
        if not 0 <= which < len(ends):
            raise DarknetError(f"{name}: which={which}: its soft labels are numbered 0 to {len(ends) - 1}")
        begin, end = ends[which]
        block = bytearray(end - begin)  # arrays that share it can be written to
        file.seek(begin)
        file.readinto(block)
    try:
        return _decode(block)
    except ValueError as error:
        raise DarknetError(f"{name}: {error}") from None


def _block_at(file, end: int) -> int:
    """The length of the block that ends there, or of the trailer; 0 where none does."""
    if end < _TRAILER:
        return 0
    file.seek(end - _FOOTER)
    footer = file.read(_FOOTER)
    length = int.from_bytes(footer[:8], "little")
    return length if footer[12:] == _END and _TRAILER <= length <= end else 0


def _end_of_blocks(file) -> int:
    """Where the soft-label blocks of a file end, which is compared with its checksum if it has one."""
    size = file.seek(0, os.SEEK_END)
    begin = size - _block_at(file, size)
    file.seek(begin)
    header = file.read(_TRAILER - _FOOTER) if begin < size else b""
    file.seek(8)
    if header[:8] != _TRAILER_MAGIC:
        if file.read(4) == _TRAILER_MARK:
            raise ValueError("is cut off or damaged: the checksum that belongs at its end is not there")
        return size
    file.seek(0)
    crc, left = 0, size - 8
    while left > 0:
        part = file.read(min(left, 1 << 20))
        crc, left = zlib.crc32(part, crc), left - len(part)
    if crc != int.from_bytes(file.read(4), "little"):
        raise ValueError("is damaged: its checksum is not that of its bytes")
    if int.from_bytes(header[8:12], "little") != _TRAILER_VERSION:
        raise ValueError("is of a version that this module does not know")
    return begin


def _block_ends(file, end: int) -> List[Tuple[int, int]]:
    """Where the soft-label blocks that end there begin and end, in the order of the file."""
    blocks: List[Tuple[int, int]] = []
    while _block_at(file, end) >= _HEADER + _FOOTER:
        length = _block_at(file, end)
        blocks.insert(0, (end - length, end))
        end -= length
    return blocks


def _decode(block: bytearray) -> SoftLabels:
    version, k = (int(n) for n in np.frombuffer(block, "<u4", 2, 8))
    if block[:8] != _MAGIC:
        raise ValueError("the soft-label block does not begin where its length says")
    if version != _VERSION:
        raise ValueError(f"the soft-label block is of version {version}, which this module does not know")
    if len(block) != _HEADER + 8 * k * k + 16 * k + _FOOTER:
        raise ValueError(f"the soft-label block is damaged: {len(block)} bytes cannot be of {k} classes")
    if zlib.crc32(memoryview(block)[:-8]) != int.from_bytes(block[-8:-4], "little"):
        raise ValueError("the soft-label block is damaged (checksum)")
    position = np.frombuffer(block, "<i8", 4, 16).tolist()
    S, A = np.frombuffer(block, "<f4", 2 * k * k, _HEADER).reshape(2, k, k)
    correct, seen = np.frombuffer(block, "<i8", 2 * k, _HEADER + 8 * k * k).reshape(2, k)
    return SoftLabels(S, A, correct, seen, *position)


# ---- The command line ------------------------------------------------------------------------------------------------

def _run_classify(options: argparse.Namespace) -> list:
    with Network(options.cfg, options.weights, options.gpu, options.names, quiet=True) as net:
        return [{"image": image, "classes": [{"class": name, "probability": probability}
                                             for name, probability in net.classify(image, options.top)]}
                for image in options.images]


def _run_detect(options: argparse.Namespace) -> list:
    with Network(options.cfg, options.weights, options.gpu, options.names, quiet=True) as net:
        return [{"image": image, "detections": [{"class": d.name, "score": d.score, "box": d.box}
                                                for d in net.detect(image, options.threshold, options.nms)]}
                for image in options.images]


def _run_soft_labels(options: argparse.Namespace) -> dict:
    labels = soft_labels(options.weights, options.set)
    return {field.name: np.asarray(getattr(labels, field.name)).tolist() for field in dataclasses.fields(labels)}


def _main() -> None:
    parser = argparse.ArgumentParser(description="Classes, boxes or soft labels, printed as JSON.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run in (("classify", _run_classify), ("detect", _run_detect)):
        command = commands.add_parser(name, help=f"{name} images")
        command.set_defaults(run=run)
        command.add_argument("cfg")
        command.add_argument("weights")
        command.add_argument("images", nargs="+", metavar="image")
        command.add_argument("--names", metavar="FILE", help="names of the classes, one a line")
        command.add_argument("--gpu", type=int, metavar="N", help="the GPU to use (default: the CPU)")
        if name == "classify":
            command.add_argument("--top", type=int, default=5, metavar="N", help="classes an image (5)")
        else:
            command.add_argument("--threshold", type=float, default=.5, metavar="F", help="score that a box needs (.5)")
            command.add_argument("--nms", type=float, default=.45, metavar="F", help="overlap that is allowed (.45)")
    command = commands.add_parser("soft-labels", help="the soft labels in a .weights file")
    command.set_defaults(run=_run_soft_labels)
    command.add_argument("weights")
    command.add_argument("--set", type=int, default=0, metavar="N", help="which, where there are several (0)")
    options = parser.parse_args()
    try:
        json.dump(options.run(options), sys.stdout)
        print()
    except (DarknetError, OSError, ValueError) as error:
        sys.exit(f"darknet_ols: {error}")


if __name__ == "__main__":
    _main()
