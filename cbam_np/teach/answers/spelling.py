"""Plain text from what keyboards, word processors, LaTeX and NumPy make of a number."""

import re
import unicodedata

VANISHING = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad]")
SPACES = dict.fromkeys((c for c in map(chr, range(0x10000)) if c.isspace() or c == "\u2800"), " ")
SIGNS = {
    **dict.fromkeys("−–—‒―‐‑﹣－⁃➖", "-"),
    **dict.fromkeys("＋﹢➕", "+"),
    **dict.fromkeys("·×∙⋅•∗⨯✕✖⨉⊗⋆", "*"),
    **dict.fromkeys("÷∕⁄／➗∶", "/"),
    **dict.fromkeys("≅≃≐∼≒≓≑～˜⩳⋍", "≈"),
    **dict.fromkeys("⇒⟶⟹➔➜➝➞➡↦⟼⇨", "→"),
    **dict.fromkeys("‘’‚‛“”„‟′″´`«»", "'"),
    "…": "...",
    "‥": "..",
    "٫": ".",
    "（": "(",
    "）": ")",
    "，": ",",
    "．": ".",
    "％": "%",
    "＝": "=",
    "ς": "σ",
    "𝜎": "σ",
    "𝛔": "σ",
    "ℯ": "e",
}
PLAIN = str.maketrans(SPACES | SIGNS)
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾"
LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎"
ON_THE_LINE = str.maketrans(RAISED + LOWERED, "0123456789+-()" * 2)
UPRIGHT = re.compile(rf"([{RAISED}]+)[⁄/∕]([{LOWERED}]+)")
OVERLINED = re.compile("((?:[0-9][\u0304\u0305\u0307])+)")
BETWEEN_DOTS = re.compile("([0-9])\u0307([0-9]*)([0-9])\u0307")

LATEX = [  # in this order
    (r"\\(?:begin|end)\s*\{(?:[a-zA-Z]*matrix|array|aligned?)\*?\}(?:\s*\{[lcr| ]*\})?", " "),
    (r"\s*\\\\\s*", "; "),  # the end of a row
    (r"([\^_])\s*\{([^{}]*)\}", r"\1(\2)"),
    (r"\\[dtc]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"⟨\1⟩⟨\2⟩"),
    (r"\\[dtc]?frac\s*([0-9])\s*([0-9])", r"⟨\1⟩⟨\2⟩"),
    (r"\\sqrt\s*\{([^{}]*)\}", r"√(\1)"),
    (r"\\(?:overline|bar)\s*\{([0-9]+)\}", r"(\1)"),
    (r"\\(?:overline|bar)\s*([0-9])", r"(\1)"),
    (r"\\dot\s*\{?([0-9])\}?", "\\1\u0307"),
    (r"\\(?:text|textrm|textbf|mathrm|mathbf|boxed|operatorname)\s*\{([^{}]*)\}", r"\1"),
    (r"\{([,.])\}", r"\1"),
]
COMMANDS = {
    **dict.fromkeys(("cdot", "times", "ast"), "*"),
    "div": "/",
    **dict.fromkeys(("approx", "simeq", "cong", "sim"), "≈"),
    **dict.fromkeys(("to", "rightarrow", "Rightarrow", "implies", "longrightarrow", "mapsto"), "→"),
    "sigma": "σ",
    "exp": "exp",
    "ldots": "...",
    "dots": "...",
    "cdots": "...",
    **dict.fromkeys(("left", "right", "big", "Big", "displaystyle", "quad", "qquad", "tfrac", "mathrm"), " "),
}
WRAPPED = re.compile(  # numbers as NumPy, PyTorch, Python and spreadsheets print them
    r"(?:(?:np|numpy|torch)\.)?(?:float\d*|longdouble|int\d*|uint\d*|tensor|array|asarray|decimal|real)\s*"
    r"\(\s*'?(.*?)'?\s*(?:,\s*(?:dtype|device|grad_fn|requires_grad)\s*=.*)?\)",
    re.IGNORECASE,
)
PAIR = re.compile(r"(?:fractions\.)?(?:fraction|rational)\s*\(\s*(-?\d+)\s*,\s*(\d+)\s*\)", re.IGNORECASE)


def plain(text: str) -> str:
    r"""Return a text with plain signs, digits on the line, and no LaTeX: "⁸⁄₉" as "8/9", "10⁻¹" as "10^(-1)".

    Parameters
    ----------
    text : str
        As written.

    Returns
    -------
    str
        The same in characters that `expressions` and `cells` know.

    Examples
    --------
    >>> plain("2⅓"), plain(r"$\frac{3}{4}$"), plain("3·10⁻²")
    ('2 1/3', '(3/4)', '3*10^(-2)')
    """
    text = VANISHING.sub("", text)
    if any(sign in text for sign in "\\${"):
        text = _without_latex(text)
    text = UPRIGHT.sub(lambda m: f"⟨{m[1].translate(ON_THE_LINE)}⟩⟨{m[2].translate(ON_THE_LINE)}⟩", text)
    text = "".join(map(_on_the_line, text)) if not text.isascii() else text
    text = BETWEEN_DOTS.sub(r"(\1\2\3)", text)
    text = OVERLINED.sub(lambda m: f"({re.sub('[^0-9]', '', m[1])})", text)
    text = re.sub(f"[{RAISED}]+", lambda m: f"^({m[0].translate(ON_THE_LINE)})", text)
    text = text.translate(ON_THE_LINE).translate(PLAIN)
    text = re.sub(r"⟨([^⟨⟩]*)⟩⟨([^⟨⟩]*)⟩", _fraction, text)
    text = PAIR.sub(r"\1/\2", text)
    return re.sub(r"-+>|=+>", "→", text.replace("~=", "≈").replace("**", "^").replace("~", "≈")).strip()


def _without_latex(text: str) -> str:
    for pattern, replacement in LATEX:
        before = None
        while before != text:
            before, text = text, re.sub(pattern, replacement, text)
    text = re.sub(r"\\([a-zA-Z]+)", lambda m: COMMANDS.get(m[1], m[0]), text)
    text = re.sub(r"\\[,;:! ()\[\]]", " ", text).replace("\\%", "%").replace("$", " ")
    return text.replace("{", "(").replace("}", ")").replace("&", ", ")


def _on_the_line(character: str) -> str:
    """Return a digit of any script as 0 to 9, and "½" as a fraction in ⟨⟩."""
    if character.isascii() or character in RAISED or character in LOWERED:
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    parts = unicodedata.normalize("NFKC", character) if unicodedata.category(character) == "No" else ""
    upper, slash, lower = parts.partition("⁄")
    return f"⟨{upper}⟩⟨{lower}⟩" if slash and lower.isdecimal() else character


def _fraction(match: re.Match[str]) -> str:
    """Write a fraction on one line; behind a whole number it makes a mixed number."""
    upper, lower = match[1].strip(), match[2].strip()
    before = match.string[: match.start()].rstrip()
    simple = upper.isdecimal() and lower.isdecimal()
    inside = f"{upper}/{lower}" if simple else f"(({upper})/({lower}))"
    if simple and re.search(r"(?<![\d.,])\d+$", before):
        return f" {inside}"
    return f"*({inside})" if before[-1:].isdigit() else f"({inside})"
