"""The source distribution holds what its own tests need."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEFT_OUT = (".git", ".venv*", "__pycache__", ".*_cache", ".fuzz", ".mutants", "*.egg-info", "screenshots", "build")
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_sdist(sys.argv[1]))"


@pytest.mark.slow
def test_the_tests_can_run_from_the_source_distribution(tmp_path):
    pytest.importorskip("setuptools", minversion="77")
    copy = shutil.copytree(ROOT, tmp_path / "copy", ignore=shutil.ignore_patterns(*LEFT_OUT))
    done = subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / done.stdout.split()[-1]) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    folders = ("tests", "benchmarks", "notebooks", "cbam_np")
    needed = {p.relative_to(copy).as_posix() for folder in folders for p in (copy / folder).rglob("*") if p.is_file()}
    needed = {name for name in needed if "egg-info" not in name and "__pycache__" not in name}
    assert needed | {"conftest.py", "pyproject.toml", "README.md", "TEACHING.md", "requirements.txt"} <= inside
    assert "tests/oracle/cbam.npz" in needed and "tests/fuzz_corpus.json" in needed
