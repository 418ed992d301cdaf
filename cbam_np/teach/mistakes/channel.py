"""Mistakes in the channel submodule, between its pools and M_c."""

import numpy as np

from ..calculation.cbam_rules import relu, sigmoid
from ..calculation.rules import Arrays, Compute, Interval, Rule, products
from .mistake import (
    Calculation,
    Change,
    OneWay,
    always,
    composed,
    copy_of,
    entries,
    in_each_branch,
    mistake,
    terms,
    then,
    unspelled,
)

BOTH = "z_avg z_max"


def _layer(letter: str, W: str, spec: str, biases: int = 1) -> OneWay:
    """Return a variant in which a layer of the MLP, "h" or "z", has another matrix, or its bias so many times."""
    before, bias = ("F", "h->h b0") if letter == "h" else ("a", "c->c b1")

    def change(c: Calculation) -> Change:
        added = [bias for _ in range(biases)] if c.bias else []
        return {f"{letter}_{p}": products(*terms(f"{spec} {W} {before}_{p}", *added)) for p in c.pools}

    return change


def _all(*variants: OneWay) -> OneWay:
    """Return a variant in which several layers are changed at once."""

    def change(c: Calculation) -> Change:
        made: Change = {}
        for variant in variants:
            made |= variant(c)
        return made

    return change


def _skipped(after: str, before: str, *pools: str) -> OneWay:
    """Return a variant in which a step of the MLP just repeats the one before, in all branches or in some."""
    return in_each_branch(after + "_{}", lambda p: copy_of(f"{before}_{p}"), *pools)


def _relu_after(c: Calculation) -> Change:
    return {f"z_{p}": then(c[f"z_{p}"], relu, "ReLU({})") for p in c.pools}


def _instead_of_relu(template: str, f: Compute, rising: bool = False) -> OneWay:
    """Return a variant in which another function stands in ReLU's place."""
    return in_each_branch("a_{}", lambda p: entries(template, f"h_{p}", f=f, rising=rising))


def keep_negative(h: np.ndarray) -> np.ndarray:
    """Return what ReLU takes away."""
    return np.minimum(h, 0)


# --- the sum of the branches ---


def _sum(f: Compute, template: str, rising: bool = False) -> OneWay:
    """Return a variant in which the branches are put together in another way."""
    return always({"z_c": entries(template, "z_avg", "z_max", f=f, rising=rising)})


