"""Whether two folder ids mean the same folder.

EWS writes one id in two ways: plain (``AAMk...``) or with runs of equal bytes shortened (``AQMk...``), whichever it
finds shorter. The first byte tells which; two equal bytes are followed by the number of further ones (Microsoft's
open specification [MS-OXWSITEMID]; checked against ids of real servers in the tests).
"""

import binascii
from base64 import b64decode

_SHORTENED = 1


def same_id(one: str, other: str) -> bool:
    """Whether the ids are equal, whichever way each is written."""
    if one == other:
        return True
    plain = _plain(one)
    return plain is not None and plain == _plain(other)


def _plain(folder_id: str) -> bytes | None:
    try:
        raw = b64decode(folder_id, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) < 8 or raw[0] > _SHORTENED:
        return None
    return _expanded(raw[1:]) if raw[0] == _SHORTENED else raw[1:]


def _expanded(data: bytes) -> bytes | None:
    out = bytearray()
    at = 0
    while at < len(data):
        out.append(data[at])
        if at + 1 < len(data) and data[at + 1] == data[at]:
            if at + 2 >= len(data):
                return None
            out += data[at : at + 1] * (1 + data[at + 2])
            at += 3
        else:
            at += 1
    return bytes(out)
