"""Is this CBAM? The front door for anyone's function, module or class."""

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np

from ...cbam import Dialect, get_dialect
from ...ops.checks import check_count, check_option, check_rng, unmasked
from ..diagnosis.search import Explanation
from .calling import Unusable
from .cases import Params
from .checking import check_subject, judge_backward, rivals
from .draws import make_draws
from .foreign import at_most
from .formula import Formula
from .found import Found, told
from .function_subject import FunctionSubject, OfTensors, needs_tensors, shape_of
from .identify import identify
from .objects import NumPyObject, is_object
from .report import TITLES, CodeReport
from .roles import assignments
from .step_report import FunctionReport
from .stepwise import check_steps
from .subject import Subject, refuse_a_class
from .torch_modules import TorchModule, is_module, random_numbers_kept
from .whose import as_dialect, dialect_of

MOST_CHANNELS = 4096


def check_function(
    f: Any,
    what: str | None = None,
    backward: Callable | None = None,
    params: Mapping[str, Any] | None = None,
    x: Any = None,
    dialect: str | Dialect | None = None,
    rng: np.random.Generator | None = None,
    reduction: int | None = None,
    channels: int | None = None,
    seconds: float = 120,
    **changes: Any,
) -> CodeReport:
    """Say whether a module or a function computes CBAM, which choices it has made, and what makes it something else.

    It is run as it is, on a copy, with weights drawn anew several times. The formula that gives the same numbers is
    looked for: the paper's, then that with one legitimate choice or one departure, then with two. What fits has to
    fit every draw, forward and, where there is a way back, backward.

    Parameters
    ----------
    f : torch.nn.Module, object or callable
        A PyTorch module, on (N, C, H, W), with one or three axes of space, with the channels last, or on a sequence
        of feature maps, (N, T, C, H, W): which of these is tried out. An object with ``forward(x)`` and
        perhaps ``backward(dout)`` that holds NumPy arrays. Or a function ``f(x, params)`` in NumPy or PyTorch, which
        gets x (N, C, H, W) in float64 and a dict with `W0` (C/r, C), `W1` (C, C/r), `W7` (1, 2, k, k), and where it
        asks for them `b0`, `b1`, `gamma`, `beta`. A function returns the output; or a dict of steps by the names of
        a trace, ``{"F_avg": ..., "M_c": ...}``, of which the first wrong one is then found; or one of the two with a
        cache for backward, ``(output, cache)``. A function with other arguments is passed as
        ``lambda x, p: f(x, p["W0"], p["W1"])``, and one for a single image as
        ``lambda x, p: np.stack([f(F, p) for F in x])``.
    what : {"channel", "spatial", "cbam"}, optional
        What it should compute. The output may be the attention map alone, (N, C, 1, 1) or (N, 1, H, W), or the
        feature map weighted with it: the shape tells.
    backward : callable, optional
        ``backward(dout, cache)`` returns dx, or ``(dx, grads)`` with grads a dict by the parameters' names, some
        of which may be missing; it may hold steps on the way as well, such as `dz_c`. It is judged where the
        forward pass is right. Modules bring their own.
    params : dict of str to ndarray, optional
        Fixed weights for a function; drawn at random where none are given. What cannot be told apart with them is
        reported as that.
    x : ndarray, shape (N, C, H, W), optional
        An input for a function. Where none is given there are three: a square one, one whose axes are all different,
        and a single image of whole numbers, with ties.
    dialect : str or Dialect, optional
        What is right exactly, see `Dialect`. Where none is given, any legitimate choice is right, and is named.
    rng : numpy.random.Generator, optional
        Where random inputs come from; ``np.random.default_rng(0)`` where none is given.
    reduction : int, optional
        r, for random weights of a function. With a module, what C / r of its MLP has to be.
    channels : int, optional
        C, for a module whose parameters do not tell it.
    seconds : float
        How long the code itself may run in all, before it is taken to be in a loop without an end.
    **changes
        Any field of `Dialect`.

    Returns
    -------
    CodeReport
        ``report.ok``, ``report.choices``, ``report.dialect``, ``report.explanations``, ``report.to_dict()``, and
        ``str(report)`` for a person. For a function whose steps were compared it is a `FunctionReport`.

    Raises
    ------
    TypeError
        If f or backward cannot be called, f is a class, or an option does not exist.
    ValueError
        If x and params do not fit, or an option's value is unknown.

    Notes
    -----
    Numbers may differ by 1e-6 of the largest one in an array, in float32 by 1e-4. Where a maximum is reached more
    than once, any shares of its gradient that are not negative and add up to 1 are right; a note says who gets it.

    Examples
    --------
    >>> import cbam_np
    >>> def mine(x, p):
    ...     return cbam_np.cbam_forward(x, p, spatial_pools=("max", "avg"))[0]
    >>> report = cbam_np.check_function(mine)
    >>> report.ok, [choice.name for choice in report.choices]
    (True, ['maps in the order [max; avg]'])
    """
    refuse_a_class(f)
    rng = np.random.default_rng(0) if rng is None else rng
    check_rng(rng)
    if what is not None:
        check_option(what, "what", TITLES)
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"params is {type(params).__name__}, expected a dict of arrays by name, such as W0 and W7")
    wanted = _wanted(what, dialect, changes)
    for name, number in (("reduction", reduction), ("channels", channels)):
        if number is not None:
            check_count(number, name, MOST_CHANNELS)
    make = TorchModule if is_module(f) else NumPyObject if is_object(f) else None
    if make is not None:
        with at_most(seconds):
            return _check_module(make, f, rng, what, wanted, reduction, channels)
    for function, name in ((f, "f"), (backward, "backward")):
        if not callable(function) and (name == "f" or function is not None):
            raise TypeError(
                f"{name} is {type(function).__name__}, expected a function, a module or an object with forward"
            )
    with at_most(seconds):
        return _check_callable(f, what, backward, params, x, wanted, rng, reduction)


