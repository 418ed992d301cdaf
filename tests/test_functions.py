"""A student's function is told right from wrong, and the mistake in it is named."""

import json
import sys
from functools import partial

import numpy as np
import pytest

import cbam_np
from cbam_np.cbam import (
    channel_attention_backward,
    channel_attention_forward,
    get_dialect,
    spatial_attention_backward,
    spatial_attention_forward,
)
from cbam_np.teach.code.cases import Case, make_inputs, with_rules
from cbam_np.teach.code.check import check_function
from cbam_np.teach.mistakes import MISTAKES
from cbam_np.teach.mistakes.code import CODE_MISTAKES

from .helpers import THOROUGH

# --- a student's code, with places for mistakes ---


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def relu(h):
    return np.maximum(h, 0)


def mlp(v, p):
    return relu(v @ p["W0"].T) @ p["W1"].T


def conv(maps, W7, pad=True, flip=False):
    k = W7.shape[-1]
    if pad:
        maps = np.pad(maps, ((0, 0), (0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(maps, (k, k), axis=(2, 3))
    return np.einsum("nmijab,mab->nij", windows, W7[0, :, ::-1, ::-1] if flip else W7[0])[:, None]


def avg_space(x):
    return x.mean(axis=(2, 3))


def max_space(x):
    return x.max(axis=(2, 3))


def channel(x, p, avg=avg_space, top=max_space, add=lambda a, m: a + m, squash=sigmoid):
    return squash(add(mlp(avg(x), p), mlp(top(x), p)))[:, :, None, None]


def spatial(x, p, avg=np.mean, top=np.max, stack=lambda a, m: [a, m], squash=sigmoid, **options):
    maps = stack(avg(x, axis=1, keepdims=True), top(x, axis=1, keepdims=True))
    return squash(conv(np.concatenate(maps, axis=1), p["W7"], **options))


def cbam(x, p, c=channel, s=spatial):
    F1 = x * c(x, p)
    return F1 * s(F1, p)


def names(report):
    return [explanation.name for explanation in report.explanations]


# --- right in many styles ---


def channel_in_loops(x, p):
    """Images, channels and hidden units one by one."""
    N, C, H, W = x.shape
    M = np.zeros((N, C))
    for n in range(N):
        pooled = [[x[n, c].sum() / (H * W) for c in range(C)], [max(x[n, c].ravel()) for c in range(C)]]
        for v in pooled:
            a = [max(sum(w * u for w, u in zip(row, v, strict=True)), 0.0) for row in p["W0"]]
            M[n] += [sum(w * u for w, u in zip(row, a, strict=True)) for row in p["W1"]]
    return 1 / (1 + np.exp(-M))


def channel_einsum(x, p):
    v = np.stack([np.einsum("ncij->nc", x) / x[0, 0].size, x.max((2, 3))])
    z = np.einsum("ch,bnh->nc", p["W1"], relu(np.einsum("hc,bnc->bnh", p["W0"], v)))
    return np.einsum("nc,ncij->ncij", sigmoid(z), x)


def channel_keepdims(x, p):
    v = [pool(x, axis=(2, 3), keepdims=True) for pool in (np.mean, np.max)]
    z = sum(np.tensordot(relu(np.tensordot(u, p["W0"], (1, 1))), p["W1"], (3, 1)) for u in v)
    return sigmoid(np.moveaxis(z, 3, 1))


def spatial_in_loops(x, p):
    N, _, H, W = x.shape
    W7, k = p["W7"], p["W7"].shape[-1]
    M = np.zeros((N, H, W))
    for n, i, j, a, b in np.ndindex(N, H, W, k, k):
        u, v = i + a - k // 2, j + b - k // 2
        if 0 <= u < H and 0 <= v < W:
            M[n, i, j] += W7[0, 0, a, b] * x[n, :, u, v].mean() + W7[0, 1, a, b] * x[n, :, u, v].max()
    return sigmoid(M)


def in_float32(function):
    def short(x, p):
        return function(x.astype(np.float32), {name: W.astype(np.float32) for name, W in p.items()})

    return short


def steps_of_cbam(x, p):
    """Return every step by its name, pooled numbers with axes of length 1."""
    F_avg, F_max = x.mean((2, 3), keepdims=True), x.max((2, 3), keepdims=True)
    z_avg, z_max = mlp(F_avg[:, :, 0, 0], p), mlp(F_max[:, :, 0, 0], p)
    M_c = sigmoid(z_avg + z_max)[:, :, None, None]
    F1 = x * M_c
    M_s = spatial(F1, p)
    return {"F_avg": F_avg, "F_max": F_max, "z_c": z_avg + z_max, "M_c": M_c, "F'": F1, "M_s": M_s, "F''": F1 * M_s}


RIGHT = [
    ("channel", channel),
    ("channel", lambda x, p: x * channel(x, p)),
    ("channel", channel_in_loops),
    ("channel", channel_einsum),
    ("channel", channel_keepdims),
    ("channel", lambda x, p: (channel(x, p), "a cache")),
    ("spatial", spatial),
    ("spatial", lambda x, p: spatial(x, p)[:, 0]),
    ("spatial", lambda x, p: x * spatial(x, p)),
    ("spatial", spatial_in_loops),
    ("cbam", cbam),
    ("cbam", in_float32(cbam)),
    ("cbam", steps_of_cbam),
    ("cbam", lambda x, p: np.stack([cbam(F[None], p)[0] for F in x])),
]


@pytest.mark.parametrize(("what", "f"), RIGHT)
def test_right_functions_in_many_styles(what, f):
    report = check_function(f, what)
    assert report.ok and report.first_wrong is None and not report.explanations, str(report)
    assert ": right on 3 inputs (no difference larger than" in str(report) and "backward" not in str(report)
    assert report.largest_difference < 1e-6


OURS = {
    "channel": (channel_attention_forward, channel_attention_backward),
    "spatial": (spatial_attention_forward, spatial_attention_backward),
    "cbam": (cbam_np.cbam_forward, cbam_np.cbam_backward),
}


@pytest.mark.parametrize("what", OURS)
def test_the_projects_own_functions_are_right(what):
    report = check_function(OURS[what][0], what, OURS[what][1])
    assert report.ok and report.backward, str(report)
    assert "right, forward and backward, on 3 inputs (no difference larger than" in " ".join(str(report).split())
    assert report.largest_difference < 1e-14


@pytest.mark.parametrize("order", ["spatial-channel", "parallel", "channel", "spatial"])
@pytest.mark.parametrize("ties", ["first", "split", ("first", "split"), ("split", "first")])
def test_dialects(order, ties):
    options = {"order": order, "ties": ties, "mlp_bias": order != "spatial", "channel_pools": ("max", "avg")}

    def forward(x, params):
        return cbam_np.cbam_forward(x, params, **options)

    report = check_function(forward, backward=cbam_np.cbam_backward, **options)
    assert report.ok and not report.notes


def normalised_forward(x, params, dialect="timm"):
    out, cache = cbam_np.cbam_forward(x, params, dialect)
    s = cache.spatial
    return {"M_c": cache.Mc, "y_s": s.y_s, "z_s": s.z_s, "F''": out}, cache


def normalised_backward(dout, cache):
    g = cbam_np.cbam_gradients(dout, cache)
    return g.dF, g.params | {"dz_s": g.spatial.dz_s, "dy_s": g.spatial.dy_s}


@pytest.mark.parametrize("dialect", ["official", "timm", "timm-light"])
def test_a_normalisation_is_compared_step_by_step_with_the_statistics_of_the_batch(dialect):
    report = check_function(partial(normalised_forward, dialect=dialect), "cbam", normalised_backward, dialect=dialect)
    assert report.ok and report.backward, str(report)


def test_a_mistake_in_the_normalisation_is_named():
    def forward(x, params):
        steps, cache = normalised_forward(x, params)
        y = steps["y_s"]
        z = params["gamma"] * (y - y.mean()) / (y.var() + 1e-5) + params["beta"]
        return {"y_s": y, "z_s": z}

    assert names(check_function(forward, "cbam", dialect="timm")) == ["divided by the variance instead of its root"]

    def constant_statistics(dout, cache):
        dx, grads = normalised_backward(dout, cache)
        norm = cache.spatial.c_norm
        return dx, {"dz_s": grads["dz_s"], "dy_s": grads["dz_s"] * norm.gamma / np.sqrt(norm.var + 1e-5)}

    def right(x, params):
        return cbam_np.cbam_forward(x, params, "timm")

    report = check_function(
        lambda x, p: ({"F''": right(x, p)[0]}, right(x, p)[1]), "cbam", constant_statistics, dialect="timm"
    )
    assert report.first_wrong == "dy_s"
    assert names(report) == ["mean and variance taken as constants on the way back"]


def test_a_dialect_with_another_rule_for_ties_over_channels_says_what_differs():
    def forward(x, params):
        return cbam_np.cbam_forward(x, params, ties=("first", "first"))

    report = check_function(forward, backward=cbam_np.cbam_backward, ties=("first", "split"))
    assert report.ok
    (note,) = report.notes
    assert "over channels to the first of them; the dialect gives it over channels to all of them" in note
    assert "over space" not in note


# --- wrong, forward ---


def twice(pool):
    return lambda x, p: channel(x, p, pool, pool)


def argmax_space(x):
    return x.reshape(*x.shape[:2], -1).argmax(axis=2).astype(float)


def argmax_channels(x, axis, keepdims):
    return x.argmax(axis=axis, keepdims=keepdims).astype(float)


def other_order(x, p):
    F1 = x * spatial(x, p)
    return F1 * channel(F1, p)


def parallel(x, p):
    return x * channel(x, p) * spatial(x, p)


def softmax(axis):
    return lambda z: np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)


def one_for_all_channels(x):
    return np.broadcast_to(x.mean(axis=(1, 2, 3))[:, None], x.shape[:2])


def over_the_batch(x):
    return np.broadcast_to(x.mean(axis=(0, 2, 3)), x.shape[:2])


def max_of_rows(x):
    return x.max(axis=(1, 2))  # (N, W) instead of (N, C)


def along_the_rows(x, p):
    return x * channel(x, p)[:, :, 0, 0][:, None, None, :]


def no_transpose(x, p):
    return sigmoid(sum(relu(v @ p["W0"]) @ p["W1"].T for v in (avg_space(x), max_space(x))))


WRONG = [
    ("channel", twice(avg_space), "the average over space taken twice"),
    ("channel", twice(max_space), "the maximum over space taken twice"),
    ("channel", lambda x, p: channel(x, p, top=argmax_space), "the maximum's place instead of its value, over space"),
    ("channel", lambda x, p: channel(x, p, add=lambda a, m: a), "the maximum's branch missing"),
    ("channel", lambda x, p: channel(x, p, add=lambda a, m: (a + m) / 2), "the branches averaged instead of added"),
    ("channel", lambda x, p: channel(x, p, squash=lambda z: z), "the channel sigmoid forgotten"),
    ("channel", lambda x, p: channel(x, p, squash=softmax(1)), "softmax instead of the channel sigmoid"),
    ("channel", lambda x, p: channel(x, p, squash=softmax(0)), "softmax over the batch"),
    ("channel", lambda x, p: mlp(avg_space(x) + max_space(x), p) * 0 + x.sum(), None),
    (
        "channel",
        lambda x, p: sigmoid(mlp(avg_space(x) + max_space(x), p)),
        "the pools added before the MLP",
    ),
    ("channel", lambda x, p: x + channel(x, p), "M_c added instead of multiplied"),
    (
        "channel",
        lambda x, p: channel(x, p, avg=over_the_batch),
        "pooled over the batch as well, in the channel submodule",
    ),
    (
        "channel",
        lambda x, p: channel(x, p, avg=one_for_all_channels),
        "pooled over the channels as well, in the channel submodule",
    ),
    ("channel", lambda x, p: channel(x, p, top=max_of_rows), "pooled over the wrong axes in the channel submodule"),
    ("channel", along_the_rows, "M_c along rows or columns instead of channels"),
    ("channel", no_transpose, "W_0 transposed"),
    ("channel", in_float32(twice(avg_space)), "the average over space taken twice"),
    ("spatial", lambda x, p: spatial(x, p, squash=lambda z: z), "the spatial sigmoid forgotten"),
    ("spatial", lambda x, p: spatial(x, p, flip=True), "the kernel flipped"),
    ("spatial", lambda x, p: spatial(x, p, top=np.mean), "the average over channels taken twice"),
    (
        "spatial",
        lambda x, p: spatial(x, p, top=argmax_channels),
        "the maximum's place instead of its value, over channels",
    ),
    ("spatial", lambda x, p: spatial(x, p, squash=softmax((2, 3))), "softmax instead of the spatial sigmoid"),
    (
        "spatial",
        lambda x, p: sigmoid(conv(np.stack([x.mean(-1), x.max(-1)], axis=1), p["W7"])),
        "pooled over the wrong axis in the spatial submodule",
    ),
    ("cbam", parallel, "the spatial step taken on F instead of F', as if in parallel"),
    ("cbam", lambda x, p: x * channel(x, p), "M_s not multiplied"),
    ("cbam", lambda x, p: cbam(x, p, c=twice(avg_space)), "the average over space taken twice"),
    ("cbam", lambda x, p: x + cbam(x, p), "the input added at the end"),
    ("cbam", lambda x, p: np.cos(x) * cbam(x, p), None),
    ("cbam", lambda x, p: x * spatial(x * channel(x, p), p), "M_s multiplied onto F instead of F'"),
]


def one_in_four(rows):
    """Mark the rows that `make test` leaves out: a search of half a second each."""
    return [row if at % 4 == 0 else pytest.param(*row, marks=pytest.mark.slow) for at, row in enumerate(rows)]


@pytest.mark.parametrize(("what", "f", "name"), one_in_four(WRONG))
def test_a_mistake_is_named(what, f, name):
    report = check_function(f, what)
    assert not report.ok
    assert report.first_wrong in ("M_c", "M_s", "F'", "F''")
    assert name in names(report) if name else not names(report), str(report)
    assert ("Same result as: " in str(report)) == bool(name)
    assert ("Neither a known mistake nor two" in str(report)) == (not name)


@pytest.mark.parametrize(
    ("f", "mistake", "choice"),
    [
        (
            lambda x, p: cbam(x, p, s=lambda x, p: spatial(x, p, stack=lambda a, m: [m, a])),
            "average and maximum map swapped in the concatenation",
            "maps in the order [max; avg]",
        ),
        (other_order, "spatial attention before channel attention", "spatial attention before channel attention"),
    ],
)
def test_a_legitimate_choice_is_a_mistake_only_where_a_dialect_is_asked_for(f, mistake, choice):
    held = check_function(f, dialect="paper")
    assert not held.ok and mistake in names(held)
    free = check_function(f)
    assert free.ok and [c.name for c in free.choices] == [choice] and not free.explanations, str(free)
    assert free.dialect is None and "nearest to" in free.whose


def test_a_mistake_is_named_alone_where_nothing_else_gives_the_same():
    assert names(check_function(twice(avg_space), "channel")) == ["the average over space taken twice"]
    assert names(check_function(lambda x, p: spatial(x, p, flip=True), "spatial")) == ["the kernel flipped"]


PAIRS = [
    (
        lambda x, p: cbam(x, p, lambda x, p: channel(x, p, add=lambda a, m: (a + m) / 2), twice_spatial),
        {"the branches averaged instead of added", "the average over channels taken twice"},
    ),
    (
        lambda x, p: cbam(x, p, twice(max_space), lambda x, p: spatial(x, p, squash=lambda z: z)),
        {"the maximum over space taken twice", "the spatial sigmoid forgotten"},
    ),
    (
        lambda x, p: cbam(x, p, s=lambda x, p: spatial(x, p, stack=lambda a, m: [m, a], flip=True)),
        {"average and maximum map swapped in the concatenation", "the kernel flipped"},
    ),
]


def twice_spatial(x, p):
    return spatial(x, p, top=np.mean)


@pytest.mark.parametrize(("f", "both"), [PAIRS[0], *(pytest.param(*row, marks=pytest.mark.slow) for row in PAIRS[1:])])
def test_two_mistakes_are_named(f, both):
    report = check_function(f)
    assert any({m.name for m in e.hypotheses} == both for e in report.explanations), str(report)


@pytest.mark.slow
def test_what_no_pair_explains_is_not_guessed():
    assert not check_function(lambda x, p: np.sin(x)).explanations


def test_the_report_says_where():
    report = check_function(twice(avg_space), "channel")
    where = "channel attention: wrong on 3 of 3 inputs; first at M_c[1] of image 1, input 1: yours 0."
    assert " ".join(str(report).split()).startswith(where)
    lines = str(report).splitlines()
    at = lines.index("Same result as: the average over space taken twice")
    assert lines[at + 1] == "    The maximum over space was not taken: the average stands in both places."
    html = report._repr_html_()
    assert "<strong>channel attention:</strong> wrong" in html and "the average over space taken twice</strong>" in html
    table = json.loads(json.dumps(report.to_dict()))
    assert (table["ok"], table["first_wrong"], table["inputs"][1]) == (False, "M_c", [3, 6, 4, 5])
    assert table["explanations"][0]["name"] == "the average over space taken twice"


# --- steps ---


def with_steps(**changes):
    return lambda x, p: steps_of_cbam(x, p) | {name: make(x, p) for name, make in changes.items()}


def test_the_first_wrong_step_is_found():
    def f(x, p):
        F_avg, F_max = avg_space(x), max_space(x)
        z = relu(F_avg @ p["W0"].T) @ p["W1"].T + relu(F_max @ p["W0"].T) @ p["W1"].T
        M = 1 / (1 + np.exp(z))
        return {"F_max": F_max, "F_avg": F_avg, "z_c": z, "M_c": M, "F'": x * M[:, :, None, None]}

    report = check_function(f)
    assert report.first_wrong == "M_c"
    assert names(report) == ["the sign in the channel sigmoid"] and report.whole
    assert [c.name for c in report.wrong if c.number == 1] == ["M_c", "F'"]


def test_a_mistake_before_steps_that_are_right_is_not_named():
    """z_c is right, so that nothing before it can have gone wrong, though M_c alone could be explained by it."""
    report = check_function(with_steps(M_c=twice(avg_space)))
    assert report.first_wrong == "M_c" and "the average over space taken twice" not in names(report)
    alone = check_function(lambda x, p: {"M_c": twice(avg_space)(x, p)})
    assert names(alone) == ["the average over space taken twice"]


def test_the_first_mistake_is_named_where_the_next_is_unknown():
    def f(x, p):
        M = twice(avg_space)(x, p)
        return {"M_c": M, "F'": np.sin(x * M), "F''": x}

    report = check_function(f)
    assert report.first_wrong == "M_c" and names(report) == ["the average over space taken twice"] and not report.whole
    assert "As far as M_c, same result as: the average over space taken twice" in str(report)


def test_a_step_of_the_wrong_shape_is_named():
    report = check_function(lambda x, p: {"F_avg": avg_space(x), "M_c": channel(x, p).mean(0), "F'": x})
    assert report.wrong[0].name == "F'" and report.first_wrong == "M_c"
    assert "M_c has the shape (6, 1, 1), expected (3, 6, 1, 1): the batch axis is missing" in report.problems[1]


def test_two_mistakes_in_two_steps_are_both_named():
    def f(x, p):
        M = twice(avg_space)(x, p)
        F1 = x * M
        Ms = spatial(F1, p, flip=True)
        return {"M_c": M, "M_s": Ms, "F''": F1 * Ms}

    (explanation,) = check_function(f).explanations
    assert {m.name for m in explanation.hypotheses} == {"the average over space taken twice", "the kernel flipped"}


def test_the_slides_names_of_the_spatial_maps_are_read():
    report = check_function(lambda x, p: {"F'_avg": x.mean(1) * 2, "F'_max": x.max(1)}, "spatial")
    assert report.first_wrong == "Fs_avg"


# --- wrong, backward ---


def forward(x, p):
    """CBAM, with everything that backward needs."""
    F_avg, F_max = avg_space(x), max_space(x)
    h = [v @ p["W0"].T for v in (F_avg, F_max)]
    a = [relu(u) for u in h]
    Mc = sigmoid(sum(u @ p["W1"].T for u in a))
    F1 = x * Mc[:, :, None, None]
    Fs = np.stack([F1.mean(1), F1.max(1)], axis=1)
    Ms = sigmoid(conv(Fs, p["W7"]))
    return F1 * Ms, (x, p, F_avg, F_max, h, a, Mc, F1, Fs, Ms)


def first(x, axes):
    """Tell where the first maximum over the axes is."""
    rest = [i for i in range(x.ndim) if i not in axes]
    flat = np.transpose(x, [*rest, *axes]).reshape(*[x.shape[i] for i in rest], -1)
    mask = np.arange(flat.shape[-1]) == flat.argmax(-1)[..., None]
    return np.transpose(mask.reshape([x.shape[i] for i in (*rest, *axes)]), np.argsort([*rest, *axes]))


def split(x, axes):
    mask = x == x.max(axis=axes, keepdims=True)
    return mask / mask.sum(axis=axes, keepdims=True)


def every(x, axes):
    return x == x.max(axis=axes, keepdims=True)


def last(x, axes):
    return np.flip(first(np.flip(x, axes), axes), axes)


class Backward:
    """The way back through CBAM, with a place for every mistake."""

    winner = staticmethod(first)
    slope_s = staticmethod(lambda M: M * (1 - M))
    slope_c = staticmethod(lambda M: M * (1 - M))
    both, direct, through, mask, turned, flipped, average = True, True, True, True, False, True, 1.0
    weights = staticmethod(lambda per_image: per_image.sum(axis=0))

    def __init__(self, **mistakes):
        vars(self).update(mistakes)

    def __call__(self, dout, cache):
        x, p, F_avg, F_max, h, a, Mc, F1, Fs, Ms = cache
        (_, C, H, W), W7, k = x.shape, p["W7"], p["W7"].shape[-1]
        dz = (dout * F1).sum(1) * self.slope_s(Ms[:, 0])
        padded = np.pad(Fs, ((0, 0), (0, 0), (k // 2, k // 2), (k // 2, k // 2)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))
        dW7 = self.weights(np.einsum("nij,nmijab->nmab", dz, windows))[None]
        kernel = W7[:, :, ::-1, ::-1] if self.flipped else W7
        dFs = np.stack([conv(dz[:, None], kernel[:, m : m + 1])[:, 0] for m in (0, 1)], axis=1)
        if self.turned:
            dFs = dFs[:, ::-1]
        dF1 = dout * Ms * self.direct
        dF1 = dF1 + self.through * (dFs[:, :1] / C + dFs[:, 1:] * self.winner(F1, (1,)))
        dzc = (dF1 * x).sum((2, 3)) * self.slope_c(Mc)
        dh = [dzc @ p["W1"] * (u > 0 if self.mask else 1) for u in h]
        dW1 = self.weights(np.einsum("nc,nh->nch", dzc, a[0] + a[1]))
        terms = [np.einsum("nh,nc->nhc", d, v) for d, v in zip(dh, (F_avg, F_max), strict=True)]
        dW0 = self.weights(terms[0] + terms[1] * self.both)
        dv = [d @ p["W0"] for d in dh]
        dx = dF1 * Mc[:, :, None, None] * self.direct + self.average * dv[0][:, :, None, None] / (H * W)
        dx = dx + dv[1][:, :, None, None] * self.winner(x, (2, 3))
        return dx, {"W0": dW0, "W1": dW1, "W7": dW7}


BACKWARD = [
    (Backward(slope_s=lambda M: 1.0), "the sigmoid's derivative forgotten", "dW7"),
    (Backward(slope_c=lambda M: M), "M instead of M (1 - M)", "dW1"),
    (Backward(both=False), "one branch dropped from dW_0", "dW0"),
    (Backward(mask=False), "the ReLU mask forgotten", "dW0"),
    (Backward(through=False), "the product rule's second term forgotten", "dW1"),
    (Backward(flipped=False), "the kernel not flipped on the way back to the maps", "dW1"),
    (Backward(turned=True), "the kernel's halves swapped on the way back", "dW1"),
    (Backward(average=0), "the path through the average forgotten", "dx"),
    (Backward(weights=lambda g: g.mean(axis=0)), "the weights' gradients averaged over the batch", "dW7"),
    (Backward(weights=lambda g: g[-1]), "= instead of += in the loop over the images", "dW7"),
    (Backward(winner=every), "the whole gradient to every one of the tied maxima", "dx"),
]


def test_backward_is_judged():
    for backward in (Backward(), lambda dout, cache: Backward()(dout, cache)[0]):
        report = check_function(forward, backward=backward)
        assert report.ok and report.backward and not report.notes, str(report)


@pytest.mark.parametrize(("backward", "name", "step"), BACKWARD, ids=[name for _, name, _ in BACKWARD])
def test_a_mistake_on_the_way_back_is_named(backward, name, step):
    report = check_function(forward, backward=backward)
    assert not report.ok and report.first_wrong == step
    assert names(report)[0] == name, str(report)
    assert "CBAM, backward: wrong on" in str(report)


def test_two_mistakes_on_the_way_back():
    report = check_function(forward, backward=Backward(both=False, slope_s=lambda M: 1.0))
    (explanation,) = report.explanations
    assert {m.name for m in explanation.hypotheses} == {
        "the sigmoid's derivative forgotten",
        "one branch dropped from dW_0",
    }


@pytest.mark.parametrize(("winner", "word"), [(split, "to all of them in even parts"), (last, "to the last of them")])
def test_another_rule_for_ties_is_a_note(winner, word):
    report = check_function(forward, backward=Backward(winner=winner))
    assert report.ok and not report.explanations
    (note,) = report.notes
    assert f"over space {word} and over channels {word}; the dialect gives it over space to the first" in note
    assert note[:30] in str(report)
    assert not check_function(forward, backward=Backward(winner=first), ties="first").notes


def test_a_mistake_is_named_whatever_the_rule_for_ties():
    report = check_function(forward, backward=Backward(winner=last, both=False))
    assert names(report) == ["one branch dropped from dW_0"]


def test_steps_on_the_way_back():
    def backward(dout, cache):
        dx, grads = Backward(slope_s=lambda M: 1.0)(dout, cache)
        x, _, _, _, _, _, _, F1, _, Ms = cache
        return dx, grads | {"dM_s": (dout * F1).sum(1, keepdims=True), "dz_s": (dout * F1).sum(1)}

    report = check_function(forward, backward=backward)
    assert report.first_wrong == "dz_s" and names(report) == ["the sigmoid's derivative forgotten"]


def test_backward_of_a_map_takes_the_maps_gradient():
    def backward(dM, cache):
        dF, grads = channel_attention_backward(dM, cache)
        return dF, grads | {"W0": grads["W0"] * 0 + channel_attention_backward(dM, cache)[1]["W0"]}

    assert check_function(channel_attention_forward, "channel", backward).ok
    report = check_function(
        channel_attention_forward, "channel", lambda dM, c: channel_attention_backward(dM / (c.Mc * (1 - c.Mc)), c)
    )
    assert names(report) == ["the sigmoid's derivative forgotten"]


def test_backward_is_not_judged_where_forward_is_wrong():
    report = check_function(lambda x, p: (parallel(x, p), None), backward=lambda dout, cache: dout)
    assert names(report) and not report.backward
    assert "The backward pass is not judged" in str(report)


# --- every mistake in the catalogue ---


class Making:
    """A function that makes a mistake of the catalogue, on whatever input."""

    def __init__(self, mistake, what, dialect):
        self.mistake, self.dialect, self.what = mistake, dialect, what

    def images(self, case):
        found = []
        for calculation in case.calculations():
            _, variant, change = next(iter(self.mistake.occurrences(calculation)), (None, None, None))
            assert variant, "could not be broadcast"
            found.append(change)
        self.way = "backward" if next(iter(found[0])).startswith("d") else "forward"
        return with_rules(case.images, found)

    def forward(self, x, params):
        case = Case(x, params, self.dialect, np.random.default_rng(1))
        images = case.images if self.way == "backward" else self.images(case)
        return case.value(case.output, images), case

    def backward(self, dout, case):
        for given, d in zip(case.given, dout, strict=True):
            given[f"d{case.output}"] = d
        case.__dict__.pop("images", None)
        images = self.images(case)
        return case.value("dF", images), {
            name: case.value(f"d{name}", images) for name in case.params if f"d{name}" in case.steps
        }

    def applies(self):
        """Tell whether the mistake can be made on one of the inputs, and on the way on or back."""
        for x, params in make_inputs(self.dialect, None, None, None, np.random.default_rng(0)):
            case = Case(x, params, self.dialect, np.random.default_rng(1))
            if self.mistake.occurrences(case.calculations()[0]):
                self.images(case)
                return True
        return False


NOT_TO_BE_TOLD = {  # in exact numbers and shapes
    "average and maximum over space changed places": "both are added up",
    "an index counted from 0": "a slip of the pen",
    "an index one too low": "a slip of the pen",
    "padding forgotten": "the shape is another one",
    "another rule for ties": "a choice",
}


@pytest.mark.parametrize("what", ["channel", "spatial", "cbam"])
@pytest.mark.slow
def test_every_mistake_in_the_catalogue_is_found(what):
    options = {"mlp_bias": what == "channel"} | ({} if what == "cbam" else {"order": what})
    dialect, told = get_dialect("paper", **options), 0
    for mistake in (*MISTAKES, *CODE_MISTAKES)[:: 1 if THOROUGH else 4]:
        function = Making(mistake, what, dialect)
        if mistake.name in NOT_TO_BE_TOLD or not function.applies():
            continue
        if what == "cbam" and not (mistake.needs == "M_c M_s" or "the" not in mistake.name):
            continue  # seen in one of the others
        backward = function.backward if function.way == "backward" else None
        report = check_function(function.forward, what, backward, **options)
        assert mistake.name in names(report), f"{mistake.name}: {report}"
        told += 1
    assert told > {"channel": 60, "spatial": 40, "cbam": 10}[what] / (1 if THOROUGH else 6)


# --- what cannot be compared is said in words ---


def raises(x, p):
    v = x.mean(axis=(2, 3))
    return v @ p["W0"] if x.shape[0] == 3 else undefined  # noqa: F821


def in_place(x, p):
    x *= channel(x, p)
    return x


def spoils_params(x, p):
    p["W0"][:] = 0
    return channel(x, {**p, "W0": np.zeros_like(p["W0"])})


PROBLEMS = [
    ("channel", raises, ["NameError in raises, line", "`return v @", "name 'undefined' is not defined"]),
    ("channel", raises, ["on input 2 (3, 6, 4, 5): ValueError in raises", "v @ W0.T"]),
    ("channel", lambda x, W0, W1: x, ["cannot be called as f(x, params)", "pass a lambda"]),
    ("channel", lambda x, p: None, ["the output is None: is the return statement missing?"]),
    ("channel", lambda x, p: x.tolist(), ["the output is of type list, expected a NumPy array"]),
    ("channel", lambda x, p: (x, x, x), ["a tuple of 3, expected the output, or (output, cache)"]),
    ("channel", lambda x, p: x * np.nan, ["the output has 54 of 54 entries that are NaN or infinite"]),
    ("channel", lambda x, p: x + 1j, ["complex128, expected real numbers"]),
    ("channel", lambda x, p: {}, ["the dict of steps is empty"]),
    ("channel", lambda x, p: {"F_average": avg_space(x)}, ["there is no step 'F_average'", "F_avg"]),
    ("channel", lambda x, p: {"F_avg": x.mean(), "M_c": None}, ["F_avg has the shape ()", "M_c is None"]),
    (
        "channel",
        lambda x, p: channel(x, p)[0],
        ["(6, 1, 1), expected (3, 6, 4, 5), or (3, 6, 1, 1): the batch axis is missing"],
    ),
    ("channel", lambda x, p: np.moveaxis(x, 1, 3), ["(3, 4, 5, 6)", "its axes are in another order"]),
    ("cbam", lambda x, p: channel(x, p), ["is it an attention map that was not multiplied on yet?"]),
    ("spatial", lambda x, p: spatial(x, p, pad=False), ["(3, 1, 2, 3)", "padding was forgotten, k // 2 = 1"]),
    ("spatial", lambda x, p: x * spatial(x, p)[:, 0], ["could not be broadcast together", "keepdims=True"]),
    ("channel", lambda x, p: x * channel(x, p)[..., 0], ["could not be broadcast", "(N, C, 1, 1)"]),
    ("cbam", lambda x, p: cbam(x, p)[:, None] * np.ones((1, 2, 1, 1, 1)), ["keepdims=True keeps them"]),
    ("channel", in_place, ["the function has changed its argument x: write `a = a * b`"]),
    ("channel", spoils_params, ["the function has changed its argument params"]),
]


@pytest.mark.parametrize(("what", "f", "words"), PROBLEMS)
def test_what_cannot_be_compared_is_said(what, f, words):
    report = check_function(f, what)
    assert not report.ok and report.first_wrong
    for word in words:
        assert any(word in problem for problem in report.problems), report.problems
    assert "Traceback" not in str(report) and len(str(report).splitlines()) < 20
    assert report.to_dict()["problems"] == list(report.problems)


def test_a_function_that_writes_to_its_argument_is_wrong_though_its_numbers_are_right():
    report = check_function(in_place, "channel")
    assert not report.wrong and not report.ok and report.first_wrong == "output"
    assert "not right yet" in str(report)


def test_a_backward_pass_without_its_cache():
    report = check_function(cbam, backward=Backward())
    assert report.problems == ("backward needs a cache: let the forward function return (output, cache)",)


def test_a_cache_may_be_anything():
    def f(x, p):
        out, cache = forward(x, p)
        return out, {"all": cache, "k": 3, "nothing": np.nan}

    def back(dout, cache):
        cache["k"] = 4
        return Backward()(dout, cache.pop("all"))

    assert check_function(f, backward=back).ok


BACK_PROBLEMS = [
    (lambda dout, cache: None, "dx is None"),
    (lambda dout, cache: (dout, dout, dout), "expected dx, or (dx, grads) with grads a dict"),
    (lambda dout, cache: dout[0], "dx has the shape (3, 3, 3), expected (2, 3, 3, 3): the batch axis is missing"),
    (lambda dout, cache: 1 / 0, "ZeroDivisionError in"),
    (lambda dout: dout, "cannot be called as backward(dout, cache)"),
    (lambda dout, cache: (Backward()(dout, cache)[0], {"W9": dout}), "there is no step 'W9'"),
    (lambda dout, cache: (Backward()(dout, cache)[0], {"W0": dout}), "dW0 has the shape"),
    (lambda dout, cache: Backward()(np.multiply(dout, 2, out=dout), cache), "has changed its argument dout"),
]


@pytest.mark.parametrize(("backward", "words"), BACK_PROBLEMS)
def test_what_is_wrong_with_backward_is_said(backward, words):
    report = check_function(forward, backward=backward)
    assert not report.ok and any(words in problem for problem in report.problems), report.problems


# --- inputs of one's own ---


def test_own_input_and_own_weights(rng):
    params = cbam_np.init_cbam(8, 4, 5, rng=rng)
    x = rng.normal(size=(2, 8, 6, 7)).astype(np.float32)
    report = check_function(cbam, params=params, x=x)
    assert report.ok and report.shapes == ((2, 8, 6, 7),) and "on 1 input (" in str(report)
    assert check_function(cbam, params=params).shapes == ((2, 8, 3, 3), (3, 8, 4, 5), (1, 8, 3, 5))
    assert check_function(cbam, x=np.arange(54).reshape(1, 6, 3, 3), reduction=3).ok
    assert check_function(cbam, reduction=16).shapes[0][1] == 32
    assert "as if in parallel" in names(check_function(parallel, params=params, x=x))[0]


def test_an_input_with_ties_only():
    x = np.full((1, 4, 2, 2), -1.0)
    x[:, :2, :, 0] = 1
    assert check_function(forward, backward=Backward(winner=split), x=x).ok
    report = check_function(forward, backward=Backward(winner=every), x=x)
    assert names(report) == ["the whole gradient to every one of the tied maxima"]


def test_other_weights_for_the_maximum(rng):
    params = cbam_np.init_cbam(4, 2, 3, rng=rng)
    params |= {f"{name}_max": rng.normal(size=params[name].shape) for name in ("W0", "W1")}

    def f(x, p):
        own = {"W0": p["W0_max"], "W1": p["W1_max"]}
        return sigmoid(mlp(avg_space(x), p) + mlp(max_space(x), own))

    assert names(check_function(f, "channel", params=params)) == ["an MLP for each branch"]
    assert check_function(channel, "channel", params=params).ok


def test_inputs_come_from_the_generator():
    seen = []
    for seed in (0, 0, 1):
        seen.append([])
        check_function(lambda x, p: seen[-1].append(x) or cbam(x, p), rng=np.random.default_rng(seed))
    assert all(np.array_equal(a, b) for a, b in zip(*seen[:2], strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(seen[0], seen[2], strict=False))
    assert all((x == np.rint(x)).all() == (len(x) == 1) for x in seen[0])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"what": "mlp"}, ValueError, "what is 'mlp', expected one of 'channel', 'spatial', 'cbam'"),
        ({"what": "channel", "order": "parallel"}, ValueError, "what='channel' has no order"),
        ({"f": 3}, TypeError, "f is int, expected a function, a module or an object with forward"),
        ({"params": []}, TypeError, "params is list, expected a dict of arrays by name, such as W0 and W7"),
        ({"backward": 3}, TypeError, "backward is int"),
        ({"x": np.ones((3, 3, 3))}, ValueError, "one image is a batch of one, x[None]"),
        ({"rng": 0}, TypeError, "expected a generator"),
        ({"colour": 1}, TypeError, "unknown option 'colour'"),
        ({"params": {"W0": np.ones((2, 4))}}, ValueError, "no 'W1'"),
    ],
)
def test_wrong_use_is_an_error(arguments, error, words):
    with pytest.raises(error) as caught:
        check_function(**({"f": cbam} | arguments))
    assert words in str(caught.value)


class OneMLP:
    """Channel attention with a given number of hidden units."""

    def __init__(self, channels, hidden):
        rng = np.random.default_rng(0)
        self.W0, self.W1 = rng.normal(size=(hidden, channels)), rng.normal(size=(channels, hidden))

    def forward(self, x):
        return x * channel(x, vars(self))


@pytest.mark.parametrize(
    ("channels", "hidden", "reduction", "ok"),
    [(10, 2, 4, True), (10, 3, 4, False), (8, 2, 4, True), (3, 1, 16, True)],  # C / r is rounded down, and at least 1
)
def test_a_reduction_that_does_not_divide_the_channels(channels, hidden, reduction, ok):
    report = check_function(OneMLP(channels, hidden), what="channel", reduction=reduction)
    assert report.ok == ok and any("is the reduction ratio used?" in problem for problem in report.problems) != ok


def test_inputs_have_the_channels_that_params_or_a_reduction_say():
    dialect, rng = get_dialect("paper"), np.random.default_rng(0)
    params = cbam_np.init_cbam(8, 2, 3, rng=rng)
    assert [x.shape[1] for x, _ in make_inputs(dialect, params, None, None, rng)] == [8, 8, 8]
    assert [(x.shape[1], p["W0"].shape) for x, p in make_inputs(dialect, None, None, 3, rng)] == [(6, (2, 6))] * 3
    assert [p["W0"].shape for _, p in make_inputs(dialect, None, None, None, rng)] == [(3, 3), (2, 6), (2, 4)]


def test_on_every_input_relu_lets_something_through_on_each_image_and_stops_something():
    for seed in range(20):
        for x, params in make_inputs(get_dialect("paper"), None, None, None, np.random.default_rng(seed)):
            for pooled in (x.mean((2, 3)), x.max((2, 3))):
                h = pooled @ params["W0"].T
                assert (h > 0).any(axis=1).all() and (h < 0).any()


def raise_unspeakable(x, p):
    raise Unspeakable


class Unspeakable(Exception):
    def __str__(self):
        raise ZeroDivisionError


def stubborn(x, p):
    while True:
        try:
            while True:
                pass
        except BaseException:
            if stops.pop():
                raise


stops = []


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x, p: sys.exit(3), "SystemExit in <lambda>"),
        (raise_unspeakable, "what it says cannot be shown: ZeroDivisionError"),
        (lambda x, p: [None for _ in iter(int, 1)], "takes longer than the 0.3 s that it is given"),
        (stubborn, "takes longer than the 0.3 s that it is given"),
    ],
)
def test_whatever_the_code_does_comes_out_as_a_sentence(f, said):
    stops[:] = [True, False]  # it catches what stops it once
    report = check_function(f, seconds=0.3)
    assert not report.ok and said in " ".join(str(report).split())


def test_ctrl_c_stays_ctrl_c():
    def stop(x, p):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_function(stop)


@pytest.mark.parametrize("option", ["reduction", "channels"])
@pytest.mark.parametrize("value", [0, -1, 10**9, 2.5, True, "4", [4]])
def test_counts_are_bounded(option, value):
    with pytest.raises(ValueError, match=f"{option} is .*, expected a whole number from 1 to 4096"):
        check_function(cbam, **{option: value})
