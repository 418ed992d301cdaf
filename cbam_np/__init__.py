"""CBAM, the Convolutional Block Attention Module, in NumPy: every number of it, forward and backward."""

from . import gradcheck, ops
from .cbam import cbam_backward, cbam_forward, cbam_gradients, get_dialect, init_cbam
