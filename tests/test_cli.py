import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cbam_np
from cbam_np import cli, viz
from cbam_np.train import (
    Diverged,
    Interrupted,
    Recipe,
    Settings,
    load_checkpoint,
    load_model,
    loop,
    run,
    save_checkpoint,
)

PLAIN = shlex.split("--images 40 --validation 10 --batch-size 16 --channels 4 8 --epochs 2")
SMALL = [*PLAIN, "--reduction", "2"]
CHILD = os.environ | {"PYTHONPATH": str(Path(cbam_np.__file__).parent.parent)}


pytestmark = pytest.mark.usefixtures("few_shapes")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("attention", ["none", "se", "cbam"])
def test_train(attention, call, tmp_path):
    out = tmp_path / "my run"
    note = 'a note, with "quotes"'
    small = PLAIN if attention == "none" else SMALL
    status, printed, shown = call("train", "--attention", attention, *small, "--out", out, "--note", note)
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
    assert "has other settings: attention was cbam, is None; reduction was 2, is 16; lr was 0.4, is 0.2. " in shown
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
        ("--epochs 0", "argument --epochs: '0': expected a whole number, 1 to 10000"),
        ("--lr -1", "argument --lr: '-1': expected a number, more than 0"),
        ("--label-smoothing 1.5", "argument --label-smoothing: '1.5': expected a number, 0 or more and less than 1"),
        ("--batch-size 1", "argument --batch-size: '1': expected a whole number, 2 to 10000"),
        ("--batch-size 64", "40 training images do not fill a batch of 64"),
        ("--images 45", "shapes has 50 training images, too few to train on 45 and hold back 10"),
        ("--images 0", "argument --images: '0': expected a whole number, 1 or more"),
        ("--validation 50", "shapes has 50 training images, too few to train on 40 and hold back 50"),
        ("--reduction 8", "reduction 8 leaves no hidden unit for 4 channels"),
        ("--channels 1 2 3 4 5 6 7", r"expected 1 to 6 stages"),
        ("--channels 0", "argument --channels: '0': expected a whole number, 1 to 1024"),
        ("--seed -1", "argument --seed: '-1': expected a whole number, 0 to 9223372036854775807"),
        ("--attention eca", "argument --attention: invalid choice: 'eca'"),
        ("--data imagenet", "argument --data: invalid choice: 'imagenet'"),
        ("--schedule falling", "argument --schedule: invalid choice: 'falling'"),
        ("--epochs many", "argument --epochs: 'many': expected a whole number, 1 to 10000"),
        ("--depth 9223372036854775808", "argument --depth: '9223372036854775808': expected a whole number, 8 to 302"),
        ("--network resnet", "channels is (4, 8), but it has an effect only where network is smallcnn"),
        (
            "--width 64",
            "width is 64, but it has an effect only where network is resnet, and network is smallcnn: leave",
        ),
        ("--attention none", "reduction is 2, but it has an effect only where attention is se or cbam or channel"),
        ("--attention se --kernel-size 3", "kernel_size is 3, but it has an effect only where attention is cbam"),
        ("--data-root ~nobody-has-this-name/x", "there is no home folder ~nobody-has-this-name"),
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
    status, _, shown = call("train", *SMALL, "--out", tmp_path / "file")
    assert status == 2 and f"argument --out: {tmp_path / 'file'} is a file, expected a folder\n" in shown
    status, _, shown = call("train", *SMALL, "--out", tmp_path / "file" / "run")
    assert status == 2 and shown.count("\n") == 1
    assert f"cbam-np train: cannot write into {tmp_path / 'file' / 'run'}: " in shown
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


def test_a_checkpoint_of_another_run(call, tmp_path):
    assert call("train", *SMALL, "--out", tmp_path)[0] == 0
    arrays, metadata = load_checkpoint(tmp_path / "checkpoint.npz")
    metadata = {**metadata, "of": {**metadata["of"], "their checksum": 1}}
    save_checkpoint(tmp_path / "checkpoint.npz", arrays, {k: v for k, v in metadata.items() if k != "version"})
    status, _, shown = call("train", "--resume", "--out", tmp_path)
    assert status == 2 and "is of another run: their checksum was 1" in shown and "Traceback" not in shown


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
    from cbam_np.teach.example.walkthrough import walkthrough

    assert call("lecture") == (0, walkthrough() + "\n", "")


