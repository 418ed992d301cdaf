"""PyTorch modules are run as they are: choices, departures and the way back are told; each of our own has its truth."""

import json
import warnings

import numpy as np
import pytest

import cbam_np
from cbam_np import check_function

torch = pytest.importorskip("torch")

from benchmarks.modules import own  # noqa: E402  it imports torch
from benchmarks.modules.others import Eca, SqueezeExcitation  # noqa: E402
from benchmarks.modules.right import ChannelsLast, ForOneSize, OnASequence, Prints, Unused, WithDropout  # noqa: E402
from benchmarks.modules.rows import but  # noqa: E402
from benchmarks.modules.structures import ChannelPart, Conv1x1, Lazy, Linear, Loop, Parted, SpatialPart  # noqa: E402
from benchmarks.modules.wrong_channel import IgnoresItsRatio, OneLayer  # noqa: E402

pytestmark = pytest.mark.oracle
nn, F = torch.nn, torch.nn.functional


@pytest.fixture(autouse=True)
def seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def names(things):
    return {thing.name for thing in things}


@pytest.mark.parametrize(("name", "make", "choices", "departures"), own.ROWS, ids=[row[0] for row in own.ROWS])
def test_each_module_of_our_own_is_judged_as_its_truth_says(name, make, choices, departures):
    report = check_function(make())
    assert names(report.departures) == departures, str(report)
    assert choices is None or names(report.choices) == choices, str(report)
    assert report.ok == (not departures), str(report)
    assert bool(report.explanations) == bool(departures)
    json.dumps(report.to_dict())


def test_there_are_enough_modules_with_one_or_two_deviations():
    assert len(own.ROWS) >= 60
    assert sum(len(departures) == 1 for *_, departures in own.ROWS) > 40
    assert sum(len(departures) == 2 for *_, departures in own.ROWS) >= 8


@pytest.mark.parametrize("name", own.HIDING)
@pytest.mark.parametrize("start", range(4))
def test_a_mistake_that_hides_is_named_whatever_the_start(name, start):
    torch.manual_seed(start)
    make, departures = own.HIDING[name]
    report = check_function(make(), rng=np.random.default_rng(start))
    assert names(report.departures) == departures and report.ok == (not departures), str(report)


# --- the user's object stays as it was ---


@pytest.mark.parametrize("make", [Loop, WithDropout, lambda: IgnoresItsRatio(64, ratio=8)])
def test_the_module_stays_as_it_was(make):
    module = make()
    module(torch.randn(2, 64, 8, 9)).sum().backward()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    grads = [p.grad.clone() for p in module.parameters()]
    state = torch.get_rng_state()
    check_function(module)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert all(torch.equal(p.grad, g) for p, g in zip(module.parameters(), grads, strict=True))
    assert module.training and next(module.parameters()).dtype == torch.float32
    assert torch.equal(state, torch.get_rng_state())


def test_lazy_weights_stay_lazy():
    module = Lazy()
    check_function(module)
    assert isinstance(module.first.weight, nn.parameter.UninitializedParameter)


def test_a_module_that_keeps_what_it_computed_can_be_checked():
    class Keeps(Conv1x1):
        def forward(self, x):
            self.seen = super().forward(x)
            return self.seen

    module = Keeps()
    module(torch.randn(1, 64, 8, 8))
    assert check_function(module).ok


# --- what cannot be run is told in words ---


class Raises(Linear):
    def forward(self, x):
        return self.missing(x)


class GivesALayer(Linear):
    def forward(self, x):
        return nn.Conv2d(64, 64, 1)


class GivesThree(Linear):
    def forward(self, x):
        M = self.channel_map(x)
        return x * M, x, M


class GivesNothing(Linear):
    def forward(self, x):
        super().forward(x)


class Random(Linear):
    def forward(self, x):
        return super().forward(x) * torch.rand(1)


class Unpadded(SpatialPart):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 1, 7)

    def forward(self, x):
        return x * super().forward(x)


