"""Pictures, tested by what is in them: colours, numbers, titles."""

from fractions import Fraction

import numpy as np
import pytest

from cbam_np import SmallCNN, init_cbam, lecture, trace_cbam, viz


def _texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_feature_map_is_one_picture_a_channel_with_its_numbers():
    figure = viz.matrices(lecture.F, ["a", "b", "c"])
    assert len(figure.axes) == 3
    for ax, channel, title in zip(figure.axes, lecture.F, "abc", strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), channel)
        assert _texts(ax) == [str(value) for value in channel.ravel()]
        assert ax.get_title() == title


def test_fractions_are_written_as_fractions():
    figure = viz.matrices(np.array([Fraction(8, 9), Fraction(2)]))
    assert _texts(figure.axes[0]) == ["8/9", "2"]


def test_limits_attention_0_to_1_signed_symmetric_features_shared():
    attention = viz.matrices([[[0.2, 0.4]]], kind="attention").axes[0].images[0]
    assert attention.get_clim() == (0, 1)
    signed = viz.matrices([[[-3.0, 1.0]]], kind="signed").axes[0].images[0]
    assert signed.get_clim() == (-3, 3)
    first, second = (ax.images[0] for ax in viz.matrices([[[1.0]], [[4.0]]]).axes)
    assert first.get_clim() == second.get_clim()


@pytest.mark.parametrize("kind", viz.KINDS)
def test_numbers_can_be_read_on_their_colours(kind):
    values = np.linspace(-1 if kind == "signed" else 0, 1, 21)[None]
    ax = viz.matrices([values], kind=kind).axes[0]
    image = ax.images[0]
    for value, text in zip(values[0], ax.texts, strict=True):
        red, green, blue, _ = image.cmap(image.norm(value))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        contrast = (luminance + 0.05) / 0.05 if text.get_color() == "black" else 1.05 / (luminance + 0.05)
        assert contrast > 3, (value, contrast)  # WCAG's minimum for large text
        assert text.get_fontsize() >= 10


def test_limits_can_be_shared_between_figures():
    figure = viz.matrices([[[1.0, -2.0]]], kind="signed", limits=(-3, 3))
    assert figure.axes[0].images[0].get_clim() == (-3, 3)


def test_every_cell_has_a_line_around_it():
    ax = viz.matrices(np.array([[1.0], [2.0], [3.0]])).axes[0]
    assert ax.yaxis.get_minorticklocs().tolist() == [-0.5, 0.5, 1.5, 2.5]


def _framed(figure):
    """Return how many numbers are framed, by the titles of the matrices."""
    half = len(figure.axes) // 2
    return {up.get_title(): len(low.patches) for up, low in zip(figure.axes[:half], figure.axes[half:], strict=True)}


def test_pictures_stand_in_rows():
    images = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 2, 2)
    axes = viz.images_figure(images, list("abcde"), columns=3).axes
    assert [ax.get_title() for ax in axes] == [*"abcde", ""] and [len(ax.images) for ax in axes] == [1] * 5 + [0]
    np.testing.assert_array_equal(axes[4].images[0].get_array(), images[4].transpose(1, 2, 0))
    with pytest.raises(ValueError, match="1 titles for 5 images"):
        viz.images_figure(images, ["a"])


def test_what_changed_is_framed():
    F = lecture.F.copy()
    F[0, 0, 0] = 5
    now = trace_cbam(F, lecture.parameters())
    framed = _framed(viz.changes_figure(lecture.trace(), now, ["F", "F_avg", "M_c"]))
    assert framed == {"$F$, channel 1": 1, "$F$, channel 2": 0, "$F$, channel 3": 0, "$F^c_{avg}$": 1, "$M_c$": 1}
    same = viz.changes_figure(lecture.trace(), lecture.trace(), ["M_s", "dF"])
    assert set(_framed(same).values()) == {0} and same.axes[0].images[0].get_clim() == (0, 1)


def test_a_change_of_shape_is_refused():
    with pytest.raises(ValueError, match=r"F has shape \(1, 2, 2\) now, and had \(3, 3, 3\)"):
        small = trace_cbam(np.ones((1, 2, 2)), init_cbam(1, 1, rng=np.random.default_rng(0)))
        viz.changes_figure(lecture.trace(), small, ["F"])


def test_errors():
    with pytest.raises(ValueError, match="2 titles for 3 matrices"):
        viz.matrices(lecture.F, ["a", "b"])
    with pytest.raises(ValueError, match="kind is 'rainbow', expected one of 'features'"):
        viz.matrices(lecture.F, kind="rainbow")
    with pytest.raises(ValueError, match="expected 2"):
        viz.draw_matrix(viz.Figure().subplots(), lecture.F)


