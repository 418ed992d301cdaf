"""No module is hidden: `import a.b as m` gives the module, and no attribute of a package bears a submodule's name."""

import importlib
import pkgutil
import sys
from types import ModuleType

import pytest

import cbam_np


def names(package):
    """Return the names of every module below a package, the package first."""
    below = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [package.__name__, *(found.name for found in below if not found.name.endswith("__main__"))]


def hidden(package):
    """Return the modules below a package that an attribute of the same name hides."""
    found = []
    for name in names(package):
        parent, _, last = name.rpartition(".")
        module = importlib.import_module(name)
        if parent and vars(sys.modules[parent]).get(last) is not module:
            found.append(name)
    return found


def test_no_module_is_hidden():
    assert len(names(cbam_np)) > 100
    assert hidden(cbam_np) == []


@pytest.mark.parametrize("name", ["teach.calculation.trace", "teach.worksheets.worksheet", "cli.check"])
def test_import_as_gives_the_module(name):
    space = {}
    exec(f"import cbam_np.{name} as m", space)
    assert isinstance(space["m"], ModuleType) and space["m"].__name__ == f"cbam_np.{name}"


def test_a_planted_hidden_module_is_found(tmp_path, monkeypatch):
    room = tmp_path / "planted_house" / "room"
    room.mkdir(parents=True)
    (tmp_path / "planted_house" / "__init__.py").write_text("", encoding="utf-8")
    (room / "__init__.py").write_text("from .check import check\nfrom .other import table\n", encoding="utf-8")
    (room / "check.py").write_text("def check():\n    pass\n", encoding="utf-8")
    (room / "other.py").write_text("table = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert hidden(importlib.import_module("planted_house")) == ["planted_house.room.check"]
