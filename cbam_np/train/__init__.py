"""Training: the loop, its checkpoints, augmentation, and whole runs from data to result."""

from .augment import crop_and_flip, cutout
from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .compare import VARIANTS, bootstrap_interval, compare, comparison_table, sign_flip_p
from .loop import fit
from .machine import describe_machine
from .pretrained import load_pretrained, pretrained_names, publish
from .recipe import Recipe
from .run import load_model, prepare
from .score import Score, evaluate
from .settings import RECIPES, Settings
from .state import Diverged, Interrupted
