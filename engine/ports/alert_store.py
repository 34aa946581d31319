"""What alerts need of the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from engine.alerts.model import Alert, OutgoingMail, StandingFailure


class AlertStore(Protocol):
    """What alerts need of the store."""

    async def standing_failures(self, subscription_codes: Sequence[str]) -> list[StandingFailure]:
        """Who is touched by what at the moment, by code.

        Enabled operators whose mailbox is ``failed``, and those whose subscription has failed for one of these codes;
        ``LISTENER_UNREACHABLE`` among them stands for a subscription that took the place of one never heard.
        """
        ...

    async def open_alerts(self) -> list[Alert]:
        """Alerts that are not closed, oldest first."""
        ...

    async def put_alerts(self, alerts: Sequence[Alert], mails: Sequence[OutgoingMail]) -> None:
        """Insert or change alerts by id and queue the mail they lead to, in one transaction."""
        ...

    async def unsent(self, now: datetime, limit: int) -> list[OutgoingMail]:
        """Mail that is not sent and whose next attempt is due, oldest first."""
        ...

    async def put_mail(self, mail: OutgoingMail) -> None:
        """Write down how an attempt to send went."""
        ...
