"""Take away what a browser's Python does not have: threads, processes, and what needs a system below.

Imported first of all by what `test_without_threads.py` runs. It is modelled on Pyodide, where these imports fail,
`threading` can be imported, and a thread cannot be started.
"""

import _thread
import os
import sys
import threading
from typing import NoReturn

MODULES = ("multiprocessing", "_multiprocessing", "_posixshmem", "_posixsubprocess", "concurrent.futures.process")
MODULES += ("lzma", "_lzma", "ssl", "_ssl", "sqlite3", "fcntl", "msvcrt", "resource", "pooch", "distributed", "torch")
FUNCTIONS = ("fork", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "getloadavg")


def start_no_thread(*_: object, **__: object) -> NoReturn:
    """Do what Pyodide does."""
    raise RuntimeError("can't start new thread")


for name in MODULES:
    sys.modules[name] = None  # type: ignore[assignment]  # an import of it is a ModuleNotFoundError
for name in FUNCTIONS:
    if hasattr(os, name):
        delattr(os, name)
for module in (_thread, threading):
    for name in ("get_native_id", "_get_native_id"):
        if hasattr(module, name):
            delattr(module, name)
    for name in ("start_new_thread", "_start_new_thread", "start_joinable_thread", "_start_joinable_thread"):
        if hasattr(module, name):
            setattr(module, name, start_no_thread)
sys.platform = "emscripten"