def _wanted(what: str | None, dialect: str | Dialect | None, changes: dict[str, Any]) -> Dialect | None:
    """Return the dialect that is held against; None where any legitimate choice is right."""
    if dialect is None and not changes:
        return None
    if what in ("channel", "spatial") and changes.setdefault("order", what) != what:
        raise ValueError(f"order is {changes['order']!r}, but what={what!r} has no order: leave it out")
    return get_dialect("paper" if dialect is None else dialect, **changes)


# --- modules and objects ---


def _check_module(
    make: Callable[..., Subject],
    f: Any,
    rng: np.random.Generator,
    what: str | None,
    wanted: Dialect | None,
    reduction: int | None,
    channels: int | None,
) -> CodeReport:
    try:
        with random_numbers_kept(), redirect_stdout(StringIO()) as said:
            report = check_subject(make(f, channels), f, rng, what, wanted, reduction)
        if said.getvalue():
            report.notes.append("What it prints while it runs was not shown.")
        return report
    except Unusable as error:
        report = CodeReport(what or "cbam", problems=[str(error)])
        report.unknown = True
        return report


# --- functions ---


def _check_callable(
    f: Callable,
    what: str | None,
    backward: Callable | None,
    params: Mapping[str, Any] | None,
    x: Any,
    wanted: Dialect | None,
    rng: np.random.Generator,
    reduction: int | None,
) -> CodeReport:
    """Compare a function step by step with what is wanted; where that is open, with what it turns out to be."""
    f, backward = _of_arrays(f, backward)
    first = wanted or get_dialect("paper", **({} if what in (None, "cbam") else {"order": what}))
    report = check_steps(f, what or "cbam", backward, params, x, first, rng, reduction)
    fixed = None if params is None else {name: np.asarray(unmasked(W, name), float) for name, W in params.items()}
    if report.ok:
        return _known(report, f, first, fixed, rng)
    if report.differs_at_ties_only:
        return _with_any_shares(report, f, backward, first, rng)
    if wanted is not None:
        return report
    subject, found = _identified(f, backward, fixed, rng)
    if subject is None or not found:
        return report
    best = found[0]
    kind = best.formula.order if best.formula.order in TITLES else "cbam"
    if what not in (None, kind):
        return report
    if best.departures:
        report.choices, report.departures = best.choices, best.departures
        if not report.explanations and not report.problems:
            report.explanations = (Explanation(best.departures),)
        return report
    return _under_its_choices(report, f, what, backward, params, x, rng, reduction, subject, best)


