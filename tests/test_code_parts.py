"""The parts of the code check by themselves: pools, activations, normalisations, roles, and what is said of a layer."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cbam_np import DIALECTS, cbam_forward, check_function
from cbam_np.teach.code import foreign, function_subject, identify, pools
from cbam_np.teach.code.calling import Unusable
from cbam_np.teach.code.cases import Case, _tied
from cbam_np.teach.code.describe import describe_unit
from cbam_np.teach.code.draws import make_draws
from cbam_np.teach.code.formula import Formula, gated, softmax
from cbam_np.teach.code.found import told
from cbam_np.teach.code.functions import ACTIVATIONS, normalised
from cbam_np.teach.code.reading import shaped
from cbam_np.teach.code.report import CodeReport
from cbam_np.teach.code.roles import (
    Assignment,
    Place,
    _add_norm,
    _channel_parts,
    _kernel_turns,
    _normalised_at_the_end,
)
from cbam_np.teach.code.separate import READINGS, matches
from cbam_np.teach.code.subject import GUESSES, Unit, channel_guesses
from cbam_np.teach.code.whose import ECA, SE, ULTRALYTICS, Choices, sibling_of
from cbam_np.teach.mistakes import variants


@pytest.mark.parametrize(
    ("name", "values"),  # at -4, -1, 0.5 and 7
    [
        ("relu", [0, 0, 0.5, 7]),
        ("identity", [-4, -1, 0.5, 7]),
        ("leaky 0.1", [-0.4, -0.1, 0.5, 7]),
        ("relu6", [0, 0, 0.5, 6]),
        ("silu", [-4 / (1 + np.e**4), -1 / (1 + np.e), 0.5 / (1 + np.e**-0.5), 7 / (1 + np.e**-7)]),
        ("gelu", [-0.000126685, -0.158655254, 0.345731230, 7]),
        ("gelu by tanh", [-7.0245948e-05, -0.158808009, 0.345714010, 7]),
        ("elu", [np.e**-4 - 1, np.e**-1 - 1, 0.5, 7]),
        ("selu", [1.758099341 * (np.e**-4 - 1), 1.758099341 * (np.e**-1 - 1), 0.525350494, 7.354906901]),
        ("mish", [-0.072591741, -0.303401461, 0.375245211, 6.999988380]),
        ("hardswish", [0, -1 / 3, 0.5 * 3.5 / 6, 7]),
        ("softplus", [np.log(1 + np.e**-4), np.log(1 + np.e**-1), np.log(1 + np.e**0.5), np.log(1 + np.e**7)]),
        ("tanh", [-0.999329300, -0.761594156, 0.462117157, 0.999998337]),
        ("sigmoid", [1 / (1 + np.e**4), 1 / (1 + np.e), 1 / (1 + np.e**-0.5), 1 / (1 + np.e**-7)]),
        ("hardsigmoid", [0, 1 / 3, 3.5 / 6, 1]),
        ("hardsigmoid of keras", [0, 0.3, 0.6, 1]),
    ],
)
def test_activations_give_their_known_values(name, values):
    got = ACTIVATIONS[name](np.array([-4, -1, 0.5, 7]), None)
    np.testing.assert_allclose(got, values, rtol=1e-7, atol=1e-9)


def test_prelu_has_one_slope_or_one_per_channel():
    z = np.array([[-2.0, -2.0], [1.0, -4.0]])
    np.testing.assert_allclose(ACTIVATIONS["prelu"](z, np.array([0.5, 0.25])), [[-1, -0.5], [1, -1]])
    np.testing.assert_allclose(ACTIVATIONS["prelu"](z, np.array([0.5])), [[-1, -1], [1, -2]])
    maps = ACTIVATIONS["prelu"](np.full((1, 2, 2, 3), -4.0), np.array([0.5, 0.25]))
    np.testing.assert_allclose(maps, np.repeat([-2.0, -1.0], 6).reshape(1, 2, 2, 3))


def test_normalisations_look_over_their_axes(rng):
    z = rng.normal(size=(2, 3, 4))
    roles = {"gamma": np.array([1.0, 2, 3]), "beta": np.array([0.5, 0, -1]), "eps": 1e-5}
    gamma, beta = (roles[name][None, :, None] for name in ("gamma", "beta"))

    def by(mean, var):
        return gamma * (z - mean) / np.sqrt(var + 1e-5) + beta

    batch, layer = (0, 2), (1, 2)
    over = {axes: by(z.mean(axes, keepdims=True), z.var(axes, keepdims=True)) for axes in (batch, layer)}
    np.testing.assert_allclose(normalised(z, roles, "", batch), over[batch])
    np.testing.assert_allclose(normalised(z, roles | {"layer": 1.0}, "", batch), over[layer])
    running = {"mean": np.array([1.0, 0, -1]), "var": np.array([1.0, 4, 9])}
    known = by(*(running[name][None, :, None] for name in ("mean", "var")))
    np.testing.assert_allclose(normalised(z, roles | running, "", batch), known)
    assert normalised(z, roles, "other_", batch) is z


def test_a_lone_attention_is_compared_with_that_part_of_a_dialect():
    paper = DIALECTS["paper"]
    fields = {name: getattr(paper, name) for name in ("channel_pools", "mlp_bias", "spatial_pools", "spatial_norm")}
    assert Choices(fields | {"order": "channel"}, ()).differences(paper) == []
    assert Choices(fields | {"order": "channel-spatial"}, ()).differences(paper) == []
    other = Choices(fields | {"order": "spatial-channel"}, ("by softmax",)).differences(paper)
    assert other == [("order", "channel-spatial", "spatial-channel"), ("nothing more", None, "by softmax")]


def test_a_normalisation_of_another_size_does_not_end_the_mlp():
    last = Unit("norm", "bn.weight", (4,), "bn.bias", eps=1e-3)
    of_the_map = Unit("norm", "map.weight", (1,), "map.bias", eps=1e-5)
    places = {f"1_{role}": Place(name, np.ravel) for role, name in (("gamma", "bn.weight"), ("beta", "bn.bias"))}
    way = Assignment(places, {"1_eps": np.array(1e-3)}, {}, (of_the_map,))
    (ended,) = _normalised_at_the_end(way, [last, of_the_map], 4)
    assert {role: place.name for role, place in ended.places.items()} == {
        "end_gamma": "bn.weight",
        "end_beta": "bn.bias",
    }
    assert ended.constants.keys() == {"end_eps"} and ended.idle == (of_the_map,)
    free = Assignment({}, {}, {}, (last, of_the_map))
    (ended,) = _normalised_at_the_end(free, [last, of_the_map], 4)
    assert ended.places["end_gamma"].name == "bn.weight" and ended.constants["end_eps"] == 1e-3
    assert list(_normalised_at_the_end(free._replace(idle=(of_the_map,)), [of_the_map], 4)) == []


def test_a_function_in_single_precision_is_held_to_single_precision():
    def single(x, params):
        return cbam_forward(np.float32(x), {name: np.float32(value) for name, value in params.items()})[0]

    assert check_function(single).ok


X = np.random.default_rng(5).normal(size=(3, 4, 2, 3))


def test_a_function_that_gives_single_precision_is_not_exact(rng):
    """2e-4 of a part's size is a thousand roundings of 24 binary digits."""

    def single(x, params):
        return np.float32(cbam_forward(x, params)[0])

    params = {"W0": np.ones((2, 6)), "W1": np.ones((6, 2)), "W7": np.ones((1, 2, 3, 3))}
    for f, tolerance in ((single, 2e-4), (lambda x, params: cbam_forward(x, params)[0], 1e-7)):
        subject = function_subject.FunctionSubject(f, params=params)
        subject.run(rng.normal(size=(2, 6, 5, 6)), params)
        assert subject.exact is (f is not single) and subject.tolerance == tolerance


