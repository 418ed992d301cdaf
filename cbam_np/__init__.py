"""CBAM, the Convolutional Block Attention Module, in NumPy: every number of it, forward and backward."""

from . import data, explain, gradcheck, nn, ops, teach, train
from .cbam import DIALECTS, Dialect, cbam_backward, cbam_forward, cbam_gradients, get_dialect, init_cbam
from .classroom import explore
from .data import LabelledImages, load_cifar10, make_shapes
from .explain import attention_maps, grad_cam
from .nn import ImageNetResNet, ResNet, SmallCNN
from .teach import (
    AnswerError,
    FunctionReport,
    Report,
    Step,
    Trace,
    Worksheet,
    check,
    check_function,
    compare_dialects,
    lecture,
    trace_cbam,
    worksheet,
)
from .train import load_pretrained
