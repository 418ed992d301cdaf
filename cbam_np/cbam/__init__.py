"""The lecture itself: channel attention, spatial attention, and CBAM, which is one after the other.

    M_c(F)  = σ(MLP(AvgPool(F)) + MLP(MaxPool(F)))        what to look at, one weight per channel
    F'      = M_c(F) ⊗ F
    M_s(F') = σ(f^{7×7}([AvgPool(F'); MaxPool(F')]))      where to look, one weight per pixel
    F''     = M_s(F') ⊗ F'

Source: Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018, equations 1 to 3, and the lecture.
Public implementations differ in details; a `Dialect` names the choices, and this one implementation makes
them. Every backward is its forward read from the last line to the first.
"""

from .block import cbam_backward, cbam_forward, cbam_gradients
from .caches import CBAMCache, CBAMGradients
from .channel import ChannelCache, ChannelGradients, channel_attention_backward, channel_attention_forward
from .dialect import DIALECTS, ORDERS, Dialect, get_dialect
from .gate import gate_backward, gate_forward
from .mlp import MLPCache, MLPGradients, mlp_backward, mlp_forward
from .params import init_cbam
from .spatial import SpatialCache, SpatialGradients, spatial_attention_backward, spatial_attention_forward
