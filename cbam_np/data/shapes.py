"""Shapes: a data set drawn by program, with the object's mask, for rooms without a connection.

Ten shapes lie on patterned ground, among small pieces. The shape is the class. Place, size, tilt,
colours and textures are drawn without a look at the label, so a network has to see form. Because
the program knows where it drew the object, every image comes with a mask, with which an attention
map or Grad-CAM can be compared.

A shape is a formula, its signed distance: negative inside, zero on the edge, positive outside.
The union of two shapes is the minimum of their distances, the intersection is the maximum.
"""

from collections.abc import Callable, Iterable

import numpy as np

from ..ops.checks import check_rng
from .labelled import LabelledImages

SIZE = 32  # pixels a side, as in CIFAR-10
MOST = 1_000_000  # images, 4 GB
CHUNK = 250  # images drawn at a time: few enough for the processor's cache
LUMA = np.array([0.299, 0.587, 0.114])  # how bright red, green and blue look (ITU-R BT.601)


# --- The shapes: u runs right, v runs down, and nothing reaches further than 1.165 from (0, 0) ---


def _disc(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hypot(u, v) - 0.85


def _ring(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.abs(np.hypot(u, v) - 0.77) - 0.22


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) - 0.75


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(v - 0.6, 0.866 * np.abs(u) - 0.5 * v - 0.56)


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.minimum(u, v) - 0.3, np.maximum(u, v) - 1.0)


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    # One slanted edge seen in ten mirrors: five points with two sides each.
    angle = np.abs((np.arctan2(u, -v) + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    return np.hypot(u, v) * (0.40 * np.cos(angle) + 0.916 * np.sin(angle)) - 0.46


def _crescent(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.hypot(u - 0.1, v) - 1.0, 0.75 - np.hypot(u - 0.62, v))


def _heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    u = np.abs(u)
    lobe = np.hypot(u - 0.43, v + 0.35) - 0.52
    tip = np.maximum(0.72 * u + 0.694 * v - 0.59, -v - 0.3)
    return np.minimum(lobe, np.maximum(tip, u - 0.95))


def _arrow(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    v = np.abs(v)
    head = np.maximum(-u - 0.05, 0.72 * u + 0.694 * v - 0.72)
    shaft = np.maximum(np.abs(u + 0.45) - 0.55, v - 0.28)
    return np.minimum(head, shaft)


def _hourglass(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(v) - 0.82, 0.77 * np.abs(u) - 0.64 * np.abs(v) - 0.08)


Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]

SHAPES: dict[str, Formula] = {
    "disc": _disc,
    "ring": _ring,
    "square": _square,
    "triangle": _triangle,
    "cross": _cross,
    "star": _star,
    "crescent": _crescent,
    "heart": _heart,
    "arrow": _arrow,
    "hourglass": _hourglass,
}

# --- The textures, from -1 to 1: p and q are two phases that grow across the image, at right angles ---


def _shade(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.sin(p / 6)


def _stripes(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.tanh(3 * np.sin(p))


def _waves(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.tanh(3 * np.sin(p + 1.5 * np.sin(q / 2)))


def _checks(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.tanh(6 * np.sin(p) * np.sin(q))


def _dots(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.tanh(4 * (np.cos(p) + np.cos(q) - 0.8))


def _clouds(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.sin(p / 2 + 2 * np.sin(q / 3)) * np.sin(q / 2 + 2 * np.sin(p / 4))


TEXTURES: tuple[Formula, ...] = (_shade, _stripes, _waves, _checks, _dots, _clouds)


def make_shapes(count: int = 5000, *, rng: np.random.Generator) -> LabelledImages:
    """Draw ten kinds of shape as 32×32 colour images, with the mask of the shape.

    Parameters
    ----------
    count : int
        How many images, 1 to 1,000,000.
    rng : numpy.random.Generator
        The source of all randomness: the same generator in the same state gives the same images.

    Returns
    -------
    LabelledImages
        `count` images in random order, the classes balanced to within one image, with masks: True
        on the pixels whose centre the shape covers. Nothing lies in front of the shape.

    Raises
    ------
    TypeError
        If `rng` is no Generator.
    ValueError
        If `count` is no whole number, or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> train, test = make_shapes(60, rng=np.random.default_rng(0)).split(10)
    >>> train
    <LabelledImages: 50 of 32×32, 10 classes, with masks>
    >>> test.classes[test.labels[0]]
    'hourglass'
    """
    check_rng(rng)
    if not isinstance(count, int | np.integer) or not 1 <= count <= MOST:
        raise ValueError(f"count is {count!r}, expected a whole number, 1 to {MOST}: how many images to draw")
    labels = rng.permutation(np.arange(count) % len(SHAPES))
    images = np.empty((count, 3, SIZE, SIZE), np.uint8)
    masks = np.empty((count, SIZE, SIZE), np.bool_)
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        images[part], masks[part] = _draw(labels[part], rng)
    return LabelledImages(images, labels, tuple(SHAPES), masks)


def _draw(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw one image for each label: uint8 (n, 3, S, S), and its mask, bool (n, S, S)."""
    n = len(labels)
    # One of ground and shape is dark and the other light, and a coin decides which.
    dark, light = _uniform(rng, n, 0.15, 0.36), _uniform(rng, n, 0.62, 0.84)
    swap = rng.random((n, 1, 1)) < 0.5
    ground, figure = np.where(swap, light, dark), np.where(swap, dark, light)

    image = _textured(rng, ground)
    for _ in range(3):  # small pieces, from dots to bars, that belong to no class
        u, v, _ = _frame(rng, n, radius=(1.0, 1.0), tilt=np.pi, margin=1.0)
        beyond = np.maximum(np.abs(u) - _uniform(rng, n, 0, 4), 0)
        piece = np.hypot(beyond, v) - _uniform(rng, n, 1.0, 1.7)
        image = _over(image, _colour(rng, figure), piece)

    u, v, radius = _frame(rng, n, radius=(8.0, 11.0), tilt=0.35, margin=1.23)
    distance = radius * _by_kind(SHAPES.values(), labels, u, v)
    image *= 1 - 0.4 * np.exp(-0.6 * np.maximum(distance, 0))[:, None]  # a shadow lifts it off the ground
    image = _over(image, _textured(rng, figure), distance)
    image += 0.025 * rng.standard_normal(image.shape, np.float32)
    return (255 * image.clip(0, 1)).astype(np.uint8), distance < 0


def _uniform(rng: np.random.Generator, n: int, low: float, high: float) -> np.ndarray:
    """Draw a number for each image, shaped (n, 1, 1) to meet its pixels."""
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def _frame(
    rng: np.random.Generator, n: int, radius: tuple[float, float], tilt: float, margin: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place a frame in each image: the pixels' coordinates u, v in it, and its radius in pixels."""
    scale, angle = _uniform(rng, n, *radius), _uniform(rng, n, -tilt, tilt)
    reach = SIZE / 2 - margin * scale  # how far the centre may leave the middle
    x = np.arange(SIZE, dtype=np.float32) + 0.5 - SIZE / 2
    right = (x - reach * _uniform(rng, n, -1, 1)) / scale  # (n, 1, S)
    down = (x[:, None] - reach * _uniform(rng, n, -1, 1)) / scale  # (n, S, 1)
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * right + sin * down, cos * down - sin * right, scale


def _by_kind(formulas: Iterable[Formula], kinds: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Apply to each image the formula of its kind."""
    out = np.empty(np.broadcast_shapes(u.shape, v.shape), np.float32)
    for kind, formula in enumerate(formulas):
        these = kinds == kind
        out[these] = formula(u[these], v[these])
    return out


def _colour(rng: np.random.Generator, lightness: np.ndarray, hue: np.ndarray | None = None) -> np.ndarray:
    """Draw a colour of the given lightness for each image, (n, 3, 1, 1)."""
    hue = _uniform(rng, len(lightness), 0, 2 * np.pi) if hue is None else hue
    wheel = np.cos(hue[:, 0] + np.array([0, 2, 4]) * np.pi / 3)  # (n, 3)
    wheel -= (wheel @ LUMA)[:, None]  # no colour changes the lightness
    strength = rng.uniform(0.05, 0.35, (len(lightness), 1))
    return (lightness[:, 0] + strength * wheel).astype(np.float32)[:, :, None, None]


def _textured(rng: np.random.Generator, lightness: np.ndarray) -> np.ndarray:
    """Fill each image with a texture of two related colours around the lightness, (n, 3, S, S)."""
    n = len(lightness)
    p, q, _ = _frame(rng, n, radius=(0.55, 1.3), tilt=np.pi, margin=1.0)  # one radian is so many pixels
    mix = _by_kind(TEXTURES, rng.integers(len(TEXTURES), size=n), p, q)[:, None]
    hue, step = _uniform(rng, n, 0, 2 * np.pi), _uniform(rng, n, 0.01, 0.055)
    one = _colour(rng, lightness - step, hue)
    two = _colour(rng, lightness + step, hue + _uniform(rng, n, -0.6, 0.6))
    return (one + two) / 2 + mix * (two - one) / 2


def _over(image: np.ndarray, paint: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Lay paint over the image where the distance is negative, with an edge one pixel soft."""
    return image + np.clip(0.5 - distance, 0, 1)[:, None] * (paint - image)
