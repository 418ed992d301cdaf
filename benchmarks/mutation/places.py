"""What can be changed in the package, and where: a comparison, a sign, a constant, a condition."""

import ast
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent.parent
LONG = 240  # characters of a line
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}


class Mutant(NamedTuple):
    """One change: in which file, the number of its place there, its line, and what it does."""

    file: str
    place: int
    line: int
    change: str


class Surroundings(NamedTuple):
    """Where a line stands: the first and last line of its statement, and of its function, if it is in one."""

    statement: range
    function: range | None


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, str, Callable[[], None]]]:
    """Yield (node, what is changed, what changes it) for every place that can be mutated."""
    skipped = set()
    for node in ast.walk(tree):
        for name in ("annotation", "returns", "type_params"):
            part = getattr(node, name, None)
            if isinstance(part, ast.AST):
                skipped |= set(ast.walk(part))
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Assert):  # words for people, and what mypy needs
            skipped |= set(ast.walk(node))
    for node in ast.walk(tree):
        if node not in skipped:
            yield from _changes(node)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str, Callable[[], None]]]:
    def change(name: str, value: Any) -> Callable[[], None]:
        return lambda: setattr(node, name, value)

    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        other = COMPARED[type(node.ops[0])]
        yield node, f"{type(node.ops[0]).__name__} to {other.__name__}", change("ops", [other(), *node.ops[1:]])
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in CALCULATED:
        other_op = CALCULATED[type(node.op)]
        yield node, f"{type(node.op).__name__} to {other_op.__name__}", change("op", other_op())
    elif isinstance(node, ast.BoolOp):
        both = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield node, f"{type(node.op).__name__} to {both.__name__}", change("op", both())
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield node, f"{node.value} to {node.value + 1}", change("value", node.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield node, f"{node.value} to {not node.value}", change("value", not node.value)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node, "condition to its opposite", change("test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node, "minus to plus", change("op", ast.UAdd())


def mutants_of(part: str) -> list[Mutant]:
    """Return all mutants of a part of the package."""
    found = []
    for path in sorted((ROOT / "cbam_np" / part).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(ROOT / "cbam_np").as_posix()
        for at, (node, what, _) in enumerate(places(tree)):
            found.append(Mutant(name, at, getattr(node, "lineno", 0), what))
    return found


def sample(every: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Draw mutants, in such a way that most stay the same when the package changes elsewhere.

    Each is known by its function, the text of its line and what is changed, and has a number by chance from these and
    the seed; those with the smallest are drawn.
    """
    lines = {file: keys_of((ROOT / "cbam_np" / file).read_text(encoding="utf-8")) for file in {m.file for m in every}}
    names = [f"{seed} {m.file} {lines[m.file][m.line - 1]} {m.change}" for m in every]
    times: Counter[str] = Counter()
    numbers = []
    for name in names:
        numbers.append(hashlib.sha256(f"{name} {times[name]}".encode()).hexdigest())
        times[name] += 1
    return [mutant for _, mutant in sorted(zip(numbers, every, strict=True))[:count]]


def keys_of(text: str) -> list[str]:
    """Return what each line of a file is known by: the function it stands in, and its text."""
    inside = [""] * (text.count("\n") + 1)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno:
            for line in range(node.lineno, node.end_lineno + 1):
                inside[line - 1] = node.name
    return [f"{name}: {line.strip()}" for name, line in zip(inside, text.splitlines(), strict=False)]


def source_of(mutant: Mutant) -> str:
    """Return the text of the mutant's file; place -1 is the file as it is."""
    tree = ast.parse((ROOT / "cbam_np" / mutant.file).read_text(encoding="utf-8"))
    if mutant.place >= 0:
        list(places(tree))[mutant.place][2]()
    return ast.unparse(ast.fix_missing_locations(tree))


def difference(mutant: Mutant) -> tuple[str, str]:
    """Return the line that is changed, after its function's name, and what it becomes, as `ast.unparse` writes them.

    Of a long line, such as a table's, only what stands around the change is returned.
    """
    tree = ast.parse((ROOT / "cbam_np" / mutant.file).read_text(encoding="utf-8"))
    node, _, change = list(places(tree))[mutant.place]
    line = getattr(node, "lineno", 0)
    inside: ast.stmt = next(top for top in tree.body if top.lineno <= line <= (top.end_lineno or 0))
    for part in ast.walk(inside):
        if isinstance(part, ast.FunctionDef) and part.lineno <= line <= (part.end_lineno or 0):
            inside = part
    name = inside.name if isinstance(inside, ast.FunctionDef) else ""
    before = ast.unparse(inside).splitlines()
    change()
    after = ast.unparse(ast.fix_missing_locations(inside)).splitlines()
    old, new = next((a.strip(), b.strip()) for a, b in zip(before, after, strict=True) if a != b)
    if len(old) > LONG:
        same = _alike(old, new)
        end = _alike(old[:same:-1], new[:same:-1])
        old, new = (f"… {x[max(0, same - LONG // 3) : len(x) - end + LONG // 3]} …" for x in (old, new))
    return f"{name}: {old}", new


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with that are the same."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def surroundings(tree: ast.Module, line: int) -> Surroundings:
    """Return where a line stands. Of a statement with a body, only the head counts."""
    statement, function = range(line, line + 1), None
    for node in ast.walk(tree):  # from the outside to the inside: the last one that fits is the innermost
        if not (isinstance(node, ast.stmt) and node.end_lineno and node.lineno <= line <= node.end_lineno):
            continue
        if isinstance(node, ast.FunctionDef) and (function is None or line > node.lineno):
            function = range(node.lineno, node.end_lineno + 1)
        body = getattr(node, "body", None)
        last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno
        if line <= last:
            statement = range(node.lineno, last + 1)
    return Surroundings(statement, function)
