"""The benchmark of the checker, small: it measures what it says, and the checker holds what it promises."""

import json

import numpy as np
import pytest

from benchmarks import diagnosis
from benchmarks.student import Student
from cbam_np.teach.mistakes import MISTAKES, SLIPS, normalisation, occurrences
from cbam_np.teach.worksheets.worksheet import worksheet

from .helpers import THOROUGH


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    if not THOROUGH:
        pytest.skip("takes minutes: CBAM_NP_TESTS=thorough runs it")
    out = tmp_path_factory.mktemp("results") / "diagnosis"
    diagnosis.main(["--examples", "40", "--worksheets", "1", "--out", str(out)])
    table = (out / "README.md").read_text(encoding="utf-8")
    return json.loads((out / "diagnosis.json").read_text(encoding="utf-8")), table


def test_right_answers_are_never_called_wrong(result):
    right = result[0]["right"]
    assert right["examples"] == 40 and right["answers"] > 1000 and right["called wrong"] == 0


def test_planted_mistakes_are_found_and_named(result):
    planted = result[0]["planted"]
    assert planted["shown"] > 300
    assert planted["found"] >= 0.99 * planted["shown"]
    assert planted["named"] >= 0.95 * planted["shown"]
    assert planted["first"] >= 0.85 * planted["shown"]
    assert 0 < planted["few first"] <= planted["few named"] <= planted["few shown"] <= planted["shown"]


def test_every_mistake_of_the_catalogue_is_measured(result):
    elsewhere = {mistake.name for mistake in normalisation.MISTAKES}  # worksheets have no batch normalisation
    made = {mistake.name for mistake in (*MISTAKES, *SLIPS)} - elsewhere
    assert made == set(result[0]["mistakes"])
    assert all(f"| {name} |" in result[1] for name in result[0]["mistakes"])


def test_random_numbers_are_wrong_and_unexplained(result):
    random = result[0]["random"]
    assert random["tried"] > 20 and random["wrong"] >= 0.99 * random["tried"]
    assert random["unexplained"] >= 0.95 * random["tried"] and random.get("others", 0) == 0


def test_times_are_there(result):
    assert len(result[0]["seconds"]) == 4 and all(0 < s < 60 for s in result[0]["seconds"].values())


def test_the_simulated_student_knows_which_step_is_wrong():
    trace = worksheet(3).trace
    names = list(trace.rules)
    right = Student(trace, 3)
    assert right.first_wrong(names) is None
    change = next(change for mistake, _, change in occurrences(trace) if mistake.name == "the kernel flipped")
    wrong = Student(trace, 3, change)
    assert wrong.first_wrong(names) == "z_s"
    np.testing.assert_array_equal(wrong.value("M_c"), right.value("M_c"))
    slip = Student(trace, 3, written={"M_c": {(1,): "0.111"}})
    assert slip.first_wrong(names) == "M_c" and slip.answers(["M_c"])["M_c"][1] == "0.111"
    assert slip.value("F'")[1] == pytest.approx(np.round(0.111 * np.asarray(trace["F"].value, float)[1], 3))


@pytest.mark.slow
def test_a_checker_that_errs_would_be_seen(monkeypatch):
    """A checker that ignores the student's rounding calls right answers wrong; one without mistakes names none."""
    from cbam_np.teach.calculation import bounds
    from cbam_np.teach.diagnosis import numbers

    monkeypatch.setattr(numbers, "occurrences", lambda trace: [])
    outcomes = diagnosis.planted(0)
    assert sum(outcome["named"] for outcome in outcomes.values()) < 0.1 * len(outcomes)
    monkeypatch.setattr(bounds.Bounds, "carried", lambda self, name: self.allowed(name))
    assert sum(diagnosis.right(seed)[2] for seed in range(8)) > 0
