"""In what a module may differ from the paper's formula: choices, and departures that make it another thing.

Each is a hypothesis for the search: options of the formula in `teach/code/formula.py` that it changes.
"""

from dataclasses import dataclass, field
from typing import Any

CHOICE, DEPARTURE = "choice", "departure"


@dataclass(frozen=True)
class Variant:
    """A choice or a departure.

    Parameters
    ----------
    kind : {"choice", "departure"}
        Whether it is still CBAM.
    part : {"channel", "spatial", "whole"}
        Which part of the formula it is in.
    name : str
        A few words.
    sentence : str
        What it means, and for a departure what is right.
    changes : dict of str to object
        The options that it changes.
    combines : bool
        Whether it is tried together with others.
    """

    kind: str
    part: str
    name: str
    sentence: str
    changes: dict[str, Any] = field(hash=False)
    combines: bool = True


def _choice(part: str, name: str, sentence: str, **changes: Any) -> Variant:
    return Variant(CHOICE, part, name, sentence, changes)


def _departure(part: str, name: str, sentence: str, **changes: Any) -> Variant:
    return Variant(DEPARTURE, part, name, sentence, changes)


# --- what the shapes of the parameters tell ---

MLP_BIASES = _choice(
    "channel", "biases in the MLP", "The authors' code has them, the paper's formula has none.", mlp_bias=True
)
KERNEL_BIAS = _choice("spatial", "a bias in the k×k convolution", "Many copies have one; the paper has none.")
EVEN_KERNEL = _departure(
    "spatial",
    "a kernel of even size",
    "It has no middle: M_s is moved by half a pixel against F'. Take an odd k, such as 7, and padding k // 2.",
)
SPATIAL_NORM = _choice(
    "spatial",
    "batch normalisation after the k×k convolution",
    "The authors' code and timm have one; the paper's figure has none.",
    spatial_norm=True,
)
MAPS_NORM = _departure(
    "spatial", "a normalisation of the pooled maps", "In CBAM, the convolution is given the pooled maps as they are."
)
MLP_NORM = _choice("channel", "a normalisation inside the MLP", "BAM has one there; the paper's CBAM has none.")
PRELU = _choice("channel", "PReLU in the MLP", "Its slope below 0 is learned; the paper has ReLU.", activation="prelu")
ONE_LAYER = _departure(
    "channel",
    "one C×C layer in the place of the MLP",
    "The paper's MLP has a hidden layer of C/r units and ReLU: W_0 is (C/r, C) and W_1 is (C, C/r).",
    layers="one",
)
ECA_LAYER = _departure(
    "channel",
    "a convolution over the channels in the place of the MLP, as in ECA",
    "The paper's MLP looks at all channels: W_0 is (C/r, C) and W_1 is (C, C/r).",
    layers="eca",
)
NO_MLP = _departure(
    "channel",
    "no MLP",
    "The pooled vectors have to go through the MLP, W_1 ReLU(W_0 v), before they are added.",
    layers="none",
)
OWN_MLPS = _departure(
    "channel",
    "an MLP for each branch",
    "One MLP is shared: the average and the maximum go through the same W_0 and W_1.",
    own_mlps=True,
)
CONCATENATED = _departure(
    "channel",
    "the pooled vectors concatenated before the MLP",
    "The average and the maximum go through the MLP one after the other, and their scores are added.",
    before_mlp="concatenate",
)
SE_BEHIND = _departure(
    "whole", "a squeeze-and-excitation block behind it", "CBAM ends with F'' = M_s(F') ⊗ F'.", behind="se"
)
NO_CONVOLUTION = _departure(
    "spatial",
    "no convolution of the pooled maps",
    "The two maps are concatenated and go through a k×k convolution, usually 7×7.",
)
ALL_CHANNELS = _departure(
    "spatial",
    "the convolution runs over all channels, without pooling",
    "CBAM pools over the channels first: the convolution is given two maps, the average and the maximum.",
    maps=("all",),
)

