"""`cbam-np lecture`."""

import argparse


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare no options."""


def run(command: str) -> None:
    """Print the lecture."""
    from ..teach.example.walkthrough import walkthrough

    print(walkthrough())
