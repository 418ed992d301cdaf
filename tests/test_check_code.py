"""`cbam-np check-code`: a file of one's own, in a process of its own, with an exit status for CI."""

import json
import subprocess
import sys

import pytest

SOURCE = """
import numpy as np
from cbam_np import cbam_forward

print("imported")


class Layer:
    def __init__(self, channels, r=4):
        rng = np.random.default_rng(0)
        self.W0, self.W1 = rng.normal(size=(channels // r, channels)), rng.normal(size=(channels, channels // r))
        self.W7 = rng.normal(size=(1, 2, 7, 7))

    def forward(self, x):
        return cbam_forward(x, {"W0": self.W0, "W1": self.W1, "W7": self.W7})[0]


class NeedsTwo(Layer):
    def __init__(self, channels, ratio):
        super().__init__(channels, ratio)


def average_only(x, params):
    return cbam_forward(x, params, channel_pools=("avg",))[0]


def endless(x, params):
    while True:
        pass
"""


@pytest.fixture
def check(tmp_path):
    (tmp_path / "mine.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "broken.py").write_text("import numpy\n1 / 0\n", encoding="utf-8")
    (tmp_path / "leaves.py").write_text("import os\nos._exit(7)\n", encoding="utf-8")

    def run(target, *options):
        words = [sys.executable, "-m", "cbam_np", "check-code", str(tmp_path / target), *options]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    return run


def test_a_class_that_is_right(check):
    done = check("mine.py:Layer")
    assert done.returncode == 0 and done.stdout.startswith("CBAM: right"), done.stderr
    assert "importing" in done.stderr and "imported" in done.stderr and "imported" not in done.stdout


def test_a_function_that_is_wrong_as_json(check):
    done = check("mine.py:average_only", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and report["ok"] is False and report["departures"]


def test_a_call_and_channels(check):
    assert check("mine.py:NeedsTwo(32, ratio=8)", "--json").returncode == 0
    done = check("mine.py:Layer", "--channels", "32", "--json")
    assert json.loads(done.stdout)["inputs"][0][1] == 32
    assert check("mine.py:Layer", "--what", "channel").returncode == 1
    assert check("mine.py:Layer", "--dialect", "timm").returncode == 1


CANNOT = [
    ("mine.py", [], "write it as mymodule.py:CBAM"),
    ("none.py:CBAM", [], "there is no file"),
    ("mine.py:Nothing", [], "there is no Nothing in it, but cbam_forward, Layer"),
    ("mine.py:NeedsTwo", [], "it needs channels, ratio: write the call, NeedsTwo(64, ratio=...)"),
    ("mine.py:Layer", ["--dialect", "nobody"], "dialect is 'nobody'"),
    ("broken.py:CBAM", [], "cannot be imported: ZeroDivisionError: division by zero, line 2 of broken.py"),
    ("leaves.py:CBAM", [], "ended the process, with status 7"),
    ("mine.py:endless", ["--seconds", "2"], "took more than 2 s"),
]


@pytest.mark.parametrize(("target", "options", "words"), CANNOT)
def test_what_cannot_be_checked_ends_in_a_sentence(check, target, options, words):
    done = check(target, *options)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr, done.stderr
