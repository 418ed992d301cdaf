"""The lecture in the terminal."""

from cbam_np.teach.example import lecture, walkthrough


def test_it_shows_the_lecture_s_numbers_and_marks_those_of_the_slides():
    text = walkthrough.walkthrough()
    for words in (
        "|  8/9    8/9    10/9   |  ✓ 8/9, ✓ 0.89",
        "|  4/9    4/9    5/9    |  ✓ 0.445 (from 0.89)",
        "|  13/9   13/9   14/9   |  ✓ 1.445 (from 0.89)",
        "|  0.809  0.809  0.826  |  ✓ 0.81",
        "|  13/9   13/9   14/9   |  1      1/2    -1",  # the other reading of the MLP, beside the slides'
        "= σ(4/9 + 1) = σ(13/9) ≈ 0.81",
        "F_3 (textures)",
        "-1/2 at [1, 6, 3]",
    ):
        assert words in text, words
    assert text.endswith("36 of 36 numbers on the slides matched.")


def test_every_step_of_the_trace_is_in_it():
    text = walkthrough.walkthrough()
    for step in lecture.trace():
        assert step.given or walkthrough.CHANNEL_STEPS.get(step.name, step.heading) in text, step.name


def test_it_fits_a_terminal():
    text = walkthrough.walkthrough()
    assert max(map(len, text.splitlines())) <= 80
    assert "\\" not in text and "$" not in text


def test_a_number_that_does_not_match_is_marked(monkeypatch):
    wrong = lecture.SlideNumber("F_avg[1]", "0.98", "Step 1")
    monkeypatch.setattr(walkthrough, "SLIDE_NUMBERS", (*lecture.SLIDE_NUMBERS, wrong))
    text = walkthrough.walkthrough()
    assert "✓ 0.89, ✗ 0.98" in text and text.endswith("36 of 37 numbers on the slides matched.")
