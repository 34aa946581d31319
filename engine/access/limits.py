"""Limits on failed logins: for each client, and for all of them together. State in memory, bounded, one per gateway.

Guarantees:

- A client may fail ``attempts`` times at once and gets one attempt back every ``refill``; meanwhile it is told how long
  to wait. A client is an IPv4 address or an IPv6 /64, which is what one subscriber has.
- While all clients together have failed too often, whoever has failed lately waits too, and whoever has not gets a
  try: so nobody is locked out by others' failures, and a guesser with many addresses gets one guess for each of them.
- Success gives no attempts back: whoever holds one right token cannot use it to go on guessing at others.
- No more than ``clients`` are remembered; the one that failed longest ago is forgotten first.

Each client is one moment, the one when all its failures are forgotten (the virtual scheduling form of a leaky bucket,
GCRA). ``wait`` and ``failed`` are synchronous: with no await between them, attempts at once cannot outrun the limit.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Final

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_PREFIX = 64


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """How often logins may fail: at once (``attempts``), and one more after each ``refill``; then for all together."""

    attempts: int = 10
    refill: timedelta = timedelta(seconds=30)
    all_attempts: int = 300
    all_refill: timedelta = timedelta(seconds=1)
    clients: int = 10_000


class FailedLogins:
    """Who has failed how often. A client whose address is not known counts as one client of its own."""

    def __init__(self, limits: LoginLimits | None = None) -> None:
        self._limits = limits or LoginLimits()
        self._forgotten_at: OrderedDict[str, datetime] = OrderedDict()
        self._all_forgotten_at = _NEVER

    def __len__(self) -> int:
        return len(self._forgotten_at)

    def wait(self, client: IPv4Address | IPv6Address | None, now: datetime) -> float:
        """Seconds until the client may try again; 0 if it may now."""
        limits = self._limits
        forgotten_at = self._forgotten_at.get(_key(client), _NEVER)
        own = _wait(forgotten_at, now, limits.attempts, limits.refill)
        if own or forgotten_at <= now:
            return own
        return self._wait_for_all(now)

    def failed(self, client: IPv4Address | IPv6Address | None, now: datetime) -> bool:
        """Count a failure; whether it is notable: the client's first for a while, or its last attempt.

        While all together have failed too often nothing is notable, so that guessing does not fill the audit trail.
        """
        limits, key = self._limits, _key(client)
        quiet = self._wait_for_all(now) > 0
        self._all_forgotten_at = _later(self._all_forgotten_at, now, limits.all_attempts, limits.all_refill)
        before = self._forgotten_at.pop(key, _NEVER)
        after = self._forgotten_at[key] = _later(before, now, limits.attempts, limits.refill)
        while len(self._forgotten_at) > limits.clients:
            self._forgotten_at.popitem(last=False)
        last = _wait(after, now, limits.attempts, limits.refill) > 0
        return not quiet and (before <= now or last)

    def _wait_for_all(self, now: datetime) -> float:
        return _wait(self._all_forgotten_at, now, self._limits.all_attempts, self._limits.all_refill)


def _wait(forgotten_at: datetime, now: datetime, attempts: int, refill: timedelta) -> float:
    # No more than a full lock-out, should the clock have been put back meanwhile.
    forgotten_at = min(forgotten_at, now + attempts * refill)
    return max(0.0, (forgotten_at - now - (attempts - 1) * refill).total_seconds())


def _later(forgotten_at: datetime, now: datetime, attempts: int, refill: timedelta) -> datetime:
    return min(max(forgotten_at, now) + refill, now + attempts * refill)


def _key(client: IPv4Address | IPv6Address | None) -> str:
    if isinstance(client, IPv6Address):
        return f"{int(client) >> (128 - _PREFIX):x}/{_PREFIX}"
    return str(client)
