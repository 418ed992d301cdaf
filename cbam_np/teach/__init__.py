"""The classroom: the slides' example, and any call of CBAM as a list of named steps."""

from . import lecture
from .answers import AnswerError
from .check import check
from .dialects import compare_dialects
from .functions import FunctionReport, check_function
from .report import Report
from .steps import trace_cbam
from .trace import Step, Trace
from .worksheet import Worksheet, worksheet
