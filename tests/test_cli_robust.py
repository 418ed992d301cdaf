"""After the work is done nothing throws it away, and whatever the system does, a command ends in a sentence."""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import cbam_np
from cbam_np import cli, viz
from cbam_np.train import Recipe, Score, Settings, fit, load_checkpoint, prepare, run
from cbam_np.train.state import Diverged

SMALL = shlex.split("--images 40 --batch-size 16 --channels 4 8 --epochs 1")
CHILD = os.environ | {"PYTHONPATH": str(Path(cbam_np.__file__).parent.parent)}
posix = pytest.mark.skipif(os.name != "posix", reason="closes streams as a POSIX shell does")


pytestmark = pytest.mark.usefixtures("few_shapes")


OLD_MATPLOTLIB = " ".join(  # before 3.10.8, with pyparsing 3.3
    f"-W ignore::DeprecationWarning:matplotlib.{module}" for module in ("_fontconfig_pattern", "_mathtext")
)


def shell(line, **environment):
    """Run a line of shell in which $CBAM is the command."""
    command = f"{shlex.quote(sys.executable)} -W error {OLD_MATPLOTLIB} -m cbam_np"
    return subprocess.run(
        ["sh", "-c", line.replace("$CBAM", command)], capture_output=True, text=True, env=CHILD | environment
    )


# --- Results first, pictures after ---


@pytest.mark.parametrize("order", ["channel", "spatial", "parallel"])
def test_every_order_has_its_picture(order, call, tmp_path):
    mlp = () if order == "spatial" else ("--reduction", 2)
    status, printed, shown = call("train", *SMALL, *mlp, "--order", order, "--out", tmp_path)
    assert status == 0 and "attention.png shows where it looks" in printed and "after 1 epoch," in printed, shown
    assert (tmp_path / "attention.png").stat().st_size > 5000


def fail(*anything):
    raise RuntimeError("no back end")


def test_a_picture_that_cannot_be_drawn_takes_nothing_away(call, tmp_path, monkeypatch):
    monkeypatch.setattr(viz, "attention_figure", fail)
    status, printed, shown = call("train", *SMALL, "--reduction", 2, "--out", tmp_path)
    assert status == 0 and printed.startswith("Test accuracy")
    assert "attention.png could not be made (no back end); the results are safe." in shown
    assert "result.json" in os.listdir(tmp_path) and "attention.png" not in printed + str(os.listdir(tmp_path))


@pytest.mark.slow
def test_a_comparison_without_a_picture_or_a_page(call, tmp_path, monkeypatch):
    monkeypatch.setattr(viz, "comparison_figure", fail)
    out = tmp_path / "out"
    (out / "README.md").mkdir(parents=True)
    words = ["compare", "start", *SMALL, "--reduction", "2", "--seeds", "1", "--workers", "2", "--out", out]
    status, printed, shown = call(*words)
    assert status == 0 and "| He |" in printed and "comparison.png could not be made (no back end)" in shown
    assert f"README.md could not be made (cannot write {out / 'README.md'}: Is a directory" in shown
    assert f"{out} holds comparison.json and every run." in printed and "Traceback" not in shown
    assert (out / "comparison.json").is_file()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"test_accuracy": 1}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_result_is_made_again(content, call, tmp_path):
    _, first, _ = call("train", "--attention", "none", *SMALL, "--out", tmp_path)
    whole = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    (tmp_path / "result.json").write_bytes(content)
    status, printed, _ = call("train", "--resume", "--out", tmp_path)
    again = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert (status, printed) == (0, first)
    assert {name: again[name] for name in whole if name != "machine"} == {
        name: value for name, value in whole.items() if name != "machine"
    }


