"""How a command ends when it cannot do what it was asked."""


class UserError(Exception):
    """Input that cannot be used; the message is all that a person gets to see."""


def words(error: BaseException) -> str:
    """Return what to say of an error: of the system's own ones the file and the reason, without their number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "there is not enough memory for this: choose smaller numbers"
    return str(error)
