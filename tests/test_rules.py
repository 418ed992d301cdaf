"""The rules of a trace compute what the network computed, keep their bounds, and write themselves out."""

import re

import numpy as np
import pytest

import cbam_np
from cbam_np.cbam import ORDERS
from cbam_np.teach.calculation import notation
from cbam_np.teach.calculation.rules import products, summed, term
from cbam_np.teach.calculation.steps import trace_cbam

CASES = [
    {"order": order, "channel_pools": pools, "spatial_pools": pools, "ties": ties, "mlp_bias": bias}
    for order in ORDERS
    for pools, ties, bias in [
        (("avg", "max"), "first", False),
        (("max", "avg"), "split", True),
        (("avg",), "first", True),
        (("max",), "split", False),
        (("avg", "max"), ("first", "split"), False),
        (("avg", "max"), ("split", "first"), False),
        (("lp", "max", "lse"), "first", True),
        (("mixed",), "split", False),
        (("mixed",), "first", False),
    ]
]
SOFT = next(case for case in CASES if case["order"] == "spatial" and "lp" in case["spatial_pools"])
RUNNING = np.array([0.3]), np.array([1.7])
NORMALISED = [
    {"dialect": dialect, "order": order, "running": running}
    for dialect in ("official", "timm", "timm-light")
    for order in ("channel-spatial", "spatial", "parallel")
    for running in (None, RUNNING)
]


def name_of(options):
    values = [value for name, value in options.items() if name != "running"]
    words = ["-".join(value) if isinstance(value, tuple) else str(value) for value in values]
    return "-".join([*words, "inference"] if options.get("running") else words)


def random_trace(rng, options, whole=False):
    choices = {name: value for name, value in options.items() if name != "running"}
    params = cbam_np.init_cbam(4, 2, 3, rng=rng, **choices)
    params |= {b: rng.standard_normal(params[b].shape) for b in ("b0", "b1", "gamma", "beta") if b in params}
    F, dout = rng.integers(-2, 3, (2, 4, 5, 3)).astype(float) if whole else rng.standard_normal((2, 4, 5, 3))
    return trace_cbam(F, params, dout, **options)


def values(trace, rule):
    return [np.asarray(trace[name].value, float) for name in rule.inputs]


@pytest.mark.parametrize("options", CASES + NORMALISED, ids=name_of)
@pytest.mark.parametrize("whole", [False, True])
def test_rules_compute_what_the_network_computed(rng, options, whole):
    trace = random_trace(rng, options, whole)
    for step in trace:
        assert (step.rule is None) == step.given, step.name
        if step.rule:
            computed = step.rule.compute(*values(trace, step.rule))
            np.testing.assert_allclose(computed, step.value, rtol=1e-12, atol=1e-13, err_msg=step.name)


def test_a_step_depends_on_earlier_steps_only(rng):
    for options in CASES + NORMALISED:
        trace = random_trace(rng, options)
        for at, step in enumerate(trace):
            assert not step.rule or set(step.rule.inputs) <= set(trace.names[:at]), step.name


@pytest.mark.parametrize("radius", [pytest.param(1e-3, marks=pytest.mark.slow), 0.1, 1.0])
@pytest.mark.parametrize("options", [*CASES[:2], *CASES[6:8], SOFT, *NORMALISED[:2]], ids=name_of)
def test_bounds_hold_what_lies_between(rng, options, radius):
    trace = random_trace(rng, options)
    for step in filter(lambda step: step.rule, trace):
        middle = values(trace, step.rule)
        reach = [radius * rng.random(m.shape) * (rng.random(m.shape) > 0.3) for m in middle]
        ends = list(zip(middle, reach, strict=True))
        low, high = step.rule.bound([m - r for m, r in ends], [m + r for m, r in ends])
        for _ in range(200):
            sample = step.rule.compute(*(m + r * rng.choice([-1, 1, rng.uniform(-1, 1)], m.shape) for m, r in ends))
            assert (low <= sample + 1e-12).all() and (sample <= high + 1e-12).all(), step.name


