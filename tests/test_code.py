"""Objects and functions in NumPy are run as they are, and identified; what cannot be told is not called right."""

import json
from pathlib import Path

import numpy as np
import pytest

import cbam_np
from cbam_np import DIALECTS, cbam_backward, cbam_forward, check_function
from cbam_np.teach.code import formula as formula_file
from cbam_np.teach.code.formula import Formula, compose
from cbam_np.teach.mistakes import variants
from cbam_np.teach.mistakes.variants import CHANNEL, CHOICE, DEPARTURE, SPATIAL, WHOLE


def names(things):
    return {thing.name for thing in things}


# --- the formula ---


@pytest.mark.parametrize("order", ["channel-spatial", "spatial-channel", "parallel", "channel", "spatial"])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("running", [None, ((0.3,), (1.4,))])
def test_the_formula_is_cbam(order, norm, running, rng):
    options = {"order": order, "mlp_bias": norm, "spatial_norm": norm, "spatial_pools": ("max", "avg")}
    params = cbam_np.init_cbam(6, 2, 3, rng=rng, **options)
    params |= {name: rng.normal(size=params[name].shape) for name in ("b0", "b1", "beta") if name in params}
    x = rng.normal(size=(3, 6, 5, 7))
    roles = params | ({"eps": np.array(1e-5)} if "gamma" in params else {})
    if running and "gamma" in params:
        roles |= {"mean": np.array(running[0]), "var": np.array(running[1])}
    expected = cbam_forward(x, params, running=running if "gamma" in params else None, **options)[0]
    ours = compose(x, roles, Formula(order=order, maps=("max", "avg")))
    assert np.abs(ours - expected).max() < 1e-13


def test_a_large_kernel_is_cut_to_what_meets_the_maps(rng):
    x, W = rng.normal(size=(1, 2, 4, 5)), rng.normal(size=(1, 2, 21, 21))
    ours = formula_file.convolved(x, W, Formula())
    assert np.abs(ours - cbam_np.ops.conv2d_forward(x, W, padding=10)[0]).max() < 1e-12


def test_every_variant_changes_the_formula_and_has_a_name_of_its_own():
    listed = (*CHANNEL, *SPATIAL, *WHOLE)
    assert len(listed) > 80
    for variant in listed:
        assert variant.kind in (CHOICE, DEPARTURE) and variant.sentence[-1] in ".:"
        assert variant.changes and Formula().but(**variant.changes) != Formula()
        assert variant.combines
    twice = [name for name in names(listed) if sum(v.name == name for v in listed) > 1]
    assert set(twice) == {
        "the maximum's place instead of its value, over channels",  # in two orders
        "the standard deviation instead of the maximum over channels",  # divided by n - 1, or by n
        "the standard deviation instead of the maximum over space",
    }


# --- functions of NumPy ---


QUICK = ("paper", "official")


@pytest.mark.parametrize("dialect", [d if d in QUICK else pytest.param(d, marks=pytest.mark.slow) for d in DIALECTS])
def test_the_dialects_own_functions_are_known_in_both_modes(dialect):
    name = "paper" if dialect == "luuuyi" else dialect
    for running in (None, ((0.2,), (1.7,))):
        report = check_function(lambda x, p, r=running: cbam_forward(x, p, dialect, r), backward=cbam_backward)
        assert report.ok and report.backward and report.dialect == name, str(report)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_packages_own_layers_are_known(dialect, rng):
    report = check_function(cbam_np.nn.layers.CBAM(32, 4, rng=rng, dialect=dialect))
    assert report.ok and report.backward and report.dialect == ("paper" if dialect == "luuuyi" else dialect), str(
        report
    )


@pytest.mark.slow
def test_choices_that_no_dialect_has():
    def mlp(v, p):
        h = v @ p["W0"].T
        return np.where(h > 0, h, 0.1 * h) @ p["W1"].T

    def leaky(x, p):
        z = mlp(x.mean((2, 3)), p) + mlp(x.max((2, 3)), p)
        x = x * (1 / (1 + np.exp(-z)))[:, :, None, None]
        return cbam_forward(x, {"W7": p["W7"]}, order="spatial")[0]

    report = check_function(leaky)
    assert report.ok and names(report.choices) == {"LeakyReLU(0.1) in the MLP"} and report.dialect is None, str(report)
    assert "nearest to the paper's formula" in report.whose and not check_function(leaky, dialect="paper").ok


