"""Worksheets, keys and class pages in Chromium: printed on A4 and Letter, on a phone, and read by a screen reader."""

import re

import pytest

from cbam_np import cli
from cbam_np.teach.worksheets.levels import LEVELS

pytestmark = pytest.mark.browser

IDS = ["anna", "<script>alert(1)</script>", '=1+1"; } body { display: none }']
PAGES = {"quick": 1, "forward": 2, "full": 5, "backward": 5}
WIDTHS = {"phone": 390, "desk": 1280}


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """Write worksheets of every level, and mark one of them."""
    root = tmp_path_factory.mktemp("school")
    (root / "class.csv").write_text(
        "id\n" + "\n".join('"' + id.replace('"', '""') + '"' for id in IDS), encoding="utf-8"
    )
    for level in LEVELS:
        options = ["--class", str(root / "class.csv"), "--level", level, "--out", str(root / level)]
        assert cli.main(["worksheet", *options]) == 0
    (root / "in").mkdir()
    answers = "id,anna\nlevel,quick\nF_max[1],99\nF_avg[1],<b>x</b>\n"
    (root / "in" / "anna.csv").write_text(answers, encoding="utf-8")
    options = ["--class", str(root / "class.csv"), "--out", str(root / "report")]
    assert cli.main(["mark", str(root / "in"), *options]) == 0
    return root


def files(root):
    """Return every kind of page."""
    found = [root / level / name for level in LEVELS for name in ("class.html", "class-KEY.html")]
    return [*found, root / "report" / "class.html", *(root / "report" / "feedback").iterdir()]


@pytest.fixture
def tab(browser):
    """Open a tab that complains where a page does."""
    page = browser.new_page()
    errors = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.on("request", lambda request: None if request.url.startswith("file:") else errors.append(request.url))
    yield page
    page.close()
    assert errors == []


def pages_of(pdf):
    """Count the pages of a PDF file that Chromium has written."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.mark.parametrize("size", ["A4", "Letter"])
@pytest.mark.parametrize("level", LEVELS)
def test_each_sheet_is_printed_on_as_many_pages_as_teaching_says(level, size, school, tab):
    tab.goto((school / level / "class.html").as_uri())
    assert pages_of(tab.pdf(format=size)) == len(IDS) * PAGES[level]
    tab.goto((school / level / "class-KEY.html").as_uri())
    assert pages_of(tab.pdf(format=size)) == 1 + len(IDS) * PAGES[level]


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_nothing_is_wider_than_the_screen(width, school, tab):
    tab.set_viewport_size({"width": width, "height": 800})
    for path in files(school):
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path.name


def test_names_and_answers_are_text(school, tab):
    for path in files(school):
        tab.goto(path.as_uri())
        assert tab.locator("script").count() == 0 and tab.locator("body").is_visible(), path.name
    tab.goto((school / "quick" / "class.html").as_uri())
    assert all(id in tab.locator("body").inner_text() for id in IDS)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_pages_are_accessible(width, school, tab, axe):
    """One sheet of each kind of level, a key, and what is given back: the other pages are made of the same."""
    tab.set_viewport_size({"width": width, "height": 800})
    sheets = [next((school / level).glob("worksheet-*.html")) for level in ("quick", "backward")]
    report = school / "report"
    for path in [*sheets, school / "quick" / "class-KEY.html", report / "class.html", *(report / "feedback").iterdir()]:
        tab.goto(path.as_uri())
        assert axe(tab) == [], path.name


def test_an_empty_heading_would_be_found(tab, axe):
    table = "<table><tr><th></th><td>1</td></tr></table>"
    tab.set_content(f'<!doctype html><html lang="en"><title>x</title><main><h1>x</h1>{table}</main>')
    assert any("empty" in violation for violation in axe(tab))
