"""The benchmark of kills counts what it claims to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import kills


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_processes_are_found_by_their_mark():
    words = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"]
    with subprocess.Popen(words, env=os.environ | {kills.MARK: "here"}, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"1\n"
        assert kills.marked("here") == {process.pid: os.getpid()}
        process.kill()
        process.wait()
        assert kills.marked("here") == {}


def test_a_training_that_has_begun_is_gone_on_with(tmp_path):
    assert "--resume" not in kills.words_of("train", tmp_path)
    (tmp_path / "checkpoint.npz").touch()
    assert "--resume" in kills.words_of("train", tmp_path) and "--resume" not in kills.words_of("compare", tmp_path)


def test_the_table_of_kills():
    trials = [kills.Trial(0, "train", "parent", "SIGTERM", 1.0, 0.5, True, 0, "")]
    trials.append(trials[0]._replace(same=False, left=1, ended=2.25, traceback="KeyboardInterrupt"))
    page = kills.markdown(trials)
    assert "| train | parent | SIGTERM | 2 | 1 | 1 | 1 | 2.2 |" in page
    assert "`KeyboardInterrupt`: 1, at most 1.0 s" in page


def test_how_a_traceback_ends():
    said = "x\nTraceback (most recent call last):\n  File\nValueError: no\n  more\nKeyboardInterrupt\n"
    assert kills.last_line(said) == "ValueError: no" and kills.last_line("all is well") == ""
