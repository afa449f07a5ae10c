#!/usr/bin/python3
"""The networks of scripts/make-network have as many parameters as those that publications name, by what Darknet says of
them; and with the weights of PyTorch's modules, by way of scripts/import-torchvision, they compute what these compute."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if "LD_LIBRARY_PATH" not in os.environ:  # where a GPU build's libraries are; the loader reads it at the start alone
    os.environ["LD_LIBRARY_PATH"] = "/usr/local/cuda/lib64"
    os.execv(sys.executable, [sys.executable, *sys.argv])

import numpy as np
from PIL import Image

sys.dont_write_bytecode = True
sys.path[:0] = [f"{ROOT}/tests/helpers", f"{ROOT}/tests/reference", f"{ROOT}/python", f"{ROOT}/scripts"]
import checkpoint_tensors  # noqa: E402
import darknet_cfg  # noqa: E402
import darknet_ols  # noqa: E402
from tap import finish, ok, same, skip  # noqa: E402

try:
    import torch
    import residual_networks
except ImportError:
    torch = None
try:
    import torchvision.models as published
except ImportError:
    published = None

DARKNET = os.path.realpath(os.environ.get("DARKNET_PROGRAM") or f"{ROOT}/darknet")
TOLERANCE = 1e-4

tmp = tempfile.mkdtemp(prefix="networks.")
atexit.register(shutil.rmtree, tmp)
os.chdir(tmp)


def script(name, *arguments):
    """(status, stdout, stderr)"""
    done = subprocess.run([f"{ROOT}/scripts/{name}", *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def make(words, path="net.cfg"):
    status, out, err = script("make-network", *words.split())
    if status:
        raise AssertionError(f"make-network {words}: {err}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(out)
    return path


def said_of(cfg, *more):
    """What `darknet ops` prints of a network that it reads without a remark."""
    done = subprocess.run([DARKNET, "ops", cfg, "-nogpu", "-strict", *more], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else done.stderr


def parameters(cfg):
    return said_of(cfg).partition("Parameters: ")[2].partition(",")[0]


# ---- Parameters ------------------------------------------------------------------------------------------------------

# Darknet and PyTorch count the same: weights, biases, and scale and bias of every batch normalisation, whose averages are
# none. Sources: torchvision, the table of pre-trained models in its documentation. akamaster, the modules of
# github.com/akamaster/pytorch_resnet_cifar10, of which the README rounds the numbers (0.27M, 0.85M, 1.7M; so does the paper).
# kuangliu, the modules of github.com/kuangliu/pytorch-cifar, as published tables of torchsummary count them; the authors of
# OLS took their ResNeXt from there. counts() compares those that torchvision does not have with PyTorch's modules, too.
PUBLISHED = {
    "resnet --depth 20 --classes 10": (269722, "akamaster"),
    "resnet --depth 56 --classes 10": (853018, "akamaster"),
    "resnet --depth 110 --classes 10": (1727962, "akamaster"),
    "resnet --depth 34 --classes 10": (21282122, "kuangliu"),
    "resnet --depth 50 --classes 10": (23520842, "kuangliu"),
    "resnet --depth 101 --classes 10": (42512970, "kuangliu"),
    "resnext --cardinality 2 --base-width 64 --classes 10": (9128778, "kuangliu"),
    "resnext --cardinality 32 --base-width 4 --classes 10": (4774218, "kuangliu"),
    "resnet --depth 34 --classes 1000 --size 224": (21797672, "torchvision"),
    "resnet --depth 50 --classes 1000 --size 224": (25557032, "torchvision"),
    "resnet --depth 101 --classes 1000 --size 224": (44549160, "torchvision"),
    "resnext --depth 50 --classes 1000 --size 224": (25028904, "torchvision"),
    "mobilenetv2 classifier --classes 1000 --size 224": (3504872, "torchvision"),
    "efficientnet b0 --classes 1000": (5288548, "torchvision"),
    "efficientnet b1 --classes 1000": (7794184, "torchvision"),
    "efficientnet b2 --classes 1000": (9109994, "torchvision"),
    "efficientnet b3 --classes 1000": (12233232, "torchvision"),
    "efficientnet b4 --classes 1000": (19341616, "torchvision"),
    "efficientnet b5 --classes 1000": (30389784, "torchvision"),
    "efficientnet b6 --classes 1000": (43040704, "torchvision"),
    "efficientnet b7 --classes 1000": (66347960, "torchvision"),
}


def counts():
    with open(f"{ROOT}/docs/networks.md", encoding="utf-8") as file:
        docs = file.read()
    same([count for count, _ in PUBLISHED.values() if f"{count:,}" not in docs], [], "docs/networks.md has these numbers")
    for words, (count, source) in PUBLISHED.items():
        same(parameters(make(f"{words} --batch 1")), str(count), f"{words}: {count:,} parameters, as {source} has it")
    same(parameters(make("resnet --depth 50 --classes 1000 --size 448 --batch 1")), "25557032",
         "and no more for larger images")
    cfg = make("mobilenetv2 classifier --classes 1000 --size 224 --batch 1 --normalise")
    ok("Parameters: 3504872, and 34112 averages of batch normalisation; 6 more do not change (learning_rate=0)" in said_of(cfg),
       "the layer of --normalise is none of them", said_of(cfg)[-300:])
    if not torch:
        skip("the networks for 32x32 have as many as the reference in PyTorch", "no PyTorch")
        return
    wanted = {**{f"resnet --depth {depth}": residual_networks.resnet(depth, 100) for depth in (20, 56, 74, 110)},
              "resnext --cardinality 2 --base-width 64": residual_networks.resnext29(2, 64, 100),
              "resnext --cardinality 32 --base-width 4": residual_networks.resnext29(32, 4, 100),
              "resnet --depth 29": residual_networks.resnet_of_bottlenecks(29, 100),
              "resnet --depth 56 --block bottleneck": residual_networks.resnet_of_bottlenecks(56, 100),
              "resnet --depth 56 --shortcut B": residual_networks.resnet(56, 100, option_a=False)}
    same({words: parameters(make(words + " --batch 1")) for words in wanted},
         {words: str(sum(p.numel() for p in module.parameters())) for words, module in wanted.items()},
         "the networks for 32x32 have as many as the reference in PyTorch")


# ---- Outputs ---------------------------------------------------------------------------------------------------------

def settle(module, size, seed=1):
    """Weights as at the start of a training, averages of batch normalisation as of real batches, and a classifier whose
    probabilities differ from class to class. PyTorch's module is then in inference."""
    torch.manual_seed(seed)
    for part in module.modules():
        if isinstance(part, torch.nn.Conv2d) and part.bias is None:
            part.weight.data[::4] *= .003  # the variance is so small that the normalisation's epsilon matters
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, .5, 1.5)
            torch.nn.init.uniform_(part.bias, -.3, .3)
            part.momentum = None  # the mean over batches
    module.train()
    with torch.no_grad():
        for _ in range(2):
            module(normalised(torch.rand(8, 3, size, size)))
        last = [part for part in module.modules() if isinstance(part, torch.nn.Linear)][-1]
        module.eval()
        logits = module(normalised(torch.rand(8, 3, size, size)))
        last.weight *= 2 / logits.std()
    return module


