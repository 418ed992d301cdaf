"""Work in steps: a generator that stops where it has to know something of others, and is told.

The images of a batch do not know each other, with one exception: batch normalisation needs the mean of all. So a
piece of the batch can go through the network by itself, up to the next such place. There it yields what it knows;
when all pieces have come that far, each is sent the list of what all of them know, and goes on.
"""

from functools import partial

from ..engine.slices import over_slices


def alone(steps):
    """Return what `steps` returns when there is no other."""
    return together([steps])[0]


def together(all_steps):
    """Return what each of `all_steps` returns, having run them side by side; they meet equally often."""
    shared = None
    while True:
        at_the_end, values = zip(*over_slices(partial(_go_on, shared), all_steps), strict=True)
        if all(at_the_end):
            return list(values)
        shared = values


def _go_on(shared, steps):
    """Run to the next meeting or to the end; return whether it is the end, and what is brought there."""
    try:
        return False, steps.send(shared)
    except StopIteration as end:
        return True, end.value
