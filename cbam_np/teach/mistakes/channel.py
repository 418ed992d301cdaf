"""Mistakes in the channel submodule, between its pools and M_c."""

import numpy as np

from ..calculation.rules import products
from .mistake import composed, copy_of, entries, mistake, relu, sigmoid, terms, then, unspelled

BOTH = "z_avg z_max"


def _layer(letter, W, spec, times=1):
    """Return a variant in which a layer of the MLP, "h" or "z", has another matrix, or its bias so many times."""
    before, bias = ("F", "h->h b0") if letter == "h" else ("a", "c->c b1")

    def change(c):
        biases = [bias] * (times * c.bias)
        return {f"{letter}_{p}": products(*terms(f"{spec} {W} {before}_{p}", *biases)) for p in c.pools}

    return change


def _all(*variants):
    return lambda c: {name: rule for variant in variants for name, rule in variant(c).items()}


def _without_relu(*pools):
    return lambda c: {f"a_{pool}": copy_of(f"h_{pool}") for pool in pools or c.pools if pool in c.pools}


def _sum(f, template, rising=False):
    """Return a variant in which the branches are put together in another way."""
    return lambda c: {"z_c": entries(template, "z_avg", "z_max", f=f, rising=rising)}


def _sum_of_sigmoids(a, m):
    return sigmoid(a) + sigmoid(m)


def _pools_added_first(c):
    h = products(*terms("hc,c->h W0 F_avg", "hc,c->h W0 F_max", *["h->h b0"] * c.bias))
    z = products(*terms("ch,h->c W1 a", *["c->c b1"] * c.bias))
    return {"z_c": composed(z, "a", then(h, relu, "ReLU({})"))}


def _softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def _softmax_bound(lows, highs):
    """Bound each share: it is least where its own score is low and all others are high."""

    def share(own, others):
        return 1 / (1 + np.array([sum(np.exp(np.delete(others, i) - x)) for i, x in enumerate(own)]))

    return share(lows[0], highs[0]), share(highs[0], lows[0])


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
        lambda c: {f"h_{pool}": copy_of(f"F_{pool}") for pool in c.pools},
        square="W0",
    ),
    mistake(
        "W_1 left out",
        "What the ReLU lets through is multiplied by W_1.",
        lambda c: {f"z_{pool}": copy_of(f"a_{pool}") for pool in c.pools},
        square="W1",
    ),
    mistake(
        "ReLU forgotten",
        "Between W_0 and W_1, the ReLU makes every negative number 0.",
        _without_relu(),
        _without_relu("avg"),
        _without_relu("max"),
    ),
    mistake(
        "ReLU after W_1 instead of before",
        "The ReLU stands between W_0 and W_1; after W_1 there is none.",
        lambda c: (
            {f"a_{pool}": copy_of(f"h_{pool}") for pool in c.pools}
            | {f"z_{pool}": then(c[f"z_{pool}"], relu, "ReLU({})") for pool in c.pools}
        ),
    ),
    mistake(
        "ReLU after W_1 too",
        "The MLP ends with W_1: its output may be negative, and no second ReLU follows.",
        lambda c: {f"z_{pool}": then(c[f"z_{pool}"], relu, "ReLU({})") for pool in c.pools},
    ),
    mistake(
        "the absolute value instead of ReLU",
        "ReLU turns negative numbers into 0; it does not take off their sign.",
        lambda c: {f"a_{pool}": entries("|{}|", f"h_{pool}", f=np.abs) for pool in c.pools},
    ),
    mistake(
        "ReLU the wrong way round",
        "ReLU keeps what is positive and turns what is negative into 0, not the other way round.",
        lambda c: {
            f"a_{pool}": entries("min({}, 0)", f"h_{pool}", f=lambda h: np.minimum(h, 0), rising=True)
            for pool in c.pools
        },
    ),
    mistake(
        "b_0 left out",
        "The first layer of this MLP has a bias: h = W_0 v + b_0.",
        _layer("h", "W0", "hc,c->h", times=0),
        needs="b0",
    ),
    mistake(
        "b_0 counted twice", "b_0 is added once in each branch.", _layer("h", "W0", "hc,c->h", times=2), needs="b0"
    ),
    mistake(
        "b_1 left out",
        "The second layer of this MLP has a bias: z = W_1 a + b_1.",
        _layer("z", "W1", "ch,h->c", times=0),
        needs="b1",
    ),
    mistake(
        "b_1 counted twice", "b_1 is added once in each branch.", _layer("z", "W1", "ch,h->c", times=2), needs="b1"
    ),
    mistake(
        "b_1 counted in one branch only",
        "The MLP runs twice, so that its bias b_1 is in both branches and counts twice in the sum.",
        lambda c: {"z_max": products(*terms("ch,h->c W1 a_max"))},
        lambda c: {"z_avg": products(*terms("ch,h->c W1 a_avg"))},
        needs=f"b1 {BOTH}",
    ),
    mistake(
        "the maximum's branch missing",
        "M_c needs the sum of both branches, MLP(avg) + MLP(max); the maximum's was left out.",
        lambda c: {"z_c": copy_of("z_avg")},
        needs=BOTH,
    ),
    mistake(
        "the average's branch missing",
        "M_c needs the sum of both branches, MLP(avg) + MLP(max); the average's was left out.",
        lambda c: {"z_c": copy_of("z_max")},
        needs=BOTH,
    ),
    mistake(
        "the branches averaged instead of added",
        "The two branches are added, not averaged.",
        _sum(lambda a, m: (a + m) / 2, "({} + {})/2", rising=True),
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
        _sum(lambda a, m: a - m, "{0} - {1}"),
        _sum(lambda a, m: m - a, "{1} - {0}"),
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
        lambda c: {"M_c": entries("σ({}) + σ({})", "z_avg", "z_max", f=_sum_of_sigmoids, rising=True)},
        lambda c: {
            "z_c": entries("σ({}) + σ({})", "z_avg", "z_max", f=_sum_of_sigmoids, rising=True),
            "M_c": copy_of("z_c"),
        },
        _sum(_sum_of_sigmoids, "σ({}) + σ({})", rising=True),
        needs=BOTH,
    ),
    mistake(
        "softmax instead of the channel sigmoid",
        "Every channel has a sigmoid of its own; its weights need not add up to 1, as those of softmax do.",
        lambda c: {"M_c": c["M_c"]._replace(compute=_softmax, bound=_softmax_bound, spell=unspelled)},
        needs="M_c",
    ),
)
