"""Whitening: a first convolution whose outputs are uncorrelated on the training images, from the start."""

import numpy as np
from numpy.typing import DTypeLike

from .. import ops
from ..engine import one_blas_thread
from .layer import Layer

FILTERS = ("whitening", "drawn")


class WhiteningConv2d(Layer):
    r"""Convolution with fixed filters that whiten k×k patches, and their negatives, with a bias that is learned.

    With the eigenvectors e_i and eigenvalues λ_i of the patches' second moments E[p pᵀ], the filters are
    ± e_i / √(λ_i + ε): what each gives has the mean square λ_i / (λ_i + ε), and no two of the first half correlate. No
    padding. The filters are state, not parameters: `fit` computes them, and no optimiser moves them.

    Parameters
    ----------
    channels : int
        C.
    kernel_size : int
        k; there are 2·C·k² outputs.
    eps : float
        ε, keeps noise from being blown up.
    dtype : dtype
        Of filters and bias.
    rng : numpy.random.Generator, optional
        Draws directions in place of the eigenvectors, to see what these are good for: `fit` then scales each so that
        what it gives has the mean square 1.

    Notes
    -----
    Source: Jordan, arXiv:2404.00498, section 3.2; github.com/KellerJordan/cifar10-airbench.
    """

    def __init__(
        self,
        channels: int = 3,
        kernel_size: int = 2,
        eps: float = 5e-4,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        inputs = channels * kernel_size**2
        shape = (2 * inputs, channels, kernel_size, kernel_size)
        super().__init__({"b": np.zeros(2 * inputs, dtype)}, {"W": np.zeros(shape, dtype)})
        self.eps = eps
        self.drawn = None if rng is None else rng.standard_normal((inputs, inputs))

    @one_blas_thread()
    def fit(self, x: np.ndarray) -> None:
        """Take the filters from images as the layer will see them, (N, C, H, W)."""
        W = self.state["W"]
        k = W.shape[-1]
        windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))  # (N, C, H-k+1, W-k+1, k, k)
        patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, len(W) // 2).astype(np.float64)
        moments = patches.T @ patches / len(patches)
        if self.drawn is None:
            variances, vectors = np.linalg.eigh(moments)
        else:
            vectors = self.drawn
            variances = np.einsum("pi,pq,qi->i", vectors, moments, vectors)
        filters = (vectors / np.sqrt(variances + self.eps)).T[::-1]  # one per row, that of the largest variance first
        W[...] = np.concatenate([filters, -filters]).reshape(W.shape)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Convolve with the filters, and add the bias."""
        if not self.state["W"].any():
            raise ValueError("the whitening filters are all 0: call fit with training images first")
        out, self.cache = ops.conv2d_forward(x, self.state["W"], self.params["b"])
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray | None:
        """Return the gradient of x, unless nobody wants it, and fill that of the bias."""
        if not self.want_dx:
            self.grads["b"] = dout.sum(axis=(0, 2, 3))
            return None
        dx, _, self.grads["b"] = ops.conv2d_backward(dout, self.cache)
        return dx

    want_dx = True

    def leave_out_dx(self) -> None:
        """Let `backward` return None from now on."""
        self.want_dx = False
