"""The rules of CBAM's own steps between the pools: sigmoid, ReLU, convolution, normalisation, and their gradients."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ...ops import sigmoid_forward
from .rules import (
    Arrays,
    Index,
    Interval,
    Rule,
    difference,
    entrywise,
    monotone_bound,
    products,
    size_bound,
    spread,
    summed,
    term,
)

ON_CHANNELS, ON_PIXELS = "c,cij->cij", "ij,cij->cij"  # M_c ⊗ F, M_s ⊗ F


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return σ(z)."""
    return sigmoid_forward(z)[0]


def relu(h: np.ndarray) -> np.ndarray:
    """Return ReLU(h)."""
    return np.maximum(h, 0)


def sigmoid_slope(dM: np.ndarray, M: np.ndarray) -> np.ndarray:
    """Return what comes back through M = σ(z)."""
    return dM * M * (1 - M)


def relu_slope(da: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return what comes back through a = ReLU(h)."""
    return da * (h > 0)


SIGMOID = entrywise(sigmoid, "σ({})", "z", bound=monotone_bound)
RELU = entrywise(relu, "ReLU({})", "h", bound=monotone_bound)
SIGMOID_SLOPE = entrywise(sigmoid_slope, "{0}·{1}·(1 - {1})", "dM", "M")
RELU_SLOPE = entrywise(relu_slope, "{0}·[{1} > 0]", "da", "h")


def of(rule: Rule, *names: str) -> Rule:
    """Return the same rule of other steps: ``of(SIGMOID, "z_c")``."""
    return rule._replace(inputs=names)


# --- the convolution ---


def as_it_is(W: np.ndarray) -> np.ndarray:
    """Return a kernel, or a window, as it is."""
    return W


def turned_round(W: np.ndarray) -> np.ndarray:
    """Return kernels, or windows, with their last two axes turned round."""
    return W[..., ::-1, ::-1]


def windows(maps: np.ndarray, k: int, pad: str = "constant", before: int | None = None) -> np.ndarray:
    """Return what a k×k kernel meets at every pixel: (..., H, W) -> (..., H, W, k, k).

    Outside are zeros, or what `pad` says, as for `numpy.pad`; `before` is how far the kernel reaches up and left of
    its pixel, k // 2 if its middle lies there.
    """
    before = k // 2 if before is None else before
    after = k - 1 - before
    if pad == "constant":
        *others, H, W = maps.shape
        padded = np.full((*others, H + k - 1, W + k - 1), "0" if maps.dtype == object else 0, maps.dtype)
        padded[..., before : before + H, before : before + W] = maps
    else:
        width = [(0, 0)] * (maps.ndim - 2) + [(before, after)] * 2
        padded = np.pad(maps, width, mode=cast(Any, pad))
    return np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(-2, -1))


def convolution(
    W: str, *maps: str, turn: Callable = as_it_is, pad: str = "constant", before: int | None = None
) -> Rule:
    """Return the rule of the k×k convolution of stacked maps.

    `turn` may flip the kernel or choose a part of it; `pad` and `before` are those of `windows`.
    """

    def arrange(W: np.ndarray, *maps: np.ndarray) -> Arrays:
        return turn(W), windows(np.stack(maps), W.shape[-1], pad, before)

    return products(term("mab,mijab->ij", W, *maps, arrange=arrange))


def kernel_gradient(dz: str, *maps: str, k: int, turn: Callable = as_it_is) -> Rule:
    """Return the rule of the kernel's gradient: each entry meets a window of the maps at every pixel."""

    def arrange(dz: np.ndarray, *maps: np.ndarray) -> Arrays:
        return dz, turn(windows(np.stack(maps), k))

    return products(term("ij,mijab->mab", dz, *maps, arrange=arrange))


def map_gradient(W: str, dz: str, half: int, turn: Callable = turned_round) -> Rule:
    """Return the rule of a pooled map's gradient: the flipped half of the kernel over dz."""

    def arrange(W: np.ndarray, dz: np.ndarray) -> Arrays:
        return turn(W[half]), windows(dz, W.shape[-1])

    return products(term("ab,ijab->ij", W, dz, arrange=arrange))


# --- batch normalisation of the map y_s: z = γ (y - μ) / √(v + ε) + β, one number each of μ, v, γ and β ---

EPSILON = 1e-5


def root(v: np.ndarray) -> np.ndarray:
    """Return √(v + ε); no variance is less than 0, even if rounding would allow it."""
    return np.sqrt(np.maximum(v, 0) + EPSILON)


def normalised(y: np.ndarray, mu: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return (y - μ) / √(v + ε)."""
    return (y - mu) / root(v)


def _scaled(y: np.ndarray, mu: np.ndarray, v: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return gamma * normalised(y, mu, v) + beta


def _unscaled(dz: np.ndarray, gamma: np.ndarray, v: np.ndarray) -> np.ndarray:
    return dz * gamma / root(v)


def _matched(dz: np.ndarray, y: np.ndarray, mu: np.ndarray, v: np.ndarray) -> np.ndarray:
    return dz * normalised(y, mu, v)


ROOT = f"√({{}} + {EPSILON:.5f})"
NORMALISATION = spread(
    "ij,,,,->ij", _scaled, f"{{3}}·({{0}} - {{1}})/{ROOT.format('{2}')} + {{4}}", "y_s", "mu_s", "v_s", "gamma", "beta"
)
THROUGH_CONSTANTS = spread("ij,,->ij", _unscaled, f"{{0}}·{{1}}/{ROOT.format('{2}')}", "dz_s", "gamma", "v_s")
SCALE_GRADIENT = summed(
    spread("ij,ij,,->ij", _matched, f"{{0}}·({{1}} - {{2}})/{ROOT.format('{3}')}", "dz_s", "y_s", "mu_s", "v_s")
)


def variance(y: str, mu: str, size: int) -> Rule:
    """Return the rule of a variance, the average of the squared distances from the mean."""

    def mean_of_squares(distance: np.ndarray) -> np.ndarray:
        return np.asarray((distance**2).sum() / size)

    def compute(y: np.ndarray, mu: np.ndarray) -> np.ndarray:
        return mean_of_squares(y - mu)

    def bound(lows: Arrays, highs: Arrays) -> Interval:
        return size_bound(mean_of_squares)([lows[0] - highs[1]], [highs[0] - lows[1]])

    def spell(index: Index, texts: Arrays) -> str:
        return f"({' + '.join(f'({y} - {texts[1]})²' for y in texts[0].flat)})/{size}"

    return Rule((y, mu), compute, bound, spell)


def through_statistics(M: int) -> Rule:
    """Return the rule of dy_s where μ and v are those of the M numbers of y_s itself, which so moves them too.

    dy = γ/√(v + ε) · (dz - dβ/M - ŷ dγ/M), with ŷ = (y - μ)/√(v + ε).
    """

    def around_the_mean(dz: np.ndarray, dbeta: np.ndarray, gamma: np.ndarray, v: np.ndarray) -> np.ndarray:
        return _unscaled(dz - dbeta / M, gamma, v)

    def along_the_spread(
        y: np.ndarray, mu: np.ndarray, v: np.ndarray, gamma: np.ndarray, dgamma: np.ndarray
    ) -> np.ndarray:
        return normalised(y, mu, v) * gamma / root(v) * dgamma / M

    first = spread("ij,,,->ij", around_the_mean, "", "dz_s", "dbeta", "gamma", "v_s")
    second = spread("ij,,,,->ij", along_the_spread, "", "y_s", "mu_s", "v_s", "gamma", "dgamma")
    written = ROOT.format("{v}")
    template = f"{{gamma}}/{written}·({{dz}} - {{dbeta}}/{M} - ({{y}} - {{mu}})/{written}·{{dgamma}}/{M})"
    names = ("dz", "dbeta", "gamma", "v", "y", "mu", "v", "gamma", "dgamma")

    def spell(index: Index, texts: Arrays) -> str:
        numbers = [text[index if text.ndim else ()] for text in texts]
        return template.format(**dict(zip(names, numbers, strict=True)))

    return difference(first, second)._replace(spell=spell)
