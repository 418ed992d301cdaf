"""One stage of CBAM as a card: its formulas, and below the numbers."""

from itertools import groupby

from ipywidgets import HTML, HTMLMath, Layout, VBox

from .cells import heat_maps, kind_of


class Card(VBox):
    """One stage of CBAM.

    Parameters
    ----------
    stage : str
        Its name.
    steps : list of Step
        What is calculated in it.
    """

    def __init__(self, stage, steps):
        self.stage, self.names = stage, [step.name for step in steps]
        self.values = HTML()
        title = HTML(f"<b style='font-size:16px'>{stage}</b>")
        super().__init__([title, HTMLMath(self._formulas(steps)), self.values], layout=framed(False))

    def show(self, trace):
        """Write the numbers of a trace."""
        rows = []
        for _, names in groupby(self.names, key=self._branch):
            rows.append("".join(heat_maps(trace[n].value, kind_of(n), _captions(trace[n])) for n in names))
        self.values.value = "<br>".join(rows)

    def _formulas(self, steps):
        branches = groupby(steps, key=lambda step: self._branch(step.name))
        columns = ["<br>".join(f"${step.formula or step.symbol}$" for step in branch) for _, branch in branches]
        return "<div style='display:flex; gap:2em'>" + "".join(f"<div>{column}</div>" for column in columns) + "</div>"

    def _branch(self, name):
        """Tell which of the MLP's two branches a step belongs to, and so in which row it stands."""
        return name.rpartition("_")[2] if len(self.names) > 2 else ""

    def mark(self, current):
        """Frame the stage that the class is at."""
        self.layout.border = framed(current).border


def framed(current):
    """Return the layout of a card; a bold frame tells where the class is."""
    border = "3px solid #d95f02" if current else "1px solid #8884"
    return Layout(border=border, padding="6px 10px", margin="4px", max_width="100%")


def _captions(step):
    if len(step.shape) == 3:
        return [f"{step.name}, channel {c}" for c in range(1, step.shape[0] + 1)]
    return [step.name]
