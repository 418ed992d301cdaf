r"""Muon: steps whose directions all count alike.

The gradient of a convolution's kernels, written as a matrix G (outputs, inputs·k²), has singular values of very
different sizes: G = U S Vᵀ. Plain gradient descent moves along the few largest. Muon moves along U Vᵀ instead, in which
every direction has the size 1: the orthogonal matrix nearest to G.

The singular value decomposition is slow. Newton-Schulz steps come close enough with products of matrices alone. For
X = U S Vᵀ,

    a X + (b A + c A²) X  with  A = X Xᵀ      is      U (a S + b S³ + c S⁵) Vᵀ:

each singular value s becomes a s + b s³ + c s⁵, and the singular vectors stay. With X = G / ‖G‖ all start between 0
and 1, and a few steps bring all but the smallest near 1, the more quickly the steeper the polynomial is at 0, a. The
numbers below give up exactness for that: they leave values between about 0.7 and 1.2.

Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
"""

import numpy as np

from ..engine import one_blas_thread

A, B, C = 3.4445, -4.7750, 2.0315


def orthogonalise(G: np.ndarray, steps: int = 3) -> np.ndarray:
    r"""Bring the singular values of a matrix near 1 by Newton-Schulz steps, and leave its singular vectors.

    Parameters
    ----------
    G : ndarray, shape (M, D)
        A matrix, of which not all entries are 0.
    steps : int
        How often X ← a X + (b A + c A²) X, A = X Xᵀ.

    Returns
    -------
    ndarray, shape (M, D)
        About U Vᵀ, where G = U S Vᵀ.
    """
    tall = G.shape[0] > G.shape[1]
    X = G.T if tall else G
    X = X / G.dtype.type(np.linalg.norm(X.astype(np.float64)) + np.finfo(G.dtype).tiny)  # a square may be too small
    for _ in range(steps):
        S = X @ X.T  # the smaller of the two products
        X = A * X + (B * S + C * (S @ S)) @ X
    return X.T if tall else X


class Muon:
    """Momentum with orthogonalised steps, for the kernels of convolutions.

    v ← μ v + g;  u = g + μ v with Nesterov;  W ← W √outputs / ‖W‖;  W ← W - lr orthogonalise(u).

    Each kernel is brought to the norm √outputs before each step, so that the rate means the same for all of them.

    Parameters
    ----------
    params : dict of str to ndarray
        Kernels (O, C, k, k), or matrices, to update in place.
    momentum : float
        μ.
    nesterov : bool
        Whether to look ahead along the momentum.
    """

    def __init__(self, params: dict[str, np.ndarray], momentum: float = 0.6, nesterov: bool = True) -> None:
        flat = [name for name, W in params.items() if W.ndim < 2]
        if flat:
            raise ValueError(f"{', '.join(flat)} has one axis, expected kernels or matrices: give vectors to SGD")
        self.params, self.momentum, self.nesterov = params, momentum, nesterov
        self.velocity = {name: np.zeros_like(W) for name, W in params.items()}

    @one_blas_thread()
    def step(self, grads: dict[str, np.ndarray], lr: float) -> None:
        """Move every parameter once.

        Parameters
        ----------
        grads : dict of str to ndarray
            Gradients, with the parameters' names.
        lr : float
            Learning rate of this step.
        """
        for name, W in self.params.items():
            g, v = grads[name], self.velocity[name]
            v *= self.momentum
            v += g
            u = g + self.momentum * v if self.nesterov else v
            W *= np.sqrt(len(W)) / np.linalg.norm(W)
            W -= W.dtype.type(lr) * orthogonalise(u.reshape(len(W), -1)).reshape(W.shape)
