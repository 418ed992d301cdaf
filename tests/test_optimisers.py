"""The public recipe's optimisers: which parameter moves by what, how fast, and that a stopped run loses nothing."""

from dataclasses import replace

import numpy as np
import pytest

from cbam_np.cli.train import settings_of
from cbam_np.data import LabelledImages
from cbam_np.nn import SGD, Muon, WhitenedCNN
from cbam_np.train import Recipe, crop_and_flip, fit, loop
from cbam_np.train.optimisers import Optimisers
from cbam_np.train.run import prepare
from cbam_np.train.settings import WHITENED_RECIPE, Settings

MUON = Recipe(
    epochs=4, batch_size=6, lr=0.2, optimiser="muon", schedule="linear", augment="shift+alternate", input_epochs=2
)


def network(attention="cbam"):
    options = {"kernel_size": 3} if attention == "cbam" else {}
    return WhitenedCNN(
        attention, rng=np.random.default_rng(0), widths=(24, 6, 5), classes=3, reduction=2, dtype=np.float64, **options
    )


@pytest.fixture
def data(rng):
    return LabelledImages(rng.integers(0, 256, (13, 3, 32, 32), dtype=np.uint8), rng.integers(0, 3, 13), tuple("abc"))


def test_kernels_move_by_muon_and_everything_else_by_sgd_at_its_own_rate():
    params = network().params
    groups = Optimisers(params, MUON).groups
    found = {tuple(sorted(group.optimiser.params)): group for group in groups}
    assert sorted(name for names in found for name in names) == sorted(params)
    of = {name: group for names, group in found.items() for name in names}
    assert isinstance(of["group1.conv2.W"].optimiser, Muon) and of["group1.conv2.W"].lr == 0.2
    rates = {"whiten.b": 0.053, "group2.bn1.beta": 0.053, "head.W": 0.67, "group3.attention.W7": 0.001}
    for name, rate in rates.items():
        group = of[name]
        assert isinstance(group.optimiser, SGD) and group.lr == rate * 6, name  # for the sum over a batch of 6
        assert group.lr * group.optimiser.weight_decay == pytest.approx(5e-4)
    assert [of[name].until for name in rates] == [0.5, 1, 1, 1]


def test_a_step_moves_each_parameter_as_its_group_says(rng):
    params = network().params
    before = {name: p.copy() for name, p in params.items()}
    grads = {name: rng.normal(size=p.shape) for name, p in params.items()}
    Optimisers(params, MUON).step(grads, 0.25)
    beta, rate = before["group1.bn1.beta"], 6 * 0.053 * 0.75
    g = grads["group1.bn1.beta"] + 5e-4 / (6 * 0.053) * beta
    np.testing.assert_allclose(params["group1.bn1.beta"], beta - rate * 1.9 * g)
    b, rate = before["whiten.b"], 6 * 0.053 * 0.5  # half of its own way is done
    np.testing.assert_allclose(params["whiten.b"], b - rate * 1.9 * (grads["whiten.b"] + 5e-4 / (6 * 0.053) * b))
    moved = params["group1.conv1.W"] - before["group1.conv1.W"] * np.sqrt(24) / np.linalg.norm(before["group1.conv1.W"])
    sizes = np.linalg.svd(moved.reshape(24, -1), compute_uv=False)
    assert sizes.max() < 1.3 * 0.2 * 0.75


def test_with_sgd_head_vectors_and_attention_move_at_multiples_of_its_rate(rng):
    params = network().params
    before = {name: p.copy() for name, p in params.items()}
    grads = {name: rng.normal(size=p.shape) for name, p in params.items()}
    plain = Recipe(epochs=1, lr=0.1, schedule="constant", momentum=0, weight_decay=0)
    optimisers = Optimisers(params, replace(plain, head_factor=4, vector_factor=2, attention_factor=0))
    optimisers.step(grads, 0.5)
    factors = {"group1.conv1.W": 1, "head.W": 4, "group2.attention.W1": 0, "group3.attention.W7": 0}
    for name, factor in (factors | {"group2.bn1.beta": 2, "whiten.b": 2}).items():
        np.testing.assert_allclose(params[name], before[name] - factor * 0.1 * grads[name])
    assert optimisers.lr_at(0.5) == 0.1 and set(optimisers.velocity) == set(params)


def test_with_sgd_alone_there_is_one_group():
    assert len(Optimisers(network().params, Recipe(epochs=1)).groups) == 1


