"""Reads the tensors of a checkpoint of PyTorch's, and knows the names that torchvision and timm give those of ResNet,
ResNeXt, MobileNetV2 and EfficientNet."""

import json
import pickle
import re

import numpy

from darknet_data import BadInput

# ---- files ----

LARGEST = numpy.finfo(numpy.float32).max  # of a .weights file
SAFETENSORS = {"F64": ("<f8", 1), "F32": ("<f4", 1), "F16": ("<f2", 1), "BF16": ("<u2", 1 << 16)}


def read_safetensors(path):
    """The format: 8 bytes with the length of a header, the header in JSON, the numbers."""
    with open(path, "rb") as file:
        data = file.read()
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8:8 + length]) if len(data) >= 8 + length else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise BadInput(f"{path}: no header: it is no .safetensors file, or cut off")
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        try:
            kind, shape, (begin, end) = entry["dtype"], [int(n) for n in entry["shape"]], entry["data_offsets"]
            if min(shape, default=0) < 0:
                raise ValueError
            if kind in SAFETENSORS:  # the counters of batch normalisation are integers, and left out
                tensors[name] = numbers_of(data[8 + length + begin:8 + length + end], *SAFETENSORS[kind]).reshape(shape)
        except (KeyError, TypeError, ValueError):
            raise BadInput(f"{path}: {name} is not whole: the file is cut off or damaged") from None
    return tensors


def numbers_of(data, kind, shift):
    """The bytes as float64. A bfloat16 is the upper half of a float."""
    numbers = numpy.frombuffer(data, kind)
    if shift > 1:
        numbers = (numbers.astype("<u4") * shift).astype("<u4").view("<f4")
    return numbers.astype(numpy.float64)


def read_pickle(path):
    """What torch.save has written, read without running code that may be in it."""
    try:
        import torch
    except ImportError:
        raise BadInput(f"{path} needs PyTorch: apt-get install python3-torch; a .safetensors file does not") from None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except pickle.UnpicklingError:  # PyTorch's own message says how to run the code all the same
        raise BadInput(f"{path}: holds more than tensors, or is damaged: save the state_dict() of the network alone") from None
    except Exception as error:  # of zip files, and of PyTorch's own: all say that it is another file
        said = " ".join(str(error).split())[:200]
        raise BadInput(f"{path}: PyTorch does not read it: {said or type(error).__name__}") from None
    for key in ("state_dict", "model"):  # of a training's checkpoint
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict):
        raise BadInput(f"{path}: holds no state dict, but a {type(found).__name__}")
    return {str(name): array_of(path, name, tensor) for name, tensor in found.items() if isinstance(tensor, torch.Tensor)}


def array_of(path, name, tensor):
    if tensor.is_complex() or tensor.is_quantized or str(tensor.layout) != "torch.strided":
        raise BadInput(f"{path}: {name} is not a dense tensor of real numbers")
    return tensor.detach().double().numpy()


def read_tensors(path):
    """{name: array of float64}. Without the counters of batches, and without the prefix of a network on several GPUs."""
    tensors = (read_safetensors if path.endswith(".safetensors") else read_pickle)(path)
    tensors = {name[7:] if name.startswith("module.") else name: tensor for name, tensor in tensors.items()
               if not name.endswith("num_batches_tracked")}
    if not tensors:
        raise BadInput(f"{path}: holds no tensors")
    for name, tensor in tensors.items():
        if not (abs(tensor) <= LARGEST).all():  # a comparison with NaN is false
            raise BadInput(f"{path}: {name} has values that are not finite, or too large for .weights")
    return tensors


# ---- names ----

# Each of these lists (convolution, its batch normalisation or None), in the order of the layers that make-network writes.

def natural(name):
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in name.split(".")]


def resnet(tensors):
    """Those of torchvision and timm; `shortcut` and `linear` are what some code for CIFAR calls downsample and fc."""
    yield "conv1", "bn1"
    blocks = {match[1] for match in (re.match(r"(layer\d+\.\d+)\.", name) for name in tensors) if match}
    for block in sorted(blocks, key=natural):
        k = 1
        while f"{block}.conv{k}.weight" in tensors:
            yield f"{block}.conv{k}", f"{block}.bn{k}"
            k += 1
        for around in ("downsample", "shortcut"):
            if f"{block}.{around}.0.weight" in tensors:
                yield f"{block}.{around}.0", f"{block}.{around}.1"
    yield "fc" if "fc.weight" in tensors else "linear", None


def features(tensors):
    """torchvision's MobileNetV2 and EfficientNet: modules are numbered, and a batch normalisation is the one behind its
    convolution."""
    names = [name[:-len(".weight")] for name, tensor in tensors.items()
             if name.startswith("features.") and name.endswith(".weight") and tensor.ndim == 4]
    for name in sorted(names, key=natural):
        before, _, last = name.rpartition(".")
        yield name, f"{before}.{int(last) + 1}" if last.isdigit() else None
    yield "classifier.1", None


def timm(tensors):
    """timm's MobileNetV2 and EfficientNet: the first block has no expansion, and numbers its parts otherwise."""
    yield "conv_stem", "bn1"
    blocks = {match[1] for match in (re.match(r"(blocks\.\d+\.\d+)\.", name) for name in tensors) if match}
    for block in sorted(blocks, key=natural):
        expands = f"{block}.conv_pwl.weight" in tensors
        parts = [("conv_pw", "bn1"), ("conv_dw", "bn2")] if expands else [("conv_dw", "bn1")]
        parts += [("se.conv_reduce", None), ("se.conv_expand", None)] if f"{block}.se.conv_reduce.weight" in tensors else []
        parts += [("conv_pwl", "bn3")] if expands else [("conv_pw", "bn2")]
        for convolution, norm in parts:
            yield f"{block}.{convolution}", norm and f"{block}.{norm}"
    yield "conv_head", "bn2"
    yield "classifier", None


FORMATS = {"conv1.weight": resnet, "features.0.0.weight": features, "conv_stem.weight": timm}


def layer_names(path, tensors):
    """(convolution, batch normalisation or None) of every layer with weights, first to last."""
    for first, names in FORMATS.items():
        if first in tensors:
            return list(names(tensors))
    raise BadInput(f"{path}: none of {', '.join(FORMATS)} is there: no ResNet, MobileNetV2 or EfficientNet of torchvision "
                   f"or timm; it begins with {next(iter(tensors))}")
