"""Worksheets: the same from the same seed, friendly, and each mistake in them gives other numbers."""

import json
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from benchmarks.student import Student
from cbam_np.classroom.page import save
from cbam_np.teach.check import check
from cbam_np.teach.report.advice import HELP
from cbam_np.teach.worksheets.drawing import friendly
from cbam_np.teach.worksheets.files import Existing, class_files, sheet_files, write_files
from cbam_np.teach.worksheets.jupyter import markdown, notebook
from cbam_np.teach.worksheets.levels import LEVELS, blanks_of, minutes_of, size_of
from cbam_np.teach.worksheets.practice import Practice
from cbam_np.teach.worksheets.roster import numbered
from cbam_np.teach.worksheets.telling_apart import unlike
from cbam_np.teach.worksheets.worksheet import worksheet

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


def test_only_scores_where_the_sigmoid_saturates_are_left_out():
    drawn = friendly(np.random.default_rng(3), 2, 2, hidden=2, kernel_size=3, bias=False, ties=False)
    traces = list(islice(drawn, 40))
    for name in ("z_c", "z_s"):
        largest = max(np.abs(np.asarray(trace[name].value, float)).max() for trace in traces)
        assert 2.5 < largest <= 3, name
    weights = {abs(w) for trace in traces for name in ("W0", "W1", "W7") for w in np.ravel(trace[name].value)}
    assert weights == {0, Fraction(1, 2), 1, Fraction(3, 2)}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("level", ["forward", "full", "backward"])
def test_every_mistake_shows_and_differs_from_every_other(seed, level):
    sheet = worksheet(seed, level)
    assert sheet.alike == unlike(sheet.trace, sheet.blanks) == ()


def test_where_mistakes_are_alike_it_is_noticed(rng):
    """The lecture's own example, whose MLP does nothing but halve: many mistakes look the same there."""
    import cbam_np

    trace = cbam_np.lecture.trace("slides")
    alike = unlike(trace, blanks_of(trace, "full"))
    assert ("ReLU forgotten", "") in alike and ("W_0 transposed", "") in alike
    assert any({"W_0 and W_1 swapped"} < set(pair) for pair in alike)


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_asked_and_what_is_given(level):
    sheet = worksheet(2, level)
    forward = {name for name in sheet.trace.names if not name.startswith("d")}
    given = {step.name for step in sheet.trace if step.given}
    back = set(sheet.trace.names) - forward - given
    results = forward - given
    expected = {"quick": results, "forward": results, "backward": back, "full": results | back}[level]
    assert set(sheet.asked) == expected and list(sheet.asked) == [n for n in sheet.trace.names if n in expected]
    both = set(sheet.printed) & set(sheet.asked)
    assert both == ({"M_c", "Fs_avg", "Fs_max"} if level == "quick" else set())
    assert ("dF''" in sheet.printed) == (level in ("full", "backward"))
    assert ("M_c" in sheet.printed) == (level in ("quick", "backward"))


def answers_of(sheet, decimals, changes=None):
    """Return what a student writes into a sheet, by entry, going on with what is handed out."""
    parts = {n: np.array(v, object) for n, v in sheet.handed.items() if n in sheet.blanks}
    written = {n: {at: text for at, text in np.ndenumerate(v) if text} for n, v in parts.items()}
    handed = {name: value for name, value in sheet.handed.items() if name not in parts}
    student = Student(sheet.trace, decimals, changes, written=written, handed=handed)
    texts = student.answers(sheet.asked)
    return {name: texts[step][index] for name, (step, index) in sheet.entries.items()}


