"""Modules whose spatial attention is something else."""

import torch
from torch import nn
from torch.nn import functional as F

from .rows import BIASES, KERNEL_BIAS, LINE, NORM, VOLUME, but, row
from .structures import ChannelPart, Conv1x1, Line, Linear, Loop, Parted, PoolInside, SpatialPart, Volume

row("no spatial sigmoid", but(PoolInside, squash_s=lambda s, z: z), (), {"the spatial sigmoid forgotten"})
row(
    "spatial softmax",
    but(Conv1x1, squash_s=lambda s, z: z.flatten(2).softmax(2).view_as(z)),
    (),
    {"softmax instead of the spatial sigmoid"},
)
row(
    "spatial hard sigmoid, one axis",
    but(Line, squash_s=lambda s, z: F.hardsigmoid(z)),
    {LINE},
    {"a hard sigmoid instead of the spatial sigmoid"},
)
row(
    "the average map twice, three axes",
    but(Volume, maps=lambda s, x: [x.mean(1, True), x.mean(1, True)]),
    {VOLUME},
    {"the average over channels taken twice"},
)
row(
    "the index of the maximum",
    but(Linear, maps=lambda s, x: [x.mean(1, True), x.max(1, True)[1].to(x.dtype)]),
    (),
    {"the maximum's place instead of its value, over channels"},
)
row(
    "one map",
    lambda: but(Linear, maps=lambda s, x: [x.mean(1, True)])(maps=1),
    (),
    {"the average map alone in the spatial submodule"},
)
row(
    "maps added",
    lambda: but(Conv1x1, stack=lambda s, maps: maps[0] + maps[1])(maps=1),
    (),
    {"the two maps added instead of concatenated"},
)
row(
    "three maps",
    lambda: but(Loop, maps=lambda s, x: [x.mean(1, True), x.amax(1, True), x.amin(1, True)])(maps=3),
    {BIASES, NORM},
    {"a third map, the minimum, in the spatial submodule"},
)
row(
    "straight from C channels",
    lambda: but(Linear, maps=lambda s, x: [x])(maps=64),
    (),
    {"the convolution runs over all channels, without pooling"},
)
row("a dilated kernel", lambda: Parted(ChannelPart(), Dilated()), (), {"a dilated convolution, by 2"})
row(
    "ReLU behind the convolution",
    but(Loop, behind=lambda s, z: F.relu(z)),
    {BIASES, NORM},
    {"a ReLU before the spatial sigmoid"},
)


class Dilated(SpatialPart):
    """A kernel with gaps."""

    def __init__(self):
        super().__init__(7)
        self.conv = nn.Conv2d(2, 1, 7, padding=6, dilation=2, bias=False)


class Even(SpatialPart):
    """A kernel of even size, with as many zeros around the maps as keep their size."""

    def __init__(self):
        super().__init__(6)
        self.conv = nn.Sequential(nn.ZeroPad2d((2, 3, 2, 3)), nn.Conv2d(2, 1, 6))


row("a kernel of even size", lambda: Parted(ChannelPart(), Even()), {KERNEL_BIAS}, {"a kernel of even size"})


class Kernels(nn.Module):
    """A map from kernels of several sizes, whose scores meet."""

    def __init__(self, sizes, meet):
        super().__init__()
        self.kernels, self.meet = nn.ModuleList(nn.Conv2d(2, 1, k, padding=k // 2) for k in sizes), meet

    def forward(self, x):
        maps = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return torch.sigmoid(self.meet(torch.stack([kernel(maps) for kernel in self.kernels]), 0))


row(
    "two kernels, added",
    lambda: Parted(ChannelPart(), Kernels((3, 7), torch.sum)),
    {KERNEL_BIAS},
    {"several convolutions of the pooled maps, added"},
)
row(
    "three kernels, averaged",
    lambda: Parted(ChannelPart(), Kernels((3, 5, 7), torch.mean)),
    {KERNEL_BIAS},
    {"several convolutions of the pooled maps, averaged"},
)
row(
    "spatial attention not applied",
    but(Conv1x1, forward=lambda s, x: x * s.channel_map(x)),
    (),
    {"spatial attention built, but not applied"},
)
row(
    "the standard deviation over channels",
    but(Linear, maps=lambda s, x: [x.mean(1, True), x.std(1, keepdim=True, unbiased=False)]),
    (),
    {"the standard deviation instead of the maximum over channels"},
)


def overwritten(self, x):
    """Overwrite x with the scores, and weight them."""
    x = x * self.channel_map(x)
    x = self.conv(self.stack(self.maps(x)))
    return x * torch.sigmoid(x)


row(
    "x overwritten by the scores",
    but(Linear, forward=overwritten),
    (),
    {"M_s not multiplied on", "the scores weighted by their own sigmoid, z·σ(z)"},
)