CANNOT = [
    (Raises, ["AttributeError in forward, line", "`return self.missing(x)`", "no attribute 'missing'"]),
    (GivesALayer, ["returns a Conv2d, a layer and not a feature map"]),
    (GivesThree, ["returns 3 things", "return self.givesthree(x)[0]"]),
    (GivesNothing, ["returns None: is the return statement missing?"]),
    (Unpadded, ["must match the size", "keeps the size of its map with an odd k and padding k // 2"]),
    (Random, ["two runs on the same input give different numbers, in evaluation mode too"]),
]


@pytest.mark.parametrize(("make", "words"), CANNOT)
def test_what_cannot_be_run_is_told(make, words):
    report = check_function(make())
    assert not report.ok and not report.explanations
    for word in words:
        assert word in report.problems[0], report.problems
    assert "could not be run" in str(report) and "Traceback" not in str(report)


def test_a_class_instead_of_an_object():
    with pytest.raises(TypeError, match=r"Loop is a class, expected an object of it: .*check_function\(Loop\(\)\)"):
        check_function(Loop)


def test_a_gradient_that_is_cut_off_is_named():
    class Detached(Linear):
        def top(self, x):
            return super().top(x).detach()

    report = check_function(Detached())
    assert report.first_wrong == "dx" and not report.departures and not report.ok
    assert report.explanations[0].name == "the path through the maximum over space forgotten", str(report)

    class Cut(Linear):
        def forward(self, x):
            return super().forward(x).detach()

    report = check_function(Cut())
    assert not report.ok and "its backward pass does not run" in report.problems[0]