def test_a_step_that_spoils_the_weights_at_the_very_end_is_noticed(tmp_path):
    data = cbam_np.make_shapes(32, rng=np.random.default_rng(0))
    model = cbam_np.SmallCNN(rng=np.random.default_rng(0), channels=(4,))
    recipe = Recipe(epochs=1, batch_size=32, lr=1e300, augment="none")  # one step, the last
    with pytest.raises(Diverged, match="training diverged in epoch 1 at step 1 of 1: model/.* is not finite"):
        fit(model, data, recipe, rng=np.random.default_rng(0), out=tmp_path, progress=False)
    assert load_checkpoint(tmp_path / "checkpoint.npz")[1]["epoch"] == 0
    with pytest.raises(Diverged):
        fit(model, data, recipe, rng=np.random.default_rng(0), progress=False)  # also where nothing is kept


def test_a_loss_that_json_cannot_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "evaluate_each", lambda *a, **o: {"none": Score(0.1, float("inf"))})
    result = prepare(Settings(recipe=Recipe(1, 16), channels=(4,), attention=None), tmp_path).finish(progress=False)
    assert result["test_loss"] is None and result["test_accuracy"] == 0.1


# --- The system ---


@posix
@pytest.mark.parametrize(
    "backend", ["module://nowhere.backend_inline", pytest.param("nonsense", marks=pytest.mark.slow)]
)
def test_a_back_end_that_is_not_installed(backend, tmp_path):
    out = shlex.quote(str(tmp_path / "slide.png"))
    done = shell(f"$CBAM gradcam --data shapes --numbers 3 --out {out}", MPLBACKEND=backend)
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / "slide.png").stat().st_size > 5000


FULL = "the text could not be written: No space left on device; files that were written are whole\n"


@posix
@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("$CBAM lecture >&-", 0, ""),
        ("$CBAM lecture 2>&-", 0, ""),
        ("$CBAM lecture >/dev/full", 2, f"python -m cbam_np lecture: {FULL}"),
        ("$CBAM --help >/dev/full", 2, f"python -m cbam_np: {FULL}"),
        ("$CBAM check nothing.csv 2>/dev/full >/dev/full", 2, ""),
    ],
)
def test_streams_that_are_closed_or_full(line, status, said):
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = shell(line)
    assert (done.returncode, done.stderr) == (status, said)


@posix
def test_training_goes_on_when_nobody_reads_its_progress(tmp_path):
    small = "--attention none --images 64 --batch-size 16 --channels 4 --epochs 2"
    out = shlex.quote(str(tmp_path / "run"))
    done = shell(f"{{ $CBAM train {small} --out {out} 2>&1 >&3 | true; }} 3>&1")
    assert "Test accuracy" in done.stdout, done


@posix
@pytest.mark.parametrize("option", ["--out", "--note"])
def test_bytes_that_are_no_text(option, call, tmp_path):
    word = os.fsdecode(b"caf\xe9")
    status, _, shown = call("train", *SMALL, "--out", tmp_path / "run", option, word)
    assert (
        status == 2
        and shown == "cbam-np: the argument 'caf\\udce9' has bytes that are not UTF-8 text: write it in another way\n"
    )
    assert os.listdir(tmp_path) == []


def test_no_memory(call, tmp_path, monkeypatch):
    def none(*anything, **options):
        raise MemoryError

    monkeypatch.setattr(run, "load_data", none)
    status, _, shown = call("train", *SMALL, "--attention", "none", "--out", tmp_path)
    assert status == 2 and shown == "cbam-np train: there is not enough memory for this: choose smaller numbers\n"


FILES, FOLDERS = ("FILE", "CSV", "PNG", "PTH", "NPZ"), ("DIR", "FOLDER")
BOTH = ("--data-root",)  # an archive, or the folder that it is unpacked to


def test_every_argument_that_is_a_file_says_so_where_it_is_given_a_folder_and_the_other_way_round(tmp_path):
    file = tmp_path / "a file"
    file.write_bytes(b"")
    found = 0
    subcommands = next(a for a in cli._parser("cbam-np")._actions if isinstance(a, argparse._SubParsersAction))
    for parser in subcommands.choices.values():
        for action in parser._actions:
            if action.metavar not in FILES + FOLDERS or action.option_strings == [*BOTH]:
                continue
            given, said = (tmp_path, "is a folder, expected a file") if action.metavar in FILES else (file, "is a file")
            with pytest.raises(argparse.ArgumentTypeError, match=re.escape(f"{given} {said}")):
                action.type(str(given))
            assert action.type(str(tmp_path / "new")) == tmp_path / "new"
            found += 1
    assert found >= 14


