"""Only training and benchmarks ask the process to keep the memory that it frees; who imports the package does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cbam_np

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it happens on Linux alone")

MEASURE = """
import sys
import numpy as np
import cbam_np
from cbam_np.train import Recipe, fit

def kept():
    blocks = [np.ones(2**21) for _ in range(40)]  # 16 MiB each, 640 MiB in all
    del blocks
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * 4096 / 2**20

before = kept()
if sys.argv[1] == "train":
    rng = np.random.default_rng(0)
    data = cbam_np.make_shapes(20, rng=rng)
    fit(cbam_np.SmallCNN(rng=rng, channels=(4,)), data, Recipe(epochs=1, batch_size=8), rng=rng, progress=False)
print(before, kept())
"""


@pytest.mark.parametrize("what", ["import", pytest.param("train", marks=pytest.mark.slow)])
def test_who_keeps_what_it_frees(what):
    environment = os.environ | {"PYTHONPATH": str(Path(cbam_np.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, what], capture_output=True, text=True, check=True, env=environment
    )
    before, after = map(float, done.stdout.split())
    assert before < 200
    assert (after > 600) == (what == "train")  # training asks for it, and the check above could fail