MEAN, DEVIATION = (.485, .456, .406), (.229, .224, .225)


def normalised(x):
    mean, deviation = ([torch.tensor(values).reshape(3, 1, 1) for values in (MEAN, DEVIATION)])
    return (x - mean) / deviation


def picture(size, name="picture.png"):
    """A picture with edges and colours up to its border, as a file; and what Darknet reads of it."""
    random = np.random.RandomState(3)
    small = random.randint(0, 256, (size // 4, size // 4, 3), np.uint8)
    Image.fromarray(small).resize((size, size), Image.BICUBIC).save(name)
    return darknet_ols.load_image(name)


def by_pytorch(module, pixels):
    with torch.no_grad():
        x = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
        return torch.softmax(module(normalised(x)).double(), 1)[0].numpy()


def by_darknet(cfg, weights):
    """The probabilities of picture.png, by `darknet classifier` as the module of Python calls it."""
    with darknet_ols.Network(cfg, weights, quiet=True, check=False) as net:
        return np.array([score for _, score in sorted(net.classify("picture.png", top=10))])


def imported(checkpoint, cfg, *more):
    status, out, err = script("import-torchvision", checkpoint, cfg, "net.weights", *more)
    return err if status else ""


# Blocks a stage of MobileNetV2, whose blocks torchvision numbers through.
STAGES = [f"{stage}.{i}" for stage, blocks in enumerate((1, 2, 3, 4, 3, 3, 1)) for i in range(blocks)]


def timm_names(tensors):
    """A state dict of torchvision's MobileNetV2 or EfficientNet-b0 with timm's names."""
    last = str(max(int(name.split(".")[1]) for name in tensors if name.startswith("features")))
    renamed = {}
    for name, tensor in tensors.items():
        at = name.split(".")
        if at[0] == "classifier":
            new = f"classifier.{at[-1]}"
        elif at[1] in ("0", last):
            new = f"{(('conv_stem', 'bn1') if at[1] == '0' else ('conv_head', 'bn2'))[int(at[2])]}.{at[3]}"
        elif "block" in at:
            new = f"blocks.{int(at[1]) - 1}.{at[2]}.{timm_part(at[4:], at[1] != '1', squeezes=True)}"
        else:
            new = f"blocks.{STAGES[int(at[1]) - 1]}.{timm_part(at[3:], at[1] != '1', squeezes=False)}"
        renamed[new] = tensor
    return renamed


def timm_part(parts, expands, squeezes):
    """`0.1.weight` of a block is `bn1.weight`."""
    convolutions = ["conv_pw", "conv_dw", "conv_pwl"] if expands else ["conv_dw", "conv_pw"]
    where, squeeze = int(parts[0]), len(convolutions) - 1
    if squeezes and where == squeeze:
        return f"se.{'conv_reduce' if parts[1] == 'fc1' else 'conv_expand'}.{parts[2]}"
    if parts[1].isdigit():
        k, is_norm = where - (squeezes and where > squeeze), parts[1] == "1"
    else:  # MobileNetV2's projection: convolution and normalisation one after the other
        k, is_norm = squeeze, where > squeeze
    return (f"bn{k + 1}" if is_norm else convolutions[k]) + "." + parts[-1]


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name in sorted(tensors):
        kind = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
                torch.int64: "I64"}[tensors[name].dtype]
        values = (tensors[name].view(torch.int16) if kind == "BF16" else tensors[name]).numpy()
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def outputs():
    """Pictures go through files, decoder and network; the weights through the formats of torchvision and timm."""
    wanted = {
        "ResNet-50": ("resnet --depth 50 --stem 7", 64, lambda: published.resnet50(num_classes=10)),
        "ResNet-34": ("resnet --depth 34 --stem 7", 64, lambda: published.resnet34(num_classes=10)),
        "MobileNetV2": ("mobilenetv2 classifier", 64, lambda: published.mobilenet_v2(num_classes=10)),
        "EfficientNet-b0": ("efficientnet b0", 64, lambda: published.efficientnet_b0(num_classes=10)),
        "ResNeXt29-2x64d": ("resnext --cardinality 2 --base-width 64", 32, lambda: residual_networks.resnext29(2, 64, 10)),
        "ResNet-29 with bottlenecks": ("resnet --depth 29", 32, lambda: residual_networks.resnet_of_bottlenecks(29, 10)),
        "ResNet-20 with shortcuts of option A": ("resnet --depth 20", 32, lambda: residual_networks.resnet(20, 10)),
    }
    for name, (words, size, module) in wanted.items():
        test = f"{name}: a picture's probabilities are PyTorch's, from a checkpoint's weights"
        if not torch or (not published and "residual" not in module.__code__.co_names[0]):
            skip(test, "no torchvision" if torch else "no PyTorch")
            continue
        module = settle(module(), size)
        pixels = picture(size)
        want = by_pytorch(module, pixels)
        torch.save(module.state_dict(), "net.pth")
        cfg = make(f"{words} --classes 10 --size {size} --batch 1 --normalise")
        said = imported("net.pth", cfg)
        off = np.abs(by_darknet(cfg, "net.weights") - want).max() if not said else said
        ok(not said and off <= TOLERANCE and want.max() - want.min() > .05, test, (off, want))
        print(f"# off by {off:.1e}" if not said else f"# {said}")


def other_formats():
    """The same numbers by timm's names, in a .safetensors file, and in a training's checkpoint."""
    if not torch or not published:
        skip("timm's names and .safetensors give the same weights", "no torchvision")
        return
    for name, words, module in (("MobileNetV2", "mobilenetv2 classifier", published.mobilenet_v2),
                                ("EfficientNet-b0", "efficientnet b0", published.efficientnet_b0)):
        tensors = settle(module(num_classes=10), 64).state_dict()
        cfg = make(f"{words} --classes 10 --size 64 --batch 1")
        torch.save(tensors, "net.pth")
        said, same_bytes = imported("net.pth", cfg), []
        with open("net.weights", "rb") as file:
            want = file.read()
        write_safetensors("net.safetensors", tensors)
        write_safetensors("timm.safetensors", timm_names(tensors))
        torch.save({"epoch": 3, "state_dict": {"module." + key: value for key, value in tensors.items()}}, "trained.pth")
        for path in ("net.safetensors", "timm.safetensors", "trained.pth"):
            said = said or imported(path, cfg)
            with open("net.weights", "rb") as file:
                same_bytes.append(file.read() == want)
        ok(not said and all(same_bytes), f"{name}: timm's names, .safetensors and a training's checkpoint give the same weights",
           (said, same_bytes))


# A block of EfficientNet without batch normalisation, of which Darknet's gradient is another than PyTorch's by less than a
# percent: a network for one step of gradient descent.
SQUEEZING = """\
[net]
batch=4
width=16
height=16
channels=3
min_crop=16
max_crop=16
momentum=0
decay=0
learning_rate=.5
max_batches=1

[convolutional]
filters=8
size=3
pad=1
activation=swish

[convolutional]
filters=8
groups=8
size=3
pad=1
activation=swish

[avgpool]

[convolutional]
filters=4
size=1
activation=swish

[convolutional]
filters=8
size=1
activation=logistic

[scale_channels]
from=-4

[convolutional]
filters=8
size=1
activation=linear

[shortcut]
from=-7
activation=swish

[avgpool]

[connected]
output=4
activation=linear

[ols]
smoothing=hard
"""
SHAPES = ((8, 3, 3, 3), (8, 1, 3, 3), (4, 8, 1, 1), (8, 4, 1, 1), (8, 8, 1, 1), (4, 8))


def squeezing(x, parameters):
    """The same in PyTorch; `parameters` are biases and weights, layer by layer."""
    def conv(x, k, groups=1):
        bias, weight = parameters[2 * k:2 * k + 2]
        return torch.nn.functional.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, groups=groups)

    silu = torch.nn.functional.silu
    first = silu(conv(x, 0))
    second = silu(conv(first, 1, 8))
    scales = torch.sigmoid(conv(silu(conv(second.mean((2, 3), keepdim=True), 2)), 3))
    last = silu(conv(second * scales, 4) + first)
    return torch.nn.functional.linear(last.mean((2, 3)), parameters[11], parameters[10])


