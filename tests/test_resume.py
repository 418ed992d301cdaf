"""Real processes, killed and interrupted: what is resumed ends bit for bit where an undisturbed run does."""

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import cbam_np

ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(cbam_np.__file__).parent.parent),
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
SETTINGS = "--images 256 --validation 64 --batch-size 16 --channels 4 8 16 --reduction 4 --epochs 3 --augment crop+flip"
TRAIN = ["-m", "cbam_np", "train"]
SAVING = """
import sys
from cbam_np.cli.train import settings_of
from cbam_np.train import prepare, run
out, resume = sys.argv[1], sys.argv[2] == "resume"
settings = run.read_settings(out) if resume else settings_of(dict(
    images=256, validation=64, channels=(4, 8, 16), reduction=4, epochs=3, batch_size=16, augment="crop+flip"))
prepare(settings, out, resume=resume).finish(save_every=0.1, progress=False)
"""  # the same run as with SETTINGS, saved ten times a second


def start(*words):
    def listen():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background

    return subprocess.Popen(
        [sys.executable, "-W", "error", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=ENVIRONMENT,
        preexec_fn=None if sys.platform == "win32" else listen,
    )


def finish(*words):
    process = start(*words)
    printed, shown = process.communicate(timeout=120)
    assert process.returncode == 0, shown
    return printed


def wait_for(path, process):
    end = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    printed = finish(*TRAIN, *SETTINGS.split(), "--out", str(out))
    assert "Test accuracy" in printed
    return out


def assert_same_run(out, other):
    with np.load(out / "checkpoint.npz") as one, np.load(other / "checkpoint.npz") as two:
        assert one.files == two.files and len(one.files) > 30
        for name in set(one.files) - {"metadata"}:
            assert one[name].dtype == two[name].dtype and np.array_equal(one[name], two[name]), name
        states = [json.loads(str(file["metadata"])) for file in (one, two)]
    assert states[0]["epoch"] == 3 and states[0]["rng"] == states[1]["rng"]
    histories = [json.loads((folder / "history.json").read_text(encoding="utf-8"))["epochs"] for folder in (out, other)]
    for lines in (*histories, *(state["history"] for state in states)):
        for line in lines:
            del line["seconds"], line["images_per_second"]
    assert histories[0] == histories[1] == states[0]["history"] == states[1]["history"]
    results = [json.loads((folder / "result.json").read_text(encoding="utf-8")) for folder in (out, other)]
    assert len({(result["test_accuracy"], result["test_loss"], result["train_accuracy"]) for result in results}) == 1


@pytest.mark.slow
def test_killed_again_and_again_at_any_moment(undisturbed, tmp_path):
    out, kills, delays = tmp_path / "run", 0, random.SystemRandom()  # any moment: another one each time
    process = start("-c", SAVING, str(out), "new")
    wait_for(out / "checkpoint.npz", process)
    while kills < 3 and process.poll() is None:
        before = (out / "checkpoint.npz").stat().st_mtime_ns
        while process.poll() is None and (out / "checkpoint.npz").stat().st_mtime_ns == before:
            time.sleep(0.005)
        time.sleep(delays.uniform(0, 0.3))
        process.kill()
        process.communicate()
        kills += 1
        process = start("-c", SAVING, str(out), "resume")
    printed, shown = process.communicate(timeout=120)
    assert process.returncode == 0, shown
    assert kills >= 1
    assert_same_run(out, undisturbed)
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_or_a_system_that_ends_us_and_the_command_that_it_prints(number, undisturbed, tmp_path):
    out = tmp_path / "a run"
    process = start(*TRAIN, *SETTINGS.split(), "--out", str(out))
    wait_for(out / "checkpoint.npz", process)
    time.sleep(0.3)
    process.send_signal(number)
    printed, shown = process.communicate(timeout=60)
    assert process.returncode == 130 and printed == "" and "Traceback" not in shown, shown
    assert not (out / "result.json").exists()
    told, _, command = shown.strip().rpartition("; go on with: ")
    assert told.endswith(f"saved in {out}")
    python, *words = shlex.split(command)
    assert python == "python" and words == [*TRAIN, "--resume", "--out", str(out)]
    assert "Test accuracy" in finish(*words)
    assert_same_run(out, undisturbed)
