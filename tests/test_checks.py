from fractions import Fraction

import numpy as np
import pytest

import cbam_np
from cbam_np.ops import gelu_forward
from cbam_np.ops.checks import alike, as_float, check_dout, check_option, check_shape, inexact, unmasked


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_pass_as_they_are(dtype):
    x = np.ones((2, 3), dtype)
    assert as_float(x, "x") is x


@pytest.mark.parametrize("x", [[1, 2], np.array([1, 2], np.uint8), np.array([True, True])], ids=str)
def test_whole_numbers_and_booleans_become_float64(x):
    assert as_float(x, "x").dtype == np.float64
    assert as_float(x, "x").tolist() == [float(v) for v in x]


def test_fractions_pass_untouched():
    x = np.array([Fraction(1, 3), 2], dtype=object)
    assert as_float(x, "x") is x


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.ones(2, np.float16), "float16"),
        (np.ones(2, np.longdouble), "longdouble|float128|float96"),
        (np.array(["a", "b"]), "<U1"),
        (np.ones(2, complex), "complex128"),
        (np.array(["2024-01-01"], "datetime64[D]"), "datetime64"),
    ],
    ids=lambda value: getattr(value, "dtype", value),
)
def test_numbers_without_a_gradient_are_refused(x, kind):
    with pytest.raises(TypeError, match=rf"my_x (is|holds text) \(?({kind}).*expected .*float32 or float64"):
        as_float(x, "my_x")


@pytest.mark.parametrize("x", [None, np.array([0.5, Fraction(1, 2)], dtype=object), np.array(["a"], dtype=object)])
def test_objects_that_are_no_fractions_are_refused(x):
    with pytest.raises(TypeError, match=r"my_x holds \w+, expected numbers, or fractions throughout"):
        as_float(x, "my_x")


def test_one_image_without_a_batch_gets_the_hint():
    with pytest.raises(ValueError, match=r"x has 3 axes, shape \(3, 8, 8\).*\(N, C, H, W\).*batch of one, x\[None\]"):
        as_float(np.ones((3, 8, 8)), "x", "N C H W")


@pytest.mark.parametrize("axes", ["N", "outputs inputs", "N C H W"])
def test_a_wrong_number_of_axes_is_refused(axes):
    expected = rf"expected {len(axes.split())}, \({axes.replace(' ', ', ')}\)"
    with pytest.raises(ValueError, match=rf"x has 5 axes, shape \(1, 1, 1, 1, 1\); {expected}") as error:
        as_float(np.ones((1,) * 5), "x", axes)
    assert "x[None]" not in str(error.value)  # the hint is for one image only


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (2, 0, 8, 8), (2, 3, 8, 0)], ids=str)
def test_nothing_to_calculate_with_is_refused(shape):
    with pytest.raises(ValueError, match="x is empty, shape .*at least one image"):
        as_float(np.ones(shape), "x", "N C H W")


def test_an_empty_object_array_is_refused_too():
    with pytest.raises(ValueError, match="x is empty"):
        as_float(np.array([], dtype=object), "x")


def test_fractions_meet_floats_as_floats_and_fractions_as_fractions():
    exact, floats = np.array([Fraction(1, 2)], dtype=object), np.array([0.25], np.float32)
    assert inexact(exact).dtype == np.float64 and inexact(exact).tolist() == [0.5] and inexact(floats) is floats
    assert alike(exact, exact) == (exact, exact)
    x, W = alike(exact, floats)
    assert x.dtype == np.float64 and W is floats


def test_check_shape_names_both_shapes_and_the_way_out():
    check_shape([1, 2], "b", (2,), "one bias an output")
    with pytest.raises(ValueError, match=r"b has shape \(3,\), expected \(2,\): one bias an output"):
        check_shape([1, 2, 3], "b", (2,), "one bias an output")


@pytest.mark.parametrize("value", ["frist", None, 1, ["first"], {"first"}])
def test_check_option_lists_what_is_allowed(value):
    check_option("split", "ties", ("first", "split"))
    with pytest.raises(ValueError, match="ties is .*, expected one of 'first', 'split'"):
        check_option(value, "ties", {"first": 1, "split": 2})


def test_check_dout_wants_the_shape_of_the_output():
    dout = np.ones((2, 3))
    assert check_dout(dout, (2, 3)) is dout
    with pytest.raises(ValueError, match=r"dMc has shape \(2, 3\), expected \(3, 2\)"):
        check_dout(dout, (3, 2), "dMc")


HIDDEN = np.ma.masked_equal([[[[1.0, 2.0], [3.0, 4.0]]]], 3.0)
IMAGES = np.ma.masked_greater(np.arange(48, dtype=np.uint8).reshape(1, 3, 4, 4), 40)
MASKED = {
    "x": lambda: cbam_np.ops.conv2d_forward(HIDDEN, np.ones((1, 1, 1, 1))),
    "W": lambda: cbam_np.ops.linear_forward(np.ones((3, 2)), HIDDEN[0, 0]),
    "gamma": lambda: cbam_np.ops.batch_norm_forward(np.ones((2, 2, 1, 1)), HIDDEN[0, 0, 1], np.ones(2)),
    "b": lambda: cbam_np.ops.conv2d_forward(np.ones((1, 1, 1, 1)), np.ones((2, 1, 1, 1)), HIDDEN[0, 0, 1]),
    "labels": lambda: cbam_np.ops.softmax_cross_entropy_forward(np.ones((2, 3)), np.ma.masked_equal([0, 1], 0)),
    "F": lambda: cbam_np.trace_cbam(np.ma.masked_equal(cbam_np.lecture.F, 2), cbam_np.lecture.parameters()),
    "images": lambda: cbam_np.SmallCNN(None, rng=np.random.default_rng(0), channels=(4,)).predict(IMAGES),
}


@pytest.mark.parametrize("name", MASKED)
def test_numbers_behind_a_mask_are_not_used_in_silence(name):
    with pytest.raises(TypeError, match=f"^{name} hides numbers behind a mask, expected all of them: fill it"):
        MASKED[name]()


def test_a_mask_that_hides_nothing_is_no_matter():
    assert np.array_equal(unmasked(np.ma.masked_equal([1.0, 2.0], 7.0), "x"), [1, 2])


@pytest.mark.parametrize(
    "forward",
    [
        lambda c: cbam_np.ops.conv2d_forward(np.ones((1, 1, 2, 2)), np.ones((2, 1, 1, 1)), c),
        lambda c: cbam_np.ops.batch_norm_forward(np.ones((2, 2, 2, 2)), c, np.ones(2)),
        lambda c: cbam_np.ops.batch_norm_forward(np.ones((2, 2, 2, 2)), np.ones(2), np.ones(2), (c, np.ones(2))),
        lambda c: cbam_np.trace_cbam(cbam_np.lecture.F + 0 * c[0], cbam_np.lecture.parameters()),
    ],
)
def test_no_imaginary_part_is_thrown_away(forward):
    with pytest.raises(TypeError, match=r"is complex128, expected real numbers: float32 or float64"):
        forward(np.full(2, 1j))


@pytest.mark.parametrize("dtype", [">f4", ">f8"])
def test_bytes_in_another_order_are_turned_round(dtype):
    x = np.array([1.5, -2.0], dtype)
    assert as_float(x, "x").dtype.isnative and as_float(x, "x").tolist() == x.tolist()
    assert gelu_forward(x)[0].tolist() == gelu_forward(x.astype(x.dtype.newbyteorder("=")))[0].tolist()
