"""How many requests at once Exchange bears: slow start, then additive increase and multiplicative decrease. Pure.

The limit is for the endpoint, which answers 503 or not in time when it has too much to do. ErrorServerBusy is a
mailbox's own budget (with impersonation, the mailbox's and not the service account's), so that of one mailbox slows
nobody else; when several meet it at the same time, the cause is what they share.
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.errors import MailroomError, Throttled
from engine.model import OperatorId
from engine.sync.signs import slows

_EASE_EVERY = timedelta(seconds=1)
"""Requests under way when the limit falls will meet the same overload, and must not lower it again."""
_AT_THE_SAME_TIME = timedelta(seconds=10)
_BUSY_KEPT = 8


@dataclass(frozen=True, slots=True)
class Pressure:
    """``room``: requests at once, in fractions. ``starting``: no pressure has been met yet.

    ``busy``: which mailboxes were told ErrorServerBusy lately, and when.
    """

    ceiling: int
    room: float = 1.0
    starting: bool = True
    eased_at: datetime | None = None
    busy: tuple[tuple[OperatorId, datetime], ...] = ()

    @property
    def limit(self) -> int:
        """Requests at once, at least one."""
        return max(1, int(self.room))


def served(pressure: Pressure) -> Pressure:
    """A request was answered: one more at once each time at the start, later one more for each round of answers."""
    if pressure.room >= pressure.ceiling:
        return replace(pressure, starting=False) if pressure.starting else pressure
    more = 1.0 if pressure.starting else 1 / pressure.room
    return replace(pressure, room=min(float(pressure.ceiling), pressure.room + more))


def met(pressure: Pressure, error: MailroomError, operator_id: OperatorId, now: datetime) -> Pressure:
    """A request failed: halve the limit if that is the endpoint's overload."""
    if slows(error):
        return _eased(pressure, now)
    if not isinstance(error, Throttled):
        return pressure
    others = [(who, at) for who, at in pressure.busy if who != operator_id and now - at <= _AT_THE_SAME_TIME]
    pressure = replace(pressure, busy=(*others[1 - _BUSY_KEPT :], (operator_id, now)))
    return _eased(pressure, now) if others else pressure


def _eased(pressure: Pressure, now: datetime) -> Pressure:
    pressure = replace(pressure, starting=False)
    if pressure.eased_at is not None and now - pressure.eased_at < _EASE_EVERY:
        return pressure
    return replace(pressure, room=max(1.0, pressure.room / 2), eased_at=now)