def one_by_one(f):
    """Apply f to every image's every channel; (N, C)."""
    return np.array([[f(channel) for channel in image] for image in X])


def at_each_pixel(f):
    """Apply f to the channels of every image's every pixel; (N, 1, H, W)."""
    return np.array([[[[f(image[:, i, j]) for j in range(3)] for i in range(2)]] for image in X])


def alike(result):
    return np.repeat(np.asarray(result)[None], len(X), axis=0)


def sample_deviation(x):
    return np.sqrt(((x - x.mean()) ** 2).sum() / (x.size - 1))


def first_largest(x):
    return next(at for at, value in enumerate(x.ravel()) if value == max(x.ravel()))


OVER_SPACE = {
    "avg": one_by_one(np.mean),
    "max": one_by_one(np.max),
    "mixed": one_by_one(lambda x: (x.mean() + x.max()) / 2),
    "min": one_by_one(np.min),
    "sum": one_by_one(np.sum),
    "std": one_by_one(sample_deviation),
    "std of all": one_by_one(lambda x: np.sqrt((x**2).mean() - x.mean() ** 2)),
    "lp": one_by_one(np.linalg.norm),
    "lse": one_by_one(lambda x: np.log(np.exp(x).sum())),
    "argmax": one_by_one(first_largest),
    "max of absolute values": one_by_one(lambda x: max(x.max(), -x.min())),
    "avg over the batch": alike([X[:, c].mean() for c in range(4)]),
    "max over the batch": alike([X[:, c].max() for c in range(4)]),
    "avg over the channels": np.array([[image.mean()] * 4 for image in X]),
    "max over the channels": np.array([[image.max()] * 4 for image in X]),
    "avg of the first image": alike([X[0, c].mean() for c in range(4)]),
    "max of the first image": alike([X[0, c].max() for c in range(4)]),
    "avg misread": np.array([[image.ravel()[c::4].mean() for c in range(4)] for image in X]),
    "max misread": np.array([[image.ravel()[c::4].max() for c in range(4)] for image in X]),
}
OVER_CHANNELS = {
    "avg": at_each_pixel(np.mean),
    "max": at_each_pixel(np.max),
    "mixed": at_each_pixel(lambda x: (x.mean() + x.max()) / 2),
    "min": at_each_pixel(np.min),
    "sum": at_each_pixel(np.sum),
    "std": at_each_pixel(sample_deviation),
    "std of all": at_each_pixel(lambda x: np.sqrt((x**2).mean() - x.mean() ** 2)),
    "argmax": at_each_pixel(first_largest),
    "avg over the batch": alike([[[X[:, :, i, j].mean() for j in range(3)] for i in range(2)]]),
    "max over the batch": alike([[[X[:, :, i, j].max() for j in range(3)] for i in range(2)]]),
    "avg of the first image": alike([[[X[0, :, i, j].mean() for j in range(3)] for i in range(2)]]),
    "max of the first image": alike([[[X[0, :, i, j].max() for j in range(3)] for i in range(2)]]),
}


