"""What the front end begins with: an example, and what Python knows about it, as plain values for JSON."""

from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ..cbam import DIALECTS, ORDERS
from ..teach.example import lecture
from .example import CHOICES, POOLS, Example, Texts
from .images import stored
from .kernels import KERNELS
from .mlps import mlps

Numbers: TypeAlias = "float | Fraction | list[Numbers]"  # an array
TIES = ("first", "split")
SAID = {
    "paper": "paper and lecture",
    "official": "the authors' code",
    "timm": "timm",
    "timm-light": "timm, light",
    "keras": "kobiso/CBAM-keras",
}


def begin(example: Example) -> dict[str, Any]:
    """Return what the front end begins with.

    Parameters
    ----------
    example : Example
        Its numbers and choices.

    Returns
    -------
    dict
        Ready for JSON; front/README.md says what it is for.
    """
    return {
        "numbers": {name: texts(array) for name, array in example.numbers.items()},
        "choices": example.choices | {"reduction": example.reduction, "kernel": example.kernel},
        "options": {"order": list(ORDERS), "channel_pools": POOLS, "spatial_pools": POOLS, "ties": TIES}
        | {"mlp_bias": [False, True], "spatial_norm": [False, True]},
        "channels": list(lecture.CHANNELS),
        "kernels": {name: texts(kernel()[0]) for name, kernel in KERNELS.items()},
        "mlps": {C: {r: {n: texts(W) for n, W in mlp.items()} for r, mlp in mlps(C).items()} for C in range(1, 5)},
        "dialects": {
            name: {"says": said, "choices": {c: getattr(DIALECTS[name], c) for c in CHOICES if c != "order"}}
            for name, said in SAID.items()
        },
        "mistakes": None,
        "images": stored(),
    }


def texts(array: np.ndarray) -> Texts:
    """Return numbers as nested lists of text, fractions as such: what one would have typed."""
    return _texts(np.asarray(array, object).tolist())


def _texts(values: Numbers) -> Texts:
    if isinstance(values, list):
        return [_texts(part) for part in values]
    return str(values) if isinstance(values, Fraction | int) else repr(float(values))
