"""The explorer: numbers and choices on top, every step of CBAM below, and the way back from any cell."""

import html

import numpy as np
from ipywidgets import (
    HTML,
    Accordion,
    Box,
    Button,
    Combobox,
    Dropdown,
    HBox,
    HTMLMath,
    IntSlider,
    Layout,
    Text,
    VBox,
)

from ..cbam import DIALECTS, ORDERS, get_dialect
from ..teach.answers.numerals import AnswerError
from ..teach.check import check
from ..teach.example import lecture
from .card import Card, framed
from .cells import STYLE, heat_maps
from .example import Example, exact
from .kernels import KERNELS
from .number_grid import CellPicker, NumberGrid

POOLS = {"avg & max": ("avg", "max"), "avg": ("avg",), "max": ("max",)}
EXPLORED = [name for name, d in DIALECTS.items() if not d.spatial_norm and not d.mlp_bias]
HINT = "Write a step and its value as you have it on paper: M_c[1] and 0.81, F_avg[1] and 8/9."


class Explorer(VBox):
    """CBAM to play with, in a notebook.

    Parameters
    ----------
    F : array_like, shape (C, H, W), optional
        Feature map to begin with.
    reduction : int, optional
        r; the lecture's reading, or the largest there is, where none is given.
    kernel : str
        A name in `KERNELS`.
    **choices
        Fields of `Dialect`.

    Raises
    ------
    ValueError
        If F is too large, or a choice is unknown.
    """

    def __init__(self, F=None, reduction=1, kernel="lecture", **choices):
        self.example = Example(F, reduction, kernel, **choices)
        self.quiet = False
        self._make_menus(reduction, kernel)
        self.inputs = HBox(layout=Layout(flex_flow="row wrap", align_items="flex-start"))
        self.kernel_editor = Accordion([VBox()], selected_index=None, titles=["the 7×7 kernel, number by number"])
        self.kernel_editor.observe(self._open_kernel, names="selected_index")
        self._make_walk()
        self.flow = Box(layout=Layout(flex_flow="row wrap", align_items="stretch"))
        self._make_backward()
        self._make_answers()
        self._make_inputs()
        self._restart()
        super().__init__(
            [
                HTML(STYLE),
                self.menus,
                self.inputs,
                self.kernel_editor,
                self.walk,
                self.flow,
                self.backward,
                self.answers,
            ]
        )

    # --- What can be chosen and typed ---

    def _make_menus(self, reduction, kernel):
        def menu(label, options, value):
            return Dropdown(
                options=options,
                value=value,
                description=label,
                style={"description_width": "auto"},
                layout=Layout(width="auto", margin="2px 14px 2px 0"),
            )

        choices = self.example.choices
        self.reduction = menu("r", self.example.reductions(), reduction)
        self.kernel = menu("kernel", list(KERNELS), kernel)
        self.order = menu("order", list(ORDERS), choices["order"])
        self.channel_pools = menu("pools of MLP", POOLS, choices["channel_pools"])
        self.spatial_pools = menu("pools of 7×7", POOLS, choices["spatial_pools"])
        self.dialect = menu("dialect", EXPLORED, "paper")
        self.ties = menu("tied maximum's gradient", ("first", "split"), choices["ties"])
        self.fresh = Button(description="Lecture's numbers", icon="undo", layout=Layout(width="auto"))
        self.fresh.on_click(lambda _: self._begin_again())
        self.menus = HBox(
            [
                self.order,
                self.reduction,
                self.kernel,
                self.channel_pools,
                self.spatial_pools,
                self.dialect,
                self.ties,
                self.fresh,
            ],
            layout=Layout(flex_flow="row wrap"),
        )
        for name in ("order", "channel_pools", "spatial_pools", "ties"):
            getattr(self, name).observe(lambda change, name=name: self._choose(name, change.new), names="value")
        self.reduction.observe(lambda change: self._choose_reduction(change.new), names="value")
        self.kernel.observe(lambda change: self._choose_kernel(change.new), names="value")
        self.dialect.observe(lambda change: self._choose_dialect(change.new), names="value")

    def _make_inputs(self):
        """Make a grid for each array that is in use."""
        numbers, C = self.example.numbers, len(self.example.numbers["F"])
        names = lecture.CHANNELS if C == len(lecture.CHANNELS) else [""] * C
        captions = [f"$F_{c}$ {name}" for c, name in enumerate(names, start=1)]
        self.grids = {"F": NumberGrid("$F$", numbers["F"], lambda new: self._type("F", new), captions)}
        if "channel" in ORDERS[self.example.choices["order"]]:
            for name in ("W0", "W1"):
                self.grids[name] = NumberGrid(
                    f"$W_{name[1]}$", numbers[name], lambda new, name=name: self._type(name, new)
                )
        self.inputs.children = tuple(self.grids.values())
        if self.kernel_editor.selected_index is not None:
            self._open_kernel()

    def _open_kernel(self, change=None):
        """Make the kernel's 98 boxes when they are first wanted: they take their time."""
        if self.kernel_editor.selected_index is None:
            return
        titles = [f"$W_7$ for $F^s_{{{pool}}}$" for pool in ("avg", "max")]
        grid = NumberGrid("", self.example.numbers["W7"], lambda new: self._type("W7", new), titles)
        self.grids["W7"] = grid
        self.kernel_editor.children = (grid,)

    def _type(self, name, new):
        simple = [exact(v) for v in new.flat]
        array = np.empty(new.shape, object)
        array.flat = simple
        self.example.numbers[name] = array
        self._update()

    def _choose(self, name, value):
        if self.quiet:
            return
        self.example.choices[name] = value
        if name == "order":
            self._make_inputs()
        self._restart()

    def _choose_reduction(self, reduction):
        if self.quiet:
            return
        self.example.choose_reduction(reduction)
        self._make_inputs()
        self._update()

    def _choose_kernel(self, name):
        if self.quiet:
            return
        self.example.choose_kernel(name)
        if "W7" in self.grids:
            self.grids["W7"].write(self.example.numbers["W7"])
        self._update()

    def _choose_dialect(self, name):
        if self.quiet:
            return
        dialect = get_dialect(name)
        for choice in self.example.choices:
            getattr(self, choice).value = getattr(dialect, choice)

    def _begin_again(self):
        """Take the lecture's numbers and choices."""
        self.example = Example()
        self.quiet = True
        self.reduction.options = self.example.reductions()
        self.reduction.value, self.kernel.value, self.dialect.value = 1, "lecture", "paper"
        for name, value in self.example.choices.items():
            getattr(self, name).value = value
        self.quiet = False
        self._make_inputs()
        self._restart()

    # --- Step by step ---

    def _make_walk(self):
        self.at = IntSlider(min=1, max=9, value=9, description="step", continuous_update=True)
        self.back, self.next = (
            Button(description="Back", icon="arrow-left"),
            Button(description="Next", icon="arrow-right", button_style="primary"),
        )
        self.all = Button(description="All at once")
        self.back.on_click(lambda _: self._go(self.at.value - 1))
        self.next.on_click(lambda _: self._go(self.at.value % self.at.max + 1))
        self.all.on_click(lambda _: self._go(self.at.max))
        self.at.observe(lambda _: self._show_up_to_here(), names="value")
        self.walk = HBox([self.back, self.next, self.at, self.all], layout=Layout(margin="8px 0 2px 0"))

    def _go(self, at):
        self.at.value = max(1, min(self.at.max, at))

    def _restart(self):
        """Make the cards anew: other choices, other stages."""
        self.trace = self.example.trace()
        self.cards = [Card(stage, steps) for stage, steps in self.example.stages(self.trace).items()]
        everything = self.at.value == self.at.max
        self.at.max = len(self.cards)
        if everything:
            self.at.value = self.at.max
        self.names.options = [name for step in self.trace if not step.given for name in _entries(step)]
        self._update()
        self._show_up_to_here()

    def _show_up_to_here(self):
        self.flow.children = tuple(self.cards[: self.at.value])
        for number, card in enumerate(self.cards, start=1):
            card.mark(number == self.at.value < self.at.max)

    def _update(self):
        """Calculate everything and write it into the cards."""
        self.trace = self.example.trace()
        for card in self.cards:
            card.show(self.trace)
        self.cells.show(self.trace[-1])
        self._show_gradient()

    # --- The way back, from one cell ---

    def _make_backward(self):
        self.cells = CellPicker(self._show_gradient)
        self.gradient = HTML()
        self.backward = VBox(
            [
                HTMLMath(
                    "<b style='font-size:16px'>the way back</b>: choose a cell of the output, and see how it changes "
                    "with every cell of $F$"
                ),
                self.cells,
                self.gradient,
            ],
            layout=framed(False),
        )

    def _show_gradient(self):
        gradient = self.example.gradient(self.cells.chosen)
        cell = f"{self.trace[-1].name}[{','.join(map(str, self.cells.chosen))}]"
        captions = [f"F, channel {c}" for c in range(1, len(gradient) + 1)]
        said = f"<div style='font-size:14px; margin:6px 0 0'>how {html.escape(cell)} changes with</div>"
        self.gradient.value = said + heat_maps(gradient, "signed", captions)

    # --- Is mine right? ---

    def _make_answers(self):
        self.names = Combobox(placeholder="M_c[1]", description="step", layout=Layout(width="230px"))
        self.answer = Text(placeholder="0.81", description="my value", layout=Layout(width="230px"))
        self.ask = Button(description="Check", button_style="primary", icon="check")
        self.ask.on_click(lambda _: self._check())
        self.verdict = HTML(f"<span style='font-size:14px'>{HINT}</span>")
        self.answers = VBox(
            [
                HTMLMath("<b style='font-size:16px'>is mine right?</b>"),
                HBox([self.names, self.answer, self.ask], layout=Layout(flex_flow="row wrap")),
                self.verdict,
            ],
            layout=framed(False),
        )

    def _check(self):
        name, value = self.names.value.strip(), self.answer.value.strip()
        if not name or not value:
            said = HINT
        else:
            try:
                said = str(check({name: value}, self.trace))
            except (AnswerError, KeyError, IndexError) as error:
                said = str(error.args[0])
        self.verdict.value = f"<pre style='font-size:15px;white-space:pre-wrap'>{html.escape(said)}</pre>"


def _entries(step):
    """Return the names of a step's entries."""
    return [f"{step.name}[{','.join(str(i + 1) for i in index)}]" for index in np.ndindex(*step.shape)]
