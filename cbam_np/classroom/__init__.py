"""What runs in front of a class: the explorer, in a notebook or as a page that needs nothing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .widget import Explorer


def explore(F: Any = None, **choices: Any) -> "Explorer":
    """Show CBAM as something to play with: every number can be changed, every step follows at once.

    Parameters
    ----------
    F : array_like, shape (C, H, W), optional
        Feature map to begin with, at most 4 channels of 5×5; the lecture's where none is given.
    **choices
        What the menus begin with: `reduction`, `kernel` and any of `order`, `channel_pools`, `spatial_pools`, `ties`,
        `mlp_bias`.

    Returns
    -------
    Explorer
        For a notebook to display; `trace` has the numbers on the screen, `save` writes them as a page.

    Raises
    ------
    ValueError
        If F is too large, or a choice is unknown.
    ImportError
        If anywidget is not installed.
    """
    from .example import Example  # not before it is wanted: widgets take their time to load

    example = Example(F, **choices)
    try:
        from .widget import Explorer
    except ModuleNotFoundError as error:
        raise ImportError(f"explore needs {error.name}: pip install {error.name}") from error
    return Explorer(example)
