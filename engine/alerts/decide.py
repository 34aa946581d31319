"""Which digests to write now. Pure: open alerts, standing failures and the time in; changed alerts and digests out.

Level-triggered: nothing is remembered but the alerts themselves, so whoever asks twice is told the same, and a question
that was never asked is made up for by the next.

::

    touches somebody                       nobody has joined for a while           touches nobody for a while
    ───────────────▶ gathering ──────────────────────────────────────▶ reported ──────────────────────────────▶ recovered
                       │  ▲                        [report]             │    ▲            [recovery]           │  │
                       │  │                                             └────┘ newcomers, once a day           │  │
                       ▼  │                                                    [further]                       │  ▼
                    closed└───────────────── back: a new alert, not reported before its time ──────────────────┘ closed

A cause that flaps gives one report and one recovery, and the next report ``same_cause_within`` after the recovery.
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
    """What one mail is to say. ``affected``: whom it names, none of them for a recovery. ``standing``: how many the
    cause touches at the moment.
    """

    mail_id: str
    kind: DigestKind
    alert: Alert
    affected: tuple[Affected, ...]
    standing: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Alerts as they are to be stored, and the digests they lead to. An alert that stays as it was is not among them."""

    alerts: tuple[Alert, ...] = ()
    digests: tuple[Digest, ...] = ()


def decide(  # noqa: PLR0913  # what a pure decision needs is an argument
    open_alerts: Sequence[Alert],
    standing: Sequence[StandingFailure],
    now: datetime,
    policy: AlertPolicy,
    ids: Iterator[str],
    *,
    telling: bool = True,
) -> Decision:
    """What becomes of each cause.

    Args:
        open_alerts: Every alert that is not closed; of one code, the last one counts and the others are closed.
        standing: Whom each cause touches now.
        now: Aware UTC.
        policy: How long things wait.
        ids: Fresh ids, as many as are asked for.
        telling: Whether there is anybody to tell; while there is not, alerts gather and none is reported.
    """
    touched = {failure.code: failure.affected for failure in standing if failure.affected}
    latest = {alert.code: alert for alert in open_alerts}
    changed = [
        replace(one, status=AlertStatus.CLOSED, closed_at=now) for one in open_alerts if one is not latest[one.code]
    ]
    digests: list[Digest] = []
    for code in sorted({*touched, *latest}):
        known, affected = latest.get(code), touched.get(code, ())
        if affected and (known is None or known.status is AlertStatus.RECOVERED):
            if known is not None:
                changed.append(replace(known, status=AlertStatus.CLOSED, closed_at=now))
            opened = Alert(next(ids), code, AlertStatus.GATHERING, now, now)
            known = replace(opened, reported_at=known.reported_at if known else None)
        if known is None:
            continue
        alert, kind = _step(known, affected, now, policy, telling=telling)
        if alert != latest.get(code):
            changed.append(alert)
        if kind is not None:
            digests.append(Digest(next(ids), kind, alert, _named(kind, known, affected), len(affected), now))
    return Decision(tuple(changed), tuple(digests))


def _step(
    alert: Alert, affected: Sequence[Affected], now: datetime, policy: AlertPolicy, *, telling: bool
) -> tuple[Alert, DigestKind | None]:
    alert = _counted(alert, affected, now)
    if alert.status is AlertStatus.GATHERING:
        return _gather(alert, affected, now, policy, telling=telling)
    if alert.status is AlertStatus.REPORTED:
        return _follow(alert, affected, now, policy)
    return _remember(alert, now, policy), None


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


def _gather(
    alert: Alert, affected: Sequence[Affected], now: datetime, policy: AlertPolicy, *, telling: bool
) -> tuple[Alert, DigestKind | None]:
    if not affected:
        return _remember(replace(alert, status=AlertStatus.RECOVERED), now, policy), None
    complete = now >= min(alert.grown_at + policy.quiet, alert.opened_at + policy.longest_gathering)
    again = alert.reported_at is None or now >= alert.reported_at + policy.same_cause_within
    if not (complete and again and telling):
        return alert, None
    return _told(replace(alert, status=AlertStatus.REPORTED), affected, now), DigestKind.REPORT


def _follow(
    alert: Alert, affected: Sequence[Affected], now: datetime, policy: AlertPolicy
) -> tuple[Alert, DigestKind | None]:
    told_at = alert.reported_at or alert.opened_at
    if alert.quiet_since is not None:
        if now < alert.quiet_since + policy.recovered_after:
            return alert, None
        return replace(alert, status=AlertStatus.RECOVERED, reported_at=now), DigestKind.RECOVERY
    if len(alert.reported) < len(affected) and now >= told_at + policy.remind_after:
        return _told(alert, affected, now), DigestKind.FURTHER
    return alert, None


def _remember(alert: Alert, now: datetime, policy: AlertPolicy) -> Alert:
    """Closed, unless the last word about it is so recent that the next one would come too soon."""
    if alert.reported_at is not None and now < alert.reported_at + policy.same_cause_within:
        return alert
    return replace(alert, status=AlertStatus.CLOSED, closed_at=now)


def _told(alert: Alert, affected: Sequence[Affected], now: datetime) -> Alert:
    return replace(alert, reported=tuple(one.operator_id for one in affected), reported_at=now)


def _named(kind: DigestKind, before: Alert, affected: Sequence[Affected]) -> tuple[Affected, ...]:
    if kind is DigestKind.RECOVERY:
        return ()
    told = set(before.reported)
    return tuple(one for one in affected if one.operator_id not in told)
