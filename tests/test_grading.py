"""The one function for other autograders keeps its schema, whatever comes in."""

import json

import jsonschema
import pytest

from cbam_np.teach.marking.grading import grade, schema
from cbam_np.teach.report.advice import HELP
from cbam_np.teach.report.verdicts import VERDICTS
from cbam_np.teach.worksheets.levels import LEVELS
from cbam_np.teach.worksheets.worksheet import worksheet

VALIDATOR = jsonschema.Draft202012Validator(schema())
ANSWERS = [
    {},
    {"F_max": ["4", "4", "3"]},
    {"F_max[1]": "9", "M_c[1]": "<script>alert(1)</script>", "nothing": 1, "F_avg": "?"},
    {"F_max": [4.0, None, True], "z_c": "1,2,3", "W0[1,1]": "9"},
    {7: 8, "M_c[9]": "=1+1", "F''": [[["$x$"]]]},
]


@pytest.mark.parametrize("answers", ANSWERS, ids=str)
@pytest.mark.parametrize("level", LEVELS)
def test_what_comes_out_keeps_the_schema(level, answers):
    found = grade(7, level, answers)
    VALIDATOR.validate(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert sum(step["points"] for step in found["steps"]) == found["points"] <= found["maximum"]
    assert "<script>" not in found["feedback"]["html"]


def test_the_schema_is_a_schema_and_knows_every_verdict_and_level():
    jsonschema.Draft202012Validator.check_schema(schema())
    properties = schema()["properties"]
    assert properties["answers"]["items"]["properties"]["verdict"]["enum"] == list(VERDICTS)
    assert properties["worksheet"]["properties"]["level"]["enum"] == list(LEVELS)


@pytest.mark.parametrize(
    "change", [{"points": -1}, {"version": 2}, {"extra": 1}, {"first_wrong": 3}, {"answers": [{"entry": "M_c[1]"}]}]
)
def test_the_schema_refuses_something_else(change):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(grade(7, "quick", {}) | change)


def test_right_answers_earn_everything():
    sheet = worksheet(3, "quick")
    answers = {name: f"{float(sheet.trace[name].value):.6f}" for name in sheet.entries}
    found = grade(3, "quick", answers)
    assert found["points"] == found["maximum"] == 28 and found["first_wrong"] is None and not found["mistakes"]


def test_what_counts_how_much_can_be_chosen():
    answers = {"F_max": ["4", "4", "9"]}
    found = grade(7, "quick", answers, points={"F_max": 5}, shares={"right": 0.5})
    assert (found["points"], found["maximum"]) == (5, 25 + 15)
    assert grade(7, "quick", answers, options={"channels": 4})["worksheet"]["options"] == {"channels": 4}


def test_what_cannot_be_read_is_a_problem_and_no_error():
    found = grade(7, "quick", {"F_max[1]": "4", "M_c[1]": "dog", "Q": "1"})
    assert found["points"] == 1 and len(found["problems"]) == 2


def test_feedback_tells_as_much_as_is_asked():
    texts = [grade(7, "quick", {"F_max[1]": "9"}, help=help)["feedback"]["text"] for help in HELP]
    assert len(set(texts)) >= 3 and "expected" not in texts[0] and "expected" in texts[-1]
    with pytest.raises(ValueError, match="help is 'all', expected one of 'verdicts'"):
        grade(7, help="all")
