"""The lecture, the checkers, the explorer and a network run where there are no threads and no processes: in a browser.

Each script runs in a Python of its own, whose threads, processes and the like `without_threads.py` has taken away.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a browser's Python is a POSIX one")

SCRIPTS = {
    "import": "import cbam_np",
    "lecture": """
        trace = cbam_np.lecture.trace()
        assert round(trace["M_c[1]"].value, 2) == 0.81 and trace["dF[1,1,1]"].value is not None
    """,
    "check": """
        answers = {"F_avg[1]": "0.89", "z_avg[1]": "0.445", "z_c[1]": "0.445", "M_c[1]": "0.61"}
        report = cbam_np.check(answers, cbam_np.lecture.trace())
        assert report.explanations[0].name == "the maximum's branch missing"
    """,
    "check_function": """
        def mine(x, p):
            return cbam_np.cbam_forward(x, p, spatial_pools=("max", "avg"))[0]
        report = cbam_np.check_function(mine)
        assert report.ok and report.choices
    """,
    "explore": """
        explorer = cbam_np.explore([[[1, 2], [3, 4]], [[0, 1], [1, 0]]], reduction=2)
        assert explorer.trace["F_avg[1]"].value == 2.5
    """,
    "worksheet": """
        assert cbam_np.worksheet(7).trace["F_max[1]"].value is not None
    """,
    "shapes": """
        data = cbam_np.make_shapes(64, rng=np.random.default_rng(0))
        assert cbam_np.load_pretrained("smallcnn-cbam-shapes").predict(data.images).shape == (64, 10)
    """,
    "train": """
        from cbam_np.train import Recipe, fit
        data = cbam_np.make_shapes(64, rng=np.random.default_rng(0))
        model = cbam_np.SmallCNN("cbam", channels=(4, 8), reduction=2, rng=np.random.default_rng(0))
        model.normalise.fit(data.images)
        (epoch,) = fit(model, data, Recipe(epochs=1, batch_size=32), rng=np.random.default_rng(1), progress=False)
        assert epoch["loss"] > 0
    """,
    "large batch": """
        params = cbam_np.init_cbam(32, reduction=16, rng=np.random.default_rng(0))
        out, cache = cbam_np.cbam_forward(np.ones((32, 32, 32, 32)), params)
        dx, grads = cbam_np.cbam_backward(np.ones_like(out), cache)
        assert dx.shape == out.shape
    """,
    "no data": """
        try:
            cbam_np.load_cifar10(download=False)
        except FileNotFoundError as error:
            assert "pip install pooch" in str(error)
        else:
            raise AssertionError("found CIFAR-10")
    """,
}


def run(code):
    """Run code in a Python without threads; return how it ended."""
    program = "import tests.without_threads\nimport numpy as np\nimport cbam_np\n" + code
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("CBAM_NP_DATA", None)  # a browser has no data
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120)


def test_what_a_student_does_in_a_browser():
    done = run("\n".join(textwrap.dedent(script) for script in SCRIPTS.values()))
    assert done.returncode == 0 and not done.stderr, done.stderr


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import threading; threading.Thread(target=print).start()", "can't start new thread"),
        ("from threading import get_native_id", "ImportError"),
        ("from concurrent.futures import ProcessPoolExecutor as Pool; Pool()", "ModuleNotFoundError"),
        ("import multiprocessing", "ModuleNotFoundError"),
        ("import cbam_np.train.workers", "ModuleNotFoundError"),
    ],
)
def test_what_is_taken_away_is_missed(code, error):
    done = run(code)
    assert done.returncode == 1 and error in done.stderr
