"""Activations by name, and normalisation, as a formula of someone's module may have them."""

from collections.abc import Callable, Mapping
from math import erf

import numpy as np

_erf = np.vectorize(erf, otypes=[float])


def sigmoid(z: np.ndarray, _slope: object = 0.0) -> np.ndarray:
    """Return σ(z), by tanh, which does not overflow."""
    return 0.5 * (np.tanh(0.5 * z) + 1)


def _relu(z: np.ndarray, _slope: object) -> np.ndarray:
    return np.maximum(z, 0)


def _prelu(z: np.ndarray, slope: np.ndarray) -> np.ndarray:
    slope = np.reshape(slope, (1, -1, *[1] * (z.ndim - 2))) if np.size(slope) > 1 else slope
    return np.where(z > 0, z, z * slope)


def _leaky(slope: float) -> Callable[[np.ndarray, object], np.ndarray]:
    return lambda z, _slope: np.where(z > 0, z, slope * z)


def _softplus(z: np.ndarray, _slope: object) -> np.ndarray:
    return np.logaddexp(0, z)


SLOPES = (0.01, 0.1, 0.2, 0.05, 0.3, 0.25)

ACTIVATIONS: dict[str, Callable] = {
    "relu": _relu,
    "identity": lambda z, _slope: z,
    "prelu": _prelu,
    **{f"leaky {slope}": _leaky(slope) for slope in SLOPES},
    "relu6": lambda z, _slope: np.clip(z, 0, 6),
    "silu": lambda z, _slope: z * sigmoid(z),
    "gelu": lambda z, _slope: z * 0.5 * (1 + _erf(z / np.sqrt(2))),
    "gelu by tanh": lambda z, _slope: z * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "elu": lambda z, _slope: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z, _slope: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(np.minimum(z, 0))),
    "mish": lambda z, _slope: z * np.tanh(_softplus(z, 0)),
    "hardswish": lambda z, _slope: z * np.clip(z + 3, 0, 6) / 6,
    "softplus": _softplus,
    "tanh": lambda z, _slope: np.tanh(z),
    "sigmoid": sigmoid,
    "hardsigmoid": lambda z, _slope: np.clip(z / 6 + 0.5, 0, 1),
    "hardsigmoid of keras": lambda z, _slope: np.clip(0.2 * z + 0.5, 0, 1),
}


def normalised(z: np.ndarray, roles: Mapping[str, np.ndarray], prefix: str, axes: tuple[int, ...]) -> np.ndarray:
    """Return z under the normalisation of this prefix, if there is one; by given statistics or by those of z.

    Batch normalisation looks over `axes`; a layer's, marked by the role `layer`, over all axes but the first.
    """
    if f"{prefix}gamma" not in roles:
        return z
    if f"{prefix}layer" in roles:
        axes = tuple(range(1, z.ndim))
    if f"{prefix}mean" in roles:
        mean, var = (_along(roles[prefix + name], z) for name in ("mean", "var"))
    else:
        mean, var = z.mean(axis=axes, keepdims=True), z.var(axis=axes, keepdims=True)
    gamma, beta = (_along(roles[prefix + name], z) for name in ("gamma", "beta"))
    return gamma * (z - mean) / np.sqrt(var + roles[f"{prefix}eps"]) + beta


def _along(vector: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return one number per channel in a shape that is broadcast along (N, C, …)."""
    return np.reshape(vector, (1, -1, *[1] * (z.ndim - 2)))
