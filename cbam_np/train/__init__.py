"""Training: the loop, its checkpoints, augmentation, and whole runs from data to result."""

from .augment import crop_and_flip
from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .loop import Diverged, Interrupted, Recipe, Score, describe_machine, evaluate, fit
from .run import RECIPES, Settings, load_model, prepare
