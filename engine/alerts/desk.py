"""AlertDesk: looks at what stands, decides, queues the mail, sends what is due.

A look may be left out, or cut off anywhere. Alerts and the mail they lead to are stored in one transaction before
anything is sent, so a death costs a mail sent twice at most, and never one that is not sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from engine.alerts.courier import Courier
from engine.alerts.decide import Decision, Digest, DigestKind, Occasion, decide
from engine.alerts.digest import write
from engine.alerts.model import Alert, AlertStatus, StandingFailure
from engine.alerts.policy import AlertPolicy
from engine.alerts.words import SUBSCRIPTION_CODES
from engine.jobs.model import JobName, JobState, Outcome
from engine.ports import AlertStore, Clock

_log = structlog.get_logger(__name__)


class DeskStore(AlertStore, Protocol):
    """What the desk needs of the store."""

    async def jobs(self) -> list[JobState]:
        """See ``ports.JobStore``."""
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

    async def tick(self) -> None:
        """One look. It may take as long as sending a few mails does, so it wants a task of its own.

        Raises:
            StoreError: the store does not answer; the next look makes up for it.
        """
        standing = await self._store.standing_failures(SUBSCRIPTION_CODES)
        alerts = await self._store.open_alerts()
        if standing or alerts:
            await self._look(alerts, standing)
        if self._courier is not None:
            await self._courier.send_due()

    async def close(self) -> None:
        """Let go of connections and threads."""
        if self._courier is not None:
            await self._courier.close()

    async def _look(self, alerts: Sequence[Alert], standing: Sequence[StandingFailure]) -> None:
        in_run = any(alert.status is AlertStatus.GATHERING for alert in alerts) and await self._in_run()
        occasion = Occasion(self._clock.now(), self._policy, telling=self._telling, in_run=in_run)
        decision = decide(alerts, standing, occasion, iter(lambda: self._clock.moment().fresh_id, None))
        if not decision.alerts:
            return
        addressees = self._addressees
        mails = [write(one, addressees.recipients, addressees.retried_for) for one in decision.digests]
        await self._store.put_alerts(decision.alerts, mails if self._telling else [])
        _tell(alerts, decision)

    async def _in_run(self) -> bool:
        """Whether a run of EmailSync is open."""
        latest = [state.latest for state in await self._store.jobs() if state.job.name is JobName.EMAIL_SYNC]
        return any(run is not None and run.outcome is Outcome.RUNNING for run in latest)


def _tell(before: Sequence[Alert], decision: Decision) -> None:
    known = {alert.alert_id for alert in before}
    for alert in decision.alerts:
        if alert.alert_id not in known:
            _log.warning("alert opened", code=alert.code, operators=len(alert.operators))
    for digest in decision.digests:
        _log.info("digest queued", **_named(digest))


def _named(digest: Digest) -> dict[str, object]:
    over = digest.kind is DigestKind.RECOVERY
    operators = len(digest.alert.operators if over else digest.affected)
    return {"code": digest.alert.code, "kind": digest.kind.value, "operators": operators, "mail_id": digest.mail_id}
