"""A student's function held against the right calculation, forward and backward."""

import numpy as np

from ...cbam import get_dialect
from ...ops.checks import check_option, check_rng
from .calling import Unusable, call
from .cases import Case, make_inputs
from .explain import TIES, Seen, explain, other_ties, without_ties
from .modules import ModuleFunctions, is_module
from .reading import NO_CACHE, Answer, Problem, read_backward, read_forward
from .report import TITLES, Comparison, FunctionReport


def check_function(
    f, what="cbam", backward=None, params=None, x=None, dialect="paper", rng=None, reduction=None, **changes
):
    """Run a function for channel attention, spatial attention or CBAM, and say whether it is right.

    If it is not, the mistakes that people make are tried, alone and in pairs, and those that give exactly the
    same numbers are named.

    Parameters
    ----------
    f : callable or torch.nn.Module
        ``f(x, params)`` gets x (N, C, H, W) in float64 and a dict with `W0` (C/r, C), `W1` (C, C/r), `W7`
        (1, 2, k, k), of these what it needs, and with ``mlp_bias=True`` also `b0` and `b1`. It returns the
        output; or a dict of steps by the names of a trace, ``{"F_avg": ..., "M_c": ...}``, of which the first
        wrong one is then found; or one of the two with a cache for backward, ``(output, cache)``. A function
        with other arguments is passed as ``lambda x, p: f(x, p["W0"], p["W1"])``, and one for a single image
        as ``lambda x, p: np.stack([f(F, p) for F in x])``. A PyTorch module is run with its own weights,
        forward and backward.
    what : {"channel", "spatial", "cbam"}
        What it computes. With "channel" and "spatial" the output may be the attention map, (N, C, 1, 1) or
        (N, 1, H, W), axes of length 1 being optional, or the feature map weighted with it, (N, C, H, W): the
        shape tells.
    backward : callable, optional
        ``backward(dout, cache)`` returns dx, or ``(dx, grads)`` with grads a dict by the parameters' names, some
        of which may be missing; it may hold steps on the way as well, such as `dz_c`. It is judged where the
        forward pass is right.
    params : dict of str to ndarray, optional
        Weights; drawn at random where none are given.
    x : ndarray, shape (N, C, H, W), optional
        The input. Where none is given there are three: a square one, one whose axes are all different, and a
        single image of whole numbers, with ties.
    dialect : str or Dialect
        What is right, see `Dialect`.
    rng : numpy.random.Generator, optional
        Where random inputs come from; ``np.random.default_rng(0)`` where none is given.
    reduction : int, optional
        r, for random weights. With a module, what C / r of its MLP has to be.
    **changes
        Any field of `Dialect`.

    Returns
    -------
    FunctionReport
        ``report.ok``, ``report.first_wrong``, ``report.explanations``, and ``str(report)`` for a person.

    Raises
    ------
    TypeError
        If f or backward cannot be called, or an option does not exist.
    ValueError
        If x and params do not fit, an option's value is unknown, or a module has parameters that the dialect has
        no place for.

    Notes
    -----
    Numbers may differ by 1e-6 of the largest one in an array, in float32 by 1e-4. Where a maximum is reached more
    than once, any choice of who gets its gradient is right (the first, the last, all in even parts); a note says
    so if it is not the dialect's.
    """
    d = _dialect(what, dialect, changes)
    rng = np.random.default_rng(0) if rng is None else rng
    check_rng(rng)
    module = ModuleFunctions(f, d) if is_module(f) else None
    if module:
        f, backward, params = module.forward, module.backward, module.params
    for function, name in ((f, "f"), (backward, "backward")):
        if not callable(function) and (name == "f" or function is not None):
            raise TypeError(f"{name} is {type(function).__name__}, expected a function or a PyTorch module")
    cases = [Case(x, params, d, rng) for x, params in make_inputs(d, params, x, reduction, rng)]
    problems, answers = [], []
    if module and reduction and "W0" in params:
        problems += [(number, p) for number in range(1, len(cases) + 1) for p in _width(params, reduction)]
    how = "module(x, params)" if module else "f(x, params)"
    for number, case in enumerate(cases, start=1):
        answers.append(_run(f, (case.x, case.params), how, read_forward, case))
        problems += [(number, problem) for problem in answers[-1].problems]
    comparisons, notes, found, whole = _compare(cases, answers), [], (), True
    if not all(c.ok for c in comparisons):
        found, whole = explain(_seen(cases, answers), _first(comparisons), backward=False)
    right = not problems and all(c.ok for c in comparisons)
    if backward and not right:
        notes.append("The backward pass is not judged, since the forward pass is not right yet.")
    elif backward:
        back, cases = _run_backward(backward, cases, answers)
        problems += [(number, problem) for number, answer in enumerate(back, start=1) for problem in answer.problems]
        comparisons, notes, found, whole = _judge_backward(cases, back, comparisons)
    return FunctionReport(what, cases, comparisons, problems, notes, found, whole, bool(backward) and right)


def _dialect(what, dialect, changes):
    check_option(what, "what", TITLES)
    if what == "cbam":
        return get_dialect(dialect, **changes)
    if changes.setdefault("order", what) != what:
        raise ValueError(f"order is {changes['order']!r}, but what={what!r} has no order: leave it out")
    return get_dialect(dialect, **changes)


def _width(params, reduction):
    """Yield the problem that a module's MLP has another width than C / r."""
    hidden, C = params["W0"].shape
    if hidden != max(C // reduction, 1):
        yield Problem(
            f"the MLP has {hidden} hidden units, expected C / r = {C} / {reduction} = {C // reduction}: "
            "is the reduction ratio used?",
            "W0",
        )


def _run(function, arguments, how, read, case):
    """Call a function and read what it returns; an answer without values says what was wrong."""
    changed = []
    try:
        answer = read(call(function, *arguments, how=how, changed=changed), case)
    except Unusable as error:
        answer = Answer({}, [Problem(str(error), same=error.same)])
    return answer._replace(problems=[*map(Problem, changed), *answer.problems])


def _run_backward(backward, cases, answers):
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


def _judge_backward(cases, answers, before):
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


def _in_words(ties):
    """Say who gets a tied maximum's gradient: {"space": "split"} -> "over space to all of them in even parts"."""
    return " and ".join(f"over {over} {TIES[rule]}" for over, rule in ties.items())


def _compare(cases, answers):
    """Compare every step that was given, by step, then by input."""
    names = cases[0].steps
    pairs = [(i, case, answer) for i, (case, answer) in enumerate(zip(cases, answers, strict=True), start=1)]
    return [
        Comparison(i, name, answer.values[name], case.value(name), answer.tolerance)
        for name in names
        for i, case, answer in pairs
        if name in answer.values
    ]


def _first(comparisons):
    return next(c.name for c in comparisons if not c.ok)


def _seen(cases, answers):
    return [Seen(c, a.values, a.tolerance) for c, a in zip(cases, answers, strict=True) if a.values]
