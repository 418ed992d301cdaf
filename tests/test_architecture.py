"""Imports run one way: engine, ops, cbam, then teach and nn side by side, then data, train, explain, then viz,
then classroom, then cli."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cbam_np

ROOT = Path(cbam_np.__file__).parent

CORE = {"engine", "ops", "cbam"}
MAY_IMPORT = {  # what each part may import besides itself; the parts are found in the folder, not listed
    "gradcheck": set(),
    "files": set(),
    "engine": set(),
    "ops": {"engine"},
    "cbam": {"engine", "ops"},
    "teach": CORE | {"gradcheck", "files"},
    "nn": CORE,
    "data": CORE | {"nn"},
    "train": CORE | {"nn", "data", "files"},
    "explain": CORE | {"nn", "data", "train"},
}
MAY_IMPORT["viz"] = set(MAY_IMPORT)  # everything so far
MAY_IMPORT["classroom"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = set(MAY_IMPORT) | {"__init__"}
MAY_IMPORT["__main__"] = {"cli"}
MAY_IMPORT["__init__"] = set(MAY_IMPORT) - {"viz", "cli", "__main__"}  # eagerly; inside a function it may use viz


def imports(tree):
    """Yield every import as (node, level, module, name); `name` is None in `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, 0, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, node.level, node.module or "", alias.name) for alias in node.names)


def absolute(path, root, level, module, name):
    """Return the dotted name that an import in the file `path` means, as seen from the folder above `root`."""
    package = [root.name, *path.relative_to(root).parent.parts]
    parts = (package[: len(package) - level + 1] if level else []) + (module.split(".") if module else [])
    return parts + [name] if name else parts


def eager_nodes(tree):
    """Return the nodes that run when the file is imported: all but those inside functions."""
    found, waiting = set(), [tree]
    while waiting:
        node = waiting.pop()
        found.add(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def part_of(path, root):
    """Return the part of the house that a file belongs to: the first folder or file name."""
    return path.relative_to(root).with_suffix("").parts[0]


def violations(root):
    """Read every import below `root`, and say which ones run against the direction."""
    files = sorted(root.rglob("*.py"))
    parts = {part_of(path, root) for path in files}
    wrong = []
    for path in files:
        part, tree = part_of(path, root), ast.parse(path.read_text(encoding="utf-8"))
        if part not in MAY_IMPORT:
            wrong.append(f"{part}: a new part of the house, give it its place in MAY_IMPORT")
            continue
        eager = eager_nodes(tree)
        for node, *imported in imports(tree):
            target = absolute(path, root, *imported)
            where = f"{path.relative_to(root)}:{node.lineno} imports {'.'.join(target)}"
            if target[0] == root.name:
                other = target[1] if len(target) > 1 and target[1] in parts else "__init__"
                lazy = part == "__init__" and node not in eager
                if other != part and other not in MAY_IMPORT[part] and not lazy:
                    wrong.append(where)
            elif target[0] in ("torch", "tensorflow", "jax"):
                wrong.append(f"{where}: no framework")
            elif target[0] in ("matplotlib", "mpl_toolkits", "pylab") and part != "viz":
                wrong.append(f"{where}: pictures are for viz")
            elif part == "gradcheck" and target[0] != "numpy" and target[0] not in sys.stdlib_module_names:
                wrong.append(f"{where}: gradcheck knows NumPy only")
    return wrong


def test_imports_run_one_way():
    assert len(list(ROOT.rglob("*.py"))) > 15
    assert not violations(ROOT)


PLANTED = [
    ("ops/linear.py", "from ..cbam import gate_forward", "imports house.cbam.gate_forward"),
    ("ops/linear.py", "from ..cbam.gate import gate_forward", "imports house.cbam.gate.gate_forward"),
    ("ops/deep/er.py", "from ...nn import layers", "imports house.nn.layers"),
    ("ops/linear.py", "import house.cbam.gate", "imports house.cbam.gate"),
    ("ops/linear.py", "from .. import cbam", "imports house.cbam"),
    ("ops/linear.py", "from .. import cbam_forward", "imports house.cbam_forward"),
    ("ops/linear.py", "import house", "imports house"),
    ("ops/linear.py", "def f():\n    from ..nn import layers", "linear.py:2 imports house.nn.layers"),
    ("cbam/gate.py", "if True:\n    from ..teach import trace", "imports house.teach.trace"),
    ("teach/trace.py", "from ..nn.layers import CBAM", "imports house.nn.layers.CBAM"),
    ("nn/layers.py", "from ..teach import trace", "imports house.teach.trace"),
    ("nn/layers.py", "from ..gradcheck import check_gradient", "imports house.gradcheck"),
    ("data/shapes.py", "from ..train.loop import fit", "imports house.train.loop.fit"),
    ("train/loop.py", "from ..explain import grad_cam", "imports house.explain"),
    ("explain/maps.py", "from ..viz import show", "imports house.viz.show"),
    ("viz.py", "from .cli import main", "imports house.cli.main"),
    ("engine/slices.py", "from ..ops.checks import as_float", "imports house.ops.checks.as_float"),
    ("gradcheck.py", "from .ops import relu_forward", "imports house.ops.relu_forward"),
    ("gradcheck.py", "import scipy.optimize", "gradcheck knows NumPy only"),
    ("train/loop.py", "def f():\n    import matplotlib.pyplot as plt", "pictures are for viz"),
    ("nn/layers.py", "import numpy, torch.nn", "no framework"),
    ("__init__.py", "from . import viz", "imports house.viz"),
    ("__init__.py", "try:\n    from .viz import show\nfinally:\n    pass", "imports house.viz.show"),
    ("__init__.py", "from .cli import main", "imports house.cli.main"),
    ("helpers.py", "", "a new part of the house"),
]
ALLOWED = [
    ("cbam/gate.py", "from ..ops.linear import linear_forward\nfrom . import mlp"),
    ("nn/layers.py", "from .. import cbam, ops\nimport numpy as np\nfrom house.ops import linear"),
    ("train/loop.py", "import tqdm\nfrom ..data import shapes"),
    ("explain/maps.py", "from ..nn.layers import CBAM"),
    ("viz.py", "import matplotlib\nfrom .teach import trace"),
    ("cli.py", "from . import viz, anything\nimport house"),
    ("__main__.py", "from .cli import main"),
    ("__init__.py", "from . import nn, ops\ndef __getattr__(name):\n    from . import viz\n    return viz"),
    ("gradcheck.py", "import warnings\nimport numpy as np"),
]


@pytest.fixture
def house(tmp_path):
    """Build a package with every part in it and no imports at all."""
    root = tmp_path / "house"
    for folder in ("engine", "ops", "cbam", "teach", "nn", "data", "train", "explain"):
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").touch()
    for file in ("__init__", "__main__", "gradcheck", "viz", "cli"):
        (root / f"{file}.py").touch()
    assert violations(root) == []
    return root


def plant(house, file, source):
    path = house / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(source, encoding="utf-8")


@pytest.mark.parametrize(("file", "source", "expected"), PLANTED)
def test_a_planted_wrong_import_is_caught(house, file, source, expected):
    plant(house, file, source)
    (only,) = violations(house)
    assert expected in only


@pytest.mark.parametrize(("file", "source"), ALLOWED)
def test_an_import_along_the_direction_is_not(house, file, source):
    plant(house, file, source)
    assert violations(house) == []


def loaded_by(statement):
    """Run a statement in a fresh Python and return the names of the modules that it loaded."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    return set(done.stdout.split())


def test_importing_the_package_loads_neither_pictures_nor_a_framework():
    loaded = loaded_by("import cbam_np")
    assert "cbam_np.cbam.block" in loaded
    assert not {"matplotlib", "torch", "IPython", "ipywidgets", "cbam_np.viz", "cbam_np.cli"} & loaded
