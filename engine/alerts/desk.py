"""AlertDesk: looks at what stands, decides, queues the mail, sends what is due.

A look may be left out, or cut off anywhere. Alerts and the mail they lead to are stored in one transaction before
anything is sent, so a death costs a mail sent twice at most, and never one that is not sent.

The report of a cause that is over by the time it could be sent is withdrawn: the mail about the end says all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from engine.alerts.courier import Courier
from engine.alerts.decide import Decision, Digest, DigestKind, Occasion, decide
from engine.alerts.digest import write
from engine.alerts.model import Alert, AlertStatus, OutgoingMail, StandingFailure
from engine.alerts.policy import AlertPolicy
from engine.alerts.queue import waiting, withdrawn
from engine.alerts.words import SUBSCRIPTION_CODES, Background
from engine.failures import failure_for
from engine.jobs.model import JobName, JobState, Outcome
from engine.orders import Standing
from engine.ports import AlertStore, Clock
from engine.status import Status

_log = structlog.get_logger(__name__)


class DeskStore(AlertStore, Protocol):
    """What the desk needs of the store."""

    async def jobs(self) -> list[JobState]:
        """See ``ports.JobStore``."""
        ...

    async def status(self) -> Status:
        """See ``ports.Store``."""
        ...


@dataclass(frozen=True, slots=True)
class Addressees:
    """Who is told, and of how long a retry the digests speak. No ``recipients``: alerts are kept, and no mail sent."""

    recipients: tuple[str, ...] = ()
    retried_for: timedelta = timedelta(minutes=30)


class AlertDesk:
    """One cause, one alert. ``courier`` None: nothing can be sent, and so nothing is written."""

    def __init__(
        self,
        store: DeskStore,
        courier: Courier | None,
        clock: Clock,
        addressees: Addressees,
        policy: AlertPolicy | None = None,
    ) -> None:
        self._store = store
        self._courier = courier
        self._clock = clock
        self._addressees = addressees
        self._policy = policy or AlertPolicy()
        self._telling = courier is not None and bool(addressees.recipients)

    async def tick(self, exchange: Standing | None = None) -> None:
        """One look. It may take as long as sending a few mails does, so it wants a task of its own.

        ``exchange``: what the hosts say that everybody's requests meet, if Exchange serves nobody at the moment.

        Raises:
            StoreError: the store does not answer; the next look makes up for it.
        """
        standing = await self._store.standing_failures(SUBSCRIPTION_CODES)
        alerts = await self._store.open_alerts()
        if standing or alerts:
            alerts = await self._look(alerts, standing, exchange)
        if self._courier is not None:
            await self._courier.send_due(exchange_serves=exchange is None, fading=_fading(alerts))

    async def close(self) -> None:
        """Let go of connections and threads."""
        if self._courier is not None:
            await self._courier.close()

    async def _look(
        self, alerts: list[Alert], standing: Sequence[StandingFailure], exchange: Standing | None
    ) -> list[Alert]:
        """Decide, and store what is decided; the alerts as they are then."""
        in_run = any(alert.status is AlertStatus.GATHERING for alert in alerts) and await self._in_run()
        occasion = Occasion(self._clock.now(), self._policy, telling=self._telling, in_run=in_run)
        decision = decide(alerts, standing, occasion, iter(lambda: self._clock.moment().fresh_id, None))
        if not decision.alerts:
            return alerts
        untold = await self._untold(decision)
        mails = [
            write(one, self._addressees.recipients, await self._background(one, standing, exchange, untold))
            for one in (decision.digests if self._telling else ())
        ]
        await self._store.put_alerts(decision.alerts, mails)
        for mail in untold:
            await self._store.put_mail(withdrawn(mail, occasion.now))
        _tell(alerts, decision, untold)
        return list({one.alert_id: one for one in (*alerts, *decision.alerts)}.values())

    async def _untold(self, decision: Decision) -> list[OutgoingMail]:
        """Mail of causes that are over now, which somebody has not got yet."""
        over = {one.alert.alert_id for one in decision.digests if one.kind is DigestKind.RECOVERY}
        return [one for one in await waiting(self._store, self._clock.now()) if one.alert_id in over] if over else []

    async def _background(
        self,
        digest: Digest,
        standing: Sequence[StandingFailure],
        exchange: Standing | None,
        untold: Sequence[OutgoingMail],
    ) -> Background:
        """What a digest is to say beside its alert."""
        code, everybody = digest.alert.code, None
        if exchange is not None and digest.affected and failure_for(exchange.error).code == code:
            own = [one for one in standing if one.code not in (code, *SUBSCRIPTION_CODES)]
            others = {touched.operator_id for one in own for touched in one.affected}
            enabled = (await self._store.status()).operators.enabled
            everybody = max(enabled - len(others), digest.standing)
        missed = tuple(one for one in untold if one.alert_id == digest.alert.alert_id)
        return Background(self._addressees.retried_for, everybody, missed)

    async def _in_run(self) -> bool:
        """Whether a run of EmailSync is open."""
        latest = [state.latest for state in await self._store.jobs() if state.job.name is JobName.EMAIL_SYNC]
        return any(run is not None and run.outcome is Outcome.RUNNING for run in latest)


def _fading(alerts: Sequence[Alert]) -> set[str]:
    """Alerts that were told, or are about to be, and touch nobody at the moment."""
    return {one.alert_id for one in alerts if one.status is AlertStatus.REPORTED and one.quiet_since is not None}


def _tell(before: Sequence[Alert], decision: Decision, untold: Sequence[OutgoingMail]) -> None:
    known = {alert.alert_id for alert in before}
    for alert in decision.alerts:
        if alert.alert_id not in known:
            _log.warning("alert opened", code=alert.code, operators=len(alert.operators))
    for digest in decision.digests:
        _log.info("digest queued", **_named(digest))
    for mail in untold:
        _log.info("digest withdrawn", mail_id=mail.mail_id, attempts=mail.attempts)


def _named(digest: Digest) -> dict[str, object]:
    over = digest.kind is DigestKind.RECOVERY
    operators = len(digest.alert.operators if over else digest.affected)
    return {"code": digest.alert.code, "kind": digest.kind.value, "operators": operators, "mail_id": digest.mail_id}
