"""XML namespaces and tag names of EWS."""

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"


def m(name: str) -> str:
    """A tag of the messages namespace."""
    return f"{{{MESSAGES}}}{name}"


def t(name: str) -> str:
    """A tag of the types namespace."""
    return f"{{{TYPES}}}{name}"


def local_name(tag: object) -> str:
    """A tag without its namespace; empty for comments and the like, whose tag is no string."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
