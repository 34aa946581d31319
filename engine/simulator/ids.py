"""Identifiers of the shape Exchange gives them: opaque base64 of fixed binary layouts.

An id carries its mailbox, so an id from another mailbox can be told from a broken one. Layouts follow the published
entry ids (MS-OXCDATA 2.2.4): 70 bytes for a message, 46 for a folder, behind a prefix with the mailbox.
"""

import base64
import hashlib
import struct
from functools import lru_cache
from typing import NamedTuple

from engine.simulator.errors import ResponseError

_PREFIX = b"\x00\x03\x24\x00"
_ITEM = struct.Struct(">4s36sH4s16sH16s6sxx16s6sxx2s")
_FOLDER = struct.Struct(">4s36sH4s16sH16s6sxx2s")
_ATTACHMENT = b"\x01\x12\x10\x00"
_ITEM_ENTRY, _FOLDER_ENTRY = 0x4600, 0x2E00
_NOTHING = b"\x00" * 4


def guid_of(*parts: object) -> bytes:
    """A stable 16-byte identifier for whatever the parts name."""
    return hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=16).digest()


@lru_cache(maxsize=16384)
def guid_text(guid: bytes) -> str:
    """The guid in its 36-character form."""
    text = guid.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def item_id(mailbox: bytes, folder: int, serial: int) -> str:
    """The ItemId of a message; a move gives another serial and thereby another id."""
    packed = _ITEM.pack(
        _PREFIX,
        guid_text(mailbox).encode(),
        _ITEM_ENTRY,
        _NOTHING,
        mailbox,
        0x0700,
        mailbox,
        folder.to_bytes(6, "big"),
        mailbox,
        serial.to_bytes(6, "big"),
        b"\x00\x00",
    )
    return base64.b64encode(packed).decode()


def folder_id(mailbox: bytes, folder: int) -> str:
    """The FolderId of a folder."""
    packed = _FOLDER.pack(
        _PREFIX,
        guid_text(mailbox).encode(),
        _FOLDER_ENTRY,
        _NOTHING,
        mailbox,
        0x0100,
        mailbox,
        folder.to_bytes(6, "big"),
        b"\x00\x00",
    )
    return base64.b64encode(packed).decode()


def attachment_id(item: str, number: int) -> str:
    """The AttachmentId of an item's nth attachment."""
    return base64.b64encode(base64.b64decode(item) + _ATTACHMENT + number.to_bytes(4, "big")).decode()


def conversation_id(mailbox: bytes, conversation: bytes) -> str:
    """The ConversationId of a thread in a mailbox."""
    packed = _PREFIX + guid_text(mailbox).encode() + b"\x10\x00" + conversation
    return base64.b64encode(packed).decode()


def change_key(mailbox: bytes, change: int) -> str:
    """The ChangeKey of an item after a change."""
    return base64.b64encode(b"\x09\x00\x00\x00\x16\x00\x00\x00" + mailbox + change.to_bytes(6, "big")).decode()


def folder_change_key(mailbox: bytes, change: int) -> str:
    """The ChangeKey of a folder after a change."""
    return base64.b64encode(b"\x01\x00\x00\x00\x16\x00\x00\x00" + mailbox + change.to_bytes(6, "big")).decode()


def watermark(mailbox: bytes, event: int) -> str:
    """The Watermark of a mailbox's nth event."""
    return base64.b64encode(b"\x01\x00\x00\x00" + mailbox + event.to_bytes(8, "little") + b"\x01").decode()


def watermark_event(mailbox: bytes, text: str) -> int:
    """The event a watermark of this mailbox stands for."""
    data = _decode(text, "ErrorInvalidWatermark")
    if len(data) != 29 or data[4:20] != mailbox:
        raise ResponseError("ErrorInvalidWatermark")
    return int.from_bytes(data[20:28], "little")


def subscription_id(host: str, mailbox: bytes, number: int) -> str:
    """A SubscriptionId with the server that holds the subscription, as Exchange's have."""
    name = host.encode()
    body = struct.pack("<H", len(name)) + name + struct.pack("<I", 16) + mailbox + number.to_bytes(8, "little")
    return base64.b64encode(body).decode()


class IdParts(NamedTuple):
    """What an id says of itself."""

    kind: str
    mailbox: bytes
    item: str
    number: int


def read_id(text: str) -> IdParts:
    """Tell a well-formed id of any mailbox from a malformed one."""
    if not text:
        raise ResponseError("ErrorInvalidIdEmpty")
    data = _decode(text, "ErrorInvalidIdMalformed")
    if not data.startswith(_PREFIX):
        raise ResponseError("ErrorInvalidIdMalformed")
    if len(data) == _ITEM.size:
        return IdParts("item", data[46:62], text, 0)
    if len(data) == _FOLDER.size:
        return IdParts("folder", data[46:62], text, 0)
    if len(data) == _ITEM.size + 8 and data[_ITEM.size : -4] == _ATTACHMENT:
        item = base64.b64encode(data[: _ITEM.size]).decode()
        return IdParts("attachment", data[46:62], item, int.from_bytes(data[-4:], "big"))
    raise ResponseError("ErrorInvalidIdMalformed")


def entry_id(text: str) -> bytes:
    """The entry id within an item or folder id."""
    read_id(text)
    data = base64.b64decode(text)
    length = data[40]
    return data[42 : 42 + length]


def of_entry_id(entry: bytes) -> str:
    """The item or folder id around an entry id."""
    if len(entry) not in {_ITEM_ENTRY >> 8, _FOLDER_ENTRY >> 8}:
        raise ResponseError("ErrorInvalidIdMalformed")
    head = _PREFIX + guid_text(entry[4:20]).encode() + bytes([len(entry), 0])
    return base64.b64encode(head + entry + b"\x00\x00").decode()


def _decode(text: str, code: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ResponseError(code) from error
