"""CBAM as people write it in PyTorch, in several structures, each with places where it can be made something else.

Every structure is a class with the same hooks; a module with a deviation overrides one or two of them.
"""

import torch
from torch import nn
from torch.nn import functional as F


def space(x):
    """Return the axes of space."""
    return tuple(range(2, x.ndim))


def last(v, x):
    """Return scores (N, C) in the shape of M_c."""
    return v.reshape(*v.shape[:2], *[1] * (x.ndim - 2))


class Hooks(nn.Module):
    """What is the same in every structure: pools, the sum, the sigmoids, the maps, the gates."""

    def avg(self, x):
        return x.mean(space(x))

    def top(self, x):
        return x.amax(space(x))

    def pools(self, x):
        return [self.avg(x), self.top(x)]

    def join(self, scores):
        return sum(scores)

    def squash_c(self, z):
        return torch.sigmoid(z)

    def channel_map(self, x):
        return last(self.squash_c(self.join([self.mlp(v) for v in self.pools(x)])), x)

    def maps(self, x):
        return [x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]]

    def stack(self, maps):
        return torch.cat(maps, 1)

    def squash_s(self, z):
        return torch.sigmoid(z)

    def behind(self, z):
        return z

    def spatial_map(self, x):
        return self.squash_s(self.behind(self.conv(self.stack(self.maps(x)))))

    def forward(self, x):
        x = x * self.channel_map(x)
        return x * self.spatial_map(x)


