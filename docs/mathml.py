"""Formulas as MathML, which browsers draw by themselves: the pages need no script and no connection."""

from typing import Any

from cbam_np.teach.worksheets.formulas import mathml


def inline(translator: Any, node: Any) -> None:
    """Write a formula in a line."""
    translator.body.append(mathml(node.astext(), display="inline"))
    _skip()


def block(translator: Any, node: Any) -> None:
    """Write a formula that stands by itself; one that is wider than the page can be scrolled with the keys, too."""
    formula = mathml(node.astext())
    translator.body.append(f'<div class="formula" tabindex="0" role="group" aria-label="formula">{formula}</div>')
    _skip()


def _skip() -> None:
    from docutils import nodes

    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
