"""Which of a module's parameters is which of the lecture's: found by shape and order, tried out by behaviour."""

from collections.abc import Callable, Iterator, Mapping
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from .subject import Unit

MOST = 12  # ways to give out the roles that are worth trying


class Place(NamedTuple):
    """Where the array of a role comes from: a parameter's name, and how its axes are turned."""

    name: str
    turn: Callable[[np.ndarray], np.ndarray]


class Assignment(NamedTuple):
    """One way to give out the roles.

    Parameters
    ----------
    places : dict of str to Place
        The parameter of each role.
    constants : dict of str to ndarray
        Roles that are no parameters, such as a normalisation's eps.
    implied : dict of str to object
        Options of the formula that the shapes alone tell.
    idle : tuple of Unit
        What has no role.
    """

    places: dict[str, Place]
    constants: dict[str, np.ndarray]
    implied: dict[str, object]
    idle: tuple[Unit, ...] = ()

    def resolve(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the roles' arrays, from the parameters' values."""
        found = {role: place.turn(values[place.name]) for role, place in self.places.items()}
        return found | self.constants

    def shape(self, role: str, values: Mapping[str, np.ndarray]) -> tuple[int, ...] | None:
        """Return the shape of a role's array; None if there is no such role."""
        return self.resolve(values)[role].shape if role in self.places else None


def assignments(units: list[Unit], channels: int, dimensions: int, by_batch: bool = False) -> list[Assignment]:
    """Return the ways to give out roles to the units, the likeliest first.

    `by_batch` says that batch normalisation is in training mode, where its running statistics have no role.
    """
    found: list[Assignment] = []
    for turned in (False, True) if any(u.loose and u.kind == "dense" for u in units) else (False,):
        for channel in _channel_parts(units, channels, dimensions, turned):
            taken = {place.name for place in channel.places.values()}
            rest = [unit for unit in units if unit.name not in taken]
            for spatial in _spatial_parts(rest, channels, dimensions):
                way = _joined(units, channel, spatial)
                found += [way, *_normalised_at_the_end(way, units, channels)]
    if by_batch:
        found = [_without_statistics(each) for each in found]
    seen, different = set(), []
    for assignment in found:
        key: tuple = tuple(sorted((role, p.name, p.turn) for role, p in assignment.places.items()))
        key += tuple(assignment.implied.items())
        if repr(key) not in seen:
            seen.add(repr(key))
            different.append(assignment)
    different.sort(key=lambda a: len(a.idle))
    return different[:MOST]


def _joined(units: list[Unit], *parts: Assignment) -> Assignment:
    places: dict[str, Place] = {}
    constants: dict[str, Any] = {}
    implied: dict[str, Any] = {}
    for part in parts:
        places |= part.places
        constants |= part.constants
        implied |= part.implied
    used = {place.name for place in places.values()}
    idle = tuple(u for u in units if not {u.name, u.bias, *u.buffers.values()} & used)
    return Assignment(places, constants, implied, idle)


def _normalised_at_the_end(way: Assignment, units: list[Unit], channels: int) -> Iterator[Assignment]:
    """Yield the way with a normalisation of C channels behind everything: one that is free, or the MLP's last."""
    places, constants = dict(way.places), dict(way.constants)
    free = [u for u in way.idle if u.kind == "norm" and np.prod(u.shape) == channels > 1]
    if free:
        _add_norm(free[0], "end_", places, constants)
    elif "1_eps" in constants:
        places, constants = _moved(places, "1_", "end_"), _moved(constants, "1_", "end_")
    else:
        return
    yield _joined(units, Assignment(places, constants, way.implied))


def _moved(roles: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    """Return roles with another prefix in front of some."""
    return {f"{after}{role.removeprefix(before)}" if role.startswith(before) else role: v for role, v in roles.items()}


def _without_statistics(way: Assignment) -> Assignment:
    kept = {role: place for role, place in way.places.items() if not role.endswith(("mean", "var"))}
    return way._replace(places=kept)


# --- how axes are turned; named functions, so that two ways can be compared ---


def matrix(W: np.ndarray) -> np.ndarray:
    """Leave out axes of length 1: (a, b, 1, 1) -> (a, b)."""
    return W.reshape(W.shape[:2])


def transposed(W: np.ndarray) -> np.ndarray:
    """Exchange the axes: (a, b, 1, 1) -> (b, a)."""
    return matrix(W).T


def same(W: np.ndarray) -> np.ndarray:
    """Leave the axes as they are."""
    return W


def flat(W: np.ndarray) -> np.ndarray:
    """Return all numbers in a row."""
    return W.ravel()


# --- the channel part ---


def _channel_parts(units: list[Unit], C: int, dimensions: int, turned: bool) -> Iterator[Assignment]:
    """Yield ways to give out the roles of channel attention, none of them last."""
    dense = [u for u in units if u.kind == "dense"]
    shapes = {u.name: _shape(u, turned) for u in dense}
    down = [u for u in dense if shapes[u.name][1] == C != shapes[u.name][0]]
    up = [u for u in dense if shapes[u.name][0] == C != shapes[u.name][1] and shapes[u.name][1] != 2 * C]
    square = [u for u in dense if shapes[u.name] == (C, C)]
    double = [u for u in dense if shapes[u.name][1] == 2 * C]
    if not (down and up) and len(square) > 1:
        down, up = square[::2], square[1::2]
    if len(down) > 1 and len(up) > 1:
        twins = {"": (down[0], up[0]), "_max": (down[1], up[1])}
        yield _mlps(units, twins, turned, {"own_mlps": True})
        if shapes[down[0].name][0] == shapes[up[1].name][1]:
            yield _mlps(units, {"": (down[0], up[1])}, turned, {})
        yield _mlps(units, {"": (down[0], up[0]), "_se": (down[1], up[1])}, turned, {"behind": "se"})
    for first, last in zip(down, up, strict=False):
        if shapes[first.name][0] == shapes[last.name][1]:
            yield _mlps(units, {"": (first, last)}, turned, {})
    for first, last in zip(double, up, strict=False):
        yield _mlps(units, {"": (first, last)}, turned, {"before_mlp": "concatenate"})
    for only in square[:2]:
        yield _layer(only, turned, {"layers": "one"})
    for unit in units:
        if unit.kind == "kernel" and len(unit.shape) == 3 and unit.shape[:2] == (1, 1):
            yield _layer(unit, turned, {"layers": "eca"})
    yield Assignment({}, {}, {"layers": "none"})


def _shape(unit: Unit, turned: bool) -> tuple[int, int]:
    a, b = unit.shape[:2]
    return (b, a) if turned and unit.loose else (a, b)


def _turn(unit: Unit, turned: bool) -> Callable[[np.ndarray], np.ndarray]:
    return transposed if turned and unit.loose else matrix


def _layer(unit: Unit, turned: bool, implied: dict) -> Assignment:
    turn = same if unit.kind == "kernel" else _turn(unit, turned)
    bias = {"b0": Place(unit.bias, flat)} if unit.bias else {}
    return Assignment({"W0": Place(unit.name, turn), **bias}, {}, implied)


def _mlps(units: list[Unit], twins: dict, turned: bool, implied: dict) -> Assignment:
    """Return the roles of one MLP or two, with their biases, normalisations and slopes."""
    places: dict[str, Place] = {}
    constants: dict[str, np.ndarray] = {}
    implied = dict(implied)
    hidden, C = _shape(next(iter(twins.values()))[0], turned)
    C = C // 2 if implied.get("before_mlp") == "concatenate" else C
    loose = [u for u in units if u.kind == "vector" and u.loose and u.label != "PReLU"]
    norms = {width: [u for u in units if u.kind == "norm" and np.prod(u.shape) == width] for width in (hidden, C)}
    for twin, layers in twins.items():
        for at, unit in enumerate(layers):
            places[f"W{at}{twin}"] = Place(unit.name, _turn(unit, turned))
            width = (hidden, C)[at]
            fitting = [u for u in loose if np.prod(u.shape) == width and not _is_taken(u, places)]
            bias = unit.bias or (fitting[0].name if fitting and unit.loose else "")
            if bias:
                places[f"b{at}{twin}"] = Place(bias, flat)
            if width > 1 or len(norms[width]) > 1:
                free = [u for u in norms[width] if not _is_taken(u, places)]
                if free:
                    _add_norm(free[0], f"{at}_{twin}", places, constants)
    slopes = [u for u in units if u.label == "PReLU" and np.prod(u.shape) in (1, hidden)]
    if slopes:
        places["slope"], implied["activation"] = Place(slopes[0].name, flat), "prelu"
    return Assignment(places, constants, implied)


def _is_taken(unit: Unit, places: dict[str, Place]) -> bool:
    used = {place.name for place in places.values()}
    return bool({unit.name, *unit.buffers.values()} & used)


def _add_norm(unit: Unit, prefix: str, places: dict[str, Place], constants: dict[str, np.ndarray]) -> None:
    """Give out the roles of a normalisation."""
    for role, name, default in (("gamma", unit.name, 1.0), ("beta", unit.bias, 0.0)):
        if name:
            places[prefix + role] = Place(name, flat)
        else:
            constants[prefix + role] = np.full(int(np.prod(unit.shape)), default)
    for role, name in unit.buffers.items():
        places[prefix + role] = Place(name, flat)
    constants[prefix + "eps"] = np.array(unit.eps)
    if "LayerNorm" in unit.label or "GroupNorm" in unit.label:
        constants[prefix + "layer"] = np.array(1.0)


# --- the spatial part ---


def _spatial_parts(units: list[Unit], C: int, dimensions: int) -> Iterator[Assignment]:
    """Yield ways to give out the roles of spatial attention, none of them last."""
    yield from _several_kernels(units, C, dimensions)
    for unit in units:
        for turn in _kernel_turns(unit, C, dimensions):
            places, constants = {"W7": Place(unit.name, turn)}, dict[str, Any]()
            single = [u for u in units if u.kind == "vector" and u.loose and np.prod(u.shape) == 1]
            bias = unit.bias or (single[0].name if unit.loose and single else "")
            if bias:
                places["b7"] = Place(bias, flat)
            _, maps, *sides = turn(np.empty(unit.shape)).shape
            _add_map_norms(units, maps, places, constants)
            implied: dict[str, object] = {"maps": ("all",)} if maps == C > 3 else {}
            if any(side % 2 == 0 for side in sides):
                implied["even_kernel"] = True
            yield Assignment(places, constants, implied)
    yield Assignment({}, {}, {})


def _several_kernels(units: list[Unit], C: int, dimensions: int) -> Iterator[Assignment]:
    """Yield a way in which several convolutions of the same two maps have a role."""
    kernels = [u for u in units if u.kind == "kernel" and not u.loose and u.shape[:2] == (1, 2)]
    kernels = [u for u in kernels if _kernel_turns(u, C, dimensions)]
    if len(kernels) < 2:
        return
    places, constants = dict[str, Place](), dict[str, Any]()
    for at, unit in enumerate(kernels):
        number = f"_{at}" if at else ""
        places[f"W7{number}"] = Place(unit.name, same)
        if unit.bias:
            places[f"b7{number}"] = Place(unit.bias, flat)
    _add_map_norms(units, 2, places, constants)
    for how in ("add", "average"):
        yield Assignment(places, constants, {"kernels": how})


def _add_map_norms(units: list[Unit], maps: int, places: dict[str, Place], constants: dict) -> None:
    norms = [u for u in units if u.kind == "norm"]
    behind = [u for u in norms if np.prod(u.shape) == 1]
    before = [u for u in norms if np.prod(u.shape) == maps > 1]
    if behind:
        _add_norm(behind[-1], "", places, constants)
    if before:
        _add_norm(before[0], "maps_", places, constants)


def _kernel_turns(unit: Unit, C: int, dimensions: int) -> list[Callable]:
    """Return the ways to read a parameter as a kernel (1, maps, k, …)."""
    shape = unit.shape
    if len(shape) == dimensions + 2 and shape[0] == 1 and shape[1] in (1, 2, 3, 4, C) and not unit.loose:
        return [same]
    if unit.kind != "kernel" or not unit.loose:
        return []
    found: list[Any] = []
    for axes in permutations(range(len(shape))):
        turned = [shape[axis] for axis in axes]
        with_one = turned if len(turned) == dimensions + 2 else [1, *turned]
        fits = len(with_one) == dimensions + 2 and with_one[0] == 1 and with_one[1] in (1, 2, 3)
        if fits and with_one[2] > 1 and len(set(with_one[2:])) == 1 and list(axes[-2:]) == sorted(axes[-2:]):
            found.append(Turned(axes, tuple(with_one)))
    return found


class Turned(NamedTuple):
    """A kernel's axes in another order, and an axis of length 1 in front where it has none."""

    axes: tuple[int, ...]
    shape: tuple[int, ...]

    def __call__(self, W: np.ndarray) -> np.ndarray:
        """Return the kernel (1, maps, k, …)."""
        return W.transpose(self.axes).reshape(self.shape)