def test_a_folder_and_a_file_point_to_each_other_s_command(call, tmp_path):
    handed = tmp_path / "handed in"
    handed.mkdir()
    assert f"is marked with: cbam-np mark '{handed}'\n" in call("check", handed)[2]
    (handed / "a.csv").write_bytes(b"")
    assert f"is checked with: cbam-np check '{handed}/a.csv'\n" in call("mark", handed / "a.csv")[2]
    status, _, shown = call("check-code", handed)
    assert status == 2 and f"{handed} is a folder: write it as mymodule.py:CBAM" in shown


@pytest.mark.parametrize("command", ["train", "compare order", "worksheet", "gradcam"])
def test_a_name_that_is_too_long(command, call, tmp_path):
    status, _, shown = call(*command.split(), "--out", tmp_path / ("x" * 300))
    assert status == 2 and "File name too long" in shown and "Errno" not in shown and "Traceback" not in shown


def test_ctrl_c_before_the_command_has_been_read(call, monkeypatch):
    def pressed(prog):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_parser", pressed)
    assert call("lecture") == (130, "", "\ncbam-np: stopped\n")


def test_warnings_are_sentences(call, monkeypatch):
    monkeypatch.setattr(cli.lecture, "run", lambda command: warnings.warn("take care", stacklevel=1))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert call("lecture") == (0, "", "note: take care\n")


@pytest.mark.parametrize(
    "line",
    [
        "train --depth 9223372036854775808 --out x",
        "train --network resnet --depth 9 --out x",
        "train --channels 99999999999 --out x",
        "train --batch-size 9999 --out x",
        "train --images 99999999999999999999 --out x",
        "train --kernel-size 64 --out x",
        "train --kernel-size 6 --out x",
        "train --lr inf --out x",
        "train --lr nan --out x",
        "train --out ~nobody-has-this-name/x",
        "train --order spatial --attention se --out x",
        "train --channel-pools avg avg --out x",
        "compare attention --seeds 0 --out x",
        "compare attention --seeds 99999999 --out x",
        "compare attention --workers 0 --out x",
        "compare order --order spatial --out x",
        "compare spatial --kernel-size 5 --out x",
        "worksheet --seed x --out x",
        "worksheet --seed 9999999999 --out x",
        "worksheet --channels 7 --out x",
        "worksheet --out ~nobody-has-this-name/x",
        "check x.csv --worksheet 1.5",
        "mark ~nobody-has-this-name",
        "mark . --following inf",
        "page --reduction 0 --out x.html",
        "page --out ~nobody-has-this-name/x.html",
        "gradcam --numbers -1 --out x.png",
        "gradcam --networks smallcnn-cbam-shapes smallcnn-cbam-cifar10 --out x.png",
        "gradcam --networks smallcnn-cbam-shapes --data cifar10 --numbers 1 --out x.png",
        "gradcam --data shapes --numbers 99999999 --out x.png",
        "gradcam --networks smallcnn-cbam-shapes smallcnn-cbam-shapes --out x.png",
        "gradcam --networks . --out x.png",
    ],
)
def test_every_argument_is_bounded_where_it_enters(line, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, printed, shown = call(*line.split())
    assert (status, printed) == (2, "") and "Traceback" not in shown and "Errno" not in shown, shown
    assert shown.splitlines()[-1].startswith(f"cbam-np {line.split()[0]}: ") and len(shown.splitlines()[-1]) < 400


def test_converting_needs_pytorch_once(call, tmp_path, monkeypatch):
    from cbam_np.cli import convert

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(convert, "import_module", missing)
    status, _, shown = call("convert", tmp_path / "a.pth", tmp_path / "a.npz")
    assert status == 2 and shown == "cbam-np convert: this needs PyTorch, once: python -m pip install torch\n"
