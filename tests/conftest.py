"""What every test may rely on: the `rng` fixture, and hypothesis without a stopwatch."""

import os

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("here")


@pytest.fixture
def rng():
    return np.random.default_rng(0)
