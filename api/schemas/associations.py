"""Associations, conversations and the review queue as they are answered."""

from typing import Annotated

from pydantic import Field

from api.schemas.lists import Count
from api.schemas.shared import Moment, Shown
from engine.associations.model import Rule
from engine.crm.model import RecordKind

RecordId = Annotated[str, Field(description="The record's id in the CRM.")]
RecordName = Annotated[str | None, Field(description="The record's name; null where the CRM has no such record.")]
Address = Annotated[str, Field(description="The email's address that led there, as it is written in it.")]
Confidence = Annotated[float, Field(ge=0, le=1, description="How sure the rule is.")]
ViaOperator = Annotated[
    str | None, Field(description="Of the rule `conversation`: whose email it was handed on by; null: of no other.")
]
ViaItem = Annotated[str | None, Field(description="And which.")]


class AssociationRow(Shown):
    """That an email concerns a record, and why: a row of the view `associations`."""

    operator_id: str
    item_id: Annotated[str, Field(description="The email's; percent-encode it in a path.")]
    record_kind: RecordKind
    record_id: RecordId
    rule: Rule
    address: Address
    confidence: Confidence
    associated_at: Moment
    via_operator_id: ViaOperator
    via_item_id: ViaItem


class AssociationOfEmail(Shown):
    """A record that an email concerns, and why."""

    record_kind: RecordKind
    record_id: RecordId
    name: RecordName
    rule: Rule
    address: Address
    confidence: Confidence
    associated_at: Moment
    via_operator_id: ViaOperator
    via_item_id: ViaItem


class RecordOfThread(Shown):
    """A record that emails of a conversation concern."""

    record_kind: RecordKind
    record_id: RecordId
    name: RecordName


class ThreadRow(Shown):
    """A conversation, across mailboxes: a row of the view `threads`, and its records."""

    thread_id: Annotated[str, Field(description="Another one once the conversation is found to have begun earlier.")]
    subject: Annotated[str | None, Field(description="Of its first email.")]
    first_at: Moment | None
    last_at: Moment | None
    emails: Annotated[Count, Field(description="A message that several mailboxes have counts once.")]
    copies: Annotated[Count, Field(description="All emails, in whichever mailbox.")]
    operators: Annotated[list[str], Field(description="Who has any of it, by id.")]
    records: list[RecordOfThread]


class CopyShown(Shown):
    """Where a message is."""

    operator_id: str
    item_id: str
    folder: str | None


class ThreadMessage(Shown):
    """A message of a conversation."""

    message_id: Annotated[str | None, Field(description="Its Message-ID.")]
    at: Annotated[Moment | None, Field(description="When it was first received, or else sent.")]
    sender_address: str | None
    subject: str | None
    copies: Annotated[list[CopyShown], Field(description="Everybody who has it.")]


class ThreadShown(ThreadRow):
    """A conversation with its messages, each once, the oldest first."""

    messages: list[ThreadMessage]
    more: Annotated[bool, Field(description="It has more than these 1,000; a query over `thread_messages` has all.")]


class UnmatchedAddress(Shown):
    """An address that the CRM does not know: a row of the view `unmatched_addresses`."""

    address: Annotated[str, Field(description="In small letters.")]
    name: Annotated[str | None, Field(description="What it was last called.")]
    emails: Count
    last_at: Moment | None
    operator_id: Annotated[str, Field(description="Whose mailbox has the latest of the emails.")]
    item_id: Annotated[str, Field(description="And which it is.")]


class Candidate(Shown):
    """A record that an address may mean."""

    record_id: RecordId
    name: RecordName


class AmbiguousMatch(Shown):
    """An address that leads to several records of a kind, so to none: a row of the view `ambiguous_matches`."""

    address: Annotated[str, Field(description="In small letters.")]
    record_kind: RecordKind
    rule: Rule
    candidates: list[Candidate]
    emails: Count
    last_at: Moment | None


class ReviewPage(Shown):
    """A page of the review queue: addresses of the one sort or the other, as `what` says."""

    items: list[UnmatchedAddress] | list[AmbiguousMatch]
    next: Annotated[str | None, Field(description="What to pass as `cursor` for the page after; null: this is all.")]
