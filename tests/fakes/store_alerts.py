"""MemoryStore's alerts and outbox: ``ports.AlertStore`` over its mailboxes."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime

from engine.alerts.model import Affected, Alert, AlertStatus, OutgoingMail, StandingFailure
from engine.model import OperatorId
from tests.fakes.store_records import Mailbox, troubles_of


class MemoryAlerts:
    """``alerts`` and ``mails``: everything there is, by id."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[str, Alert] = {}
        self.mails: dict[str, OutgoingMail] = {}

    @abstractmethod
    def _check(self) -> None: ...

    @abstractmethod
    def _boxes(self) -> list[Mailbox]: ...

    async def standing_failures(self, subscription_codes: Sequence[str]) -> list[StandingFailure]:
        self._check()
        found: dict[str, dict[OperatorId, Affected]] = {}
        for one in [one for box in self._boxes() if box.operator.email_sync for one in troubles_of(box)]:
            who = one.operator
            given_up = one.kind == "mailbox" and one.state == "failed"
            if given_up or (one.kind == "subscription" and one.code in subscription_codes):
                affected = Affected(who.operator_id, who.email, one.message or "", one.since)
                found.setdefault(one.code, {}).setdefault(who.operator_id, affected)
        return [StandingFailure(code, tuple(found[code][who] for who in sorted(found[code]))) for code in sorted(found)]

    async def open_alerts(self) -> list[Alert]:
        self._check()
        standing = [one for one in self.alerts.values() if one.status is not AlertStatus.CLOSED]
        return sorted(standing, key=lambda one: (one.opened_at, one.alert_id))

    async def put_alerts(self, alerts: Sequence[Alert], mails: Sequence[OutgoingMail]) -> None:
        self._check()
        self.alerts.update({one.alert_id: one for one in alerts})
        for mail in mails:
            self.mails.setdefault(mail.mail_id, mail)

    async def unsent(self, now: datetime, limit: int) -> list[OutgoingMail]:
        self._check()
        waiting = [one for one in self.mails.values() if one.sent_at is None and (one.next_attempt_at or now) <= now]
        return sorted(waiting, key=lambda one: (one.created_at, one.mail_id))[:limit]

    async def put_mail(self, mail: OutgoingMail) -> None:
        self._check()
        self.mails[mail.mail_id] = mail