SEVERAL_KERNELS = _departure(
    "spatial",
    "several convolutions of the pooled maps, added",
    "CBAM has one k×k convolution; kernels of several sizes side by side are another module's.",
)
AVERAGED_KERNELS = _departure(
    "spatial",
    "several convolutions of the pooled maps, averaged",
    "CBAM has one k×k convolution; kernels of several sizes side by side are another module's.",
    kernels="average",
)
OUTPUT_NORM = _departure(
    "whole",
    "a normalisation of the output",
    "F'' = M_s(F') ⊗ F' is the output; a normalisation belongs to the block around it.",
)
NO_SPATIAL_INFLUENCE = _departure(
    "spatial",
    "spatial attention built, but not applied",
    "Its convolution is there, and the output is the same without it: F'' = M_s(F') ⊗ F'.",
)
NO_CHANNEL_INFLUENCE = _departure(
    "channel",
    "channel attention built, but not applied",
    "Its MLP is there, and the output is the same without it: F' = M_c(F) ⊗ F.",
)

ONE_AXIS = _choice("whole", "one axis of space", "The paper's formula for (N, C, L).")
THREE_AXES = _choice("whole", "three axes of space", "The paper's formula for (N, C, D, H, W).")

# --- channel attention ---

_RELU_LIKE = {
    "silu": "SiLU",
    "gelu": "GELU",
    "gelu by tanh": "GELU (by tanh)",
    "elu": "ELU",
    "selu": "SELU",
    "mish": "Mish",
    "hardswish": "hard swish",
    "softplus": "softplus",
    **{f"leaky {slope}": f"LeakyReLU({slope})" for slope in (0.01, 0.1, 0.2, 0.05, 0.3, 0.25)},
}
_BOUNDED = {"relu6": "ReLU6", "tanh": "tanh", "sigmoid": "a sigmoid", "hardsigmoid": "a hard sigmoid"}

ACTIVATIONS = tuple(
    _choice("channel", f"{words} in the MLP", "Another activation than the paper's ReLU.", activation=name)
    for name, words in _RELU_LIKE.items()
) + tuple(
    _departure(
        "channel",
        f"{words} instead of ReLU in the MLP",
        "It stops growing, and so hidden units cannot tell much from very much; the paper has ReLU.",
        activation=name,
    )
    for name, words in _BOUNDED.items()
)

_POOLS = (
    (("avg",), "the maximum's branch missing", "The average alone is squeeze-and-excitation (SE): CBAM's channel "
     "attention adds a second branch, MLP(MaxPool(F)). A `return` inside the loop over the pools leaves it out, "
     "too."),
    (("max",), "the average's branch missing", "CBAM's channel attention adds MLP(AvgPool(F)) and MLP(MaxPool(F))."),
    (("avg", "avg"), "the average over space taken twice", "The maximum over space was not taken: the average stands "
     "in both places."),
    (("max", "max"), "the maximum over space taken twice", "The average over space was not taken: the maximum stands "
     "in both places."),
    (("avg", "max", "min"), "a third pool, the minimum, in the channel submodule", "CBAM has two: average, maximum."),
    (("avg", "max", "std"), "a third pool, the standard deviation, in the channel submodule", "CBAM has two: average "
     "and maximum."),
    (("avg", "max", "lp"), "a third pool, the L2 norm, in the channel submodule", "CBAM has two: average and "
    "maximum."),
    (("avg", "max", "lp", "lse"), "four pools in the channel submodule", "The authors' code offers the L2 norm "
    "and the "
     "log of the sum of exponentials, too; CBAM has average and maximum."),
    (("avg", "min"), "the minimum instead of the maximum over space", "CBAM's second branch has the maximum."),
    (("avg", "std"), "the standard deviation instead of the maximum over space", "CBAM's second branch has the "
    "maximum."),
    (("avg", "std of all"), "the standard deviation instead of the maximum over space", "CBAM's second branch has the "
    "maximum."),
    (("sum", "max"), "the sum over space instead of the average", "The average is divided by H·W."),
    (("avg", "argmax"), "the maximum's place instead of its value, over space", "The maximum's value was to be "
    "taken; "
     "in PyTorch, `torch.max(x, dim)` gives both, the value first."),
    (("avg", "max of absolute values"), "the maximum of absolute values over space", "The maximum is that of F "
    "itself."),
    (("avg over the batch", "max over the batch"), "pooled over the batch as well, in the channel submodule", "Each "
     "image has its own M_c: pool over the pixels, and not over axis 0, the images."),
    (("avg over the channels", "max over the channels"), "pooled over the channels as well, in the channel submodule",
     "Each channel has its own number: pool over the pixels, and not over axis 1, the channels."),
    (("avg of the first image", "max of the first image"), "the first image's pools used for the whole batch", "Each "
     "image has its own M_c: keep the batch axis in pooling."),
    (("avg misread", "max misread"), "a wrong reshape in the channel submodule's pools", "A reshape does not "
    "exchange "
     "axes: (N, C, H·W) read as (N, H·W, C) mixes channels and pixels."),
    (("avg misread", "max"), "a wrong reshape in the average over space", "A reshape does not exchange axes: "
     "(N, C, H·W) read as (N, H·W, C) mixes channels and pixels."),
    (("avg", "max misread"), "a wrong reshape in the maximum over space", "A reshape does not exchange axes: "
     "(N, C, H·W) read as (N, H·W, C) mixes channels and pixels."),
)  # fmt: skip

