"""The mathematics: one operation a file, each as a forward/backward pair on plain arrays.

`name_forward(x, ...)` returns `(out, cache)`; `name_backward(dout, cache)` returns the gradients in the order of
forward's arrays. The pairs are pure: they keep no state and write to no argument.
"""

from .activations import (
    gelu,
    gelu_backward,
    gelu_forward,
    relu,
    relu_backward,
    relu_forward,
    sigmoid,
    sigmoid_backward,
    sigmoid_forward,
)
from .conv import conv2d_backward, conv2d_backward_loops, conv2d_forward, conv2d_forward_loops
from .linear import linear_backward, linear_forward
from .loss import softmax, softmax_cross_entropy_backward, softmax_cross_entropy_forward
from .norm import (
    Moments,
    batch_norm,
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_moments,
    batch_norm_sums,
    merge_moments,
)
from .pooling import (
    avg_pool_backward,
    avg_pool_backward_loops,
    avg_pool_forward,
    avg_pool_forward_loops,
    max_pool_backward,
    max_pool_backward_loops,
    max_pool_forward,
    max_pool_forward_loops,
)
from .soft_pooling import lp_pool_backward, lp_pool_forward, lse_pool_backward, lse_pool_forward
from .windows import (
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_backward_loops,
    max_pool2d_forward,
    max_pool2d_forward_loops,
)
