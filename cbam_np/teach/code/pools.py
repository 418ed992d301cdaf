"""Pools over space and over channels by name, among them those that people's mistakes make."""

from collections.abc import Callable

import numpy as np


def _space(x: np.ndarray) -> np.ndarray:
    return x.reshape(*x.shape[:2], -1)  # (N,C,…) -> (N,C,P)


def _misread(x: np.ndarray) -> np.ndarray:
    """Read (N, C, P) as if it were (N, P, C): a reshape where a transposition is needed."""
    flat = _space(x)
    return flat.reshape(flat.shape[0], flat.shape[2], flat.shape[1]).swapaxes(1, 2)


def _for_all_images(pooled: np.ndarray, images: int) -> np.ndarray:
    return np.repeat(pooled, images, axis=0)


def _lse(flat: np.ndarray) -> np.ndarray:
    top = flat.max(-1)
    return top + np.log(np.exp(flat - top[..., None]).sum(-1))


SPACE: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # (N, C, …) -> (N, C)
    "avg": lambda x: _space(x).mean(-1),
    "max": lambda x: _space(x).max(-1),
    "mixed": lambda x: 0.5 * _space(x).mean(-1) + 0.5 * _space(x).max(-1),
    "min": lambda x: _space(x).min(-1),
    "sum": lambda x: _space(x).sum(-1),
    "std": lambda x: _space(x).std(-1, ddof=1),
    "std of all": lambda x: _space(x).std(-1),
    "lp": lambda x: np.sqrt((_space(x) ** 2).sum(-1)),
    "lse": lambda x: _lse(_space(x)),
    "argmax": lambda x: _space(x).argmax(-1).astype(float),
    "max of absolute values": lambda x: np.abs(_space(x)).max(-1),
    "avg over the batch": lambda x: _for_all_images(_space(x).mean((0, 2))[None], len(x)),
    "max over the batch": lambda x: _for_all_images(_space(x).max(2).max(0)[None], len(x)),
    "avg over the channels": lambda x: np.repeat(_space(x).mean((1, 2))[:, None], x.shape[1], axis=1),
    "max over the channels": lambda x: np.repeat(_space(x).max(2).max(1)[:, None], x.shape[1], axis=1),
    "avg of the first image": lambda x: _for_all_images(_space(x[:1]).mean(-1), len(x)),
    "max of the first image": lambda x: _for_all_images(_space(x[:1]).max(-1), len(x)),
    "avg misread": lambda x: _misread(x).mean(-1),
    "max misread": lambda x: _misread(x).max(-1),
}

CHANNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # (N, C, …) -> (N, 1, …)
    "avg": lambda x: x.mean(1, keepdims=True),
    "max": lambda x: x.max(1, keepdims=True),
    "mixed": lambda x: 0.5 * x.mean(1, keepdims=True) + 0.5 * x.max(1, keepdims=True),
    "min": lambda x: x.min(1, keepdims=True),
    "sum": lambda x: x.sum(1, keepdims=True),
    "std": lambda x: x.std(1, keepdims=True, ddof=1 if x.shape[1] > 1 else 0),
    "std of all": lambda x: x.std(1, keepdims=True),
    "argmax": lambda x: x.argmax(1)[:, None].astype(float),
    "avg over the batch": lambda x: _for_all_images(x.mean((0, 1))[None, None], len(x)),
    "max over the batch": lambda x: _for_all_images(x.max(1).max(0)[None, None], len(x)),
    "avg of the first image": lambda x: _for_all_images(x[:1].mean(1, keepdims=True), len(x)),
    "max of the first image": lambda x: _for_all_images(x[:1].max(1, keepdims=True), len(x)),
}


def pool_over_space(x: np.ndarray, names: tuple[str, ...], note: Callable) -> list[np.ndarray]:
    """Return one pooled vector (N, C) for each name."""
    return [note(f"F_{name}", SPACE[name](x), x) for name in names]


def pool_over_channels(x: np.ndarray, names: tuple[str, ...], note: Callable) -> list[np.ndarray]:
    """Return one pooled map (N, 1, …) for each name."""
    return [note(f"Fs_{name}", CHANNELS[name](x), x) for name in names]