_BRANCHES = (
    ({"before_mlp": "add"}, "the pools added before the MLP", "The MLP has to see the average and the maximum "
    "one at a "
     "time: because of ReLU, MLP(avg) + MLP(max) is not MLP(avg + max)."),
    ({"branches": "average"}, "the branches averaged instead of added", "z_c is the sum of both branches' scores."),
    ({"branches": "multiply"}, "the branches multiplied instead of added", "z_c is the sum of both branches' "
    "scores."),
    ({"branches": "maximum"}, "the larger branch instead of the sum", "z_c is the sum of both branches' scores."),
    ({"activation": "identity"}, "the ReLU in the MLP forgotten", "Without ReLU the two layers are one linear layer: "
     "a = ReLU(W_0 v)."),
    ({"last_activation": "relu"}, "a ReLU behind the MLP as well", "Scores may be negative: with ReLU behind W_1, no "
     "channel's weight can fall below 1/2."),
    ({"last_activation": "sigmoid"}, "a sigmoid inside the MLP as well", "The sigmoid comes once, after the sum of "
     "both branches."),
)  # fmt: skip

_EACH = "The scores are added first, then there is one sigmoid: a sum of two sigmoids gives weights up to 2."
_SQUASHES = {
    "identity": ("the {} sigmoid forgotten", "Weights lie between 0 and 1: M = σ(z)."),
    "softmax": ("softmax instead of the {} sigmoid", "Each weight has a sigmoid of its own; they need not add "
    "up to 1."),
    "softmax over the batch": ("softmax over the batch instead of the {} sigmoid", "The images have nothing to do "
                               "with each other; each weight has a sigmoid of its own."),
    "tanh": ("tanh instead of the {} sigmoid", "tanh lies between -1 and 1, and a weight may not be negative: M "
    "= σ(z)."),
    "hardsigmoid": ("a hard sigmoid instead of the {} sigmoid", "It is exactly 0 or 1 outside of -3 … 3, and has no "
                    "gradient there: M = σ(z)."),
    "hardsigmoid of keras": ("a hard sigmoid, 0.2 z + 0.5, instead of the {} sigmoid", "It is exactly 0 or 1 "
    "outside of "
                             "-2.5 … 2.5, and has no gradient there: M = σ(z)."),
    "relu": ("ReLU instead of the {} sigmoid", "Weights lie between 0 and 1: M = σ(z)."),
    "sigmoid twice": ("the {} sigmoid taken twice", "σ(σ(z)) lies between 0.5 and 0.73: take it once."),
    "negative sigmoid": ("the sign in the {} sigmoid", "σ(z) = 1 / (1 + exp(-z)): mind the minus."),
}  # fmt: skip

CHANNEL = (
    *ACTIVATIONS,
    _choice("channel", "½ average + ½ maximum through the MLP once", "timm's light variant has it.", pools=("mixed",)),
    *(_departure("channel", name, sentence, pools=pools) for pools, name, sentence in _POOLS),
    *(_departure("channel", name, sentence, **changes) for changes, name, sentence in _BRANCHES),
    _departure("channel", "a sigmoid on each branch, then the sum", _EACH, squash="each"),
    *(
        _departure("channel", name.format("channel"), sentence, squash=squash)
        for squash, (name, sentence) in _SQUASHES.items()
    ),
)