@pytest.mark.parametrize(("table", "expected"), [(pools.SPACE, OVER_SPACE), (pools.CHANNELS, OVER_CHANNELS)])
def test_pools_give_what_loops_give(table, expected):
    assert table.keys() == expected.keys()
    for name, result in expected.items():
        np.testing.assert_allclose(table[name](X), result, err_msg=name)
    assert np.isfinite(pools.CHANNELS["std"](X[:, :1])).all()  # of one channel, it is 0 and not undefined


# --- roles ---


def same(W):
    return W


def test_a_role_has_its_array_s_shape():
    way = Assignment({"W0": Place("a", np.transpose)}, {}, {})
    assert way.shape("W0", {"a": np.zeros((2, 3))}) == (3, 2) and way.shape("b0", {"a": np.zeros((2, 3))}) is None


def test_a_normalisation_without_weights_has_ones_and_zeros():
    places, constants = {}, {}
    _add_norm(Unit("norm", "", (3,), "", {"mean": "m"}, eps=0.25, label="BatchNorm"), "x_", places, constants)
    assert {role: place.name for role, place in places.items()} == {"x_mean": "m"}
    assert {role: value.tolist() for role, value in constants.items()} == {
        "x_gamma": [1, 1, 1],
        "x_beta": [0, 0, 0],
        "x_eps": 0.25,
    }
    _add_norm(Unit("norm", "g", (3,), "b", label="LayerNorm"), "y_", places, constants)
    assert places["y_gamma"].name == "g" and places["y_beta"].name == "b" and "y_layer" in constants


