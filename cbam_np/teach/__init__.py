"""The classroom: the slides' example, and any call of CBAM as a list of named steps."""

from . import lecture
from .trace import Step, Trace, trace_cbam
