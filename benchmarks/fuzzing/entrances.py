"""The entrances, by name."""

from . import answers, cifar, code, commands, numbers, page, pictures, runs, weights
from .entrance import Entrance

ENTRANCES: dict[str, Entrance] = {
    "numbers": numbers.ENTRANCE,
    "answers": answers.ENTRANCE,
    "pictures": pictures.ENTRANCE,
    "weights": weights.ENTRANCE,
    "commands": commands.ENTRANCE,
    "runs": runs.ENTRANCE,
    "cifar": cifar.ENTRANCE,
    "code": code.ENTRANCE,
    "page": page.ENTRANCE,
}
