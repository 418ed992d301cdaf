"""The explorer as a widget, for JupyterLab, Notebook, VS Code, Colab and marimo: the kernel computes."""

import base64
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import anywidget
import numpy as np
import traitlets

from ..teach.calculation.trace import Trace
from ..teach.check import check
from .begin import Numbers, begin
from .example import Example
from .front import script, style
from .images import look_at_own
from .page import save

Plain: TypeAlias = "str | float | list[Plain]"  # an array for JSON
Message: TypeAlias = dict[str, Any]  # what the front end sends
PICTURE = Path(__file__).parent / "front" / "explorer.png"  # of the lecture's example, for where no widget runs

ALT = "The explorer at channel attention: the diagram of CBAM, and σ from z_c to M_c with its numbers"


class Explorer(anywidget.AnyWidget):
    """CBAM to play with, in a notebook.

    Parameters
    ----------
    example : Example
        What it begins with.

    Attributes
    ----------
    trace : Trace
        Every step of what is on the screen, forward and backward.
    """

    _esm = script("widget.js")
    _css = style()
    begin = traitlets.Dict().tag(sync=True)

    def __init__(self, example: Example) -> None:
        self.example = example
        self.trace = example.trace()
        self._is_lecture = begin(example) == begin(Example())
        super().__init__(begin=begin(example))
        self.on_msg(self._answer)

    def save(self, path: str | Path) -> Path:
        """Write the example that is on the screen as a page that needs nothing: one HTML file.

        Parameters
        ----------
        path : str or path-like
            Where.

        Returns
        -------
        Path
            The file.
        """
        return save(path, self.example)

    def _answer(self, _: Any, message: Message, __: Any) -> None:
        """Answer what the front end asks."""
        asked = {"calculate": self._calculate, "check": self._check, "look": self._look}[message["kind"]]
        try:
            answer = {"answer": asked(message)}
        except (ValueError, TypeError, KeyError) as error:
            answer = {"problem": str(error)}
        self.send(answer | {"number": message["number"]})

    def _calculate(self, message: Message) -> dict[str, Plain]:
        example = _example(message)
        trace = example.trace()
        if not message["aside"]:  # aside is what is only compared with
            self.example, self.trace = example, trace
        return values_of(trace)

    def _check(self, message: Message) -> dict[str, dict[str, str]]:
        report = check(message["answers"], _example(message).trace())
        told = {j.entry.name: {"verdict": j.verdict} for j in report.judgements}
        if report.first_wrong and report.explanations:
            best = report.explanations[0]
            told[report.first_wrong.name] |= {"mistake": best.name, "sentence": best.sentence}
        return told

    def _look(self, message: Message) -> dict[str, Any]:
        return look_at_own(message["image"])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the widget, and for where none runs, such as GitHub, a picture of the lecture's example."""
        bundle, *_ = super()._repr_mimebundle_(**options) or ({},)
        bundle["text/plain"] = f"<Explorer of F {self.example.numbers['F'].shape}: run this cell to play with it>"
        if self._is_lecture and PICTURE.exists():
            bundle["image/png"] = base64.b64encode(PICTURE.read_bytes()).decode()
        return bundle, {"image/png": {"alt": ALT}}


def _example(message: Message) -> Example:
    return Example.taken(message["example"]["numbers"], message["example"]["choices"])


def values_of(trace: Trace) -> dict[str, Plain]:
    """Return the values of a trace for JSON: floats as such, fractions as text."""
    return {step.name: _plain(np.asarray(step.value, object).tolist()) for step in trace}


def _plain(values: Numbers) -> Plain:
    if isinstance(values, list):
        return [_plain(part) for part in values]
    return str(values) if isinstance(values, Fraction) else float(values)
