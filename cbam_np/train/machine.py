"""What speed, and the last bit of a result, depend on."""

import os
import platform

import numpy as np
import threadpoolctl


def describe_machine():
    """Return what speed and the last bit depend on: cores, BLAS and its threads, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    blas = [
        {"name": pool["internal_api"], "version": pool["version"], "threads": pool["num_threads"]}
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    ]
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    return {"architecture": platform.machine(), "cores": cores, "blas": blas, **versions}
