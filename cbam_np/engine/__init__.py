"""How it gets fast: slices of the batch on threads, memory that is kept, and the layouts of convolutions.

Nothing here knows what is calculated, and nothing here imports the rest of the package.
"""
