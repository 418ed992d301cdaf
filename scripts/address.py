"""Put the repository's address into every text that links to it: python scripts/address.py.

The address stands in one place, pyproject.toml, under [project.urls]. As long as its owner is OWNER, it is only a
placeholder. Whoever publishes the project writes the real address there and runs this once; a test compares the texts.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATTERNS = ("*.md", "docs/*.md", "notebooks/*.ipynb", "CITATION.cff")
FORMS = (  # an owner and a name: on GitHub, in Colab, in Binder, and on the site that GitHub serves
    r"(?P<before>(?:github\.com|mybinder\.org/v2/gh)/){owner}/{name}(?P<after>[^\w-]|$)",
    r"(?P<before>colab\.research\.google\.com/github/){owner}/{name}(?P<after>/)",
    r"(?P<before>https://){owner}\.github\.io/{name}(?P<after>/)",
)


def address() -> tuple[str, str]:
    """Return the owner and the name of the repository that pyproject.toml gives."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    return parts(urls["Source"])


def parts(url: str) -> tuple[str, str]:
    """Take an address like https://github.com/OWNER/cbam-np apart."""
    found = re.fullmatch(r"https://github\.com/([\w-]+)/([\w.-]+?)/?", url)
    if found is None:
        raise SystemExit(
            f"{url!r} in pyproject.toml is no address of a repository: expected https://github.com/OWNER/NAME"
        )
    return found[1], found[2]


def rewritten(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """Return a text with the new repository's address in the place of the old one's."""
    for form in FORMS:
        pattern = form.format(owner=re.escape(old[0]), name=re.escape(old[1]))
        between = ".github.io/" if "github\\.io" in form else "/"
        text = re.sub(pattern, rf"\g<before>{new[0]}{between}{new[1]}\g<after>", text)
    return text


def texts() -> list[Path]:
    """Return the files that link to the repository."""
    return sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))


def written() -> tuple[str, str]:
    """Return the address that the texts have now: the one in CITATION.cff."""
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return parts(re.findall(r"^repository-code: (\S+)$", citation, flags=re.MULTILINE)[0])


if __name__ == "__main__":
    old, new = written(), address()
    for path in texts():
        before = path.read_text(encoding="utf-8")
        after = rewritten(before, old, new)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(path.relative_to(ROOT))
    if new[0] == "OWNER":
        sys.exit("the address is still a placeholder: write the real one into pyproject.toml, under [project.urls]")
