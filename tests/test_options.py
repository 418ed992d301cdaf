"""Options of a run: each is told once, bounded, and refused where it has no effect."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from cbam_np.cli.train import settings_of
from cbam_np.train import RECIPES, Recipe, Settings
from cbam_np.train.options import Range, options_of, without_effect
from cbam_np.train.settings import SHORT_RECIPE, every_option, read_kept


@pytest.mark.parametrize(
    ("allowed", "inside", "outside", "words"),
    [
        (Range(int, 1, 5), [1, 5, np.int64(3)], [0, 6, 2.5, True, "3", None, 10**400], "a whole number, 1 to 5"),
        (Range(int, 1), [1, 10**18], [0, float("inf")], "a whole number, 1 or more"),
        (Range(float, 0, 1, "[)"), [0, 0.5], [1, -0.1, float("nan")], "a number, 0 or more and less than 1"),
        (Range(float, 0, ends="()"), [1e-30, 1e30], [0, float("inf")], "a number, more than 0"),
    ],
)
def test_ranges(allowed, inside, outside, words):
    assert all(value in allowed for value in inside)
    assert not [value for value in outside if value in allowed]
    assert str(allowed) == words
    with pytest.raises(ValueError, match=f"epochs is .*, expected {words}"):
        allowed.check(outside[0], "epochs")


@pytest.mark.parametrize(("text", "value"), [("3", 3), (" 4 ", 4)])
def test_numbers_are_read(text, value):
    assert Range(int, 1, 5).read(text) == value


@pytest.mark.parametrize("text", ["", "x", "2.5", "6", "9" * 6000, "nan", "0x3"])
def test_what_is_no_such_number_is_answered_in_words(text):
    with pytest.raises(ValueError, match=r"^'.{0,31}': expected a whole number, 1 to 5$"):
        Range(int, 1, 5).read(text)


@pytest.mark.parametrize(
    "idle",
    [
        {"depth": 56, "width": 64},
        {"network": "resnet", "channels": (4, 8)},
        {"network": "resnet", "convs": (1, 1, 1)},
        {"network": "resnet", "conv_start": "dirac"},
        {"attention": None, "kernel_size": 3},
        {"attention": "se", "order": "channel"},
        {"attention": None, "reduction": 4},
        {"attention": None, "start": "he"},
        {"attention": "spatial", "reduction": 4},
        {"order": "spatial", "reduction": 4},
        {"order": "spatial", "channel_pools": ("avg",)},
        {"order": "channel", "kernel_size": 3},
        {"order": "channel", "spatial_pools": ("max",)},
        {"network": "whitened", "attention": None, "after": (1, 2)},
        {"attention": "cbam", "after": (1, 2)},
    ],
)
def test_an_option_without_effect_is_an_error(idle):
    with pytest.raises(ValueError, match=r"has an effect only where .* leave \w+ out"):
        Settings(**idle)
    with pytest.raises(ValueError, match="has an effect only where"):
        Settings().changed(**idle)


@pytest.mark.parametrize(
    "idle",
    [
        {"attention": None, "attention_factor": 0.5},
        {"network": "whitened", "attention": None, "attention_lr": 0.5},
        {"network": "smallcnn", "optimiser": "muon", "input_epochs": 2},
        {"optimiser": "muon", "head_factor": 2.0},
    ],
)
def test_an_option_of_the_recipe_without_effect_is_an_error_where_it_is_given(idle):
    with pytest.raises(ValueError, match=r"has an effect only where .* leave \w+ out"):
        settings_of(idle)


def test_a_recipe_may_hold_what_its_network_has_no_use_for():
    settings = settings_of({"data": "shapes", "epochs": 1, "attention": None})
    assert settings.recipe.attention_factor == SHORT_RECIPE.attention_factor != Recipe.attention_factor
    slow = settings_of({"network": "whitened", "attention_lr": 0.5, "input_epochs": 2})
    assert slow.changed(attention=None).recipe == slow.recipe


def test_what_has_no_effect_any_more_goes_back_to_its_default():
    settings = Settings(kernel_size=3, reduction=4, depth=20).changed(attention=None)
    assert settings == Settings(attention=None)
    assert Settings(reduction=4, start="he").changed(order="spatial") == Settings(order="spatial", start="he")
    assert Settings(channels=(4, 8)).changed(network="resnet") == Settings(network="resnet")


def test_settings_kept_before_that_was_an_error_can_still_be_read():
    kept = {"attention": None, "start": "he", "depth": 56, "channels": [4, 8], "recipe": {"epochs": 3}}
    assert read_kept(kept) == Settings(attention=None, channels=(4, 8), recipe=Recipe(epochs=3))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"data": "imagenet"}, "data is 'imagenet', expected one of 'shapes', 'cifar10'"),
        ({"channels": (0,)}, "channels is 0, expected a whole number, 1 to 1024"),
        ({"channels": ()}, r"channels is \(\), expected a tuple of one value or more"),
        ({"channels": 4}, "channels is 4, expected a tuple"),
        ({"channels": (1,) * 7}, "expected 1 to 6 stages"),
        ({"convs": (1, 2)}, r"convs are \(1, 2\), expected as many numbers as channels"),
        ({"kernel_size": 4}, "kernel_size is 4, expected a positive odd number"),
        ({"note": 3}, "note is 3, expected text"),
        ({"seed": None}, "seed is None, expected a whole number"),
        ({"recipe": "fast"}, "recipe is 'fast', expected a Recipe"),
        ({"network": "resnet", "depth": 10**19}, "depth is 10000000000000000000, expected a whole number, 8 to 302"),
    ],
)
def test_settings_are_checked(wrong, message):
    with pytest.raises(ValueError, match=message):
        Settings(**wrong)


def test_the_recipe_is_that_of_the_data():
    assert [Settings(data=data).recipe for data in RECIPES] == list(RECIPES.values())


def test_a_short_run_on_shapes_has_a_recipe_of_its_own():
    short = {epochs: settings_of({"data": "shapes", "epochs": epochs}).recipe for epochs in (1, 5, 6)}
    assert short == {n: replace(SHORT_RECIPE if n < 6 else RECIPES["shapes"], epochs=n) for n in short}
    assert settings_of({"epochs": 1, "lr": 0.5}).recipe == replace(SHORT_RECIPE, epochs=1, lr=0.5)
    assert settings_of({"data": "cifar10", "epochs": 1}).recipe == replace(RECIPES["cifar10"], epochs=1)
    muon = settings_of({"epochs": 1, "optimiser": "muon"}).recipe
    assert (muon.batch_size, muon.head_factor) == (16, 1.0)  # what Muon has no use for goes back to its default


def test_every_option_is_told_and_every_told_option_can_be_without_effect_or_not():
    told = every_option()
    assert set(told) == {*options_of(Settings), *options_of(Recipe)} and "recipe" not in told
    for name, option in told.items():
        assert option.help[0].islower() or option.help.startswith(("SmallCNN", "CBAM")), name
        assert f"\n{name} : " in Settings.__doc__ + Recipe.__doc__
        for other, values in option.only.items():
            assert set(values) <= set(told[other].allowed)
    assert without_effect(Settings, {}) == []


def test_numbers_of_numpy_are_kept_as_python_s():
    recipe = Recipe(epochs=np.int64(2), lr=np.float32(0.5))
    settings = Settings(recipe=recipe, channels=tuple(np.array([4, 8])), seed=np.int64(3))
    assert json.loads(json.dumps(asdict(settings)))["channels"] == [4, 8] and type(recipe.lr) is float
