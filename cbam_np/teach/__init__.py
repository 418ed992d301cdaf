"""The classroom: the slides' example, and any call of CBAM as a list of named steps."""

from . import lecture
from .steps import trace_cbam
from .trace import Step, Trace
