"""How it gets fast: slices of the batch on threads, memory that is kept, and the layouts of convolutions.

The mathematics is in `ops`, one readable definition for each of these functions, and a test holds the two equal.
Nothing here imports the rest of the package, and everything here can be imported where there are no threads.
"""

from .channels import (
    channel_slices,
    combine_per_channel,
    dot_per_channel,
    multiply_per_channel,
    over_pixels,
    scale_and_shift,
    sum_per_channel,
)
from .convolution import convolve, convolve_backward, find_way, out_shape
from .elementwise import pass_where_positive, positive_part, repeating
from .gaussian import gelu
from .layout import flatten, total
from .maxima import add_at_maxima, maxima_and_places, mean_along
from .pieces import PIECES, is_a_piece, is_first_piece, piece_count, run_pieces, share
from .slices import batch_slices, equal_slices, over_slices
from .threads import limit_threads, one_blas_thread
from .windows import pool_windows, share_windows, window_maxima
