"""Which formula a module computes: choices and departures are hypotheses, held against draws of its weights.

First the output is taken apart, and each part is looked for by itself, the simplest hypotheses first. Where it does not
come apart, the hypotheses are held against the whole output. What is found has to give every number of every draw.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..diagnosis.search import Fit, search
from ..mistakes import variants
from ..mistakes.variants import CHANNEL, DEPARTURE, SPATIAL, WHOLE, Variant
from .draws import Draw
from .formula import Formula, Roles, channel_map, compose, gated, spatial_map
from .roles import Assignment, assignments
from .separate import READINGS, Parts, Reading, matches, take_apart
from .subject import Subject


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


class Part:
    """Evidence for one attention: its maps, as the output came apart, against the formula's.

    Parameters
    ----------
    attention : {"channel", "spatial"}
        Which one.
    formula : Formula
        Where to begin.
    sources : list of ndarray
        What the attention looks at, for each draw.
    roles : list of dict
        The parameters, for each draw.
    parts : list of Parts
        What came out.
    tolerance : float
        What rounding may do.
    """

    def __init__(
        self,
        attention: str,
        formula: Formula,
        sources: Sequence[np.ndarray],
        roles: Sequence[Roles],
        parts: Sequence[Parts],
        tolerance: float,
    ) -> None:
        self.attention, self.formula, self.tolerance = attention, formula, tolerance
        self.seen = list(zip(sources, roles, parts, strict=True))
        self.map = channel_map if attention == "channel" else spatial_map

    def weigh(self, *hypotheses: Variant) -> Fit | None:
        """Hold hypotheses against the part, in all draws."""
        formula = changed(self.formula, hypotheses)
        gate = formula.channel_gate if self.attention == "channel" else formula.spatial_gate
        for F, roles, parts in self.seen:
            try:
                M = self.map(F, roles, formula)
            except (ValueError, KeyError, IndexError):
                return None
            part = parts.channel if self.attention == "channel" else parts.space
            assert part is not None  # an attention is looked for where it came out
            factor = M.reshape(len(M), -1)[parts.images] + (gate == "residual")
            if part.shape != factor.shape or not matches(part, factor, parts.model, self.tolerance):
                return Fit(explains=False)
        return Fit(explains=True, whole=True)

    def odds(self, together: int, whole: bool) -> float:
        """Return 0: so many digits fit nothing by chance."""
        return 0.0


class Whole:
    """Evidence for a whole formula: the output of every draw."""

    def __init__(self, formula: Formula, assignment: Assignment, draws: Sequence[Draw], tolerance: float):
        self.formula, self.assignment, self.draws, self.tolerance = formula, assignment, draws, tolerance
        self.roles = [assignment.resolve(draw.values) for draw in draws]

    def weigh(self, *hypotheses: Variant) -> Fit | None:
        """Hold hypotheses against the output, in all draws."""
        fits = self.agrees(changed(self.formula, hypotheses))
        return None if fits is None else Fit(explains=fits, whole=fits)

    def agrees(self, formula: Formula) -> bool | None:
        """Tell whether a formula gives every output; None where it cannot be computed."""
        for draw, roles in zip(self.draws, self.roles, strict=True):
            try:
                out = compose(draw.x, roles, formula)
            except (ValueError, KeyError, IndexError):
                return None
            if out.size != draw.out.size or _squeezed(out) != _squeezed(draw.out):
                return None
            difference = np.abs(out.reshape(draw.out.shape) - draw.out).max()
            if not difference <= 10 * self.tolerance * max(np.abs(draw.out).max(), 1e-300):
                return False
        return True

    def largest_difference(self, formula: Formula) -> float:
        """Return the largest difference in all draws, relative to the largest number of each."""
        outs = [compose(draw.x, roles, formula) for draw, roles in zip(self.draws, self.roles, strict=True)]
        return max(
            float(np.abs(out.reshape(draw.out.shape) - draw.out).max() / max(np.abs(draw.out).max(), 1e-300))
            for draw, out in zip(self.draws, outs, strict=True)
        )

    def odds(self, together: int, whole: bool) -> float:
        """Return 0: so many digits fit nothing by chance."""
        return 0.0


def _squeezed(array: np.ndarray) -> tuple[int, ...]:
    return tuple(n for n in array.shape if n > 1)


def changed(formula: Formula, hypotheses: Sequence[Variant]) -> Formula:
    """Return a formula with the options that variants change."""
    for hypothesis in hypotheses:
        formula = formula.but(**{k: v for k, v in hypothesis.changes.items() if k in OPTIONS})
    return formula


OPTIONS = set(Formula.__dataclass_fields__)


@np.errstate(all="ignore")
def identify(subject: Subject, draws: Sequence[Draw]) -> list[Found]:
    """Find the formulas that a subject may compute.

    Parameters
    ----------
    subject : Subject
        What was run.
    draws : sequence of Draw
        What it gave.

    Returns
    -------
    list of Found
        Those that give every number, the simplest first; empty if none is known.
    """
    ways = assignments(subject.units, subject.channels, len(subject.space), subject.normalises_by_batch)
    axes = AXES.get(len(subject.space), ())
    for look, together, most in STAGES:
        found = [each for way in ways[:most] for each in look(way, draws, subject.tolerance, together)]
        if found:
            found = [each._replace(variants=(*axes, *each.variants)) for each in _once(found)]
            return sorted(found, key=lambda each: each.rank)
    return []


def _once(found: list[Found]) -> list[Found]:
    seen: dict[Any, Found] = {}
    for each in found:
        key = each.formula, tuple(sorted((r, p.name) for r, p in each.assignment.places.items()))
        seen.setdefault(key, each)
    return list(seen.values())


@np.errstate(all="ignore")
def halves(subject: Subject, draws: Sequence[Draw]) -> list[str]:
    """Say which attention is known, where the other one is not."""
    ways = assignments(subject.units, subject.channels, len(subject.space), subject.normalises_by_batch)
    for together in (0, 1):
        for way in ways:
            for reading, parts in _separated(draws, subject.tolerance):
                base = Formula().but(**_options(way), **reading.changes)
                route = Route(way, base, reading, draws, parts, subject.tolerance, together)
                for attention, other in (("channel", "spatial"), ("spatial", "channel")):
                    lone = getattr(parts[0], "space" if attention == "channel" else "channel") is None
                    mine = getattr(parts[0], "channel" if attention == "channel" else "space")
                    fitting = route.fitting(attention, base, route.xs) if mine is not None and not lone else []
                    if fitting:
                        told_of = told(fitting[0].but(order=attention), way)
                        names = ", ".join(v.name for v in told_of.variants) or "as in the paper"
                        return [f"Its {attention} attention is known ({names}); its {other} attention is not."]
    return []


# --- part by part ---


def _taken_apart(way: Assignment, draws: Sequence[Draw], tolerance: float, together: int) -> Iterator[Found]:
    """Yield what fits an output that comes apart, with at most so many hypotheses for each part."""
    for reading, parts in _separated(draws, tolerance):
        base = Formula().but(**_options(way), **reading.changes)
        route = Route(way, base, reading, draws, parts, tolerance, together)
        yield from route.found()


def _separated(draws: Sequence[Draw], tolerance: float) -> Iterator[tuple[Reading, list[Parts]]]:
    for reading in READINGS:
        parts = []
        for draw in draws:
            taken = take_apart(draw, reading, tolerance)
            if taken is None:
                break
            parts.append(taken)
        else:
            kinds = {(p.channel is None, p.space is None) for p in parts}
            if len(kinds) == 1:
                yield reading, parts


class Route:
    """The ways through one reading: channel attention first, spatial attention first, or one of them alone."""

    def __init__(
        self,
        way: Assignment,
        base: Formula,
        reading: Reading,
        draws: Sequence[Draw],
        parts: Sequence[Parts],
        tolerance: float,
        together: int,
    ) -> None:
        self.way, self.base, self.reading, self.draws, self.parts = way, base, reading, draws, parts
        self.tolerance, self.together = tolerance, together
        self.roles = [way.resolve(draw.values) for draw in draws]
        self.xs = [draw.x for draw in draws]
        has_channel, has_space = self.parts[0].channel is not None, self.parts[0].space is not None
        both = has_channel and has_space
        self.gates: tuple[str, ...] = ("multiply", "residual") if not reading.changes and both else ("multiply",)
        if "channel_gate" in reading.changes:
            self.gates = (str(reading.changes["channel_gate"]),)

    def found(self) -> Iterator[Found]:
        """Yield the formulas that fit both parts."""
        has_channel, has_space = self.parts[0].channel is not None, self.parts[0].space is not None
        if not has_space or not has_channel:
            attention = "channel" if has_channel else "spatial"
            for formula in self.fitting(attention, self.base.but(order=attention), self.xs):
                yield from self._verified(formula)
            return
        first = list(self.fitting("channel", self.base, self.xs))
        for formula in first:
            F1 = [self._gated(formula, "channel", x, roles) for x, roles in zip(self.xs, self.roles, strict=True)]
            if formula.arrangement == "gates":
                for both in self.fitting("spatial", formula, F1):
                    yield from self._verified(both)
            for both in self.fitting("spatial", formula, self.xs):
                yield from self._verified(both.but(order="parallel") if both.arrangement == "gates" else both)
        if not first and self.base.arrangement == "gates":
            for formula in self.fitting("spatial", self.base.but(order="spatial-channel"), self.xs):
                F1 = [self._gated(formula, "spatial", x, roles) for x, roles in zip(self.xs, self.roles, strict=True)]
                for both in self.fitting("channel", formula, F1):
                    yield from self._verified(both)

    def _gated(self, formula: Formula, attention: str, x: np.ndarray, roles: Roles) -> np.ndarray:
        if attention == "channel":
            return gated(x, channel_map(x, roles, formula), formula.channel_gate)
        return gated(x, spatial_map(x, roles, formula), formula.spatial_gate)

    def fitting(self, attention: str, formula: Formula, sources: list[np.ndarray]) -> list[Formula]:
        """Return the formulas whose one attention fits its part."""
        for gate in self.gates:
            base = formula.but(**{f"{attention}_gate": gate})
            evidence = Part(attention, base, sources, self.roles, self.parts, self.tolerance)
            fit = evidence.weigh()
            if fit and fit.explains:
                return [base]
            if self.together:
                hypotheses = CHANNEL if attention == "channel" else SPATIAL
                found = search(hypotheses, evidence, together=self.together)
                if found:
                    return [changed(base, explanation.hypotheses) for explanation in found]
        return []

    def _verified(self, formula: Formula) -> Iterator[Found]:
        if Whole(formula, self.way, self.draws, self.tolerance).agrees(formula):
            yield told(formula, self.way)


# --- as a whole ---


def _as_a_whole(way: Assignment, draws: Sequence[Draw], tolerance: float, together: int) -> Iterator[Found]:
    """Yield what fits the output as a whole: one variant of how the two meet, and one of anything else."""
    base = Formula().but(**_options(way))
    for about in (None, *WHOLE):
        start = base if about is None else changed(base, [about])
        for order in (start.order, "channel", "spatial") if about is None else (start.order,):
            formula = start.but(order=order)
            evidence = Whole(formula, way, draws, tolerance)
            if evidence.agrees(formula):
                yield told(formula, way)
            elif together:
                for explanation in search((*CHANNEL, *SPATIAL), evidence, together=1):
                    yield told(changed(formula, explanation.hypotheses), way)


def _options(way: Assignment) -> dict[str, Any]:
    """Return the options that the shapes of the parameters tell."""
    return {name: value for name, value in way.implied.items() if name in OPTIONS}


AXES = {1: (variants.ONE_AXIS,), 3: (variants.THREE_AXES,)}
STAGES = (  # how to look, how many hypotheses together, in how many ways to give out the roles
    (_taken_apart, 0, None),
    (_as_a_whole, 0, None),
    (_taken_apart, 1, None),
    (_taken_apart, 2, 6),
    (_as_a_whole, 1, 3),
)


# --- in words ---


def told(formula: Formula, way: Assignment) -> Found:
    """Return a formula with the choices and departures that it consists of."""
    found = list(_of_the_shapes(formula, way))
    explained = {option for variant in found for option in variant.changes}
    plain, at = Formula(), len(found)
    channel, spatial = "spatial" != formula.order, formula.order != "channel"
    for part, listed in (("channel", CHANNEL), ("spatial", SPATIAL), ("whole", WHOLE)):
        if (part == "channel" and not channel) or (part == "spatial" and not spatial):
            continue
        for variant in listed:
            different = all(getattr(plain, option) != value for option, value in variant.changes.items())
            same = all(getattr(formula, option) == value for option, value in variant.changes.items())
            if different and same and not explained & set(variant.changes):
                found.append(variant)
                explained |= set(variant.changes)
    assert at <= len(found)
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
        if "W7" not in roles:
            yield variants.NO_CONVOLUTION
        if formula.maps == ("all",):
            yield variants.ALL_CHANNELS
    if formula.behind:
        yield variants.SE_BEHIND