def test_a_square_layer_too_many_hides_no_mlp_of_both_pools_together():
    units = [Unit("dense", "down", (4, 16)), Unit("dense", "up", (8, 4)), Unit("dense", "square", (8, 8))]
    implied = [way.implied for way in _channel_parts(units, 8, 2, False)]
    assert {"before_mlp": "concatenate"} in implied and {"layers": "one"} in implied


@pytest.mark.parametrize(
    ("shape", "turns"),
    [
        ((1, 2, 7, 7), [(1, 2, 7, 7)]),
        ((2, 7, 7), [(1, 2, 7, 7)]),
        ((7, 7, 2, 1), [(1, 2, 7, 7)]),
        ((7, 7), []),  # there is no axis for the maps
        ((5, 7, 7), []),
        ((2, 7, 5), []),
    ],
)
def test_a_bare_kernel_may_have_its_axes_in_any_order(shape, turns):
    found = _kernel_turns(Unit("kernel", "W7", shape, loose=True), 8, 2)
    assert [turn.shape for turn in found] == turns
    W = np.random.default_rng(0).normal(size=shape)
    for turn in found:
        assert turn(W).shape == turn.shape and np.isclose(turn(W).sum(), W.sum())


def test_channels_are_guessed_from_layers_there_and_back():
    mlp = [Unit("dense", "a", (4, 48, 1, 1)), Unit("dense", "b", (48, 4, 1, 1))]
    kernels = [Unit("kernel", "c", (1, 2, 7, 7)), Unit("kernel", "d", (5, 96, 3, 3))]
    assert channel_guesses([*mlp, *kernels]) == list(dict.fromkeys([48, 4, 96, *GUESSES]))


def test_channels_height_and_width_can_be_told_apart():
    H, W = function_subject.SPACE
    assert H != W and function_subject.HIDDEN not in (H, W, function_subject.CHANNELS)


def test_two_departures_in_one_part_are_found_together(rng, monkeypatch):
    """The ReLU forgotten, and the branches multiplied, among a few that are tried."""
    few = [variant for variant in variants.CHANNEL if variant.changes.keys() & {"branches", "activation"}]
    monkeypatch.setattr(identify, "CHANNEL", few[-8:])
    monkeypatch.setattr(identify, "SPATIAL", ())

    def f(x, params):
        W0, W1 = params["W0"], params["W1"]
        z = (x.max((2, 3)) @ W0.T @ W1.T) * (x.mean((2, 3)) @ W0.T @ W1.T)
        return x / (1 + np.exp(-z))[:, :, None, None]

    subject = function_subject.FunctionSubject(f, params={"W0": np.zeros((2, 6)), "W1": np.zeros((6, 2))})
    found = identify.identify(subject, make_draws(subject, rng))
    assert {variant.name for variant in found[0].departures} == {
        "the ReLU in the MLP forgotten",
        "the branches multiplied instead of added",
    }


@pytest.mark.parametrize("biases", [("b0",), ("b1",), ("b0", "b1"), ()])
def test_one_bias_in_the_mlp_is_a_choice_already(biases):
    places = {role: Place(role, same) for role in ("W0", "W1", "W7", *biases)}
    assert (variants.MLP_BIASES in told(Formula(), Assignment(places, {}, {})).variants) is bool(biases)


# --- what is said ---


