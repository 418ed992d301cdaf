"""The lecture's deck on a projector of 1280×720, without a connection: its text is large enough, its slides fit."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
REVEAL = ROOT / ".venv" / "npm" / "node_modules" / "reveal.js"
SMALLEST = 24  # pixels, of 720
SLIDES = """
() => Reveal.getSlides().map(slide => {
    const at = Reveal.getIndices(slide);
    Reveal.slide(at.h, at.v);
    const small = [...slide.querySelectorAll('*')].filter(e => e.offsetWidth && !e.closest('svg, math, img'))
        .filter(e => [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim()))
        .map(e => [parseFloat(getComputedStyle(e).fontSize) * Reveal.getScale(), e.innerText.slice(0, 40)]);
    const box = slide.getBoundingClientRect();
    return {title: slide.innerText.slice(0, 60), small, wide: box.right > innerWidth, high: box.bottom > innerHeight};
})
"""
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make both decks."""
    from scripts.pages import deck

    if not REVEAL.exists():
        pytest.skip("needs reveal.js from npm: make slides")
    folder = tmp_path_factory.mktemp("deck")
    deck(folder, REVEAL, sorted((ROOT / "notebooks").glob("0[12]_*.ipynb")))
    return folder


@pytest.mark.parametrize("name", ["01_cbam_by_hand", "02_backward_by_hand"])
def test_a_deck_can_be_read_from_the_last_row(folder, browser, keep, name):
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    tab = context.new_page()
    wrong = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("requestfailed", lambda request: wrong.append(request.url))
    tab.goto((folder / f"{name}.slides.html").as_uri())
    tab.wait_for_function("window.Reveal && Reveal.isReady()")
    slides = tab.evaluate(SLIDES)
    assert len(slides) > 10 and not wrong
    for slide in slides:
        assert slide["small"], slide
        assert not [text for size, text in slide["small"] if size < SMALLEST], slide
        assert not slide["wide"] and not slide["high"], slide["title"]
    for h in range(1, 5):
        tab.evaluate(f"Reveal.slide({h}, 0)")
        tab.wait_for_timeout(100)
        keep(tab, f"deck-{name}-{h}")
    context.close()
