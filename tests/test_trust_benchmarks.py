"""The benchmarks of trust count what they claim to: planted faults, and commands that are killed."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import kills, mutants

SOURCE = """
def f(x: int = 3) -> bool:
    if x < 2 and not x == 1:
        raise ValueError(f"{x + 1}")
    return -x + 2
"""


def test_everything_that_can_be_mutated_is_found_and_messages_are_left_alone():
    found = [what for _, what, _ in mutants.places(ast.parse(SOURCE))]
    assert sorted(found) == sorted(
        ["3 to 4", "condition to its opposite", "And to Or", "Lt to LtE", "2 to 3", "Eq to NotEq", "1 to 2"]
        + ["Add to Sub", "minus to plus", "2 to 3"]
    )


def test_a_mutant_differs_from_its_file_in_one_place():
    every = mutants.mutants_of("ops")
    assert len(every) > 300
    plain = mutants.source_of(mutants.Mutant("ops/linear.py", -1, 0, "nothing")).splitlines()
    for mutant in [m for m in every if m.file == "ops/linear.py"]:
        changed = mutants.source_of(mutant).splitlines()
        assert len(changed) == len(plain) and sum(a != b for a, b in zip(plain, changed, strict=True)) == 1


def test_every_file_has_tests():
    for part in ("ops", "cbam", "engine", "teach"):
        for path in (mutants.ROOT / "cbam_np" / part).rglob("*.py"):
            assert mutants.tests_of(path.relative_to(mutants.ROOT / "cbam_np").as_posix())


@pytest.mark.slow
def test_a_mutant_is_killed_and_the_file_as_it_is_survives():
    bias = next(m for m in mutants.mutants_of("ops") if m.file == "ops/linear.py" and m.change == "Add to Sub")
    assert mutants.try_mutant(bias) == "killed"
    assert mutants.try_mutant(bias._replace(place=-1)) == "survived"


def test_the_score():
    found = [{"mutant": ["ops/x.py", 0, 7, "Lt to LtE"], "came": came} for came in ("killed", "killed", "survived")]
    page = mutants.markdown(found, 0)
    assert "| ops | 3 | 2 | 0 | 1 | 67% |" in page and "- `ops/x.py`, line 7: Lt to LtE" in page


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
