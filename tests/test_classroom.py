"""The explorer, without a browser: what is typed and chosen, and what it then shows."""

import re
import sys
import time

import numpy as np
import pytest

import cbam_np
from cbam_np import lecture
from cbam_np.classroom.cells import heat_maps, kind_of
from cbam_np.classroom.kernels import KERNELS
from cbam_np.teach.calculation import notation

ORDERS = {
    "channel-spatial": 9,
    "spatial-channel": 9,
    "parallel": 9,
    "channel": 5,
    "spatial": 5,
}


@pytest.fixture
def explorer():
    return cbam_np.explore()


def shown(html):
    """Return the numbers in a card's HTML, as text."""
    return re.findall(r"<td[^>]*>([^<]*)</td>", html)


def assert_shows(explorer, trace):
    """Assert that every card has the numbers of a trace, and that no step of the forward pass is left out."""
    told = []
    for card in explorer.cards:
        numbers = [notation.number(v, 3) for name in card.names for v in np.asarray(trace[name].value, object).ravel()]
        assert shown(card.values.value) == numbers, card.stage
        told += card.names
    results = {step.name for step in trace if not step.given and not step.name.startswith("d")}
    assert {*told} == {"F", *results}


def type_into(explorer, name, *index, value):
    explorer.grids[name].boxes[np.ravel_multi_index(index, explorer.grids[name].shape)].value = value


def test_it_begins_with_the_lecture(explorer):
    assert_shows(explorer, lecture.trace())
    assert "0.809" in explorer.cards[3].values.value and "8/9" in explorer.cards[1].values.value
    assert len(explorer.flow.children) == 9


def test_what_is_typed_changes_every_step_at_once(explorer):
    type_into(explorer, "F", 0, 1, 2, value=3.5)
    F, params = lecture.F.astype(float), lecture.parameters()
    F[0, 1, 2] = 3.5
    exact = cbam_np.trace_cbam(F, {name: W.astype(float) for name, W in params.items()})
    assert_shows(explorer, explorer.trace)
    for step in explorer.trace:
        np.testing.assert_allclose(np.asarray(step.value, float), exact[step.name].value, atol=1e-12)
    type_into(explorer, "W0", 1, 0, value=-1)
    assert explorer.trace["h_avg[2]"].value == explorer.trace["F_avg[2]"].value / 2 - explorer.trace["F_avg[1]"].value
    assert_shows(explorer, explorer.trace)


@pytest.mark.parametrize(("order", "stages"), ORDERS.items())
def test_every_order_has_its_stages_and_numbers(order, stages, explorer):
    explorer.order.value = order
    params = explorer.example.parameters()
    assert_shows(explorer, cbam_np.trace_cbam(lecture.F, params, order=order))
    assert len(explorer.flow.children) == len(explorer.cards) == stages
    assert ("W0" in explorer.grids) == (order != "spatial")
    assert explorer.cells.buttons[1, 1, 1].tooltip == f"{explorer.trace[-1].name}[1,1,1]"


@pytest.mark.parametrize("pools", [("avg",), ("max",)])
def test_pools_and_ties_are_handed_on(pools, explorer):
    explorer.channel_pools.value = pools
    explorer.spatial_pools.value = pools
    explorer.ties.value = "split"
    params = lecture.parameters()
    params["W7"] = params["W7"][:, [0 if pools == ("avg",) else 1]]
    choices = {"channel_pools": pools, "spatial_pools": pools, "ties": "split"}
    assert_shows(explorer, cbam_np.trace_cbam(lecture.F, params, **choices))
    cell = np.zeros((3, 3, 3), int)
    cell[0, 0, 0] = 1
    expected = cbam_np.trace_cbam(lecture.F, params, cell, **choices)["dF"].value
    assert shown(explorer.gradient.value) == [notation.number(v, 3) for v in expected.ravel()]


def test_a_shared_mlp_and_back(explorer):
    explorer.reduction.value = 3
    assert explorer.grids["W0"].shape == (1, 3) and explorer.grids["W1"].shape == (3, 1)
    assert_shows(explorer, cbam_np.trace_cbam(lecture.F, lecture.parameters("shared")))
    explorer.order.value, explorer.kernel.value = "parallel", "edge"
    type_into(explorer, "F", 0, 0, 0, value=9)
    explorer.fresh.click()
    assert (explorer.order.value, explorer.reduction.value, explorer.kernel.value) == ("channel-spatial", 1, "lecture")
    assert_shows(explorer, lecture.trace())


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel(kernel, explorer):
    explorer.kernel_editor.selected_index = 0
    explorer.kernel.value = kernel
    W7 = KERNELS[kernel]()
    np.testing.assert_allclose(explorer.grids["W7"].read(), W7.astype(float))
    params = lecture.parameters() | {"W7": W7}
    np.testing.assert_allclose(explorer.trace["M_s"].value, cbam_np.trace_cbam(lecture.F, params)["M_s"].value)
    assert W7.shape == (1, 2, 7, 7) and np.abs(W7.astype(float)).sum() > 0.5


def test_one_weight_of_the_kernel(explorer):
    before = explorer.trace["z_s"].value
    assert "W7" not in explorer.grids  # its boxes are made when they are wanted
    explorer.kernel_editor.selected_index = 0
    type_into(explorer, "W7", 0, 1, 3, 3, value=0.0)  # -1 before, in the middle of the maxima's half
    np.testing.assert_allclose(explorer.trace["z_s"].value - before, explorer.trace["Fs_max"].value)


