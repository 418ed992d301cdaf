"""The site builds without a connection and without a warning, links lead somewhere, and pages are accessible."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

ROOT = Path(__file__).parent.parent.parent
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "video": "src"}
ONE_OF_A_KIND = ("README", "TEACHING", "explorer", "notebooks/07_dialects", "results/speed/README", "search")
WITHOUT_COLOURS = {"rules": {"color-contrast": {"enabled": False}}}  # the slowest rule: pages of a kind share colours
pytestmark = pytest.mark.site


class Page(HTMLParser):
    """What a page links to, what it loads, and which places in it have a name."""

    def __init__(self, path):
        super().__init__()
        self.path, self.links, self.loaded, self.names, self.formulas = path, [], [], set(), 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        self.formulas += tag == "math"
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in LOADED and given.get(LOADED[tag]) and given.get("rel") not in ("canonical", "search"):
            self.loaded.append(given[LOADED[tag]])


def from_the_web(address):
    """Tell whether an address is on another machine."""
    return address.startswith(("http:", "https:", "//"))


def broken(pages):
    """Return (page, link) for every link and every loaded file that is not there."""
    found = []
    for path, page in pages.items():
        for address in page.links + page.loaded:
            if from_the_web(address) or address.startswith(("mailto:", "data:", "javascript:")):
                continue
            file, name = urldefrag(address)
            file = file.partition("?")[0]
            target = (path.parent / unquote(file)).resolve() if file else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or (name and target in pages and unquote(name) not in pages[target].names):
                found.append((path.name, address))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Build the site; any warning is an error."""
    pytest.importorskip("myst_nb", reason="needs Sphinx and MyST-NB: make test-site")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "-n", "--keep-going", "-c", "docs"]
    done = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), ".", str(folder / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(folder):
    """Read every page."""
    return {path: Page(path) for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts}


@pytest.fixture(scope="module")
def tab(browser):
    """Open a window of a projector's size that reaches nothing but files."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True, bypass_csp=True)
    tab = context.new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url) if from_the_web(request.url) else None)
    tab.asked = asked
    yield tab
    context.close()


def test_the_site_is_whole(folder, pages):
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks == {path.stem for path in (folder / "notebooks").glob("*.html")}
    for name in ("index", "README", "explorer", "TEACHING", "docs/api", "results/README", "genindex"):
        assert folder / f"{name}.html" in pages
    measured = {path.parent.name for path in (ROOT / "results").glob("*/README.md")}
    assert measured == {path.parent.name for path in (folder / "results").glob("*/README.html")}


def test_every_link_leads_somewhere(pages):
    assert sum(len(page.links) for page in pages.values()) > 500
    assert not broken(pages)


def test_a_broken_link_is_noticed(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html">b</a> <a href="#c">c</a> <a id="d" href="#d">d</a>')
    pages = {tmp_path / "a.html": Page(tmp_path / "a.html")}
    assert broken(pages) == [("a.html", "b.html"), ("a.html", "#c")]


def test_nothing_is_loaded_from_the_web(pages):
    assert not [(path.name, a) for path, page in pages.items() for a in page.loaded if from_the_web(a)]


def test_formulas_are_drawn_by_the_browser_itself(folder, pages):
    assert pages[folder / "notebooks" / "02_backward_by_hand.html"].formulas > 20
    for path, page in pages.items():
        assert not any("mathjax" in address.lower() for address in page.loaded)
        assert r"\displaystyle" not in path.read_text(encoding="utf-8") or path.parent.name == "docs"
        assert path.stem == "explorer" or r"\(" not in path.read_text(encoding="utf-8").partition("<body")[2], path


def test_every_name_of_the_front_door_is_explained(folder):
    import cbam_np

    text = (folder / "docs" / "api.html").read_text(encoding="utf-8")
    public = [name for name, thing in vars(cbam_np).items() if callable(thing) and not name.startswith("_")]
    assert len(public) > 20
    assert not [name for name in public if f'id="cbam_np.{name}"' not in text]


def test_pages_are_accessible(folder, pages, tab, axe, keep):
    found = {}
    for path in pages:
        name = str(path.relative_to(folder).with_suffix(""))
        tab.goto(path.as_uri())
        problems = axe(tab, {} if name in ONE_OF_A_KIND else WITHOUT_COLOURS)
        wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            problems.append(f"the page is {wide} pixels wider than the window")
        if problems:
            found[name] = problems
        keep(tab, f"site-{name.replace('/', '-')}")
    assert not found, found
    assert not tab.asked


def test_pages_can_be_read_in_the_dark_and_on_a_phone(folder, tab, axe):
    tab.emulate_media(color_scheme="dark")
    tab.set_viewport_size({"width": 390, "height": 844})
    for name in ("index", "notebooks/07_dialects"):
        tab.goto((folder / f"{name}.html").as_uri())
        assert not axe(tab)
