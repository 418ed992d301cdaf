"""Softmax cross-entropy: how wrong the probabilities are."""

from typing import NamedTuple

import numpy as np

from .checks import as_float, unmasked


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """-(1/N) Σ_n log p[n, label of n], with p = e^s / Σ e^s: the definition, without label smoothing."""
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.mean([np.log(p[n, k]) for n, k in enumerate(labels)])


class LossCache(NamedTuple):
    """What `softmax_cross_entropy_backward` needs: the probabilities and what they should have been."""

    p: np.ndarray
    target: np.ndarray


def softmax(logits: np.ndarray) -> np.ndarray:
    r"""Probabilities p_k = e^{s_k} / Σ_j e^{s_j}, one row per image.

    The row's maximum is subtracted first, which changes nothing in the fraction and keeps e^s finite.

    Parameters
    ----------
    logits : ndarray, shape (N, K)
        Scores s.

    Returns
    -------
    p : ndarray, shape (N, K)
        Rows of probabilities that add to 1.

    Raises
    ------
    ValueError
        If the logits do not have two axes.
    """
    logits = as_float(logits, "logits", "N classes")
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_cross_entropy_forward(
    logits: np.ndarray, labels: np.ndarray, label_smoothing: float = 0.0
) -> tuple[np.floating, LossCache]:
    r"""Mean cross-entropy between softmax(logits) and the labels, L = -(1/N) Σ_n Σ_k t_nk log p_nk.

    With label smoothing ε the target t is 1 - ε + ε/K for the true class and ε/K for the others.

    Parameters
    ----------
    logits : ndarray, shape (N, K)
        Scores s.
    labels : ndarray of int, shape (N,)
        True classes, 0 to K - 1.
    label_smoothing : float
        ε in [0, 1).

    Returns
    -------
    loss : floating
        A scalar of the logits' dtype.
    cache : LossCache
        For `softmax_cross_entropy_backward`; `cache.p` are the probabilities.

    Raises
    ------
    ValueError
        If the labels are not N whole numbers from 0 to K - 1, or ε is out of range.
    """
    logits = as_float(logits, "logits", "N classes")
    N, K = logits.shape
    labels = unmasked(labels, "labels")
    if labels.shape != (N,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels are {labels.dtype} of shape {labels.shape}, expected {N} whole numbers, one per image"
        )
    if labels.min() < 0 or labels.max() >= K:
        raise ValueError(f"labels go from {labels.min()} to {labels.max()}, expected 0 to {K - 1} for {K} logits")
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"label_smoothing is {label_smoothing}, expected at least 0 and less than 1")
    target = np.full((N, K), label_smoothing / K, logits.dtype)
    target[np.arange(N), labels] += 1 - label_smoothing
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(target * log_p).sum() / logits.dtype.type(N), LossCache(np.exp(log_p), target)


def softmax_cross_entropy_backward(dloss: float, cache: LossCache) -> np.ndarray:
    r"""Gradient of `softmax_cross_entropy_forward`.

    ∂(-Σ_k t_k log p_k)/∂s_j = p_j Σ_k t_k - t_j = p_j - t_j, because the targets of an image add to 1.

    Parameters
    ----------
    dloss : float
        Gradient with respect to the loss; 1 at the start of a backward pass.
    cache : LossCache
        From `softmax_cross_entropy_forward`.

    Returns
    -------
    dlogits : ndarray, shape (N, K)
        dloss (p - t) / N.
    """
    return (cache.p - cache.target) * cache.p.dtype.type(dloss / len(cache.p))