def test_the_whitening_biases_stop(rng):
    params = network().params
    optimisers = Optimisers(params, MUON)
    grads = {name: rng.normal(size=p.shape) for name, p in params.items()}
    optimisers.step(grads, 0.4)
    b, head = params["whiten.b"].copy(), params["head.W"].copy()
    optimisers.step(grads, 0.5)
    assert np.array_equal(params["whiten.b"], b) and not np.array_equal(params["head.W"], head)


def test_every_image_is_mirrored_in_every_second_epoch(data, monkeypatch):
    seen = []

    def look(self, images, rng, mirrored=None):
        seen.append((images[:, 0, 0, :8].tolist(), mirrored.tolist()))
        return images

    monkeypatch.setattr(Recipe, "augmented", look)
    model = network(None)
    model.fit_inputs(data.images)
    fit(model, data.subset(slice(12)), MUON, rng=np.random.default_rng(3), progress=False)
    sides = {}
    for at, (images, mirrored) in enumerate(seen):  # two steps an epoch
        for image, side in zip(images, mirrored, strict=True):
            sides.setdefault(tuple(image), {})[at // 2] = side
    assert len(sides) == 12 and {side[0] for side in sides.values()} == {True, False}
    assert all(side == {0: side[0], 1: not side[0], 2: side[0], 3: not side[0]} for side in sides.values())


@pytest.mark.parametrize(("augment", "far"), [("shift+alternate", 2), ("shift4+alternate", 4)])
def test_the_shift_mirrors_what_it_is_told_to(augment, far, data, rng):
    images = data.images[:, :, :, :].copy()
    mirrored = np.arange(13) % 2 == 0
    recipe = replace(MUON, augment=augment)
    out = recipe.augmented(images, np.random.default_rng(4), mirrored)
    plain = recipe.augmented(images, np.random.default_rng(4))
    shifted = crop_and_flip(images, rng=np.random.default_rng(4), padding=far, border="reflect", flip=False)
    assert recipe.alternates and np.array_equal(plain, shifted)
    assert np.array_equal(out[mirrored], plain[mirrored][..., ::-1]) and np.array_equal(out[1::2], plain[1::2])


class Stopped(Exception):
    pass


@pytest.mark.parametrize("after", [1, 4, 5])
def test_stopped_and_resumed_it_ends_the_same(after, data, tmp_path, monkeypatch):
    def go(**options):
        model = network()
        model.fit_inputs(data.images)
        fit(model, data, MUON, rng=np.random.default_rng(5), save_every=0, progress=False, **options)
        return model.state_dict()

    whole = go()
    step, steps = loop.Training.take_step, []

    def stopping(self):
        if len(steps) == after:
            raise Stopped
        steps.append(step(self))

    with monkeypatch.context() as patch:
        patch.setattr(loop.Training, "take_step", stopping)
        with pytest.raises(Stopped):
            go(out=tmp_path)
    again = go(out=tmp_path, resume=True)
    assert all(np.array_equal(array, again[name]) for name, array in whole.items())


def test_the_whitened_network_has_its_own_recipe():
    settings = Settings(data="cifar10", network="whitened", attention=None)
    assert settings.recipe == WHITENED_RECIPE and settings.recipe.epochs == 8
    model = settings.make_network(10, np.random.default_rng(0))
    assert isinstance(model, WhitenedCNN) and model.params["group2.conv1.W"].shape == (256, 64, 3, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 1, "head_lr": 0.1}, "head_lr is 0.1, but it has an effect only where optimiser is muon"),
        (
            {"epochs": 1, "optimiser": "muon", "head_factor": 2.0},
            "head_factor is 2.0, but it has an effect only where optimiser is sgd",
        ),
        ({"epochs": 1, "attention_factor": -1}, "attention_factor is -1, expected a number, 0 or more"),
        ({"epochs": 1, "optimiser": "adam"}, "optimiser is 'adam'"),
        ({"epochs": 1, "optimiser": "muon", "input_epochs": 0}, "input_epochs is 0, expected a whole number, 1 to"),
    ],
)
def test_recipes_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**options)


def test_widths_are_those_of_three_groups():
    with pytest.raises(ValueError, match=r"widths are \(64, 64\), expected those of three groups"):
        Settings(network="whitened", widths=(64, 64))
    with pytest.raises(ValueError, match="it has an effect only where network is whitened"):
        Settings(widths=(8, 8, 8))


@pytest.mark.slow
def test_one_epoch_of_shapes_gets_far_above_chance(tmp_path):
    result = prepare(settings_of({"data": "shapes", "epochs": 1}), tmp_path).finish()
    assert result["test_accuracy"] > 0.6