def test_bounds_of_points_are_the_points(rng):
    trace = random_trace(rng, CASES[0])
    for step in filter(lambda step: step.rule, trace):
        points = values(trace, step.rule)
        for end in step.rule.bound(points, points):
            np.testing.assert_allclose(end, step.value, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("options", [CASES[0], SOFT, *NORMALISED[:2]], ids=name_of)
def test_bounds_are_not_wider_than_they_need_be(rng, options):
    """Bounds that let everything through would call nothing wrong: they shrink in step with their inputs."""
    trace = random_trace(rng, options)
    for step in filter(lambda step: step.rule, trace):
        points, widths = values(trace, step.rule), []
        for radius in (1e-4, 1e-6):
            low, high = step.rule.bound([p - radius for p in points], [p + radius for p in points])
            widths.append((high - low).max())
        assert widths[1] < 2e-2 * widths[0] < 1e-3, step.name


@pytest.mark.parametrize(
    ("entry", "spelled"),
    [
        ("F_avg[1]", "(1 + 0 + 1 + 2 + 1 + 0 + 0 + 2 + 1)/9"),
        ("F_max[1]", "max(1, 0, 1, 2, 1, 0, 0, 2, 1)"),
        ("h_avg[1]", "2·8/9 + 5/2·8/9 - 4·10/9"),
        ("a_max[1]", "ReLU(1)"),
        ("z_c[1]", "0 + 1"),
        ("M_c[2]", "σ(1/2)"),
        ("F'[1,2,1]", "0.7311·2"),
        ("Fs_avg[1,1]", "(0.7311 + 0 + 0.5379)/3"),
        ("Fs_max[1,1]", "max(0.7311, 0, 0.5379)"),
        ("M_s[1,1]", "σ(0.2508)"),
        ("dF_via_F_avg[1,1,1]", "0/9"),
    ],
)
def test_rules_write_themselves_out(entry, spelled):
    trace = cbam_np.lecture.trace("shared")
    step = trace[entry.partition("[")[0]]
    index = tuple(int(i) - 1 for i in entry.partition("[")[2][:-1].split(","))
    texts = [np.vectorize(notation.number, otypes=[object])(trace[name].value) for name in step.rule.inputs]
    assert step.rule.spell(index, texts) == spelled


def worked_out(spelled):
    """Calculate what a rule has written, as a person with a pocket calculator would."""
    spelled = re.sub(r"√([\d.]+)", r"√(\1)", spelled)
    words = {"²": "**2", "√": "sqrt", "^": "**", "·": "*", "σ": "sigma", "[": "(", "]": ")"}
    words |= {"is the maximum of": "== max", "), else": ") else"}
    for word, code in words.items():
        spelled = spelled.replace(word, code)
    functions = {"sqrt": np.sqrt, "log": np.log, "e": np.e}
    return eval(spelled, functions | {"sigma": lambda z: 1 / (1 + np.exp(-z)), "ReLU": lambda h: max(h, 0)})


@pytest.mark.parametrize("options", CASES + NORMALISED, ids=name_of)
def test_what_is_written_out_gives_the_value(rng, options):
    trace = random_trace(rng, options)
    for step in filter(lambda step: step.rule, trace):
        texts = [np.vectorize(repr, otypes=[object])(array) for array in values(trace, step.rule)]
        for index in list(np.ndindex(*step.shape))[:8]:
            spelled = step.rule.spell(index, texts)
            assert worked_out(spelled) == pytest.approx(step.value[index], rel=1e-9, abs=1e-12), spelled


def test_a_sum_over_all_entries_is_divided_where_it_is_to_be():
    products_of_two = products(term("c,c->c", "a", "b"))
    texts = (np.array(["1", "2"]), np.array(["3", "4"]))
    assert summed(products_of_two).spell((), texts) == "1·3 + 2·4"
    assert summed(products_of_two, 2).spell((), texts) == "(1·3 + 2·4)/2"
    assert summed(products_of_two, 2).compute(np.array([1.0, 2]), np.array([3.0, 4])) == 5.5


def test_no_entry_s_share_of_a_norm_is_larger_than_1(rng):
    """Where both are known roughly only, an entry may seem larger than the norm that it is part of."""
    F = rng.normal(size=(2, 3, 3))
    params = {name: W for name, W in cbam_np.lecture.parameters("shared").items() if name == "W7"}
    params |= {"W0": rng.normal(size=(1, 2)), "W1": rng.normal(size=(2, 1))}
    trace = trace_cbam(F, params, rng.normal(size=F.shape), channel_pools=("lp",))
    step = trace["dF_via_F_lp"]
    d, x, norm = values(trace, step.rule)
    low, high = step.rule.bound([d, x - 2, norm - norm / 2], [d, x + 2, norm])
    np.testing.assert_allclose((high - low).max(axis=(1, 2)), 2 * abs(d), err_msg="from -1 to 1 of dF_lp")
