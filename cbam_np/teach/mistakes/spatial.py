"""Mistakes in the spatial submodule, between its pooled maps and M_s."""

import numpy as np

from ..calculation.cbam_rules import convolution
from .mistake import mistake, on, rearranged

BOTH = "Fs_avg Fs_max"


def _source(c):
    """Return the name of what spatial attention looks at."""
    return (c.get("Fs_avg") or c["Fs_max"]).inputs[0]


def _maps(c):
    """Return the names of the concatenated maps, in their order."""
    return c["z_s"].inputs[1:]


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
)
