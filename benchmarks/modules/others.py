"""Another module under the name of CBAM."""

import torch
from torch import nn

from .rows import BIASES, SE, row
from .structures import Conv1x1


class SqueezeExcitation(nn.Module):
    """SE."""

    def __init__(self, C=64, r=16):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(C, C // r), nn.ReLU(), nn.Linear(C // r, C), nn.Sigmoid())

    def forward(self, x):
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


class Eca(nn.Module):
    """ECA."""

    def __init__(self, k=3):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, k, padding=k // 2, bias=False)

    def forward(self, x):
        y = self.conv(x.mean((2, 3))[:, None])[:, 0]
        return x * torch.sigmoid(y)[:, :, None, None]


row("SE", SqueezeExcitation, {BIASES}, {SE})
row("ECA", Eca, (), {"a convolution over the channels in the place of the MLP, as in ECA", SE})
row(
    "CBAM, then SE",
    lambda: nn.Sequential(Conv1x1(), SqueezeExcitation()),
    None,
    {"a squeeze-and-excitation block behind it"},
)
