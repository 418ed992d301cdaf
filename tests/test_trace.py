"""A trace names every step, counts from 1, is exact before the sigmoid, and reads what cbam_forward left."""

from fractions import Fraction

import numpy as np
import pytest

import cbam_np
from cbam_np.cbam import ORDERS
from cbam_np.teach.calculation.steps import trace_cbam


@pytest.fixture
def trace():
    return cbam_np.lecture.trace()


def test_steps_are_in_the_order_of_the_lecture(trace):
    order = ["F", "F_avg", "F_max", "z_avg", "z_max", "z_c", "M_c", "F'", "Fs_avg", "Fs_max", "z_s", "M_s", "F''"]
    order += ["dF''", "dM_s", "dz_s", "dW7", "dF'", "dM_c", "dz_c", "dW1", "dW0", "dF"]
    assert [name for name in trace.names if name in order] == order
    assert len(trace) == len(set(trace.names)) == len(trace.names)


def test_lookups_count_from_one(trace):
    assert trace["M_c[1]"].value == trace["M_c"].value[0]
    assert trace["M_s[2,3]"].value == trace["M_s"].value[1, 2]
    assert trace["F''[3, 1, 2]"].value == trace["F''"].value[2, 0, 1]
    assert trace["M_c[3]"].name == trace["M_c[3]"].symbol == "M_c[3]"
    assert trace[0] is trace["F"] and trace["F_avg"].shape == (3,) and trace["F_avg[1]"].shape == ()


def test_the_slides_other_name_for_the_pooled_maps(trace):
    assert trace["F'_avg[1,1]"].value == trace["Fs_avg[1,1]"].value
    assert trace["F'_max"] is trace["Fs_max"]


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        ("Mc[1]", KeyError, "no step 'Mc'; the nearest are M_c"),
        ("M_c[0]", IndexError, r"has 3 entries: \[0\] is outside, since indices start at 1"),
        ("M_c[4]", IndexError, "outside"),
        ("M_s[1]", IndexError, r"has 3×3 entries: it takes 2 indices, got \[1\]"),
        ("M_c[x]", KeyError, "is no step: write a name"),
        ("zebra", KeyError, "no step 'zebra'; the steps are F, W0, W1, W7, F_avg"),
        ("M_s[1 2 3]", IndexError, r"it takes 2 indices, got \[1, 2, 3\]"),
    ],
)
def test_a_wrong_key_is_answered_in_words(trace, key, error, message):
    with pytest.raises(error, match=message):
        trace[key]


def test_exact_up_to_the_sigmoid(trace):
    exact = trace.names[: trace.names.index("M_c")]
    assert "z_c" in exact
    for name in exact:
        assert all(isinstance(value, Fraction) for value in trace[name].value.flat), name
    assert trace["z_c[3]"].value == Fraction(14, 9)
    assert trace["M_c"].value.dtype == np.float64


def test_fractions_and_floats_agree():
    params = cbam_np.lecture.parameters("shared")
    exact = trace_cbam(cbam_np.lecture.F, params)
    floats = trace_cbam(
        cbam_np.lecture.F.astype(float) + 0.0, {name: np.asarray(W, float) for name, W in params.items()}
    )
    for a, b in zip(exact, floats, strict=True):
        np.testing.assert_allclose(np.asarray(a.value, float), b.value, rtol=1e-14, atol=1e-15, err_msg=a.name)
    assert floats["F_avg"].value.dtype == np.float64


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("pools", [("avg", "max"), ("max",)])
def test_every_order_traces_to_what_cbam_returns(rng, order, pools):
    options = {"order": order, "channel_pools": pools, "spatial_pools": pools}
    params = cbam_np.init_cbam(4, 2, 3, rng=rng, **options)
    F, dout = rng.standard_normal((2, 4, 5, 3))
    trace = trace_cbam(F, params, dout, **options)
    out, cache = cbam_np.cbam_forward(F[None], params, **options)
    dx, grads = cbam_np.cbam_backward(dout[None], cache)
    last = "F'" if order in ("channel", "spatial") else "F''"
    np.testing.assert_array_equal(trace[last].value, out[0])
    np.testing.assert_array_equal(trace["dF"].value, dx[0])
    for name, gradient in grads.items():
        np.testing.assert_array_equal(trace[f"d{name}"].value, gradient[0] if name == "W7" else gradient)
    assert len(set(trace.names)) == len(trace)


@pytest.mark.parametrize("order", ORDERS)
def test_paths_add_up(rng, order):
    params = cbam_np.init_cbam(4, 2, 3, rng=rng, order=order)
    F, dout = rng.standard_normal((2, 4, 5, 3))
    trace = trace_cbam(F, params, dout, order=order)
    ways = [step.value for step in trace if step.name.startswith(("dF_direct", "dF_via"))]
    np.testing.assert_allclose(sum(ways), trace["dF"].value, rtol=1e-13, atol=1e-14)
    assert trace["dF"].formula.count("+") == len(ways) - 1