@pytest.mark.parametrize(
    ("came", "N", "what", "cause"),
    [
        ((6, 4, 5), 3, "cbam", "the batch axis is missing"),
        ((4, 5), 1, "cbam", ""),  # of one image, an axis of length 1 may be left out: the channels are missing
        ((3, 6, 2, 3), 3, "cbam", "padding was forgotten"),
        ((3, 6, 3, 4), 3, "channel", ""),  # without a kernel there is no padding
    ],
)
def test_what_led_to_a_wrong_shape(came, N, what, cause, rng):
    params = {"W0": np.ones((2, 6)), "W1": np.ones((6, 2))} | ({"W7": np.ones((1, 2, 3, 3))} if what == "cbam" else {})
    dialect = DIALECTS["paper"] if what == "cbam" else replace(DIALECTS["paper"], order="channel")
    case = Case(rng.normal(size=(N, 6, 4, 5)), params, dialect, rng)
    with pytest.raises(Unusable) as error:
        shaped(np.ones(came), case.output, case)
    causes = ("the batch axis is missing", "padding was forgotten")
    assert [each for each in causes if each in str(error.value)] == [cause] * bool(cause)


def test_what_could_be_run_is_called_unknown_and_what_could_not_is_not():
    for inputs, words in (([[3, 6, 4, 5]], "this is not CBAM"), ([], "it could not be run")):
        report = CodeReport("cbam", inputs=inputs)
        report.unknown = True
        assert words in report.head()
    known = CodeReport("cbam", problems=["it writes into x"])
    assert "not right yet" in known.head()


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        (Unit("kernel", "w", (1, 2, 7, 7)), ""),
        (Unit("kernel", "w", (3, 1, 7, 7)), ""),
        (Unit("kernel", "w", (1, 3, 7, 7)), "a 7×7 convolution from 3 to 1 maps; CBAM's goes from 2 to 1"),
        (Unit("kernel", "w", (4, 2, 7, 7)), "a 7×7 convolution from 2 to 4 maps"),
        (Unit("kernel", "w", (2, 2, 7, 7)), "a 7×7 convolution from 2 to 2 maps"),
        (Unit("kernel", "w", (1, 64, 3, 5)), "a 3×5 convolution on all 64 channels; CBAM pools first"),
        (Unit("kernel", "w", (4, 64, 3, 3)), "a 3×3 convolution from 64 to 4 channels; CBAM has none"),
        (Unit("kernel", "w", (64, 1, 3, 3)), "a 3×3 convolution of each channel by itself"),
        (Unit("kernel", "w", (64, 1, 9)), "a length-9 convolution of each channel"),
        (Unit("kernel", "w", (2, 7, 7), loose=True), ""),
        (Unit("kernel", "w", (2, 5, 7), loose=True), "w (2, 5, 7): without a role in CBAM"),
        (Unit("dense", "w", (64, 64)), "a layer from 64 to 64; CBAM's MLP goes through C/r hidden units"),
        (Unit("dense", "w", (64, 128)), "a layer from 128 to 64; CBAM has none"),
        (Unit("dense", "w", (4, 64)), ""),
        (Unit("dense", "w", (3, 5)), "a layer from 5 to 3; CBAM's lead from C = 64 to C/r, and back"),
        (Unit("norm", "", (64,), buffers={"mean": "bn.mean"}), "bn.mean: a normalisation of 64 channels"),
        (Unit("norm", "w", (1,)), ""),
        (Unit("other", "w", (2, 2)), "w (2, 2): without a role in CBAM"),
    ],
)
def test_what_is_strange_about_a_layer(unit, words):
    said = describe_unit(unit, 64)
    assert words in said and bool(said) == bool(words)


def test_other_modules_are_known_by_their_formula():
    def named(pools, layers, order, residual=False):
        formula = SimpleNamespace(pools=pools, layers=layers, order=order, residual=residual)
        return sibling_of(SimpleNamespace(formula=formula))

    assert named(("avg",), "one", "channel") == named(("avg",), "one", "channel-spatial") == ULTRALYTICS
    assert named(("avg",), "eca", "channel") == ECA and named(("avg",), "two", "channel") == SE
    assert named(("avg",), "two", "channel", residual=True) == named(("avg",), "none", "channel") == ""
    assert named(("avg",), "one", "spatial") == named(("avg", "max"), "one", "channel") == ""
    assert named(("avg", "max"), "two", "channel-spatial") == named(("avg",), "two", "channel-spatial") == ""


