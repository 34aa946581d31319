"""Whether a preview still holds: one number for the file and for everything else its verdicts were made of."""

from collections.abc import Mapping
from hashlib import sha256

from engine.model import Operator, OperatorId


def digest(data: bytes, operators: Mapping[OperatorId, Operator], *, email_sync: bool) -> str:
    """SHA-256, in hexadecimal, of a file, the operators there are and the default for new ones.

    The order of the operators does not count.
    """
    whole = sha256(sha256(data).digest())
    whole.update(b"\x01" if email_sync else b"\x00")
    for operator_id in sorted(operators):
        # A record's repr has all its fields, and tells them apart whatever is in them
        whole.update(repr(operators[operator_id]).encode())
    return whole.hexdigest()
