"""The results slide: which images, what is written on it, and the command that draws it."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imsave
from PIL import Image

from cbam_np import ImageNetResNet, SmallCNN, cli, grad_cam, load_pretrained, viz
from cbam_np.explain import choose
from cbam_np.train import CheckpointError, Recipe, Settings, load_model, prepare, pretrained_names

SMALL = Settings(recipe=Recipe(epochs=1, batch_size=32, augment="none"), channels=(4, 8), reduction=2, images=64)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr("cbam_np.train.run.SHAPES", {"train": (64, (0, 0)), "test": (40, (0, 1))})
    for name, attention in (("plain", None), ("cbam", "cbam")):
        prepare(SMALL.changed(attention=attention), tmp_path / name).finish(progress=False)
    return tmp_path


def test_choose_goes_by_its_rule():
    labels = np.array([0, 0, 1, 1, 0])
    before = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8], [0.8, 0.2]])
    after = np.array([[0.8, 0.2], [0.9, 0.1], [0.7, 0.3], [0.1, 0.9], [0.8, 0.2]])
    chosen = {kind: found.tolist() for kind, found in choose(before, after, labels, 2).items()}
    assert chosen == {"both right": [0, 3], "gained": [1, 3], "lost": [2, 0]}


def test_the_slide_says_what_the_networks_say(rng):
    images, labels = rng.integers(0, 256, (2, 3, 8, 8), dtype=np.uint8), np.array([1, 4])
    model = SmallCNN("cbam", rng=rng, channels=(4,), reduction=2)
    p, heat = model.predict(images), grad_cam(model, images, labels)
    figure = viz.results_slide(images, labels, list("abcdefghij"), {"CBAM": (p, heat)}, ["first", "first"])
    grid = np.array(figure.axes).reshape(2, 2)
    for n, (left, right) in enumerate(grid):
        assert left.get_title() == "abcdefghij"[labels[n]]
        np.testing.assert_array_equal(left.images[0].get_array(), images[n].transpose(1, 2, 0))
        np.testing.assert_array_equal(right.images[1].get_array(), heat[n])
        assert f"P = {p[n, labels[n]]:.2f}" in right.get_title()
        assert ("(" in right.get_title()) == (p[n].argmax() != labels[n])
    assert grid[0, 1].get_title().startswith("CBAM\n") and [ax.get_ylabel() for ax in grid[:, 0]] == ["first", ""]


def test_gradcam_draws_runs_by_rule_by_number_and_a_picture(runs, capsys, monkeypatch):
    networks = ["--networks", str(runs / "plain"), str(runs / "cbam"), "--data", "shapes", "--out"]
    assert cli.main(["gradcam", *networks, str(runs / "rule.png")]) == 0
    assert "rule.png shows " in capsys.readouterr().out
    assert cli.main(["gradcam", *networks, str(runs / "two.png"), "--numbers", "3", "5", "--layer", "stage1"]) == 0
    assert "shows 2 images" in capsys.readouterr().out
    monkeypatch.setattr("cbam_np.cli.gradcam._test_images", lambda *_: pytest.fail("a data set was loaded for nothing"))
    imsave(runs / "own.png", np.random.default_rng(0).random((50, 40, 3)))
    own = ["gradcam", *networks, str(runs / "o.png"), "--image", str(runs / "own.png")]
    assert cli.main(own) == 2
    assert "own.png has no label: say with --class what to look for, " in capsys.readouterr().err
    assert cli.main([*own, "--class", "ring"]) == 0
    assert all((runs / name).stat().st_size > 10_000 for name in ("rule.png", "two.png", "o.png"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--networks", "nothing"], "there is no trained network 'nothing', expected one of "),
        (["--numbers", "40"], "--numbers are 40, expected 0 to 39: there are 40 test images"),
        (["--numbers", "3", "--class", "dragon"], "--class is 'dragon', expected one of disc, ring"),
        (["--numbers", "3", "--layer", "head"], "layer 'head' gives an array of shape (1, 10), expected maps"),
        (["--image", "missing.png", "--class", "ring"], "missing.png"),
        (["--image", __file__, "--class", "ring"], "cannot be read as a picture: save it as a PNG or a JPEG"),
        (["--weights", "w.npz"], "--weights needs a picture and a class: add --image FILE and --class NUMBER"),
        (["--weights", "w.npz", "--image", __file__, "--class", "9"], "there is no file w.npz: check the name"),
    ],
)
def test_what_cannot_be_drawn_is_answered_in_words(wrong, message, runs, capsys):
    networks = [] if wrong[0] in ("--networks", "--weights") else ["--networks", str(runs / "cbam")]
    assert cli.main(["gradcam", *networks, "--data", "shapes", *wrong, "--out", str(runs / "x.png")]) == 2
    assert message in capsys.readouterr().err
    assert not (runs / "x.png").exists()


def test_the_data_set_is_the_one_that_the_networks_know(runs, capsys, monkeypatch):
    asked = []
    draw = viz.results_slide
    monkeypatch.setattr(viz, "results_slide", lambda *what: asked.append(what) or draw(*what))
    out = ["--numbers", "3", "--out", str(runs / "x.png")]
    assert cli.main(["gradcam", "--networks", str(runs / "cbam"), *out]) == 0  # one network, without --data
    (images, labels, classes, looked, _) = asked[0]
    assert "hourglass" in classes and list(looked) == ["cbam"] and len(images) == len(labels) == 1
    both = ["--networks", "smallcnn-cbam-cifar10", str(runs / "cbam")]
    assert cli.main(["gradcam", *both, *out]) == 2
    assert "cbam was trained on shapes, and does not know the classes of cifar10" in capsys.readouterr().err
    assert cli.main(["gradcam", "--networks", str(runs / "cbam"), "--data", "cifar10", *out]) == 2
    assert "choose other networks, or --data shapes" in capsys.readouterr().err


def test_two_folders_of_the_same_name_are_told_apart(runs, monkeypatch):
    asked = []
    draw = viz.results_slide
    monkeypatch.setattr(viz, "results_slide", lambda *what: asked.append(what) or draw(*what))
    for name in ("a", "b"):
        (runs / name).mkdir()
        (runs / "cbam").rename(runs / name / "run") if name == "a" else (runs / "plain").rename(runs / name / "run")
    places = [str(runs / "a" / "run"), str(runs / "b" / "run")]
    assert cli.main(["gradcam", "--networks", *places, "--numbers", "3", "5", "--out", str(runs / "x.png")]) == 0
    assert list(asked[0][3]) == [str(Path("a") / "run"), str(Path("b") / "run")]


@pytest.mark.parametrize(("count", "networks"), [(9, 2), (9, 1), (4, 2), (1, 2), (12, 2)])
def test_a_slide_is_wide_not_high(count, networks, rng):
    images, labels = rng.integers(0, 256, (count, 3, 8, 8), dtype=np.uint8), np.zeros(count, int)
    looked = {f"network {n}": (np.full((count, 10), 0.1), np.zeros((count, 8, 8))) for n in range(networks)}
    for kinds in (None, ["both right", "gained", "lost"] * (count // 3) if count % 3 == 0 else None):
        kinds = None if kinds is None else sorted(kinds)
        width, height = viz.results_slide(images, labels, list("abcdefghij"), looked, kinds).get_size_inches()
        assert 1 < width / height < 3.2 and (width <= 25 and height <= 9)


@pytest.fixture
def imagenet(tmp_path, rng):
    """Write weights of two small ResNets, and a photograph that stands on its head until its EXIF is read."""
    for name, attention in (("resnet18", None), ("resnet18-cbam", "cbam")):
        np.savez(tmp_path / name, **ImageNetResNet(18, attention, rng=rng, classes=300).state_dict())
    photograph = Image.fromarray(rng.integers(0, 256, (300, 400, 3), dtype=np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 3
    photograph.save(tmp_path / "leopard.jpg", exif=turned, quality=95)
    return tmp_path


def test_gradcam_with_weights_for_imagenet(imagenet, capsys):
    files = ["--weights", str(imagenet / "resnet18.npz"), str(imagenet / "resnet18-cbam.npz")]
    look = ["gradcam", *files, "--image", str(imagenet / "leopard.jpg"), "--out", str(imagenet / "slide.png")]
    assert cli.main([*look, "--class", "289"]) == 0
    said = capsys.readouterr().out
    model = ImageNetResNet.from_file(imagenet / "resnet18-cbam.npz")
    p = model.predict(viz.read_picture(imagenet / "leopard.jpg", 224, 256)[None])[0]
    assert f"resnet18-cbam: P = {p[289]:.2f} for class 289; most probable: {p.argmax()} ({p.max():.2f}), " in said
    assert (imagenet / "slide.png").stat().st_size > 50_000
    for wrong in ("300", "leopard", "-1"):
        assert cli.main([*look, f"--class={wrong}"]) == 2
        assert f"--class is {wrong!r}, expected a number from 0 to 299" in capsys.readouterr().err


def test_a_photograph_is_turned_scaled_and_cut(imagenet):
    found = viz.read_picture(imagenet / "leopard.jpg", 224, 256)
    upright = Image.open(imagenet / "leopard.jpg").rotate(180).resize((341, 256), Image.Resampling.BILINEAR)
    assert found.shape == (3, 224, 224) and found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.asarray(upright)[16:240, 58:282].transpose(2, 0, 1))


def test_part_of_a_photograph_is_answered_in_words(imagenet):
    content = (imagenet / "leopard.jpg").read_bytes()
    (imagenet / "leopard.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"leopard\.jpg is damaged, or only part of a picture .*: copy it again"):
        viz.read_picture(imagenet / "leopard.jpg", 224)


def test_what_comes_with_the_package_loads():
    assert pretrained_names()
    for name in pretrained_names():
        model = load_pretrained(name)
        assert model.predict(np.zeros((1, 3, 32, 32), np.uint8)).shape == (1, 10)
    with pytest.raises(ValueError, match="no trained network 'vgg', expected one of"):
        load_pretrained("vgg")


def test_a_file_that_is_no_network(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"not a zip")
    with pytest.raises(CheckpointError, match="bad.npz is no checkpoint"):
        load_model(tmp_path / "bad.npz")
