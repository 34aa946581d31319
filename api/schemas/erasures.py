"""Erasures: whose mail is to be erased, and the receipts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from api.schemas.shared import Moment, Shown
from engine.privacy.addresses import LONGEST, PATTERN

Count = Annotated[int, Field(ge=0)]


class ErasurePost(BaseModel):
    """Whose mail to erase. ``dry_run``: count only. ``including_operator``: also an operator's own whole mailbox.

    ``later``: write the file anew at the next erasure or start, and not now.
    """

    model_config = ConfigDict(extra="forbid")

    address: Annotated[StrictStr, Field(max_length=LONGEST, pattern=PATTERN, examples=["ann@example.com"])]
    dry_run: StrictBool = False
    including_operator: StrictBool = False
    later: StrictBool = False


class LiftPost(BaseModel):
    """How to take the address off the list. ``relist``: list every folder anew, so that its mail comes back."""

    model_config = ConfigDict(extra="forbid")

    relist: StrictBool = False


class MailboxErased(Shown):
    """What went from one mailbox."""

    operator_id: str
    emails: Count
    deleted_emails: Annotated[Count, Field(description="Those that were deleted at Exchange already.")]
    attachments: Count
    associations: Count


class ErasureShown(Shown):
    """The receipt of an erasure. It names nobody."""

    erasure_id: str
    at: Moment
    by: Annotated[str, Field(description="Whose token it was.")]
    address_hash: Annotated[str, Field(description="HMAC-SHA-256 of the address with the installation's key.")]
    emails: Annotated[Count, Field(description="All that went, from every mailbox.")]
    mailboxes: list[MailboxErased]
    words: Annotated[Count, Field(description="Error messages and alerts in which the address was blotted out.")]
    operators: Annotated[list[str], Field(description="Whose own address it was; they are disabled now.")]
    remains: Annotated[list[str], Field(description="What an erasure does not reach, sentence by sentence.")]
    rewritten_at: Annotated[Moment | None, Field(description="Since when no byte of it is in the file; null: due.")]
    rewrite_problem: Annotated[str | None, Field(description="Why the file could not be written anew.")]
    size_before: Annotated[Count | None, Field(description="Bytes of the file.")]
    size_after: Annotated[Count | None, Field(description="Bytes of the file written anew.")]
    lifted_at: Annotated[Moment | None, Field(description="Since when mail of the address may land again.")]
    lifted_by: str | None


class ErasureDone(ErasureShown):
    """The receipt, or what it would be."""

    dry_run: Annotated[bool, Field(description="True: nothing was done.")]
