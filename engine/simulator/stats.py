"""What the server was asked: counters and a timeline."""

import time
from collections import Counter, deque
from typing import NamedTuple

_LONGEST = 500_000


class Call(NamedTuple):
    """One HTTP request to the EWS endpoint; ``at`` is on the monotonic clock."""

    at: float
    operation: str
    mailbox: str
    status: int
    seconds: float


class Requests:
    """Every request so far."""

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.timeline: deque[Call] = deque(maxlen=_LONGEST)
        self.in_flight = 0
        self.most_in_flight = 0

    @property
    def total(self) -> int:
        """Requests answered, or cut off, so far."""
        return self.operations.total()

    def record(self, call: Call) -> None:
        """Count a request."""
        self.operations[call.operation] += 1
        self.statuses[call.status] += 1
        self.timeline.append(call)

    def since(self, moment: float) -> list[Call]:
        """The calls after a moment of the monotonic clock."""
        return [call for call in self.timeline if call.at >= moment]

    def curve(self, seconds: float = 1.0) -> list[int]:
        """Calls per slice of time, from the first call until now."""
        if not self.timeline:
            return []
        first = self.timeline[0].at
        slices = [0] * (int((time.monotonic() - first) / seconds) + 1)
        for call in self.timeline:
            slices[int((call.at - first) / seconds)] += 1
        return slices

    def clear(self) -> None:
        """Start counting anew."""
        self.operations.clear()
        self.statuses.clear()
        self.timeline.clear()
