"""A mailbox as its host keeps it in memory."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from engine.model import Activation, MailboxStatus
from engine.sync.machine import hold
from engine.sync.policy import SyncPolicy
from engine.sync.runner import Mailbox
from engine.sync.state import awaken

FAILING = (MailboxStatus.FAILING, MailboxStatus.FAILED)


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
