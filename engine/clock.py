"""Real time, chance and ids, kept in one place so that everything else takes them as arguments."""

import asyncio
import itertools
import random
import uuid
from datetime import UTC, datetime

from engine.model import Moment


class SystemClock:
    """``ports.Clock`` of the machine's own."""

    def __init__(self) -> None:
        # One random prefix and a counter: an id a step, and random bytes from the system cost more than the step.
        self._prefix = uuid.uuid4().hex
        self._ids = itertools.count()

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)

    def moment(self) -> Moment:
        """Now, with a jitter in [0, 1) and a fresh id."""
        return Moment(self.now(), random.random(), f"{self._prefix}{next(self._ids):x}")  # noqa: S311  # jitter, not a secret