ANSWERS = {
    "right.csv": "F_avg[1],0.89\nz_avg[1],0.445\nz_c[1],1.445\nM_c[1],0.81\n",
    "wrong.csv": "F_avg[1],0.89\nz_c[1],0.445\nM_c[1],0.61\nM_c[2],?\n",
    "right.json": '{"F_avg[1]": 0.89, "M_c": ["0.81", "?", "?"]}',
    "right.toml": '"M_c[1]" = 0.81\n',
}


@pytest.fixture
def answers(tmp_path):
    """Write answers into a file and return its path."""

    def write(name, content=None):
        path = tmp_path / name
        content = ANSWERS[name] if content is None else content
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("name", ANSWERS)
def test_check(name, call, answers):
    path = answers(name)
    status, printed, shown = call("check", path)
    assert (status, shown) == (int(name == "wrong.csv"), "")
    assert printed == str(cbam_np.check(path, cbam_np.lecture.trace())) + "\n"
    status, printed, shown = call("check", path, "--json")
    assert (status, shown) == (int(name == "wrong.csv"), "")
    assert json.loads(printed) == cbam_np.check(path, cbam_np.lecture.trace()).to_dict()


def test_check_of_the_other_example(call, answers):
    path = answers("answers.csv", f"z_c[2],{cbam_np.lecture.trace('shared')['z_c[2]'].value}\n")
    assert call("check", path, "--example", "shared")[0] == 0
    slides = str(cbam_np.check(path, cbam_np.lecture.trace("slides"))) + "\n"
    assert call("check", path, "--example", "slides")[:2] == call("check", path)[:2] == (1, slides)


@pytest.mark.parametrize("level", [None, "full"])
def test_check_of_a_worksheet(level, call, answers):
    from cbam_np.teach.worksheets.worksheet import worksheet

    options = ("--worksheet", 3, *(("--level", level) if level else ()))
    sheet = worksheet(3, level or "forward")
    right = answers("right.csv", "".join(f"M_c[{c}],{sheet.trace[f'M_c[{c}]'].value:.4f}\n" for c in (1, 2, 3)))
    assert call("check", right, *options)[:2] == (0, str(sheet.check(right)) + "\n")
    assert call("check", answers("wrong.csv", "F_avg[1],77\n"), *options)[0] == 1


def test_check_of_a_worksheet_s_notebook(call, tmp_path):
    from cbam_np.teach.worksheets.worksheet import worksheet

    assert call("worksheet", "--seed", 5, "--level", "quick", "--out", tmp_path)[0] == 0
    path = tmp_path / "worksheet-5.ipynb"
    book = json.loads(path.read_text(encoding="utf-8"))
    maxima = [str(value) for value in worksheet(5, "quick").trace["F_max"].value]
    cell = {"cell_type": "code", "source": f'answers["F_max"] = {maxima}', "metadata": {}, "outputs": []}
    book["cells"].append(cell)
    path.write_text(json.dumps(book), encoding="utf-8")
    status, printed, _ = call("check", path)
    assert status == 0 and printed.startswith("All 3 answers are right.")
    cell["source"] = 'answers["F_max"] = ["77", "?", "?"]'
    path.write_text(json.dumps(book), encoding="utf-8")
    assert call("check", path)[0] == 1
    path.write_text("{}", encoding="utf-8")
    status, _, shown = call("check", path)
    assert status == 2 and "worksheet-5.ipynb is no notebook: it has no cells" in shown
    cells = {"cells": [cell], "metadata": {}}
    path.write_text(json.dumps(cells), encoding="utf-8")
    status, _, shown = call("check", path)
    assert status == 2 and "does not say which worksheet it is: add --worksheet SEED" in shown
    assert call("check", path, "--worksheet", 5, "--level", "quick")[0] == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "'a.csv' has no answers"),
        ("a.csv", "M_c[1],?\n", "every one is blank"),
        ("a.csv", bytes(range(256)) * 9, "'a.csv' is not UTF-8"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "'a.csv' is not UTF-8"),
        ("a.json", "{", "'a.json' is not JSON"),
        ("a.json", b"\x00\x01\x02", "'a.json' is not JSON"),
        ("a.toml", "M_c[1] = 0.81", "'a.toml' is not TOML"),
        ("a.pdf", "%PDF", "'a.pdf' is of an unknown kind"),
    ],
)
def test_check_of_a_file_that_cannot_be_read(name, content, message, call, answers):
    status, printed, shown = call("check", answers(name, content))
    assert (status, printed) == (2, "")
    assert shown.startswith("cbam-np check: ") and message in shown and "Traceback" not in shown


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        ("F_avg[1],many\n", 2, "F_avg[1] (many: write it with numbers only)"),
        ("F_avg[4],1\n", 2, "No place for line 1: F_avg[4]: F_avg has 3 entries: [4] is outside"),
        ("G[1],1\nF_max[1],2\n", 1, "there is no step 'G[1]'"),
        ("F_max[1],2\nF_max[1],1\n", 1, "F_max[1] is 2 already: keep one of the two"),
    ],
)
def test_check_of_answers_that_cannot_be_read(content, status, message, call, answers):
    found, printed, shown = call("check", answers("a.csv", content))
    assert found == status and message in " ".join(printed.split())
    assert shown.endswith("could be read; what came instead is listed in the report\n") if status == 2 else not shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("none.csv", "cannot read 'none.csv': "),
        (".", ". is a folder, expected a file; what a whole class has handed in is marked with: cbam-np mark ."),
        ("right.csv --level full", "--level is a worksheet's: say which one, with --worksheet SEED"),
        ("right.csv --worksheet -1", "argument --worksheet: '-1': expected a whole number, 0 to 999999999"),
        ("right.csv --worksheet two", "argument --worksheet: 'two': expected a whole number, 0 to 999999999"),
        ("right.csv --worksheet 1 --level hard", "argument --level: invalid choice: 'hard'"),
        ("right.csv --worksheet 1 --example shared", "argument --example: not allowed with argument --worksheet"),
        ("right.csv --example ours", "argument --example: invalid choice: 'ours'"),
        ("", "the following arguments are required: FILE"),
    ],
)
def test_check_with_bad_options(options, message, call, answers, monkeypatch):
    monkeypatch.chdir(answers("right.csv").parent)
    status, printed, shown = call("check", *options.split())
    assert (status, printed) == (2, "") and message in shown and "Traceback" not in shown


