import json
import os
import platform
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

from cbam_np.data import LabelledImages
from cbam_np.nn import SCHEDULES, SGD, SmallCNN
from cbam_np.ops import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from cbam_np.train import (
    CheckpointError,
    Diverged,
    Interrupted,
    Recipe,
    crop_and_flip,
    describe_machine,
    evaluate,
    fit,
    load_checkpoint,
    loop,
    save_checkpoint,
    state,
)
from cbam_np.train.machine import processor
from cbam_np.train.score import evaluate_each

RECIPE = Recipe(epochs=3, batch_size=8, lr=0.05)
TIMES = {"seconds", "images_per_second"}


def network(attention=None, seed=0):
    return SmallCNN(attention, rng=np.random.default_rng(seed), channels=(4, 8), reduction=2, classes=3)


@pytest.fixture
def data(rng):
    """Images whose class is the channel that is bright: easy to learn."""
    labels = rng.integers(0, 3, 42)
    images = rng.integers(0, 160, (42, 3, 16, 16), dtype=np.uint8)
    images[np.arange(42), labels] += 90
    return LabelledImages(images, labels, ("red", "green", "blue"))


def train(data, recipe=RECIPE, model=None, **options):
    model = model or network()
    history = fit(model, data, recipe, rng=np.random.default_rng(1), **{"progress": False, **options})
    return model, [{name: value for name, value in line.items() if name not in TIMES} for line in history]


def assert_same_network(one, other):
    for name, array in one.state_dict().items():
        assert np.array_equal(array, other.state_dict()[name]), name


@pytest.mark.parametrize("attention", [None, "cbam"])
def test_it_learns(attention, data):
    part, held = data.split(10)
    model, history = train(part, Recipe(epochs=12, batch_size=8, augment="flip"), network(attention), validation=held)
    assert history[0]["loss"] > 0.8 > 0.6 > history[-1]["loss"]
    assert history[-1]["validation_accuracy"] == evaluate(model, held).accuracy == 1
    assert history[-1]["validation_loss"] < history[0]["validation_loss"]


def test_an_epoch_is_what_it_says(data):
    recipe = Recipe(epochs=2, batch_size=5, lr=0.05, schedule="cosine", momentum=0.8, weight_decay=0.01)
    model, history = train(data, recipe)
    expected, rng = network(), np.random.default_rng(1)
    optimiser = SGD(expected.params, 0.8, True, 0.01)
    for epoch in range(2):
        order, losses, hits = rng.permutation(42), [], 0
        for step in range(8):  # 42 images are 8 batches of 5, and 2 are left out
            batch = order[5 * step : 5 * step + 5]
            logits = expected.forward(crop_and_flip(data.images[batch], rng=rng), training=True)
            loss, cache = softmax_cross_entropy_forward(logits, data.labels[batch], 0.1)
            expected.backward(softmax_cross_entropy_backward(1.0, cache))
            lr = 0.05 * SCHEDULES["cosine"]((8 * epoch + step) / 16)
            optimiser.step(expected.grads, lr)
            losses.append(float(loss))
            hits += (logits.argmax(axis=1) == data.labels[batch]).sum()
        assert history[epoch] == {
            "epoch": epoch + 1,
            "loss": pytest.approx(np.mean(losses)),
            "accuracy": hits / 40,
            "lr": pytest.approx(lr),
        }
    assert_same_network(model, expected)


def test_validation_images_are_looked_at_and_nothing_more(data):
    part, held = data.split(10)
    plain, _ = train(part)
    scored, history = train(part, validation=held)
    assert_same_network(plain, scored)
    assert [set(line) >= {"validation_accuracy", "validation_loss"} for line in history] == [True] * 3


