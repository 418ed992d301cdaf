"""The ways to put the two attentions together: one after the other, side by side, or one of them alone (Table 3).

A slice of the batch goes through here, forward and backward. Each attention looks at a feature map and makes a map M of
weights; its gate multiplies that onto a feature map. In parallel, both look at F itself, and

    F'' = M_s(F) ⊗ M_c(F) ⊗ F.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .caches import CBAMGradients, Part
from .channel import channel_attention_forward, channel_gradients
from .dialect import ORDERS, Dialect
from .gate import gate_backward, gate_forward
from .spatial import spatial_attention_forward, spatial_gradients

Running = tuple[np.ndarray, np.ndarray]


def forward(x: np.ndarray, params: dict, d: Dialect, running: Running | None, outs: Sequence[np.ndarray]) -> Part:
    """Run a slice of the batch through the attentions; what the gates give is written to `outs`, one for each."""
    caches: dict[str, Any] = {"channel": None, "spatial": None}
    gates, given = {}, []
    F = x
    for name, out in zip(ORDERS[d.order], outs, strict=True):
        source = x if d.order == "parallel" else F
        if name == "channel":
            M, caches[name] = channel_attention_forward(source, params, d)
        else:
            M, caches[name] = spatial_attention_forward(source, params, d, running)
        F, gates[name] = gate_forward(F, M, out)  # M ⊗ F
        given.append(F)
    return Part(x, **caches, gates=gates, F1=given[0], F2=F)


def backward(dout: np.ndarray, part: Part, d: Dialect, dx: np.ndarray, keep_paths: bool = False) -> CBAMGradients:
    """Write the gradient of a slice to `dx`, and return every gradient on the way.

    The gates are undone last one first. The gradient of a feature map is the sum of all paths that lead back to it:
    the direct one through the gate, and those through the pools of its map. They are added up where they end; with
    `keep_paths`, each is kept by itself as well, for a trace.
    """
    found: dict[str, Any] = {"channel": None, "spatial": None}
    direct: dict[str, np.ndarray] = {}
    grads: dict[str, np.ndarray] = {}
    parallel = d.order == "parallel"
    if parallel:
        dx[...] = 0  # of both maps, which were made from F; the direct path is added in the end
    dF, dF1 = dout, None
    for name in reversed(ORDERS[d.order]):
        dF1 = dF.copy() if keep_paths else None  # of what this gate gave; in the end, of what the first one gave
        dF, dM = gate_backward(dF, part.gates[name], out=None if parallel else dx)
        if keep_paths:
            direct[name] = dF.copy()
        if name == "channel":
            found[name] = channel_gradients(dM, part.channel, dx, keep_paths)
        else:
            found[name] = spatial_gradients(dM, part.spatial, dx, keep_paths)
        grads |= found[name].params
    if parallel:
        dx += dF
    return CBAMGradients(dout, dF1, **found, direct=direct, dF=dx, params=grads)
