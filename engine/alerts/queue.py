"""Whose turn it is among the mail that waits. Pure, but for asking the store what waits."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.alerts.model import OutgoingMail
from engine.ports import AlertStore

NEVER = timedelta(days=36_500)
"""How far ahead the next attempt of a mail lies that is given up."""
_FORESEEABLE = NEVER / 2
_MOST = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """A mail to be tried now. ``recipients``: to whom. ``held``: who is to have an earlier mail of its alert first."""

    mail: OutgoingMail
    recipients: tuple[str, ...]
    held: tuple[str, ...] = ()


async def waiting(store: AlertStore, now: datetime) -> list[OutgoingMail]:
    """Mail that is neither sent nor given up, oldest first, whenever its next attempt is.

    Raises:
        StoreError: the store does not answer.
    """
    return await store.unsent(now + _FORESEEABLE, _MOST)


def is_given_up(mail: OutgoingMail, now: datetime) -> bool:
    """Whether nobody will try it any more."""
    return mail.sent_at is None and mail.next_attempt_at is not None and mail.next_attempt_at - now > _FORESEEABLE


def turns(
    waiting: Sequence[OutgoingMail], now: datetime, *, afresh: bool = False, fading: Collection[str] = ()
) -> list[Turn]:
    """What to try now, oldest first. Nobody gets a later mail of an alert before an earlier one.

    Args:
        waiting: What waits, oldest first.
        now: The time.
        afresh: Try what waits for its next attempt too.
        fading: Alerts (by id) whose cause touches nobody at the moment. Their mail is not worth an alarm any more, and
            stays for as long as that.
    """
    ahead: dict[str, set[str]] = defaultdict(set)
    found = []
    for mail in waiting:
        first = ahead[mail.alert_id]
        free = tuple(one for one in mail.recipients if one not in first)
        due = afresh or mail.next_attempt_at is None or mail.next_attempt_at <= now
        if free and due and mail.alert_id not in fading:
            found.append(Turn(mail, free, tuple(one for one in mail.recipients if one in first)))
        first.update(mail.recipients)
    return found


def withdrawn(mail: OutgoingMail, now: datetime) -> OutgoingMail:
    """A mail that nobody is to get any more, since a later one says all of it."""
    reason = f"Withdrawn: it was over before this could be sent. {mail.error or ''}".strip()
    return OutgoingMail(
        mail.mail_id, mail.alert_id, (), mail.subject, mail.text, mail.html, mail.created_at,
        attempts=mail.attempts, sent_at=now, error=reason,
    )  # fmt: skip
