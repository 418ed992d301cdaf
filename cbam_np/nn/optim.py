"""Optimisation: stochastic gradient descent with momentum, and how the learning rate runs."""

import math

import numpy as np


class SGD:
    """Stochastic gradient descent with momentum and weight decay, as PyTorch defines it.

    g = grad + λ p;  v ← μ v + g;  p ← p - lr (g + μ v) with Nesterov, p - lr v without.
    Weight decay λ acts on arrays of two or more axes only: weights, not biases and not BN's scale and shift; unless
    those are to decay, too.

    Parameters
    ----------
    params : dict of str to ndarray
        The arrays to update, in place.
    momentum : float
        μ.
    nesterov : bool
        Whether to look ahead along the momentum.
    weight_decay : float
        λ.
    decay_vectors : bool
        Whether λ acts on arrays of one axis, too.
    """

    def __init__(
        self,
        params: dict[str, np.ndarray],
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 5e-4,
        decay_vectors: bool = False,
    ) -> None:
        self.params = params
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.decay_vectors = decay_vectors
        self.velocity = {name: np.zeros_like(p) for name, p in params.items()}

    def step(self, grads: dict[str, np.ndarray], lr: float) -> None:
        """Move every parameter once.

        Parameters
        ----------
        grads : dict of str to ndarray
            Gradients, with the parameters' names.
        lr : float
            Learning rate of this step.
        """
        for name, p in self.params.items():
            g, v = grads[name], self.velocity[name]
            if p.ndim > 1 or self.decay_vectors:
                g = g + self.weight_decay * p
            v *= self.momentum
            v += g
            p -= lr * (g + self.momentum * v if self.nesterov else v)


def constant(progress: float) -> float:
    """Return 1 all the way."""
    return 1.0


def step_decay(progress: float) -> float:
    """Return 1, then a tenth after half of the way, then a hundredth after three quarters."""
    return 0.1 ** ((progress >= 0.5) + (progress >= 0.75))


def cosine(progress: float) -> float:
    """Return half a wave of cosine, from 1 to 0 (Loshchilov and Hutter, ICLR 2017)."""
    return (1 + math.cos(math.pi * progress)) / 2


def one_cycle(progress: float, warm_up: float = 0.25) -> float:
    """Return a straight climb from 1/25 to 1, then half a wave of cosine down to 0 (Smith, 2018)."""
    if progress < warm_up:
        return 0.04 + 0.96 * progress / warm_up
    return cosine((progress - warm_up) / (1 - warm_up))


def triangle(progress: float, warm_up: float = 0.25) -> float:
    """Return a straight climb from 0 to 1, then straight down to 0 (Smith, WACV 2017)."""
    return progress / warm_up if progress < warm_up else (1 - progress) / (1 - warm_up)


def linear(progress: float) -> float:
    """Return a straight line from 1 down to 0."""
    return 1 - progress


SCHEDULES = {
    "constant": constant,
    "linear": linear,
    "step": step_decay,
    "cosine": cosine,
    "one-cycle": one_cycle,
    "triangle": triangle,
}
"""Factors of the peak learning rate, as functions of the part of all steps that is done, 0 to 1."""
