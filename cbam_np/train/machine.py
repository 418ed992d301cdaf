"""What speed, and the last bit of a result, depend on."""

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor(told: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor, or of its architecture where the system does not tell more."""
    with suppress(OSError):
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def describe_machine() -> dict[str, Any]:
    """Return what speed and the last bit depend on: processor, cores, BLAS with its kernels and threads, versions."""
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
    return {
        "architecture": platform.machine(),
        "processor": processor(),
        "cores": cores(),
        "blas": blas,
        **versions,
    }
