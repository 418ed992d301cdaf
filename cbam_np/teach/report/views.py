"""A report laid out: for a terminal of eighty columns, and for a notebook."""

import re
from html import escape
from textwrap import wrap

from .verdicts import BLANK, FOLLOWS, MARKS, RIGHT, WRONG
from .wording import also_wrong, diagnosis, summary, tables, working

WIDTH = 80
COLOURS = {RIGHT: "#0072B2", FOLLOWS: "#0072B2", WRONG: "#D55E00", BLANK: "#808080"}  # Okabe and Ito's, and a grey


def as_text(report):
    """Write a report for a terminal."""
    blocks = [_wrapped(" ".join(filter(None, summary(report)))), *map(_text_table, tables(report))]
    if report.wrong:
        step, lines = working(report)
        where = f"   ({step.slide})" if step.slide else ""
        labels = max(len(label) for label, _ in lines) + 3
        worked = [line for label, text in lines for line in _wrapped(text, f"    {label + ':':<{labels}}")]
        blocks.append([*_wrapped(step.heading + where), *worked])
        opening, paragraphs, note = diagnosis(report)
        numbers = [f"{n:>3}. " for n in range(1, 1 + len(paragraphs))] if len(paragraphs) > 1 else [" " * 4]
        told = [line for n, text in zip(numbers, paragraphs, strict=False) for line in _wrapped(text, n)]
        blocks += [[*_wrapped(opening), *told], _wrapped(note), _wrapped(also_wrong(report))]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _wrapped(text, label=""):
    """Break text into lines that stand to the right of a label; no line ends with "=" or "≈"."""
    text = re.sub("([=≈]) ", "\\1\xa0", text)
    lines = wrap(text, WIDTH, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


def _text_table(table):
    cells = [("", table.heads), *((MARKS[verdict], cells) for verdict, cells in table.rows)]
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for _, row in cells), strict=True)]
    lines = []
    for mark, (name, *numbers, words) in cells:
        aligned = [name.ljust(widths[0]), *(n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True))]
        label = f"{mark:1}  {'  '.join(aligned)}  "
        lines += _wrapped(words, label) if words else [label.rstrip()]
    return [*lines[not any(table.heads[1:]) :], *([f"   {table.more}"] if table.more else [])]


def as_html(report):
    """Write a report for a notebook: marks and words beside the colours, and nothing that a dark page would hide."""
    first, *rest = filter(None, summary(report))
    colour = COLOURS[WRONG if report.wrong else RIGHT if report.having(RIGHT, FOLLOWS) else BLANK]
    parts = [_p(f"<strong>{escape(first)}</strong> {escape(' '.join(rest))}"), *map(_html_table, tables(report))]
    if report.wrong:
        parts += _html_of_the_first_wrong(report)
    return f'<div style="border-left:4px solid {colour};padding-left:12px;max-width:52em">{"".join(parts)}</div>'


def _html_of_the_first_wrong(report):
    step, lines = working(report)
    formula = f": ${escape(step.formula)}$" if step.formula else ""
    slide = f" ({escape(step.slide)})" if step.slide else ""
    yield _p(f"<code>{escape(step.name)}</code>{formula}{slide}")
    yield _table(_tr(_td(label.replace(" ", "\xa0")), _td(f"<code>{escape(text)}</code>")) for label, text in lines)
    opening, paragraphs, note = diagnosis(report)
    yield _p(f"<strong>{escape(opening)}</strong>")
    if len(paragraphs) > 1:
        yield f'<ol style="margin:0 0 6px">{"".join(f"<li>{escape(text)}</li>" for text in paragraphs)}</ol>'
    else:
        yield from (_p(escape(text)) for text in paragraphs)
    yield _p(escape(note)) + _p(escape(also_wrong(report)))


def _html_table(table):
    name, *numbers, words = table.heads
    head = _tr(_td("", tag="th"), _td(name, tag="th"), *(_td(n, "right", "th") for n in numbers), _td(words, tag="th"))
    rows = [
        _tr(
            _td(f'<strong style="color:{COLOURS[verdict]}">{MARKS[verdict]}</strong>'),
            _td(f"<code>{escape(name)}</code>"),
            *(_td(escape(number), "right") for number in numbers),
            _td(escape(words)),
        )
        for verdict, (name, *numbers, words) in table.rows
    ]
    return _table(rows, f"<thead>{head}</thead>") + _p(escape(table.more))


def _table(rows, head=""):
    return f'<table style="margin:6px 0;border-collapse:collapse">{head}<tbody>{"".join(rows)}</tbody></table>'


def _tr(*cells):
    return f"<tr>{''.join(cells)}</tr>"


def _td(content, align="left", tag="td"):
    return f'<{tag} style="text-align:{align};padding:2px 10px 2px 0">{content}</{tag}>'


def _p(content):
    return f'<p style="margin:0 0 6px">{content}</p>' if content else ""
