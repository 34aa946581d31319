"""Time, as an argument."""

from datetime import datetime
from typing import Protocol

from engine.model import Moment


class Clock(Protocol):
    """Wall time, as an argument: ``now`` is aware UTC; ``sleep`` takes seconds."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def moment(self) -> Moment:
        """Now, with a jitter in [0, 1) and a fresh id."""
        ...
