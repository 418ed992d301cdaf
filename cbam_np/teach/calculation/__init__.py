"""Any call of CBAM as named steps: how each follows from others, its value, and the bounds that rounding leaves."""
