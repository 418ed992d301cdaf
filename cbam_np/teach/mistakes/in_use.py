"""Further mistakes: where a value is used rather than where it is made, and slips with the sigmoid and its derivative.

They are held against answers as the catalogue is, but worksheets are not chosen by them.
"""

from collections.abc import Callable

import numpy as np

from ..calculation.cbam_rules import sigmoid
from ..calculation.rules import Compute, monotone_bound, products, reduction, term
from .mistake import Calculation, Change, OneWay, entries, mistake, unspelled, with_input

BOTH_POOLS = "h_avg h_max F_avg F_max"


def _one_pool(kept: str, other: str) -> OneWay:
    return lambda c: {f"h_{other}": with_input(c[f"h_{other}"], f"F_{other}", f"F_{kept}")}


def _one_branch(kept: str, other: str) -> OneWay:
    return lambda c: {f"z_{other}": with_input(c[f"z_{other}"], f"a_{other}", f"a_{kept}")}


def _scores(M: str, template: str, f: Compute, rising: bool = False) -> OneWay:
    """Return a variant in which a map is another function of its scores."""
    z = f"z_{M[-1]}"
    return lambda c: {M: entries(template, z, f=f, rising=rising)} if M in c and z in c else {}


def of_both(template: str, f: Compute, rising: bool = False) -> tuple[OneWay, ...]:
    """Return variants in which M_c, or M_s, is another function of its scores."""
    return _scores("M_c", template, f, rising), _scores("M_s", template, f, rising)


def slopes(template: str, f: Compute) -> tuple[OneWay, ...]:
    """Return variants in which a sigmoid's derivative is another function of dM and M."""
    return tuple(lambda c, x=x: {f"dz_{x}": entries(template, f"dM_{x}", f"M_{x}", f=f)} for x in "cs")


def _only_weights(c: Calculation) -> Change:
    """F'' as the product of both maps, F left out."""
    last, shape = c.gate("M_s"), c.shape
    both = term("ij,cij->cij", "M_s", "M_c", arrange=lambda Ms, Mc: (Ms, np.broadcast_to(Mc[:, None, None], shape)))
    return {last: products(both)}


def _only_map(M: str) -> OneWay:
    """Return a variant in which a product is the map alone, at every entry."""

    def spread(c: Calculation) -> Change:
        def arrange(m: np.ndarray) -> tuple[np.ndarray]:
            return (np.broadcast_to(m[:, None, None] if m.ndim == 1 else m, c.shape),)

        return {c.gate(M): products(term("cij->cij", M, arrange=arrange))}

    return spread


def _largest_of_a_channel(c: Calculation) -> list[Change]:
    """Every pixel gets the maximum of a whole channel, or of all of them."""
    source = c["Fs_max"].inputs[0]

    def largest(which: int | slice) -> Change:
        def compute(x: np.ndarray) -> np.ndarray:
            return np.full(x.shape[1:], x[which].max())

        bound = monotone_bound(compute)
        return {"Fs_max": c["Fs_max"]._replace(inputs=(source,), compute=compute, bound=bound, spell=unspelled)}

    return [largest(which) for which in (*range(c.C), slice(None))]


