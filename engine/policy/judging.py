"""Which emails of a mailbox a policy keeps out, and why. Pure."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from engine.associations.participants import Participants, participants
from engine.crm.keys import domain_of
from engine.policy.model import Policy, Reason
from engine.privacy.addresses import canonical, names_of

_PRIVATE = pa.array(["private", "confidential", "company-confidential"], pa.string())
"""Exchange's words (SensitivityChoicesType), and the one of the Sensitivity header in RFC 2156 that it translates."""
_X500 = "/o="


@dataclass(frozen=True, slots=True)
class Premises:
    """What a policy is judged by: whose mailbox it is, and whether an address leads to a CRM record."""

    own_address: str
    own_domains: frozenset[str]
    is_known: Callable[[str], bool]


class _Marks(NamedTuple):
    """One address. ``other``: it is not the mailbox's own; ``allowed``: by which sets of the policy."""

    other: bool
    denied: bool
    internal: bool
    known: bool
    allowed: tuple[bool, ...]


def judge(emails: pa.Table | pa.RecordBatch, folder: str, policy: Policy, premises: Premises) -> dict[int, Reason]:
    """The reasons by row; who is not in it is let in. ``emails``: columns of ``columns.FETCHED_EMAILS``."""
    found = dict.fromkeys(range(emails.num_rows) if folder.casefold() in policy.skip_folders else (), Reason.FOLDER)
    if policy.skip_private:
        found |= dict.fromkeys(_private_rows(emails), Reason.PRIVATE)
    if policy.asks_for_people and len(found) < emails.num_rows:
        _judge_people(emails, participants(emails), policy, premises, found)
    return found


def matches(address: str, entries: Collection[str]) -> bool:
    """Whether an address, its address without a tag, its domain or one above that is among the entries."""
    if not entries:
        return False
    if any(name in entries for name in names_of(address)):
        return True
    domain = domain_of(address)
    while domain:
        if domain in entries:
            return True
        domain = domain.partition(".")[2]
    return False


def _private_rows(emails: pa.Table | pa.RecordBatch) -> list[int]:
    said = pc.utf8_lower(pc.utf8_trim_whitespace(emails.column("sensitivity")))
    rows: list[int] = pc.indices_nonzero(pc.is_in(said, value_set=_PRIVATE)).to_pylist()
    return rows


def _judge_people(
    emails: pa.Table | pa.RecordBatch,
    people: Participants,
    policy: Policy,
    premises: Premises,
    found: dict[int, Reason],
) -> None:
    own = canonical(premises.own_address)
    marks = [_marks(address, own, policy, premises) for address in people.addresses]
    senders = emails.column("sender_address")
    for row, numbers in enumerate(people.rows):
        if row in found:
            continue
        # Somebody of Exchange's own directory who has no address is a colleague.
        colleague = not numbers and (senders[row].as_py() or "").casefold().startswith(_X500)
        reason = _reason([marks[number] for number in numbers], policy, colleague=colleague)
        if reason is not None:
            found[row] = reason


def _marks(address: str, own: str, policy: Policy, premises: Premises) -> _Marks:
    return _Marks(
        other=own not in names_of(address),
        denied=matches(address, policy.deny),
        internal=policy.skip_internal and matches(address, premises.own_domains),
        known=policy.only_known and premises.is_known(address),
        allowed=tuple(matches(address, entries) for entries in policy.allow),
    )


def _reason(people: Sequence[_Marks], policy: Policy, *, colleague: bool) -> Reason | None:
    others = [one for one in people if one.other]
    if any(one.denied for one in people):
        return Reason.DENIED
    if not all(any(one.allowed[number] for one in others) for number in range(len(policy.allow))):
        return Reason.NOT_ALLOWED
    if policy.skip_internal and (colleague if not people else all(one.internal for one in people)):
        return Reason.INTERNAL
    if policy.only_known and not any(one.known for one in others):
        return Reason.UNKNOWN
    return None
