"""What every test may rely on: fixtures, and hypothesis without a stopwatch, quick or thorough."""

import os

import numpy as np
import pytest
from hypothesis import settings

from cbam_np import cli
from cbam_np.train import run

from .helpers import THOROUGH

settings.register_profile("here", deadline=None, derandomize="CI" in os.environ, max_examples=100 if THOROUGH else 25)
settings.load_profile("here")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def few_shapes(monkeypatch):
    """Draw only a few shapes where a run asks for the data set."""
    monkeypatch.setattr(run, "SHAPES", {"train": (50, (0, 0)), "test": (20, (0, 1))})


@pytest.fixture
def call(capsys):
    """Call a command as from a shell; it gives the exit status, what was printed, and what was shown as an error."""

    def call(*words):
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as left:  # argparse leaves by itself
            status = left.code
        return status, *capsys.readouterr()

    return call
