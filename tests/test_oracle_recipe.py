"""The public recipe's network, loss and optimisers, three steps of them, against the same in PyTorch."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from cbam_np.data import LabelledImages
from cbam_np.nn import WhitenedCNN
from cbam_np.ops import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from cbam_np.train.optimisers import Optimisers
from cbam_np.train.settings import WHITENED_RECIPE

from .helpers import assert_same

torch = pytest.importorskip("torch")

from benchmarks import recipe_in_torch  # noqa: E402  it imports torch

pytestmark = pytest.mark.oracle


def test_three_steps_of_the_recipe(rng):
    images, labels = rng.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, 20)
    ours = WhitenedCNN(None, rng=rng, widths=(24, 28, 30), dtype=np.float64)
    ours.fit_inputs(images)
    optimisers = Optimisers(ours.params, replace(WHITENED_RECIPE, batch_size=20))
    x = recipe_in_torch.normalised(LabelledImages(images, labels, tuple("abcdefghij")))
    theirs = recipe_in_torch.Network(x, widths=(24, 28, 30)).double().train()
    filters, whitened = (np.sort(np.abs(W).ravel()) for W in (ours.whiten.state["W"], theirs.whiten.weight.numpy()))
    np.testing.assert_allclose(filters, whitened, rtol=1e-4)  # up to the signs of eigenvectors; its input is float32
    convs = [module for module in theirs.groups if isinstance(module, torch.nn.Conv2d)]
    shifts = [module for module in theirs.groups if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        theirs.whiten.weight[:] = torch.tensor(ours.whiten.state["W"])
        theirs.head.weight[:] = torch.tensor(ours.params["head.W"])
        for at, conv in enumerate(convs):
            conv.weight[:] = torch.tensor(ours.params[f"group{at // 2 + 1}.conv{at % 2 + 1}.W"])
    x = torch.tensor(ours.normalise.forward(images))
    sgd, muon = recipe_in_torch.optimisers(theirs)
    for _ in range(3):
        scores = ours.forward(images, training=True)
        loss, cache = softmax_cross_entropy_forward(scores, labels, 0.2)
        ours.backward(softmax_cross_entropy_backward(1.0, cache))
        optimisers.step(ours.grads, 0.0)
        out = theirs(x)
        theirs.zero_grad()
        summed = torch.nn.functional.cross_entropy(out, torch.tensor(labels), label_smoothing=0.2, reduction="sum")
        summed.backward()
        sgd.step()
        muon.step()
        assert_same(scores, out.detach().numpy(), 1e-7)
        assert float(loss) == pytest.approx(summed.item() / 20, rel=1e-9)
    for at, (conv, shift) in enumerate(zip(convs, shifts, strict=True)):
        name = f"group{at // 2 + 1}.{{}}{at % 2 + 1}.{{}}"
        assert_same(ours.params[name.format("conv", "W")], conv.weight.detach().numpy(), 1e-6)
        assert_same(ours.params[name.format("bn", "beta")], shift.bias.detach().numpy(), 1e-6)
    assert_same(ours.params["head.W"], theirs.head.weight.detach().numpy(), 1e-6)
    assert_same(ours.params["whiten.b"], theirs.whiten.bias.detach().numpy(), 1e-6)


def test_the_calibration_trains_each_seed_once(rng, tmp_path, monkeypatch):
    images = rng.integers(0, 256, (24, 3, 32, 32), dtype=np.uint8)
    data = LabelledImages(images, np.arange(24) % 10, tuple("abcdefghij"))
    asked = []
    monkeypatch.setattr(recipe_in_torch, "load_cifar10", lambda root: asked.append(root) or (data, data))
    monkeypatch.setattr(recipe_in_torch, "RECIPE", replace(WHITENED_RECIPE, batch_size=8, epochs=2, input_epochs=1))
    monkeypatch.setattr(sys, "argv", ["recipe", "--seeds", "2", "--out", str(tmp_path / "out")])
    recipe_in_torch.main()
    before = json.loads((tmp_path / "out" / recipe_in_torch.RESULT).read_text(encoding="utf-8"))
    assert [run["seed"] for run in before["runs"]] == [0, 1]
    assert (tmp_path / "out" / "README.md").read_text(encoding="utf-8").count("\n| ") == 4  # title, two seeds, mean
    assert all(0 <= run["test_accuracy"] <= 1 and run["seconds"] > 0 for run in before["runs"])
    recipe_in_torch.main()
    assert json.loads((tmp_path / "out" / recipe_in_torch.RESULT).read_text(encoding="utf-8")) == before
