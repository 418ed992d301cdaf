"""A module or an object, identified and judged, forward and backward."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...cbam import Dialect
from ..diagnosis.search import Explanation
from ..mistakes import variants
from ..mistakes.variants import DEPARTURE, Variant
from .calling import Unusable
from .describe import describe_unit
from .draws import Draw, make_draws
from .evidence import Whole, changed
from .formula import Formula
from .found import Found
from .gradients import judge_way_back, ways_back
from .identify import halves, identify
from .ratio import ignores_its_ratio
from .report import CodeReport
from .subject import Subject
from .ties import shares_of_ties
from .whose import as_dialect, dialect_of, sibling_of

RATIO_IGNORED = Variant(
    DEPARTURE,
    "channel",
    "the reduction ratio ignored",
    "The class accepts a reduction ratio, but the MLP has the same hidden units whatever it is.",
    {},
)


def check_subject(
    subject: Subject,
    f: Any,
    rng: np.random.Generator,
    what: str | None = None,
    dialect: Dialect | None = None,
    reduction: int | None = None,
    fixed: dict[str, np.ndarray] | None = None,
) -> CodeReport:
    """Identify what a subject computes, and judge it.

    Parameters
    ----------
    subject : Subject
        How it is run.
    f : object
        What was passed by the user.
    rng : numpy.random.Generator
        For weights and inputs.
    what : {"channel", "spatial", "cbam"}, optional
        What it should compute.
    dialect : Dialect, optional
        What it should compute exactly.
    reduction : int, optional
        What C divided by the number of hidden units has to be.
    fixed : dict of str to ndarray, optional
        Weights that cannot be drawn anew.

    Returns
    -------
    CodeReport
        The verdict.
    """
    draws = make_draws(subject, rng, fixed=fixed)
    found = identify(subject, draws)
    report = CodeReport(what or "cbam", subject.notes, subject.problems, inputs=[list(draw.x.shape) for draw in draws])
    if not found:
        _say_what_is_known(report, subject, draws)
        return report
    best = found[0]
    kernel = best.assignment.shape("W7", draws[0].values) if best.formula.order != "channel" else None
    report.take(best, dialect_of(best, kernel[-1] if kernel else None), _explanations(found), sibling_of(best))
    report.largest_difference = Whole(best.formula, best.assignment, draws, 0).largest_difference(best.formula)
    if fixed is not None or not subject.units:
        report.cannot_tell = rivals(best, draws, subject.tolerance) if best.assignment.places else ()
    _say_what_is_idle(report, best)
    _say_what_is_not_applied(report, best, what)
    _compare_with_wishes(report, best, draws[0], what, dialect, reduction)
    _look_at_ratio(report, best, subject, f, draws[0])
    if not report.departures:
        judge_backward(report, subject, best, draws, rng)
    return report


def judge_backward(
    report: CodeReport, subject: Subject, best: Found, draws: Sequence[Draw], rng: np.random.Generator
) -> None:
    """Judge the way back of a formula that is known, and put what is found in the report."""
    try:
        ways = ways_back(subject, best, draws, rng)
    except Unusable as error:
        report.problems.append(str(error))
        report.first_wrong_gradient = "dx"
        return
    if ways is None:
        return
    report.backward = True
    report.notes += [note for note in subject.notes if note not in report.notes]
    wrong, explanations = judge_way_back(subject, best, ways)
    roles = {place.name: role for role, place in best.assignment.places.items()}
    if wrong:
        names = ["dx" if name is None else f"d{roles[name]}" for name in wrong]
        report.first_wrong_gradient = names[0]
        report.explanations = explanations
        report.problems.append(
            f"The forward pass is known, but the way back does not belong to it: wrong are {', '.join(names)}."
        )
        return
    came = {name for name, *_ in ways[0].products}
    missing = [
        roles[p.name] for p in best.assignment.places.values() if p.name not in came and _is_learned(roles[p.name])
    ]
    if missing:
        report.notes.append(f"No gradient came back for {', '.join(missing)}: not judged.")
    shared = shares_of_ties(subject, best, draws[0], rng)
    if shared and all(shares.ok for shares in shared):
        how = "; ".join(f"over {shares.over}, {shares.words}" for shares in shared)
        report.notes.append(f"A maximum that is reached twice passes its gradient on like this: {how}.")
    for shares in shared:
        if not shares.ok:
            report.first_wrong_gradient = "dx"
            report.problems.append(
                f"A maximum over {shares.over} that is reached twice passes on {shares.words}. Any shares are "
                f"right that "
                "are not negative and add up to 1: divide by how many there are, or choose one."
            )


def _is_learned(role: str) -> bool:
    return not role.endswith(("mean", "var"))


def _explanations(found: list[Found]) -> tuple[Explanation, ...]:
    """Return what makes it something else, one explanation for each formula that fits as simply."""
    best = found[0]
    alike = [each for each in found if len(each.departures) == len(best.departures)]
    together = {each.departures: Explanation(each.departures) for each in alike if each.departures}
    return tuple(together.values())[:3]


def rivals(best: Found, draws: Sequence[Draw], tolerance: float) -> tuple[str, ...]:
    """Return the names of departures that give the same numbers, with weights that could not be drawn anew."""
    from ..mistakes.variants import CHANNEL, SPATIAL, WHOLE

    evidence = Whole(best.formula, best.assignment, draws, tolerance)
    parts = {"channel", "spatial", "whole"} - ({"spatial"} if best.formula.order == "channel" else set())
    parts -= {"channel"} if best.formula.order == "spatial" else set()
    return tuple(
        variant.name
        for variant in (*CHANNEL, *SPATIAL, *WHOLE)
        if variant.part in parts
        and variant.kind == DEPARTURE
        and changed(best.formula, [variant]) != best.formula
        and evidence.agrees(changed(best.formula, [variant]))
    )


# --- what else is said ---


def _say_what_is_known(report: CodeReport, subject: Subject, draws: Sequence[Draw]) -> None:
    report.unknown = True
    expected = draws[0].x.shape
    came = draws[0].out.shape
    N, C, *space = expected
    if came not in (expected, (N, C), (N, C, *[1] * len(space)), (N, 1, *space), (N, *space)):
        report.problems.append(
            f"The output has the shape {came}, for an input of {expected}: expected the same, or an attention map, "
            f"{(N, C, *[1] * len(space))} or {(N, 1, *space)}."
        )
    for line in halves(subject, draws):
        report.notes.append(line)
    sibling = sibling_of(None, subject.units, subject.channels)
    if sibling:
        report.notes.append(sibling)
    told = [text for unit in subject.units if (text := describe_unit(unit, subject.channels))]
    report.notes += told[:6]
    if not sibling:
        report.notes.append(
            "No known choice or departure gives its numbers, alone or with a second one. To find out where it differs, "
            "check its submodules one at a time: the one that gives M_c, and the one that gives M_s."
        )


def _say_what_is_idle(report: CodeReport, best: Found) -> None:
    for unit in best.assignment.idle:
        name = unit.name or next(iter(unit.buffers.values()))
        report.notes.append(f"{name} {unit.shape} is built, but never used.")


def _say_what_is_not_applied(report: CodeReport, best: Found, what: str | None) -> None:
    """Say that one of the two attentions is built, but has no influence on the output."""
    roles, order = best.assignment.places, best.formula.order
    if order == "channel" and "W7" in roles and what != "channel":
        unused, role = variants.NO_SPATIAL_INFLUENCE, "W7"
    elif order == "spatial" and {"W0", "W1"} <= roles.keys() and what != "spatial":
        unused, role = variants.NO_CHANNEL_INFLUENCE, "W0"
    else:
        return
    report.what = "cbam"
    report.add_departure(unused, f"{roles[role].name} has no influence on the output.")


def _compare_with_wishes(
    report: CodeReport, best: Found, draw: Draw, what: str | None, dialect: Dialect | None, reduction: int | None
) -> None:
    """Compare with what the caller said it should be."""
    if what and what != report.what:
        report.problems.append(f"It computes {report.title}, and what={what!r} was asked for.")
    if dialect is not None:
        report.problems += [
            f"It was held against a dialect with {name} = {wanted!r}, and has {came!r}."
            for name, wanted, came in as_dialect(best).differences(dialect)
        ]
    if reduction and best.formula.layers == "two" and best.formula.order != "spatial":
        hidden, C = best.assignment.resolve(draw.values)["W0"].shape
        if hidden != max(C // reduction, 1):
            report.problems.append(
                f"the MLP has {hidden} hidden units, expected C / r = {C} / {reduction} = {C // reduction}: "
                "is the reduction ratio used?"
            )
            report.first_wrong_gradient = "W0"


def _look_at_ratio(report: CodeReport, best: Found, subject: Subject, f: Any, draw: Draw) -> None:
    """Say how many hidden units there are, and find a ratio that is accepted and ignored."""
    formula: Formula = best.formula
    if formula.layers != "two" or formula.order == "spatial":
        return
    hidden, C = best.assignment.resolve(draw.values)["W0"].shape
    report.notes.append(f"The MLP has {hidden} hidden unit{'s' * (hidden > 1)} for {C} channel{'s' * (C > 1)}.")
    name = ignores_its_ratio(f, subject, _shapes)
    if name:
        report.add_departure(RATIO_IGNORED, f"{name} is accepted, and has no effect.")


def _shapes(made: Any) -> list[tuple[int, ...]]:
    """Return the shapes of all parameters of an object."""
    if hasattr(made, "named_parameters"):
        return [tuple(p.shape) for _, p in made.named_parameters()]
    return [array.shape for array in vars(made).values() if isinstance(array, np.ndarray)]
