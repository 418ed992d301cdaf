"""Networks: thin classes over the pairs of `ops` and `cbam`."""

from . import containers, layers, models, optim
from .containers import Residual, Sequential
from .models import Classifier, ResNet, SmallCNN
from .optim import SCHEDULES, SGD
from .pieces import InPieces
