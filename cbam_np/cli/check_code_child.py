"""The other process of `cbam-np check-code`: it imports the file, makes what is checked, and writes the report."""

import importlib.util
import inspect
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbam_np


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Return the report on what an order names, or an error in words."""
    try:
        module = _import(Path(order["file"]))
    except BaseException as error:  # whatever an import may raise, SystemExit included
        return {"error": f"{order['file']} cannot be imported: {_where(error)}"}
    try:
        f = _made(module, order["name"], order["channels"])
    except Exception as error:
        return {"error": f"{order['name']} cannot be made: {_where(error)}"}
    options = {name: order[name] for name in ("what", "dialect") if order[name]}
    try:
        report = cbam_np.check_function(f, **options)
    except (TypeError, ValueError) as error:
        return {"error": str(error)}
    return {"report": report.to_dict(), "text": str(report)}


def _import(path: Path) -> Any:
    """Import a file as the module of its name, with its folder on the path."""
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # of a file that ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _made(module: Any, name: str, channels: int) -> Any:
    """Return what a name or a call in a module stands for; a class is made with the number of channels."""
    if not name.isidentifier():
        return eval(name, vars(module))
    if not hasattr(module, name):
        known = [n for n, value in vars(module).items() if callable(value) and not n.startswith("_")]
        raise AttributeError(f"there is no {name} in it, but {', '.join(known[:12]) or 'nothing'}")
    f: Any = getattr(module, name)
    if not inspect.isclass(f):
        return f
    given = [p for p in inspect.signature(f).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    needed = [p.name for p in given if p.default is p.empty]
    if len(needed) > 1:
        shown = ", ".join([str(channels), *(f"{n}=..." for n in needed[1:])])
        raise TypeError(f"it needs {', '.join(needed)}: write the call, {name}({shown})")
    make: Callable[..., Any] = f
    return make(channels) if needed or (given and _is_of_channels(given[0].name)) else make()


def _is_of_channels(name: str) -> bool:
    """Tell whether an argument's name is one that people give the number of channels."""
    return name.lower() in ("c", "c1", "ch", "dim") or any(
        word in name.lower() for word in ("channel", "plane", "feat")
    )


def _where(error: BaseException) -> str:
    """Return an exception in a sentence, with the line of the file where it was raised."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__ and "importlib" not in f.filename
    ]
    line = f", line {frames[-1].lineno} of {Path(frames[-1].filename).name}" if frames else ""
    return f"{type(error).__name__}: {error}{line}"


if __name__ == "__main__":
    found = answer(json.loads(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")
