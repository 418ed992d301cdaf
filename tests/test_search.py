"""The search knows neither numbers nor programs: toy hypotheses, held against toy evidence."""

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from cbam_np.teach.diagnosis.search import CHANCE, MOST, Fit, search


class Change(NamedTuple):
    """A changed digit of a three-digit result."""

    name: str
    place: int
    digit: int
    combines: bool = True

    @property
    def sentence(self):
        return f"{self.name}."


RIGHT = [1, 2, 3]
CHANGES = [Change(f"{place}:{digit}", place, digit) for place in range(3) for digit in range(4, 8)]


@dataclass
class Digits:
    """Three digits that came instead of RIGHT; the first wrong one has to be explained, or all of them."""

    came: list
    per_try: float = 0.0
    weighed: list = field(default_factory=list)

    def weigh(self, *changes):
        self.weighed.append(tuple(change.name for change in changes))
        result = list(RIGHT)
        for change in changes:
            result[change.place] = change.digit
        first = next(i for i, (came, right) in enumerate(zip(self.came, RIGHT, strict=True)) if came != right)
        if result[first] == RIGHT[first]:
            return None
        misses = sum(a != b for a, b in zip(self.came, result, strict=True))
        return Fit(result[first] == self.came[first], not misses, misses)

    def odds(self, together, whole):
        return self.per_try


def found(came, changes=CHANGES, **options):
    return [explanation.name for explanation in search(changes, Digits(came), **options)]


def test_one_that_explains_everything_is_the_answer():
    assert found([5, 2, 3]) == ["0:5"]
    evidence = Digits([5, 2, 3])
    search(CHANGES, evidence)
    assert len(evidence.weighed) == len(CHANGES)  # nothing is combined then


def test_two_together_where_one_explains_the_beginning_only():
    (explanation,) = search(CHANGES, Digits([5, 2, 7]))
    assert [hypothesis.name for hypothesis in explanation.hypotheses] == ["0:5", "2:7"]
    assert explanation.name == "0:5, and 2:7" and explanation.sentence == "0:5. 2:7." and explanation.whole


def test_what_no_two_explain_is_explained_as_far_as_it_goes():
    (explanation,) = search(CHANGES, Digits([5, 6, 7]))
    assert explanation.name == "0:5" and explanation.against == 2 and not explanation.whole
    assert found([9, 2, 3]) == []


def test_two_that_only_explain_together():
    hidden = [Change("half", 0, 4), Change("the other half", 1, 8)]

    class Both(Digits):
        def weigh(self, *changes):
            self.weighed.append(changes)
            return Fit(len(changes) == 2, len(changes) == 2)

    assert [e.name for e in search(hidden, Both([4, 8, 3]))] == ["half, and the other half"]
    alone = [hidden[0], hidden[1]._replace(combines=False)]
    assert search(alone, Both([4, 8, 3])) == ()
    assert search(hidden, Both([4, 8, 3]), nearest=1) == ()
    assert search(hidden, Both([4, 8, 3]), together=1) == ()
    twice = [hidden[0], hidden[0]._replace(place=1)]
    assert search(twice, Both([4, 8, 3])) == ()  # one mistake in two ways is no pair


def test_three_together():
    class Three(Digits):
        def weigh(self, *changes):
            names = {change.name for change in changes}
            return Fit(names == {"0:4", "1:5", "2:6"}, names == {"0:4", "1:5", "2:6"})

    assert search(CHANGES, Three([4, 5, 6])) == ()
    (explanation,) = search(CHANGES, Three([4, 5, 6]), together=3)
    assert explanation.name == "0:4, and 1:5, and 2:6"


def test_two_may_explain_the_beginning_together_and_not_the_rest():
    class Beginning(Digits):
        def weigh(self, *changes):
            return Fit({change.name for change in changes} == {"0:4", "1:5"}, False)

    (explanation,) = search(CHANGES, Beginning([4, 5, 9]))
    assert explanation.name == "0:4, and 1:5" and not explanation.whole


@pytest.mark.parametrize(("per_try", "believed"), [(0.0, True), (0.001, True), (0.2, False)])
def test_what_fits_by_chance_is_not_believed_unless_it_is_one_for_everything(per_try, believed):
    (alone,) = search(CHANGES, Digits([5, 2, 3], per_try))
    assert alone.chance == pytest.approx(4 * per_try)  # four were weighed that have a bearing on the first digit
    several = search(CHANGES, Digits([5, 2, 7], per_try))
    assert bool(several) == believed and all(explanation.chance <= CHANCE for explanation in several)


def test_a_beginning_that_would_fit_by_chance_leads_to_no_pair():
    class Loose(Digits):
        def odds(self, together, whole):
            return 0.0 if whole else 0.2

    evidence = Loose([5, 2, 7])
    search(CHANGES, evidence)
    assert len(evidence.weighed) == 12 + 12 * 11 / 2  # each alone, then every two, and not those with 0:5 only


def test_the_best_come_first_and_each_name_once():
    class Ranked(Digits):
        def weigh(self, change):
            return Fit(True, True, against=change.digit, distance=change.place)

    many = [Change(f"{n}", n, 9 - n) for n in range(9)] + [Change("4", 0, 0)]
    listed = search(many, Ranked([5, 2, 3]))
    assert [e.name for e in listed] == ["4", "8", "7", "6", "5"] and len(listed) == MOST
    assert [e.against for e in listed] == [0, 1, 2, 3, 4]
