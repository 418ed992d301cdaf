"""Mistakes with either sigmoid: M_c = σ(z_c), M_s = σ(z_s)."""

import numpy as np

from ..calculation.cbam_rules import sigmoid
from .mistake import Mistake, always, copy_of, entries, mistake, then


def minus_first(z: np.ndarray) -> np.ndarray:
    """Return σ(-z)."""
    return sigmoid(-z)


def _of(which: str, M: str, z: str, one: str) -> tuple[Mistake, ...]:
    """Return the mistakes with one of the two sigmoids."""
    return (
        mistake(
            f"the {which} sigmoid forgotten",
            f"{M} is the sigmoid of the scores {z}, a weight between 0 and 1 for each {one}.",
            always({M: copy_of(z)}),
        ),
        mistake(
            f"the {which} sigmoid taken twice",
            f"{M} is one sigmoid of the scores {z}, not the sigmoid of a sigmoid.",
            lambda c: {M: then(c[M], sigmoid, "σ({})")},
            needs=M,
        ),
        mistake(
            f"the sign in the {which} sigmoid",
            "σ(z) = 1/(1 + e^(-z)), with a minus: a large score gives a weight near 1.",
            always({M: entries("σ(-({}))", z, f=minus_first)}),
        ),
        mistake(
            f"tanh instead of the {which} sigmoid",
            "CBAM squashes with the sigmoid σ, which lies between 0 and 1; tanh lies between -1 and 1.",
            always({M: entries("tanh({})", z, f=np.tanh, rising=True)}),
        ),
    )


MISTAKES = (*_of("channel", "M_c", "z_c", "channel"), *_of("spatial", "M_s", "z_s", "pixel"))