def test_step_by_step(explorer):
    explorer.next.click()  # after the last comes the first
    assert [card.stage for card in explorer.flow.children] == ["feature map"]
    explorer.next.click()
    explorer.next.click()
    assert [card.stage for card in explorer.flow.children][-1] == "shared MLP"
    assert [card.layout.border_top.startswith("3px") for card in explorer.flow.children] == [False, False, True]
    explorer.back.click()
    assert len(explorer.flow.children) == 2
    type_into(explorer, "F", 0, 0, 0, value=2)
    assert len(explorer.flow.children) == 2
    assert_shows(explorer, explorer.trace)
    explorer.at.value = 5
    assert len(explorer.flow.children) == 5
    explorer.all.click()
    assert len(explorer.flow.children) == 9
    assert not any(card.layout.border_top.startswith("3px") for card in explorer.flow.children)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_no_number_to_calculate_with_is_taken_back(value, explorer):
    type_into(explorer, "F", 0, 0, 0, value=value)
    assert explorer.grids["F"].boxes[0].value == 1
    assert_shows(explorer, lecture.trace())
    type_into(explorer, "F", 0, 0, 0, value=2)
    assert explorer.trace["F"].value[0, 0, 0] == 2


def test_the_way_back_from_any_cell(explorer):
    explorer.cells.buttons[2, 3, 1].click()
    params = {name: W.astype(float) for name, W in lecture.parameters().items()}
    _, cache = cbam_np.cbam_forward(lecture.F[None].astype(float), params)
    one = np.zeros((1, 3, 3, 3))
    one[0, 1, 2, 0] = 1
    dF, _ = cbam_np.cbam_backward(one, cache)
    assert shown(explorer.gradient.value) == [notation.number(v, 3) for v in dF.ravel()]
    assert "how F&#x27;&#x27;[2,3,1] changes with" in explorer.gradient.value
    chosen = [index for index, button in explorer.cells.buttons.items() if button.button_style]
    assert chosen == [(2, 3, 1)] and explorer.cells.buttons[2, 3, 1].tooltip == "F''[2,3,1]"
    type_into(explorer, "F", 0, 0, 0, value=4)
    out = explorer.trace["F''"].value
    for index, button in explorer.cells.buttons.items():
        assert button.description == notation.number(out[tuple(i - 1 for i in index)], 3)
    assert explorer.cells.chosen == (2, 3, 1)


def ask(explorer, name, value):
    explorer.names.value, explorer.answer.value = name, value
    explorer.ask.click()
    return explorer.verdict.value


def test_it_answers_whether_mine_is_right(explorer):
    assert "is right" in ask(explorer, "M_c[1]", "0.81")
    wrong = ask(explorer, "F_max[1]", "8/9")
    assert "is wrong" in wrong and "the maximum where the average belongs" in wrong.replace("\n     ", " ")
    assert "there is no step &#x27;M_x&#x27;" in ask(explorer, "M_x[1]", "0.81")
    assert "[9] is outside" in ask(explorer, "M_c[9]", "0.81")
    assert "expected a number such as 0.81" in ask(explorer, "M_c[1]", "big")
    assert "Write a step and its value" in ask(explorer, "", "")
    assert "M_c[1]" in explorer.names.options and "F[1,1,1]" not in explorer.names.options


def test_answers_are_held_against_the_numbers_on_the_screen(explorer):
    type_into(explorer, "F", 0, 0, 0, value=10)
    assert "is right" in ask(explorer, "F_avg[1]", "17/9")


def test_it_is_quick_enough_for_a_slider(explorer):
    seconds = []
    for value in range(3, 10):
        start = time.perf_counter()
        type_into(explorer, "F", 1, 1, 1, value=value)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1  # 0.02 measured


@pytest.mark.parametrize("shape", [(2, 4, 5), (4, 3, 3), (1, 2, 2)])
def test_other_feature_maps(shape, rng):
    F = rng.integers(0, 5, shape)
    explorer = cbam_np.explore(F, order="spatial-channel")
    np.testing.assert_array_equal(explorer.trace["F"].value, F)
    assert_shows(explorer, explorer.trace)
    for reduction in explorer.reduction.options:
        explorer.reduction.value = reduction
        assert explorer.grids["W0"].shape == (shape[0] // reduction, shape[0])
    explorer.fresh.click()
    assert_shows(explorer, lecture.trace())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"F": np.zeros((5, 3, 3))}, r"F has shape \(5, 3, 3\), expected \(C, H, W\), at most \(4, 5, 5\)"),
        ({"F": np.zeros((3, 3))}, r"F has shape \(3, 3\), expected \(C, H, W\)"),
        ({"order": "backwards"}, "order is 'backwards', expected one of"),
        ({"kernel": "round"}, "kernel is 'round', expected one of 'lecture', 'uniform'"),
        ({"reduction": 5}, "reduction 5 leaves no hidden unit for 3 channels"),
    ],
)
def test_what_cannot_be_explored(wrong, message):
    with pytest.raises(ValueError, match=message):
        cbam_np.explore(**wrong)


def test_without_widgets_it_says_what_is_missing(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("cbam_np.classroom.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ImportError, match="explore needs ipywidgets: pip install ipywidgets"):
        cbam_np.explore()


def test_cells_can_be_read_and_share_their_colours():
    html = heat_maps(np.array([[[0.0, 1], [2, 4]], [[4, 0], [0, 0]]]), "features", ["a < b", "c"])
    colours = re.findall(r"background:(#\w{6});color:(black|white)", html)
    assert colours[3] == colours[4] and colours[0] == colours[5] != colours[3]
    assert colours[0][1] == "black" and "a &lt; b" in html
    assert re.findall(r"background:(#\w{6})", heat_maps([[0, 0]], "signed"))[0] == "#f7f6f6"  # near white is 0
    assert [kind_of(name) for name in ("M_c", "Fs_avg", "z_s")] == ["attention", "features", "signed"]