def _of_arrays(f: Callable, backward: Callable | None) -> tuple[Callable, Callable | None]:
    """Return functions of arrays: a function of tensors has its own way back."""
    rng = np.random.default_rng(0)
    small = {"W0": (2, 4), "b0": (2,), "W1": (4, 2), "b1": (4,), "W7": (1, 2, 3, 3), "gamma": (1,), "beta": (1,)}
    params = {name: rng.normal(size=shape) for name, shape in small.items()}
    if not needs_tensors(f, rng.normal(size=(2, 4, 5, 6)), params):
        return f, backward
    pair = OfTensors(f)
    return pair.forward, backward or pair.backward


def _identified(
    f: Callable, backward: Callable | None, fixed: Params | None, rng: np.random.Generator
) -> tuple[FunctionSubject | None, list[Found]]:
    try:
        subject = FunctionSubject(f, backward, fixed)
        found = identify(subject, make_draws(subject, rng, fixed=fixed))
        inference = None if found or fixed is not None else subject.with_statistics()
        if inference is not None:
            subject, found = inference, identify(inference, make_draws(inference, rng))
        return subject, found
    except Unusable:  # the report says already what it is that cannot be run
        return None, []


def _known(
    report: FunctionReport, f: Callable, d: Dialect, fixed: Params | None, rng: np.random.Generator
) -> FunctionReport:
    """Add what a function that is right has chosen, and what cannot be told with its fixed weights."""
    subject, best = _as_found(f, None, d, fixed)
    report.choices = best.choices
    report.dialect, report.whose = dialect_of(best)
    if fixed is not None:
        try:
            draws = make_draws(subject, rng, fixed=fixed)
        except Unusable:
            return report
        report.cannot_tell = rivals(best, draws, 1e-9)
    return report


def _as_found(
    f: Callable, backward: Callable | None, d: Dialect, fixed: Params | None
) -> tuple[FunctionSubject, Found]:
    """Return a function as what a dialect says that it is."""
    shapes = fixed
    if shapes is None:
        keys = ["W0", "W1", *(["b0", "b1"] if d.mlp_bias else [])] if d.order != "spatial" else []
        keys += ["W7", *(["gamma", "beta"] if d.spatial_norm else [])] if d.order != "channel" else []
        shapes = {name: np.empty(shape_of(name, len(d.spatial_pools))) for name in keys}
    subject = FunctionSubject(f, backward, shapes)
    way = assignments(subject.units, subject.channels, 2, True)[0]
    formula = Formula(order=d.order, pools=d.channel_pools, maps=d.spatial_pools)
    return subject, told(formula, way)


def _with_any_shares(
    report: FunctionReport, f: Callable, backward: Callable | None, d: Dialect, rng: np.random.Generator
) -> FunctionReport:
    """Look again at a wrong way back: it is right if only tied maxima differ, by shares that add up to 1."""
    subject, best = _as_found(f, backward, d, None)
    try:
        draws = make_draws(subject, rng)
        again = CodeReport(report.what)
        judge_backward(again, subject, best, draws, rng)
    except (Unusable, ValueError):
        return report
    if again.ok and again.backward:
        report.comparisons = tuple(c for c in report.comparisons if c.ok)
        report.explanations = ()
        report.notes = [*report.notes, *again.notes]
        report.__dict__.pop("wrong", None)
        return _known(report, f, d, None, rng)
    return report


def _under_its_choices(
    report: FunctionReport,
    f: Callable,
    what: str | None,
    backward: Callable | None,
    params: Mapping[str, Any] | None,
    x: Any,
    rng: np.random.Generator,
    reduction: int | None,
    subject: FunctionSubject,
    best: Found,
) -> CodeReport:
    """Judge a function again, by the choices that it has made."""
    choices = as_dialect(best)
    kind = best.formula.order if best.formula.order in TITLES else "cbam"
    if not choices.others and not choices.fields["spatial_norm"]:
        d = get_dialect("paper", **choices.fields)
        again = check_steps(f, kind, backward, params, x, d, rng, reduction)
        if again.differs_at_ties_only:
            again = _with_any_shares(again, f, backward, d, rng)
        again.choices = best.choices
        again.dialect, again.whose = dialect_of(best)
        return again
    fixed = None if params is None else {name: np.asarray(unmasked(W, name), float) for name, W in params.items()}
    return check_subject(subject, f, rng, what, None, reduction, fixed)
