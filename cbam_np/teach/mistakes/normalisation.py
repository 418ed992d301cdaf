"""Mistakes with the batch normalisation after the convolution: z_s = γ (y_s - μ_s) / √(v_s + ε) + β."""

import numpy as np

from ..calculation.cbam_rules import EPSILON, ROOT, THROUGH_CONSTANTS, normalised, root, variance
from ..calculation.rules import products, spread, term
from .mistake import Calculation, Change, always, copy_of, mistake


def _uncentred(y: np.ndarray, v: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return gamma * y / root(v) + beta


def _by_the_variance(y: np.ndarray, mu: np.ndarray, v: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return gamma * (y - mu) / (np.maximum(v, 0) + EPSILON) + beta


def _unshifted(y: np.ndarray, mu: np.ndarray, v: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    return gamma * normalised(y, mu, v)


def _unscaled(y: np.ndarray, mu: np.ndarray, v: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return normalised(y, mu, v) + beta


def _unscaled_back(dz: np.ndarray, v: np.ndarray) -> np.ndarray:
    return dz / root(v)


def _by_n_less_one(c: Calculation) -> Change:
    if c.H * c.W < 2 or "v_s" not in c:
        return {}
    return {"v_s": variance("y_s", "mu_s", c.H * c.W - 1)}


def _statistics_taken_as_constants(c: Calculation) -> Change:
    in_training = "dy_s" in c and c["dy_s"].inputs != THROUGH_CONSTANTS.inputs
    return {"dy_s": THROUGH_CONSTANTS} if in_training else {}


Y, MU, V, GAMMA, BETA = "y_s", "mu_s", "v_s", "gamma", "beta"
UNCENTRED = spread("ij,,,->ij", _uncentred, f"{{2}}·{{0}}/{ROOT.format('{1}')} + {{3}}", Y, V, GAMMA, BETA)
BY_THE_VARIANCE = spread(
    "ij,,,,->ij", _by_the_variance, f"{{3}}·({{0}} - {{1}})/({{2}} + {EPSILON:.5f}) + {{4}}", Y, MU, V, GAMMA, BETA
)
UNSCALED = spread("ij,,,->ij", _unscaled, f"({{0}} - {{1}})/{ROOT.format('{2}')} + {{3}}", Y, MU, V, BETA)
UNSHIFTED = spread("ij,,,->ij", _unshifted, f"{{3}}·({{0}} - {{1}})/{ROOT.format('{2}')}", Y, MU, V, GAMMA)
UNSCALED_BACK = spread("ij,->ij", _unscaled_back, f"{{0}}/{ROOT.format('{1}')}", "dz_s", V)

MISTAKES = (
    mistake(
        "batch normalisation forgotten",
        "Between the convolution and the sigmoid, this dialect normalises: the sigmoid gets z_s, not y_s.",
        always({"z_s": copy_of(Y)}),
        needs="y_s",
    ),
    mistake(
        "the mean not subtracted in the normalisation",
        "Normalised is y - μ: the mean is subtracted before the division by √(v + ε).",
        always({"z_s": UNCENTRED}),
        needs="y_s",
    ),
    mistake(
        "divided by the variance instead of its root",
        "The normalisation divides by √(v + ε), the standard deviation, not by the variance v.",
        always({"z_s": BY_THE_VARIANCE}),
        needs="y_s",
    ),
    mistake(
        "γ forgotten",
        "What is normalised is multiplied by γ, then β is added.",
        always({"z_s": UNSCALED}),
        needs="y_s",
    ),
    mistake(
        "β forgotten",
        "What is normalised is multiplied by γ, then β is added.",
        always({"z_s": UNSHIFTED}),
        needs="y_s",
    ),
    mistake(
        "the variance divided by n - 1",
        "Batch normalisation divides by the number n of values, also in the variance.",
        _by_n_less_one,
        needs="y_s",
    ),
    mistake(
        "batch normalisation skipped on the way back",
        "The gradient goes back through the normalisation as well, before it reaches the convolution.",
        always({"dy_s": copy_of("dz_s")}),
        needs="dy_s",
    ),
    mistake(
        "γ forgotten on the way back",
        "What was multiplied by γ on the way forward is multiplied by γ on the way back.",
        always({"dy_s": UNSCALED_BACK}),
        needs="dy_s",
    ),
    mistake(
        "mean and variance taken as constants on the way back",
        "In training every number moves the mean and the variance too: two terms are subtracted.",
        _statistics_taken_as_constants,
        needs="dy_s",
    ),
    mistake(
        "the map before the normalisation in dγ",
        "γ was multiplied by the normalised map, so that its gradient takes that map, not y_s.",
        always({"dgamma": products(term("ij,ij->", "dz_s", Y))}),
        needs="dgamma",
    ),
)
