"""FakeClock: time that moves when told to, chance from a seed, ids that count."""

import random
from datetime import UTC, datetime, timedelta

from engine.model import Moment


class FakeClock:
    """``ports.Clock``; ``sleep`` returns at once and moves the time on."""

    def __init__(self, now: datetime = datetime(2026, 11, 24, 9, 0, tzinfo=UTC), seed: int = 1) -> None:
        self._now = now
        self._chance = random.Random(seed)
        self._ids = 0

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by

    async def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))

    def moment(self) -> Moment:
        self._ids += 1
        return Moment(self._now, self._chance.random(), f"id-{self._ids}")
