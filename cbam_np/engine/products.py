"""Matrix products in blocks so small that BLAS does not copy the matrices first.

As a rule, BLAS brings both matrices into an order that suits it before it multiplies; where one of them is small, that
takes long. On processors with AVX-512, OpenBLAS has a second way for products of up to a million multiplications, which
leaves the matrices where they are. So a product is cut into blocks of that size, all in one call. On other processors
nothing is cut.

Source: OpenBLAS, kernel/x86_64/sgemm_small_kernel_permit_skylakex.c.
"""

from functools import cache

import numpy as np

from .threads import blas_kernels

KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # those that have the second way
SMALL = 10**6  # multiplications
EVEN = 16  # columns: blocks of so many, or a multiple, fill the registers


@cache
def _has_second_way() -> bool:
    return bool(KERNELS & set(blas_kernels()))


def times(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return A @ B, (…,m,k) @ (…,k,N), in blocks of columns where that is faster."""
    N = B.shape[-1]
    step = _block(N, A.shape[-2] * A.shape[-1])
    if step >= N:
        return A @ B
    out = np.empty((*np.broadcast_shapes(A.shape[:-2], B.shape[:-2]), A.shape[-2], N), np.result_type(A, B))
    cut = N // step * step
    np.matmul(A[..., None, :, :], _side_by_side(B[..., :cut], step), out=_side_by_side(out[..., :cut], step))
    if cut < N:
        np.matmul(A, B[..., cut:], out=out[..., cut:])
    return out


def _block(N: int, others: int) -> int:
    """Return how many of N columns make a block, each of them so many multiplications; all, where none is to be cut."""
    largest = SMALL // others // EVEN * EVEN
    if not _has_second_way() or not 0 < largest < N:
        return N
    blocks = -(-N // largest)
    return -(-N // blocks // EVEN) * EVEN  # of nearly the same size


def _side_by_side(x: np.ndarray, step: int) -> np.ndarray:
    """View columns in blocks: (…,m,N) -> (…,blocks,m,step)."""
    return x.reshape(*x.shape[:-1], -1, step).swapaxes(-2, -3)
