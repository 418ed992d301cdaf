"""What can be said of an answer, and the mark that goes with it."""

RIGHT, FOLLOWS, WRONG, BLANK = "right", "follows", "wrong", "not judged"
VERDICTS = (RIGHT, FOLLOWS, WRONG, BLANK)
MARKS = {RIGHT: "✓", FOLLOWS: "↳", WRONG: "✗", BLANK: "–"}
