"""`cbam-np dialects`."""

import argparse


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare no options, and say what is shown."""
    parser.epilog = (
        "The lecture's example, with the same weights through each; cbam_np.compare_dialects takes your own."
    )


def run(command: str) -> None:
    """Print how the public implementations of CBAM differ."""
    from ..teach.example.dialects import compare_dialects

    print(compare_dialects())