class Conv1x1(Hooks):
    """The MLP as two 1×1 convolutions."""

    def __init__(self, C=64, r=16, k=7, maps=2, bias=False, kernel_bias=False, act=None, own=False):
        super().__init__()
        self.fc1 = nn.Conv2d(C, C // r, 1, bias=bias)
        self.act = act or nn.ReLU()
        self.fc2 = nn.Conv2d(C // r, C, 1, bias=bias)
        if own:
            self.fc1_max, self.fc2_max = nn.Conv2d(C, C // r, 1, bias=bias), nn.Conv2d(C // r, C, 1, bias=bias)
        self.conv = nn.Conv2d(maps, 1, k, padding=k // 2, bias=kernel_bias)

    def mlp(self, v):
        return self.fc2(self.act(self.fc1(v[:, :, None, None])))[:, :, 0, 0]


class Linear(Hooks):
    """The MLP as two linear layers, first the kernel, then the MLP."""

    def __init__(self, C=64, r=16, k=7, maps=2, bias=False, kernel_bias=False, act=None):
        super().__init__()
        self.conv = nn.Conv2d(maps, 1, k, padding=k // 2, bias=kernel_bias)
        self.down, self.up = nn.Linear(C, C // r, bias=bias), nn.Linear(C // r, C, bias=bias)
        self.act = act or nn.ReLU()

    def mlp(self, v):
        return self.up(self.act(self.down(v)))


class PoolInside(Hooks):
    """Two Sequentials that begin with a pool and share their layers."""

    def __init__(self, C=64, r=16, k=7, maps=2, bias=False, kernel_bias=False, act=None):
        super().__init__()
        first, act, second = nn.Conv2d(C, C // r, 1, bias=bias), act or nn.ReLU(inplace=True), None
        second = nn.Conv2d(C // r, C, 1, bias=bias)
        self.by_avg = nn.Sequential(nn.AdaptiveAvgPool2d(1), first, act, second)
        self.by_max = nn.Sequential(nn.AdaptiveMaxPool2d(1), first, act, second)
        self.conv = nn.Conv2d(maps, 1, k, padding="same", bias=kernel_bias)

    def channel_map(self, x):
        return self.squash_c(self.join([self.by_avg(x), self.by_max(x)]))


class Loop(Hooks):
    """A loop over the names of pools, flattened, as in the authors' code, with batch normalisation after the kernel."""

    def __init__(self, C=64, r=16, k=7, pool_types=("avg", "max"), maps=2, norm=True, act=None):
        super().__init__()
        self.gate = nn.Sequential(nn.Flatten(), nn.Linear(C, C // r), act or nn.ReLU(), nn.Linear(C // r, C))
        self.pool_types = pool_types
        layers = [nn.Conv2d(maps, 1, k, padding=(k - 1) // 2, bias=False)]
        self.conv = nn.Sequential(*layers, nn.BatchNorm2d(1, momentum=0.01)) if norm else nn.Sequential(*layers)

    def pooled(self, x, kind):
        size = x.shape[2:]
        return F.avg_pool2d(x, size) if kind == "avg" else F.max_pool2d(x, size)

    def channel_map(self, x):
        total = None
        for kind in self.pool_types:
            raw = self.gate(self.pooled(x, kind))
            total = raw if total is None else total + raw
        return last(self.squash_c(total), x)


class Lazy(Hooks):
    """Layers whose weights appear at the first run."""

    def __init__(self, r=16, k=7, hidden=4):
        super().__init__()
        self.first, self.hidden = nn.LazyLinear(hidden, bias=False), hidden
        self.second = nn.Linear(hidden, 64, bias=False)
        self.conv = nn.LazyConv2d(1, k, padding=k // 2, bias=False)

    def mlp(self, v):
        return self.second(F.relu(self.first(v)))


class Matrices(Hooks):
    """The MLP as bare parameters, multiplied from the right; the kernel as well."""

    def __init__(self, C=64, r=16, k=7, bias=False):
        super().__init__()
        self.A = nn.Parameter(torch.randn(C, C // r) * 0.1)
        self.B = nn.Parameter(torch.randn(C // r, C) * 0.1)
        if bias:
            self.a, self.b = nn.Parameter(torch.zeros(C // r)), nn.Parameter(torch.zeros(C))
        self.bias, self.K = bias, nn.Parameter(torch.randn(1, 2, k, k) * 0.1)

    def mlp(self, v):
        h = torch.relu(v @ self.A + (self.a if self.bias else 0))
        return h @ self.B + (self.b if self.bias else 0)

    def conv(self, maps):
        return F.conv2d(maps, self.K, padding=self.K.shape[-1] // 2)


class Listed(Hooks):
    """The layers in a ModuleList."""

    def __init__(self, C=64, r=16, k=7, bias=False):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(C, C // r, bias=bias), nn.Linear(C // r, C, bias=bias)])
        self.conv = nn.Conv2d(2, 1, k, padding=k // 2, bias=False)

    def mlp(self, v):
        for at, layer in enumerate(self.layers):
            v = layer(F.relu(v) if at else v)
        return v


class Einsum(Hooks):
    """Channel-last vectors in the MLP, as with einops."""

    def __init__(self, C=64, r=8, k=7, bias=True):
        super().__init__()
        self.mix = nn.Sequential(nn.Linear(C, C // r, bias=bias), nn.ReLU(), nn.Linear(C // r, C, bias=bias))
        self.conv = nn.Conv2d(2, 1, k, padding=k // 2, bias=True)

    def mlp(self, v):
        return self.mix(v[:, None, None, :])[:, 0, 0]


class Line(Hooks):
    """One axis of space."""

    def __init__(self, C=64, r=16, k=7, bias=False, act=None):
        super().__init__()
        self.fc = nn.Sequential(
            nn.Conv1d(C, C // r, 1, bias=bias), act or nn.ReLU(), nn.Conv1d(C // r, C, 1, bias=bias)
        )
        self.conv = nn.Conv1d(2, 1, k, padding=k // 2, bias=bias)

    def mlp(self, v):
        return self.fc(v[:, :, None])[:, :, 0]


class Volume(Hooks):
    """Three axes of space."""

    def __init__(self, C=32, r=8, k=3, bias=False):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(C, C // r, bias=bias), nn.Linear(C // r, C, bias=bias)
        self.conv = nn.Conv3d(2, 1, k, padding=k // 2, bias=bias)

    def mlp(self, v):
        return self.fc2(F.relu(self.fc1(v)))


class Parted(nn.Module):
    """Two modules, one for each attention."""

    def __init__(self, channel, spatial):
        super().__init__()
        self.channel, self.spatial = channel, spatial

    def forward(self, x):
        x = self.channel(x) * x
        return self.spatial(x) * x


class ChannelPart(nn.Module):
    """M_c alone."""

    def __init__(self, C=64, r=16, bias=False):
        super().__init__()
        self.avg_pool, self.max_pool = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)
        self.mlp = nn.Sequential(nn.Conv2d(C, C // r, 1, bias=bias), nn.ReLU(), nn.Conv2d(C // r, C, 1, bias=bias))

    def forward(self, x):
        return torch.sigmoid(self.mlp(self.avg_pool(x)) + self.mlp(self.max_pool(x)))


class SpatialPart(nn.Module):
    """M_s alone."""

    def __init__(self, k=7, bias=False, **options):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, k, padding=k // 2, bias=bias, **options)

    def forward(self, x):
        return torch.sigmoid(self.conv(torch.cat([x.mean(1, True), x.max(1, True).values], 1)))
