"""Pictures. Every function returns a figure and shows nothing; nothing else imports matplotlib."""

from .block_diagram import diagram
from .changes import changes_figure
from .colours import KINDS, cell_colours, limits_of
from .comparison import comparison_figure
from .history import history_figure
from .images import images_figure
from .maps import CELL, Figure, attention_figure, draw_matrix, matrices
from .picture import read_picture
from .slide import draw_heat, results_slide
from .speed import rates_figure, roofline_figure, speed_figure
