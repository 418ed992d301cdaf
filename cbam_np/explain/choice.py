"""Which images to show of two networks: by a rule that is stated, and not by hand."""

import numpy as np


def choose(p_before: np.ndarray, p_after: np.ndarray, labels: np.ndarray, count: int = 5) -> dict[str, np.ndarray]:
    """Choose images by what a second network makes of them.

    Parameters
    ----------
    p_before, p_after : ndarray, shape (N, classes)
        Probabilities from the first network and from the second.
    labels : ndarray of int, shape (N,)
        The right classes.
    count : int
        How many of each kind.

    Returns
    -------
    dict of str to ndarray
        Numbers of images: "both right", the first that both networks get right; "gained", where the probability of
        the right class rises most; "lost", where it falls most. Fewer where there are not so many.
    """
    right = (p_before.argmax(axis=1) == labels) & (p_after.argmax(axis=1) == labels)
    change = (p_after - p_before)[np.arange(len(labels)), labels]
    order = np.argsort(-change, kind="stable")
    return {
        "both right": np.flatnonzero(right)[:count],
        "gained": order[change[order] > 0][:count],
        "lost": order[::-1][change[order[::-1]] < 0][:count],
    }
