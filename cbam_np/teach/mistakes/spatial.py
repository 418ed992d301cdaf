"""Mistakes in the spatial submodule, from the pooled maps to M_s."""

import numpy as np

from ..rules import monotone_bound, products, reduction, term
from ..steps import convolution
from .channel import largest_size, mean_of_nonzero, position_from_1, position_of_max, size_bound
from .mistake import copy_of, entries, mistake, on, rearranged, sigmoid, then

BOTH = "Fs_avg Fs_max"


def _source(c):
    """Return the name of what spatial attention looks at."""
    return (c.get("Fs_avg") or c["Fs_max"]).inputs[0]


def _maps(c):
    """Return the names of the concatenated maps, in their order."""
    return c["z_s"].inputs[1:]


def _pooled(pool, function, word, bound=monotone_bound):
    return lambda c: {f"Fs_{pool}": reduction(_source(c), "cij->ij", function, word, bound)}


def _divided_by(number):
    return lambda c: {"Fs_avg": products(term("cij->ij", _source(c)), divide=number(c))}


def _of_before_the_gate(c):
    """Spatial attention looks at what channel attention looked at."""
    source = _source(c)
    before = c[source].inputs[1] if source in c else source
    return {f"Fs_{p}": on(c[f"Fs_{p}"], source, before) for p in ("avg", "max") if f"Fs_{p}" in c and before != source}


def _convolved(**options):
    return lambda c: {"z_s": convolution("W7", *_maps(c), **options)}


