"""Whose choices they are: the dialect that a formula is, or is nearest to; and other modules, by name."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...cbam import DIALECTS, Dialect
from ..mistakes.variants import ONE_AXIS, THREE_AXES
from .found import Found
from .subject import Unit

WHOSE = {
    "paper": "the paper's formula, which luuuyi's code has as well",
    "official": "the authors' code",
    "timm": "timm's CbamModule",
    "timm-light": "timm's LightCbamModule",
    "keras": "the Keras version",
    "luuuyi": "luuuyi's code",
}
FIELDS = ("order", "channel_pools", "spatial_pools", "mlp_bias", "spatial_norm")
PARTS = {
    "channel": ("order", "channel_pools", "mlp_bias"),
    "spatial": ("order", "spatial_pools", "spatial_norm"),
}


class Choices(NamedTuple):
    """What a formula has chosen, as a dialect's fields, and what no dialect has, in words."""

    fields: dict[str, Any]
    others: tuple[str, ...]

    def differences(self, dialect: Dialect) -> list[tuple[str, Any, Any]]:
        """Return (field, the dialect's, this one's) where they differ."""
        order = self.fields["order"]
        names = PARTS.get(order, FIELDS)
        wanted = {name: getattr(dialect, name) for name in names}
        if order in PARTS and order in wanted["order"].split("-"):
            wanted["order"] = order  # one attention of the two, by itself
        found = [(name, wanted[name], self.fields[name]) for name in names if wanted[name] != self.fields[name]]
        return found + [("nothing more", None, words) for words in self.others]


def as_dialect(found: Found) -> Choices:
    """Return a formula's choices in a dialect's words."""
    formula, roles = found.formula, found.assignment.places.keys() | found.assignment.constants.keys()
    fields = {
        "order": formula.order,
        "channel_pools": formula.pools,
        "spatial_pools": formula.maps,
        "mlp_bias": {"b0", "b1"} <= roles,
        "spatial_norm": "gamma" in roles,
    }
    known = {"mlp_bias", "spatial_norm", "pools", "maps", "order"}
    others = tuple(v.name for v in found.variants if not v.changes.keys() & known)
    if fields["mlp_bias"] != bool({"b0", "b1"} & roles):
        others += ("a bias in one of the MLP's layers",)
    return Choices(fields, others)


def dialect_of(found: Found, kernel_size: int | None = None) -> tuple[str | None, str]:
    """Return the dialect that a formula is, or None; and in words whose it is, or whose it is nearest to."""
    choices = as_dialect(found)
    ranked = sorted(DIALECTS, key=lambda name: len(choices.differences(DIALECTS[name])))
    nearest = ranked[0]
    differing = choices.differences(DIALECTS[nearest])
    alone = {"channel": ", its channel attention", "spatial": ", its spatial attention"}.get(found.formula.order, "")
    whose = f"{WHOSE[nearest]}{alone}"
    axes = {v.name for v in found.variants} & {ONE_AXIS.name, THREE_AXES.name}
    if axes and len(differing) == 1:
        return None, f"{whose}, for {axes.pop()}"
    if not differing:
        return nearest, whose if kernel_size in (None, 7) else f"{whose}, except k = {kernel_size}"
    return None, f"nearest to {whose}, but for: {', '.join(_difference(*each) for each in differing)}"


def _difference(name: str, wanted: Any, came: Any) -> str:
    if name == "nothing more":
        return str(came)
    if name == "mlp_bias":
        return "biases in the MLP" if came else "no biases in the MLP"
    if name == "spatial_norm":
        return "batch normalisation after the convolution" if came else "no batch normalisation after the convolution"
    if name == "spatial_pools":
        return f"maps [{'; '.join(came)}]"
    if name == "channel_pools":
        return f"pools {' and '.join(came)}"
    return {"spatial-channel": "spatial attention first"}.get(came, str(came))


SE = "This is squeeze-and-excitation (SE): channel attention from the average alone."
ECA = "This is ECA: channel attention from the average, by a convolution over the channels."
ULTRALYTICS = (
    "Ultralytics' CBAM computes this: M_c = σ(W avg + b) with one C×C layer, without the maximum; it is another module "
    "under the same name."
)
BAM = (
    "It has the layers of BAM, the authors' other module: BAM weights F by 1 + σ(M_c + M_s) in one step, CBAM by M_c "
    "and then by M_s."
)
GAM = "It has the layers of GAM, which pools nothing: an MLP for every pixel, and k×k convolutions of all channels."
TRIPLET = "It has the layers of triplet attention: three spatial attentions, each along another axis, and no MLP."
COORDINATE = "It has the layers of coordinate attention: pools along rows and columns, and one weight for each."


def sibling_of(found: Found | None, units: Sequence[Unit] = (), channels: int = 0) -> str:
    """Return which other module this is, by name; "" if none is known."""
    if found is not None:
        formula = found.formula
        if formula.pools == ("avg",) and formula.layers == "one" and formula.order != "spatial":
            return ULTRALYTICS
        if formula.pools == ("avg",) and formula.order == "channel" and not formula.residual:
            return ECA if formula.layers == "eca" else SE if formula.layers == "two" else ""
        return ""
    shapes = [unit.shape for unit in units]
    hidden = {s[0] for s in shapes if len(s) > 2 and s[1] == channels and s[0] < channels and set(s[2:]) == {1}}
    for h in hidden:
        dilated = [s for s in shapes if s[:2] == (h, h) and len(s) == 4 and s[2] > 1]
        if dilated and any(s[:2] == (1, h) for s in shapes):
            return BAM
        back = [s for s in shapes if len(s) == 4 and s[:2] == (channels, h) and set(s[2:]) == {1}]
        down = [s for s in shapes if len(s) == 4 and s[:2] == (h, channels) and set(s[2:]) == {1}]
        if len(back) >= 2 and len(down) == 1:
            return COORDINATE
    wide = [s[:2] for s in shapes if len(s) == 4 and s[2] > 1]
    if any(a == channels and b < channels and (b, a) in wide for a, b in wide):
        return GAM
    if len([s for s in wide if s == (1, 2)]) == 3 and not any(unit.kind == "dense" for unit in units):
        return TRIPLET
    return ""
