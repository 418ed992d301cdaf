"""CBAM in JavaScript against CBAM in Python: random examples, every step of them, forward and backward."""

from itertools import product

import numpy as np
import pytest

import cbam_np
from cbam_np.cbam import ORDERS
from cbam_np.classroom.front import script

pytestmark = pytest.mark.browser

CASES = 320
CHOICES = ("order", "channel_pools", "spatial_pools", "ties", "mlp_bias", "spatial_norm")
POOLS = (("avg", "max"), ("max", "avg"), ("avg",), ("max",), ("mixed",), ("lp", "lse"), ("avg", "max", "lp", "lse"))
TIES = ("first", "split", ("first", "split"), ("split", "first"))
RUN = """
cases => cases.map(([given, choices]) => {
    const plain = value => Array.isArray(value) ? value.map(plain) : toFloat(value);
    const { values } = calculate(given, choices);
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plain(value)]));
})
"""


def cases(rng):
    """Yield F, parameters, the output's gradient and choices."""
    combinations = list(product(ORDERS, POOLS, POOLS, TIES, (False, True), (False, True)))
    rng.shuffle(combinations)
    for number in range(CASES):
        order, channel_pools, spatial_pools, ties, bias, norm = combinations[number]
        C, H, W = (int(n) for n in rng.integers([1, 1, 2], [5, 6, 6]))
        hidden, k = int(rng.integers(1, 5)), int(rng.choice([1, 3, 5, 7]))
        whole = number % 2  # whole numbers have ties

        def draw(*shape, whole=whole):
            return rng.integers(-2, 3, shape).astype(float) if whole else rng.normal(size=shape)

        F, params = draw(C, H, W), {}
        if "channel" in ORDERS[order]:
            params |= {"W0": draw(hidden, C), "W1": draw(C, hidden)}
            params |= {"b0": draw(hidden), "b1": draw(C)} if bias else {}
        if "spatial" in ORDERS[order]:
            params["W7"] = draw(1, len(spatial_pools), k, k)
            params |= {"gamma": draw(1), "beta": draw(1)} if norm else {}
        pools = {"channel_pools": channel_pools, "spatial_pools": spatial_pools}
        yield F, params, draw(C, H, W), {"order": order, **pools, "ties": ties, "mlp_bias": bias, "spatial_norm": norm}


@pytest.fixture(scope="module")
def traces():
    return [cbam_np.trace_cbam(F, params, dF, **choices) for F, params, dF, choices in cases(np.random.default_rng(17))]


def given(trace):
    return {step.name: np.asarray(step.value, float).tolist() for step in trace if step.given}


def choices(trace):
    d = trace.dialect
    return {name: getattr(d, name) for name in CHOICES}


def distance(browser, traces, source):
    """Return how far the JavaScript is off, relative to the largest entry of a step, and how many arrays there are."""
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_script_tag(type="module", content=f"{source}\nObject.assign(window, {{ calculate, toFloat }});")
    found = page.evaluate(RUN, [[given(trace), choices(trace)] for trace in traces])
    page.close()
    assert errors == []
    worst, most = 0.0, 0
    for trace, values in zip(traces, found, strict=True):
        assert list(values) == list(trace.names)
        most = max(most, len(values))
        for step in trace:
            right = np.asarray(step.value, float)
            worst = max(worst, float(np.abs(np.array(values[step.name]) - right).max() / max(1, np.abs(right).max())))
    return worst, most


def test_the_twin_gives_what_python_gives(browser, traces):
    worst, most = distance(browser, traces, script("twin.js"))
    print(f"twin: at most {worst:.1e} off in {len(traces)} examples of up to {most} arrays")
    assert worst <= 1e-12 and most >= 39
    assert {trace.dialect.order for trace in traces} == set(ORDERS)


FAULTS = {
    "twin.js": [
        ("1 - M", "1 + M"),
        ("winners[0] === mine", "winners[1] === mine"),
        ("isGreater(h, ZERO) ? h", "isGreater(ZERO, h) ? h"),
    ],
    "norm.js": [("dbeta / M", "dbeta"), ("+ beta,", "- beta,")],
    "pools.js": [("Math.exp(x - total)", "Math.exp(x)"), ("winners.length : 0;\n}", "1 : 0;\n}")],
    "steps.js": [
        ("i - a + half", "i + a - half"),
        ("[...paths[before]]", "[paths[before][0]]"),
        ('[["b1", [c]]]', '[["b1", [0]]]'),
    ],
}


@pytest.mark.parametrize(("right", "wrong"), [fault for faults in FAULTS.values() for fault in faults])
def test_a_planted_fault_is_seen(right, wrong, browser, traces):
    source = script("twin.js")
    assert right in source
    assert distance(browser, traces[:120], source.replace(right, wrong, 1))[0] > 1e-6
