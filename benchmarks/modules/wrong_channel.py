"""Modules whose channel attention is something else."""

import torch
from torch import nn
from torch.nn import functional as F

from .rows import BIASES, LINE, NORM, SE, VOLUME, but, row
from .structures import (
    ChannelPart,
    Conv1x1,
    Line,
    Linear,
    Listed,
    Loop,
    Matrices,
    Parted,
    PoolInside,
    SpatialPart,
    Volume,
    space,
)

row("average only, linear", but(Linear, pools=lambda s, x: [s.avg(x)]), (), {SE})
row("average only, C = 16, r = 16", lambda: but(Linear, pools=lambda s, x: [s.avg(x)])(16, 16), (), {SE})


class Returns(Loop):
    """A `return` inside the loop over the pools."""

    def channel_map(self, x):
        for kind in self.pool_types:
            return torch.sigmoid(self.gate(self.pooled(x, kind)))[:, :, None, None]


row("a return inside the loop", Returns, {BIASES, NORM}, {SE})
row("maximum only", lambda: Loop(pool_types=("max",)), {BIASES, NORM}, {"the average's branch missing"})
row("the average twice", but(Conv1x1, top=lambda s, x: x.mean(space(x))), (), {"the average over space taken twice"})
row(
    "the average twice, one axis", but(Line, top=lambda s, x: x.mean(2)), {LINE}, {"the average over space taken twice"}
)
row(
    "pools added before the MLP, matrices",
    but(Matrices, pools=lambda s, x: [s.avg(x) + s.top(x)]),
    (),
    {"the pools added before the MLP"},
)


class Concatenated(nn.Module):
    """The pooled vectors side by side through one MLP."""

    def __init__(self, C=64, r=16):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(2 * C, C // r), nn.ReLU(), nn.Linear(C // r, C))
        self.sa = SpatialPart()

    def forward(self, x):
        x = x * torch.sigmoid(self.mlp(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)))[:, :, None, None]
        return x * self.sa(x)


row("pools concatenated", Concatenated, {BIASES}, {"the pooled vectors concatenated before the MLP"})
row(
    "a sigmoid on each branch",
    but(Linear, squash_c=lambda s, z: z, join=lambda s, zs: sum(map(torch.sigmoid, zs))),
    (),
    {"a sigmoid on each branch, then the sum"},
)
row(
    "branches averaged, three axes",
    but(Volume, join=lambda s, zs: (zs[0] + zs[1]) / 2),
    {VOLUME},
    {"the branches averaged instead of added"},
)
row(
    "hard sigmoid",
    but(Conv1x1, squash_c=lambda s, z: F.hardsigmoid(z)),
    (),
    {"a hard sigmoid instead of the channel sigmoid"},
)
row(
    "softmax over the channels",
    but(Listed, squash_c=lambda s, z: z.softmax(1)),
    (),
    {"softmax instead of the channel sigmoid"},
)
row("tanh", but(PoolInside, squash_c=lambda s, z: torch.tanh(z)), (), {"tanh instead of the channel sigmoid"})
row(
    "no channel sigmoid, biases",
    lambda: but(Conv1x1, squash_c=lambda s, z: z)(bias=True),
    {BIASES},
    {"the channel sigmoid forgotten"},
)
row("ReLU6", lambda: Linear(act=nn.ReLU6()), (), {"ReLU6 instead of ReLU in the MLP"})
row("no ReLU", lambda: Linear(act=nn.Identity()), (), {"the ReLU in the MLP forgotten"})
row(
    "ReLU behind the MLP",
    but(Conv1x1, mlp=lambda s, v: F.relu(Conv1x1.mlp(s, v))),
    (),
    {"a ReLU behind the MLP as well"},
)


class OwnMLPs(Conv1x1):
    """A second MLP for the maximum."""

    def channel_map(self, x):
        v = x.amax((2, 3), keepdim=True)
        z = self.fc2_max(self.act(self.fc1_max(v)))
        return torch.sigmoid(self.mlp(self.avg(x))[:, :, None, None] + z)


row("two MLPs", lambda: OwnMLPs(own=True), (), {"an MLP for each branch"})
row(
    "three pools",
    but(Linear, pools=lambda s, x: [s.avg(x), s.top(x), x.amin((2, 3))]),
    (),
    {"a third pool, the minimum, in the channel submodule"},
)
row(
    "the maximum's place",
    but(Conv1x1, top=lambda s, x: F.adaptive_max_pool2d(x, 1, True)[1].to(x.dtype)[:, :, 0, 0]),
    (),
    {"the maximum's place instead of its value, over space"},
)
row(
    "pools over the batch",
    but(Linear, pools=lambda s, x: [x.mean((0, 2, 3)).expand(len(x), -1), x.amax((0, 2, 3)).expand(len(x), -1)]),
    (),
    {"pooled over the batch as well, in the channel submodule"},
)
row(
    "the first image's pools",
    but(Linear, pools=lambda s, x: [x[0].mean((1, 2)).expand(len(x), -1), x[0].amax((1, 2)).expand(len(x), -1)]),
    (),
    {"the first image's pools used for the whole batch"},
)
row(
    "a wrong reshape",
    but(
        Linear,
        pools=lambda s, x: [x.reshape(len(x), -1, x.shape[1]).mean(1), x.reshape(len(x), -1, x.shape[1]).amax(1)],
    ),
    (),
    {"a wrong reshape in the channel submodule's pools"},
)


row(
    "average and standard deviation, added",
    but(Conv1x1, pools=lambda s, x: [s.avg(x) + x.flatten(2).std(2, unbiased=False)]),
    (),
    {"the standard deviation instead of the maximum over space", "the pools added before the MLP"},
)
row(
    "channel attention not applied",
    but(Linear, forward=lambda s, x: x * s.spatial_map(x)),
    (),
    {"channel attention built, but not applied"},
)


class OneLayer(nn.Module):
    """One C×C layer, average only, as in a detection library."""

    def __init__(self, C=64):
        super().__init__()
        self.fc, self.sa = nn.Conv2d(C, C, 1), SpatialPart()

    def forward(self, x):
        x = x * torch.sigmoid(self.fc(F.adaptive_avg_pool2d(x, 1)))
        return x * self.sa(x)


row("one C×C layer", OneLayer, (), {"one C×C layer in the place of the MLP", SE})


class IgnoresItsRatio(Parted):
    """Accepts a ratio, and has C // 16 hidden units whatever it is."""

    def __init__(self, channels, ratio=16):
        super().__init__(ChannelPart(channels, 16), SpatialPart())


row("the ratio ignored", lambda: IgnoresItsRatio(64, ratio=8), (), {"the reduction ratio ignored"})
