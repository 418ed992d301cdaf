"""The state of the explorer: the numbers, the choices, and what follows from them; no widget is known here."""

from fractions import Fraction

import numpy as np

from ..cbam import ORDERS, get_dialect, init_cbam
from ..ops.checks import check_option
from ..teach.calculation.steps import trace_cbam
from ..teach.example import lecture
from .kernels import KERNELS

LARGEST = (4, 5, 5)  # channels, rows, columns: more cannot be read
SIMPLE = 100  # denominators up to which a number is kept as a fraction, and so written as one
CHOICES = ("order", "channel_pools", "spatial_pools", "ties")
STAGES = {  # what a class goes through, a step of the trace a name
    "feature map": ("F",),
    "pool over space": ("F_avg", "F_max"),
    "shared MLP": ("h_avg", "a_avg", "z_avg", "h_max", "a_max", "z_max"),
    "channel attention": ("z_c", "M_c"),
    "pool over channels": ("Fs_avg", "Fs_max"),
    "7×7 convolution": ("z_s",),
    "spatial attention": ("M_s",),
    "multiplied back": ("F'",),
    "output": ("F''",),
}


def exact(value):
    """Return a number as a fraction where it is a simple one, and otherwise as it is."""
    fraction = Fraction(repr(float(value)))
    return fraction if fraction.denominator <= SIMPLE else float(value)


class Example:
    """A feature map, weights and choices.

    Parameters
    ----------
    F : array_like, shape (C, H, W), optional
        The lecture's where none is given.
    reduction : int
        r; the MLP has C // r hidden units.
    kernel : str
        A name in `KERNELS`.
    **choices
        Fields of `Dialect`.

    Raises
    ------
    ValueError
        If F is too large, or a choice is unknown.
    """

    def __init__(self, F=None, reduction=1, kernel="lecture", **choices):
        F = lecture.F if F is None else np.asarray(F)
        if F.ndim != 3 or any(size > largest for size, largest in zip(F.shape, LARGEST, strict=True)):
            raise ValueError(f"F has shape {F.shape}, expected (C, H, W), at most {LARGEST}: more cannot be read")
        dialect = get_dialect(**choices)
        self.choices = {name: getattr(dialect, name) for name in CHOICES}
        self.numbers = {"F": _simple(F)}
        self.choose_kernel(kernel)
        self.choose_reduction(reduction)
        self.trace()

    def choose_kernel(self, name):
        """Take the weights of the 7×7 convolution from a kernel by name."""
        check_option(name, "kernel", KERNELS)
        self.numbers["W7"] = _simple(KERNELS[name]())

    def choose_reduction(self, reduction):
        """Take an MLP with C // reduction hidden units: the lecture's where it has one, and otherwise a drawn one."""
        C, mlps = len(self.numbers["F"]), {3: {1: "slides", 3: "shared"}}
        known = mlps.get(C, {}).get(reduction)
        if known:
            params = lecture.parameters(known)
        else:
            params = init_cbam(C, reduction, rng=np.random.default_rng(0))
            params = {name: np.round(4 * W) / 4 for name, W in params.items()}  # quarters, to calculate with
        self.reduction = reduction
        self.numbers |= {name: _simple(params[name]) for name in ("W0", "W1")}

    def reductions(self):
        """Return the r that leave a whole number of hidden units."""
        C = len(self.numbers["F"])
        return [r for r in range(1, C + 1) if C % r == 0]

    def parameters(self):
        """Return the weights that the chosen order and pools use."""
        attentions, pools = ORDERS[self.choices["order"]], self.choices["spatial_pools"]
        used = {name: self.numbers[name] for name in ("W0", "W1") if "channel" in attentions}
        if "spatial" in attentions:
            halves = [("avg", "max").index(pool) for pool in pools]
            used["W7"] = self.numbers["W7"][:, halves]
        return used

    def trace(self, dF_out=None):
        """Return every step, with a gradient of the output also those of the way back."""
        return trace_cbam(self.numbers["F"], self.parameters(), dF_out, **self.choices)

    def gradient(self, cell):
        """Return the gradient of one cell of the output, (c, i, j) from 1, with respect to every cell of F."""
        dF_out = np.zeros(self.numbers["F"].shape, int)
        dF_out[tuple(i - 1 for i in cell)] = 1
        return self.trace(dF_out)["dF"].value

    def stages(self, trace):
        """Return what a class goes through, in the order of the trace: by the stage's name its steps."""
        of_step = {name: stage for stage, names in STAGES.items() for name in names}
        found = {}
        for step in trace:
            if step.name in of_step:
                found.setdefault(of_step[step.name], []).append(step)
        return found


def _simple(values):
    values = np.asarray(values)
    kept = [exact(v) for v in values.flat]
    if not all(isinstance(v, Fraction) for v in kept):
        return values.astype(float)
    out = np.empty(values.shape, object)
    out.flat = kept
    return out
