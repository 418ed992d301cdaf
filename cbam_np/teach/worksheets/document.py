"""The frame of every page: one HTML document that loads nothing, with a style sheet for printer, screen and phone."""

import html
from collections.abc import Iterable

from ..calculation.tables import Markup

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

STYLE = """
@page { size: portrait; margin: 11mm 12mm 13mm }
:root { color-scheme: light }
body { background: #fff; color: #000; margin: 0; font: 10.5pt/1.35 Cambria, Georgia, "DejaVu Serif", serif }
main { max-width: 186mm; margin: auto }
@media screen { main { padding: 4mm } .sheet + .sheet { margin-top: 12mm; border-top: 1mm solid #555 } }
@media print { .sheet + .sheet { break-before: page } }
h1 { font-size: 16pt; font-weight: normal; margin: 0 }
h2 { font-size: 12pt; margin: 3mm 0 1mm; padding-top: 1mm; border-top: 0.75pt solid; break-after: avoid }
h3 { font-size: 11pt; margin: 3mm 0 1mm; break-after: avoid }
p { margin: 0 0 1mm }
code { font: bold 9.5pt Consolas, Menlo, "DejaVu Sans Mono", monospace; margin-right: 1mm }
math { font-family: "Cambria Math", "STIX Two Math", "DejaVu Math TeX Gyre", math }
.step math { display: inline math }
.who { display: flex; flex-wrap: wrap; gap: 2mm 8mm; margin: 3mm 0 2.5mm }
.who span { flex: 1 1 30mm; border-bottom: 0.75pt solid }
.who span:first-child { flex: 3 1 60mm }
.note { break-after: avoid }
.row, .parts { display: flex; flex-wrap: wrap; gap: 2mm 5mm }
.row { padding: 1mm 0; break-inside: avoid }
.step { min-width: min(50mm, 100%); max-width: 100% }
@media (max-width: 480px) { .step > p { font-size: 8.5pt } .step > p code { display: block } }
@media print, (min-width: 481px) {
  .row:has(munder) p { display: flex; align-items: center; gap: 1mm; min-height: 9.5mm }
}
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
caption, .step th { font: 7pt/1.3 sans-serif; color: #444; min-width: 3mm }
.step tbody td { padding: 0; text-align: center; white-space: nowrap }
.asked tbody td { border: 0.5pt solid #444; min-width: 14mm; height: 7.5mm; font-size: 9.5pt }
.asked.large tbody td { min-width: 11mm; height: 6.5mm; font-size: 8pt }
.given tbody td { border: 0.25pt solid #999; min-width: 8mm; height: 5mm; padding: 0 1mm }
@media print, (min-width: 640px) { .columns { columns: 2; column-gap: 8mm } }
.columns { font-size: 9.5pt }
.columns > h2:first-child { margin-top: 0 }
.columns .row, .columns .parts { gap: 1mm 3mm }
.narrow { min-width: 0; font-size: 9pt }
.narrow code { font-size: 8.5pt }
.narrow.given tbody td { min-width: 6mm; padding: 0 0.5mm }
.narrow.asked tbody td { min-width: 12.5mm; height: 6.2mm; font-size: 9pt }
.columns .row:has(munder) p { min-height: 8mm }
.wide { overflow-x: auto }
.key th, .key td { border-bottom: 0.5pt solid #555; padding: 1mm 3mm 1mm 0; text-align: left; font-size: 9pt }
.key .number { text-align: right }
.key tr { vertical-align: baseline; break-inside: avoid }
"""
FOOTER = "@page {name} {{ @bottom-right {{ content: {text}; font: 8pt sans-serif }} }}\n"


def document(title: str, body: Iterable[str], footers: Iterable[str] = (), style: str = "") -> str:
    """Return a complete page.

    Parameters
    ----------
    title : str
        Of the document, as plain text.
    body : iterable of str
        Lines of HTML.
    footers : iterable of str
        What is printed at the bottom of every page of the first sheet, of the second, and so on; see `sheet`.
    style : str
        More lines of the style sheet.
    """
    printed = "".join(FOOTER.format(name=f"sheet-{n}", text=_css(text)) for n, text in enumerate(footers, start=1))
    return PAGE.format(title=html.escape(title), style=STYLE + style + printed, body="\n".join(body))


def sheet(number: int, body: Iterable[str]) -> Markup:
    """Return a part of a document that begins on a new page and has a footer of its own; counted from 1."""
    return Markup(f'<article class="sheet" style="page:sheet-{number}">\n{chr(10).join(body)}\n</article>')


def _css(text: str) -> str:
    """Return text as a string of CSS in which nothing but letters, digits and spaces stands as it is."""
    return '"' + "".join(c if c.isalnum() or c == " " else f"\\{ord(c):06x} " for c in text) + '"'


def typeset(text: str) -> Markup:
    """Return a number as HTML, with a minus sign in place of a hyphen."""
    return Markup(html.escape(text).replace("-", "−"))
