"""What pytest needs to know about all tests, the notebooks' among them."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores: BLAS takes one for each, before NumPy loads it
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
