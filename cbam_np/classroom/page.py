"""The explorer as one HTML file that needs nothing: no server, no connection, no installation."""

import json
from pathlib import Path
from typing import Any

from ..files import write_text
from .begin import begin
from .example import Example
from .front import script, style
from .mistaken import mistaken_values

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>CBAM, step by step</title>
<style>
body {{ margin: 0; }}
{style}
</style>
</head>
<body>
<main id="explorer"><p>This page needs JavaScript.</p></main>
<script type="application/json" id="begin">{begin}</script>
<script type="module">
{script}
showPage(document.getElementById("explorer"), JSON.parse(document.getElementById("begin").textContent));
</script>
</body>
</html>
"""


def page(example: Example | None = None) -> str:
    """Return the explorer as a page.

    Parameters
    ----------
    example : Example, optional
        What it begins with; the lecture's where none is given.

    Returns
    -------
    str
        HTML.
    """
    example = example or Example()
    told: dict[str, Any] = begin(example) | {"mistakes": mistaken_values(example.trace())}
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return PAGE.format(
        policy=POLICY, style=style(), begin=data, script=script("page.js").replace("</script", "<\\/script")
    )


def save(path: str | Path, example: Example | None = None) -> Path:
    """Write the page to a file; see `page`."""
    path = Path(path)
    write_text(path, page(example), durable=False)
    return path