@pytest.mark.parametrize("order", ["spatial", "spatial-channel", "parallel"])
def test_what_looks_at_F_itself_is_exact_in_every_order(order):
    trace = trace_cbam(cbam_np.lecture.F, cbam_np.lecture.parameters(), order=order)
    assert trace["Fs_avg[1,1]"].value == Fraction(1) and isinstance(trace["Fs_avg[1,1]"].value, Fraction)
    assert isinstance(trace["z_s[2,2]"].value, Fraction)


def test_prints_without_latex_and_typesets_with_it(trace):
    text = str(trace)
    assert "\\" not in text and "{" not in text and "$" not in text
    assert "8/9  8/9  10/9" in text and "M_c = σ(z_c)" in text
    page = trace._repr_html_()
    assert page.count("<tr>") >= len(trace) and "8/9" in page and "Step 2" in page
    assert trace["F_avg"]._repr_latex_().endswith(r"\tfrac{8}{9} & \tfrac{8}{9} & \tfrac{10}{9} \end{bmatrix}$")
    assert trace["M_c[1]"]._repr_latex_() == r"$\displaystyle M_c[1] = 0.8091$"


def test_a_batch_is_refused():
    with pytest.raises(ValueError, match=r"F has 4 axes.*expected 3, \(C, H, W\)"):
        trace_cbam(cbam_np.lecture.F[None], cbam_np.lecture.parameters())


RUNNING = np.array([0.3]), np.array([1.7])


@pytest.mark.parametrize("running", [None, RUNNING], ids=["training", "inference"])
@pytest.mark.parametrize("dialect", cbam_np.DIALECTS)
def test_every_dialect_traces_to_what_cbam_returns(rng, dialect, running):
    params = cbam_np.init_cbam(4, 2, 3, rng=rng, dialect=dialect)
    others = [name for name in ("b0", "b1", "gamma", "beta") if name in params]
    params |= {name: rng.standard_normal(params[name].shape) for name in others}
    F, dout = rng.standard_normal((2, 4, 5, 3))
    trace = trace_cbam(F, params, dout, dialect, running)
    out, cache = cbam_np.cbam_forward(F[None], params, dialect, running)
    dx, grads = cbam_np.cbam_backward(dout[None], cache)
    np.testing.assert_array_equal(trace["F''"].value, out[0])
    np.testing.assert_array_equal(trace["dF"].value, dx[0])
    for name, gradient in grads.items():
        step = trace[f"d{name}"]
        np.testing.assert_array_equal(step.value, gradient.reshape(step.shape))
    assert "\\" not in str(trace) and "{" not in str(trace)


def test_a_normalisation_has_its_steps(rng):
    params = cbam_np.init_cbam(4, 2, 3, rng=rng, dialect="timm")
    F, dout = rng.standard_normal((2, 4, 5, 3))
    training = trace_cbam(F, params, dout, "timm")
    inference = trace_cbam(F, params, dout, "timm", RUNNING)
    assert not training["mu_s"].given and inference["mu_s"].given and inference["v_s"].value == 1.7
    y = training["y_s"].value
    assert training["mu_s"].value == pytest.approx(y.mean()) and training["v_s"].value == pytest.approx(y.var())
    np.testing.assert_allclose(training["z_s"].value, (y - y.mean()) / np.sqrt(y.var() + 1e-5))
    assert abs(training["dy_s"].value.sum()) < 1e-12 < abs(inference["dy_s"].value.sum())
    assert training["z_s"].heading == "z_s[i,j] = γ · (y_s[i,j] - μ_s) / √(v_s + ε) + β"
    order = ["y_s", "mu_s", "v_s", "z_s", "M_s", "dM_s", "dz_s", "dgamma", "dbeta", "dy_s", "dW7"]
    assert sorted(order, key=training.names.index) == order


def test_the_slides_example_goes_through_every_dialect():
    """Whole numbers and fractions are no obstacle, wherever the root stands."""
    for dialect in cbam_np.DIALECTS:
        for order in ORDERS:
            options = {"dialect": dialect, "order": order}
            params = cbam_np.init_cbam(3, 1, 3, rng=np.random.default_rng(0), **options)
            trace = trace_cbam(cbam_np.lecture.F, params, np.ones((3, 3, 3), int), **options)
            assert np.isfinite(np.asarray(trace["dF"].value, float)).all()
    exact = trace_cbam(cbam_np.lecture.F, {"W7": np.ones((1, 1, 3, 3), int)}, order="spatial", spatial_pools=("mixed",))
    assert exact["Fs_mixed[1,1]"].value == Fraction(3, 2)
