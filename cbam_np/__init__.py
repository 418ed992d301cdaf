"""CBAM, the Convolutional Block Attention Module, in NumPy: every number of it, forward and backward."""

from . import data, explain, gradcheck, nn, ops, teach, train
from .cbam import DIALECTS, Dialect, cbam_backward, cbam_forward, cbam_gradients, get_dialect, init_cbam
from .classroom import explore
from .data import LabelledImages, load_cifar10, make_shapes
from .explain import attention_maps, grad_cam
from .nn import ImageNetResNet, ResNet, SmallCNN
from .teach.answers.numerals import AnswerError
from .teach.calculation.steps import trace_cbam
from .teach.calculation.trace import Step, Trace
from .teach.check import check
from .teach.code.check import check_function
from .teach.code.report import CodeReport
from .teach.code.step_report import FunctionReport
from .teach.example import lecture
from .teach.example.dialects import compare_dialects
from .teach.report.report import Report
from .teach.worksheets.practice import Practice
from .teach.worksheets.worksheet import Worksheet, worksheet
from .train import load_pretrained
