"""What a mailbox's passes leave in the log: one line each, and a warning once when something begins.

What is not the mailbox's own (Exchange serves nobody) is told once for all of them, in ``engine.sync.endpoint``.
"""

import structlog

from engine.failures import failure_by_code
from engine.model import MailboxStatus, SubscriptionStatus
from engine.sync.actions import Rest
from engine.sync.resident import Resident
from engine.sync.retry import is_standing

_log = structlog.get_logger(__name__)
_UNREACHABLE = "LISTENER_UNREACHABLE"


def tell_pass(mailbox: Resident, end: Rest, seconds: float) -> None:
    """Say how a pass went; the mailbox remembers what has been told."""
    summary = end.summary
    counts = {name: getattr(summary, name) for name in summary.__slots__ if getattr(summary, name)}
    if end.failure is not None:
        _tell_failure(mailbox, end, counts)
    else:
        event, tell = "sync finished", _log.info
        if end.held:
            event, tell = "backfill on hold", _log.debug if mailbox.on_hold else _log.info
        elif mailbox.failing:
            event = "sync recovered"
        tell(event, operator=mailbox.state.operator.operator_id, seconds=round(seconds, 3), **counts)
        if not end.held:
            mailbox.failing = mailbox.given_up = False
    mailbox.on_hold = end.held
    _tell_unheard(mailbox)


def _tell_failure(mailbox: Resident, end: Rest, counts: dict[str, int]) -> None:
    if end.failure is None:
        return
    given_up = mailbox.state.record.status is MailboxStatus.FAILED
    standing = mailbox.state.trouble is not None and is_standing(mailbox.state.trouble)
    known = mailbox.failing and (mailbox.given_up or not given_up)
    tell = _log.debug if standing or known else _log.warning
    tell(
        "sync given up, reported" if given_up else "sync failed",
        operator=mailbox.state.operator.operator_id,
        code=end.failure.code,
        message=end.message,
        remedy=end.failure.remedy,
        next_attempt=str(end.next_sync_at),
        **counts,
    )
    if not standing:
        mailbox.failing, mailbox.given_up = True, mailbox.given_up or given_up


def _tell_unheard(mailbox: Resident) -> None:
    """A subscription that took the place of one never heard: whoever reads the log shall know why mail comes late."""
    made = mailbox.state.subscription
    if made is None or made.status is not SubscriptionStatus.ACTIVE:
        return
    if made.unheard and not mailbox.unheard:
        failure = failure_by_code(_UNREACHABLE)
        _log.warning(
            "Exchange does not call back",
            operator=mailbox.state.operator.operator_id,
            code=_UNREACHABLE,
            unheard=made.unheard,
            remedy=failure.remedy if failure else "",
        )
    mailbox.unheard = made.unheard > 0
