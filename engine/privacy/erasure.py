"""Erasing one person's mail: what is asked, and the receipt of what was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """Erase the mail from and to an address, and keep it out from now on.

    ``dry_run``: count only. ``including_operator``: also where the address is an operator's own, whose whole mailbox
    goes with it and whose email sync is switched off. ``later``: the file is written anew not now, but at the next
    erasure that is not so, or when it is opened the next time.
    """

    erasure_id: str
    address: str
    by: str
    dry_run: bool = False
    including_operator: bool = False
    later: bool = False


@dataclass(frozen=True, slots=True)
class MailboxErasure:
    """What went from one mailbox; ``deleted_emails`` are those that were deleted at Exchange already."""

    operator_id: str
    emails: int = 0
    deleted_emails: int = 0
    attachments: int = 0
    associations: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure has done. It names nobody: ``address_hash`` is the list's keyed hash, in hexadecimal.

    ``words``: error messages and texts of alerts in which the address was blotted out. ``operators``: whose own
    address it was. ``rewritten_at``: since when no byte of it is in the file any more (None: that is still due);
    ``rewrite_problem`` says why not. Sizes of the file are bytes. ``lifted_at``: the address is off the list again.
    ``remains``: what an erasure does not reach, sentence by sentence.
    """

    erasure_id: str
    at: datetime
    by: str
    address_hash: str
    mailboxes: tuple[MailboxErasure, ...] = ()
    words: int = 0
    operators: tuple[str, ...] = ()
    remains: tuple[str, ...] = ()
    rewritten_at: datetime | None = None
    rewrite_problem: str | None = None
    size_before: int | None = None
    size_after: int | None = None
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    dry_run: bool = False

    @property
    def emails(self) -> int:
        """All emails that went, deleted ones too."""
        return sum(one.emails + one.deleted_emails for one in self.mailboxes)


@dataclass(frozen=True, slots=True)
class LiftRequest:
    """Take the address of an erasure off the list. ``relist``: list every folder anew, so that its mail comes back."""

    erasure_id: str
    by: str
    relist: bool = False


def what_remains(crm_records: int, operators: Sequence[str]) -> tuple[str, ...]:
    """What an erasure does not reach; ``crm_records``: those with the address, ``operators``: whose own it is."""
    said = [
        "At Exchange every email is still in its mailbox: delete it there, too.",
        "Texts that mention the address, or quote mail from it, in emails between others are not searched.",
        "Exports and backups made earlier, and the log files, keep what they hold.",
        "The list keeps a keyed hash of the address, and of the items it keeps out their hashed ids.",
    ]
    if crm_records:
        said.append(f"CRM records with the address: {crm_records}. They come from the CRM; erase them there.")
    if operators:
        said.append(f"The operator's own record ({', '.join(operators)}) stays, disabled.")
    return tuple(said)