def test_an_output_is_taken_apart_as_its_options_say():
    """Where the input was added, it is taken off again before anything else."""
    for reading in READINGS:
        assert bool(reading.changes.get("residual")) == reading.quantity.__name__.endswith("less_one")


def test_when_the_time_is_over_nothing_more_is_run():
    with foreign.at_most(0.05):
        with pytest.raises(Unusable, match="takes longer than the 0.05 s"), foreign.Foreign("f(x)"):
            while True:
                pass
        with pytest.raises(Unusable, match="g.x. takes longer"), foreign.Foreign("g(x)"):
            pytest.fail("it was run")


def test_a_map_is_brought_to_the_features_in_each_way():
    F, M = np.array([1.0, -2.0, 3.0]), np.array([0.5, 0.25, -1.0])
    ways = {"multiply": [0.5, -0.5, -3], "residual": [1.5, -2.5, 0], "add": [1.5, -1.75, 2], "map": [0.5, 0.25, -1]}
    for way, result in ways.items():
        np.testing.assert_allclose(gated(F, M, way), result)


def test_what_is_tried_together_with_others():
    assert all(variant.combines for variant in (variants.MLP_BIASES, variants.KERNEL_BIAS, variants.EVEN_KERNEL))


def test_what_an_output_comes_apart_into():
    """M_c ⊗ M_s, or M_c + M_s, from the output and the input, for each way in which they may have been arranged."""
    x, both = np.array([2.0, -4.0, 0.5]), np.array([0.6, 0.3, 0.9])
    logistic = 1 / (1 + np.exp(-both))
    outputs = {
        (): x * both,
        ("residual",): x + x * both,
        ("arrangement sum",): x * both,
        ("arrangement average",): x * both / 2,
        ("arrangement sum", "residual"): x + x * both,
        ("arrangement sigmoid of product",): x * logistic,
        ("arrangement sigmoid of sum",): x * logistic,
        ("arrangement sigmoid of product", "residual"): x + x * logistic,
        ("arrangement sigmoid of sum", "residual"): x + x * logistic,
        ("arrangement sigmoid of product, a map",): logistic,
        ("arrangement sigmoid of sum, a map",): logistic,
        ("arrangement product of maps",): both,
        ("arrangement sum of maps",): both,
        ("output sigmoid",): 1 / (1 + np.exp(-x * both)),
        ("channel_gate add", "spatial_gate add"): x + both,
        ("channel_gate map", "spatial_gate map"): both,
    }
    for reading in READINGS:
        named = tuple(name if value is True else f"{name} {value}" for name, value in reading.changes.items() if value)
        np.testing.assert_allclose(reading.quantity(outputs.pop(named), x), both, err_msg=str(named))
    assert not outputs


def test_softmax_does_not_overflow():
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000 + np.log(3)]]), (1,)), [[0.25, 0.75]])


def test_a_part_is_held_to_its_own_size():
    part = np.array([[100.0, 50.0], [0.01, 0.005]])
    for off, well in ((0.05, True), (0.2, False)):
        assert matches(part, part + np.array([[off], [off / 1e4]]), "exact", 1e-4) is well
    assert matches(part, 3 * part, "product", 1e-4) and not matches(part, part + 1, "product", 1e-4)
    assert matches(part, part + 1, "sum", 1e-4) and not matches(part, 3 * part, "sum", 1e-4)


def test_an_input_with_ties_has_them_at_0(rng):
    x = _tied(rng, (1, 3, 4, 5))
    assert not x[:, :, 0, 0].any() and x[0, 0].max() == x[0, 0, 0, 0] == x[0, 0, -1, -1] == 0
