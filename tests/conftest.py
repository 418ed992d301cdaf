"""What every test may rely on: the `rng` fixture, and hypothesis without a stopwatch, quick or thorough."""

import os

import numpy as np
import pytest
from hypothesis import settings

from .helpers import THOROUGH

settings.register_profile("here", deadline=None, derandomize="CI" in os.environ, max_examples=100 if THOROUGH else 25)
settings.load_profile("here")


@pytest.fixture
def rng():
    return np.random.default_rng(0)
