import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import cbam_np
from cbam_np import cli, viz
from cbam_np.train import Diverged, Interrupted, Recipe, Settings, load_checkpoint, load_model, loop, run

SMALL = shlex.split("--images 40 --validation 10 --batch-size 16 --channels 4 8 --reduction 2 --epochs 2")
CHILD = os.environ | {"PYTHONPATH": str(Path(cbam_np.__file__).parent.parent)}


@pytest.fixture(autouse=True)
def few_shapes(monkeypatch):
    monkeypatch.setattr(run, "SHAPES", {"train": (50, (0, 0)), "test": (20, (0, 1))})


@pytest.fixture
def call(capsys):
    def call(*words):
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as left:  # argparse leaves by itself
            status = left.code
        return status, *capsys.readouterr()

    return call


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("attention", ["none", "se", "cbam"])
def test_train(attention, call, tmp_path):
    out = tmp_path / "my run"
    note = 'a note, with "quotes"'
    status, printed, shown = call("train", "--attention", attention, *SMALL, "--out", out, "--note", note)
    assert status == 0
    files = {"checkpoint.npz", "history.json", "result.json"} | ({"attention.png"} if attention == "cbam" else set())
    assert set(os.listdir(out)) == files
    assert all(name in printed for name in files) and str(out) in printed
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert f"Test accuracy {result['test_accuracy']:.1%} on 20 images after 2 epochs" in printed
    assert f"{result['images_per_second']:.0f} training images per second" in printed
    assert "epoch 2/2" in shown and "Traceback" not in shown
    assert result["note"] == note and result["machine"]["numpy"] == np.__version__
    assert result["settings"]["seed"] == 0 and result["settings"]["recipe"]["batch_size"] == 16
    history = json.loads((out / "history.json").read_text(encoding="utf-8"))["epochs"]
    assert result["seconds_per_epoch"] == pytest.approx(sum(line["seconds"] for line in history) / 2)
    assert result["images_per_second"] == pytest.approx(2 * 32 / sum(line["seconds"] for line in history))
    assert result["validation_accuracy"] == history[-1]["validation_accuracy"]
    model = load_model(out)
    assert result["parameters"] == sum(array.size for array in model.params.values())
    _, _, test = run.load_data(Settings())
    assert result["test_accuracy"] == (model.predict(test.images).argmax(axis=1) == test.labels).mean()

    words = shlex.split(result["command"])
    assert words[:2] == ["cbam-np", "train"]
    assert call(*words[1:], "--out", tmp_path / "again")[0] == 0
    assert (tmp_path / "again" / "checkpoint.npz").stat().st_size > 0
    for name, array in load_model(tmp_path / "again").state_dict().items():
        assert np.array_equal(array, model.state_dict()[name])


