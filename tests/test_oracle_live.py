"""The project against PyTorch, where it is installed: CBAM on random shapes, ties and all, and every operation."""

from functools import partial

import numpy as np
import pytest

from cbam_np import DIALECTS

from .helpers import assert_same
from .oracle.cases import dialect_case, imagenet_cases, op_cases, ours, random_cbam_case

torch = pytest.importorskip("torch")

from .oracle import reference  # noqa: E402  it imports torch

pytestmark = pytest.mark.oracle

OP_CASES = op_cases(np.random.default_rng(3))
IMAGENET_CASES = imagenet_cases(size=64, depths=((18, "cbam"), (34, None), (50, None), (101, "cbam")))
IMAGENET_CASES["ResNet-50 cbam 224"] = imagenet_cases(224, 1, [(50, "cbam")])["ResNet-50 cbam"]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def near_as_a_whole(actual, expected, tolerance):
    """Demand a difference that is small next to the array, both measured by their Euclidean norms."""
    assert actual.shape == expected.shape
    error = np.linalg.norm(actual - expected) / np.linalg.norm(expected)
    assert error <= tolerance, f"relative error {error:.2g} is more than {tolerance:g}"


def compare(case, tolerance, seed=0, of_gradients=None):
    """Hold the output and every gradient of a case to PyTorch's."""
    check_gradient = of_gradients or (lambda actual, expected: assert_same(actual, expected, tolerance))
    rng = np.random.default_rng(seed)
    expected, dout, expected_gradients = reference.run(
        case.name, case.arrays, case.options, lambda shape: rng.normal(size=shape)
    )
    out, gradients = ours(case, dout)
    assert out.dtype == dout.dtype
    assert_same(out, expected, tolerance)
    assert set(gradients) == set(case.arrays)
    for key, gradient in gradients.items():
        check_gradient(gradient, expected_gradients[key])


@pytest.mark.parametrize("ties", ["first", "split"])
@pytest.mark.parametrize("seed", range(50))
def test_cbam(seed, ties):
    compare(random_cbam_case(seed, ties), 1e-12, seed)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("seed", range(50))
def test_dialects(seed, dialect):
    compare(dialect_case(seed, dialect), 1e-12, seed)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("seed", range(10))
def test_dialects_in_float32(seed, dialect):
    compare(dialect_case(seed, dialect).astype(np.float32), 1e-5, seed)


@pytest.mark.parametrize("seed", range(10))
def test_cbam_in_float32(seed):
    compare(random_cbam_case(seed, "first").astype(np.float32), 1e-5, seed)


@pytest.mark.parametrize("case", OP_CASES.values(), ids=OP_CASES)
def test_single_operations(case):
    compare(case, 1e-12)


@pytest.mark.parametrize("case", OP_CASES.values(), ids=OP_CASES)
def test_single_operations_in_float32(case):
    compare(case.astype(np.float32), 1e-5)


@pytest.mark.parametrize("case", IMAGENET_CASES.values(), ids=IMAGENET_CASES)
def test_imagenet(case):
    compare(case, 1e-9)


@pytest.mark.parametrize("case", IMAGENET_CASES.values(), ids=IMAGENET_CASES)
def test_imagenet_in_float32(case):
    """Rounding tips a ReLU or a maximum here and there, in PyTorch as well, and moves single entries of a gradient."""
    compare(case.astype(np.float32), 1e-5, of_gradients=partial(near_as_a_whole, tolerance=0.05))


def test_there_are_ties_to_tell_the_rules_apart():
    """Nothing above would notice a wrong rule for ties if there were none."""
    told_apart = []
    for seed in range(50):
        first, split = (random_cbam_case(seed, ties) for ties in ("first", "split"))
        dout = np.random.default_rng(seed).normal(size=first.arrays["x"].shape)
        difference = np.abs(ours(first, dout)[1]["x"] - ours(split, dout)[1]["x"]).max()
        told_apart += [seed] * bool(difference > 1e-6)
    assert len(told_apart) >= 15, told_apart
    assert {seed % 5 for seed in told_apart} == set(range(5))  # in every order
