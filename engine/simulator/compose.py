"""Messages put together from given values: what tests deliver, and what clients create."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from typing import Any

from engine.simulator.bodies import html_to_text
from engine.simulator.folders import Folder
from engine.simulator.ids import guid_of
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Address, Attachment, Message
from engine.simulator.xml import clean

Person = Address | str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """Content that is at hand."""

    text_body: str
    html_body: str | None
    files: tuple[Attachment, ...] = ()
    extra_headers: tuple[tuple[str, str], ...] = ()
    original: bytes | None = None

    def text(self) -> str:
        """The plain text body."""
        return self.text_body

    def html(self) -> str | None:
        """The HTML body."""
        return self.html_body

    def attachments(self) -> tuple[Attachment, ...]:
        """The attachments."""
        return self.files

    def headers(self, message: Message) -> list[tuple[str, str]]:
        """The internet headers; a draft has none."""
        if message.is_draft or self.original is not None:
            return list(self.extra_headers)
        found = [
            ("Date", formatdate(message.sent_at, usegmt=True)),
            ("Subject", message.subject),
            ("Message-ID", message.message_id),
        ]
        found += [("In-Reply-To", message.in_reply_to)] * bool(message.in_reply_to)
        found += [("References", message.references)] * bool(message.references)
        return [*found, *self.extra_headers]

    def mime(self, message: Message) -> bytes:
        """The message in MIME: the original bytes, else made from the values."""
        if self.original is not None:
            return self.original
        mail = EmailMessage(SMTP)
        mail["Date"] = formatdate(message.sent_at, usegmt=True)
        mail["Subject"] = " ".join(message.subject.split())
        for name, people in (("From", (message.author,)), ("To", message.to), ("Cc", message.cc)):
            known = [formataddr((p.name, p.address), "utf-8") for p in people if p and p.address.isascii()]
            if known:
                mail[name] = ", ".join(known)
        if message.message_id:
            mail["Message-ID"] = " ".join(message.message_id.split())
        mail.set_content(self.text_body.replace("\r\n", "\n"))
        if self.html_body is not None:
            mail.add_alternative(self.html_body.replace("\r\n", "\n"), subtype="html")
        for attachment in self.files:
            main, _, sub = attachment.content_type.partition("/")
            if attachment.is_item or not sub or main in {"message", "multipart"}:
                main, sub = "application", "octet-stream"
            mail.add_attachment(attachment.data, main, sub, filename=attachment.name)
        return mail.as_bytes()


def address(person: Person) -> Address:
    """A person, given as an address or as a name with an address."""
    if isinstance(person, str):
        return Address(clean(person), clean(person))
    return Address(clean(person[0] or person[1]), clean(person[1]))


def people(value: Person | Iterable[Person]) -> tuple[Address, ...]:
    """Persons, given as one (an address, or a pair of name and address) or as several."""
    if isinstance(value, str | Address):
        return (address(value),)
    given = tuple(value)
    if len(given) == 2 and isinstance(given[0], str) and isinstance(given[1], str) and "@" not in given[0]:
        return (address((given[0], given[1])),)
    return tuple(address(person if isinstance(person, str) else (person[0], person[1])) for person in given)


def compose(mailbox: Mailbox, folder: Folder, **fields: Any) -> Message:
    """A message for a mailbox, not yet in it.

    Fields are those of a message (``subject``, ``to``, ``cc``, ``bcc``, ``is_read``, ``received_at``, ``categories``,
    ``message_id``…) plus ``sender`` (also the author unless ``author`` is given), ``body_text``, ``body_html``,
    ``attachments`` and ``headers``. What is missing gets a sensible value.
    """
    now = mailbox.now()
    subject = clean(fields.get("subject", ""))
    sender = fields.get("sender", Address("Customer", "customer@customer.example"))
    received = int(fields.get("received_at", now))
    content = fields.pop("content", None) or _content(fields)
    values: dict[str, Any] = {
        "sender": sender,
        "author": sender,
        "to": Address(mailbox.name, mailbox.address),
        **dict.fromkeys(("cc", "bcc", "reply_to", "categories"), ()),
        **dict.fromkeys(("in_reply_to", "references"), ""),
        **dict.fromkeys(("importance", "sensitivity"), "Normal"),
        **dict.fromkeys(("is_read", "is_draft", "from_me"), False),
        "received_at": received,
        "sent_at": received,
        "created_at": now,
        "modified_at": now,
        "message_id": f"<{guid_of(mailbox.address, mailbox.cn, 'new').hex()}@mail.example.com>",
        "conversation": guid_of("conversation", topic_of(subject)),
        "topic": topic_of(subject),
        "has_attachments": any(not attachment.is_inline for attachment in content.attachments()),
        "size": _size(content),
        **fields,
        "subject": subject,
    }
    for name in ("message_id", "in_reply_to", "references"):
        values[name] = clean(values[name])
    for name in ("to", "cc", "bcc", "reply_to"):
        values[name] = people(values[name])
    for name in ("sender", "author"):
        values[name] = None if values[name] is None else address(values[name])
    values["categories"] = tuple(map(clean, values["categories"]))
    return Message(item_id="", folder=folder, content=content, **values)


def _content(fields: dict[str, Any]) -> Given:
    """The content that ``body_text``, ``body_html``, ``attachments`` and ``headers`` describe; they are taken out."""
    html = fields.pop("body_html", None)
    text = fields.pop("body_text", None)
    if text is None:
        text = html_to_text(html) if html is not None else ""
    files, headers = tuple(fields.pop("attachments", ())), tuple(fields.pop("headers", ()))
    return Given(clean(text), None if html is None else clean(html), files, headers)


def topic_of(subject: str) -> str:
    """The subject without reply and forward marks."""
    topic = subject.strip()
    while topic[:4].upper().startswith(("RE:", "FW:", "AW:", "WG:", "TR:", "FWD:", "SV:", "VS:", "ODP:")):
        topic = topic.partition(":")[2].strip()
    return topic


def _size(content: Any) -> int:
    html = content.html()
    return 1500 + len(content.text()) + len(html or "") + sum(len(a.data) for a in content.attachments())