def test_the_picture_is_of_the_test_images(call, tmp_path, monkeypatch):
    asked = []
    draw = viz.attention_figure
    monkeypatch.setattr(viz, "attention_figure", lambda *what: asked.append(what) or draw(*what))
    call("train", *SMALL, "--out", tmp_path)
    _, _, test = run.load_data(Settings())
    (model, images, labels, classes) = asked[0]
    assert np.array_equal(images, test.images[:4]) and np.array_equal(labels, test.labels[:4])
    assert classes == test.classes and "attention" in model.stage1.parts
    assert (tmp_path / "attention.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_holds_a_run_is_left_alone(call, tmp_path):
    call("train", *SMALL, "--out", tmp_path)
    before = contents(tmp_path)
    status, printed, shown = call("train", *SMALL, "--out", tmp_path)
    assert (status, printed) == (2, "")
    assert shown.startswith(f"cbam-np train: {tmp_path} already holds a run (checkpoint.npz, result.json): resume it")
    assert contents(tmp_path) == before


def test_a_finished_run_prints_its_result_again_and_does_not_train(call, tmp_path, monkeypatch):
    _, first, _ = call("train", *SMALL, "--out", tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr(loop.Training, "take_step", lambda self: pytest.fail("it trained"))
    assert call("train", "--resume", "--out", tmp_path)[:2] == (0, first)
    assert contents(tmp_path) == before


def test_resuming_needs_something_to_resume(call, tmp_path):
    status, _, shown = call("train", "--resume", "--out", tmp_path / "none")
    assert status == 2 and "there is no checkpoint" in shown and shown.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_resuming_with_other_settings_says_which(call, tmp_path):
    call("train", *SMALL, "--out", tmp_path)
    before = contents(tmp_path)
    status, _, shown = call("train", "--resume", "--out", tmp_path, "--lr", "0.2", "--attention", "none", "--seed", 0)
    assert status == 2
    assert "has other settings: attention was cbam, is None; lr was 0.07, is 0.2. " in shown
    assert contents(tmp_path) == before
    assert call("train", "--resume", "--out", tmp_path, *SMALL, "--note", "new")[0] == 0


def test_a_damaged_checkpoint(call, tmp_path):
    call("train", *SMALL, "--out", tmp_path)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:5000])
    status, _, shown = call("train", "--resume", "--out", tmp_path)
    assert status == 2 and "is no checkpoint, or only part of one" in shown and shown.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--epochs 0", "epochs is 0, expected a whole number, 1 or more"),
        ("--lr -1", "lr is -1.0, expected a number, more than 0"),
        ("--label-smoothing 1.5", "label_smoothing is 1.5, expected"),
        ("--batch-size 1", "batch_size is 1, expected a whole number, 2 or more"),
        ("--batch-size 64", "40 training images do not fill a batch of 64"),
        ("--images 45", "shapes has 50 training images, too few to train on 45 and hold back 10"),
        ("--images 0", "images is 0, expected a whole number, 1 or more"),
        ("--validation 50", "shapes has 50 training images, too few to train on 40 and hold back 50"),
        ("--reduction 8", "reduction 8 leaves no hidden unit for 4 channels"),
        ("--channels 1 2 3 4 5 6 7", r"expected 1 to 6 stages"),
        ("--channels 0", "channels is 0"),
        ("--seed -1", "seed is -1"),
        ("--attention eca", "argument --attention: invalid choice: 'eca'"),
        ("--data imagenet", "argument --data: invalid choice: 'imagenet'"),
        ("--schedule linear", "argument --schedule: invalid choice: 'linear'"),
        ("--epochs many", "argument --epochs: invalid int value: 'many'"),
        ("--colour red", "unrecognized arguments: --colour red"),
    ],
)
def test_bad_options_are_answered_in_words(options, message, call, tmp_path):
    status, printed, shown = call("train", *SMALL, *options.split(), "--out", tmp_path / "run")
    assert (status, printed) == (2, "")
    assert message in shown and "Traceback" not in shown
    assert not (tmp_path / "run" / "checkpoint.npz").exists()


def test_out_is_required_and_must_be_writable(call, tmp_path):
    status, _, shown = call("train")
    assert status == 2 and "the following arguments are required: --out" in shown
    (tmp_path / "file").write_bytes(b"kept")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        status, _, shown = call("train", *SMALL, "--out", out)
        assert status == 2 and f"cbam-np train: cannot write into {out}: " in shown and shown.count("\n") == 1
    assert (tmp_path / "file").read_bytes() == b"kept"


def test_a_half_written_data_file(call, tmp_path):
    root = tmp_path / "cifar-10-batches-bin"
    root.mkdir()
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        (root / name).write_bytes(bytes(3073 * 9))
    status, _, shown = call("train", "--data", "cifar10", "--data-root", tmp_path, "--out", tmp_path / "run")
    assert status == 2 and "data_batch_1.bin ends at byte 27657" in shown and "Traceback" not in shown
    status, _, shown = call("train", "--data", "cifar10", "--data-root", tmp_path / "x", "--out", tmp_path / "run")
    assert status == 2 and "does not hold CIFAR-10" in shown


def test_a_diverging_run(call, tmp_path):
    status, _, shown = call("train", *SMALL, "--lr", "1e30", "--out", tmp_path)
    assert status == 2 and "training diverged in epoch 1 at step 2 of 2" in shown and "Traceback" not in shown
    assert load_checkpoint(tmp_path / "checkpoint.npz")[1]["epoch"] == 0


