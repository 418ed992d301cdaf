"""How a worksheet is handed out: on paper with blanks, on paper with the key, or as a notebook that checks itself."""

from .jupyter import notebook
from .marking import class_csv, class_table
from .paper import page
