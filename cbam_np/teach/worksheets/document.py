"""The frame of every page: one HTML document that loads nothing, with a style sheet for the printer."""

import html

from ..calculation.tables import Markup

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>{style}
@page {{ @bottom-right {{ content: "{title} · " counter(page); font: 8pt sans-serif }} }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""

STYLE = """
@page { size: portrait; margin: 14mm 12mm 16mm }
:root { color-scheme: light }
body { background: #fff; color: #000; max-width: 186mm; margin: auto; font: 10.5pt/1.4 Cambria, Georgia, serif }
@media screen { body { padding: 12mm 6mm } }
h1 { font-size: 17pt; font-weight: normal; margin: 0 }
h2 { font-size: 12.5pt; margin: 6mm 0 1.5mm; padding-top: 1.5mm; border-top: 0.75pt solid; break-after: avoid }
p { margin: 0 0 1mm }
code { font: bold 9.5pt Consolas, Menlo, "DejaVu Sans Mono", monospace; margin-right: 2mm }
math { display: inline math; font-family: "Cambria Math", "STIX Two Math", "DejaVu Math TeX Gyre", math }
.who { display: flex; gap: 8mm; margin: 6mm 0 4mm }
.who span { flex: 1; border-bottom: 0.75pt solid }
.who span:first-child { flex: 3 }
.note { break-after: avoid }
.row, .parts { display: flex; flex-wrap: wrap; gap: 3mm 5mm }
.row { padding: 2mm 0; break-inside: avoid }
.step { min-width: 52mm }
.row:has(munder) p { display: flex; align-items: center; gap: 1mm; min-height: 10.5mm }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
caption, .step th { font: 7pt/1.3 sans-serif; color: #555; min-width: 3mm }
.step tbody td { padding: 0; text-align: center; white-space: nowrap }
.asked tbody td { border: 0.5pt solid #555; min-width: 14mm; height: 8mm; font-size: 9.5pt }
.asked.large tbody td { min-width: 11mm; height: 7mm; font-size: 8pt }
.given tbody td { border: 0.25pt solid #bbb; min-width: 8mm; height: 5.5mm; padding: 0 1mm }
.key { width: 100% }
.key th, .key td { border-bottom: 0.5pt solid #555; padding: 1mm 3mm 1mm 0; text-align: left; font-size: 9pt }
.key tr { vertical-align: baseline; break-inside: avoid }
"""


def document(title, body):
    """Return a complete page; `body` is a list of lines of HTML."""
    return PAGE.format(title=html.escape(title), style=STYLE, body="\n".join(body))


def typeset(text: str) -> Markup:
    """Return a number as HTML, with a minus sign in place of a hyphen."""
    return Markup(html.escape(text).replace("-", "−"))