def test_a_folder_changes_nothing_and_holds_everything(data, tmp_path):
    plain, history = train(data)
    kept, _ = train(data, out=tmp_path / "new" / "run", settings={"attention": None}, save_every=0)
    assert_same_network(plain, kept)
    assert sorted(os.listdir(tmp_path / "new" / "run")) == ["checkpoint.npz", "history.json"]
    written = json.loads((tmp_path / "new" / "run" / "history.json").read_text(encoding="utf-8"))
    assert [{k: v for k, v in line.items() if k not in TIMES} for line in written["epochs"]] == history
    for line in written["epochs"]:
        assert line["images_per_second"] == pytest.approx(40 / line["seconds"])
    assert written["recipe"]["lr"] == 0.05
    assert written["machine"] == describe_machine()
    arrays, metadata = load_checkpoint(tmp_path / "new" / "run" / "checkpoint.npz")
    assert np.array_equal(arrays["model/head.W"], kept.params["head.W"]) and "velocity/head.W" in arrays
    assert metadata["settings"] == {"attention": None} and metadata["epoch"] == 3


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("processor\t: 0\nmodel name\t: A: 3.2 GHz\nprocessor\t: 1\nmodel name\t: B\n", "A: 3.2 GHz"),
        ("processor\t: 0\nmodel\t: 17\n", None),
        (None, None),
    ],
)
def test_the_processor_has_a_name(told, expected, tmp_path):
    if told:
        (tmp_path / "cpuinfo").write_text(told, encoding="utf-8")
    name = processor(tmp_path / "cpuinfo")
    assert name == (expected or platform.processor() or platform.machine())


def test_describe_machine():
    machine = describe_machine()
    assert machine["processor"]
    assert machine["cores"] >= 1 and machine["numpy"] == np.__version__
    assert machine["blas"] and all(pool["threads"] >= 1 and pool["name"] for pool in machine["blas"])


class Stopped(Exception):
    pass


@pytest.mark.parametrize("after", [0, 1, 4, 5, 6, 14, 15])
@pytest.mark.parametrize("generator", ["PCG64", pytest.param("MT19937", marks=pytest.mark.slow)])
def test_stopped_after_any_step_and_resumed_it_ends_the_same(after, generator, data, tmp_path, monkeypatch):
    part, held = data.split(2)

    def go(**options):
        model, rng = network("cbam"), np.random.Generator(getattr(np.random, generator)(5))
        return model, fit(model, part, RECIPE, rng=rng, validation=held, save_every=0, progress=False, **options)

    whole, history = go()
    steps, step = [], loop.Training.take_step

    def stopping(self):
        if len(steps) == after:
            raise Stopped
        steps.append(step(self))

    monkeypatch.setattr(loop.Training, "take_step", stopping)
    if after < 15:
        with pytest.raises(Stopped):
            go(out=tmp_path)
    else:
        go(out=tmp_path)
    monkeypatch.undo()
    resumed, history_resumed = go(out=tmp_path, resume=True)
    assert_same_network(whole, resumed)
    for one, other in zip(history, history_resumed, strict=True):
        assert {k: v for k, v in one.items() if k not in TIMES} == {k: v for k, v in other.items() if k not in TIMES}


def test_the_same_seed_gives_the_same_run_and_another_does_not(data):
    (one, _), (same, _) = train(data), train(data)
    assert_same_network(one, same)
    other = network()
    fit(other, data, RECIPE, rng=np.random.default_rng(2), progress=False)
    assert not np.array_equal(one.params["head.W"], other.params["head.W"])


