"""A formula that a module computes, with the choices and departures that it consists of."""

from collections.abc import Iterator
from typing import NamedTuple

from ..mistakes import variants
from ..mistakes.variants import CHANNEL, DEPARTURE, SPATIAL, WHOLE, Variant
from .formula import Formula
from .roles import Assignment


class Found(NamedTuple):
    """A formula that gives what the module gives, on every draw."""

    formula: Formula
    assignment: Assignment
    variants: tuple[Variant, ...]

    @property
    def departures(self) -> tuple[Variant, ...]:
        """What makes it something else than CBAM."""
        return tuple(v for v in self.variants if v.kind == DEPARTURE)

    @property
    def choices(self) -> tuple[Variant, ...]:
        """Legitimate variants."""
        return tuple(v for v in self.variants if v.kind != DEPARTURE)

    @property
    def rank(self) -> tuple[int, int, int]:
        """The simpler, the smaller."""
        return len(self.departures), len(self.variants), len(self.assignment.idle)


def told(formula: Formula, way: Assignment) -> Found:
    """Return a formula with the choices and departures that it consists of."""
    found = list(_of_the_shapes(formula, way))
    explained = {option for variant in found for option in variant.changes}
    plain = Formula()
    absent = {"channel": "spatial", "spatial": "channel"}.get(formula.order)
    for part, listed in (("channel", CHANNEL), ("spatial", SPATIAL), ("whole", WHOLE)):
        if part == absent:
            continue
        for variant in listed:
            different = all(getattr(plain, option) != value for option, value in variant.changes.items())
            same = all(getattr(formula, option) == value for option, value in variant.changes.items())
            if different and same and not explained & set(variant.changes):
                found.append(variant)
                explained |= set(variant.changes)
    return Found(formula, way, tuple(found))


def _of_the_shapes(formula: Formula, way: Assignment) -> Iterator[Variant]:
    """Yield the variants that are told by which parameters there are."""
    roles = way.places.keys() | way.constants.keys()
    if formula.order != "spatial":
        if formula.layers == "two" and ("b0" in roles or "b1" in roles):
            yield variants.MLP_BIASES
        if any(role.startswith(("0_", "1_")) for role in roles):
            yield variants.MLP_NORM
        if formula.activation == "prelu":
            yield variants.PRELU
        named = {"one": variants.ONE_LAYER, "eca": variants.ECA_LAYER, "none": variants.NO_MLP}
        if formula.layers in named:
            yield named[formula.layers]
        if formula.own_mlps:
            yield variants.OWN_MLPS
        if formula.before_mlp == "concatenate":
            yield variants.CONCATENATED
    if formula.order != "channel":
        if "b7" in roles:
            yield variants.KERNEL_BIAS
        if "gamma" in roles:
            yield variants.SPATIAL_NORM
        if "maps_gamma" in roles:
            yield variants.MAPS_NORM
        if way.implied.get("even_kernel"):
            yield variants.EVEN_KERNEL
        if "W7" not in roles:
            yield variants.NO_CONVOLUTION
        if formula.maps == ("all",):
            yield variants.ALL_CHANNELS
        if "W7_1" in roles:
            yield variants.AVERAGED_KERNELS if formula.kernels == "average" else variants.SEVERAL_KERNELS
    if "end_gamma" in roles:
        yield variants.OUTPUT_NORM
    if formula.behind:
        yield variants.SE_BEHIND
