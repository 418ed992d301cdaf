"""Mistakes in the spatial submodule, between its pooled maps and M_s."""

from collections.abc import Callable

import numpy as np

from ..calculation.cbam_rules import as_it_is, convolution, turned_round
from .mistake import Calculation, Change, OneWay, mistake, rearranged, with_input

BOTH = "Fs_avg Fs_max"


def _of_before_the_gate(c: Calculation) -> Change:
    """Spatial attention looks at what channel attention looked at."""
    source = c[c.maps[0]].inputs[0]
    if source not in c:
        return {}
    before = c[source].inputs[1]
    return {name: with_input(c[name], source, before) for name in c.maps}


def _convolved(
    turn: Callable[[np.ndarray], np.ndarray] = as_it_is, pad: str = "constant", offset: int = 0, reaches: int = 1
) -> OneWay:
    """Return a variant of the convolution.

    `turn` and `pad` are those of `convolution`; the kernel's middle lies `offset` off its pixel; the map's sides must
    be at least `reaches`.
    """

    def change(c: Calculation) -> Change:
        before = c.k // 2 + offset
        if (offset and not 0 < before < c.k) or min(c.H, c.W) < reaches:
            return {}
        return {c.convolved: convolution("W7", *c.maps, turn=turn, pad=pad, before=before)}

    return change


def _corner_on_the_pixel(c: Calculation) -> Change:
    return {c.convolved: convolution("W7", *c.maps, before=0)}


def _maps_swapped(c: Calculation) -> Change:
    return {c.convolved: convolution("W7", *reversed(c.maps))}


def _unpadded(c: Calculation) -> Change:
    """Keep the kernel inside the map: what it gives there is written from the first pixel on, and nothing else."""

    def cut(z: np.ndarray) -> np.ndarray:
        inside = np.full_like(z, np.nan)
        rows, columns = (max(n - c.k + 1, 0) for n in z.shape)
        inside[:rows, :columns] = z[:rows, :columns]
        return inside

    if not 1 < c.k <= min(c.H, c.W):
        return {}
    return {c.convolved: rearranged(convolution("W7", *c.maps, before=0), cut)}


def _one_map(name: str) -> OneWay:
    """Return a variant in which only one of the maps, with its half of the kernel, goes through the convolution."""

    def change(c: Calculation) -> Change:
        at = c.maps.index(name)

        def half(W: np.ndarray) -> np.ndarray:
            return W[at : at + 1]

        return {c.convolved: convolution("W7", name, turn=half)}

    return change


def rows_for_columns(W: np.ndarray) -> np.ndarray:
    """Return a kernel with rows and columns swapped."""
    return W.swapaxes(1, 2)


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
        _maps_swapped,
        needs=f"z_s {BOTH}",
    ),
    mistake(
        "the average map left out of the convolution",
        "The kernel has two halves, and both maps count.",
        _one_map("Fs_max"),
        needs=f"z_s {BOTH}",
    ),
    mistake(
        "the maximum map left out of the convolution",
        "The kernel has two halves, and both maps count.",
        _one_map("Fs_avg"),
        needs=f"z_s {BOTH}",
    ),
    mistake(
        "the kernel flipped",
        "The kernel lies on the map as it is printed, without being turned round (cross-correlation).",
        _convolved(turn=turned_round),
        needs="z_s",
    ),
    mistake(
        "the kernel's rows and columns swapped",
        "The kernel's first index goes down the rows, its second along the columns.",
        _convolved(turn=rows_for_columns),
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
        _convolved(pad="symmetric"),
        _convolved(pad="reflect", reaches=3),
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
        _corner_on_the_pixel,
        needs="z_s",
    ),
    mistake(
        "the kernel's middle missed by one",
        "The middle of a k×k kernel is entry (k+1)/2, counted from 1: the fourth of seven.",
        *(_convolved(offset=offset) for offset in (1, -1)),
        needs="z_s",
    ),
)
