"""Residual networks for images of 32x32 in PyTorch, which torchvision does not have: ResNets of three stages and ResNeXt-29.
Written from the papers (He et al. 2016, section 4.2; Xie et al. 2017, section 5.3), with the names that torchvision gives
the parts of its ResNets. Shortcuts are convolutions where the shape changes, but for option A of He et al.
"""

import torch
from torch import nn


def normalised(before, after, size, stride=1, groups=1):
    return nn.Conv2d(before, after, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(after)


class OptionA(nn.Module):
    """Every second pixel, and zeros for the new channels, behind those that are there."""

    def __init__(self, new, stride):
        super().__init__()
        self.new, self.stride = new, stride

    def forward(self, x):
        return nn.functional.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, 0, self.new))


class Block(nn.Module):
    """Convolutions of `widths` channels and `sizes`; the stride is in the first one of size 3."""

    def __init__(self, before, widths, sizes, stride, groups, option_a):
        super().__init__()
        self.count, channels = len(widths), before
        for k, (width, size) in enumerate(zip(widths, sizes), 1):
            here = stride if size == 3 and 3 not in sizes[:k - 1] else 1
            conv, norm = normalised(channels, width, size, here, groups if size == 3 else 1)
            setattr(self, f"conv{k}", conv)
            setattr(self, f"bn{k}", norm)
            channels = width
        self.downsample = None
        if stride > 1 or before != channels:
            self.downsample = OptionA(channels - before, stride) if option_a else nn.Sequential(
                *normalised(before, channels, 1, stride))

    def forward(self, x):
        y = x
        for k in range(1, self.count + 1):
            y = getattr(self, f"bn{k}")(getattr(self, f"conv{k}")(y))
            if k < self.count:
                y = torch.relu(y)
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Residual(nn.Module):
    """A stem, three stages of `blocks` blocks, and a classifier. `widths_of(stage)` are a block's channels."""

    def __init__(self, stem, stem_size, blocks, widths_of, sizes, groups, option_a, classes):
        super().__init__()
        self.conv1, self.bn1 = normalised(3, stem, stem_size)
        channels = stem
        for stage in range(3):
            parts = []
            for i in range(blocks):
                widths = widths_of(stage)
                parts.append(Block(channels, widths, sizes, 2 if stage and not i else 1, groups, option_a))
                channels = widths[-1]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*parts))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def resnet(depth, classes, option_a=True):
    """Basic blocks."""
    return Residual(16, 3, (depth - 2) // 6, lambda stage: (16 << stage, 16 << stage), (3, 3), 1, option_a, classes)


def resnet_of_bottlenecks(depth, classes):
    return Residual(16, 3, (depth - 2) // 9, lambda stage: (16 << stage, 16 << stage, 64 << stage), (1, 3, 1), 1, False, classes)


def resnext29(cardinality, base_width, classes):
    def widths(stage):
        inner = cardinality * base_width << stage
        return inner, inner, 2 * inner
    return Residual(64, 1, 3, widths, (1, 3, 1), cardinality, False, classes)
