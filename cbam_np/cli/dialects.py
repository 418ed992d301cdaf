"""`cbam-np dialects`."""


def declare(parser):
    """There is nothing to choose."""
    parser.epilog = (
        "The lecture's example, with the same weights through each; cbam_np.compare_dialects takes your own."
    )


def run(command):
    """Print what differs between the public implementations of CBAM."""
    from ..teach.example.dialects import compare_dialects

    print(compare_dialects())
