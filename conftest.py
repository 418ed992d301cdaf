"""What pytest needs to know about all tests, the notebooks' among them."""

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores: BLAS takes one for each, before NumPy loads it
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ALL = os.environ.get("CBAM_NP_TESTS") in ("all", "thorough")  # as in .ci/run
SLOW = ("04_train_cifar10.ipynb", "05_does_attention_help.ipynb")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless all tests are asked for, or a file by its name."""
    if ALL:
        return
    named = [str(argument) for argument in config.args]
    slow = [
        item
        for item in items
        if (item.get_closest_marker("slow") or item.path.name in SLOW)
        and not any(argument.partition("::")[0].endswith(item.path.name) for argument in named)
    ]
    if slow:
        config.hook.pytest_deselected(items=slow)
        left = set(map(id, slow))
        items[:] = [item for item in items if id(item) not in left]
