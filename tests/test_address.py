"""The repository's address stands in one place, pyproject.toml; every link to it agrees, and can be changed at once."""

import json
import re
import tomllib

import pytest

from scripts.address import ROOT, address, parts, rewritten, texts, written

LINK = re.compile(
    r"https://(?:github\.com|mybinder\.org/v2/gh|colab\.research\.google\.com/github)/([\w-]+)/(cbam[-_]np)\b"
    r"|https://([\w-]+)\.github\.io/([\w.-]+)"
)


def links(text):
    """Return owner and name of every link to the repository."""
    return {(found[1] or found[3], found[2] or found[4]) for found in LINK.finditer(text)}


def test_every_text_has_the_address_of_pyproject():
    assert written() == address()
    found = {path.name: links(path.read_text(encoding="utf-8")) for path in texts()}
    assert found["README.md"] and found["CITATION.cff"]
    assert not {name: here for name, here in found.items() if here - {address()}}


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_notebook_can_be_opened_elsewhere(path):
    owner, name = address()
    cell = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][1]["source"])
    assert f"https://colab.research.google.com/github/{owner}/{name}/blob/main/notebooks/{path.name})" in cell
    assert f"https://mybinder.org/v2/gh/{owner}/{name}/main?urlpath=lab%2Ftree%2Fnotebooks%2F{path.name})" in cell
    assert f"git clone -q https://github.com/{owner}/{name} cbam\n" in cell


def test_the_address_can_be_changed():
    old, new = ("OWNER", "cbam-np"), ("someone", "attention")
    text = "https://github.com/OWNER/cbam-np https://github.com/OWNER/cbam-np-2 https://OWNER.github.io/cbam-np/x "
    text += "https://mybinder.org/v2/gh/OWNER/cbam-np/main https://colab.research.google.com/github/OWNER/cbam-np/blob"
    changed = rewritten(text, old, new)
    assert (
        changed.count("someone") == 4
        and changed.count("OWNER") == 1
        and "https://someone.github.io/attention/x" in changed
    )
    assert rewritten(changed, new, old) == text


@pytest.mark.parametrize("url", ["github.com/a/b", "https://example.org/a/b", "https://github.com/a"])
def test_an_address_that_is_none(url):
    with pytest.raises(SystemExit, match="expected https://github.com/OWNER/NAME"):
        parts(url)


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    newest = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[0]
    assert newest == version
