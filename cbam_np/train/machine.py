"""What speed, and the last bit of a result, depend on."""

import os
import platform
from typing import Any

import numpy as np
import threadpoolctl


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_machine() -> dict[str, Any]:
    """Return what speed and the last bit depend on: cores, BLAS with its kernels and threads, versions."""
    blas = [
        {
            "name": pool["internal_api"],
            "version": pool["version"],
            "kernels": pool.get("architecture", "unknown"),
            "threads": pool["num_threads"],
        }
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    ]
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    return {"architecture": platform.machine(), "cores": cores(), "blas": blas, **versions}