def steps():
    """The pictures are symmetric, as training mirrors them at random, and as large as the network."""
    name = "a step of training through swish and [scale_channels] is PyTorch's"
    if not torch:
        skip(name, "no PyTorch")
        return
    random, pictures = np.random.RandomState(2), []
    os.makedirs("backup", exist_ok=True)
    for i in range(4):
        half = random.randint(0, 256, (16, 8, 3), np.uint8)
        pictures.append(np.concatenate([half, half[:, ::-1]], 1))
        Image.fromarray(pictures[-1]).save(f"class{i}.png")
    for path, text in (("step.cfg", SQUEEZING), ("list", "".join(f"class{i}.png\n" for i in range(4))),
                       ("labels", "".join(f"class{i}\n" for i in range(4))),
                       ("step.data", "classes=4\ntrain=list\nvalid=list\nlabels=labels\nbackup=backup\nsampling=epoch\n")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    parameters = [torch.from_numpy(random.normal(0, .5, shape).astype(np.float32)).requires_grad_()
                  for weights in SHAPES for shape in (weights[:1], weights)]
    with open("start.weights", "wb") as file:
        file.write(np.array([0, 2, 0, 0, 0], "<i4").tobytes() + b"".join(p.detach().numpy().tobytes() for p in parameters))
    done = subprocess.run([DARKNET, "classifier", "train", "step.data", "step.cfg", "start.weights", "-nogpu"], capture_output=True,
                          text=True)
    x = torch.from_numpy(np.stack(pictures).astype(np.float32) / 255).permute(0, 3, 1, 2)
    torch.nn.functional.cross_entropy(squeezing(x, parameters), torch.arange(4)).backward()
    want = np.concatenate([(p - .5 * p.grad).detach().numpy().ravel() for p in parameters])
    moved = np.concatenate([(.5 * p.grad).numpy().ravel() for p in parameters])
    try:
        got = np.fromfile("backup/step.weights", np.float32, want.size, offset=20)
    except OSError:
        got = want * np.nan
    off = np.abs(got - want).max()
    ok(off <= 1e-6 and np.abs(moved).max() > 1e-2, name, (off, np.abs(moved).max(), done.stderr[-300:]))


def precisions():
    """A .safetensors file holds the numbers of its kind, counters of batches left out."""
    name = "a .safetensors file of any precision holds the numbers that PyTorch has"
    if not torch:
        skip(name, "no PyTorch")
        return
    wrong = []
    for kind in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        tensors = {"a.weight": torch.randn(3, 4).to(kind), "a.bias": torch.tensor([1e-3, -7, 0]).to(kind),
                   "a.num_batches_tracked": torch.tensor(7)}
        write_safetensors("kind.safetensors", tensors)
        read = checkpoint_tensors.read_tensors("kind.safetensors")
        if sorted(read) != ["a.bias", "a.weight"] or any((read[key] != tensors[key].double().numpy()).any() for key in read):
            wrong.append(kind)
    same(wrong, [], name)


def folded():
    """Without --normalise the colours go into the first convolution: exact inside, off at the border alone."""
    if not torch:
        skip("mean and deviation in the first convolution are exact but at the border", "no PyTorch")
        return
    module = settle(residual_networks.resnet(8, 10), 32)
    torch.save(module.state_dict(), "net.pth")
    cfg = make("resnet --depth 8 --classes 10 --batch 1")
    said = imported("net.pth", cfg)
    with open(cfg, encoding="utf-8") as file:  # up to the first convolution
        text = file.read().split("\n\n[convolutional]")
    with open("first.cfg", "w", encoding="utf-8") as file:
        file.write("\n\n[convolutional]".join(text[:2]) + "\n")
    pixels = picture(32)
    with torch.no_grad():
        x = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)
        want = torch.relu(module.bn1(module.conv1(normalised(x)[None])))[0].numpy()
    with open("net.weights", "rb") as file, open("first.weights", "wb") as first:
        first.write(file.read(20 + 4 * (4 * 16 + 16 * 27)))
    with darknet_ols.Network("first.cfg", "first.weights", quiet=True, check=False) as net:
        got = net.predict(np.ascontiguousarray(x.numpy()[None])).reshape(16, 32, 32)
    off = np.abs(got - want).max(0)
    inside, border = off[1:-1, 1:-1].max(), max(off[0].max(), off[:, 0].max())
    ok(not said and inside < 1e-5 < 1e-2 < border, "mean and deviation in the first convolution are exact but at the border",
       (said, inside, border))


