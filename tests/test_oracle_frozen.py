"""The project against what PyTorch once said, frozen into tests/oracle/*.npz by `python -m tests.oracle.freeze`."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from cbam_np.cbam import ORDERS
from cbam_np.ops.pooling import TIES

from .helpers import assert_same
from .oracle.cases import Case, ours

FILES = sorted((Path(__file__).parent / "oracle").glob("*.npz"))


class Frozen(NamedTuple):
    """A case, and what PyTorch made of it."""

    case: Case
    dout: np.ndarray
    out: np.ndarray
    gradients: dict


def read(path):
    """Return the cases of a file by their names."""
    with np.load(path, allow_pickle=False) as file:
        entries = dict(file)
    found = {}
    for label in dict.fromkeys(key.split("/")[0] for key in entries if "/" in key):
        told = json.loads(str(entries[f"{label}/case"]))
        options = {
            k: tuple(v) if k.endswith("_pools") or isinstance(v, list) else v for k, v in told["options"].items()
        }

        def part(kind, label=label):
            start = f"{label}/{kind}/"
            return {key.removeprefix(start): a for key, a in entries.items() if key.startswith(start)}

        case = Case(told["name"], part("array"), options)
        found[label] = Frozen(case, entries[f"{label}/dout"], entries[f"{label}/out"], part("gradient"))
    return found


ALL = {f"{path.stem}: {label}": frozen for path in FILES for label, frozen in read(path).items()}


def hold(frozen):
    out, gradients = ours(frozen.case, frozen.dout)
    assert_same(out, frozen.out)
    assert set(gradients) == set(frozen.gradients) == set(frozen.case.arrays)
    for key, gradient in gradients.items():
        assert_same(gradient, frozen.gradients[key])


@pytest.mark.parametrize("frozen", ALL.values(), ids=ALL)
def test_the_same_numbers_as_pytorch(frozen):
    hold(frozen)


def test_every_order_and_rule_for_ties_is_frozen():
    seen = {(f.case.options.get("order"), f.case.options.get("ties")) for f in ALL.values() if f.case.name == "cbam"}
    assert {(order, ties) for order in ORDERS for ties in TIES} <= seen


@pytest.mark.parametrize("order", ORDERS)
def test_the_files_can_tell_the_rules_for_ties_apart(order):
    frozen = ALL[f"cbam: {order} first whole"]
    other_rule = frozen.case._replace(options={**frozen.case.options, "ties": "split"})
    with pytest.raises(AssertionError, match="relative error"):
        hold(frozen._replace(case=other_rule))


@pytest.mark.parametrize("key", ["x", "W0", "b0", "W1", "b1", "W7"])
def test_a_wrong_gradient_is_caught(key):
    frozen = ALL["cbam: biases"]
    gradient = frozen.gradients[key].copy()
    gradient.flat[0] += 1e-10 * np.abs(gradient).max()
    with pytest.raises(AssertionError, match="relative error"):
        hold(frozen._replace(gradients={**frozen.gradients, key: gradient}))


def test_the_files_are_small_and_say_where_they_come_from():
    assert [path.stem for path in FILES] == ["cbam", "dialects", "imagenet", "ops"]
    assert sum(path.stat().st_size for path in FILES) < 700_000
    for path in FILES:
        with np.load(path, allow_pickle=False) as file:
            assert str(file["torch"])[0].isdigit()
