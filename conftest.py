"""What pytest needs to know about all tests, the notebooks' among them."""

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores: BLAS takes one for each, before NumPy loads it
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the cells of a notebook together where tests run side by side: each needs the ones before it."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
