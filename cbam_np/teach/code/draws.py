"""Weights and inputs, drawn anew so that every unit, every branch and every nonlinearity acts."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .subject import Subject, Unit

DRAWS = 3
IMAGES = 4
STRENGTHS = (1.0, 3.0, 0.5)  # of the hidden units: in the second, some pass 6, where ReLU6 stops
CAP = 7.0  # passed by every unit in the strongest draw
TRIES = 1000


class Draw(NamedTuple):
    """One input with one set of weights, and what came out."""

    x: np.ndarray
    values: dict[str, np.ndarray]
    out: np.ndarray


def draw_input(subject: Subject, rng: np.random.Generator, positive: bool = False) -> np.ndarray:
    """Return a feature map (N, C, …): images of different brightness, channels of different means, nothing near 0."""
    images = IMAGES
    shape = (images, subject.channels, *subject.space)
    ones = [1] * len(subject.space)
    brightness = rng.permutation(np.linspace(-4, 3, images)).reshape(images, 1, *ones)
    x = brightness + rng.normal(size=(images, subject.channels, *ones)) + rng.normal(size=shape)
    x = np.where(np.abs(x) < 0.05, x + 0.2, x)
    return np.abs(x) if positive else x


def draw_weights(subject: Subject, rng: np.random.Generator, strength: float, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return values for all parameters, and for running statistics."""
    values: dict[str, np.ndarray] = {}
    C = subject.channels
    square = [unit.name for unit in subject.units if unit.kind == "dense" and unit.shape[:2] == (C, C)]
    for unit in subject.units:
        if unit.kind == "norm":
            values |= _norm(unit, rng)
        else:
            second = unit.name in square[1::2]  # of two layers of the same shape, the one that leads back
            values[unit.name] = _weight(unit, C, rng, strength, x, second)
            if unit.bias:
                size = 0.3 if unit.shape[0] == subject.channels else 1.0 if unit.kind == "dense" else 0.5
                values[unit.bias] = rng.normal(size=subject.shapes[unit.bias]) * size
    return values


def _norm(unit: Unit, rng: np.random.Generator) -> dict[str, np.ndarray]:
    drawn = {}
    if unit.name:
        drawn[unit.name] = rng.uniform(0.7, 1.4, unit.shape) * rng.choice([-1, 1], unit.shape)
    if unit.bias:
        drawn[unit.bias] = rng.normal(size=unit.shape) * 0.5
    for role, name in unit.buffers.items():
        drawn[name] = rng.normal(size=unit.shape) * 0.5 if role == "mean" else rng.uniform(0.5, 2, unit.shape)
    return drawn


def _weight(unit: Unit, C: int, rng: np.random.Generator, strength: float, x: np.ndarray, second: bool) -> np.ndarray:
    """Return a weight of such a size that neither ReLU nor sigmoid sees only one side of it."""
    shape = unit.shape
    if unit.kind == "vector":
        slope = unit.label == "PReLU"
        return rng.uniform(0.05, 0.4, shape) if slope else rng.normal(size=shape) * 0.5
    if unit.kind == "dense" and min(shape[:2]) > 0 and C in (*shape[:2], shape[1] / 2):
        if shape[1] in (C, 2 * C) and not second:
            return _telling_rows(shape, rng, strength, x)
        hidden = shape[1] if shape[0] == C else shape[0]  # a loose one may be turned
        return rng.normal(size=shape) * 0.6 / np.sqrt(hidden) / strength
    fan_in = np.prod(shape) / max(shape[0], 1) if not unit.loose else np.prod(shape)
    return rng.normal(size=shape) * 0.9 / np.sqrt(fan_in)


def _telling_rows(shape: tuple[int, ...], rng: np.random.Generator, strength: float, x: np.ndarray) -> np.ndarray:
    """Return a first layer whose every unit is above 0 for some image, and below for some, for either pool."""
    pooled = x.reshape(*x.shape[:2], -1)
    vectors = np.concatenate([pooled.mean(2), pooled.max(2)], axis=1)  # (N, 2C)
    rows = np.empty((shape[0], shape[1]))
    for row in rows:
        for _ in range(TRIES):
            row[:] = rng.normal(size=len(row)) * 1.6 * strength / np.sqrt(len(row))
            h = vectors.reshape(len(x), -1, len(row)).swapaxes(0, 1) @ row  # either pool, or both side by side
            if (h.max(1) > (CAP if strength > 1 else 0)).all() and (h.min(1) < 0).all():
                break
    return rows.reshape(shape)


def make_draws(
    subject: Subject, rng: np.random.Generator, count: int = DRAWS, fixed: Mapping[str, np.ndarray] | None = None
) -> list[Draw]:
    """Run the subject on several inputs, each time with other weights."""
    found = []
    for at in range(count):
        x = draw_input(subject, rng)
        values = draw_weights(subject, rng, STRENGTHS[at % len(STRENGTHS)], x) if fixed is None else dict(fixed)
        values |= subject.known
        found.append(Draw(x, values, subject.run(x, values)))
    return found