# ---- What begins with an import, and what is refused -----------------------------------------------------------------

def cuts():
    if not torch or not published:
        skip("--backbone leaves out the classifier, or all behind a layer", "no torchvision")
        return
    torch.save(settle(published.mobilenet_v2(num_classes=10), 64).state_dict(), "net.pth")
    whole = make("mobilenetv2 classifier --classes 10 --size 64 --batch 1", "whole.cfg")
    other = make("mobilenetv2 classifier --classes 7 --size 64 --batch 1", "other.cfg")
    boxes = make("mobilenetv2 detector --classes 3 --size 64 --anchors 9,9,20,20 --strides 32 --batch 1", "boxes.cfg")
    said = imported("net.pth", whole)
    subprocess.run([DARKNET, "partial", whole, "net.weights", "cut.weights", "61", "-nogpu"], capture_output=True)
    with open("cut.weights", "rb") as file:
        cut = file.read()
    with open("net.weights", "rb") as file:
        everything = file.read()
    said += imported("net.pth", boxes, "--backbone", 61)
    with open("net.weights", "rb") as file:
        ok(not said and file.read() == cut, "--backbone 61 of a detector's cfg is what `partial` cuts of a classifier's", said)
    said = imported("net.pth", other, "--backbone")
    with open("net.weights", "rb") as file:
        ok(not said and file.read() == everything[:-4 * 10 * 1281],
           "--backbone leaves out the classifier, which may have other classes", said)


