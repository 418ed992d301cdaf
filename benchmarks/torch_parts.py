"""Parts of networks in PyTorch, for the benchmarks and for the tests that compare with PyTorch.

The maxima, whose ties go the way of the PyTorch function that takes them, and the ResNets for ImageNet, written from
what is known of torchvision's and of the authors' arrangement. Nothing here is shared with `cbam_np`.
"""

import torch
import torch.nn.functional as nnf
from torch import nn

PLANS = {18: (1, (2, 2, 2, 2)), 34: (1, (3, 4, 6, 3)), 50: (4, (3, 4, 6, 3)), 101: (4, (3, 4, 23, 3))}


def space_max(F, ties):
    """Maximum over (H, W): (N, C, H, W) -> (N, C)."""
    return nnf.adaptive_max_pool2d(F, 1).flatten(1) if ties == "first" else F.amax(dim=(2, 3))


def channels_max(F, ties):
    """Maximum over C: (N, C, H, W) -> (N, 1, H, W)."""
    return F.max(dim=1, keepdim=True).values if ties == "first" else F.amax(dim=1, keepdim=True)


class Cbam(nn.Module):
    """CBAM as in the authors' code, its parameters where theirs are."""

    def __init__(self, channels):
        super().__init__()
        self.ChannelGate = nn.Module()
        hidden = channels // 16
        self.ChannelGate.mlp = nn.Sequential(
            nn.Flatten(), nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )
        self.SpatialGate = nn.Module()
        self.SpatialGate.spatial = nn.Module()
        self.SpatialGate.spatial.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.SpatialGate.spatial.bn = nn.BatchNorm2d(1, momentum=0.01)

    def forward(self, x):
        """Return the weighted maps."""
        mlp, spatial = self.ChannelGate.mlp, self.SpatialGate.spatial
        size = x.shape[2:]
        scores = mlp(nnf.avg_pool2d(x, size)) + mlp(nnf.max_pool2d(x, size))
        x = x * torch.sigmoid(scores)[:, :, None, None]
        maps = torch.cat([x.max(dim=1, keepdim=True).values, x.mean(dim=1, keepdim=True)], dim=1)
        return x * torch.sigmoid(spatial.bn(spatial.conv(maps)))


class Block(nn.Module):
    """A basic block or, with four times as many outputs, a bottleneck."""

    def __init__(self, inputs, width, expansion, stride, attention):
        super().__init__()
        outputs = width * expansion
        plan = [(inputs, width, 3, stride), (width, outputs, 3, 1)]
        if expansion == 4:
            plan = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        self.length = len(plan)
        for number, (i, o, k, s) in enumerate(plan, start=1):
            self.add_module(f"conv{number}", nn.Conv2d(i, o, k, stride=s, padding=k // 2, bias=False))
            self.add_module(f"bn{number}", nn.BatchNorm2d(o))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.cbam = Cbam(outputs) if attention == "cbam" else None

    def forward(self, x):
        """Return the block's maps."""
        y = x
        for number in range(1, self.length + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            if number < self.length:
                y = nnf.relu(y)
        if self.cbam is not None:
            y = self.cbam(y)
        return nnf.relu(y + (x if self.downsample is None else self.downsample(x)))


class ImageNetResNet(nn.Module):
    """The network; it normalises images with values 0 to 255 by itself, as ours does."""

    def __init__(self, depth, attention, classes):
        super().__init__()
        expansion, plan = PLANS[depth]
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64)
        inputs = 64
        for stage, count in enumerate(plan):
            blocks = []
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(Block(inputs, 64 * 2**stage, expansion, stride, attention))
                inputs = 64 * 2**stage * expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        """Return the scores of images (N, 3, H, W)."""
        x = x.to(self.fc.weight.dtype)
        mean, std = (x.new_tensor(s)[:, None, None] for s in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
        x = nnf.relu(self.bn1(self.conv1((x / 255 - mean) / std)))
        x = nnf.max_pool2d(x, 3, stride=2, padding=1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.fc(x.mean(dim=(2, 3)))
