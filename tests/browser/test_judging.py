"""The page's own verdicts against the checker's: the same numbers are right, and what is wrong there is wrong here."""

from collections import Counter

import numpy as np
import pytest

import cbam_np
from cbam_np import lecture
from cbam_np.classroom.begin import begin
from cbam_np.classroom.example import Example
from cbam_np.classroom.front import script
from cbam_np.teach.report import verdicts as v

pytestmark = pytest.mark.browser

SHARE = 0.15  # of the entries that are asked for
JUDGE = """
([{ numbers, choices }, answers]) => {
    const trace = computeHere(exampleOf({ numbers, choices }));
    return answers.map(([name, text]) => judge({ [name]: text }, trace)[name]);
}
"""


@pytest.fixture
def judge(browser):
    """Return a function that has JavaScript judge pairs of a name and a text, each alone."""
    page = browser.new_page()

    def judge(answers, change=("", "")):
        source = script("page.js").replace(*change) if change[0] else script("page.js")
        page.add_script_tag(
            type="module", content=f"{source}\nObject.assign(window, {{ computeHere, exampleOf, judge }});"
        )
        return page.evaluate(JUDGE, [begin(Example()), answers])

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
    told = Counter(zip(expected, judge(asked), strict=True))
    print(f"judging: {dict(told)}")
    assert {pair for pair in told if v.RIGHT in pair or pair[0] == v.WRONG} == {(v.RIGHT, v.RIGHT), (v.WRONG, v.WRONG)}
    assert told[v.CUT, v.CUT] > 10 and told[v.CUT, v.WRONG] == 0
    assert told[v.RIGHT, v.RIGHT] > 300 and told[v.WRONG, v.WRONG] > 300
    assert told[v.FOLLOWS, v.WRONG] < 0.1 * len(asked)  # of roundings on the way, the page tries only some
    assert judge([("M_c[1]", "0.7")], ("+ NOISE", "+ 1")) == [v.RIGHT]  # a planted fault is seen
