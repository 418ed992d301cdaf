"""Examples with friendly numbers, drawn at random."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ...cbam import channel_attention_forward, spatial_attention_forward
from ..calculation.steps import trace_cbam
from ..calculation.trace import Trace

WEIGHTS = np.array([-3, -2, -1, 1, 2, 3]) / 2
DRAWS = 100_000  # before giving up


def friendly(
    rng: np.random.Generator, channels: int, size: int, hidden: int, kernel_size: int, bias: bool, ties: bool
) -> Iterator[Trace]:
    """Yield examples: small whole numbers, weights in halves, no shared maximum unless `ties`, no saturated sigmoid."""
    for _ in range(DRAWS):
        trace = _draw(rng, channels, size, hidden, kernel_size, bias, ties)
        if trace is not None:
            yield trace


def _draw(rng: np.random.Generator, C: int, n: int, hidden: int, k: int, bias: bool, ties: bool) -> Trace | None:
    """Draw an example; None where the draw was unlucky."""
    F = _features(rng, C, n, ties)
    params = {"W0": rng.choice(WEIGHTS, (hidden, C)), "W1": rng.choice(WEIGHTS, (C, hidden))}
    if bias:
        params |= {"b0": rng.choice(WEIGHTS, hidden), "b1": rng.choice(WEIGHTS, C)}
    if not _shows_relu(F, params["W0"], params.get("b0", 0)):
        return None
    Mc, cache = channel_attention_forward(F[None], params, mlp_bias=bias)
    if not _is_friendly(cache, F * Mc[0]):
        return None
    for _ in range(20):
        kept = rng.permutation(2 * k * k) < 8  # a kernel of few entries can be followed by hand
        params["W7"] = rng.choice(WEIGHTS, (1, 2, k, k)) * kept.reshape(1, 2, k, k)
        if np.abs(spatial_attention_forward(F[None] * Mc, params)[1].z_s).max() <= 3:
            dF_out = rng.choice([-2, -1, 0, 1, 2], size=F.shape, p=np.array([1, 3, 4, 3, 1]) / 12)
            return trace_cbam(F, _exact(params), dF_out, mlp_bias=bias)
    return None


def _exact(params: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return halves as fractions."""
    return {name: (2 * W).astype(int).astype(object) * Fraction(1, 2) for name, W in params.items()}


def _shows_relu(F: np.ndarray, W0: np.ndarray, b0: np.ndarray | int) -> bool:
    """Tell whether ReLU does something, something else in either branch, and whether that is clear."""
    after = []
    for pooled in (F.mean(axis=(1, 2)), F.max(axis=(1, 2))):
        h = W0 @ pooled + b0
        after.append((h > 0).tolist())
        if not any(after[-1]) or np.abs(h).min() < 0.05:
            return False  # a branch that gives nothing; rounding would decide what ReLU does
    return bool(after[0] != after[1])


def _is_friendly(cache: Any, F1: np.ndarray) -> bool:
    """Tell whether the channel submodule's numbers are clear enough for rounding to change nothing but digits."""
    pixels = np.sort(F1, axis=0)
    return bool((pixels[-1] - pixels[-2] >= 0.05).all() and np.abs(cache.z_c).max() <= 3)  # no sigmoid near 0 or 1


def _features(rng: np.random.Generator, C: int, n: int, ties: bool) -> np.ndarray:
    """Draw small whole numbers; each channel has one maximum, one of them twice if `ties`, one of them a low one."""
    F = rng.choice(np.arange(-1, 4), size=(C, n * n), p=[0.15, 0.25, 0.25, 0.2, 0.15])
    tied, low = rng.permutation(C)[:2]
    F[low] = np.minimum(F[low], 1)
    for c in range(C):
        places = rng.permutation(n * n)[:3]
        F[c, places[0]] = F[c].max() + 1
        if ties and c == tied:
            F[c, places[1]] = F[c, places[0]]
        if c == low:
            F[c, places[2]] = -3  # farther from 0 than the maximum
    return F.reshape(C, n, n)