def halved_sum(a: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Return the average of the branches."""
    return (a + m) / 2


def backward_difference(a: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Return the maximum's branch minus the average's."""
    return m - a


def sum_of_sigmoids(a: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Return σ(a) + σ(m)."""
    return sigmoid(a) + sigmoid(m)


SUM_OF_SIGMOIDS = entries("σ({}) + σ({})", "z_avg", "z_max", f=sum_of_sigmoids, rising=True)


def _pools_added_first(c: Calculation) -> Change:
    b0, b1 = (["h->h b0"], ["c->c b1"]) if c.bias else ([], [])
    h = products(*terms("hc,c->h W0 F_avg", "hc,c->h W0 F_max", *b0))
    z = products(*terms("ch,h->c W1 a", *b1))
    return {"z_c": composed(z, "a", then(h, relu, "ReLU({})"))}


# --- softmax ---


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    return e / e.sum()


def _softmax_bound(lows: Arrays, highs: Arrays) -> Interval:
    """Bound each share: it is least where its own score is low and all others are high."""

    def shares(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.array([sum(np.exp(np.delete(others, i) - z)) for i, z in enumerate(scores)]))

    return shares(lows[0], highs[0]), shares(highs[0], lows[0])


MISTAKES = (
    mistake(
        "W_0 and W_1 swapped",
        "W_0 comes first and squeezes, W_1 comes second and leads back to the channels.",
        _all(_layer("h", "W1", "ch,c->h"), _layer("z", "W0", "hc,h->c")),
    ),
    mistake(
        "W_0 and W_1 swapped as they stand",
        "W_0 comes first, W_1 comes second.",
        _all(_layer("h", "W1", "hc,c->h"), _layer("z", "W0", "ch,h->c")),
        square="W0",
    ),
    mistake(
        "W_0 transposed",
        "Row h of W_0 belongs to hidden unit h, column c to channel c.",
        _layer("h", "W0", "ch,c->h"),
        square="W0",
    ),
    mistake(
        "W_1 transposed",
        "Row c of W_1 belongs to channel c, column h to hidden unit h.",
        _layer("z", "W1", "hc,h->c"),
        square="W1",
    ),
    mistake(
        "W_0 left out",
        "The pooled numbers are multiplied by W_0 before the ReLU.",
        _skipped("h", "F"),
        square="W0",
    ),
    mistake(
        "W_1 left out",
        "What the ReLU lets through is multiplied by W_1.",
        _skipped("z", "a"),
        square="W1",
    ),
    mistake(
        "ReLU forgotten",
        "Between W_0 and W_1, the ReLU makes every negative number 0.",
        _skipped("a", "h"),
        _skipped("a", "h", "avg"),
        _skipped("a", "h", "max"),
    ),
    mistake(
        "ReLU after W_1 instead of before",
        "The ReLU stands between W_0 and W_1; after W_1 there is none.",
        _all(_skipped("a", "h"), _relu_after),
    ),
    mistake(
        "ReLU after W_1 too",
        "The MLP ends with W_1: its output may be negative, and no second ReLU follows.",
        _relu_after,
    ),
    mistake(
        "the absolute value instead of ReLU",
        "ReLU turns negative numbers into 0; it does not take off their sign.",
        _instead_of_relu("|{}|", np.abs),
    ),
    mistake(
        "ReLU the wrong way round",
        "ReLU keeps what is positive and turns what is negative into 0, not the other way round.",
        _instead_of_relu("min({}, 0)", keep_negative, rising=True),
    ),
    mistake(
        "b_0 left out",
        "The first layer of this MLP has a bias: h = W_0 v + b_0.",
        _layer("h", "W0", "hc,c->h", biases=0),
        needs="b0",
    ),
    mistake(
        "b_0 counted twice", "b_0 is added once in each branch.", _layer("h", "W0", "hc,c->h", biases=2), needs="b0"
    ),
    mistake(
        "b_1 left out",
        "The second layer of this MLP has a bias: z = W_1 a + b_1.",
        _layer("z", "W1", "ch,h->c", biases=0),
        needs="b1",
    ),
    mistake(
        "b_1 counted twice", "b_1 is added once in each branch.", _layer("z", "W1", "ch,h->c", biases=2), needs="b1"
    ),
    mistake(
        "b_1 counted in one branch only",
        "The MLP runs twice, so that its bias b_1 is in both branches and counts twice in the sum.",
        always({"z_max": products(*terms("ch,h->c W1 a_max"))}),
        always({"z_avg": products(*terms("ch,h->c W1 a_avg"))}),
        needs=f"b1 {BOTH}",
    ),
    mistake(
        "the maximum's branch missing",
        "M_c needs the sum of both branches, MLP(avg) + MLP(max); the maximum's was left out.",
        always({"z_c": copy_of("z_avg")}),
        needs=BOTH,
    ),
    mistake(
        "the average's branch missing",
        "M_c needs the sum of both branches, MLP(avg) + MLP(max); the average's was left out.",
        always({"z_c": copy_of("z_max")}),
        needs=BOTH,
    ),
    mistake(
        "the branches averaged instead of added",
        "The two branches are added, not averaged.",
        _sum(halved_sum, "({} + {})/2", rising=True),
        needs=BOTH,
    ),
    mistake(
        "the branches multiplied instead of added",
        "The two branches are added, not multiplied.",
        _sum(np.multiply, "{}·{}"),
        needs=BOTH,
    ),
    mistake(
        "the branches subtracted instead of added",
        "The two branches are added.",
        _sum(np.subtract, "{0} - {1}"),
        _sum(backward_difference, "{1} - {0}"),
        needs=BOTH,
    ),
    mistake(
        "the larger branch instead of the sum",
        "The two branches are added; no maximum is taken between them.",
        _sum(np.maximum, "max({}, {})", rising=True),
        needs=BOTH,
    ),
    mistake(
        "the pools added before the MLP",
        "The MLP runs on each pooled vector by itself; because of its ReLU, the MLP of the sum is another number.",
        _pools_added_first,
        needs=BOTH,
    ),
    mistake(
        "the sigmoid before the sum",
        "Add the two branches first, then take one sigmoid of the sum.",
        always({"M_c": SUM_OF_SIGMOIDS}),
        always({"z_c": SUM_OF_SIGMOIDS, "M_c": copy_of("z_c")}),
        always({"z_c": SUM_OF_SIGMOIDS}),
        needs=BOTH,
    ),
    mistake(
        "softmax instead of the channel sigmoid",
        "Every channel has a sigmoid of its own; its weights need not add up to 1, as those of softmax do.",
        always({"M_c": Rule(("z_c",), _softmax, _softmax_bound, unspelled)}),
        needs="M_c",
    ),
)
