"""The parts of a MIME message: which count, and what they hold."""

import codecs
from collections.abc import Iterator
from email.message import Message as Mail

from engine.simulator.messages import Attachment
from engine.simulator.xml import clean

_DEEPEST = 40


def leaves(mail: Mail, depth: int = 0) -> Iterator[Mail]:
    """Every part that is not a container; an attached message counts as one part."""
    payload = mail.get_payload()
    if mail.get_content_maintype() == "multipart" and isinstance(payload, list) and depth < _DEEPEST:
        for part in payload:
            if isinstance(part, Mail):
                yield from leaves(part, depth + 1)
    else:
        yield mail


def decode_bytes(data: bytes, charset: str | None) -> str:
    """Text in a charset, or in the one it more likely is when the label is wrong or missing."""
    for name in (charset, "utf-8"):
        if name:
            try:
                return data.decode(codecs.lookup(name).name)
            except (LookupError, ValueError, TypeError):
                continue
    return data.decode("cp1252", "replace")


def text_of_part(part: Mail) -> str:
    """The text of a text part."""
    return decode_bytes(_payload(part), _charset(part))


def attachment_of(part: Mail, number: int) -> Attachment:
    """A part as an attachment; one without a name is called as Exchange calls it."""
    is_item = part.get_content_type() == "message/rfc822"
    content_id = clean(str(part.get("Content-ID", ""))).strip().strip("<>")
    inline = part.get_content_disposition() == "inline" or (bool(content_id) and _filename(part) == "")
    return Attachment(
        name=_filename(part) or (_subject(part) if is_item else "") or f"ATT{number:05d}",
        content_type=clean(part.get_content_type()),
        data=_payload(part),
        content_id=content_id,
        is_inline=inline and not is_item,
        is_item=is_item,
    )


def _payload(part: Mail) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):
        return b"".join(_flat(inner) for inner in payload if isinstance(inner, Mail))
    try:
        decoded = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001  # a broken transfer encoding is served as it stands
        decoded = str(payload).encode("utf-8", "surrogateescape")
    return decoded if isinstance(decoded, bytes) else b""


def _flat(mail: Mail) -> bytes:
    try:
        return mail.as_bytes()
    except Exception:  # noqa: BLE001  # what the library parsed it cannot always write again
        return str(mail.get_payload()).encode("utf-8", "replace")


def _charset(part: Mail) -> str | None:
    try:
        return part.get_content_charset()
    except Exception:  # noqa: BLE001  # broken parameters
        return None


def _filename(part: Mail) -> str:
    try:
        name = part.get_filename("")
    except Exception:  # noqa: BLE001  # the same
        name = ""
    return " ".join(clean(name).split())[:255]


def _subject(part: Mail) -> str:
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    return " ".join(clean(str(inner.get("Subject", ""))).split())[:255] if isinstance(inner, Mail) else ""