def test_the_example_in_the_help_of_check_is_read(call, answers):
    status, printed, _ = call("check", "--help")
    lines = printed.partition("with the same:\n\n")[2].partition("\n\n")[0].splitlines()
    assert status == 0 and len(lines) == 4
    assert (
        "5 of 5 answers are wrong" in call("check", answers("help.csv", "\n".join(lines)))[1]
    )  # it gives nothing away
    for words in ("Exit status: 0 if nothing is wrong; 1 if something is, or could not be read;", "not judged"):
        assert words in printed
    names = next(line for line in printed.splitlines() if line.startswith("Names")).partition(": ")[2].split(", ")
    assert set(names[:-1]) <= set(cbam_np.lecture.trace().names) and names[-1] == "..."
    assert max(map(len, printed.splitlines())) <= 80


def test_the_status_of_check_reaches_the_shell(answers):
    for name, status in [("right.csv", 0), ("wrong.csv", 1), ("none.csv", 2)]:
        path = answers(name) if name in ANSWERS else name
        done = subprocess.run([sys.executable, "-m", "cbam_np", "check", path], capture_output=True, env=CHILD)
        assert done.returncode == status and bool(done.stderr) == (status == 2)


def test_help_explains_every_option(call):
    status, printed, _ = call("--help")
    assert status == 0 and all(name in printed for name in cli.COMMANDS)
    status, printed, _ = call("train", "--help")
    assert status == 0
    text = " ".join(printed.split())
    for piece in ("images per step; default: 48 for shapes, 128 for cifar10", "default: 32 64 128", "Ctrl-C saves"):
        assert piece in text
    for name in cli.COMMANDS:
        assert call(name, "--help")[0] == 0
    assert call()[0] == 2


def test_help_comes_at_once():
    clock = "import time, cbam_np.cli; cbam_np.cli._parser('x').format_help(); print(time.process_time())"
    done = subprocess.run([sys.executable, "-c", clock], check=True, capture_output=True, text=True, env=CHILD)
    assert float(done.stdout) < 2  # seconds of calculation, whatever else the machine does; 0.4 measured
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


def test_worksheet(call, tmp_path):
    out = tmp_path / "my sheets"
    status, printed, shown = call("worksheet", "--seed", 4, "--level", "full", "--out", out)
    assert (status, shown) == (0, "")
    assert printed == f"{out} holds worksheet-4.html, worksheet-4-KEY.html, worksheet-4.ipynb.\n"
    assert set(contents(out)) == {"worksheet-4.html", "worksheet-4-KEY.html", "worksheet-4.ipynb"}