def test_attention_figure_shows_the_maps_the_network_used(rng):
    model = SmallCNN("cbam", rng=rng, channels=(4, 8), reduction=2, start="he")
    images = rng.integers(0, 256, (2, 3, 8, 8), dtype=np.uint8)
    figure = viz.attention_figure(model, images, np.array([0, 1]), [str(k) for k in range(10)])
    p = model.predict(images)
    grid = np.array(figure.axes[:8]).reshape(2, 4)
    for n in range(2):
        np.testing.assert_array_equal(grid[n, 0].images[0].get_array(), images[n].transpose(1, 2, 0))
        assert f"P = {p[n].max():.2f}" in grid[n, 0].get_title()
        heights = [bar.get_height() for bar in grid[n, 1].patches]
        np.testing.assert_allclose(heights, model.stage2.attention.cache.Mc[n, :, 0, 0], rtol=1e-6)
        np.testing.assert_allclose(grid[n, 2].images[0].get_array(), model.stage1.attention.cache.Ms[n, 0], rtol=1e-6)


def test_attention_figure_needs_attention(rng):
    model = SmallCNN(None, rng=rng, channels=(4,))
    with pytest.raises(ValueError, match="has no CBAM block: make it with attention='cbam'"):
        viz.attention_figure(model, np.zeros((1, 3, 8, 8), np.uint8), [0], ["a"] * 10)


def test_rates_figure_says_what_each_step_bought():
    figure = viz.rates_figure({"loops": 4e6, "arrays": 2e9}, peak=1e11, others={"PyTorch": 5e10})
    ax = figure.axes[0]
    assert [bar.get_width() for bar in ax.patches] == [4e6, 2e9, 5e10]
    assert [text.get_text() for text in ax.texts] == ["4 MFLOP/s", "2 GFLOP/s   500×", "50 GFLOP/s"]
    assert ax.lines[0].get_xdata()[0] == 1e11 and "100 GFLOP/s" in ax.get_title()
    for rates in ({}, {"stopped": 0.0}):
        with pytest.raises(ValueError, match="expected at least one and all of them positive"):
            viz.rates_figure(rates)


def test_roofline_figure_has_its_ridge_where_memory_and_arithmetic_meet():
    figure = viz.roofline_figure({"ReLU": (0.125, 5e9), "product": (50.0, 9e10)}, peak=1e11, bandwidth=2e10)
    ax = figure.axes[0]
    intensity, roof = ax.lines[0].get_data()
    np.testing.assert_allclose(roof, np.minimum(1e11, 2e10 * intensity))
    assert roof[0] < roof[-1] == 1e11
    assert [(*line.get_xdata(), *line.get_ydata()) for line in ax.lines[1:]] == [(0.125, 5e9), (50, 9e10)]
    assert {"ReLU", "product"} <= {text.get_text() for text in ax.texts}
    with pytest.raises(ValueError, match="no operation"):
        viz.roofline_figure({}, 1e11, 2e10)


def test_history_figure_draws_what_was_measured():
    history = [
        {"epoch": 1, "loss": 2.0, "accuracy": 0.3, "validation_loss": 2.1, "validation_accuracy": 0.25},
        {"epoch": 2, "loss": 1.0, "accuracy": 0.6, "validation_loss": 1.5, "validation_accuracy": 0.5},
    ]
    left, right = viz.history_figure(history, test_accuracy=0.55).axes
    assert [line.get_ydata().tolist() if i < 2 else line.get_ydata()[0] for i, line in enumerate(right.lines)] == [
        [0.3, 0.6],
        [0.25, 0.5],
        0.55,
    ]
    assert [line.get_ydata().tolist() for line in left.lines] == [[2.0, 1.0], [2.1, 1.5]]
    plain = [{"epoch": 1, "loss": 2.0, "accuracy": 0.3}]
    assert len(viz.history_figure(plain).axes[1].lines) == 1


def test_diagram_has_the_example_s_numbers_in_every_place():
    trace = lecture.trace()
    figure = viz.diagram(trace)
    page, *drawn = figure.axes
    wanted = [*trace["F"].value, *[trace[name].value[:, None] for name in ("F_avg", "z_avg", "F_max", "z_max", "M_c")]]
    wanted += [*trace["F'"].value, *trace["F'"].value, *[trace[name].value for name in ("Fs_avg", "Fs_max")]]
    wanted += [trace["z_s"].value, trace["M_s"].value, *trace["F''"].value]
    assert len(drawn) == len(wanted)
    for ax, value in zip(drawn, wanted, strict=True):
        np.testing.assert_allclose(ax.images[0].get_array(), value.astype(float))
        assert all(text.get_fontsize() >= 10 for text in ax.texts) and len(ax.texts) == value.size
    assert tuple(figure.get_size_inches() * figure.dpi) == (1280, 720)
    figure.draw_without_rendering()
    inside = figure.bbox.padded(1)
    for text in [text for ax in figure.axes for text in (*ax.texts, ax.title) if text.get_text()]:
        box = text.get_window_extent()
        assert inside.contains(*box.min) and inside.contains(*box.max), text.get_text()


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (lambda: trace_cbam(lecture.F, lecture.parameters(), order="parallel"), "the diagram shows channel-spatial"),
        (lambda: trace_cbam(np.ones((4, 2, 2)), init_cbam(4, 2, rng=np.random.default_rng(0))), "at most"),
    ],
)
def test_diagram_of_what_does_not_fit(trace, message):
    with pytest.raises(ValueError, match=message):
        viz.diagram(trace())
