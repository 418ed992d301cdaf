"""Modules in which a mistake hides, or in which right looks like wrong; made anew with every seed."""

import torch
from torch import nn

from .right import StartsSilent
from .rows import SE, but
from .structures import Linear
from .wrong_channel import OwnMLPs


class Dead(Linear):
    """A hidden unit that is dead for every maximum at the start: its first layer is negative."""

    def __init__(self, **options):
        super().__init__(**options)
        with torch.no_grad():
            self.down.weight.copy_(-self.down.weight.abs())


AVERAGE_ONLY = but(Linear, pools=lambda s, x: [s.avg(x)])
HIDING = {
    "average only, C = 16, r = 16": (lambda: AVERAGE_ONLY(16, 16), {SE}),
    "average only, W1 = 0": (lambda: but(StartsSilent, pools=lambda s, x: [s.avg(x)])(), {SE}),
    "average only, dead units": (lambda: but(Dead, pools=lambda s, x: [s.avg(x)])(C=16), {SE}),
    "ReLU6, C = 16, r = 16": (lambda: Linear(16, 16, act=nn.ReLU6()), {"ReLU6 instead of ReLU in the MLP"}),
    "two MLPs with the same start": (lambda: SameStart(own=True), {"an MLP for each branch"}),
    "no ReLU, positive weights": (lambda: Linear(16, 16, act=nn.Identity()), {"the ReLU in the MLP forgotten"}),
    "right, C = 16, r = 16, dead units": (lambda: Dead(C=16, r=16), set()),
}


class SameStart(OwnMLPs):
    """Two MLPs that start alike."""

    def __init__(self, **options):
        super().__init__(**options)
        self.fc1_max.load_state_dict(self.fc1.state_dict())
        self.fc2_max.load_state_dict(self.fc2.state_dict())
