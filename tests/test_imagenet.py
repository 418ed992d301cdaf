import subprocess
import sys

import numpy as np
import pytest

from benchmarks import speed_memory
from cbam_np import ImageNetResNet, attention_maps, grad_cam
from cbam_np.nn import WeightsError

from .oracle.cases import draw_weights


@pytest.fixture(scope="module")
def model():
    return ImageNetResNet(18, "cbam", rng=np.random.default_rng(0), classes=5)


@pytest.fixture
def weights(model):
    """Other weights for the same network, as a file of PyTorch may have them."""
    shapes = {name: array.shape for name, array in model.state_dict().items()}
    found = {f"module.{name}": w.astype(np.float32) for name, w in draw_weights(shapes, 1).items()}
    return found | {"module.bn1.num_batches_tracked": np.array(7)}


@pytest.fixture
def images():
    return np.random.default_rng(3).integers(0, 256, (2, 3, 64, 64), dtype=np.uint8)


@pytest.mark.parametrize(
    ("depth", "attention", "millions"),
    [(18, None, 11.69), (18, "cbam", 11.78), (34, None, 21.80), (34, "cbam", 21.96), (50, None, 25.56)]
    + [(50, "cbam", 28.09), (101, "cbam", 49.33)],
)
def test_parameters_as_in_table_4_of_the_paper(depth, attention, millions):
    model = ImageNetResNet(depth, attention, rng=np.random.default_rng(0))
    assert round(sum(array.size for array in model.params.values()) / 1e6, 2) == millions


def test_the_names_are_those_of_pytorch(model):
    """Of torchvision's resnet18, and of the authors' CBAM in each block."""
    names = set(model.state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer4.1.conv2.weight", "layer2.0.downsample.0.weight"} <= names
    assert {"layer2.0.downsample.1.running_mean", "fc.weight", "fc.bias"} <= names
    block = {name.removeprefix("layer3.1.cbam.") for name in names if name.startswith("layer3.1.cbam.")}
    mlp = {f"ChannelGate.mlp.{layer}.{kind}" for layer in (1, 3) for kind in ("weight", "bias")}
    bn = {f"SpatialGate.spatial.bn.{kind}" for kind in ("weight", "bias", "running_mean", "running_var")}
    assert block == mlp | bn | {"SpatialGate.spatial.conv.weight"}
    assert len(names) == 102 + 8 * 9  # 21 layers with normalisation or bias, and eight CBAMs


def test_cbam_comes_after_the_last_normalisation_and_before_the_addition(model):
    names = [name for name, _ in model.layers()]
    inside = [name.rpartition(".")[2] for name in names if name.startswith("layer2.0.residual.branch.")]
    assert inside == ["conv1", "bn1", "relu1", "conv2", "bn2", "cbam"]
    assert names.index("layer2.0.residual.shortcut") < names.index("layer2.0.relu")


def test_a_picture_of_224_ends_as_maps_of_7(model):
    model.forward(np.zeros((1, 3, 224, 224), np.uint8))
    assert model.maxpool.cache.out.shape == (1, 64, 56, 56)
    assert model.avgpool.cache.x.shape == (1, 512, 7, 7)


def test_it_normalises_by_imagenets_mean_and_deviation(model):
    white = np.full((1, 3, 2, 2), 255, np.uint8)
    expected = (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    assert np.allclose(model.normalise.forward(white)[0, :, 0, 0], expected)


@pytest.mark.parametrize("kind", ["npz", "safetensors", "dict"])
def test_weights_of_pytorch_are_read(kind, model, weights, images, tmp_path):
    source = tmp_path / f"w.{kind}"
    if kind == "npz":
        np.savez(source, **weights)
    elif kind == "safetensors":
        pytest.importorskip("safetensors.numpy").save_file(weights, source)
    else:
        source = weights
    model.state_dict()["fc.weight"][:] = 0
    model.load_state_dict(source)
    for name, array in model.state_dict().items():
        assert np.array_equal(array, weights[f"module.{name}"])
    if kind != "dict":
        same = ImageNetResNet.from_file(source)
        assert np.array_equal(same.predict(images), model.predict(images))


def test_narrower_floats_are_widened(weights):
    wide = ImageNetResNet(18, "cbam", rng=np.random.default_rng(0), classes=5, dtype=np.float64)
    wide.load_state_dict(weights)
    assert np.array_equal(wide.state_dict()["fc.weight"], weights["module.fc.weight"].astype(np.float64))


def change(weights, name, value):
    return weights | {f"module.{name}": value}


WRONG = {
    "missing": (lambda w: {n: a for n, a in w.items() if not n.endswith("fc.bias")}, "fc.bias is missing"),
    "unexpected": (lambda w: change(w, "fc2.weight", np.ones(1, np.float32)), "fc2.weight is unexpected"),
    "shape": (
        lambda w: change(w, "fc.bias", np.ones(4, np.float32)),
        r"fc.bias has shape \(4,\), expected \(5,\)",
    ),
    "double": (lambda w: change(w, "fc.bias", np.ones(5)), "fc.bias is float64, expected float32.*Save them as floats"),
    "whole": (lambda w: change(w, "fc.bias", np.ones(5, np.int8)), "fc.bias is int8, expected float32"),
    "complex": (lambda w: change(w, "fc.bias", np.ones(5, np.complex64)), "fc.bias is complex64, expected float32"),
    "nan": (
        lambda w: change(w, "fc.bias", np.full(5, np.nan, np.float32)),
        "fc.bias has entries that are not finite.*not diverged",
    ),
    "negative": (
        lambda w: change(w, "bn1.running_var", np.full(64, -1, np.float32)),
        "bn1.running_var has negative entries",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG.values(), ids=WRONG)
def test_wrong_weights_are_refused_and_change_nothing(spoil, message, model, weights, tmp_path):
    kept = {name: array.copy() for name, array in model.state_dict().items()}
    path = tmp_path / "wrong.npz"
    np.savez(path, **spoil({name: array + 1 for name, array in weights.items()}))
    with pytest.raises(WeightsError, match=rf"wrong\.npz does not fit: .*{message}"):
        model.load_state_dict(path)
    for name, array in model.state_dict().items():
        assert np.array_equal(array, kept[name])


def test_all_that_is_wrong_is_told_at_once(model, weights):
    wrong = change(change(weights, "fc.bias", np.ones(4, np.float32)), "extra", np.ones(1, np.float32))
    del wrong["module.conv1.weight"]
    with pytest.raises(WeightsError) as error:
        model.load_state_dict(wrong)
    for part in ("conv1.weight is missing", "extra is unexpected", "fc.bias has shape (4,)"):
        assert part in str(error.value)


def test_weights_of_another_of_these_networks_are_recognised(model):
    other = ImageNetResNet(50, None, rng=np.random.default_rng(0), classes=5)
    with pytest.raises(WeightsError, match=r"ImageNetResNet\(depth=50, attention=None, classes=5\): make that one"):
        model.load_state_dict(other.state_dict())


def test_a_file_of_something_else_makes_no_network(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.ones(3), b=np.ones(2))
    with pytest.raises(WeightsError, match=r"other\.npz holds 2 arrays \(a, b\), not those of a ResNet of depth 18"):
        ImageNetResNet.from_file(tmp_path / "other.npz")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"depth": 20}, "depth is 20, expected one of 18, 34, 50, 101"), ({"attention": "se"}, "attention is 'se'")],
)
def test_no_such_network(wrong, message):
    with pytest.raises(ValueError, match=message):
        ImageNetResNet(**wrong, rng=np.random.default_rng(0))


