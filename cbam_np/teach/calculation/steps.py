r"""One call of CBAM as a trace: every step with its name, its formula, its value and its rule.

The values are read from the caches that the network itself leaves. Whole numbers and fractions go through the same
operations as floats do, and stay exact up to the first sigmoid. `dX` is short for ∂L/∂X, the gradient of the loss
with respect to X.
"""

from collections.abc import Mapping
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...cbam import Dialect, cbam_forward, cbam_gradients, get_dialect
from ...ops.checks import as_float, unmasked
from .backward_steps import backward_steps
from .forward_steps import PARAMETERS, forward_steps
from .rules import Rule
from .trace import Trace

STATISTICS = ("mu_s", "v_s")  # of the batch normalisation, where they are given


def trace_cbam(
    F: ArrayLike,
    params: Mapping[str, ArrayLike],
    dF_out: ArrayLike | None = None,
    dialect: str | Dialect = "paper",
    running: tuple[np.ndarray, np.ndarray] | None = None,
    **changes: Any,
) -> Trace:
    r"""Run CBAM on one feature map and list every step.

    Where the numbers given are whole numbers and fractions, everything before the first sigmoid is exact.

    Parameters
    ----------
    F : array_like, shape (C, H, W)
        One image's feature map: floats, whole numbers or `fractions.Fraction`.
    params : dict of str to array_like
        `W0`, `W1`, `W7`, and where the dialect has them `b0`, `b1`, `gamma`, `beta`, as for `cbam_np.cbam_forward`.
    dF_out : array_like, shape (C, H, W), optional
        Gradient of a loss with respect to the output; with it, the trace goes on backward.
    dialect : str or Dialect
        Choices, see `cbam_np.get_dialect`.
    running : (mean, var), each of shape (1,), optional
        Statistics for a batch normalisation in inference, two more given numbers μ_s and v_s. Where none are given,
        they are computed as in training, from this one image: a batch of one.
    **changes
        Any field of `Dialect`.

    Returns
    -------
    Trace
        The steps, in the order of the computation.

    Raises
    ------
    TypeError, ValueError
        As `cbam_np.cbam_forward`; or if F has a batch axis.

    Examples
    --------
    >>> import cbam_np
    >>> trace = cbam_np.trace_cbam(cbam_np.lecture.F, cbam_np.lecture.parameters())
    >>> trace.names[:5]
    ('F', 'W0', 'W1', 'W7', 'F_avg')
    >>> print(trace["F_avg"])
    F_avg: F^c_avg[c] = 1/HW Σ_ij F[c,i,j]   (Step 1)
        8/9  8/9  10/9
    """
    x = as_given(F, "F")
    if x.ndim != 3:
        raise ValueError(f"F has {x.ndim} axes, shape {x.shape}; expected 3, (C, H, W): a trace follows one image")
    d = get_dialect(dialect, **changes)
    x = x.astype(float) if d.spatial_norm else x  # a root is in the way of exact fractions
    given = {name: as_given(W, name) for name, W in params.items()}
    _, cache = cbam_forward(x[None], given, d, running)
    steps = list(forward_steps(cache, given, running is None))
    if dF_out is not None:
        dF_out = as_given(dF_out, "dF_out")
        steps += backward_steps(cbam_gradients(dF_out[None], cache), cache, dF_out, running is None)
    return Trace(steps, d)


def rules_of(trace: Trace, **changes: Any) -> dict[str, Rule]:
    """Return the rules of a trace as they would be with other choices of the dialect."""
    given = {step.name: np.asarray(step.value, float) for step in trace if step.given}
    params = {
        name: given[name][None] if is_first_of_one else given[name]
        for name, (_, is_first_of_one) in PARAMETERS.items()
        if name in given
    }
    mean, var = (given.get(name) for name in STATISTICS)
    running = None if mean is None or var is None else (mean[None], var[None])
    dF_out = next((array for name, array in given.items() if name.startswith("d")), None)
    return trace_cbam(given["F"], params, dF_out, trace.dialect, running, **changes).rules


def as_given(array: ArrayLike, name: str) -> np.ndarray:
    """Return an input exactly, as fractions, if it is all whole numbers and fractions, and as floats otherwise."""
    array = unmasked(array, name)
    if array.dtype.kind not in "iufbO":
        as_float(array, name)  # says why not
    values = array.astype(object)
    if not all(isinstance(v, Rational) for v in values.flat):
        return array.astype(np.float64)
    return np.array([Fraction(v) for v in values.flat], dtype=object).reshape(array.shape)