def test_with_fixed_weights_what_cannot_be_told_is_not_called_right(rng):
    params = cbam_np.init_cbam(4, 2, 3, rng=rng)
    assert check_function(cbam_forward, params=params).ok
    silent = params | {"W1": np.zeros_like(params["W1"])}
    report = check_function(cbam_forward, params=silent)
    assert not report.ok and "the maximum's branch missing" in report.cannot_tell and not report.explanations
    assert "cannot tell" in str(report) and repr(report) == "<FunctionReport: cannot tell>"
    assert report.to_dict()["cannot_tell"]


# --- objects of NumPy ---


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Mine:
    """CBAM as courses write layers, with a place for mistakes."""

    through_pools, updates, last = True, False, False

    def __init__(self, C=16, r=4, k=3, seed=0):
        rng = np.random.default_rng(seed)
        self.W_down, self.W_up = rng.normal(size=(C, C // r)), rng.normal(size=(C // r, C))
        self.kernel = rng.normal(size=(k, k, 2, 1)) if self.last else rng.normal(size=(1, 2, k, k))
        self.d_W_down = np.zeros_like(self.W_down)

    def pools(self, x):
        return [x.mean((2, 3)), x.max((2, 3))]

    def forward(self, x):
        if self.last:
            x = np.moveaxis(x, -1, 1)
        W7 = self.kernel.transpose(3, 2, 0, 1) if self.last else self.kernel
        params = {"W0": self.W_down.T, "W1": self.W_up.T, "W7": W7}
        if len(self.pools(x)) == 1:
            out, self.cache = cbam_forward(x, params, channel_pools=("avg",))
        else:
            out, self.cache = cbam_forward(x, params)
        return np.moveaxis(out, 1, -1) if self.last else out

    def backward(self, dout):
        dout = np.moveaxis(dout, -1, 1) if self.last else dout
        dx, grads = cbam_backward(dout, self.cache)
        if not self.through_pools:
            dx = dout * self.cache.Ms * self.cache.Mc
        self.d_W_down, self.d_W_up = grads["W0"].T, grads["W1"].T
        if self.updates:
            self.W_up -= 0.1 * self.d_W_up
        return np.moveaxis(dx, 1, -1) if self.last else dx


def changed(**attributes):
    return type("Changed", (Mine,), attributes)()


def test_an_object_with_forward_and_backward():
    layer = Mine()
    before = layer.W_down.copy()
    report = check_function(layer)
    assert report.ok and report.backward and report.dialect == "paper", str(report)
    assert np.array_equal(layer.W_down, before) and not hasattr(layer, "cache")
    assert "No gradient came back for W7: not judged." in report.notes  # it leaves none behind


def test_channels_last():
    report = check_function(changed(last=True))
    assert report.ok and any("It takes channels last" in note for note in report.notes), str(report)


def test_average_only_in_an_object():
    report = check_function(changed(pools=lambda self, x: [x.mean((2, 3))]))
    assert names(report.departures) == {"the maximum's branch missing"} and not report.ok


def test_a_way_back_without_the_pools():
    report = check_function(changed(through_pools=False))
    assert not report.ok and report.first_wrong == "dx" and not report.departures
    assert report.explanations[0].name == "the paths through the maps forgotten in dx", str(report)


def test_an_object_that_updates_itself():
    report = check_function(changed(updates=True))
    assert report.ok and any("updating weights is an optimiser's work" in note for note in report.notes), str(report)


def test_an_object_without_a_way_back():
    report = check_function(changed(backward=None))
    assert report.ok and not report.backward and "right, forward;" in str(report)


class Fails(Mine):
    def forward(self, x):
        return x @ self.missing


class GivesShapes(Mine):
    def forward(self, x):
        return x.sum((1, 2, 3))


def test_what_goes_wrong_in_an_object_is_told():
    report = check_function(Fails())
    assert not report.ok and "AttributeError in forward, line" in report.problems[0]
    report = check_function(GivesShapes())
    assert not report.ok and "The output has the shape (4,)" in str(report).replace("\n    ", " ")


@pytest.mark.slow
def test_the_report_follows_its_schema():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(Path(formula_file.__file__).with_name("report.schema.json").read_text(encoding="utf-8"))
    for f in (Mine(), changed(pools=lambda self, x: [x.mean((2, 3))]), Fails(), cbam_forward, lambda x, p: np.sin(x)):
        jsonschema.validate(json.loads(json.dumps(check_function(f).to_dict())), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"ok": 3}, schema)


def test_variants_that_the_shapes_tell_have_sentences():
    for name in ("MLP_BIASES", "KERNEL_BIAS", "SPATIAL_NORM", "ONE_LAYER", "ECA_LAYER", "NO_MLP", "OWN_MLPS"):
        assert getattr(variants, name).sentence
