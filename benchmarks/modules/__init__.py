"""Modules in PyTorch with known deviations from CBAM, for the benchmark and the tests of `check_function`."""
