"""Networks: thin classes over the pairs of `ops` and `cbam`."""

from . import containers, imagenet, layers, models, optim
from .containers import Residual, Sequential
from .imagenet import ImageNetResNet
from .models import Classifier, ResNet, SmallCNN
from .muon import Muon
from .optim import SCHEDULES, SGD
from .pieces import InPieces
from .weight_files import WeightsError
from .whitened import WhitenedCNN