# --- spatial attention ---

_MAPS = (
    (("avg",), "the average map alone in the spatial submodule", "The convolution is given two maps, the average and "
     "the maximum over the channels."),
    (("max",), "the maximum map alone in the spatial submodule", "The convolution is given two maps, the average and "
     "the maximum over the channels."),
    (("avg", "avg"), "the average over channels taken twice", "The maximum over the channels was not taken: the "
    "average "
     "stands in both places."),
    (("max", "max"), "the maximum over channels taken twice", "The average over the channels was not taken: the "
    "maximum "
     "stands in both places."),
    (("avg", "max", "min"), "a third map, the minimum, in the spatial submodule", "CBAM has two: average and "
    "maximum."),
    (("avg", "max", "std"), "a third map, the standard deviation, in the spatial submodule", "CBAM has two: average "
     "and maximum."),
    (("avg", "min"), "the minimum instead of the maximum over channels", "CBAM's second map is the maximum."),
    (("avg", "std"), "the standard deviation instead of the maximum over channels", "CBAM's second map is the "
    "maximum."),
    (("avg", "std of all"), "the standard deviation instead of the maximum over channels", "CBAM's second map is the "
    "maximum."),
    (("sum", "max"), "the sum over channels instead of the average", "The average is divided by C."),
    (("avg", "argmax"), "the maximum's place instead of its value, over channels", "The maximum's value was to "
    "be taken; "
     "in PyTorch, `torch.max(x, dim)` gives both, the value first."),
    (("argmax", "avg"), "the maximum's place instead of its value, over channels", "The maximum's value was to "
    "be taken; "
     "in PyTorch, `torch.max(x, dim)` gives both, the value first."),
    (("avg over the batch", "max over the batch"), "pooled over the batch as well, in the spatial submodule", "Each "
     "image has its own M_s: pool over axis 1, the channels, and not over axis 0, the images."),
    (("avg of the first image", "max of the first image"), "the first image's maps used for the whole batch", "Each "
     "image has its own M_s: keep the batch axis in pooling."),
)  # fmt: skip

SPATIAL = (
    _choice("spatial", "maps in the order [max; avg]", "So has the authors' code; the paper has [avg; max].",
            maps=("max", "avg")),
    _choice("spatial", "½ average + ½ maximum as the only map", "timm's light variant has it.", maps=("mixed",)),
    _choice("spatial", "the maps' border reflected", "Padding by reflection; others pad with zeros.",
            padding="reflect"),
    _choice("spatial", "the maps' border repeated", "Padding with the nearest value; others pad with zeros.",
            padding="edge"),
    _choice("spatial", "the maps' border wrapped around", "Padding from the other side; others pad with zeros.",
            padding="wrap"),
    *(_departure("spatial", name, sentence, maps=maps) for maps, name, sentence in _MAPS),
    _departure("spatial", "the two maps added instead of concatenated", "The maps are concatenated: the kernel has a "
               "half for each.", maps_meet="add"),
    *(_departure("spatial", f"a dilated convolution, by {d}", "The paper's k×k convolution has no gaps.", dilation=d)
      for d in (2, 3, 4)),
    _departure("spatial", "the kernel flipped", "A convolution in deep learning does not turn the kernel.",
               flipped=True),
    _departure("spatial", "a ReLU before the spatial sigmoid", "Scores may be negative: with ReLU, no pixel's "
    "weight can "
               "fall below 1/2.", spatial_activation="relu"),
    *(_departure("spatial", name.format("spatial"), sentence, spatial_squash=squash)
      for squash, (name, sentence) in _SQUASHES.items()),
    _departure("spatial", "the scores weighted by their own sigmoid, z·σ(z)", "σ(z) weights F', and not "
               "the scores: in forward, x may have been overwritten by them.", spatial_squash="silu"),
    _departure("spatial", "softmax over rows instead of the spatial sigmoid", "Each pixel has a sigmoid of its own.",
               spatial_squash="softmax over rows"),
    _departure("spatial", "softmax over columns instead of the spatial sigmoid", "Each pixel has a sigmoid of "
    "its own.",
               spatial_squash="softmax over columns"),
)  # fmt: skip

