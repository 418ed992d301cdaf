"""Right modules of our own writing: the paper's formula, in every structure, and with choices."""

import torch
from torch import nn
from torch.nn import functional as F

from .rows import BIASES, FIRST, KERNEL_BIAS, LINE, NORM, TURNED, VOLUME, but, row
from .structures import (
    ChannelPart,
    Conv1x1,
    Einsum,
    Lazy,
    Line,
    Linear,
    Listed,
    Loop,
    Matrices,
    Parted,
    PoolInside,
    SpatialPart,
    Volume,
)

row("1x1 convolutions", Conv1x1)
row("linear layers, C = 16, r = 16", lambda: Linear(16, 16))
row("pools inside of Sequentials", PoolInside)
row(
    "a loop over the pools, the authors' choices",
    but(Loop, stack=lambda s, maps: torch.cat(maps[::-1], 1)),
    {BIASES, NORM, TURNED},
)
row(
    "the same in evaluation mode",
    lambda: but(Loop, stack=lambda s, maps: torch.cat(maps[::-1], 1))().eval(),
    {BIASES, NORM, TURNED},
)
row("lazy layers", Lazy)
row("bare matrices", Matrices)
row("bare matrices with biases", lambda: Matrices(bias=True), {BIASES})
row("a ModuleList, k = 3", lambda: Listed(k=3))
row("channel-last vectors, r = 8", Einsum, {BIASES, KERNEL_BIAS})
row("one axis", Line, {LINE})
row("one axis with biases", lambda: Line(bias=True), {LINE, BIASES, KERNEL_BIAS})
row("three axes", Volume, {VOLUME})
row("two modules", lambda: Parted(ChannelPart(), SpatialPart()))
row(
    "two modules, a bias in the kernel",
    lambda: Parted(ChannelPart(bias=True), SpatialPart(bias=True)),
    {BIASES, KERNEL_BIAS},
)
row("M_c alone", ChannelPart)
row("M_s alone, k = 3", lambda: SpatialPart(3))
row("LeakyReLU(0.2)", lambda: Linear(act=nn.LeakyReLU(0.2)), {"LeakyReLU(0.2) in the MLP"})
row("GELU, C = 32, r = 4", lambda: Conv1x1(32, 4, act=nn.GELU()), {"GELU in the MLP"})
row("SiLU in Sequentials", lambda: PoolInside(act=nn.SiLU()), {"SiLU in the MLP"})
row("PReLU", lambda: Conv1x1(act=nn.PReLU()), {"PReLU in the MLP"})
row("ELU, three axes", lambda: but(Volume, mlp=lambda s, v: s.fc2(F.elu(s.fc1(v))))(), {VOLUME, "ELU in the MLP"})
row(
    "reflected border",
    lambda: Parted(ChannelPart(), SpatialPart(padding_mode="reflect")),
    {"the maps' border reflected"},
)


def spatial_first(self, x):
    x = x * self.spatial_map(x)
    return x * self.channel_map(x)


row("spatial first", but(Conv1x1, forward=spatial_first), {FIRST})
row(
    "spatial first, one axis, [max; avg]",
    but(Line, forward=spatial_first, stack=lambda s, maps: torch.cat(maps[::-1], 1)),
    {LINE, FIRST, TURNED},
)


class InPlace(Linear):
    """Weights its input in place, as a network may where its maxima are taken by index."""

    def top(self, x):
        return x.flatten(2).max(2)[0]

    def forward(self, x):
        x *= self.channel_map(x)
        x *= self.spatial_map(x)
        return x


row("in place", InPlace)


class WithDropout(Linear):
    """Dropout in the MLP, in training mode."""

    def mlp(self, v):
        return self.up(F.dropout(F.relu(self.down(v)), 0.5, self.training))


row("dropout", WithDropout)


class ReturnsItsMap(Conv1x1):
    """Returns the output and the map."""

    def forward(self, x):
        x = x * self.channel_map(x)
        M = self.spatial_map(x)
        return x * M, M


row("returns its map as well", ReturnsItsMap)


class StartsSilent(Conv1x1):
    """Starts with W1 = 0, so that every weight of M_c is 1/2, and the branches do not show."""

    def __init__(self, **options):
        super().__init__(**options)
        nn.init.zeros_(self.fc2.weight)


row("W1 = 0 at the start", StartsSilent)


class Unused(Linear):
    """Has a layer that is never used."""

    def __init__(self):
        super().__init__()
        self.extra = nn.Linear(64, 64)


row("a layer that is never used", Unused)


class OnASequence(Linear):
    """Takes (N, T, C, H, W), and treats one frame after the other."""

    def forward(self, x):
        N, T, C, H, W = x.shape
        return super().forward(x.reshape(N * T, C, H, W)).view(N, T, C, H, W)


class ChannelsLast(Conv1x1):
    """Takes (N, H, W, C)."""

    def forward(self, x):
        if x.shape[-1] != self.fc1.in_channels:
            raise ValueError("expected channels last")
        return super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class ForOneSize(Linear):
    """Has pools that are as large as its inputs, 12×10."""

    def __init__(self):
        super().__init__()
        self.by_avg, self.by_max = nn.AvgPool2d((12, 10)), nn.MaxPool2d((12, 10))

    def pools(self, x):
        return [self.by_avg(x)[..., 0, 0], self.by_max(x)[..., 0, 0]]


class Prints(Linear):
    """Prints whenever it runs."""

    def forward(self, x):
        print("input", tuple(x.shape))
        return super().forward(x)


row("on a sequence", OnASequence)
row("channels last", ChannelsLast)
row("pools for inputs of one size", ForOneSize)
row("prints", Prints)