def refusals():
    def refused(name, text, *arguments):
        status, out, err = script("import-torchvision", *arguments, "bad.weights")
        ok(status == 1 and not out and len(err.splitlines()) == 1 and text in err and not os.path.exists("bad.weights"), name,
           (status, out, err))

    cfg = make("resnet --depth 8 --classes 10 --batch 1", "right.cfg")
    wide = make("resnet --depth 8 --classes 10 --width 2 --batch 1", "wide.cfg")
    deep = make("resnet --depth 14 --classes 10 --batch 1", "deep.cfg")
    few = make("resnet --depth 8 --classes 3 --batch 1", "few.cfg")
    with open("words.safetensors", "wb") as file:
        file.write(b"no checkpoint at all, but words")
    refused("a file that is no checkpoint is refused", "words.safetensors: no header", "words.safetensors", cfg)
    refused("so is one that is not there", "nowhere.pth: No such file", "nowhere.pth", cfg)
    for name, header in (("no entry", {"conv1.weight": 3}), ("another size", {"conv1.weight": {
            "dtype": "F32", "shape": [16, 3, 3, 3], "data_offsets": [0, 8]}}), ("below 0", {"conv1.weight": {
            "dtype": "F32", "shape": [-1, 2], "data_offsets": [0, 8]}})):
        text = json.dumps(header).encode()
        with open("odd.safetensors", "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + bytes(8))
        refused(f"so is a header that says nonsense: {name}", "conv1.weight is not whole", "odd.safetensors", cfg)
    with open("odd.cfg", "w", encoding="utf-8") as file:
        file.write("[net]\nchannels=3\n[convolutional]\nfilters=many\n")
    refused("and a cfg that is none", "odd.cfg: no cfg that Darknet reads", "odd.safetensors", "odd.cfg")
    if not torch:
        skip("a tensor of another shape is named", "no PyTorch")
        return
    module = residual_networks.resnet(8, 10)
    tensors = module.state_dict()
    write_safetensors("net.safetensors", tensors)
    refused("a tensor of another shape is named", "conv1.weight is 16 x 3 x 3 x 3, but layer 0 of wide.cfg takes 32 x 3 x 3 x 3",
            "net.safetensors", wide)
    refused("in a deeper network it is the first that differs",
            "layer2.0.conv1.weight is 32 x 16 x 3 x 3, but layer 4 of deep.cfg takes 16 x 16 x 3 x 3", "net.safetensors", deep)
    refused("other classes are told of --backbone", "few.cfg takes 3 x 64; --backbone leaves the last layer out",
            "net.safetensors", few)
    write_safetensors("more.safetensors", {**tensors, "layer1.0.se.weight": torch.zeros(3)})
    refused("a tensor without a place is named", "layer1.0.se.weight has no place", "more.safetensors", cfg)
    write_safetensors("less.safetensors", {key: value for key, value in tensors.items() if key != "layer2.0.bn1.running_var"})
    refused("a tensor that is missing is named", "layer2.0.bn1.running_var is not there", "less.safetensors", cfg)
    write_safetensors("nan.safetensors", {**tensors, "bn1.bias": tensors["bn1.bias"] + float("nan")})
    refused("so is one that is not finite", "bn1.bias has values that are not finite", "nan.safetensors", cfg)
    write_safetensors("other.safetensors", {"encoder.weight": torch.zeros(3)})
    refused("another network is none of these", "it begins with encoder.weight", "other.safetensors", cfg)
    with open("net.safetensors", "rb") as file, open("cut.safetensors", "wb") as out:
        out.write(file.read()[:-5])
    refused("a file that is cut off is refused", "is not whole: the file is cut off or damaged", "cut.safetensors", cfg)
    torch.save(module, "module.pth")
    refused("a pickle with code in it is not run", "module.pth: holds more than tensors", "module.pth", cfg)
    torch.save(dict(module.named_parameters()), "parameters.pth")
    refused("parameters are tensors, too: without the averages, those are missing", "bn1.running_mean is not there",
            "parameters.pth", cfg)
    for kind, tensor in (("sparse", torch.zeros(16, 3, 3, 3).to_sparse()),
                         ("complex", torch.zeros(16, 3, 3, 3, dtype=torch.complex64))):
        torch.save({**tensors, "conv1.weight": tensor}, "kind.pth")
        refused(f"a {kind} tensor is refused", "conv1.weight is not a dense tensor of real numbers", "kind.pth", cfg)
    torch.save({**tensors, "conv1.weight": torch.full((16, 3, 3, 3), 1e300, dtype=torch.float64)}, "large.pth")
    refused("so is a number that a float cannot hold", "conv1.weight has values that are not finite, or too large",
            "large.pth", cfg)
    torch.save({**tensors, 3: torch.zeros(1)}, "number.pth")
    refused("and a name that is a number", "3 has no place", "number.pth", cfg)


# ---- The generator ---------------------------------------------------------------------------------------------------

def value(words, key):
    with open(make(words), encoding="utf-8") as file:
        return [line.strip()[len(key) + 1:] for line in file if line.startswith(f"{key}=")]


def schedules():
    """Epochs times images by batch; the rate falls where the paper says."""
    keys = ("max_batches", "steps", "scales", "learning_rate", "batch", "burn_in", "nesterov", "decay")
    same([value("resnet --depth 56 --schedule cifar", key)[:1] for key in keys],
         [["117188"], ["58594,87891"], [".1,.1"], [".1"], ["128"], ["0"], ["1"], ["0.0005"]],
         "--schedule cifar: 300 epochs of 50,000 images, a tenth of the rate at 150 and 225")
    same([value("resnet --depth 50 --size 224 --classes 1000 --schedule imagenet", key)[:1] for key in keys],
         [["1251140"], ["375342,750684,1126026"], [".1,.1,.1"], [".1"], ["256"], ["0"], ["1"], ["0.0001"]],
         "--schedule imagenet: 250 epochs, at 75, 150 and 225")
    birds = "mobilenetv2 classifier --classes 200 --size 448 --schedule fine-grained --images 5994"
    same([value(birds, key)[:1] for key in keys],
         [["9366"], ["4215,7493"], [".1,.1"], [".01"], ["64"], ["0"], [], ["0.0001"]],
         "--schedule fine-grained: 100 epochs of .01, at 45 and 80, with plain momentum")
    same([value(f"{family} --batches 300", "burn_in") for family in
          ("resnet", "resnext", "mobilenetv2 classifier --classes 10", "efficientnet b0 --classes 10")],
         [["30"]] * 4, "a short training warms up for a tenth of it, in every family")


def wrong_words():
    for words, text in {
            "resnet --depth 21": "--depth must be 6 n + 2, with bottlenecks 9 n + 2, or one of 18, 34, 50, 101, 152",
            "resnet --depth 56 --stages 4": "--stages 4 is for --depth 18",
            "resnet --depth 34 --block bottleneck": "a ResNet-34 of four stages has basic blocks",
            "resnet --depth 29 --shortcut A": "--shortcut A is for basic blocks",
            "resnext --depth 34": "--depth must be 9 n + 2, 50, 101 or 152",
            "resnet --smoothing soft": "argument --smoothing: invalid choice: 'soft'",
            "resnet --schedule cifar --batches 9": "--schedule cifar says --batches: leave one of them out",
            "resnet --schedule cifar --pad 4": "--schedule cifar says --pad: leave one of them out",
            "resnet --schedule fine-grained": "--schedule fine-grained needs --images",
            "resnet --images 9": "--images is for --schedule",
            "resnet --batch 2 --subdivisions 8": "--subdivisions 8 does not divide the batch of 2 images",
            "efficientnet b8 --classes 3": "invalid choice: 'b8'",
            "efficientnet b0 --classes 3 --dropout 1": "'1' is not a number from 0 to below 1",
            "mobilenetv2 detector --classes 3 --anchors 1,2,3": "argument --anchors: invalid anchors value: '1,2,3'",
            "mobilenetv2 detector --classes 3 --anchors 9,nan": "argument --anchors: invalid anchors value: '9,nan'",
            "mobilenetv2 detector --classes 3 --size 96 --anchors 9,9 --strides 32 --small": "are for classifiers",
            "vgg": "invalid choice: 'vgg'",
            "": "the following arguments are required: FAMILY"}.items():
        status, out, err = script("make-network", *words.split())
        ok(status == 1 and not out and len(err.splitlines()) == 1 and text in err,
           f"make-network {words or 'alone'}: one line of error", (status, out[:99], err))


def methods():
    """What --smoothing takes is what the program takes, by its own words."""
    with open("wrong.cfg", "w", encoding="utf-8") as file:
        file.write("[net]\nwidth=8\nheight=8\nchannels=3\n[connected]\noutput=3\n[ols]\nsmoothing=wrong\n")
    words = said_of("wrong.cfg").rpartition("must be ")[2].strip()
    same(words.replace(" or ", ", ").split(", "), list(darknet_cfg.SMOOTHINGS), "--smoothing takes what smoothing= takes")


def every_network_is_read():
    said = {}
    for words in ("resnet --depth 152 --size 224", "resnet --depth 50 --stages 3", "resnet --depth 18 --stem 7 --size 64",
                  "resnext --depth 101 --size 224 --base-width 8", "mobilenetv2 classifier --classes 100 --size 32 --small",
                  "mobilenetv2 classifier --classes 10 --dropout .2 --schedule imagenet --size 224",
                  "efficientnet b7 --classes 10 --schedule fine-grained --images 5994"):
        text = said_of(make(words + " --batch 1"))
        if not text.startswith("Floating"):
            said[words] = text[-300:]
    same(said, {}, "what else can be asked for, Darknet reads without a remark")


counts()
outputs()
steps()
precisions()
folded()
other_formats()
cuts()
refusals()
schedules()
wrong_words()
methods()
every_network_is_read()
finish()
