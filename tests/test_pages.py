"""Notebooks as pages and as a deck: formulas are MathML, and nothing is loaded from the web."""

import re
from pathlib import Path

import pytest

from scripts.formulas import with_mathml
from scripts.pages import deck, pages

ROOT = Path(__file__).parent.parent
FROM_THE_WEB = re.compile(r"""(?:src|href)=["'](?:https?:)?//[^"']+\.(?:js|css)|import .* from ['"]https?:""")


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("a $x$ b $$y$$ c", 2),
        ("`$x$` and ```\n$y$\n``` and $z$", 1),
        ("no formula for 5$ or 6 of them", 0),
        ("two\n$$\nM_c = \\sigma(z)\n$$\nlines", 1),
    ],
)
def test_formulas_become_mathml_and_code_stays(text, formulas):
    new = with_mathml(text)
    assert new.count("<math") == formulas
    assert "`$x$`" in new or "`" not in text


@pytest.mark.parametrize("latex", ["$F'$", "$F''_{c,i,j}$", r"$\sigma'$", r"$\mathrm{d}F'$"])
def test_a_prime_is_raised_once(latex):
    assert "<msup>" not in with_mathml(latex) and re.search("[′″]|&#x0203[23];", with_mathml(latex))


def test_a_page_loads_nothing(tmp_path):
    pages(tmp_path, [ROOT / "notebooks" / "02_backward_by_hand.ipynb"])
    html = (tmp_path / "02_backward_by_hand.html").read_text(encoding="utf-8")
    assert html.count("<math") > 20 and "MathJax" not in html and not FROM_THE_WEB.search(html)
    assert not re.search(r"</?ns\d+:", html)


def test_formulas_in_outputs_are_drawn_too(tmp_path):
    pages(tmp_path, sorted((ROOT / "notebooks").glob("0[13]_*.ipynb")))
    for name in ("01_cbam_by_hand", "03_check_your_work"):
        html = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert "$z_c = " not in html and r"\displaystyle" not in html


def test_a_deck_loads_only_what_lies_beside_it(tmp_path):
    (tmp_path / "npm" / "dist").mkdir(parents=True)
    (tmp_path / "npm" / "dist" / "reveal.js").write_text("", encoding="utf-8")
    deck(tmp_path, tmp_path / "npm", [ROOT / "notebooks" / "01_cbam_by_hand.ipynb"])
    html = (tmp_path / "01_cbam_by_hand.slides.html").read_text(encoding="utf-8")
    assert 'src="reveal.js/dist/reveal.js"' in html and (tmp_path / "reveal.js" / "dist" / "reveal.js").exists()
    assert "MathJax" not in html and not FROM_THE_WEB.search(html)


def test_without_reveal_the_message_says_what_is_missing(tmp_path):
    with pytest.raises(SystemExit, match=r"the deck needs reveal\.js, which npm has"):
        deck(tmp_path, tmp_path / "npm", [])
