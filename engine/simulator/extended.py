"""Extended (MAPI) properties: those every message has, and those clients set.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/extendedfielduri
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from lxml import etree

from engine.simulator import ids
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Message
from engine.simulator.requests import attribute, violation
from engine.simulator.xml import boolean, clean, escape, quoted, timestamp

Key = tuple[tuple[str, str], ...]
_ATTRIBUTES = (
    "DistinguishedPropertySetId",
    "PropertySetId",
    "PropertyTag",
    "PropertyName",
    "PropertyId",
    "PropertyType",
)
_PROPERTY_TYPES = [
    "ApplicationTime",
    "ApplicationTimeArray",
    "Binary",
    "BinaryArray",
    "Boolean",
    "CLSID",
    "CLSIDArray",
    "Currency",
    "CurrencyArray",
    "Double",
    "DoubleArray",
    "Error",
    "Float",
    "FloatArray",
    "Integer",
    "IntegerArray",
    "Long",
    "LongArray",
    "Null",
    "Object",
    "ObjectArray",
    "Short",
    "ShortArray",
    "SystemTime",
    "SystemTimeArray",
    "String",
    "StringArray",
]


def _search_key(mailbox: Mailbox, message: Message) -> str:
    return base64.b64encode(ids.guid_of(mailbox.address, message.message_id, message.sent_at)).decode()


def _headers(_: Mailbox, message: Message) -> str:
    return clean("".join(f"{name}: {value}\r\n" for name, value in message.content.headers(message)))


_KNOWN: dict[int, Callable[[Mailbox, Message], str]] = {
    0x001A: lambda _, m: m.item_class,
    0x0037: lambda _, m: m.subject,
    0x0039: lambda _, m: timestamp(m.sent_at),
    0x0070: lambda _, m: m.topic,
    0x007D: _headers,
    0x0C1F: lambda _, m: m.sender.address if m.sender else "",
    0x0E06: lambda _, m: timestamp(m.received_at),
    0x0E08: lambda _, m: str(m.size),
    0x0E1B: lambda _, m: boolean(m.has_attachments),
    0x0E69: lambda _, m: boolean(m.is_read),
    0x1035: lambda _, m: m.message_id,
    0x1039: lambda _, m: m.references,
    0x1042: lambda _, m: m.in_reply_to,
    0x3007: lambda _, m: timestamp(m.created_at),
    0x3008: lambda _, m: timestamp(m.modified_at),
    0x300B: _search_key,
    0x5D01: lambda _, m: m.sender.address if m.sender else "",
    0x5D02: lambda _, m: m.author.address if m.author else "",
}
"""The tags rendered for every message: headers, dates, search key and the like."""


@dataclass(frozen=True, slots=True)
class ExtendedField:
    """One ExtendedFieldURI."""

    key: Key
    tag: int | None

    @classmethod
    def read(cls, path: etree._Element) -> Self:
        """The property a path names."""
        attribute(path, "PropertyType", _PROPERTY_TYPES)
        key = tuple((name, str(path.get(name))) for name in _ATTRIBUTES if path.get(name) is not None)
        tag = path.get("PropertyTag")
        if tag is None:
            return cls(key, None)
        try:
            return cls(key, int(tag, 16 if tag.lower().startswith("0x") else 10))
        except ValueError:
            raise violation(path, f"The 'PropertyTag' attribute is invalid - The value '{tag}' is invalid.") from None

    def values(self, mailbox: Mailbox, message: Message) -> tuple[str, ...] | None:
        """The property's values, one unless it is an array; None when the message has no such property."""
        values = message.extended.get(self.key)
        if values is None and self.tag in _KNOWN:
            value = _KNOWN[self.tag](mailbox, message)
            values = (value,) if value else None
        return values

    def value(self, mailbox: Mailbox, message: Message) -> str | None:
        """The property as one text, for comparing."""
        values = self.values(mailbox, message)
        return None if values is None else "\n".join(values)

    def xml(self, mailbox: Mailbox, message: Message) -> str:
        """The ExtendedProperty element, or nothing when the message has no such property."""
        values = self.values(mailbox, message)
        if values is None:
            return ""
        uri = " ".join(f'{name}="{quoted(value)}"' for name, value in self.key)
        inner = "".join(f"<t:Value>{escape(value)}</t:Value>" for value in values)
        if dict(self.key)["PropertyType"].endswith("Array"):
            inner = f"<t:Values>{inner}</t:Values>"
        return f"<t:ExtendedProperty><t:ExtendedFieldURI {uri}/>{inner}</t:ExtendedProperty>"
