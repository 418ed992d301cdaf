"""Notebooks are committed as they ran: top to bottom, once, without an error; nbval then compares their outputs."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def executed_in_order(cells):
    """Tell whether every code cell has a count, 1 to n; nbval compares nothing in a cell without one."""
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_executed_once_and_without_errors(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert executed_in_order(cells), "run `make notebooks`"
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]


@pytest.mark.parametrize("counts", [[1, None], [2, 1], [1, 3]])
def test_a_notebook_not_run_in_order_is_noticed(counts):
    assert not executed_in_order([{"cell_type": "code", "execution_count": count} for count in counts])


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.stem != "00_explorer"], ids=lambda path: path.stem)
def test_every_section_proves_something(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    asserts = sum("assert" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert asserts >= 5


@pytest.mark.parametrize("name", ["01_cbam_by_hand", "02_backward_by_hand"])
def test_the_lecture_s_notebooks_are_slides_too(name):
    cells = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    kinds = [cell["metadata"]["slideshow"]["slide_type"] for cell in cells]
    assert kinds[0] == "slide" and {"slide", "subslide", "-", "skip"} == set(kinds)
    for cell, kind in zip(cells, kinds, strict=True):
        heading = "".join(cell["source"]).startswith("## ")
        assert (kind == "slide") == (heading or cell is cells[0])
