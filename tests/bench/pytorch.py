#!/usr/bin/python3
"""One contestant of `make bench`: PyTorch, with the network of a Darknet cfg. See darknet.c for what it answers.

    pytorch.py train|predict|head <cfg> [per-sample] [gpu]

The network is written the way PyTorch users write it: torch.nn modules, SGD from torch.optim, losses over whole tensors.
`per-sample` takes the statistics of [ols] sample by sample, as the authors' published training loop does.
"""
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional

OBJECTS = 5


def read_cfg(path):
    sections = []
    for line in open(path, encoding="utf-8"):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            sections.append((line[1:-1], {}))
        elif line:
            key, value = line.split("=", 1)
            sections[-1][1][key.strip()] = value.strip()
    return sections


class Shortcut(nn.Module):
    """Adds an earlier layer: its first channels, every second pixel where it is larger."""

    def __init__(self, index, activation):
        super().__init__()
        self.index, self.activation = index, activation

    def forward(self, x, outputs):
        other = outputs[self.index]
        stride = other.shape[2] // x.shape[2]
        if stride > 1:
            other = other[:, :, ::stride, ::stride]
        if other.shape[1] < x.shape[1]:
            other = functional.pad(other, (0, 0, 0, 0, 0, x.shape[1] - other.shape[1]))
        x = x + other
        return functional.relu(x) if self.activation == "relu" else x


class Ols(nn.Module):
    """Cross entropy against a mixture of hard labels and the soft labels of the last epoch; Eq. 3 to 5."""

    def __init__(self, keys, classes, per_sample):
        super().__init__()
        self.smoothing, self.per_sample = keys.get("smoothing", "ols"), per_sample
        if self.smoothing == "ols":
            self.register_buffer("soft", torch.full((classes, classes), 1 / classes))
            self.register_buffer("sums", torch.zeros(classes, classes))

    def forward(self, logits, truth):
        logits = logits.flatten(1)
        hard = functional.cross_entropy(logits, truth)
        if self.smoothing != "ols":
            return hard
        with torch.no_grad():
            p = functional.softmax(logits, 1)
            if self.per_sample:
                for i in range(len(truth)):
                    if p[i].argmax() == truth[i]:
                        self.sums[truth[i]] += p[i]
            else:
                correct = p.argmax(1) == truth
                self.sums.index_add_(0, truth[correct], p[correct])
        soft = -(self.soft[truth] * functional.log_softmax(logits, 1)).sum(1).mean()
        return .5 * hard + .5 * soft


class Yolo(nn.Module):
    """YOLOv3's loss over one head; truth is (batch, objects, 5): x, y, w, h as parts of the image, class."""

    def __init__(self, keys, size):
        super().__init__()
        anchors = [float(a) for a in keys["anchors"].split(",")]
        self.size, self.ignore = size, float(keys["ignore_thresh"])
        self.mask = [int(m) for m in keys["mask"].split(",")]
        self.classes = int(keys["classes"])
        self.register_buffer("anchors", torch.tensor(anchors).view(-1, 2) / size)

    def boxes(self, x):
        h, w = x.shape[3], x.shape[4]
        column = torch.arange(w).view(1, 1, 1, w)
        row = torch.arange(h).view(1, 1, h, 1)
        mine = self.anchors[self.mask].view(1, -1, 1, 1, 2)
        return torch.stack(((x[:, :, 0].sigmoid() + column) / w, (x[:, :, 1].sigmoid() + row) / h,
                            x[:, :, 2].exp() * mine[..., 0], x[:, :, 3].exp() * mine[..., 1]), -1)

    def predict(self, x):
        x = x.view(x.shape[0], len(self.mask), 5 + self.classes, x.shape[2], x.shape[3])
        return self.boxes(x), x[:, :, 4:].sigmoid()

    @staticmethod
    def iou(a, b):
        low = torch.maximum(a[..., :2] - a[..., 2:4] / 2, b[..., :2] - b[..., 2:4] / 2)
        high = torch.minimum(a[..., :2] + a[..., 2:4] / 2, b[..., :2] + b[..., 2:4] / 2)
        both = (high - low).clamp(min=0).prod(-1)
        return both / (a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - both)

    def forward(self, x, truth):
        x = x.view(x.shape[0], len(self.mask), 5 + self.classes, x.shape[2], x.shape[3])
        batch, _, _, h, w = x.shape
        with torch.no_grad():
            boxes = self.boxes(x)
            best = torch.zeros(boxes.shape[:-1])
            for t in range(truth.shape[1]):
                best = torch.maximum(best, self.iou(boxes, truth[:, t].view(batch, 1, 1, 1, 5)))
            # the anchor of every object: the best one for its width and height
            size = truth[..., None, 2:4]
            common = torch.minimum(size, self.anchors).prod(-1)
            anchor = (common / (size.prod(-1) + self.anchors.prod(-1) - common)).argmax(-1)
            image, t = torch.nonzero(sum(anchor == m for m in self.mask), as_tuple=True)
            at = truth[image, t]
            a = anchor[image, t] - self.mask[0]
            column, row = (at[:, 0] * w).long(), (at[:, 1] * h).long()
            scale = 2 - at[:, 2] * at[:, 3]
            wanted = torch.zeros_like(best)
            weight = (best <= self.ignore).float()
            wanted[image, a, row, column] = 1
            weight[image, a, row, column] = 1
            onehot = functional.one_hot(at[:, 4].long(), self.classes).float()
            log_size = torch.log(at[:, 2:4] / self.anchors[self.mask][a])
        found = x[image, a, :, row, column]
        objects = functional.binary_cross_entropy_with_logits(x[:, :, 4], wanted, weight, reduction="sum")
        classes = functional.binary_cross_entropy_with_logits(found[:, 5:], onehot, reduction="sum")
        centre = torch.stack((at[:, 0] * w - column, at[:, 1] * h - row), 1)
        places = (scale[:, None] * ((found[:, :2].sigmoid() - centre) ** 2 +
                                    (found[:, 2:4] - log_size) ** 2)).sum() / 2
        return (objects + classes + places) / batch