def test_quick_is_a_part_of_forward_and_takes_ten_minutes():
    for seed in range(5):
        quick, forward = worksheet(seed, "quick"), worksheet(seed, "forward")
        assert quick.printed["F"] == forward.printed["F"] and quick.printed["W7"] == forward.printed["W7"]
        assert set(quick.entries) < set(forward.entries)
        assert (size_of(quick.blanks), minutes_of(quick.blanks)) == (28, 10)
        assert {"M_c[1]", "F'[2,1,1]", "M_s[1,1]", "F''[3,1,1]"} <= set(quick.entries)
        assert quick.printed["M_c"][0] == "" and quick.printed["M_c"][1] == f"{forward.trace['M_c[2]'].value:.4f}"


def test_quick_is_carried_on_from_what_is_handed_out():
    sheet = worksheet(3, "quick")
    answers = answers_of(sheet, 3)
    assert sheet.check(answers).ok
    answers["M_c[1]"] = "0.111"
    report = sheet.check(answers)
    assert report.first_wrong.name == "M_c[1]"
    assert {j.verdict for j in report.judgements if j.entry.name == "F'[2,1,1]"} == {"right"}  # M_c[2] was handed out


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("decimals", [2, 3])
def test_right_answers_are_right(level, decimals):
    sheet = worksheet(5, level)
    report = sheet.check(answers_of(sheet, decimals))
    assert report.ok and len(report.judgements) == size_of(sheet.blanks)


def test_numbers_that_were_handed_out_are_followed_but_not_judged():
    sheet = worksheet(5, "backward")
    printed = {name: np.asarray(sheet.printed[name], object) for name in ("dF''", "F'")}
    own = {n: np.vectorize(lambda t: float(t) if "/" not in t else eval(t))(a) for n, a in printed.items()}
    dM_s = (own["dF''"] * own["F'"]).sum(axis=0)  # from four printed decimals
    answers = {"dM_s": np.vectorize(lambda v: f"{v:.6f}", otypes=[object])(dM_s)}
    assert sheet.check(answers).ok  # judged at the three decimals that are asked for
    report = check(answers, sheet.trace, handed=printed)  # and at all six
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
        ({"seed": 1, "level": "hard"}, "level is 'hard', expected one of 'quick', 'forward'"),
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


def test_files_of_one_worksheet():
    assert list(sheet_files(worksheet(1))) == ["worksheet-1.html", "worksheet-1-KEY.html", "worksheet-1.ipynb"]


def test_files_of_a_class(tmp_path):
    students, sheets = numbered(1, 3), [worksheet(seed, "quick") for seed in (1, 2, 3)]
    files = write_files(class_files(students, sheets), tmp_path / "class")
    names = {file.name for file in files}
    assert names == {file.name for file in (tmp_path / "class").iterdir()} and len(names) == 5 + 2 * 3
    assert {"class.html", "class-KEY.html", "class-KEY.csv", "roster.csv", "answers.csv"} < names
    assert {name for name in names if "KEY" in name} == {"class-KEY.html", "class-KEY.csv"}
    key = (tmp_path / "class" / "class-KEY.html").read_text(encoding="utf-8")
    assert key.count("<h1>KEY · ") == 4 and key.count('content: "KEY ') == 4  # the table, and every sheet


