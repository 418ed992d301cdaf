"""Mix-ups with the maps: what the convolution sees, what a map is multiplied onto, and where gradients go.

Like those of `in_use`, they are held against answers as the catalogue is, but worksheets are not chosen by them.
"""

import numpy as np

from ..calculation.cbam_rules import ON_CHANNELS, ON_PIXELS, convolution
from ..calculation.rules import Arrays, Rule, corner_bound, products, term
from .backward_pools import via
from .mistake import Calculation, Change, OneWay, mistake, then, unspelled

# --- the convolution ---


def middle_only(W: np.ndarray) -> np.ndarray:
    """Return a kernel without all but its middle entry."""
    at = W.shape[-1] // 2
    kept = np.zeros_like(W)
    if W.dtype == object:
        kept[...] = "0"
    kept[..., at, at] = W[..., at, at]
    return kept


def _middle(c: Calculation) -> Change:
    return {c.convolved: convolution("W7", *c.maps, turn=middle_only)} if c.k > 1 else {}


def _sizes_of_the_kernel(c: Calculation) -> Change:
    return {c.convolved: convolution("W7", *c.maps, turn=np.abs)._replace(spell=unspelled)}


def _maps_added(c: Calculation) -> Change:
    return {c.convolved: products(*(term("ij->ij", name) for name in c.maps))}


# --- products, and the way back ---


def complement(m: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return (1 - m) x."""
    return (1 - m) * x


def _complement(M: str) -> OneWay:
    def change(c: Calculation) -> Change:
        name = c.gate(M)
        source = c[name].inputs[1]

        def spread_out(m: np.ndarray) -> np.ndarray:
            return m[:, None, None] if m.ndim == 1 else m

        def compute(m: np.ndarray, x: np.ndarray) -> np.ndarray:
            return complement(spread_out(m), x)

        return {name: Rule((M, source), compute, corner_bound(compute, turns=()), unspelled)}

    return change


def _weights_once_more(c: Calculation) -> Change:
    """Multiply M_c onto F'' as well, where F' has it already."""
    last = c.gate("M_s")
    before = c[last].inputs[1]
    if before != c.gate("M_c"):
        return {}
    return {last: products(term("ij,c,cij->cij", "M_s", "M_c", before))}


def _one_channel_of_dM_s(c: Calculation) -> list[Change]:
    """Take the gradient of M_s from one channel only."""
    if "dM_s" not in c or c.C == 1:
        return []

    def of(which: int) -> Change:
        def arrange(d: np.ndarray, x: np.ndarray) -> Arrays:
            return d[which], x[which]

        return {"dM_s": products(term("ij,ij->ij", *c["dM_s"].inputs, arrange=arrange))}

    return [of(which) for which in range(c.C)]


def _to_one_channel(c: Calculation) -> list[Change]:
    """Give the gradient of the maximum over channels to the same channel at every pixel."""
    path = next((name for name in c if name.endswith("_via_Fs_max")), None)
    if path is None or c.C == 1:
        return []

    def of(which: int) -> Change:
        def arrange(d: np.ndarray) -> Arrays:
            spread_out = np.zeros(c.shape, d.dtype)
            if d.dtype == object:
                spread_out[...] = "0"
            spread_out[which] = d
            return (spread_out,)

        return {path: products(term("cij->cij", c[path].inputs[0], arrange=arrange))}

    return [of(which) for which in range(c.C)]


def _only_one_pixel(c: Calculation) -> Change:
    """Multiply dz_s onto the maps entry by entry, where the kernel is as large as they are."""
    if not c.k == c.H == c.W > 1 or "dW7" not in c:
        return {}

    def arrange(dz: np.ndarray, *maps: np.ndarray) -> Arrays:
        return dz, np.stack(maps)

    return {"dW7": products(term("ab,mab->mab", *c["dW7"].inputs, arrange=arrange))}


def _divided_too(c: Calculation, rule: Rule, over: str) -> Rule:
    size = c.size(over)

    def divided(x: np.ndarray) -> np.ndarray:
        return x / size

    return then(rule, divided, f"({{}})/{size}")


def _map_on_every_path(step: str, M: str, spec: str) -> OneWay:
    def change(c: Calculation) -> Change:
        paths = c[step].inputs if step in c else ()
        if not paths or not paths[0].endswith("_direct"):
            return {}
        return {step: products(term("cij->cij", paths[0]), *(term(spec, M, path) for path in paths[1:]))}

    return change


MISTAKES = (
    mistake(
        "the pooled maps added instead of convolved",
        "The two maps lie under the two halves of the kernel, and every product counts.",
        _maps_added,
        needs="z_s Fs_avg Fs_max",
        combines=False,
    ),
    mistake(
        "only the middle of the kernel used",
        "All entries of the kernel count, each with the pixel under it.",
        _middle,
        needs="z_s",
        combines=False,
    ),
    mistake(
        "the kernel's signs lost",
        "The kernel's negative weights are subtracted.",
        _sizes_of_the_kernel,
        needs="z_s",
        combines=False,
    ),
    mistake(
        "1 - M in place of M",
        "The attention map is a factor as it is: a large weight keeps, a small one takes away.",
        _complement("M_c"),
        _complement("M_s"),
        needs="M_c M_s",
        combines=False,
    ),
    mistake(
        "M_c multiplied on a second time",
        "F' = M_c ⊗ F has the channel weights already: F'' = M_s ⊗ F'.",
        _weights_once_more,
        needs="M_c M_s",
        combines=False,
    ),
    mistake(
        "dM_s from one channel only",
        "M_s was multiplied onto every channel: its gradient is the sum over them.",
        _one_channel_of_dM_s,
        needs="dM_s",
        combines=False,
    ),
    mistake(
        "the maximum's gradient always to the same channel",
        "At each pixel, the gradient goes to the channel that has the maximum there.",
        _to_one_channel,
        needs="dFs_max",
        combines=False,
    ),
    mistake(
        "the attention map on the paths through the pools, too",
        "Only the direct path has the factor M; the paths through the pools are added as they are.",
        _map_on_every_path("dF'", "M_s", ON_PIXELS),
        _map_on_every_path("dF", "M_c", ON_CHANNELS),
        combines=False,
    ),
    mistake(
        "the maximum's gradient divided as well",
        "Only an average divides by n: the maximum hands its whole gradient to one entry.",
        *via("max", _divided_too),
        combines=False,
    ),
    mistake(
        "dW_7 without its sum over the pixels",
        "Each weight of the kernel was used at every pixel: its gradient is a sum over all of them.",
        _only_one_pixel,
        needs="dW7",
        combines=False,
    ),
)