class Network(nn.Module):
    def __init__(self, sections, per_sample):
        super().__init__()
        net = sections[0][1]
        c, size = int(net.get("channels", 0)), int(net.get("width", 1))
        c = c or int(net["inputs"])
        self.layers, self.reads, channels = nn.ModuleList(), [], []
        for i, (name, keys) in enumerate(sections[1:]):
            reads = None
            if name == "convolutional":
                k, filters = int(keys["size"]), int(keys["filters"])
                normal = int(keys.get("batch_normalize", 0))
                layer = nn.Sequential(nn.Conv2d(c, filters, k, int(keys["stride"]), k // 2 if int(keys["pad"]) else 0,
                                                groups=int(keys.get("groups", 1)), bias=not normal))
                if normal:
                    layer.append(nn.BatchNorm2d(filters))
                if keys["activation"] == "relu":
                    layer.append(nn.ReLU(inplace=True))
                c = filters
            elif name == "shortcut":
                layer = Shortcut(i + int(keys["from"]) if int(keys["from"]) < 0 else int(keys["from"]),
                                 keys["activation"])
            elif name == "route":
                reads = [i + int(n) if int(n) < 0 else int(n) for n in keys["layers"].split(",")]
                c = sum(channels[n] for n in reads)
                layer = nn.Identity()
            elif name == "upsample":
                layer = nn.Upsample(scale_factor=int(keys["stride"]), mode="nearest")
            elif name == "avgpool":
                layer = nn.AdaptiveAvgPool2d(1)
            elif name == "connected":
                layer = nn.Sequential(nn.Flatten(1), nn.Linear(c, int(keys["output"])))
                c = int(keys["output"])
            elif name == "activation":
                layer = nn.Identity()
            elif name in ("ols", "softmax"):
                layer = Ols(keys if name == "ols" else {"smoothing": "hard"}, c, per_sample)
            elif name == "yolo":
                layer = Yolo(keys, size)
            else:
                sys.exit("pytorch.py: no [%s] here" % name)
            self.layers.append(layer)
            self.reads.append(reads)
            channels.append(c)

    def forward(self, x, truth=None):
        outputs, results = [], []
        for layer, reads in zip(self.layers, self.reads):
            if reads:
                x = outputs[reads[0]] if len(reads) == 1 else torch.cat([outputs[n] for n in reads], 1)
            elif isinstance(layer, Shortcut):
                x = layer(x, outputs)
            elif isinstance(layer, Ols):
                results.append(layer(x, truth) if truth is not None else functional.softmax(x.flatten(1), 1))
            elif isinstance(layer, Yolo):
                results.append(layer(x, truth) if truth is not None else layer.predict(x))
            else:
                x = layer(x)
            outputs.append(x)
        return sum(results) if truth is not None else results


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    mode, sections = sys.argv[1], read_cfg(sys.argv[2])
    torch.manual_seed(7)
    if "gpu" in sys.argv:
        # TF32 as in Darknet's calls of cuBLAS and cuDNN; NVIDIA_TF32_OVERRIDE=0 switches it off for both
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        torch.set_default_tensor_type(torch.cuda.FloatTensor)
    synchronize = torch.cuda.synchronize if "gpu" in sys.argv else lambda: None
    net = sections[0][1]
    batch = int(net["batch"]) if mode != "predict" else 1
    model = Network(sections, "per-sample" in sys.argv)
    head = model.layers[-1]
    if isinstance(head, Yolo):
        truth = torch.rand(batch, OBJECTS, 5) * .8 + .1
        truth[..., 4] = torch.randint(0, head.classes, (batch, OBJECTS))
    elif "inputs" in net:
        truth = torch.randint(0, int(net["inputs"]), (batch,))
    else:
        truth = torch.randint(0, int(sections[-2][1].get("output") or sections[-2][1]["filters"]), (batch,))
    if "inputs" in net:
        x = torch.rand(batch, int(net["inputs"]))
        some = torch.arange(batch) % 4 > 0  # three of four are classified correctly
        x[some, truth[some]] = 3
    else:
        x = torch.rand(batch, int(net["channels"]), int(net["height"]), int(net["width"]))

    parameters = [p for p in model.parameters() if p.requires_grad]
    if parameters:
        optimizer = torch.optim.SGD(parameters, float(net["learning_rate"]), float(net["momentum"]),
                                    weight_decay=float(net["decay"]))

    def train():
        optimizer.zero_grad()
        model(x, truth).backward()
        optimizer.step()

    def predict():
        with torch.no_grad():
            model(x)

    if mode == "head":
        x.requires_grad_()

    def alone():
        x.grad = None
        head(x, truth).backward()

    if mode == "predict":
        model.eval()
    step = {"train": train, "predict": predict, "head": alone}[mode]
    for line in sys.stdin:
        if line == "about\n":
            print(sum(p.numel() for p in parameters), 0,
                  1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
        else:
            start = time.perf_counter()
            step()
            synchronize()
            print("%.9f" % (time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    main()
