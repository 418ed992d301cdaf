"""A student's code checked as a student's numbers are: what it gives, and which mistake gives the same."""

from .check import check_function
from .report import FunctionReport
