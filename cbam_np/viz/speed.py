"""How fast: ratios, rates, and the roof that the machine puts on them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#999999"  # Okabe and Ito's, safe for the colour-blind
GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # so that a line does not cross the numbers


def speed_figure(rows: Sequence[dict[str, Any]]) -> Figure:
    """Draw how long NumPy takes next to PyTorch, one bar per case, with a line where both take the same time.

    Parameters
    ----------
    rows : sequence of dict
        `part`, a letter; `name`; `ratio`, NumPy's time divided by PyTorch's.

    Returns
    -------
    matplotlib.figure.Figure
        The first row on top; NumPy's wins in blue, the rest in orange.

    Raises
    ------
    ValueError
        If there is no row.
    """
    if not rows:
        raise ValueError("there is nothing to draw: no case was timed in both NumPy and PyTorch")
    ratios = [row["ratio"] for row in rows]
    parts = np.array([row["part"] for row in rows])
    places = np.arange(len(rows)) + 0.6 * np.cumsum(np.append(False, parts[1:] != parts[:-1]))  # a gap between parts
    figure = Figure(figsize=(9, 0.36 * places[-1] + 1.8), layout="constrained")
    ax = figure.subplots()
    colours = [BLUE if ratio < 1 else ORANGE for ratio in ratios]
    bars = ax.barh(places, ratios, color=colours)
    ax.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios], padding=4, fontsize=11, bbox=GROUND)
    ax.axvline(1, color="black", linewidth=1.2)
    ax.set_yticks(places, [row["name"] for row in rows], fontsize=11)
    ax.set(xlim=(0, 1.12 * max(1, *ratios)), ylim=(places[-1] + 0.7, -0.7))
    ax.set_xlabel("time of NumPy / time of PyTorch eager\nleft of the line NumPy is faster", fontsize=11)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def rates_figure(rates: dict[str, float], peak: float | None = None, others: dict[str, float] | None = None) -> Figure:
    """Draw how many floating-point operations per second each way of calculating does, on a logarithmic axis.

    Parameters
    ----------
    rates : dict of str to float
        Operations per second, by the name of the way, the first on top.
    peak : float, optional
        The fastest that this machine's matrix products are; drawn as a line.
    others : dict of str to float, optional
        Ways that are not ours; in grey, below.

    Returns
    -------
    matplotlib.figure.Figure
        One bar per way, with its number and how many times faster it is than the one above.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a rate is not positive.
    """
    every = {**rates, **(others or {})}
    if not rates or min(every.values()) <= 0:
        raise ValueError(f"rates are {rates}, expected at least one and all of them positive")
    figure = Figure(figsize=(9, 0.5 * len(every) + 1.2), layout="constrained")
    ax = figure.subplots()
    bars = ax.barh(list(every), list(every.values()), color=[BLUE] * len(rates) + [GREY] * (len(every) - len(rates)))
    values = list(rates.values())
    gains = ["", *(f"   {now / before:.3g}×" for before, now in pairwise(values))]
    gains += [""] * (len(every) - len(rates))
    labels = [f"{_operations(rate)}{gain}" for rate, gain in zip(every.values(), gains, strict=True)]
    ax.bar_label(bars, labels, padding=4, fontsize=11, bbox=GROUND)
    ax.set_xscale("log")
    ax.set_xlim(min(every.values()) / 3, 30 * max(*every.values(), peak or 0))  # room for the numbers
    ax.invert_yaxis()
    if peak is not None:
        ax.axvline(peak, color="black", linewidth=1.2, linestyle="--")
        ax.set_title(f"dashed: the machine's matrix products, {_operations(peak)}", fontsize=11)
    ax.set_xlabel("floating-point operations per second", fontsize=11)
    ax.tick_params(axis="y", length=0, labelsize=11)
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def _operations(rate: float) -> str:
    """Write operations per second."""
    unit, size = next((unit, size) for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 0)) if rate >= size)
    return f"{rate / (size or 1):.3g} {unit}FLOP/s"


def roofline_figure(points: dict[str, tuple[float, float]], peak: float, bandwidth: float) -> Figure:
    """Draw operations under the roof of a machine (Williams et al., CACM 2009).

    An operation that does I operations for each byte that it reads or writes cannot be faster than I · bandwidth, nor
    than the peak.

    Parameters
    ----------
    points : dict of str to (float, float)
        By name: intensity I in operations per byte, and the operations per second that were measured.
    peak : float
        Operations per second of matrix products.
    bandwidth : float
        Bytes per second that the memory delivers.

    Returns
    -------
    matplotlib.figure.Figure
        Both axes logarithmic; one point per operation, under or at the roof.

    Raises
    ------
    ValueError
        If there is no point.
    """
    if not points:
        raise ValueError("there is no operation to draw under the roof")
    intensities = np.array([intensity for intensity, _ in points.values()])
    reach = np.geomspace(intensities.min() / 2, max(intensities.max(), peak / bandwidth) * 20, 200)  # room for names
    figure = Figure(figsize=(9, 5), layout="constrained")
    ax = figure.subplots()
    ax.plot(reach, np.minimum(peak, bandwidth * reach), color="black", linewidth=1.5)
    ax.axvspan(reach[0], peak / bandwidth, color=GREY, alpha=0.12, linewidth=0)
    for name, (intensity, rate) in points.items():
        ax.plot(intensity, rate, "o", color=BLUE, markersize=8)
        ax.annotate(
            name,
            (intensity, rate),
            xytext=(8, -4),
            textcoords="offset points",
            fontsize=11,
            bbox=GROUND | {"alpha": 0.8},
        )
    ax.set(xscale="log", yscale="log", xlim=(reach[0], reach[-1]))
    ax.set_ylim(min(rate for _, rate in points.values()) / 3, 3 * peak)
    ax.text(reach[0] * 1.1, 1.6 * peak, "waits for memory", fontsize=11)
    ax.text(1.1 * peak / bandwidth, 1.6 * peak, "calculates", fontsize=11)
    ax.set_xlabel("operations per byte from or to memory", fontsize=11)
    ax.set_ylabel("operations per second", fontsize=11)
    ax.spines[["top", "right"]].set_visible(False)
    return figure
