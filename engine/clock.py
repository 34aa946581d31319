"""Real time, chance and ids, kept in one place so that everything else takes them as arguments."""

import asyncio
import random
import uuid
from datetime import UTC, datetime

from engine.sync.actions import Moment


class SystemClock:
    """``ports.Clock`` of the machine's own."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)

    def moment(self) -> Moment:
        """Now, with a jitter in [0, 1) and a fresh id."""
        return Moment(self.now(), random.random(), uuid.uuid4().hex)  # noqa: S311  # jitter, not a secret
