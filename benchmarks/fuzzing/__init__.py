"""Hostile input for every entrance of the package: what it is made of, and what must hold of every case."""
