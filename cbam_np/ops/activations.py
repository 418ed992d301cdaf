"""ReLU and sigmoid, the MLP's bend and the squashing that turns scores into weights from 0 to 1; and GELU."""

from math import erf
from typing import NamedTuple

import numpy as np

from .. import engine
from .checks import as_float, check_dout, inexact


def relu(x: np.ndarray) -> np.ndarray:
    """ReLU(x) = x if x > 0 else 0: the definition."""
    return np.where(x > 0, x, 0)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """σ(z) = 1 / (1 + e^{-z}): the definition."""
    return 1 / (1 + np.exp(-z))


def gelu(x: np.ndarray) -> np.ndarray:
    """GELU(x) = x Φ(x), where Φ is the normal distribution, ½ (1 + erf(x/√2)): the definition."""
    return x * np.vectorize(lambda value: (1 + erf(value / np.sqrt(2))) / 2)(x)


class ReLUCache(NamedTuple):
    """What `relu_backward` needs: the output, which is positive where the input is; so nobody has to keep that."""

    out: np.ndarray


class GELUCache(NamedTuple):
    """What `gelu_backward` needs: the slope."""

    slope: np.ndarray


class SigmoidCache(NamedTuple):
    """What `sigmoid_backward` needs: the output."""

    out: np.ndarray


def relu_forward(x: np.ndarray) -> tuple[np.ndarray, ReLUCache]:
    r"""Rectified linear unit, ReLU(x) = x if x > 0 else 0.

    Parameters
    ----------
    x : ndarray
        Any shape.

    Returns
    -------
    out : ndarray
        Same shape and dtype.
    cache : ReLUCache
        For `relu_backward`.

    Notes
    -----
    Source: the lecture, Step 1.
    """
    out = engine.positive_part(as_float(x, "x"))
    return out, ReLUCache(out)


def relu_backward(dout: np.ndarray, cache: ReLUCache) -> np.ndarray:
    r"""Gradient of `relu_forward`.

    The slope is 1 where x > 0, which is where out > 0, and 0 elsewhere, so dx = dout ⊗ [out > 0]. At x = 0 there
    is no slope; we take 0, as every framework does.

    Parameters
    ----------
    dout : ndarray
        Gradient of the loss with respect to the output, the shape of x.
    cache : ReLUCache
        From `relu_forward`.

    Returns
    -------
    dx : ndarray
        The shape of x.

    Raises
    ------
    ValueError
        If `dout` does not have the shape of x.
    """
    dout = check_dout(dout, cache.out.shape)
    return engine.pass_where_positive(dout, cache.out)  # dx = dout ⊗ [out > 0]


def sigmoid_forward(z: np.ndarray) -> tuple[np.ndarray, SigmoidCache]:
    r"""Logistic sigmoid, σ(z) = 1 / (1 + e^{-z}), without overflow at any z.

    Only e^{-|z|} is ever taken, which lies in (0, 1]: for z ≥ 0, σ = 1 / (1 + e^{-|z|}), and for z < 0 the
    same fraction multiplied by e^{-|z|}.

    Parameters
    ----------
    z : ndarray
        Any shape; exact fractions are turned into float64 here, because e is irrational.

    Returns
    -------
    out : ndarray
        Weights in [0, 1], same shape and float dtype.
    cache : SigmoidCache
        For `sigmoid_backward`.

    Notes
    -----
    Source: the lecture, Review: "a sigmoid gives weights in (0, 1)".
    """
    z = inexact(as_float(z, "z"))
    e = np.exp(-np.abs(z))
    out = np.exp(np.minimum(z, 0)) / (1 + e)  # above, 1 for z ≥ 0 and e for z < 0
    return out, SigmoidCache(out)


def sigmoid_backward(dout: np.ndarray, cache: SigmoidCache) -> np.ndarray:
    r"""Gradient of `sigmoid_forward`.

    dσ/dz = e^{-z} / (1 + e^{-z})² = σ(z) (1 - σ(z)), so dz = dout ⊗ σ ⊗ (1 - σ).

    Parameters
    ----------
    dout : ndarray
        Gradient of the loss with respect to the output.
    cache : SigmoidCache
        From `sigmoid_forward`.

    Returns
    -------
    dz : ndarray
        The shape of z.

    Raises
    ------
    ValueError
        If `dout` does not have the shape of z.
    """
    return check_dout(dout, cache.out.shape) * cache.out * (1 - cache.out)


def gelu_forward(x: np.ndarray) -> tuple[np.ndarray, GELUCache]:
    r"""Gaussian error linear unit, GELU(x) = x Φ(x), with Φ the distribution function of N(0, 1).

    Large numbers pass, small ones are damped smoothly: x times the probability that a normal number is below x.

    Parameters
    ----------
    x : ndarray
        One axis or more.

    Returns
    -------
    out : ndarray
        Same shape and dtype.
    cache : GELUCache
        For `gelu_backward`.

    Notes
    -----
    Source: Hendrycks and Gimpel, arXiv:1606.08415.
    """
    out, slope = engine.gelu(inexact(as_float(x, "x")))
    return out, GELUCache(slope)


def gelu_backward(dout: np.ndarray, cache: GELUCache) -> np.ndarray:
    r"""Gradient of `gelu_forward`.

    By the product rule, with Φ' = φ, the density φ(x) = e^{-x²/2} / √(2π): the slope is Φ(x) + x φ(x), and
    dx = dout ⊗ (Φ(x) + x φ(x)).

    Parameters
    ----------
    dout : ndarray
        Gradient of the loss with respect to the output.
    cache : GELUCache
        From `gelu_forward`.

    Returns
    -------
    dx : ndarray
        The shape of x.

    Raises
    ------
    ValueError
        If `dout` does not have the shape of x.
    """
    return check_dout(dout, cache.slope.shape) * cache.slope
