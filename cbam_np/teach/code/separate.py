"""A module's output taken apart: what it multiplies each channel and each pixel by, whatever formula made that.

Where F'' = F ⊗ M_c ⊗ M_s, the ratio F''/F is, for each image, a column times a row: the column is M_c but for a factor,
the row M_s. So each part can be compared by itself, and a mistake in one does not hide the other. Other arrangements
leave other traces: a sum instead of a product, a ratio that is one larger, a sigmoid around both.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .draws import Draw


class Reading(NamedTuple):
    """A way to read the output, and the arrangement for which it comes apart.

    Parameters
    ----------
    changes : dict of str to object
        Options of the formula.
    quantity : callable
        (output, input), both (N, C, P), to what comes apart.
    model : {"product", "sum", "exact"}
        Into which of the two.
    """

    changes: dict[str, object]
    quantity: Callable[[np.ndarray, np.ndarray], np.ndarray]
    model: str


class Parts(NamedTuple):
    """What an output comes apart into, for one draw.

    Parameters
    ----------
    channel : ndarray, shape (N, C), or None
        The factor or summand of each channel; None where all are alike.
    space : ndarray, shape (N, P), or None
        That of each pixel.
    model : {"product", "sum", "exact"}
        "exact" if there is but one part, which is then known to the last factor.
    images : ndarray of int
        Which images tell something: where all weights are 0, nothing does.
    """

    channel: np.ndarray | None
    space: np.ndarray | None
    model: str
    images: np.ndarray


def _ratio(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return out / x


def _ratio_less_one(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return (out - x) / x


def _twice_the_ratio(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return 2 * out / x


def _difference(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return out - x


def _itself(out: np.ndarray, _x: np.ndarray) -> np.ndarray:
    return out


def _logit(p: np.ndarray) -> np.ndarray:
    inside = (p > 0) & (p < 1)
    return np.where(inside, np.log(np.where(inside, p, 0.5)) - np.log1p(-np.where(inside, p, 0.5)), np.nan)


def _logit_of_ratio(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return _logit(out / x)


def _logit_of_ratio_less_one(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return _logit((out - x) / x)


def _logit_of_itself(out: np.ndarray, _x: np.ndarray) -> np.ndarray:
    return _logit(out)


def _logit_over_x(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return _logit(out) / x


A_MAP = Reading({"channel_gate": "map", "spatial_gate": "map"}, _itself, "exact")
READINGS = (
    A_MAP,
    Reading({}, _ratio, "product"),
    Reading({"residual": True}, _ratio_less_one, "product"),
    Reading({"arrangement": "sum"}, _ratio, "sum"),
    Reading({"arrangement": "average"}, _twice_the_ratio, "sum"),
    Reading({"arrangement": "sum", "residual": True}, _ratio_less_one, "sum"),
    Reading({"arrangement": "sigmoid of product"}, _logit_of_ratio, "product"),
    Reading({"arrangement": "sigmoid of sum"}, _logit_of_ratio, "sum"),
    Reading({"arrangement": "sigmoid of product", "residual": True}, _logit_of_ratio_less_one, "product"),
    Reading({"arrangement": "sigmoid of sum", "residual": True}, _logit_of_ratio_less_one, "sum"),
    Reading({"arrangement": "sigmoid of product, a map"}, _logit_of_itself, "product"),
    Reading({"arrangement": "sigmoid of sum, a map"}, _logit_of_itself, "sum"),
    Reading({"arrangement": "product of maps"}, _itself, "product"),
    Reading({"arrangement": "sum of maps"}, _itself, "sum"),
    Reading({"output": "sigmoid"}, _logit_over_x, "product"),
    Reading({"channel_gate": "add", "spatial_gate": "add"}, _difference, "sum"),
)


def take_apart(draw: Draw, reading: Reading, tolerance: float) -> Parts | None:
    """Return the parts of an output under a reading; None where it does not come apart so."""
    x = draw.x.reshape(*draw.x.shape[:2], -1)
    if reading is A_MAP:
        return _map_alone(draw)
    if draw.out.shape != draw.x.shape:
        return None
    Q = reading.quantity(draw.out.reshape(x.shape), x)  # (N, C, P)
    size = np.abs(Q).max(axis=(1, 2), keepdims=True)
    images = np.flatnonzero(size > 1e-12)
    if not np.isfinite(Q).all() or not len(images):
        return None
    Q, slack = Q[images], tolerance * size[images]
    if _alike(Q, 2, slack):
        return Parts(Q[:, :, 0], None, "exact", images)
    if _alike(Q, 1, slack):
        return Parts(None, Q[:, 0], "exact", images)
    if reading.model == "sum":
        column, row = Q.mean(2, keepdims=True), Q.mean(1, keepdims=True)
        left = Q - column - row + Q.mean((1, 2), keepdims=True)
        return Parts(column[:, :, 0], row[:, 0], "sum", images) if (np.abs(left) <= 4 * slack).all() else None
    channel, space, left = [], [], []
    for image in Q:
        c, p = np.unravel_index(np.abs(image).argmax(), image.shape)
        channel.append(image[:, p])
        space.append(image[c])
        left.append(image - np.outer(image[:, p], image[c]) / image[c, p])
    comes_apart = (np.abs(left) <= 4 * slack).all()
    return Parts(np.array(channel), np.array(space), "product", images) if comes_apart else None


def _map_alone(draw: Draw) -> Parts | None:
    """Return the parts of an attention map that was not multiplied on."""
    N, C, *space = draw.x.shape
    if draw.out.size == N * C and draw.out.shape[:2] == (N, C):
        return Parts(draw.out.reshape(N, C), None, "exact", np.arange(N))
    if draw.out.size == N * np.prod(space) and draw.out.shape in ((N, 1, *space), (N, *space)):
        return Parts(None, draw.out.reshape(N, -1), "exact", np.arange(N))
    return None


def _alike(Q: np.ndarray, axis: int, slack: np.ndarray) -> bool:
    return bool((np.ptp(Q, axis=axis, keepdims=True) <= slack).all())


def matches(part: np.ndarray, candidate: np.ndarray, model: str, tolerance: float) -> bool:
    """Tell whether a candidate is a part, (N, n): but for each image's factor, or summand, or exactly."""
    if not np.isfinite(candidate).all():
        return False
    if model == "sum":
        part, candidate = (a - a.mean(1, keepdims=True) for a in (part, candidate))
    elif model == "product":
        square = (candidate**2).sum(1, keepdims=True)
        if not (square > 1e-24).all():
            return False
        candidate = candidate * ((part * candidate).sum(1, keepdims=True) / square)
    return bool((np.abs(part - candidate) <= 10 * tolerance * np.abs(part).max(1, keepdims=True)).all())
