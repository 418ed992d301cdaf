"""How a command ends when it cannot do what it was asked."""


class UserError(Exception):
    """Input that cannot be used; the message is all that a person gets to see."""
