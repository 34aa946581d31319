"""The record of a message, and what it can be asked for.

What a message holds is exactly what the simulator serves: text is cleaned of what XML cannot carry when the message
comes into being, so ground truth and response never differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from engine.simulator.folders import Folder


class Address(NamedTuple):
    """A person as a message names one; an empty address is a name that could not be resolved."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or, with ``is_item``, a message attached to a message."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""
    is_inline: bool = False
    is_item: bool = False


class Content(Protocol):
    """Where a message's larger parts come from; made when asked for, so that an idle mailbox costs little."""

    def text(self) -> str:
        """The plain text body, derived from HTML when the message has no other."""

    def html(self) -> str | None:
        """The HTML body, or None for a plain text message."""

    def attachments(self) -> tuple[Attachment, ...]:
        """The attachments in order."""

    def mime(self, message: "Message") -> bytes:
        """The message in MIME, the original bytes where there are any."""

    def headers(self, message: "Message") -> list[tuple[str, str]]:
        """The internet headers as received; none for a draft."""


@dataclass(slots=True, eq=False)
class Message:
    """One item of a mailbox: its properties and the change numbers that synchronisation compares.

    Attributes:
        created_cn: Change number of its arrival in its folder.
        content_cn: Change number of the last change other than the read flag.
        read_cn: Change number of the last change of the read flag alone.
        unreadable: The error code this message answers with when it is fetched, for messages Exchange cannot convert.
        extended: Extended properties that clients set, by ExtendedFieldURI.
    """

    item_id: str
    folder: "Folder"
    subject: str
    sender: Address | None
    author: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    sent_at: int
    received_at: int
    created_at: int
    modified_at: int
    message_id: str
    in_reply_to: str
    references: str
    conversation: bytes
    topic: str
    importance: str
    sensitivity: str
    categories: tuple[str, ...]
    is_read: bool
    is_draft: bool
    from_me: bool
    has_attachments: bool
    size: int
    content: Content
    item_class: str = "IPM.Note"
    created_cn: int = 0
    content_cn: int = 0
    read_cn: int = 0
    unreadable: str = ""
    extended: Mapping[tuple[tuple[str, str], ...], tuple[str, ...]] = field(default_factory=dict)

    @property
    def latest_cn(self) -> int:
        """Change number of its last change of any kind."""
        return max(self.content_cn, self.read_cn)


@dataclass(frozen=True, slots=True)
class Item:
    """Ground truth about one served message, for comparison with what a client stored.

    Dates are Unix seconds, addresses are (name, address) pairs.
    """

    item_id: str
    change_key: str
    mailbox: str
    folder: str
    folder_id: str
    subject: str
    sender: Address | None
    author: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    sent_at: int
    received_at: int
    created_at: int
    modified_at: int
    message_id: str
    in_reply_to: str
    references: str
    conversation_id: str
    conversation_topic: str
    body_text: str
    body_html: str | None
    attachments: tuple[str, ...]
    has_attachments: bool
    is_read: bool
    is_draft: bool
    importance: str
    sensitivity: str
    categories: tuple[str, ...]
    size: int
    item_class: str
