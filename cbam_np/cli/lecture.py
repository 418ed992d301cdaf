"""`cbam-np lecture`."""


def declare(parser):
    """Declare no options."""


def run(command):
    """Print the lecture."""
    from ..teach.example.walkthrough import walkthrough

    print(walkthrough())
