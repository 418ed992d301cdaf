"""Modules in which the two attentions meet in another way."""

import torch
from torch import nn
from torch.nn import functional as F

from .rows import PARALLEL, RESIDUAL, SE, TURNED, VOLUME, but, row
from .structures import Conv1x1, Linear, PoolInside, Volume


class ReturnsBothMaps(Conv1x1):
    """Returns the output, to which the input was added, and both maps."""

    def forward(self, x):
        Mc = self.channel_map(x)
        Ms = self.spatial_map(x * Mc)
        return x + x * Mc * Ms, Mc, Ms


row("residual, and both maps come back", ReturnsBothMaps, (), {RESIDUAL})


class NormBehind(Linear):
    """A batch normalisation of what comes out."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(64)

    def forward(self, x):
        return self.norm(super().forward(x))


row("a normalisation of the output", NormBehind, (), {"a normalisation of the output"})
row(
    "the same in evaluation mode",
    lambda: NormBehind().eval(),
    (),
    {"a normalisation of the output"},
)

row("parallel", but(Conv1x1, forward=lambda s, x: x * s.channel_map(x) * s.spatial_map(x)), (), {PARALLEL})
row(
    "parallel, average only",
    but(Linear, forward=lambda s, x: x * s.channel_map(x) * s.spatial_map(x), pools=lambda s, x: [s.avg(x)]),
    (),
    {PARALLEL, SE},
)
row("residual", but(Linear, forward=lambda s, x: Linear.forward(s, x) + x), (), {RESIDUAL})
row(
    "residual, [max; avg], three axes",
    but(Volume, forward=lambda s, x: x + Volume.forward(s, x), stack=lambda s, maps: torch.cat(maps[::-1], 1)),
    {VOLUME, TURNED},
    {RESIDUAL},
)
row(
    "added",
    but(Conv1x1, forward=lambda s, x: x * s.channel_map(x) + x * s.spatial_map(x)),
    (),
    {"x·M_c + x·M_s, added"},
)
row(
    "M_s(M_c(x))",
    but(Conv1x1, forward=lambda s, x: s.spatial_map(s.channel_map(x))),
    (),
    {"M_s(M_c(F)): neither map multiplied on"},
)
row(
    "σ(M_c ⊗ M_s), a map",
    but(Conv1x1, forward=lambda s, x: torch.sigmoid(s.channel_map(x) * s.spatial_map(x))),
    (),
    {"a map σ(M_c ⊗ M_s) that is not multiplied on"},
)
row(
    "M_s onto F",
    but(Linear, forward=lambda s, x: x * s.spatial_map(x * s.channel_map(x))),
    (),
    {"M_s multiplied onto F instead of F'"},
)
row(
    "the input added in the channel step",
    but(Linear, forward=lambda s, x: (lambda y: y * s.spatial_map(y))(x + x * s.channel_map(x))),
    (),
    {"the input added in the channel step"},
)
row(
    "ReLU on the output",
    but(PoolInside, forward=lambda s, x: F.relu(PoolInside.forward(s, x))),
    (),
    {"a ReLU on the output"},
)
row(
    "only the map M_s(F') comes back",
    but(Linear, forward=lambda s, x: s.spatial_map(x * s.channel_map(x))),
    (),
    {"M_s not multiplied on"},
)
