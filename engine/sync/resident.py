"""A mailbox as its host keeps it in memory."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from engine.errors import FolderMissing, Throttled
from engine.failures import failure_by_code, failure_for, is_permanent
from engine.model import Activation, MailboxStatus
from engine.sync.machine import hold
from engine.sync.policy import SyncPolicy
from engine.sync.runner import Mailbox
from engine.sync.state import awaken

FAILING = (MailboxStatus.FAILING, MailboxStatus.FAILED)
_PARTLY_FAILING = failure_for(FolderMissing("")).code


@dataclass(slots=True)
class Resident(Mailbox):
    """``task`` runs while anything is asked of it.

    ``again``: one more pass, should the one under way fail. ``once_more``: in any case; it began by other settings.
    What has been told already, so that it is told once: ``failing``, ``given_up``, ``on_hold``, ``unheard``.
    """

    task: asyncio.Task[None] | None = None
    used_at: datetime | None = None
    watermark: str | None = None
    again: bool = False
    once_more: bool = False
    failing: bool = False
    given_up: bool = False
    on_hold: bool = False
    unheard: bool = False

    @classmethod
    def of(cls, activation: Activation, policy: SyncPolicy, now: datetime, *, held: bool) -> "Resident":
        """Fresh in memory. What its record says was told by whoever wrote it."""
        status, made = activation.mailbox.status, activation.subscription
        return cls(
            hold(awaken(activation, policy), held),
            used_at=now,
            failing=status in FAILING,
            given_up=status is MailboxStatus.FAILED,
            unheard=made is not None and made.unheard > 0,
        )

    def backs_off(self, now: datetime) -> bool:
        """Whether a notice is to wait for the next attempt.

        Where the cause is one that passes, a notice is a sign that it has passed: then it is as good as a probe, at
        most one in the time of the first one. What Exchange has told to wait waits.
        """
        record, trouble = self.state.record, self.state.trouble
        if record.status not in FAILING or record.next_sync_at is None or now >= record.next_sync_at:
            return False
        if record.error_code == _PARTLY_FAILING:
            return False  # the other folders are well, and their mail shall not wait
        causes = (failure_by_code(record.error_code or ""), failure_for(trouble) if trouble else None)
        if any(cause is not None and is_permanent(cause.action) for cause in causes):
            return True
        told_to_wait = isinstance(trouble, Throttled) and bool(trouble.retry_after)
        return told_to_wait or record.error_at is None or now - record.error_at < self.state.policy.first_probe
