"""Which formula a module computes: choices and departures are hypotheses, held against draws of its weights.

First the output is taken apart, and each part is looked for by itself, the simplest hypotheses first. Where it does not
come apart, the hypotheses are held against the whole output. What is found has to give every number of every draw.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..diagnosis.search import search
from ..mistakes import variants
from ..mistakes.variants import CHANNEL, SPATIAL, WHOLE
from .draws import Draw
from .evidence import OPTIONS, Part, Whole, changed
from .formula import Formula, Roles, channel_map, gated, spatial_map
from .found import Found, told
from .roles import Assignment, assignments
from .separate import READINGS, Parts, Reading, take_apart
from .subject import Subject


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
                        names = ", ".join(v.name for v in told_of.variants if v.part == attention) or "as in the paper"
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
