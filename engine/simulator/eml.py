"""Messages out of .eml files, whatever state they are in.

The original bytes are kept and served as MIME. Everything shown as properties is decoded as well as it can be: unknown
and wrong charsets fall back to UTF-8 and Windows-1252, unreadable dates to the Received headers, and characters XML
cannot carry are dropped. Nothing in a file can make loading fail.
"""

import email
import re
from collections.abc import Iterable
from datetime import UTC
from email.header import decode_header
from email.message import Message as Mail
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any

from engine.simulator.bodies import html_to_text
from engine.simulator.compose import Given, compose, topic_of
from engine.simulator.folders import Folder
from engine.simulator.ids import guid_of
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Address, Attachment, Message
from engine.simulator.parts import attachment_of, decode_bytes, leaves, text_of_part
from engine.simulator.xml import clean

_SPACE = re.compile(r"\s+")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_LONGEST_SUBJECT = 255
_LONGEST_HEADER = 32_768
_EARLIEST, _LATEST = -11_644_473_600, 253_402_300_799
_SENSITIVITIES = {"personal": "Personal", "private": "Private", "company-confidential": "Confidential"}
_IMPORTANCES = {"high": "High", "urgent": "High", "1": "High", "2": "High", "low": "Low", "4": "Low", "5": "Low"}


def mail_files(directory: Path) -> list[Path]:
    """Every .eml file in a folder and its subfolders, in a stable order."""
    return sorted(path for path in directory.rglob("*.eml") if path.is_file())


def load(path: Path, mailbox: Mailbox) -> Message:
    """The message in a file, for the inbox of a mailbox but not yet in it."""
    return from_bytes(path.read_bytes(), mailbox, mailbox.standard["inbox"])


def from_bytes(data: bytes, mailbox: Mailbox, folder: Folder, **fields: Any) -> Message:
    """The message in MIME bytes; ``fields`` override what they say."""
    mail = email.message_from_bytes(data)
    text, html, attachments = _bodies(mail)
    headers = tuple(_all_headers(mail))
    message_id, references = _header(mail, "Message-ID"), _header(mail, "References")
    in_reply_to = _header(mail, "In-Reply-To")
    subject = _header(mail, "Subject")[:_LONGEST_SUBJECT]
    authors, senders = _people(mail, "From"), _people(mail, "Sender")
    sent = _date(_raw(mail, "Date"))
    received = _date([value.rpartition(";")[2] for value in _raw(mail, "Received")])
    root = (references.split() or in_reply_to.split() or [message_id or subject])[0]
    found: dict[str, Any] = {
        "subject": subject,
        "author": authors[0] if authors else None,
        "sender": senders[0] if senders else authors[0] if authors else None,
        "to": _people(mail, "To"),
        "cc": _people(mail, "Cc"),
        "bcc": _people(mail, "Bcc"),
        "reply_to": _people(mail, "Reply-To"),
        "sent_at": sent if sent is not None else received if received is not None else mailbox.now(),
        "received_at": received if received is not None else sent if sent is not None else mailbox.now(),
        "message_id": message_id,
        "in_reply_to": in_reply_to,
        "references": references,
        "conversation": guid_of("conversation", root),
        "topic": _header(mail, "Thread-Topic")[:_LONGEST_SUBJECT] or topic_of(subject),
        "importance": _importance(mail),
        "sensitivity": _SENSITIVITIES.get(_header(mail, "Sensitivity").lower(), "Normal"),
        "categories": [word.strip() for word in _header(mail, "Keywords").split(",") if word.strip()],
        "content": Given(text, html, attachments, headers, data),
        "size": len(data),
    }
    return compose(mailbox, folder, **{**found, **fields})


def _bodies(mail: Mail) -> tuple[str, str | None, tuple[Attachment, ...]]:
    """The plain text, the HTML and everything else: the first text of each kind that is not an attachment."""
    text: str | None = None
    html: str | None = None
    rest: list[Attachment] = []
    for part in leaves(mail):
        kind = part.get_content_type()
        attached = part.get_content_disposition() == "attachment"
        if kind == "text/plain" and text is None and not attached:
            text = _body(part)
        elif kind == "text/html" and html is None and not attached:
            html = _body(part)
        else:
            rest.append(attachment_of(part, len(rest) + 1))
    if text is None:
        text = html_to_text(html) if html is not None else ""
    return text, html, tuple(rest)


def _body(part: Mail) -> str:
    return clean(_NEWLINE.sub("\r\n", text_of_part(part)))


def _all_headers(mail: Mail) -> Iterable[tuple[str, str]]:
    for name, value in mail.raw_items():
        shown = clean(name).strip()
        if shown:
            yield shown, _decoded(value)[:_LONGEST_HEADER]


def _raw(mail: Mail, name: str) -> list[str]:
    """The values of a header as they stand; the library's own look-up turns 8-bit characters into question marks."""
    return [str(value) for key, value in mail.raw_items() if key.lower() == name.lower()]


def _header(mail: Mail, name: str) -> str:
    return _decoded(next(iter(_raw(mail, name)), ""))


def _decoded(value: Any) -> str:
    """A header's text: encoded words decoded, folding undone, raw 8-bit bytes guessed."""
    raw = decode_bytes(str(value).encode("utf-8", "surrogateescape"), None)
    try:
        parts = [
            chunk if isinstance(chunk, str) else decode_bytes(chunk, charset) for chunk, charset in decode_header(raw)
        ]
    except Exception:  # noqa: BLE001  # the library has no promise for broken encoded words
        parts = [raw]
    return _SPACE.sub(" ", clean("".join(parts))).strip()


def _people(mail: Mail, name: str) -> list[Address]:
    values = [
        _SPACE.sub(" ", decode_bytes(str(value).encode("utf-8", "surrogateescape"), None)) for value in _raw(mail, name)
    ]
    try:
        pairs = getaddresses(values)
    except Exception:  # noqa: BLE001  # nor for broken address lists
        pairs = [(value, "") for value in values]
    plain = [(_decoded(shown), clean(address).strip()) for shown, address in pairs]
    return [Address(shown or address, address) for shown, address in plain if shown or address]


def _date(values: Iterable[Any]) -> int | None:
    """The first of these dates that can be read, as Unix seconds."""
    for value in values:
        try:
            moment = parsedate_to_datetime(str(value).strip())
            seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        except (TypeError, ValueError, IndexError, OverflowError, OSError):
            continue
        if _EARLIEST <= seconds <= _LATEST:
            return seconds
    return None


def _importance(mail: Mail) -> str:
    for name in ("Importance", "X-Priority", "X-MSMail-Priority", "Priority"):
        word = _header(mail, name).lower().split(" ")[0]
        if word in _IMPORTANCES:
            return _IMPORTANCES[word]
    return "Normal"
