"""Training: the loop, its checkpoints, augmentation, and whole runs from data to result.

Comparisons of several runs are in `cbam_np.train.compare`.
"""

from .augment import crop_and_flip, cutout
from .checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from .lock import InUseError
from .loop import fit
from .machine import describe_machine
from .pretrained import load_pretrained, pretrained_names
from .recipe import Recipe
from .run import load_model, prepare
from .score import Score, evaluate
from .settings import RECIPES, Settings
from .state import Diverged, Interrupted
from .statistics import bootstrap_interval, sign_flip_p
from .table import comparison_table
from .variants import VARIANTS
