r"""Convolution with few kernels, as the 7×7 of spatial attention: one matrix product with a banded matrix.

To copy every k×k window, as `conv` does, moves k² numbers for each product with a single kernel. Here only the rows
are copied, k of them for every row of the output, and the columns are left to a banded matrix, in which each kernel
row stands once for every place where it can lie:

    out[i, :] = Σ_a x_pad[i+a, :] · B_a,    B_a[j+b, j] = W[a, b]

Most of the band matrix is zeros, but a matrix product is so much faster than copying that this wins.
"""

import numpy as np

WIDEST = 128  # columns of the padded map; in wider ones, the zeros cost more than the copies


def fits(W, x_pad, stride):
    """Tell whether it is faster this way."""
    return len(W) == 1 and W.shape[-1] > 1 and stride == 1 and x_pad.shape[3] <= WIDEST and x_pad.dtype != object


def _bands(W, width):
    """Lay the rows of one kernel (1, C, k, k) into a band matrix, (C·k·width, width-k+1)."""
    _, C, k, _ = W.shape
    out = width - k + 1
    bands = np.zeros((C, k, width, out), W.dtype)
    _diagonals(bands, k)[...] = W[0][:, :, None, :]
    return bands.reshape(C * k * width, out)


def _diagonals(bands, k):
    """View the band of a matrix (C, k, width, out) as (C, k, out, k): entry [c,a,j,b] is [c,a,j+b,j]."""
    c, a, row, column = bands.strides
    C, _, _, out = bands.shape
    return np.lib.stride_tricks.as_strided(bands, (C, k, out, k), (c, a, row + column, row))


def _rows(x_pad, k):
    """Copy, for every row of the output, the k rows that go into it: (n,C,H,W) -> (n·H', C·k·W)."""
    n, C, H, width = x_pad.shape
    rows = np.lib.stride_tricks.sliding_window_view(x_pad, k, axis=2)  # (n,C,H',W,k)
    return rows.transpose(0, 2, 1, 4, 3).reshape(n * (H - k + 1), C * k * width)


def forward(x_pad, W):
    """Return the convolution of a padded slice with one kernel: (n,C,H,W) -> (n,1,H',W')."""
    k = W.shape[-1]
    n, _, H, width = x_pad.shape
    return (_rows(x_pad, k) @ _bands(W, width)).reshape(n, 1, H - k + 1, width - k + 1)


def backward(dout, x_pad, W, dx_pad):
    """Add the gradient of a padded slice to `dx_pad`; return this slice's part of the kernel's, (1, C·k·k)."""
    _, C, k, _ = W.shape
    n, _, H, width = x_pad.shape
    out = dout.reshape(n * (H - k + 1), width - k + 1)
    drows = (out @ _bands(W, width).T).reshape(n, H - k + 1, C, k, width)
    for a in range(k):  # each row goes back to where it was copied from
        dx_pad[:, :, a : a + H - k + 1] += drows[:, :, :, a].swapaxes(1, 2)
    dbands = (_rows(x_pad, k).T @ out).reshape(C, k, width, width - k + 1)
    return _diagonals(dbands, k).sum(axis=2).reshape(1, -1)  # an entry of the kernel stands all along its diagonal
