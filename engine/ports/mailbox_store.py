"""What mailboxes, and the hosts that keep them, need of the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from engine.model import Activation, Landing, LandingResult, OperatorId


class LandingStore(Protocol):
    """What a mailbox needs of the store. All writes of one ``Landing`` are durable when ``land`` returns."""

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        """Bring mailboxes into memory: a new epoch each (older ones are fenced from now on) and their state.

        Ids the store does not know are left out of the answer.
        """
        ...

    async def land(self, landing: Landing) -> LandingResult:
        """Make one landing durable.

        Raises:
            StaleEpoch: a newer activation has taken over; nothing was written.
            StoreUnavailable: not known to be durable; activate anew to learn what is.
        """
        ...


class MailboxStore(LandingStore, Protocol):
    """What a host's mailboxes need of the store."""

    async def heard(self, serials: Sequence[tuple[OperatorId, str, datetime]]) -> None:
        """Record when subscriptions (by serial) last gave a sign of life."""
        ...

    async def make_due(self, operator_ids: Sequence[OperatorId]) -> None:
        """Let these operators' next sync be now, whatever their backoff says."""
        ...