def run_cells(path):
    """Run a notebook's code in one namespace, and return that."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    space = {}
    exec("\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"), space)
    return space


def test_a_notebook_runs_as_it_is_handed_out(tmp_path):
    files = write_files(class_files(numbered(2, 1), [worksheet(2, "quick")]), tmp_path)
    (path,) = (file for file in files if file.suffix == ".ipynb")
    space = run_cells(path)
    assert space["sheet"].seed == 2 and space["report"].ok and "Nothing to judge yet" in str(space["report"])


def reachable(value, depth=6):
    """Yield what can be reached from an object through its attributes and items, but not through modules."""
    yield value
    if depth and not callable(value):
        inside = list(vars(value).values()) if hasattr(value, "__dict__") else []
        inside += list(value.values()) if isinstance(value, dict) else []
        inside += list(value) if isinstance(value, list | tuple) else []
        for other in inside:
            yield from reachable(other, depth - 1)


def test_a_practice_sheet_does_not_tell_its_answers():
    sheet = worksheet(7)
    practice = Practice(7)
    wrong = practice.check({name: "9" for name in sheet.entries})
    answers = {f"{float(np.asarray(sheet.trace[name].value, float)):.3f}" for name in sheet.entries} - {"0.000"}
    texts = [repr(value) for value in reachable([practice, wrong])] + [str(wrong), wrong._repr_html_()]
    assert not hasattr(practice, "trace") and not wrong.ok
    assert not [a for a in answers if any(a in text for text in texts)]
    told = str(practice.check({"F_max[1]": "9", "M_c[1]": "9"}, help="values"))
    assert f"{sheet.trace['M_c[1]'].value:.4f}" in told  # the right numbers would have been seen


def test_each_level_of_help_tells_more():
    sheet = worksheet(7, "quick")
    practice, wrong = Practice(7, "quick"), {"F_avg": ["9", "?", "?"], "F_max[1]": "9"}
    told = {help: str(practice.check(wrong, help=help)) for help in HELP}
    assert "expected" not in told["verdicts"] and "Work out this line again" not in told["verdicts"]
    assert "Work out this line again." in told["hint"] and "expected" not in told["hint"]
    assert "in numbers" in told["values"] and "expected" in told["values"] and "in numbers" not in told["mistake"]
    assert practice.help == "hint" and str(practice.check(wrong)) == told["hint"]
    branch = Student(sheet.trace, 3, {"F_avg": sheet.trace.rules["F_max"]}).answers(["F_avg"])
    assert "Looks like" in str(practice.check(branch, help="mistake")) or "would explain it" in str(
        practice.check(branch, help="mistake")
    )
    with pytest.raises(ValueError, match="help is 'all', expected one of 'verdicts'"):
        practice.check(wrong, help="all")


def test_a_notebook_that_checks_itself_starts_with_hints():
    """Its cells run as they are; a wrong number gets the line to work out again, and no right number."""
    sheet = worksheet(7, "quick")
    cells = ["".join(cell["source"]) for cell in notebook(sheet)["cells"] if cell["cell_type"] == "code"]
    names = {}
    for cell in cells:
        exec(cell.replace('"?"', '"9"', 1), names)
    told = str(names["report"])
    assert "Work out this line again." in told and "Looks like" not in told and "expected" not in told
    first = next(name for name in sheet.entries if f"{name}:" in told)
    assert f"{float(sheet.trace[first].value):.3f}" not in told
    assert "Looks like" in (more := str(names["sheet"].check(names["answers"], help="mistake"))) or "known" in more


def test_a_filled_in_file_is_not_replaced(tmp_path):
    texts = sheet_files(worksheet(1, "quick"))
    write_files(texts, tmp_path)
    write_files(texts, tmp_path)  # nothing has changed
    (tmp_path / "worksheet-1.ipynb").write_text("filled in", encoding="utf-8")
    (tmp_path / "worksheet-1.html").unlink()
    with pytest.raises(Existing, match="worksheet-1.ipynb"):
        write_files(texts, tmp_path)
    assert (tmp_path / "worksheet-1.ipynb").read_text(encoding="utf-8") == "filled in"
    assert not (tmp_path / "worksheet-1.html").exists()
    write_files(texts, tmp_path, replace=True)
    assert (tmp_path / "worksheet-1.ipynb").read_text(encoding="utf-8") == texts["worksheet-1.ipynb"]


def test_a_full_disk_leaves_no_cut_worksheet(tmp_path, monkeypatch):
    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="cannot write .*worksheet-1.html: No space left on device"):
        write_files(sheet_files(worksheet(1, "quick")), tmp_path)
    with pytest.raises(OSError, match="cannot write .*mine.html: No space left on device"):
        save(tmp_path / "mine.html")
    assert list(tmp_path.iterdir()) == []


def test_lines_of_a_notebook_s_text_keep_their_ends():
    assert markdown("a\n\nb")["source"] == ["a\n", "\n", "b"]
