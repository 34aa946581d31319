"""Which digests to write now. Pure: open alerts, standing failures and the time in; changed alerts and digests out.

Level-triggered: nothing is remembered but the alerts themselves, so a question that was never asked is made up for by
the next.

::

            touches somebody
    (none) ─────────────────▶ gathering ──▶ gone before it was told ─▶ closed
                                │ nobody has joined for a while: REPORT       ▲
                                ▼                                             │ not back for a while
                             reported ──▶ touches nobody for a while ─▶ recovered
                              │    ▲                  RECOVERY                │ back
                              └────┘ newcomers, once a day: FURTHER           ▼
                                                       closed, and a new one gathers, told no sooner than that while

So a cause that flaps gives a report and a recovery, and the next report ``same_cause_within`` later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from engine.alerts.model import Affected, Alert, AlertStatus, StandingFailure
from engine.alerts.policy import AlertPolicy


class DigestKind(StrEnum):
    """Why a digest is written: a cause is reported, touches further operators, or is over."""

    REPORT = "report"
    FURTHER = "further"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Digest:
    """What one mail is to say.

    ``affected``: whom it names (of a recovery: nobody). ``standing``: how many the cause touches at the moment.
    """

    mail_id: str
    kind: DigestKind
    alert: Alert
    affected: tuple[Affected, ...]
    standing: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Alerts to be stored (those that stay as they were are left out), and the digests they lead to."""

    alerts: tuple[Alert, ...] = ()
    digests: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Occasion:
    """When the question is asked, and under which circumstances.

    ``telling``: there is somebody to tell; while there is not, alerts gather and none is reported. ``in_run``: a run of
    EmailSync is open, so others may join soon.
    """

    now: datetime
    policy: AlertPolicy
    telling: bool = True
    in_run: bool = False


def decide(
    open_alerts: Sequence[Alert], standing: Sequence[StandingFailure], occasion: Occasion, ids: Iterator[str]
) -> Decision:
    """What becomes of each cause.

    Args:
        open_alerts: Every alert that is not closed, oldest first; of one code the last one counts, others are closed.
        standing: Whom each cause touches now.
        occasion: The time, the policy, the circumstances.
        ids: Fresh ids, as many as are asked for.
    """
    touched = {failure.code: failure.affected for failure in standing if failure.affected}
    latest = {alert.code: alert for alert in open_alerts}
    changed = [_closed(one, occasion.now) for one in open_alerts if one is not latest[one.code]]
    digests: list[Digest] = []
    for code in sorted({*touched, *latest}):
        known, affected = latest.get(code), touched.get(code, ())
        if affected and (known is None or known.status is AlertStatus.RECOVERED):
            changed += [_closed(known, occasion.now)] if known else []
            known = _opened(next(ids), code, known, occasion.now)
        if known is None:
            continue
        alert, kind = _step(known, affected, occasion)
        if alert != latest.get(code):
            changed.append(alert)
        if kind is not None:
            named = _named(kind, known, affected)
            digests.append(Digest(next(ids), kind, alert, named, len(affected), occasion.now))
    return Decision(tuple(changed), tuple(digests))


def _step(alert: Alert, affected: Sequence[Affected], occasion: Occasion) -> tuple[Alert, DigestKind | None]:
    alert = _counted(alert, affected, occasion.now)
    if alert.status is AlertStatus.GATHERING:
        return _gather(alert, affected, occasion)
    if alert.status is AlertStatus.REPORTED:
        return _follow(alert, affected, occasion)
    return _remember(alert, occasion), None


def _opened(alert_id: str, code: str, before: Alert | None, now: datetime) -> Alert:
    """A new alert, which remembers when the last word about its code was."""
    opened = Alert(alert_id, code, AlertStatus.GATHERING, opened_at=now, grown_at=now)
    return replace(opened, reported_at=before.reported_at if before else None)


def _closed(alert: Alert, now: datetime) -> Alert:
    return replace(alert, status=AlertStatus.CLOSED, closed_at=now)


def _counted(alert: Alert, affected: Sequence[Affected], now: datetime) -> Alert:
    """The alert with whom it touches now."""
    here = {one.operator_id for one in affected}
    joined = sorted(here.difference(alert.operators))
    return replace(
        alert,
        operators=(*alert.operators, *joined),
        grown_at=now if joined else alert.grown_at,
        reported=tuple(one for one in alert.reported if one in here),
        quiet_since=None if here else alert.quiet_since or now,
    )


def _gather(alert: Alert, affected: Sequence[Affected], occasion: Occasion) -> tuple[Alert, DigestKind | None]:
    now, policy = occasion.now, occasion.policy
    if not affected:
        return _remember(replace(alert, status=AlertStatus.RECOVERED), occasion), None
    quiet = policy.quiet_in_run if occasion.in_run else policy.quiet
    complete = now >= min(alert.grown_at + quiet, alert.opened_at + policy.longest_gathering)
    soon = alert.reported_at is not None and now < alert.reported_at + policy.same_cause_within
    if not complete or soon or not occasion.telling:
        return alert, None
    return _told(replace(alert, status=AlertStatus.REPORTED), affected, now), DigestKind.REPORT


def _follow(alert: Alert, affected: Sequence[Affected], occasion: Occasion) -> tuple[Alert, DigestKind | None]:
    now, policy = occasion.now, occasion.policy
    if alert.quiet_since is not None:
        if now < alert.quiet_since + policy.recovered_after:
            return alert, None
        return replace(alert, status=AlertStatus.RECOVERED, reported_at=now), DigestKind.RECOVERY
    told_at = alert.reported_at or alert.opened_at
    if len(alert.reported) < len(affected) and now >= told_at + policy.remind_after and occasion.telling:
        return _told(alert, affected, now), DigestKind.FURTHER
    return alert, None


def _remember(alert: Alert, occasion: Occasion) -> Alert:
    """Closed, unless the last word about it is so recent that the next would come too soon."""
    if alert.reported_at is not None and occasion.now < alert.reported_at + occasion.policy.same_cause_within:
        return alert
    return _closed(alert, occasion.now)


def _told(alert: Alert, affected: Sequence[Affected], now: datetime) -> Alert:
    return replace(alert, reported=tuple(one.operator_id for one in affected), reported_at=now)


def _named(kind: DigestKind, before: Alert, affected: Sequence[Affected]) -> tuple[Affected, ...]:
    if kind is DigestKind.RECOVERY:
        return ()
    told = set(before.reported)
    return tuple(one for one in affected if one.operator_id not in told)
