"""Looking into a network: what it attends to, and how well that points."""

from .choice import choose
from .gradcam import grad_cam, resize
from .maps import AttentionMaps, attention_maps
from .pointing import deletion_curve, energy_inside, pointing_game