# --- how the two meet ---

SPATIAL_FIRST = _choice(
    "whole",
    "spatial attention before channel attention",
    "The paper tried it (Table 3) and took channel attention first.",
    order="spatial-channel",
)
PARALLEL = _departure(
    "whole",
    "M_s computed on F instead of F'",
    "x·M_c(x)·M_s(x) is the paper's parallel arrangement (Table 3); CBAM looks at F' = M_c(F) ⊗ F for M_s.",
    order="parallel",
)
RESIDUAL = _departure(
    "whole",
    "the input added at the end",
    "F'' = M_s(F') ⊗ F' is the output; the addition belongs to the residual block around it.",
    residual=True,
)
WHOLE = (
    SPATIAL_FIRST,
    PARALLEL,
    RESIDUAL,
    _departure("whole", "the input added in the channel step", "F' = M_c(F) ⊗ F, without + F.",
               channel_gate="residual"),
    _departure("whole", "F' added in the spatial step", "F'' = M_s(F') ⊗ F', without + F'.", spatial_gate="residual"),
    _departure("whole", "M_c added instead of multiplied", "F' = M_c(F) ⊗ F is a product.", channel_gate="add"),
    _departure("whole", "M_s added instead of multiplied", "F'' = M_s(F') ⊗ F' is a product.", spatial_gate="add"),
    _departure("whole", "x·M_c + x·M_s, added", "One after the other: F' = M_c(F) ⊗ F, then F'' = M_s(F') ⊗ F'.",
               arrangement="sum"),
    _departure("whole", "the average of x·M_c and x·M_s", "One after the other: F' = M_c(F) ⊗ F, then "
               "F'' = M_s(F') ⊗ F'.", arrangement="average"),
    _departure("whole", "the larger of x·M_c and x·M_s", "One after the other: F' = M_c(F) ⊗ F, then "
               "F'' = M_s(F') ⊗ F'.", arrangement="maximum"),
    _departure("whole", "M_s multiplied onto F instead of F'", "F'' = M_s(F') ⊗ F': what channel attention has "
    "weighted "
               "goes on.", arrangement="M_s of F'"),
    _departure("whole", "M_s not multiplied on", "The output is the map M_s(F'); F'' = M_s(F') ⊗ F'.",
               arrangement="M_s map"),
    _departure("whole", "M_s(M_c(F)): neither map multiplied on", "Each map weights what it was made from: "
               "F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.", arrangement="M_s(M_c)"),
    _departure("whole", "both maps joined in one sigmoid, σ(M_c ⊗ M_s)", "Each map is multiplied on by itself: "
               "F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.", arrangement="sigmoid of product"),
    _departure("whole", "both maps joined in one sigmoid, σ(M_c + M_s)", "Each map is multiplied on by itself: "
               "F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.", arrangement="sigmoid of sum"),
    _departure("whole", "a map σ(M_c ⊗ M_s) that is not multiplied on", "Each map is multiplied on by itself: "
               "F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.", arrangement="sigmoid of product, a map"),
    _departure("whole", "a map σ(M_c + M_s) that is not multiplied on", "Each map is multiplied on by itself: "
               "F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.", arrangement="sigmoid of sum, a map"),
    _departure("whole", "a map M_c ⊗ M_s that is not multiplied on", "Each map is multiplied onto what it was made "
               "from: F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.", arrangement="product of maps"),
    _departure("whole", "a map M_c + M_s that is not multiplied on", "Each map is multiplied onto what it was made "
               "from: F' = M_c(F) ⊗ F, F'' = M_s(F') ⊗ F'.", arrangement="sum of maps"),
    _departure("whole", "a ReLU on the output", "F'' = M_s(F') ⊗ F' is the output; ReLU belongs to the block "
    "around it.",
               output="relu"),
    _departure("whole", "a sigmoid on the output", "F'' = M_s(F') ⊗ F' is the output.", output="sigmoid"),
)  # fmt: skip
