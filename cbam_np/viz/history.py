"""How training went."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .speed import BLUE, ORANGE


def history_figure(history: list[dict[str, Any]], test_accuracy: float | None = None) -> Figure:
    """Draw loss and accuracy, epoch by epoch.

    Parameters
    ----------
    history : list of dict
        What `cbam_np.train.fit` returns, or the `epochs` of a `history.json`.
    test_accuracy : float, optional
        Drawn as a line.

    Returns
    -------
    matplotlib.figure.Figure
        Left the loss on the training batches as they came, right the accuracy; that on validation images where there
        were some.
    """
    epochs = [line["epoch"] for line in history]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for ax, what in ((left, "loss"), (right, "accuracy")):
        ax.plot(epochs, [line[what] for line in history], "o-", color=BLUE, label="training batches")
        if f"validation_{what}" in history[0]:
            ax.plot(epochs, [line[f"validation_{what}"] for line in history], "o-", color=ORANGE, label="validation")
        ax.set_xlabel("epoch", fontsize=11)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_title(what, fontsize=11)
        ax.spines[["top", "right"]].set_visible(False)
    if test_accuracy is not None:
        right.axhline(test_accuracy, color="black", linestyle="--", linewidth=1, label="test, after the last epoch")
    right.legend(fontsize=10, frameon=False)
    return figure
