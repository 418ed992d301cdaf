"""Worksheets: the same from the same seed, friendly, and each mistake in them gives other numbers."""

import json

import numpy as np
import pytest

from benchmarks.student import Student
from cbam_np.teach.worksheets.files import write_worksheets
from cbam_np.teach.worksheets.telling_apart import unlike
from cbam_np.teach.worksheets.worksheet import LEVELS, worksheet

OPTIONS = [{}, {"bias": True}, {"ties": True}, {"hidden": 3}, {"channels": 4}, {"size": 4}]
OPTIONS += [{"kernel_size": 7}, {"channels": 2, "size": 2}]


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_seed_gives_the_same_sheet(level):
    one, again, other = worksheet(7, level), worksheet(7, level), worksheet(8, level)
    assert one.printed == again.printed != other.printed
    for step, same in zip(one.trace, again.trace, strict=True):
        assert step.name == same.name and np.array_equal(step.value, same.value)
    assert (one.seed, one.level, one.options) == (7, level, {})


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_numbers_are_friendly(options):
    sheet = worksheet(1, "full", **options)
    values = {step.name: np.asarray(step.value, float) for step in sheet.trace}
    F = np.sort(values["F"].reshape(len(values["F"]), -1), axis=1)
    assert (F == np.rint(F)).all() and np.abs(F).max() <= 5
    assert (F[:, -1] == F[:, -2]).any() == options.get("ties", False)
    pixels = np.sort(values["F'"], axis=0)
    assert (pixels[-1] - pixels[-2] >= 0.05).all()
    assert np.abs(values["z_c"]).max() <= 3 and np.abs(values["z_s"]).max() <= 3
    assert sheet.options == options
    assert ("b0" in values) == options.get("bias", False)
    shape = (options.get("channels", 3), options.get("size", 3), options.get("size", 3))
    assert values["F"].shape == shape and values["W0"].shape == (options.get("hidden", 2), shape[0])
    assert values["W7"].shape == (2, *2 * [options.get("kernel_size", 3)])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("level", LEVELS)
def test_every_mistake_shows_and_differs_from_every_other(seed, level):
    sheet = worksheet(seed, level)
    assert sheet.alike == unlike(sheet.trace, sheet.asked) == ()


def test_where_mistakes_are_alike_it_is_noticed(rng):
    """The lecture's own example, whose MLP does nothing but halve: many mistakes look the same there."""
    import cbam_np

    trace = cbam_np.lecture.trace("slides")
    alike = unlike(trace, tuple(trace.rules))
    assert ("ReLU forgotten", "") in alike and ("W_0 transposed", "") in alike
    assert any({"W_0 and W_1 swapped"} < set(pair) for pair in alike)


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_asked_and_what_is_given(level):
    sheet = worksheet(2, level)
    forward = {name for name in sheet.trace.names if not name.startswith("d")}
    given = {step.name for step in sheet.trace if step.given}
    back = set(sheet.trace.names) - forward - given
    expected = {"forward": forward - given, "backward": back, "full": forward - given | back}[level]
    assert set(sheet.asked) == expected and list(sheet.asked) == [n for n in sheet.trace.names if n in expected]
    assert not set(sheet.printed) & set(sheet.asked)
    assert ("dF''" in sheet.printed) == (level != "forward")
    assert ("M_c" in sheet.printed) == (level == "backward")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("decimals", [2, 3])
def test_right_answers_are_right(level, decimals):
    sheet = worksheet(5, level)
    report = sheet.check(Student(sheet.trace, decimals, handed=sheet.printed).answers(sheet.asked))
    assert report.ok and len(report.judgements) == sum(np.size(sheet.trace[name].value) for name in sheet.asked)


def test_numbers_that_were_handed_out_are_followed_but_not_judged():
    sheet = worksheet(5, "backward")
    printed = {name: np.asarray(sheet.printed[name], object) for name in ("dF''", "F'")}
    own = {n: np.vectorize(lambda t: float(t) if "/" not in t else eval(t))(a) for n, a in printed.items()}
    dM_s = (own["dF''"] * own["F'"]).sum(axis=0)  # from four printed decimals
    report = sheet.check({"dM_s": np.vectorize(lambda v: f"{v:.6f}", otypes=[object])(dM_s)})
    assert report.ok and {j.entry.name.partition("[")[0] for j in report.judgements} == {"dM_s"}
    assert "follows" in {j.verdict for j in report.judgements}


def test_nothing_filled_in_is_no_mistake():
    sheet = worksheet(5)
    assert sheet.check({}).ok
    assert sheet.check({"M_c": ["?", "?", "?"]}).ok


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed is -1, expected a whole number"),
        ({"seed": 1.5}, "seed is 1.5, expected a whole number"),
        ({"seed": 1, "level": "hard"}, "level is 'hard', expected one of 'forward'"),
        ({"seed": 1, "channels": 1}, "channels is 1, expected 2 to 6: this is to be done by hand"),
        ({"seed": 1, "size": 9}, "size is 9, expected 2 to 5"),
        ({"seed": 1, "hidden": 4}, "hidden is 4, expected 2 to 3"),
        ({"seed": 1, "hidden": 1}, "hidden is 1, expected 2 to 3"),
        ({"seed": 1, "kernel_size": 4}, "kernel_size is 4, expected an odd number"),
    ],
)
def test_what_cannot_be_made_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        worksheet(**arguments)


def test_files(tmp_path):
    sheets = [worksheet(seed, "forward") for seed in (1, 2, 3)]
    files = write_worksheets(sheets, tmp_path / "class")
    assert sorted(f.name for f in files) == sorted(f.name for f in (tmp_path / "class").iterdir())
    assert {f.suffix for f in files} == {".html", ".ipynb", ".csv"} and len(files) == 3 * 3 + 2
    cells = json.loads((tmp_path / "class" / "worksheet-2.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    space = {}
    exec(code, space)  # as it is handed out: every blank still open
    assert space["sheet"].printed == sheets[1].printed and space["report"].ok


def test_one_sheet_needs_no_table_for_a_class(tmp_path):
    assert len(write_worksheets([worksheet(1)], tmp_path)) == 3