def test_grad_cam_and_the_maps_of_every_block(model, weights, images):
    model.load_state_dict(weights)
    heat = grad_cam(model, images, 3)
    assert heat.shape == (2, 64, 64)
    assert heat.max() == 1
    p, maps = attention_maps(model, images)
    assert [m.name for m in maps][:2] == ["layer1.0.residual.branch.cbam", "layer1.1.residual.branch.cbam"]
    assert len(maps) == 8
    assert maps[-1].Ms.shape == (2, 2, 2)
    assert np.allclose(p, model.predict(images), atol=1e-6)


@pytest.mark.skipif(not speed_memory.PROC.exists(), reason="this system has no /proc")
@pytest.mark.slow
def test_eight_photographs_and_their_gradient_fit_into_two_gibibytes():
    """ResNet-50 with CBAM, in a process of its own, all of it counted."""
    script = """
import numpy as np
from benchmarks import cases, speed_memory
model, images, _ = cases.draw_imagenet(cases.Sizes())
logits = model.forward(images)
assert model.backward(np.ones_like(logits)).shape == (8, 3, 224, 224)
print(speed_memory.resident("VmHWM"))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=speed_memory.ROOT, capture_output=True, text=True)
    assert 2**29 < int(done.stdout) < 2**31, done.stderr


def test_input_gradient_against_differences(images):
    """Along one direction; the network is small in pictures only, so that one gradient says something of all layers."""
    model = ImageNetResNet(18, "cbam", rng=np.random.default_rng(0), classes=5, dtype=np.float64)
    shapes = {name: array.shape for name, array in model.state_dict().items()}
    model.load_state_dict(draw_weights(shapes, 1))
    rng = np.random.default_rng(4)
    x, along = images[:, :, :32, :32].astype(float), rng.normal(size=(2, 3, 32, 32))
    dout, step = rng.normal(size=(2, 5)), 1e-5
    up, down = (np.sum(dout * model.forward(x + sign * step * along)) for sign in (1, -1))
    model.forward(x)
    slope = np.sum(model.backward(dout) * along)
    assert abs((up - down) / (2 * step) - slope) < 1e-6 * abs(slope)


# --- weights of others, said well ---


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "model.", "backbone.", "module.module.", "_orig_mod.model."]
)
def test_one_common_prefix_is_cut_off(prefix, weights, tmp_path):
    bare = {name.removeprefix("module."): array for name, array in weights.items()}
    np.savez(tmp_path / "w.npz", **{prefix + name: array for name, array in bare.items()})
    read = ImageNetResNet.from_file(tmp_path / "w.npz").state_dict()
    assert all(np.array_equal(read[name], array) for name, array in bare.items() if name in read)


def test_many_names_are_told_in_groups(model):
    other = ImageNetResNet(101, None, rng=np.random.default_rng(0), classes=7).state_dict()
    theirs = {f"encoder_{i % 3}.{name}": array for i, (name, array) in enumerate(other.items())}
    with pytest.raises(WeightsError) as error:
        model.load_state_dict(theirs)
    assert len(str(error.value)) < 700 and "names are missing: " in str(error.value)
    assert "0 of 522 names are those of this network" in str(error.value), str(error.value)


def test_another_network_is_recommended_only_where_all_of_it_fits(model):
    other = dict(ImageNetResNet(50, None, rng=np.random.default_rng(0), classes=5).state_dict())
    del other["layer3.2.conv2.weight"]
    with pytest.raises(WeightsError) as error:
        model.load_state_dict(other)
    assert "make that one" not in str(error.value)
