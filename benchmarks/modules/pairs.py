"""Modules with two deviations."""

import torch
from torch import nn
from torch.nn import functional as F

from .right import spatial_first
from .rows import FIRST, RESIDUAL, SE, but, row
from .structures import Conv1x1, Linear

row(
    "average only, no sigmoid",
    but(Linear, pools=lambda s, x: [s.avg(x)], squash_c=lambda s, z: z),
    (),
    {SE, "the channel sigmoid forgotten"},
)
row(
    "average only with SiLU",
    lambda: but(Linear, pools=lambda s, x: [s.avg(x)])(act=nn.SiLU()),
    {"SiLU in the MLP"},
    {SE},
)
row(
    "hard sigmoids in both",
    but(Conv1x1, squash_c=lambda s, z: F.hardsigmoid(z), squash_s=lambda s, z: F.hardsigmoid(z)),
    (),
    {"a hard sigmoid instead of the channel sigmoid", "a hard sigmoid instead of the spatial sigmoid"},
)
row(
    "average twice, no spatial sigmoid",
    but(Linear, top=lambda s, x: s.avg(x), squash_s=lambda s, z: z),
    (),
    {"the average over space taken twice", "the spatial sigmoid forgotten"},
)
row(
    "residual and average only",
    but(Conv1x1, pools=lambda s, x: [s.avg(x)], forward=lambda s, x: x + Conv1x1.forward(s, x)),
    (),
    {SE, RESIDUAL},
)
row(
    "ReLU6 and spatial softmax",
    lambda: but(Linear, squash_s=lambda s, z: z.flatten(2).softmax(2).view_as(z))(act=nn.ReLU6()),
    (),
    {"ReLU6 instead of ReLU in the MLP", "softmax instead of the spatial sigmoid"},
)
row("spatial first, average only", but(Conv1x1, forward=spatial_first, pools=lambda s, x: [s.avg(x)]), {FIRST}, {SE})
row(
    "GELU, each branch a sigmoid",
    lambda: but(Linear, squash_c=lambda s, z: z, join=lambda s, zs: sum(map(torch.sigmoid, zs)))(act=nn.GELU()),
    {"GELU in the MLP"},
    {"a sigmoid on each branch, then the sum"},
)
