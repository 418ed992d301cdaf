import numpy as np
import pytest

from cbam_np.nn import SCHEDULES, SGD


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_is_its_formula_number_by_number(nesterov, rng):
    mu, decay = 0.8, 0.1
    params = {"W": rng.normal(size=(2, 3)), "b": rng.normal(size=3)}
    expected = {name: [float(v) for v in p.ravel()] for name, p in params.items()}
    velocity = {name: [0.0] * p.size for name, p in params.items()}
    optimiser = SGD(params, mu, nesterov, decay)
    for lr in (0.5, 0.1, 0.2, 0.05):
        grads = {name: rng.normal(size=p.shape) for name, p in params.items()}
        kept = {name: g.copy() for name, g in grads.items()}
        optimiser.step(grads, lr)
        for name in params:
            for i, gradient in enumerate(kept[name].ravel()):
                g = gradient + (decay * expected[name][i] if name == "W" else 0)  # a vector is not decayed
                velocity[name][i] = mu * velocity[name][i] + g
                expected[name][i] -= lr * (g + mu * velocity[name][i] if nesterov else velocity[name][i])
            np.testing.assert_allclose(params[name].ravel(), expected[name], rtol=1e-12)
            assert np.array_equal(grads[name], kept[name])


def test_sgd_works_in_place_and_in_float32():
    W = np.ones((2, 2), np.float32)
    optimiser = SGD({"W": W})
    optimiser.step({"W": np.ones((2, 2), np.float32)}, np.float64(0.1))
    assert W.dtype == np.float32 and (W < 1).all()
    assert optimiser.velocity["W"].dtype == np.float32


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("constant", {0: 1, 0.5: 1, 1: 1}),
        ("step", {0: 1, 0.49: 1, 0.5: 0.1, 0.74: 0.1, 0.75: 0.01, 1: 0.01}),
        ("cosine", {0: 1, 1 / 3: 0.75, 0.5: 0.5, 1: 0}),
        ("one-cycle", {0: 0.04, 0.125: 0.52, 0.25: 1, 0.625: 0.5, 1: 0}),
        ("triangle", {0: 0, 0.125: 0.5, 0.25: 1, 0.625: 0.5, 0.85: 0.2, 1: 0}),
    ],
)
def test_schedules_pass_through_their_points(name, values):
    for progress, factor in values.items():
        assert SCHEDULES[name](progress) == pytest.approx(factor, abs=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_stay_between_0_and_1(name):
    factors = [SCHEDULES[name](progress) for progress in np.linspace(0, 1, 101)]
    assert min(factors) >= 0 and max(factors) == 1
    turn = factors.index(1)
    assert factors[: turn + 1] == sorted(factors[: turn + 1])
    assert factors[turn:] == sorted(factors[turn:], reverse=True)
