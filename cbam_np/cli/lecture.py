"""`cbam-np lecture`."""


def declare(parser):
    """Declare no options."""


def run(command):
    """Print the lecture."""
    from ..teach.walkthrough import walkthrough

    print(walkthrough())
