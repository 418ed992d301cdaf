"""A row for each module of our own writing: (name, how to make it, the choices' names, the departures' names).

Right are those without departures. The truths were written before any of the modules was checked.
"""

BIASES, KERNEL_BIAS = "biases in the MLP", "a bias in the k×k convolution"
NORM, TURNED = "batch normalisation after the k×k convolution", "maps in the order [max; avg]"
LINE, VOLUME = "one axis of space", "three axes of space"
SE = "the maximum's branch missing"
FIRST = "spatial attention before channel attention"
PARALLEL, RESIDUAL = "M_s computed on F instead of F'", "the input added at the end"

ROWS = []


def row(name, make, choices=(), departures=()):
    """Add a module with its truth."""
    ROWS.append((name, make, None if choices is None else frozenset(choices), frozenset(departures)))


def but(base, **hooks):
    """Return a structure with some hooks overridden."""
    return type(f"{base.__name__}Changed", (base,), hooks)
