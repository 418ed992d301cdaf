"""Code: functions that are CBAM, nearly CBAM, and nothing of the kind, for `check_function`."""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import cbam_np

from .draws import Draws
from .entrance import RIGHT, TAKEN, Case, Entrance, demand

RIGHT_ONES = ("paper", "luuuyi")  # dialects that need no weights of their own
KINDS = ("right", "right", "wrong", *["odd"] * 8, *["options"] * 4)  # the search for what is wrong takes seconds
WRONG_ONES = ("no sigmoid", "avg twice", "not multiplied", "transposed", "constant")
ODD = (
    *(
        "exit",
        "endless loop",
        "raise",
        "raise that raises",
        "raise with lone surrogates",
        "base exception",
        "recursion",
        "memory",
    ),
    *(
        "None",
        "text",
        "scalar",
        "list",
        "ragged",
        "object array",
        "complex",
        "nan",
        "inf",
        "int8",
        "empty",
        "huge text",
    ),
    *("generator", "dict", "dict of text", "dict of None", "pair", "triple", "itself", "array that raises", "masked"),
    *(
        "changes x",
        "changes params",
        "random",
        "counts",
        "no arguments",
        "many arguments",
        "keywords",
        "warns",
        "prints",
    ),
    *("read-only", "wrong axes", "one image", "closes stdout", "float16", "subclass", "str subclass", "lazy property"),
)


class BadText(Exception):
    """An exception whose text cannot be had."""

    def __str__(self) -> str:
        raise ZeroDivisionError


class BadArray:
    """What NumPy asks for an array, and does not get one."""

    def __array__(self, *anything: Any, **options: Any) -> np.ndarray:
        raise RuntimeError("no array")


def _raise(error: BaseException) -> Any:
    raise error


