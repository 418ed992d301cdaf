r"""Convolution with few kernels, as the 7×7 of spatial attention: one matrix product with a banded matrix.

To copy every k×k window, as `conv` does, moves k² numbers for each product with a single kernel. Here only the rows
are copied, k of them for every row of the output, and the columns are left to a banded matrix, in which each kernel
row stands once for every place where it can lie:

    out[i, :] = Σ_a x_pad[i+a, :] · B_a,    B_a[j+b, j] = W[a, b]

Most of the band matrix is zeros, but a matrix product is so much faster than copying that this wins.
"""

import numpy as np

WIDEST = 128  # columns of the padded map; in wider ones, the zeros cost more than the copies


def fits(W, x_pad, stride, padding):
    """Tell whether it is faster this way."""
    k = W.shape[-1]
    return len(W) == 1 and 1 < k > padding and stride == 1 and x_pad.shape[3] <= WIDEST and x_pad.dtype != object


def _bands(W, width):
    """Lay the rows of kernels (O, C, k, k) into a band matrix, (C·k·width, O·out), out = width-k+1."""
    O, C, k, _ = W.shape
    bands = np.zeros((C, k, width, O, width - k + 1), W.dtype)
    _diagonals(bands)[...] = W.transpose(1, 2, 0, 3)[:, :, :, None]
    return bands.reshape(C * k * width, -1)


def _diagonals(bands):
    """View the band of a matrix (C, k, width, O, out) as (C, k, O, out, k): [c,a,o,j,b] is [c,a,j+b,o,j]."""
    C, k, width, O, out = bands.shape
    c, a, row, o, column = bands.strides
    return np.lib.stride_tricks.as_strided(bands, (C, k, O, out, width - out + 1), (c, a, o, row + column, row))


def _rows(x_pad, k):
    """Copy, for every row of the output, the k rows that go into it: (n,C,H,W) -> (n·H', C·k·W)."""
    n, C, H, width = x_pad.shape
    rows = np.lib.stride_tricks.sliding_window_view(x_pad, k, axis=2)  # (n,C,H',W,k)
    return rows.transpose(0, 2, 1, 4, 3).reshape(n * (H - k + 1), C * k * width)


def forward(x_pad, W):
    """Return the convolution of a padded slice: (n,C,H,W) -> (n,O,H',W')."""
    O, _, k, _ = W.shape
    n, _, H, width = x_pad.shape
    out = _rows(x_pad, k) @ _bands(W, width)
    return out.reshape(n, H - k + 1, O, width - k + 1).swapaxes(1, 2)


def backward(dout, x_pad, W, padding):
    """Return the gradients of a slice without its padding, and of the one kernel, (1, C·k·k).

    The slice's own is a convolution once more: of dout, with the kernel turned round, from its output to its inputs.
    """
    _, C, k, _ = W.shape
    n, _, H, width = x_pad.shape
    out = width - k + 1
    q = k - 1 - padding
    dout_pad = np.zeros((n, 1, H - k + 1 + 2 * q, out + 2 * q), dout.dtype)
    dout_pad[:, :, q : q + H - k + 1, q : q + out] = dout
    dx = forward(dout_pad, W.swapaxes(0, 1)[:, :, ::-1, ::-1])
    dbands = _rows(x_pad, k).T @ dout.reshape(n * (H - k + 1), out)
    dW = _diagonals(dbands.reshape(C, k, width, 1, out)).sum(axis=3)  # an entry stands all along its diagonal
    return dx, dW.reshape(1, -1)
