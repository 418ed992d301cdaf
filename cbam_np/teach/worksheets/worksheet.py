"""New examples to work out by hand, each with its key, from a seed."""

import inspect
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

import numpy as np

from ...cbam import channel_attention_forward, spatial_attention_forward
from ...ops.checks import check_option
from ..calculation import notation
from ..calculation.steps import trace_cbam
from ..calculation.trace import Trace
from ..check import check
from .telling_apart import unlike

LEVELS = ("forward", "full", "backward")
DECIMALS = 4  # of the forward steps that are handed out where only the way back is asked
WEIGHTS = [Fraction(n, 2) for n in (-3, -2, -1, 1, 2, 3)]
CANDIDATES = 40  # friendly examples to choose from
DRAWS = 100_000  # until there are none


@dataclass(frozen=True)
class Worksheet:
    """An example to work out by hand.

    Parameters
    ----------
    seed : int
        What it was made from.
    level : {"forward", "full", "backward"}
        What is asked: the way to F'', the way there and back, or the way back alone, with the forward steps given.
    options : dict
        What else it was made with, where that differs from the default.
    trace : Trace
        The key: every step with its exact value.
    printed : dict of str to list
        What the student is given, as text.
    asked : tuple of str
        The steps that the student fills in.
    alike : tuple of (str, str)
        Mistakes that give the same numbers here, or ("...", "") for one that does not show; mostly empty.
    """

    seed: int
    level: str
    options: dict
    trace: Trace = field(repr=False)
    printed: dict = field(repr=False)
    asked: tuple = field(repr=False)
    alike: tuple = ()

    def check(self, answers):
        """Hold answers against the key.

        Parameters
        ----------
        answers : mapping of str to object, or path-like
            As for `cbam_np.check`.

        Returns
        -------
        Report
            Every answer judged.

        Raises
        ------
        AnswerError
            If the answers cannot be read.
        """
        handed = {name: value for name, value in self.printed.items() if not self.trace[name].given}
        return check(answers, self.trace, handed=handed)


def worksheet(seed, level="forward", *, channels=3, size=3, hidden=2, kernel_size=3, bias=False, ties=False):
    """Make a worksheet: small whole numbers, friendly weights, and mistakes that can be told apart.

    Examples are drawn until no maximum is shared, no sigmoid is saturated, and every mistake of the catalogue that can
    occur shows and gives other numbers than every other one. The same arguments give the same worksheet.

    Parameters
    ----------
    seed : int
        Which worksheet.
    level : {"forward", "full", "backward"}
        What is asked: the way to F'', the way there and back, or the way back alone, with the forward steps given.
    channels : int
        C.
    size : int
        H and W.
    hidden : int
        Hidden units of the shared MLP, C/r; at least 2, since with one ReLU does all or nothing.
    kernel_size : int
        3, so that it can be done by hand; 7 as on the slides.
    bias : bool
        Whether the MLP has biases.
    ties : bool
        Whether a maximum is reached twice in some channel, so that a rule must say who gets its gradient.

    Returns
    -------
    Worksheet
        The example and its key.

    Raises
    ------
    ValueError
        If a size is out of range or the level is unknown.
    """
    check_option(level, "level", LEVELS)
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}, expected a whole number from 0 on")
    for name, value, least, most in (
        ("channels", channels, 2, 6),
        ("size", size, 2, 5),
        ("hidden", hidden, 2, channels),
        ("kernel_size", kernel_size, 3, 7),
    ):
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}, expected {least} to {most}: this is to be done by hand")
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size is {kernel_size}, expected an odd number: an even kernel has no middle")
    rng = np.random.default_rng([seed, LEVELS.index(level), channels, size, hidden, kernel_size, bias, ties])
    chosen = dict(channels=channels, size=size, hidden=hidden, kernel_size=kernel_size, bias=bias, ties=ties)
    candidates = []
    for trace in islice(_friendly(rng, **chosen), CANDIDATES):
        asked = tuple(step.name for step in trace if not step.given and _is_asked(step.name, level))
        candidates.append((unlike(trace, asked), trace))
        if not candidates[-1][0]:
            break
    alike, trace = min(candidates, key=lambda candidate: len(candidate[0]))
    usual = inspect.signature(worksheet).parameters
    options = {name: value for name, value in chosen.items() if value != usual[name].default}
    return Worksheet(int(seed), level, options, trace, _printed(trace, asked, level), asked, alike)