def _right(x: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
    return cbam_np.cbam_forward(x, p)[0]


def _wrong(name: str) -> Callable[..., Any]:
    def relu_mlp(v: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
        return np.maximum(v @ p["W0"].T, 0) @ p["W1"].T

    def f(x: np.ndarray, p: dict[str, np.ndarray]) -> np.ndarray:
        avg, top = x.mean((2, 3)), x.max((2, 3))
        if name == "constant":
            return np.full_like(x, 0.25)
        if name == "transposed":
            return _right(x, p).swapaxes(2, 3)
        z = relu_mlp(avg, p) + relu_mlp(avg if name == "avg twice" else top, p)
        M = z if name == "no sigmoid" else 1 / (1 + np.exp(-z))
        out = x * M[:, :, None, None]
        return np.broadcast_to(M[:, :, None, None], x.shape).copy() if name == "not multiplied" else out

    return f


def _odd(name: str, at: int) -> Callable[..., Any]:
    """Return a function that behaves oddly: from its call number `at` on."""
    calls = [0]
    answers: dict[str, Callable[[np.ndarray, dict[str, np.ndarray]], Any]] = {
        "exit": lambda x, p: sys.exit(3),
        "endless loop": lambda x, p: [None for _ in iter(int, 1)],
        "raise": lambda x, p: _raise(KeyError(0)),
        "raise that raises": lambda x, p: _raise(BadText()),
        "raise with lone surrogates": lambda x, p: _raise(ValueError("\ud800" * 900)),
        "base exception": lambda x, p: _raise(BaseException()),
        "recursion": lambda x, p: _odd("recursion", 0)(x, p),
        "memory": lambda x, p: np.empty(2**62),
        "None": lambda x, p: None,
        "text": lambda x, p: "0.5",
        "scalar": lambda x, p: 0.5,
        "list": lambda x, p: _right(x, p).tolist(),
        "ragged": lambda x, p: [[1], [2, 3]],
        "object array": lambda x, p: np.array([None, x], dtype=object),
        "complex": lambda x, p: _right(x, p) + 1j,
        "nan": lambda x, p: x * np.nan,
        "inf": lambda x, p: x + np.inf,
        "int8": lambda x, p: x.astype(np.int8),
        "empty": lambda x, p: x[:0],
        "huge text": lambda x, p: _raise(ValueError("x" * 10**6)),
        "generator": lambda x, p: (row for row in x),
        "dict": lambda x, p: {"F_avg": x.mean((2, 3)), "F''": _right(x, p)},
        "dict of text": lambda x, p: {"F_avg": "x", 3: x, None: x},
        "dict of None": lambda x, p: {"M_c": None},
        "pair": lambda x, p: (_right(x, p), None),
        "triple": lambda x, p: (x, x, x),
        "itself": lambda x, p: _odd,
        "array that raises": lambda x, p: BadArray(),
        "masked": lambda x, p: np.ma.masked_greater(_right(x, p), 0.5),
        "changes x": lambda x, p: np.multiply(x, 2, out=x),
        "changes params": lambda x, p: p.pop("W0"),
        "random": lambda x, p: _right(x, p) + np.random.normal(size=x.shape),
        "counts": lambda x, p: _right(x, p) * calls[0],
        "warns": lambda x, p: (warnings.warn("odd", stacklevel=1), _right(x, p))[1],
        "prints": lambda x, p: (print("\ud7ff"), _right(x, p))[1],
        "read-only": lambda x, p: (x.setflags(write=False), _right(x, p))[1],
        "wrong axes": lambda x, p: x.transpose(0, 2, 3, 1),
        "one image": lambda x, p: _right(x, p)[0],
        "closes stdout": lambda x, p: _right(x, p),
        "float16": lambda x, p: _right(x, p).astype(np.float16),
        "subclass": lambda x, p: np.asmatrix(x[0, 0]),
        "str subclass": lambda x, p: np.array(["a", "b"]),
        "lazy property": lambda x, p: BadArray,
        "many arguments": lambda x, p: _right(x, p),
    }
    if name == "no arguments":
        return lambda: None
    if name == "many arguments":
        return lambda a, b, c, d: a
    if name == "keywords":
        return lambda *, x, params: _right(x, params)

    def f(x: np.ndarray, p: dict[str, np.ndarray]) -> Any:
        calls[0] += 1
        return answers[name](x, p) if calls[0] > at else _right(x, p)

    return f


def make(draws: Draws) -> Case:
    """Draw a function by its name, and the options of the check."""
    kind = draws.one(KINDS)
    case: Case = {"kind": kind, "seed": draws.below(1000)}
    if kind == "right":
        case["name"] = draws.one(RIGHT_ONES)
    elif kind == "wrong":
        case["name"] = draws.one(WRONG_ONES)
    elif kind == "odd":
        case |= {"name": draws.one(ODD), "at": draws.one([0, 0, 1, 2, 5]), "where": draws.one(["f", "f", "backward"])}
    else:
        options = {"what": None, "dialect": None, "reduction": 2, "channels": 4, "params": None, "x": None}
        case["options"] = {name: draws.odd_value() for name in draws.some(list(options), 3)}
    return case


def run(case: Case, folder: Path) -> str:
    """Check the function."""
    rng, kind = np.random.default_rng(case["seed"]), case["kind"]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if kind == "right":
            report = cbam_np.check_function(lambda x, p: cbam_np.cbam_forward(x, p, dialect=case["name"])[0], rng=rng)
        elif kind == "wrong":
            report = cbam_np.check_function(_wrong(case["name"]), what="cbam", rng=rng)
        elif kind == "options":
            report = cbam_np.check_function(_right, **case["options"], rng=rng)
        else:
            odd = _odd(case["name"], case["at"])
            pair = {"f": odd} if case["where"] == "f" else {"f": _pair, "backward": odd}
            report = cbam_np.check_function(**pair, rng=rng, seconds=1.0)
    demand(len(str(report)) > 0 and isinstance(report.to_dict(), dict), "a report without words")
    if kind in ("right", "wrong"):
        demand(report.ok == (kind == "right"), f"{case['name']} is said to be {'' if report.ok else 'not '}right")
        return RIGHT
    return TAKEN


def _pair(x: np.ndarray, p: dict[str, np.ndarray]) -> tuple[np.ndarray, Any]:
    return cbam_np.cbam_forward(x, p)


# The search through what a function may be takes seconds by itself, where it is none of it.
ENTRANCE = Entrance(make, run, share=5, own=(TypeError, ValueError), seconds=20.0, block=50)
