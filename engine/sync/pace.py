"""Not everything at once: whoever comes waits for a turn of their own, evenly spaced, first come, first served."""

from datetime import datetime, timedelta

from engine.ports import Clock

SUBSCRIPTIONS_A_SECOND = 10
"""For each host. Each Subscribe makes Exchange call back at once, and then at every StatusFrequency: those of a start
are spread over time here, and so are their heartbeats for ever after."""


class Pace:
    """At most ``a_second`` turns each second."""

    def __init__(self, clock: Clock, a_second: int = SUBSCRIPTIONS_A_SECOND) -> None:
        self._clock = clock
        self._apart = timedelta(seconds=1 / a_second)
        self._next: datetime | None = None

    async def turn(self) -> None:
        """Wait for it."""
        now = self._clock.now()
        mine = max(now, self._next or now)
        self._next = mine + self._apart
        if mine > now:
            await self._clock.sleep((mine - now).total_seconds())
