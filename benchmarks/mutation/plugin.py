"""What pytest does for mutation testing: it notes which test runs what, or runs chosen tests in a chosen order.

Two variables say what is wanted: MUTATION_NOTES, a file that gets a line of JSON for each test (its name, its seconds
of processor time, whether it passed), and MUTATION_CHOICE, a file with the names of the tests to run, the first first.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import cbam_np

NOTES, CHOICE = (os.environ.get(name) for name in ("MUTATION_NOTES", "MUTATION_CHOICE"))
assert Path.cwd() in Path(cbam_np.__file__).parents, f"{cbam_np.__file__} is not the package in {Path.cwd()}"
failed: set[str] = set()


def _seconds() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Give each test a context of its own in the coverage's data, and note how it went."""
    coverage = None
    if NOTES:
        from coverage import Coverage

        coverage = Coverage.current()
    if coverage:
        coverage.switch_context(item.nodeid)
    started = _seconds()
    try:
        return (yield)
    finally:
        if coverage:
            coverage.switch_context("")
        if NOTES:
            with open(NOTES, "a", encoding="utf-8") as file:
                print(json.dumps([item.nodeid, _seconds() - started, item.nodeid not in failed]), file=file)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what fails."""
    if report.failed:
        failed.add(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the chosen tests, in the order in which they are named."""
    if CHOICE:
        at = {name: number for number, name in enumerate(json.loads(Path(CHOICE).read_text(encoding="utf-8")))}
        items[:] = sorted((item for item in items if item.nodeid in at), key=lambda item: at[item.nodeid])
