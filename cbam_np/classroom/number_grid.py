"""Matrices to type into, and matrices to choose a cell from."""

import numpy as np
from ipywidgets import Button, FloatText, GridBox, HBox, HTMLMath, Layout, VBox

from ..teach.calculation import notation

CELL = "48px"


class NumberGrid(VBox):
    """Matrices with a box to type in for each number.

    Parameters
    ----------
    title : str
        Above the matrices, with $...$ as mathematics.
    values : ndarray, shape (..., H, W)
        What the boxes hold; more than two axes are matrices side by side.
    changed : callable
        Called with the new values, an array of that shape, after every change.
    captions : sequence of str, optional
        A line above each matrix.
    """

    def __init__(self, title, values, changed, captions=None):
        self.shape, self.changed, self.quiet = values.shape, changed, False
        stack = values.reshape(-1, *values.shape[-2:])
        self.boxes, matrices = [], []
        for matrix, caption in zip(stack, captions or [""] * len(stack), strict=True):
            boxes = [FloatText(value=float(v), layout=Layout(width=CELL, margin="1px")) for v in matrix.flat]
            grid = GridBox(boxes, layout=Layout(grid_template_columns=f"repeat({matrix.shape[1]}, {CELL})"))
            matrices.append(VBox([HTMLMath(caption), grid] if caption else [grid], layout=Layout(margin="0 14px 0 0")))
            self.boxes += boxes
        for box in self.boxes:
            box.observe(self._typed, names="value")
        super().__init__([HTMLMath(f"<b>{title}</b>"), HBox(matrices, layout=Layout(flex_flow="row wrap"))])

    def read(self):
        """Return what the boxes hold."""
        return np.array([box.value for box in self.boxes]).reshape(self.shape)

    def write(self, values):
        """Put numbers into the boxes, without calling `changed`."""
        self.quiet = True
        for box, value in zip(self.boxes, values.flat, strict=True):
            box.value = float(value)
        self.quiet = False

    def _typed(self, change):
        if self.quiet:
            return
        if not np.isfinite(change.new):  # nothing can be calculated with that: take back what was there
            self.quiet = True
            change.owner.value = change.old
            self.quiet = False
            return
        self.changed(self.read())


class CellPicker(HBox):
    """The cells of a feature map as buttons, of which one is chosen.

    Parameters
    ----------
    changed : callable
        Called, without arguments, when another is chosen.
    """

    def __init__(self, changed):
        self.changed, self.made_for, self.buttons, self.chosen = changed, None, {}, (1, 1, 1)
        super().__init__(layout=Layout(flex_flow="row wrap"))

    def show(self, step):
        """Write a step's values (C, H, W) on the buttons."""
        if self.made_for != (step.name, step.shape):
            self._make(step)
        for index, button in self.buttons.items():
            button.description = notation.number(step.value[tuple(i - 1 for i in index)], 3)

    def choose(self, index):
        """Choose a cell by its indices, from 1."""
        self.buttons[self.chosen].button_style = ""
        self.chosen = index
        self.buttons[index].button_style = "warning"
        self.changed()

    def _make(self, step):
        self.made_for, (C, _, W) = (step.name, step.shape), step.shape
        self.buttons = {
            tuple(i + 1 for i in index): Button(layout=Layout(width="auto", margin="1px", padding="0"))
            for index in np.ndindex(*step.shape)
        }
        for index, button in self.buttons.items():
            button.tooltip = f"{step.name}[{','.join(map(str, index))}]"
            button.on_click(lambda _, index=index: self.choose(index))
        self.chosen = (1, 1, 1)
        self.buttons[self.chosen].button_style = "warning"
        self.children = tuple(
            VBox(
                [
                    HTMLMath(f"{step.name}, channel {c}"),
                    GridBox(
                        [button for index, button in self.buttons.items() if index[0] == c],
                        layout=Layout(grid_template_columns=f"repeat({W}, 58px)"),
                    ),
                ],
                layout=Layout(margin="0 14px 0 0"),
            )
            for c in range(1, C + 1)
        )