def _kernel_sits(offset):
    return lambda c: _convolved(before=c.k // 2 + offset)(c) if 0 < c.k // 2 + offset < c.k else {}


def _unpadded(c):
    """Keep the kernel inside the map: what it gives there is written from the first pixel on, and nothing else."""

    def cut(z):
        inside = np.full_like(z, np.nan)
        rows, columns = (max(n - c.k + 1, 0) for n in z.shape)
        inside[:rows, :columns] = z[:rows, :columns]
        return inside

    return {"z_s": rearranged(convolution("W7", *_maps(c), before=0), cut)} if 1 < c.k <= min(c.H, c.W) else {}


def _one_map(which):
    def change(c):
        W7, *maps = c["z_s"].inputs
        if f"Fs_{which}" not in maps:
            return {}
        alone = maps.index(f"Fs_{which}")
        return {"z_s": convolution(W7, f"Fs_{which}", turn=lambda W: W[alone : alone + 1])}

    return change


MISTAKES = (
    mistake(
        "the spatial step taken on F instead of F', as if in parallel",
        "One attention follows the other: the spatial one looks at F', what the channel one has weighted, not at F.",
        _of_before_the_gate,
        needs="M_c M_s",
    ),
    mistake(
        "the average map taken twice",
        "The maximum over the channels was not taken: the average map stands in both places.",
        lambda c: {"Fs_max": c["Fs_avg"]},
        needs=BOTH,
    ),
    mistake(
        "the maximum map taken twice",
        "The average over the channels was not taken: the maximum map stands in both places.",
        lambda c: {"Fs_avg": c["Fs_max"]},
        needs=BOTH,
    ),
    mistake(
        "divided by H·W instead of C",
        "The average over channels divides by their number, C, not by the number of pixels.",
        _divided_by(lambda c: c.H * c.W),
        needs="Fs_avg",
    ),
    mistake(
        "the sum instead of the average over channels",
        "The channels were added up, but not divided by their number, C.",
        _divided_by(lambda c: 1),
        needs="Fs_avg",
    ),
    mistake(
        "zeros left out of the average over channels",
        "A channel that is 0 at a pixel counts as well: divide by all C channels.",
        _pooled("avg", mean_of_nonzero, "average of what is not 0 in "),
        needs="Fs_avg",
    ),
    mistake(
        "the median instead of the average over channels",
        "The average is the sum divided by C; the number in the middle is the median.",
        lambda c: _pooled("avg", np.median, "median")(c) if c.C > 2 else {},
        needs="Fs_avg",
    ),
    mistake(
        "the minimum instead of the maximum over channels",
        "The largest channel at the pixel is wanted, not the smallest.",
        _pooled("max", np.min, "min"),
        needs="Fs_max",
    ),
    mistake(
        "the maximum of |F'| over channels",
        "The largest number is wanted, not the one that is farthest from 0: signs count.",
        _pooled("max", largest_size, "max of the sizes of ", size_bound),
        needs="Fs_max",
    ),
    mistake(
        "the maximum's place instead of its value, over channels",
        "The number of the channel was used: argmax, or the second thing that a framework's max returns.",
        _pooled("max", position_of_max, "place of the maximum in "),
        _pooled("max", position_from_1, "place of the maximum in "),
        needs="Fs_max",
    ),
    mistake(
        "average and maximum map swapped in the concatenation",
        "The first half of the kernel belongs to the average map, the second to the maximum map.",
        lambda c: {"z_s": convolution("W7", *reversed(_maps(c)))},
        needs=f"z_s {BOTH}",
    ),
    mistake(
        "the average map left out of the convolution",
        "The kernel has two halves, and both maps count.",
        _one_map("max"),
        needs=f"z_s {BOTH}",
    ),
    mistake(
        "the maximum map left out of the convolution",
        "The kernel has two halves, and both maps count.",
        _one_map("avg"),
        needs=f"z_s {BOTH}",
    ),
    mistake(
        "the kernel flipped",
        "The kernel lies on the map as it is printed, without being turned round (cross-correlation).",
        _convolved(turn=lambda W: W[:, ::-1, ::-1]),
        needs="z_s",
    ),
    mistake(
        "the kernel's rows and columns swapped",
        "The kernel's first index goes down the rows, its second along the columns.",
        _convolved(turn=lambda W: W.swapaxes(1, 2)),
        needs="z_s",
    ),
    mistake(
        "padding forgotten",
        "The map is surrounded by zeros, so that the kernel's middle can lie on every pixel, also at the border.",
        _unpadded,
        needs="z_s",
    ),
    mistake(
        "padding with the border's values",
        "Outside the map there are zeros; the border is not repeated or mirrored.",
        _convolved(pad="edge"),
        lambda c: _convolved(pad="symmetric")(c),
        lambda c: _convolved(pad="reflect")(c) if min(c.H, c.W) > 2 else {},
        needs="z_s",
    ),
    mistake(
        "padding round the corner",
        "Outside the map there are zeros; what leaves on one side does not come in on the other.",
        _convolved(pad="wrap"),
        needs="z_s",
    ),
    mistake(
        "the kernel's corner on the pixel instead of its middle",
        "The kernel's middle entry lies on the pixel that is computed.",
        _convolved(before=0),
        needs="z_s",
    ),
    mistake(
        "the kernel's middle missed by one",
        "The middle of a k×k kernel is entry (k+1)/2, counted from 1: the fourth of seven.",
        *(_kernel_sits(offset) for offset in (1, -1)),
        needs="z_s",
    ),
    mistake(
        "the spatial sigmoid forgotten",
        "M_s is the sigmoid of the scores z_s, a weight between 0 and 1.",
        lambda c: {"M_s": copy_of("z_s")},
    ),
    mistake(
        "the spatial sigmoid taken twice",
        "M_s is one sigmoid of the scores z_s, not the sigmoid of a sigmoid.",
        lambda c: {"M_s": then(c["M_s"], sigmoid, "σ({})")},
        needs="M_s",
    ),
    mistake(
        "the sign in the spatial sigmoid",
        "σ(z) = 1/(1 + e^(-z)), with a minus: a large score gives a weight near 1.",
        lambda c: {"M_s": entries("σ(-({}))", "z_s", f=lambda z: sigmoid(-z))},
    ),
    mistake(
        "tanh instead of the spatial sigmoid",
        "CBAM squashes with the sigmoid σ, which lies between 0 and 1; tanh lies between -1 and 1.",
        lambda c: {"M_s": entries("tanh({})", "z_s", f=np.tanh, rising=True)},
    ),
)
