"""The page's own verdicts against the checker's: the same numbers are right, and what is wrong there is wrong here."""

from collections import Counter

import numpy as np
import pytest

import cbam_np
from benchmarks.student import Student
from cbam_np import lecture
from cbam_np.classroom.begin import begin
from cbam_np.classroom.example import Example
from cbam_np.classroom.front import script
from cbam_np.teach.report import verdicts as v

pytestmark = pytest.mark.browser

SHARE = 0.15  # of the entries that are asked for
JUDGE = """
([{ numbers, choices }, sheets]) => {
    const trace = computeHere(exampleOf({ numbers, choices }));
    return sheets.map((sheet) => judge(sheet, trace));
}
"""


@pytest.fixture
def judge(browser):
    """Return a function that has JavaScript judge sheets, each a dict of texts by name."""
    page = browser.new_page()

    def judge(sheets, change=("", "")):
        source = script("page.js").replace(*change) if change[0] else script("page.js")
        page.add_script_tag(
            type="module", content=f"{source}\nObject.assign(window, {{ computeHere, exampleOf, judge }});"
        )
        return page.evaluate(JUDGE, [begin(Example()), sheets])

    yield judge
    page.close()


def answers(rng):
    """Yield numbers as people write them: rounded, cut off, off by one in the last place, with the wrong sign."""
    for step in lecture.trace():
        for index in np.ndindex(step.shape) if not step.given else ():
            value = float(np.asarray(step.value, float)[index])
            for places in (1, 2, 3, 4, 8):
                if rng.random() < SHARE:
                    cut = np.trunc(value * 10**places) / 10**places
                    for written in (value, cut, value + 10**-places, -value):
                        yield step.entry(tuple(i + 1 for i in index)).name, f"{written:.{places}f}"


def test_the_page_judges_as_the_checker_does(judge):
    asked = sorted(set(answers(np.random.default_rng(0))))
    expected = [cbam_np.check({name: text}, lecture.trace()).judgements[0].verdict for name, text in asked]
    mine = [
        verdicts[name] for (name, _), verdicts in zip(asked, judge([{name: text} for name, text in asked]), strict=True)
    ]
    told = Counter(zip(expected, mine, strict=True))
    print(f"judging: {dict(told)}")
    assert all(mine == theirs for mine, theirs in told)
    assert told[v.CUT, v.CUT] > 10 and told[v.FOLLOWS, v.FOLLOWS] > 100
    assert told[v.RIGHT, v.RIGHT] > 300 and told[v.WRONG, v.WRONG] > 300
    assert judge([{"M_c[1]": "0.7"}], ("slack = half", "slack = 1 + half")) == [{"M_c[1]": v.RIGHT}]  # a planted fault


MISTAKES = {  # where a student goes wrong in the middle
    "none": {},
    "a wrong average": {"F_avg": {(1,): "0.7"}},
    "a wrong score": {"z_c": {(2,): "-1.25"}},
    "a wrong gradient": {"dM_s": {(0, 1): "0.9"}},
}


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_whole_sheets_are_judged_as_the_checker_does(mistake, decimals, judge):
    trace = lecture.trace()
    asked = [step.name for step in trace if not step.given]
    without = Student(trace, decimals).answers(asked)
    carried_on = Student(trace, decimals, written=MISTAKES[mistake]).answers(asked)
    for name, entries in MISTAKES[mistake].items():  # a slip of the pen, not carried on
        without[name][next(iter(entries))] = next(iter(entries.values()))
    for answers in (without, carried_on):
        sheet = {
            trace[name].entry(tuple(i + 1 for i in index)).name: text
            for name, texts in answers.items()
            for index, text in np.ndenumerate(texts)
        }
        expected = {j.entry.name: j.verdict for j in cbam_np.check(sheet, trace).judgements}
        (mine,) = judge([sheet])
        assert mine == expected, {n: (sheet[n], mine[n], expected[n]) for n in expected if mine.get(n) != expected[n]}
