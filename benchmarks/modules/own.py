"""Modules of our own writing, each with what it truly is. The truths were written before any of them was checked.

A row is (name, how to make it, the choices' names, the departures' names); right are those without departures.
"""

import torch
from torch import nn
from torch.nn import functional as F

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
    space,
)  # fmt: skip

BIASES, KERNEL_BIAS = "biases in the MLP", "a bias in the k×k convolution"
NORM, TURNED = "batch normalisation after the k×k convolution", "maps in the order [max; avg]"
LINE, VOLUME = "one axis of space", "three axes of space"
SE = "the maximum's branch missing"
FIRST = "spatial attention before channel attention"
PARALLEL, RESIDUAL = "M_s computed on F instead of F'", "the input added at the end"

ROWS = []


def row(name, make, choices=(), departures=()):
    """Add a module with its truth."""
    ROWS.append((name, make, None if choices is None else frozenset(choices), frozenset(departures)))


def but(base, **hooks):
    """Return a structure with some hooks overridden."""
    return type(f"{base.__name__}Changed", (base,), hooks)


# --- right: the paper's formula, in every structure, and with choices ---

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

# --- wrong: channel attention ---

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

# --- wrong: spatial attention ---

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

# --- wrong: how the two meet ---


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

# --- two deviations ---

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

# --- another module under its name ---


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


# --- where a mistake hides: made anew with every seed ---


class Dead(Linear):
    """A hidden unit that is dead for every maximum at the start: its first layer is negative."""

    def __init__(self, **options):
        super().__init__(**options)
        with torch.no_grad():
            self.down.weight.copy_(-self.down.weight.abs())


AVERAGE_ONLY = but(Linear, pools=lambda s, x: [s.avg(x)])
HIDING = {
    "average only, C = 16, r = 16": (lambda: AVERAGE_ONLY(16, 16), {SE}),
    "average only, W1 = 0": (lambda: but(StartsSilent, pools=lambda s, x: [s.avg(x)])(), {SE}),
    "average only, dead units": (lambda: but(Dead, pools=lambda s, x: [s.avg(x)])(C=16), {SE}),
    "ReLU6, C = 16, r = 16": (lambda: Linear(16, 16, act=nn.ReLU6()), {"ReLU6 instead of ReLU in the MLP"}),
    "two MLPs with the same start": (lambda: SameStart(own=True), {"an MLP for each branch"}),
    "no ReLU, positive weights": (lambda: Linear(16, 16, act=nn.Identity()), {"the ReLU in the MLP forgotten"}),
    "right, C = 16, r = 16, dead units": (lambda: Dead(C=16, r=16), set()),
}


class SameStart(OwnMLPs):
    """Two MLPs that start alike."""

    def __init__(self, **options):
        super().__init__(**options)
        self.fc1_max.load_state_dict(self.fc1.state_dict())
        self.fc2_max.load_state_dict(self.fc2.state_dict())
