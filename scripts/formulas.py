"""Formulas in texts and in the outputs of notebooks, as MathML, which browsers draw by themselves."""

import re
from collections.abc import MutableMapping
from typing import Any

from cbam_np.teach.worksheets.formulas import mathml

CODE_OR_FORMULA = re.compile(
    r"(?P<code>```.*?```|`[^`\n]+`|<code.*?</code>)|\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\n]+(?:\n[^$\n]+)?)\$",
    re.DOTALL,
)


def with_mathml(text: str) -> str:
    """Return Markdown or HTML with its formulas as MathML; code stays as it is."""

    def replaced(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        formula = (found["block"] or found["inline"]).replace(r"\displaystyle", "").strip()
        return mathml(formula, display="block" if found["block"] else "inline").replace("\n", " ")

    return CODE_OR_FORMULA.sub(replaced, text)


def put_mathml_into_outputs(cell: MutableMapping[str, Any]) -> None:
    """Turn the formulas among a code cell's outputs, which are LaTeX or stand in HTML, into HTML with MathML."""
    for output in cell["outputs"]:
        data = output.get("data", {})
        latex = data.pop("text/latex", None)
        html = data.get("text/html", latex)
        if html is not None:
            data["text/html"] = with_mathml("".join(html))
