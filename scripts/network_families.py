"""The networks of scripts/make-network, as the sections of a cfg."""

import math


def channels(c, width):
    """The number of channels with a width multiplier: the nearest multiple of 8 that is at most 10 % too small."""
    n = max(8, int(c * width + 4) // 8 * 8)
    return n + 8 if n < 0.9 * c * width else n


class Network:
    """Sections that are added one after the other, and what the next one needs to know of the last."""

    def __init__(self, activation, normalise=False):
        self.activation = activation
        self.sections = []
        self.depth = 3  # channels of the last layer
        if normalise:
            # import-torchvision writes the weights: (x - mean) / deviation, which no training changes
            self.add("convolutional", filters=3, size=1, stride=1, groups=3, activation="linear", learning_rate=0)

    def add(self, name, **keys):
        self.sections.append("[%s]\n%s" % (name, "".join("%s=%s\n" % item for item in keys.items())))
        return len(self.sections) - 1

    def convolution(self, filters, size, stride=1, groups=1, activation=None):
        keys = {"batch_normalize": 1, "filters": filters, "size": size, "stride": stride, "pad": 1}
        if groups > 1:
            keys["groups"] = groups
        self.depth = filters
        return self.add("convolutional", **keys, activation=activation or self.activation)

    def plain_convolution(self, filters, activation="linear"):
        """1x1, without batch normalisation."""
        self.depth = filters
        return self.add("convolutional", filters=filters, size=1, stride=1, pad=1, activation=activation)

    def shortcut(self, source, activation):
        """Adds the output of layer `source` to that of the last layer."""
        self.add("shortcut", **{"from": source - len(self.sections)}, activation=activation)

    def squeeze(self, few):
        """Squeeze-and-excitation of the last layer, with `few` channels in between (Hu et al. 2018)."""
        filters, source = self.depth, len(self.sections) - 1
        self.add("avgpool")
        self.plain_convolution(few, self.activation)
        self.plain_convolution(filters, "logistic")
        self.add("scale_channels", **{"from": source - len(self.sections)})

    def inverted_residual(self, expansion, filters, stride, size=3, squeezed=0):
        """1x1 expansion, depthwise convolution, squeeze-and-excitation with `squeezed` channels (0: none), linear 1x1
        projection; a shortcut if the shapes are equal (Sandler et al. 2018)."""
        before, source = self.depth, len(self.sections) - 1
        if expansion > 1:
            self.convolution(before * expansion, 1)
        self.convolution(self.depth, size, stride, groups=self.depth)
        if squeezed:
            self.squeeze(squeezed)
        self.convolution(filters, 1, activation="linear")
        if stride == 1 and before == filters:
            self.shortcut(source, "linear")

    def residual(self, convolutions, projects):
        """A residual block (He et al. 2016) of convolutions (filters, size, stride, groups), the last one linear. With
        `projects` a 1x1 convolution leads around them; otherwise the input is added as it is. Where it has fewer
        channels then, Darknet's [shortcut] takes every stride-th pixel and adds nothing to the new channels."""
        source, before = len(self.sections) - 1, self.depth
        stride = math.prod(stride for _, _, stride, _ in convolutions)
        for filters, size, step, groups in convolutions[:-1]:
            self.convolution(filters, size, step, groups)
        filters, size, step, groups = convolutions[-1]
        last = self.convolution(filters, size, step, groups, "linear")
        if projects and (stride > 1 or before != filters):
            self.add("route", layers=source - len(self.sections))
            self.convolution(filters, 1, stride, activation="linear")
            source = last
        self.shortcut(source, "relu")


# ---- ResNet and ResNeXt ----

# Blocks a stage of the networks for ImageNet (He et al. 2016, table 1), and whether they are bottlenecks.
FOUR_STAGES = {18: ((2, 2, 2, 2), False), 34: ((3, 4, 6, 3), False), 50: ((3, 4, 6, 3), True), 101: ((3, 4, 23, 3), True),
               152: ((3, 8, 36, 3), True)}


def basic(width, stride):
    return [(width, 3, stride, 1), (width, 3, 1, 1)]


def bottleneck(width, stride, expansion=4, groups=1, inner=None):
    inner = inner or width
    return [(inner, 1, 1, 1), (inner, 3, stride, groups), (expansion * width, 1, 1, 1)]


def stem_of_imagenet(net, filters):
    net.convolution(filters, 7, 2)
    net.add("maxpool", size=3, stride=2)


def resnet(net, stages, block, filters, projects, stem):
    """Stages of blocks; the first has `filters` channels, every further one twice as many and half the resolution."""
    if stem == 7:
        stem_of_imagenet(net, filters)
    else:
        net.convolution(filters, stem)
    for stage, blocks in enumerate(stages):
        for i in range(blocks):
            net.residual(block(filters << stage, 2 if stage and not i else 1), projects)


def resnext(net, depth, four, cardinality, base_width, stem):
    """Three stages (depth 9 n + 2, for images of 32x32) as in the CIFAR code of the OLS paper's authors, whose blocks
    end in twice as many channels as they have inside; with `four` four stages as in Xie et al. 2017, table 1."""
    if four:
        resnet(net, FOUR_STAGES[depth][0], lambda width, stride: bottleneck(
            width, stride, 4, cardinality, width * base_width // 64 * cardinality), 64, True, stem)
        return
    net.convolution(64, 1)
    for stage in range(3):
        inner = cardinality * base_width << stage
        for i in range((depth - 2) // 9):
            net.residual(bottleneck(inner, 2 if stage and not i else 1, 2, cardinality), True)


# ---- MobileNetV2 ----

# expansion, channels, repeats, stride (Sandler et al. 2018, table 2)
MOBILENETV2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def mobilenetv2(net, width, depth, last_stride, small=False):
    """Adds the layers with strides up to `last_stride`; with `small` those of images of 32x32, where the first
    convolution and the stage of 24 channels keep the resolution. Returns {stride: index of the last layer with it}."""
    stride, ends = 1 if small else 2, {}
    net.convolution(channels(32, width), 3, stride)
    for expansion, c, repeats, first in MOBILENETV2:
        if small and c == 24:
            first = 1
        if stride * first > last_stride:
            break
        stride *= first
        for i in range(math.ceil(repeats * depth)):
            net.inverted_residual(expansion, channels(c, width), first if i == 0 else 1)
        ends[stride] = len(net.sections) - 1
    return ends


# ---- EfficientNet ----

# expansion, size, channels, repeats, stride of b0 (Tan and Le 2019, table 1)
EFFICIENTNET = [(1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1), (6, 5, 192, 4, 2),
                (6, 3, 320, 1, 1)]

# width, depth, size of the images, dropout of the published models
EFFICIENTNETS = {"b0": (1, 1, 224, .2), "b1": (1, 1.1, 240, .2), "b2": (1.1, 1.2, 260, .3), "b3": (1.2, 1.4, 300, .3),
                 "b4": (1.4, 1.8, 380, .4), "b5": (1.6, 2.2, 456, .4), "b6": (1.8, 2.6, 528, .5), "b7": (2, 3.1, 600, .5)}


def efficientnet(net, width, depth):
    net.convolution(channels(32, width), 3, 2)
    for expansion, size, c, repeats, first in EFFICIENTNET:
        for i in range(math.ceil(repeats * depth)):
            net.inverted_residual(expansion, channels(c, width), first if i == 0 else 1, size, max(1, net.depth // 4))


# ---- The heads of a detector ----

def features(net, options):
    """The layers before the predictions of a head: a depthwise 3x3 and a 1x1. Returns the index of the latter."""
    net.convolution(net.depth, 3, groups=net.depth)
    return net.convolution(channels(options.head, options.width), 1)


def yolo(net, options, mask):
    """A head of YOLO v3: features, linear predictions, then [yolo] with the anchors of `mask`."""
    wide = features(net, options)
    net.plain_convolution(len(mask) * (options.classes + 5))
    net.add("yolo", mask=",".join(map(str, mask)), anchors=options.anchors, classes=options.classes,
            num=len(options.anchors.split(",")) // 2, jitter=options.jitter, ignore_thresh=.5, truth_thresh=1,
            random=options.random, smoothing=options.smoothing)
    return wide


def region(net, options, stride):
    """The head of YOLO v2, with the keys and values of Darknet's yolov2-voc.cfg. The unit of its anchors is a cell."""
    anchors = [float(side) / stride for side in options.anchors.split(",")]
    features(net, options)
    net.plain_convolution(len(anchors) // 2 * (options.classes + 5))
    net.add("region", anchors=",".join("%.5g" % side for side in anchors), bias_match=1, classes=options.classes,
            coords=4, num=len(anchors) // 2, softmax=1, jitter=options.jitter, rescore=1, object_scale=5,
            noobject_scale=1, class_scale=1, coord_scale=1, absolute=1, thresh=.6,
            random=options.random, smoothing=options.smoothing)


def detection(net, options, stride):
    """The head of YOLO v1, with the keys and values of Darknet's yolov1.cfg. A cell has one distribution over the
    classes and `boxes` boxes. The layer before it is fully connected: every prediction depends on the whole image."""
    side = options.size // stride
    features(net, options)
    net.add("connected", output=side * side * (options.classes + 5 * options.boxes), activation="linear")
    net.add("detection", classes=options.classes, coords=4, rescore=1, side=side, num=options.boxes, softmax=0, sqrt=1,
            jitter=options.jitter, object_scale=1, noobject_scale=.5, class_scale=1, coord_scale=5,
            smoothing=options.smoothing)


def yolo_heads(net, options, strides, ends):
    """Adds the [yolo] heads, the one with the largest stride first. Each further head also gets the features of the
    head before it, upsampled."""
    per_head = len(options.anchors.split(",")) // 2 // len(strides)
    wide = None
    for i, stride in enumerate(strides):
        if i:
            # The features of the head before, upsampled to this stride, and the backbone's features at this stride.
            net.add("route", layers=wide)
            net.add("upsample", stride=strides[i - 1] // stride)
            net.add("route", layers="-1,%d" % ends[stride])
            net.depth = channels(options.head, options.width) + channels(
                {4: 24, 8: 32, 16: 96}[stride], options.width)
        first = per_head * (len(strides) - 1 - i)
        wide = yolo(net, options, list(range(first, first + per_head)))
