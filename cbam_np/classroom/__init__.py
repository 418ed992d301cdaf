"""What runs in a notebook, in front of a class: the explorer."""


def explore(F=None, **choices):
    """Show CBAM as something to play with: every number can be changed, every step follows at once.

    Parameters
    ----------
    F : array_like, shape (C, H, W), optional
        Feature map to begin with, at most 4 channels of 5×5; the lecture's where none is given.
    **choices
        What the menus begin with: `reduction`, `kernel` and any of `order`, `channel_pools`, `spatial_pools`, `ties`.

    Returns
    -------
    Explorer
        For a notebook to display, with ipywidgets.

    Raises
    ------
    ValueError
        If F is too large, or a choice is unknown.
    ImportError
        If ipywidgets is not there.
    """
    try:
        from .explorer import Explorer  # not before it is wanted: widgets and pictures take their time to load
    except ModuleNotFoundError as error:
        raise ImportError(f"explore needs {error.name}: pip install {error.name}") from error

    return Explorer(F, **choices)