def test_a_run_is_not_overwritten(data, tmp_path):
    train(data, out=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FileExistsError, match=r"already holds a run \(checkpoint.npz\): resume it"):
        train(data, out=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_nothing_to_resume(data, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no checkpoint\.npz, so there is nothing to resume"):
        train(data, out=tmp_path / "none", resume=True)
    assert not (tmp_path / "none").exists()


def test_resuming_as_something_else_is_refused_and_changes_nothing(data, tmp_path):
    train(data, out=tmp_path)
    for change, options in [
        (r"lr was 0\.05, is 0\.1; augment was crop\+flip, is none", {"recipe": Recipe(3, 8, 0.1, augment="none")}),
        ("number of training images was 42, is 40", {"data": data.subset(slice(40))}),
        ("their checksum was", {"data": data.subset(np.arange(42)[::-1])}),
        ("has no 'velocity/stage1.attention.W0'", {"model": network("cbam")}),
        (
            r"head.W has shape \(3, 8\), expected \(10, 8\)",
            {"model": SmallCNN(rng=np.random.default_rng(0), channels=(4, 8))},
        ),
    ]:
        options = {"data": data, "model": network(seed=7), **options}
        kept = {name: array.copy() for name, array in options["model"].state_dict().items()}
        with pytest.raises(CheckpointError, match=change):
            train(**options, out=tmp_path, resume=True)
        assert all(np.array_equal(array, kept[name]) for name, array in options["model"].state_dict().items())
    with pytest.raises(CheckpointError, match="random generator was PCG64, is MT19937"):
        fit(network(), data, RECIPE, rng=np.random.Generator(np.random.MT19937(0)), out=tmp_path, resume=True)


def test_a_damaged_checkpoint_is_not_resumed(data, tmp_path):
    train(data, out=tmp_path)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="only part of one"):
        train(data, out=tmp_path, resume=True)


def test_an_unwritable_folder_is_noticed_before_training(data, tmp_path, monkeypatch):
    monkeypatch.setattr(loop.Training, "take_step", lambda self: pytest.fail("it trained"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="cannot write into"):
        train(data, out=tmp_path / "file" / "run")


@pytest.mark.parametrize("attention", [None, "cbam"])
def test_a_diverging_run_stops_and_keeps_its_last_good_checkpoint(attention, data, tmp_path):
    recipe = Recipe(epochs=2, batch_size=8, lr=1e30, schedule="constant")
    with pytest.raises(Diverged, match=r"in epoch 1 at step \d of 5: .*Lower the learning rate, whose peak is 1e\+30"):
        train(data, recipe, network(attention), out=tmp_path, save_every=0)
    arrays, _ = load_checkpoint(tmp_path / "checkpoint.npz")
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_weights_that_are_not_finite_are_not_saved(data, tmp_path, monkeypatch):
    steps, step = [], SGD.step

    def spoil(self, grads, lr):
        step(self, grads, lr)
        steps.append(lr)
        if len(steps) == 3:
            self.params["head.W"][0, 0] = np.inf

    monkeypatch.setattr(SGD, "step", spoil)
    with pytest.raises(Diverged, match="in epoch 1 at step 4 of 5: model/head.W is not finite"):
        train(data, out=tmp_path, save_every=0)
    arrays, metadata = load_checkpoint(tmp_path / "checkpoint.npz")
    assert metadata["step"] == 2 and np.isfinite(arrays["model/head.W"]).all()


def test_an_error_that_is_no_divergence_is_not_called_one(data, monkeypatch):
    wrong = LabelledImages(data.images, data.labels + 3, tuple("abcdef"))
    with pytest.raises(ValueError, match="labels go from .* expected 0 to 2 for 3 logits"):
        train(wrong)
    with pytest.raises(ValueError, match="42 training images do not fill a batch of 128"):
        train(data, Recipe(epochs=1))


@pytest.fixture
def heard():
    """Hear Ctrl-C as a program in the foreground does, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_ctrl_c_at(monkeypatch, *steps):
    """Send this process SIGINT in the middle of the given steps."""
    done, step = [], loop.Training.take_step

    def pressed(self):
        done.append(1)
        if len(done) in steps:
            signal.raise_signal(signal.SIGINT)
        step(self)

    monkeypatch.setattr(loop.Training, "take_step", pressed)


@pytest.mark.parametrize("at", [1, 3, 5])
def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(at, data, tmp_path, monkeypatch, heard):
    whole, history = train(data)
    before = signal.getsignal(signal.SIGINT)
    press_ctrl_c_at(monkeypatch, at)
    with pytest.raises(Interrupted, match=rf"stopped in epoch 1 after {at} of 5 steps: saved in .*resume=True"):
        train(data, out=tmp_path)
    assert signal.getsignal(signal.SIGINT) is before
    assert load_checkpoint(tmp_path / "checkpoint.npz")[1]["step"] == at
    monkeypatch.undo()
    resumed, history_resumed = train(data, out=tmp_path, resume=True)
    assert_same_network(whole, resumed)
    assert history == history_resumed


def test_ctrl_c_is_answered_before_the_step_has_ended(data, monkeypatch, heard, capsys):
    step = loop.Training.take_step

    def pressed(self):
        signal.raise_signal(signal.SIGINT)
        assert "\nstopping after this step; Ctrl-C again stops at once and loses it\n" in capsys.readouterr().err
        step(self)

    monkeypatch.setattr(loop.Training, "take_step", pressed)
    with pytest.raises(Interrupted):
        train(data, progress=True)


def test_ctrl_c_ends_a_scoring_and_what_is_resumed_is_the_same(data, tmp_path, monkeypatch, heard):
    part, held = data.split(10)
    whole, history = train(part, validation=held)

    def pressed(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        return evaluate(*arguments, **options)

    monkeypatch.setattr(state, "evaluate", pressed)
    with pytest.raises(Interrupted, match="stopped in epoch 1 after 4 of 4 steps"):
        train(part, validation=held, out=tmp_path)
    monkeypatch.undo()
    resumed, history_resumed = train(part, validation=held, out=tmp_path, resume=True)
    assert_same_network(whole, resumed)
    assert history == history_resumed


def test_ctrl_c_twice_stops_at_once(data, monkeypatch, heard):
    before = signal.getsignal(signal.SIGINT)

    def twice(self):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")

    monkeypatch.setattr(loop.Training, "take_step", twice)
    with pytest.raises(KeyboardInterrupt) as stopped:
        train(data)
    assert not isinstance(stopped.value, Interrupted)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_without_a_folder_says_that_nothing_was_saved(data, monkeypatch, heard):
    press_ctrl_c_at(monkeypatch, 2)
    with pytest.raises(Interrupted, match="nothing was saved"):
        train(data)


def test_ctrl_c_stays_ignored_where_it_was(data, monkeypatch, heard):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as under nohup
    press_ctrl_c_at(monkeypatch, 2)
    assert len(train(data)[1]) == 3


def test_it_trains_in_another_thread(data):
    results = []
    thread = threading.Thread(target=lambda: results.append(train(data)))
    thread.start()
    thread.join()
    assert_same_network(results[0][0], train(data)[0])


def test_progress_shows_epoch_loss_accuracy_and_speed(data, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # in a narrow terminal the end of a line is cut
    train(data, progress=True, validation=data)
    shown = capsys.readouterr().err
    for part in ("epoch 1/3", "epoch 3/3", "40/40", "loss=", "accuracy=", "validation_accuracy=", " images/s"):
        assert part in shown, shown
    train(data, progress=False)
    assert capsys.readouterr() == ("", "")


def test_evaluate_counts_every_image_once(data):
    model = network()
    p = model.predict(data.images)
    score = evaluate(model, data, batch_size=8)
    assert score.accuracy == (p.argmax(axis=1) == data.labels).mean()
    assert score.loss == pytest.approx(-np.log(p[np.arange(42), data.labels]).mean(), rel=1e-5)


def test_evaluate_takes_an_image_and_its_mirror_image_together(data):
    model = network()
    mirror_images = LabelledImages(data.images[..., ::-1], data.labels, data.classes)
    plain, together = evaluate(model, data), evaluate(model, data, copies="mirror")
    assert together == evaluate(model, mirror_images, copies="mirror") != plain
    both = [
        np.log(model.predict(part.images)) for part in (data, mirror_images)
    ]  # scores, up to one constant per image
    assert together.accuracy == (sum(both).argmax(axis=1) == data.labels).mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs is 0, expected a whole number, 1 to 10000"),
        ({"epochs": 1.5}, "epochs is 1.5, expected a whole number"),
        ({"batch_size": 1}, "batch_size is 1, expected a whole number, 2 to 10000"),
        ({"lr": 0}, "lr is 0, expected a number, more than 0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"momentum": 1}, "momentum is 1, expected a number, 0 or more and less than 1"),
        ({"weight_decay": -1}, "weight_decay is -1, expected a number, 0 or more"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
        (
            {"schedule": "falling"},
            "schedule is 'falling', expected one of 'constant', 'linear', 'step', 'cosine', 'one-cycle'",
        ),
        ({"cutout": -1}, "cutout is -1, expected a whole number, 0 to 64"),
        ({"augment": "mixup"}, "augment is 'mixup', expected one of 'none', 'flip', 'crop\\+flip'"),
    ],
)
def test_recipes_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{"epochs": 1, **options})


def test_six_copies_of_a_test_image_are_scored_together(data):
    model = network()
    padded = np.pad(data.images, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    scores = 0
    for share, images in ((0.5, data.images), (0.25, padded[:, :, :16, :16]), (0.25, padded[:, :, 2:, 2:])):
        scores = scores + share * (model.forward(images) + model.forward(images[..., ::-1])) / 2
    score = evaluate(model, data, copies="six")
    assert score.accuracy == (scores.argmax(axis=1) == data.labels).mean()
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert score.loss == pytest.approx(-np.log(p[np.arange(42), data.labels]).mean(), rel=1e-5)
    with pytest.raises(ValueError, match="copies is 'five'"):
        evaluate(model, data, copies="five")
    each = evaluate_each(model, data, ["none", "mirror", "six"])
    assert each == {copies: evaluate(model, data, copies=copies) for copies in each} and each["six"] == score


def test_a_run_from_before_an_option_was_there_goes_on(data, tmp_path, monkeypatch):
    train(data, out=tmp_path)
    arrays, metadata = load_checkpoint(tmp_path / "checkpoint.npz")
    for name in ("optimiser", "head_lr"):
        del metadata["of"][name]
    save_checkpoint(tmp_path / "checkpoint.npz", arrays, metadata)
    assert len(train(data, out=tmp_path, resume=True)[1]) == 3
    with pytest.raises(CheckpointError, match=r"lr was 0\.05, is 0\.06"):
        train(data, replace(RECIPE, lr=0.06), out=tmp_path, resume=True)


def test_a_checkpoint_that_does_not_say_how_it_was_trained(data, tmp_path):
    train(data, out=tmp_path)
    arrays, metadata = load_checkpoint(tmp_path / "checkpoint.npz")
    del metadata["of"]["epochs"], metadata["version"]
    save_checkpoint(tmp_path / "checkpoint.npz", arrays, metadata)
    with pytest.raises(CheckpointError, match="is of another run: epochs was not given, is 3. Resume it as it was"):
        train(data, out=tmp_path, resume=True)


def test_every_second_image_and_label_can_be_learned(data):
    part = data.subset(slice(None, None, 2))
    assert_same_network(train(part)[0], train(LabelledImages(part.images.copy(), part.labels.copy(), part.classes))[0])


def test_ctrl_c_while_the_last_epoch_is_saved_is_heard(data, tmp_path, monkeypatch, heard):
    save = state.Training.save

    def pressed(run, out):
        save(run, out)
        if run.epoch == RECIPE.epochs:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(state.Training, "save", pressed)
    with pytest.raises(Interrupted, match="stopped after the last epoch: saved in"):
        train(data, out=tmp_path / "run")


def test_a_velocity_of_another_shape_changes_nothing(data, tmp_path):
    train(data, out=tmp_path / "run")
    arrays, metadata = load_checkpoint(tmp_path / "run" / state.CHECKPOINT)
    arrays["velocity/head.W"] = np.zeros(3)
    save_checkpoint(tmp_path / "run" / state.CHECKPOINT, arrays, {k: v for k, v in metadata.items() if k != "version"})
    model = network(seed=5)
    with pytest.raises(CheckpointError, match="velocity/head.W has shape"):
        train(data, model=model, out=tmp_path / "run", resume=True)
    assert_same_network(model, network(seed=5))