class EachTie(torch.autograd.Function):
    """The maximum over space whose whole gradient goes to each of the tied ones."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.amax((2, 3))

    @staticmethod
    def backward(ctx, d):
        (x,) = ctx.saved_tensors
        return (x == x.amax((2, 3), keepdim=True)) * d[:, :, None, None]


TIES = [
    (lambda s, x: x.max(2)[0].max(2)[0], "over space, all of it to the first"),
    (lambda s, x: x.amax(2).amax(2), "over space, half of it to each"),
    (lambda s, x: x.flatten(2).topk(1, 2)[0][:, :, 0], "over space, "),
    (lambda s, x: x.flip(2, 3).flatten(2).max(2)[0], "over space, all of it to the last"),
]


@pytest.mark.parametrize(("top", "words"), TIES)
def test_any_shares_of_a_tie_are_right(top, words):
    report = check_function(but(Linear, top=top)())
    assert report.ok and any(words in note for note in report.notes), str(report)


def test_shares_that_do_not_add_up_are_wrong():
    report = check_function(but(Linear, top=lambda s, x: EachTie.apply(x))())
    assert not report.ok and report.first_wrong == "dx" and not report.departures
    assert "passes on all of it to each" in report.problems[0], str(report)


# --- whose, and what was asked for ---


def test_dialects_by_name_in_both_modes():
    authors = but(Loop, stack=lambda s, maps: torch.cat(maps[::-1], 1))
    timm = but(Loop, channel_map=lambda s, x: Linear.channel_map(s, x), mlp=lambda s, v: F.relu(v @ s.A.T) @ s.B.T)
    for training in (True, False):
        report = check_function(authors().train(training))
        assert report.dialect == "official" and report.whose == "the authors' code" and report.ok
        module = timm()
        module.gate = None
        module.A = nn.Parameter(torch.randn(4, 64))
        module.B = nn.Parameter(torch.randn(64, 4))
        assert check_function(module.train(training)).dialect == "timm"
    assert check_function(Conv1x1()).dialect == "paper"
    assert check_function(Conv1x1(bias=True)).dialect == "keras"
    report = check_function(authors(k=3))
    assert report.dialect == "official" and report.whose == "the authors' code, except k = 3"
    report = check_function(Conv1x1(kernel_bias=True))
    assert report.dialect is None and "nearest to the paper's formula" in report.whose


def test_what_was_asked_for_is_compared():
    assert check_function(Conv1x1(bias=True), mlp_bias=True).ok
    held = check_function(Conv1x1(bias=True), dialect="paper")
    assert not held.ok and "mlp_bias" in held.problems[0]
    assert check_function(ChannelPart(), "channel").ok and check_function(SpatialPart(), "spatial").ok
    assert not check_function(ChannelPart(), "cbam").ok
    assert check_function(Conv1x1(), reduction=16).ok
    report = check_function(Conv1x1(), reduction=8)
    assert not report.ok and report.first_wrong == "W0" and "is the reduction ratio used?" in report.problems[0]


def test_other_modules_are_known_by_name():
    assert "This is squeeze-and-excitation (SE)" in str(check_function(SqueezeExcitation()))
    assert "This is ECA" in str(check_function(Eca()))
    assert "Ultralytics' CBAM computes this" in str(check_function(OneLayer()))

    class Bam(nn.Module):
        def __init__(self, C=64, h=4):
            super().__init__()
            self.gate = nn.Sequential(nn.Linear(C, h), nn.BatchNorm1d(h), nn.ReLU(), nn.Linear(h, C))
            self.reduce = nn.Conv2d(C, h, 1)
            self.wide = nn.Sequential(*(nn.Conv2d(h, h, 3, padding=4, dilation=4) for _ in range(2)))
            self.last = nn.Conv2d(h, 1, 1)

        def forward(self, x):
            c = self.gate(x.mean((2, 3)))[:, :, None, None]
            return x * (1 + torch.sigmoid(c * self.last(self.wide(self.reduce(x)))))

    class Coordinate(nn.Module):
        def __init__(self, C=64, h=8):
            super().__init__()
            self.conv1, self.bn = nn.Conv2d(C, h, 1), nn.BatchNorm2d(h)
            self.conv_h, self.conv_w = nn.Conv2d(h, C, 1), nn.Conv2d(h, C, 1)

        def forward(self, x):
            rows, columns = x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)
            y = F.hardswish(self.bn(self.conv1(torch.cat([rows, columns], 2))))
            a, b = y.split([x.shape[2], x.shape[3]], 2)
            return x * torch.sigmoid(self.conv_h(a)) * torch.sigmoid(self.conv_w(b).transpose(2, 3))

    assert "layers of BAM" in str(check_function(Bam()))
    assert "layers of coordinate attention" in str(check_function(Coordinate()))


def test_two_mlps_are_no_coordinate_attention_and_siblings_without_pools_have_names():
    class Modulated(Conv1x1):
        def __init__(self):
            super().__init__(own=True)

        def channel_map(self, x):
            v = x.mean((2, 3), keepdim=True)
            return super().channel_map(x) * torch.sigmoid(self.fc2_max(torch.tanh(self.fc1_max(v))))

    assert "coordinate attention" not in str(check_function(Modulated()))

    class Global(nn.Module):
        def __init__(self, C=16):
            super().__init__()
            self.mlp = nn.Sequential(nn.Linear(C, C // 4), nn.ReLU(), nn.Linear(C // 4, C))
            self.there, self.back = nn.Conv2d(C, C // 4, 7, padding=3), nn.Conv2d(C // 4, C, 7, padding=3)

        def forward(self, x):
            x = x * torch.sigmoid(self.mlp(x.movedim(1, -1))).movedim(-1, 1)
            return x * torch.sigmoid(self.back(F.relu(self.there(x))))

    class Triplet(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList(SpatialPart() for _ in range(3))

        def forward(self, x):
            turned = [x, x.transpose(1, 2), x.transpose(1, 3)]
            weighted = [v * part(v) for v, part in zip(turned, self.parts, strict=True)]
            return (weighted[0] + weighted[1].transpose(1, 2) + weighted[2].transpose(1, 3)) / 3

    assert "layers of GAM" in str(check_function(Global()))
    assert "layers of triplet attention" in str(check_function(Triplet()))


RUN_OTHERWISE = [
    (OnASequence, "It takes a sequence of feature maps, (N, T, C, H, W): it was run with T = 2."),
    (ChannelsLast, "It takes channels last, such as (N, H, W, C): its input was transposed."),
    (ForOneSize, "Its pools are made for inputs of 12×10, and not for all: it was run on such."),
    (Prints, "What it prints while it runs was not shown."),
]


@pytest.mark.parametrize(("make", "note"), RUN_OTHERWISE)
def test_how_it_was_run_is_said(make, note, capsys):
    report = check_function(make())
    assert report.ok and report.backward and report.dialect == "paper" and note in report.notes, str(report)
    assert not capsys.readouterr().out


def test_of_three_things_the_one_of_the_inputs_shape_is_checked():
    class BothMaps(Conv1x1):
        def forward(self, x):
            Mc = self.channel_map(x)
            return x * Mc * self.spatial_map(x * Mc), Mc, Mc

    report = check_function(BothMaps())
    assert not report.ok and not report.departures and report.dialect == "paper"
    assert "It returns 3 things" in report.problems[0] and "return that one alone" in report.problems[0]


def test_an_attention_that_is_built_and_not_applied():
    class Forgets(Conv1x1):
        def forward(self, x):
            return x * self.channel_map(x)

    report = check_function(Forgets())
    assert not report.ok and report.first_wrong == "M_s" and str(report).startswith("CBAM: not the paper's formula")
    assert "conv.weight has no influence on the output." in report.notes
    assert check_function(Forgets(), "channel").ok  # channel attention is what was asked for


def test_what_has_no_role_is_described():
    module = Parted(
        ChannelPart(), nn.Sequential(nn.Conv2d(64, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))
    )
    report = check_function(module)
    assert not report.ok and report.unknown and "this is not CBAM, or not in a way that is known" in str(report)
    assert any("Its channel attention is known (as in the paper)" in note for note in report.notes), str(report)
    assert any("a 3×3 convolution from 64 to 4 channels" in note for note in report.notes)
    assert any("extra.weight (64, 64) is built, but never used" in note for note in check_function(Unused()).notes)


# --- functions of tensors ---


def test_a_function_of_tensors():
    def mine(x, p):
        z = sum(F.relu(v @ p["W0"].T) @ p["W1"].T for v in (x.mean((2, 3)), x.amax((2, 3))))
        x = x * torch.sigmoid(z)[:, :, None, None]
        maps = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(F.conv2d(maps, p["W7"], padding=p["W7"].shape[-1] // 2))

    report = check_function(mine)
    assert report.ok and report.backward and report.dialect == "paper", str(report)

    def detached(x, p):
        return mine(x, p | {"W7": p["W7"].detach()})

    report = check_function(detached)
    assert not report.ok and report.first_wrong == "dW7"


def test_a_report_for_a_person():
    report = check_function(but(Loop, stack=lambda s, maps: torch.cat(maps[::-1], 1))())
    assert str(report).startswith("CBAM: right, forward and backward; it is the authors' code.")
    assert "The MLP has 4 hidden units for 64 channels." in report.notes
    assert "✓" in report._repr_html_() or "right" in report._repr_html_()
    wrong = check_function(but(Linear, pools=lambda s, x: [s.avg(x)])())
    assert "Departures" in str(wrong) and wrong.first_wrong == "M_c" and repr(wrong) == "<CodeReport: wrong>"


def test_no_warning_is_given_on_the_way():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_function(but(Linear, squash_c=lambda s, z: z)())


def test_float32_inside():
    class Narrow(Linear):
        def top(self, x):
            return super().top(x.float()).to(torch.float32)

        def forward(self, x):
            return super().forward(x.float() + torch.zeros(1, dtype=torch.float32))

    assert check_function(Narrow()).ok


def test_the_packages_own_layers_are_known():
    rng = np.random.default_rng(0)
    for dialect in cbam_np.DIALECTS:
        report = check_function(cbam_np.nn.layers.CBAM(32, 4, rng=rng, dialect=dialect))
        assert report.ok and report.backward and report.dialect == ("paper" if dialect == "luuuyi" else dialect)
