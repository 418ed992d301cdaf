"""Networks: thin classes over the pairs of `ops` and `cbam`."""

from . import layers, models, optim
from .layers import Residual, Sequential
from .models import Classifier, SmallCNN
from .optim import SCHEDULES, SGD
from .pieces import InPieces