def test_a_mistake_in_the_program_is_not_hidden(call, tmp_path, monkeypatch):
    def wrong(self):
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr(loop.Training, "take_step", wrong)
    with pytest.raises(ValueError, match="broadcast"):
        call("train", *SMALL, "--out", tmp_path)


def test_ctrl_c_tells_the_command_to_go_on_with(call, tmp_path, monkeypatch):
    def stopped(self):
        raise Interrupted("in the loop")

    out = tmp_path / "my run"
    with monkeypatch.context() as patch:
        patch.setattr(loop.Training, "take_step", stopped)
        status, _, shown = call("train", *SMALL, "--out", out)
    assert status == 130
    assert f"saved in {out}; go on with: cbam-np train --resume --out '{out}'\n" in shown
    assert call(*shlex.split(shown.rpartition("cbam-np ")[2]))[0] == 0

    def at_once(*anything):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "load_data", at_once)
    status, _, shown = call("train", *SMALL, "--out", tmp_path / "other")
    assert status == 130 and "stopped; nothing was saved yet" in shown and "Traceback" not in shown


def test_cifar10_is_trained_by_its_own_recipe(call, tmp_path, rng):
    root = tmp_path / "cifar-10-batches-bin"
    root.mkdir()
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        records = rng.integers(0, 256, (10_000, 3073), dtype=np.uint8)
        records[:, 0] %= 10
        (root / name).write_bytes(records.tobytes())
    settings = Settings(data="cifar10", attention=None, channels=(2,), images=130, data_root=str(tmp_path))
    assert settings.recipe == Recipe(epochs=12, batch_size=128, lr=0.1, schedule="one-cycle", augment="crop+flip")
    train, validation, test = run.load_data(settings.changed(validation=49_870))
    assert (len(train), len(validation), len(test)) == (130, 49_870, 10_000)
    assert np.array_equal(
        train.labels[:100], np.frombuffer((root / "data_batch_1.bin").read_bytes(), np.uint8)[::3073][:100]
    )
    with pytest.raises(Diverged):
        run.prepare(settings.changed(lr=1e38), tmp_path / "run").finish(progress=False)


def test_equal_seeds_see_the_same_images_whatever_the_attention(tmp_path):
    usual = Settings(images=48, channels=(4, 8), reduction=2)
    plain, gated = (run.prepare(usual.changed(attention=a), tmp_path / str(a)) for a in (None, "cbam"))
    assert np.array_equal(plain.model.stage2.conv.params["W"], gated.model.stage2.conv.params["W"])
    assert plain.rng.bit_generator.state == gated.rng.bit_generator.state
    assert not np.array_equal(plain.train.images[:20], plain.test.images)
    assert plain.model.normalise.state["mean"] == pytest.approx(plain.train.images.mean(axis=(0, 2, 3)), rel=1e-5)


def test_lecture(call):
    from cbam_np.teach.walkthrough import walkthrough

    assert call("lecture") == (0, walkthrough() + "\n", "")


def test_help_explains_every_option(call):
    status, printed, _ = call("--help")
    assert status == 0 and all(name in printed for name in cli.COMMANDS)
    status, printed, _ = call("train", "--help")
    assert status == 0
    text = " ".join(printed.split())
    for piece in ("images a step; default: 48 for shapes, 128 for cifar10", "default: 32 64 128", "Ctrl-C saves"):
        assert piece in text
    for name in cli.COMMANDS:
        assert call(name, "--help")[0] == 0
    assert call()[0] == 2


def test_help_comes_at_once():
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "cbam_np", "--help"], check=True, capture_output=True, env=CHILD)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 2  # 0.3 measured
    heavy = "import sys, cbam_np.cli; print({'matplotlib', 'tqdm', 'pooch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", heavy], check=True, capture_output=True, text=True, env=CHILD)
    assert done.stdout == "set()\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way there")
def test_a_reader_who_has_enough_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-m", "cbam_np", "lecture"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=CHILD
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_greek_letters_reach_a_terminal_that_has_none():
    command = [sys.executable, "-m", "cbam_np", "lecture"]
    done = subprocess.run(command, check=True, capture_output=True, env=CHILD | {"PYTHONIOENCODING": "cp1252"})
    assert "M_c = σ(sum)" in done.stdout.decode()
