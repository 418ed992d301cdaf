"""The slides' numbers, what follows them, and a kernel that no mistake leaves unnoticed."""

from fractions import Fraction

import numpy as np
import pytest

from cbam_np import lecture
from cbam_np.cbam import cbam_forward, spatial_attention_forward
from cbam_np.gradcheck import numerical_gradient, relative_error
from cbam_np.ops import conv2d_forward


def test_the_matrices_of_step_0():
    assert lecture.F.tolist() == [
        [[1, 0, 1], [2, 1, 0], [0, 2, 1]],
        [[0, 1, 0], [1, 1, 2], [2, 0, 1]],
        [[2, 2, 1], [0, 1, 0], [1, 1, 2]],
    ]


def test_channel_1_of_the_slides_and_the_other_two():
    trace = lecture.trace()
    assert trace["F_avg"].value.tolist() == [Fraction(8, 9), Fraction(8, 9), Fraction(10, 9)]
    assert trace["F_max"].value.tolist() == [2, 2, 2]
    assert trace["z_avg[1]"].value == Fraction(4, 9) and trace["z_max[1]"].value == 1
    assert trace["z_c"].value.tolist() == [Fraction(13, 9), Fraction(13, 9), Fraction(14, 9)]
    np.testing.assert_allclose(trace["M_c"].value, 1 / (1 + np.exp([-13 / 9, -13 / 9, -14 / 9])), rtol=1e-15)
    assert [round(value, 3) for value in trace["M_c"].value] == [0.809, 0.809, 0.826]


def test_every_slide_number_matches_and_how():
    trace = lecture.trace()
    verdicts = {(n.name, n.printed): lecture.match(n, trace) for n in lecture.SLIDE_NUMBERS}
    assert len(verdicts) == 36
    assert verdicts["F_avg[1]", "8/9"] == "exact"
    assert verdicts["F_avg[1]", "0.89"] == "rounded"
    assert verdicts["z_avg[1]", "0.445"] == "follows"
    assert verdicts["z_c[1]", "1.445"] == "follows"
    assert verdicts["M_c[1]", "0.81"] == "rounded"
    assert "differs" not in verdicts.values()


@pytest.mark.parametrize(
    ("name", "printed"), [("F_avg[1]", "7/9"), ("M_c[1]", "0.82"), ("z_c[1]", "1.454"), ("F_max[1]", "1")]
)
def test_a_wrong_slide_number_is_noticed(name, printed):
    assert lecture.match(lecture.SlideNumber(name, printed, "Step 1"), lecture.trace()) == "differs"


def test_the_slides_rounded_chain():
    chain = lecture.slide_chain()
    assert chain["z_avg[1]"] == Fraction("0.445") and chain["z_c[1]"] == Fraction("1.445")
    assert round(chain["M_c[1]"], 2) == 0.81


def test_the_shared_mlp_mixes_channels_and_its_relu_acts():
    trace = lecture.trace("shared")
    assert trace["W0"].shape == (1, 3) and trace["W1"].shape == (3, 1)
    assert trace["h_avg"].value.tolist() == [Fraction(-4, 9)] and trace["a_avg"].value.tolist() == [0]
    assert trace["z_c"].value.tolist() == [1, Fraction(1, 2), -1]
    assert trace["dF_avg"].value.tolist() == [0, 0, 0]


def weights_of_channels(F, mlp):
    params = {name: W.astype(float) for name, W in lecture.parameters(mlp).items()}
    return cbam_forward(F[None].astype(float), params)[1].Mc[0, :, 0, 0]


def test_whatever_number_is_changed_all_of_the_mixing_mlp_s_weights_move():
    before = weights_of_channels(lecture.F, "mixing")
    for index in np.ndindex(lecture.F.shape):
        for value in {-9, -1, 0, 1, 2, 3, 5, 9} - {int(lecture.F[index])}:
            F = lecture.F.copy()
            F[index] = value
            assert (np.abs(weights_of_channels(F, "mixing") - before) > 0.001).all(), (index, value)
    F = lecture.F.copy()
    F[0, 0, 0] = 2  # with the other shared MLP, nothing is to be seen: its average branch is stopped
    assert (weights_of_channels(F, "shared") == weights_of_channels(lecture.F, "shared")).all()


