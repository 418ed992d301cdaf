"""A parameter without a role in CBAM, in words."""

import numpy as np

from .subject import Unit


def describe_unit(unit: Unit, channels: int) -> str:
    """Return what is strange about a layer; "" if nothing is."""
    shape, C = unit.shape, channels
    size = "×".join(map(str, shape[2:])) if len(shape) != 3 else f"length-{shape[2]}"
    if unit.kind == "kernel" and unit.loose:  # its axes may be in any order
        is_square = len({n for n in shape if n > 2}) < 2
        return "" if is_square else f"{unit.name} {shape}: without a role in CBAM."
    if unit.kind == "kernel" and len(shape) > 2 and shape[1] == C and shape[0] == 1:
        return f"{unit.name}: a {size} convolution on all {C} channels; CBAM pools first."
    if unit.kind == "kernel" and len(shape) > 2 and shape[1] == C:
        return f"{unit.name}: a {size} convolution from {C} to {shape[0]} channels; CBAM has none."
    if unit.kind == "kernel" and len(shape) > 2 and shape[0] == C and shape[1] == 1:
        return f"{unit.name}: a {size} convolution of each channel by itself; CBAM has none."
    if unit.kind == "kernel" and len(shape) > 2 and (shape[1] not in (1, 2) or (shape[1] == 2 and shape[0] > 1)):
        return f"{unit.name}: a {size} convolution from {shape[1]} to {shape[0]} maps; CBAM's goes from 2 to 1."
    if unit.kind == "dense" and shape[:2] == (C, C):
        return f"{unit.name}: a layer from {C} to {C}; CBAM's MLP goes through C/r hidden units."
    if unit.kind == "dense" and 2 * C == shape[1] and shape[0] == C:
        return f"{unit.name}: a layer from {2 * C} to {C}; CBAM has none."
    if unit.kind == "norm" and np.prod(shape) == C > 1:
        return f"{unit.name or next(iter(unit.buffers.values()))}: a normalisation of {C} channels; CBAM has none."
    if unit.kind == "dense" and C not in shape[:2]:
        return f"{unit.name}: a layer from {shape[1]} to {shape[0]}; CBAM's lead from C = {C} to C/r, and back."
    if unit.kind == "other":
        return f"{unit.name} {shape}: without a role in CBAM."
    return ""
