"""A batch goes through CBAM in slices that fit the processor's cache, side by side; a small one is one slice."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from .. import engine
from ..ops.checks import inexact
from . import orders
from .caches import CBAMCache, CBAMGradients, Part
from .dialect import ORDERS, Dialect
from .params import WEIGHTS, get_parameter
from .pools import NotFiniteError

S = TypeVar("S")
T = TypeVar("T")


@engine.one_blas_thread()
def run_forward(x: np.ndarray, params: dict, d: Dialect, running: orders.Running | None) -> CBAMCache:
    """Run all slices forward; each writes its part of F' and F''."""
    outs = [np.empty(x.shape, dtype) for dtype in _dtypes(x, params, d)]

    def part(s: slice) -> Part:
        try:
            return orders.forward(x[s], params, d, running, [out[s] for out in outs])
        except NotFiniteError as error:
            raise error.in_batch(s.start) from None

    slices = _slices(x, meets=d.meets(running))
    parts = _run(part, slices, meets=d.meets(running))
    return CBAMCache(x, outs[0], outs[-1], d, slices, parts)


@engine.one_blas_thread()
def run_backward(
    dout: np.ndarray, cache: CBAMCache, keep_paths: bool = False
) -> tuple[np.ndarray, list[CBAMGradients]]:
    """Run all slices backward; return the gradient of F, and all gradients slice by slice."""
    dx = np.empty(dout.shape, np.result_type(dout, cache.F2))

    def part(at: int) -> CBAMGradients:
        s = cache.slices[at]
        return orders.backward(dout[s], cache.parts[at], cache.dialect, dx[s], keep_paths)

    return dx, _run(part, range(len(cache.slices)), meets=cache.moments is not None)


def _dtypes(x: np.ndarray, params: dict, d: Dialect) -> list[np.dtype]:
    """Return the dtype of what each gate gives: x and the weights so far, whichever is widest."""
    dtype, found = inexact(x[:1, :1, :1, :1]).dtype, []
    for name in ORDERS[d.order]:
        weights = [inexact(get_parameter(params, W)[:1]).dtype for W in WEIGHTS[name]]
        dtype = np.result_type(dtype, *weights)
        found.append(dtype)
    return found


def _slices(x: np.ndarray, meets: bool) -> list[slice]:
    """Cut the batch so that a slice fits the cache; slices that meet have a thread each, so those are few."""
    slices = engine.batch_slices(len(x), x[0].nbytes)
    if not meets or len(slices) == 1:
        return slices
    return engine.equal_slices(len(x), 1 if engine.is_a_piece() else min(len(slices), engine.PIECES))


def _run(work: Callable[[S], T], slices: Sequence[S], meets: bool) -> list[T]:
    """Do the work on all slices, side by side; they may have to meet for a batch normalisation."""
    return engine.run_pieces(work, slices) if meets else engine.over_slices(work, slices)