def test_unknown_reading_of_the_mlp():
    with pytest.raises(ValueError, match="mlp is 'both', expected 'slides', 'shared' or 'mixing'"):
        lecture.parameters("both")


def _scores(Fs, W7, mode="constant"):
    return conv2d_forward(np.pad(Fs, ((0, 0), (0, 0), (3, 3), (3, 3)), mode=mode), W7)[0]


def test_the_six_entries_of_the_kernel():
    W7 = lecture.kernel()[0]
    entries = {tuple(int(i) + 1 for i in at): str(W7[tuple(at)]) for at in np.argwhere(W7)}
    average = {(1, 4, 4): "1", (1, 4, 5): "1/2", (1, 6, 3): "-1/2"}
    assert entries == average | {(2, 4, 4): "-1", (2, 5, 4): "1/4", (2, 3, 3): "1/2"}


def test_the_gradient_from_above():
    d = lecture.upstream()
    entries = {tuple(int(i) + 1 for i in at): int(d[tuple(at)]) for at in np.argwhere(d)}
    first, second = {(1, 1, 1): 1, (1, 2, 2): 2, (1, 3, 3): -1}, {(2, 1, 2): 1, (2, 2, 1): -1, (2, 2, 3): 1}
    assert entries == first | second | {(3, 1, 1): 1, (3, 1, 3): 2, (3, 3, 2): -1, (3, 3, 3): 1}


def test_every_mistake_with_the_kernel_gives_other_numbers():
    W7 = lecture.kernel().astype(float)
    params = {name: W.astype(float) for name, W in lecture.parameters().items()}
    _, cache = cbam_forward(lecture.F[None], params)
    Fs = cache.spatial.Fs
    np.testing.assert_allclose(_scores(Fs, W7), cache.z_s, rtol=1e-12)
    mistakes = {
        "flipped": _scores(Fs, W7[:, :, ::-1, ::-1]),
        "transposed": _scores(Fs, W7.swapaxes(2, 3)),
        "maps swapped": _scores(Fs[:, ::-1], W7),
        "average twice": _scores(Fs[:, [0, 0]], W7),
        "padded with edges": _scores(Fs, W7, mode="edge"),
        "made from F": spatial_attention_forward(lecture.F[None], params)[1].z_s,
        "spatial first": cbam_forward(lecture.F[None], params, order="spatial-channel")[1].z_s,
    }
    for name, z_s in mistakes.items():
        different = np.abs(z_s - cache.z_s) > 0.0015  # visible with three decimals
        assert different.mean() > 0.75, name


@pytest.mark.parametrize("mlp", ["slides", "shared"])
def test_the_backward_pass_agrees_with_finite_differences(mlp):
    trace = lecture.trace(mlp)
    params = {name: W.astype(float) for name, W in lecture.parameters(mlp).items()}
    F, dout = lecture.F[None].astype(float), lecture.upstream()[None].astype(float)
    for name in params:
        by_hand = trace[f"d{name}"].value.reshape(params[name].shape)
        numerical = numerical_gradient(lambda W, name=name: cbam_forward(F, params | {name: W})[0], params[name], dout)
        assert relative_error(by_hand, numerical) < 1e-8, name
    with pytest.warns(UserWarning, match="kink inside the step at 7 of 27 entries"):
        numerical = numerical_gradient(lambda x: cbam_forward(x, params)[0], F, dout)[0]
    tied = lecture.F.max(axis=(1, 2), keepdims=True) == lecture.F
    assert tied.sum() == 7
    assert relative_error(trace["dF"].value[~tied], numerical[~tied]) < 1e-8