def _is_asked(name, level):
    return {"forward": not name.startswith("d"), "backward": name.startswith("d"), "full": True}[level]


def _printed(trace, asked, level):
    """Return, as text, what is given, and the forward steps where only the way back is asked."""
    shown = [s for s in trace if s.name not in asked and (level != "forward" or not s.name.startswith("d"))]
    return {step.name: _as_text(step.value) for step in shown}


def _as_text(value):
    return np.vectorize(lambda v: notation.number(v, DECIMALS), otypes=[object])(value).tolist()


def _friendly(rng, channels, size, hidden, kernel_size, bias, ties):
    """Yield examples with friendly numbers."""
    for _ in range(DRAWS):
        trace = _draw(rng, channels, size, hidden, kernel_size, bias, ties)
        if trace is not None:
            yield trace


def _draw(rng, C, n, hidden, k, bias, ties):
    """Draw an example; None where the draw was unlucky."""
    F = _features(rng, C, n, ties)
    params = {"W0": rng.choice(WEIGHTS, (hidden, C)), "W1": rng.choice(WEIGHTS, (C, hidden))}
    if bias:
        params |= {"b0": rng.choice(WEIGHTS, hidden), "b1": rng.choice(WEIGHTS, C)}
    Mc, cache = channel_attention_forward(F[None], _floats(params), mlp_bias=bias)
    if not _is_friendly(cache, F * Mc[0]):
        return None
    for _ in range(20):
        kept = rng.permutation(2 * k * k) < 8  # a kernel of few entries can be followed by hand
        params["W7"] = rng.choice(WEIGHTS, (1, 2, k, k)) * kept.reshape(1, 2, k, k)
        if np.abs(spatial_attention_forward(F[None] * Mc, _floats(params))[1].z_s).max() <= 3:
            dF_out = rng.choice([-2, -1, 0, 1, 2], size=F.shape, p=np.array([1, 3, 4, 3, 1]) / 12)
            return trace_cbam(F, params, dF_out, mlp_bias=bias)
    return None


def _floats(params):
    return {name: W.astype(float) for name, W in params.items()}


def _is_friendly(cache, F1):
    """Tell whether the channel submodule's numbers are clear enough for rounding to change nothing but digits."""
    pixels = np.sort(F1, axis=0)
    if (pixels[-1] - pixels[-2] < 0.05).any() or np.abs(cache.z_c).max() > 3:
        return False  # rounding would decide who is the largest; a sigmoid near 0 or 1
    hs = np.array([mlp.h[0] for mlp in cache.mlps.values()])
    if np.abs(hs).min() < 0.05 or not (hs > 0).any(axis=1).all():
        return False  # rounding would decide what ReLU does; a branch that gives nothing
    return bool(((hs[0] > 0) != (hs[1] > 0)).any())  # ReLU differs between the branches


def _features(rng, C, n, ties):
    """Draw small whole numbers; each channel has one maximum, one of them twice if `ties`, one of them a low one."""
    F = rng.choice(np.arange(-1, 4), size=(C, n * n), p=[0.15, 0.25, 0.25, 0.2, 0.15])
    tied, low = rng.permutation(C)[:2]
    F[low] = np.minimum(F[low], 1)
    for c in range(C):
        places = rng.permutation(n * n)[:3]
        F[c, places[0]] = F[c].max() + 1
        if ties and c == tied:
            F[c, places[1]] = F[c, places[0]]
        if c == low:
            F[c, places[2]] = -3  # farther from 0 than the maximum
    return F.reshape(C, n, n)
