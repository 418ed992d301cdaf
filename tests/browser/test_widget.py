"""The widget's front end by itself: a notebook may draw it before it is on the screen, and hide it later."""

import pytest

from cbam_np.classroom.begin import begin
from cbam_np.classroom.example import Example
from cbam_np.classroom.front import script, style

pytestmark = pytest.mark.browser

WITHOUT_KERNEL = """
window.draw = (begin, place) =>
    render({ model: { get: () => begin, on: () => {}, send: () => {} }, el: place });
"""
ARROWS = """
[...document.querySelectorAll('path.arrow')].map(arrow => [arrow.getAttribute('class'), arrow.getAttribute('d')])
"""


@pytest.fixture
def page(browser):
    """Return a page with the widget's code and an empty place for it; in the end, an error in the page is an error."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_style_tag(content=style())
    page.add_script_tag(type="module", content=f"{script('widget.js')}\nwindow.render = render;{WITHOUT_KERNEL}")
    page.evaluate("window.place = document.createElement('div')")
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def arrows(browser, page):
    """Return the arrows of the first step and of the second, drawn where they can be seen at once."""
    page.evaluate("begin => { document.body.append(place); draw(begin, place); }", begin(Example()))
    page.wait_for_selector("path.arrow")
    first = page.evaluate(ARROWS)
    page.click("text=Next →")
    second = page.evaluate(ARROWS)
    page.evaluate("place.remove(); place = document.createElement('div')")
    assert first and first != second
    return first, second


def test_it_may_be_drawn_before_it_is_on_the_screen(page, arrows):
    page.evaluate("begin => draw(begin, place)", begin(Example()))
    page.evaluate("document.body.append(place)")
    page.wait_for_selector("path.arrow")
    assert page.evaluate(ARROWS) == arrows[0]


def test_it_may_change_while_it_is_hidden(page, arrows):
    page.evaluate("begin => { document.body.append(place); draw(begin, place); }", begin(Example()))
    page.wait_for_selector("path.arrow")
    page.evaluate("place.style.display = 'none'")
    page.wait_for_timeout(100)  # for what watches its size
    page.evaluate("[...place.querySelectorAll('button')].find(button => button.innerText === 'Next →').click()")
    page.evaluate("place.style.display = ''")
    page.wait_for_timeout(100)
    assert page.evaluate(ARROWS) == arrows[1]
