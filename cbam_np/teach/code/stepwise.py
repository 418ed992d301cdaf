"""A function compared step by step with the right calculation, forward and backward."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...cbam import Dialect
from ..diagnosis.search import Explanation
from .calling import Unusable
from .cases import Case, make_inputs
from .comparison import Comparison
from .explain import TIES, Seen, explain, other_ties, without_ties
from .foreign import call
from .reading import NO_CACHE, Answer, Problem, read_backward, read_forward
from .step_report import FunctionReport


def check_steps(
    f: Callable,
    what: str,
    backward: Callable | None,
    params: Mapping[str, Any] | None,
    x: Any,
    d: Dialect,
    rng: np.random.Generator,
    reduction: int | None,
) -> FunctionReport:
    """Compare what a function gives, step by step, with what a dialect says; `check_function` says of what kind all is.

    If something is wrong, the mistakes that people make are tried, alone and in pairs, and those that give exactly
    the same numbers are named.
    """
    given = None if params is None else dict(params)
    cases = [Case(x, params, d, rng) for x, params in make_inputs(d, given, x, reduction, rng)]
    problems, answers = [], []
    for number, case in enumerate(cases, start=1):
        answers.append(_run(f, (case.x, case.params), "f(x, params)", read_forward, case))
        problems += [(number, problem) for problem in answers[-1].problems]
    comparisons, whole = _compare(cases, answers), True
    notes: list[str] = []
    found: tuple[Explanation, ...] = ()
    if not all(c.ok for c in comparisons):
        found, whole = explain(_seen(cases, answers), _first(comparisons), backward=False)
    right = not problems and all(c.ok for c in comparisons)
    if backward and not right:
        notes.append("The backward pass is not judged, since the forward pass is not right yet.")
    elif backward:
        back, cases = _run_backward(backward, cases, answers)
        problems += [(number, problem) for number, answer in enumerate(back, start=1) for problem in answer.problems]
        comparisons, notes, found, whole = _judge_backward(cases, back, comparisons)
    report = FunctionReport(what, cases, comparisons, problems, notes, found, whole, bool(backward) and right)
    if report.backward and report.wrong and not problems:
        tied = _numbers_of_ties(cases, back)
        report.differs_at_ties_only = all(c.number in tied for c in report.wrong)
    return report


def _numbers_of_ties(cases: Sequence[Case], answers: Sequence[Answer]) -> set[int]:
    """Return the numbers of the inputs on which it matters who gets the gradient of a tied maximum."""
    untied = without_ties(_seen(cases, answers))
    return {number for number, case in enumerate(cases, start=1) if not any(s.case is case for s in untied)}


def _run(
    function: Callable, arguments: tuple[Any, ...], how: str, read: Callable[[Any, Case], Answer], case: Case
) -> Answer:
    """Call a function and read what it returns; an answer without values says what was wrong."""
    changed: list[str] = []
    try:
        answer = read(call(function, *arguments, how=how, changed=changed), case)
    except Unusable as error:
        answer = Answer({}, [Problem(str(error), same=error.same)])
    return answer._replace(problems=[*map(Problem, changed), *answer.problems])


def _run_backward(
    backward: Callable, cases: Sequence[Case], answers: Sequence[Answer]
) -> tuple[list[Answer], list[Case]]:
    """Run backward on every case, with a gradient of the shape that forward gave."""
    cases = [case.ending_at(answer.output or case.output) for case, answer in zip(cases, answers, strict=True)]
    found = []
    for case, answer in zip(cases, answers, strict=True):
        if answer.cache is NO_CACHE:
            found.append(
                Answer({}, [Problem("backward needs a cache: let the forward function return (output, cache)")])
            )
            continue
        dout = case.dout.reshape(answer.given or case.dout.shape)
        found.append(_run(backward, (dout, answer.cache), "backward(dout, cache)", read_backward, case))
    return found, cases


def _judge_backward(
    cases: Sequence[Case], answers: Sequence[Answer], before: Sequence[Comparison]
) -> tuple[list[Comparison], list[str], tuple[Explanation, ...], bool]:
    """Compare the backward pass; where only the rule for ties is another one, that is a note."""
    comparisons = _compare(cases, answers)
    if all(c.ok for c in comparisons):
        return [*before, *comparisons], [], (), True
    seen = _seen(cases, answers)
    ties, dialect = other_ties(seen), cases[0].traces[0].dialect
    if ties:
        note = (
            "Where a maximum is reached more than once, this backward pass gives its gradient "
            f"{_in_words(ties)}; the dialect gives it {_in_words({over: dialect.ties_over(over) for over in ties})}. "
            "Both are right."
        )
        return [*before, *(c for c in comparisons if c.ok)], [note], (), True
    untied = without_ties(seen)
    first = _first(comparisons)
    judged = [c for c in comparisons if any(s.case is cases[c.number - 1] for s in untied)]
    if any(not c.ok for c in judged):
        seen, first = untied, _first(judged)
    return [*before, *comparisons], [], *explain(seen, first, backward=True)


def _in_words(ties: Mapping[str, str]) -> str:
    """Say who gets a tied maximum's gradient: {"space": "split"} -> "over space to all of them in even parts"."""
    return " and ".join(f"over {over} {TIES[rule]}" for over, rule in ties.items())


def _compare(cases: Sequence[Case], answers: Sequence[Answer]) -> list[Comparison]:
    """Compare every step that was given, by step, then by input."""
    names = cases[0].steps
    pairs = [(i, case, answer) for i, (case, answer) in enumerate(zip(cases, answers, strict=True), start=1)]
    return [
        Comparison(i, name, answer.values[name], case.value(name), answer.tolerance)
        for name in names
        for i, case, answer in pairs
        if name in answer.values
    ]


def _first(comparisons: Iterable[Comparison]) -> str:
    return next(c.name for c in comparisons if not c.ok)


def _seen(cases: Sequence[Case], answers: Sequence[Answer]) -> list[Seen]:
    return [Seen(c, a.values, a.tolerance) for c, a in zip(cases, answers, strict=True) if a.values]
