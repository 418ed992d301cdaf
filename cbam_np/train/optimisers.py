"""Which optimiser moves which parameter, and how fast at each moment of a run."""

from typing import NamedTuple

import numpy as np

from ..nn import SCHEDULES, SGD, Muon
from .recipe import Recipe

Params = dict[str, np.ndarray]


class Group(NamedTuple):
    """Parameters that move alike.

    Parameters
    ----------
    optimiser : SGD or Muon
        What moves them.
    lr : float
        Its learning rate at the peak.
    schedule : str
        A name in `cbam_np.nn.SCHEDULES`.
    until : float
        The part of the run over which the schedule goes from its beginning to its end; later on they do not move.
    """

    optimiser: SGD | Muon
    lr: float
    schedule: str
    until: float = 1.0

    def lr_at(self, done: float) -> float:
        """Return the learning rate where a part of the run is done, 0 to 1."""
        return self.lr * SCHEDULES[self.schedule](done / self.until)


class Optimisers:
    """All optimisers of a run.

    Parameters
    ----------
    params : dict of str to ndarray
        The network's parameters, updated in place.
    recipe : Recipe
        With "sgd", SGD moves them all, head, vectors and attention perhaps at rates of their own. With "muon", kernels
        move by `Muon`, everything else by SGD at rates of its own.
    """

    def __init__(self, params: Params, recipe: Recipe) -> None:
        self.groups = _with_muon(params, recipe) if recipe.optimiser == "muon" else _sgd_alone(params, recipe)

    @property
    def velocity(self) -> Params:
        """The momentum of every parameter, by name."""
        return {name: v for group in self.groups for name, v in group.optimiser.velocity.items()}

    def lr_at(self, done: float) -> float:
        """Return the first group's learning rate where a part of the run is done."""
        return self.groups[0].lr_at(done)

    def step(self, grads: Params, done: float) -> None:
        """Move every parameter once.

        Parameters
        ----------
        grads : dict of str to ndarray
            Gradients of the mean loss, with the parameters' names.
        done : float
            The part of the run that is done, 0 to 1.
        """
        for group in self.groups:
            if done < group.until:
                group.optimiser.step(grads, group.lr_at(done))


def _sgd_alone(params: Params, recipe: Recipe) -> list[Group]:
    """Return a group for each learning rate there is."""
    factors = {"head": recipe.head_factor, "attention": recipe.attention_factor}
    factors |= dict.fromkeys(("vectors", "inputs"), recipe.vector_factor)
    at: dict[float, Params] = {1.0: {}}  # the first group's rate is the recipe's
    for name, p in params.items():
        at.setdefault(factors.get(_kind(name, p), 1.0), {})[name] = p
    return [
        Group(SGD(moved, recipe.momentum, weight_decay=recipe.weight_decay), factor * recipe.lr, recipe.schedule)
        for factor, moved in at.items()
    ]


def _with_muon(params: Params, recipe: Recipe) -> list[Group]:
    """Return the groups of the public recipe, whose rates are those of a loss that is summed over the batch."""
    kinds: dict[str, Params] = {"kernels": {}, "vectors": {}, "head": {}, "inputs": {}, "attention": {}}
    for name, p in params.items():
        kinds[_kind(name, p)][name] = p
    whole = recipe.schedule, 1.0
    rates = {"vectors": (recipe.vector_lr, *whole), "head": (recipe.head_lr, *whole)}
    rates |= {"attention": (recipe.attention_lr, *whole)}
    rates |= {"inputs": (recipe.vector_lr, "linear", min(1.0, recipe.input_epochs / recipe.epochs))}
    groups = [Group(Muon(kinds["kernels"], recipe.muon_momentum), recipe.lr, recipe.schedule)]
    for kind, (lr, schedule, until) in rates.items():
        if kinds[kind] and lr:
            of_the_mean = lr * recipe.batch_size
            decay = recipe.weight_decay / of_the_mean
            optimiser = SGD(kinds[kind], recipe.momentum, weight_decay=decay, decay_vectors=True)
            groups.append(Group(optimiser, of_the_mean, schedule, until))
    return groups


def _kind(name: str, p: np.ndarray) -> str:
    """Return which group a parameter belongs to."""
    if ".attention." in name:
        return "attention"
    if name.startswith("head."):
        return "head"
    if name.startswith("whiten."):
        return "inputs"
    return "kernels" if p.ndim == 4 else "vectors"