def _part_of_the_channel(name: str, function: Callable) -> Callable[[Calculation], list[Change]]:
    """Return a variant that pools one row or one column instead of the whole channel."""

    def change(c: Calculation) -> list[Change]:
        source = c[name].inputs[0]
        parts = [(slice(None), i) for i in range(c.H)] + [(slice(None), slice(None), j) for j in range(c.W)]

        def of(part: tuple[int | slice, ...]) -> Change:
            def pooled(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
                return function(x[part], axis=1)

            return {name: reduction(source, "cij->c", pooled, "")._replace(spell=unspelled)}

        return [of(part) for part in parts] if min(c.H, c.W) > 1 else []

    return change


def _fewer_channels(name: str, function: Callable) -> Callable[[Calculation], list[Change]]:
    """Return a variant that leaves one channel out where channels are pooled."""

    def change(c: Calculation) -> list[Change]:
        source = c[name].inputs[0]

        def of(left_out: int) -> Change:
            def pooled(x: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
                return function(np.delete(x, left_out, axis=0), axis=0)

            return {name: reduction(source, "cij->ij", pooled, "")._replace(spell=unspelled)}

        return [of(left_out) for left_out in range(c.C)] if c.C > 2 else []

    return change


def _one_channel_for_all(c: Calculation) -> list[Change]:
    """Every channel is multiplied by the same channel's weight."""
    name = c.gate("M_c")
    before = c[name].inputs[1]

    def of(which: int) -> Change:
        def arrange(m: np.ndarray, F: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.full(m.shape, m[which]), F

        return {name: products(term("c,cij->cij", "M_c", before, arrange=arrange))}

    return [of(which) for which in range(c.C)] if c.C > 1 else []


FURTHER = (
    mistake(
        "the average used in both branches",
        "Both branches of the sum need their own number: MLP(average) + MLP(maximum). The maximum was not used.",
        _one_pool("avg", "max"),
        _one_branch("avg", "max"),
        needs=BOTH_POOLS,
        combines=False,
    ),
    mistake(
        "the maximum used in both branches",
        "Both branches of the sum need their own number: MLP(average) + MLP(maximum). The average was not used.",
        _one_pool("max", "avg"),
        _one_branch("max", "avg"),
        needs=BOTH_POOLS,
        combines=False,
    ),
    mistake(
        "two forms of the sigmoid mixed: e^z / (1 + e^(-z))",
        "The sigmoid is 1/(1 + e^(-z)), or e^z/(1 + e^z): the same exponent above and below.",
        *of_both("e^{0}/(1 + e^(-({0})))", lambda z: np.exp(z) * sigmoid(z), rising=True),
        combines=False,
    ),
    mistake(
        "two forms of the sigmoid mixed: e^(-z) / (1 + e^z)",
        "The sigmoid is 1/(1 + e^(-z)), or e^z/(1 + e^z): the same exponent above and below.",
        *of_both("e^(-({0}))/(1 + e^{0})", lambda z: np.exp(-z) * sigmoid(-z)),
        combines=False,
    ),
    mistake(
        "the sigmoid not inverted: 1 + e^(-z)",
        "The sigmoid is 1 divided by all of 1 + e^(-z). On a calculator, 1 + e^(-z) needs parentheses, or the key 1/x.",
        *of_both("1 + e^(-({}))", lambda z: 1 + np.exp(-z)),
        combines=False,
    ),
    mistake(
        "the sigmoid neither inverted nor with its minus: 1 + e^z",
        "The sigmoid is 1 divided by 1 + e^(-z).",
        *of_both("1 + e^{}", lambda z: 1 + np.exp(z), rising=True),
        combines=False,
    ),
    mistake(
        "only e^(-z) of the sigmoid",
        "The sigmoid is 1/(1 + e^(-z)): e^(-z) is only a part of it.",
        *of_both("e^(-({}))", lambda z: np.exp(-z)),
        combines=False,
    ),
    mistake(
        "the sigmoid's derivative instead of the sigmoid",
        "On the way forward stands the sigmoid itself; its derivative belongs to the way back.",
        *of_both("σ({0})(1 - σ({0}))", lambda z: sigmoid(z) * (1 - sigmoid(z))),
        combines=False,
    ),
    mistake(
        "F forgotten: only the weights multiplied",
        "M_c and M_s are weights of the feature map: the product needs F as well.",
        _only_weights,
        _only_map("M_c"),
        _only_map("M_s"),
        needs="M_c M_s",
        combines=False,
    ),
    mistake(
        "the maximum over space instead of channels",
        "At every pixel, the largest of the channels' numbers at that pixel is wanted, not the largest in a channel.",
        _largest_of_a_channel,
        needs="Fs_max",
        combines=False,
    ),
    mistake(
        "the maximum over one row or column only",
        "The maximum is taken over the whole channel, all rows and all columns.",
        _part_of_the_channel("F_max", np.max),
        needs="F_max",
        combines=False,
    ),
    mistake(
        "the average over one row or column only",
        "The average is taken over the whole channel, all rows and all columns.",
        _part_of_the_channel("F_avg", np.mean),
        needs="F_avg",
        combines=False,
    ),
    mistake(
        "a channel left out of the maximum",
        "The maximum at a pixel is taken over all channels.",
        _fewer_channels("Fs_max", np.max),
        needs="Fs_max",
        combines=False,
    ),
    mistake(
        "a channel left out of the average",
        "The average at a pixel is taken over all channels.",
        _fewer_channels("Fs_avg", np.mean),
        needs="Fs_avg",
        combines=False,
    ),
    mistake(
        "one channel's weight used for every channel",
        "Channel c has its own weight, M_c[c].",
        _one_channel_for_all,
        needs="M_c",
        combines=False,
    ),
    mistake(
        "the gradient from above forgotten in the sigmoid's derivative",
        "By the chain rule, what comes from above, dM, is multiplied by M (1 - M).",
        *slopes("{1}·(1 - {1})", lambda d, M: M * (1 - M) + 0 * d),
        needs="dM_c dM_s",
        combines=False,
    ),
    mistake(
        "the derivative of tanh, 1 - M², instead of the sigmoid's",
        "The sigmoid's derivative is M (1 - M).",
        *slopes("{0}·(1 - {1}²)", lambda d, M: d * (1 - M * M)),
        needs="dM_c dM_s",
        combines=False,
    ),
    mistake(
        "M² instead of M (1 - M)",
        "The sigmoid's derivative has two factors, M and 1 - M.",
        *slopes("{0}·{1}²", lambda d, M: d * M * M),
        needs="dM_c dM_s",
        combines=False,
    ),
    mistake(
        "M (1 + M) instead of M (1 - M)",
        "The sigmoid's derivative is M (1 - M), with a minus.",
        *slopes("{0}·{1}·(1 + {1})", lambda d, M: d * M * (1 + M)),
        needs="dM_c dM_s",
        combines=False,
    ),
)