def test_worksheets_for_a_class(call, tmp_path):
    status, printed, _ = call("worksheet", "--count", 3, "--bias", "--out", tmp_path)
    names = "class.html, class-KEY.html, class-KEY.csv, roster.csv, answers.csv"
    assert status == 0 and f"holds {names}, and a page and a notebook for each of 3 worksheets." in printed
    files = contents(tmp_path)
    assert len(files) == 5 + 2 * 3
    assert len({files[f"worksheet-{seed}.html"] for seed in (1, 2, 3)}) == 3
    assert files["class-KEY.csv"].count(b"\n") == 4


def test_worksheets_for_the_students_of_a_file(call, tmp_path):
    roster = tmp_path / "class.csv"
    roster.write_text("id,name,level\nanna,Anna Berg,\nben,,full\n", encoding="utf-8")
    out = tmp_path / "sheets"
    assert call("worksheet", "--class", roster, "--level", "quick", "--out", out)[0] == 0
    lines = contents(out)["roster.csv"].decode().splitlines()
    assert lines[0] == "id,name,worksheet,level" and lines[1].startswith("anna,Anna Berg,")
    assert lines[1].endswith(",quick") and lines[2].endswith(",full")
    assert b"Anna Berg (anna)" in contents(out)["class.html"]
    assert call("worksheet", "--class", roster, "--level", "quick", "--out", out)[0] == 0  # the same again
    status, _, shown = call("worksheet", "--class", roster, "--level", "forward", "--out", out)
    assert status == 2 and "which may have been filled in: choose another folder, or use --replace" in shown
    assert call("worksheet", "--class", roster, "--level", "forward", "--out", out, "--replace")[0] == 0
    roster.write_text("anna\nanna\n", encoding="utf-8")
    status, _, shown = call("worksheet", "--class", roster, "--out", tmp_path / "new")
    assert status == 2 and "line 2: 'anna' is listed twice" in shown and not (tmp_path / "new").exists()


def test_worksheet_and_check_mean_the_same_sheet(call, tmp_path):
    from cbam_np.teach.worksheets.worksheet import worksheet

    sheet = worksheet(5, "forward", ties=True, channels=4)
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"F_max": [str(v) for v in sheet.trace["F_max"].value]}), encoding="utf-8")
    same = ("check", file, "--worksheet", 5, "--ties", "--channels", 4)
    assert call(*same)[0] == 0
    assert call(*same[:-2], "--channels", 3)[0] == 2  # another sheet, with three channels


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--count 0", "argument --count: '0': expected a whole number, 1 to 1000"),
        ("--seed -3", "argument --seed: '-3': expected a whole number, 0 to 999999999"),
        ("--size 9", "argument --size: '9': expected a whole number, 2 to 5"),
        ("--kernel-size 4", "kernel_size is 4, expected an odd number"),
        ("--level hard", "invalid choice: 'hard'"),
    ],
)
def test_worksheets_that_cannot_be_made(words, message, call, tmp_path):
    status, printed, shown = call("worksheet", *shlex.split(words), "--out", tmp_path / "new")
    assert status == 2 and not printed and message in shown and "Traceback" not in shown
    assert not (tmp_path / "new").exists()


def test_a_worksheet_s_folder_that_is_a_file(call, tmp_path):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    status, _, shown = call("worksheet", "--out", tmp_path / "taken")
    assert status == 2 and f"{tmp_path / 'taken'} is a file, expected a folder" in shown
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_bench_asks_for_a_checkout_where_there_is_none(call, monkeypatch, tmp_path):
    from cbam_np.cli import bench

    monkeypatch.setattr(bench, "ROOT", tmp_path)
    status, _, shown = call("bench")
    assert status == 2 and "run this in a checkout of the project" in shown


def test_bench_changes_no_path_of_python(call):
    code = "import sys; before = list(sys.path); import cbam_np.cli as c; c._parser('x'); print(sys.path == before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=CHILD, check=True)
    assert done.stdout == "True\n"
    benchmarks = Path(__file__).parent.parent / "benchmarks"
    assert not [p for p in benchmarks.glob("*.py") if re.search("(from|import) tests", p.read_text(encoding="utf-8"))]


def test_bench_says_its_options(call):
    status, printed, _ = call("bench", "--help")
    assert status == 0 and "--repeats" in printed and "--threads" in printed
