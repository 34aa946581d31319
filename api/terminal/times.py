"""Moments as people say them: how long ago, or in how long."""

from datetime import UTC, datetime
from itertools import pairwise

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def ago(text: str | None, now: datetime) -> str:
    """An ISO time, seen from ``now``: ``3 min ago``, ``in 12 s``, ``now``; empty where there is none."""
    if not text:
        return ""
    seconds = round((now - parse(text)).total_seconds())
    if seconds == 0:
        return "now"
    size, unit = next(one for one in _UNITS if abs(seconds) >= one[0])
    number = f"{abs(seconds) // size:,} {unit}"
    return f"{number} ago" if seconds > 0 else f"in {number}"


def lasting(seconds: float) -> str:
    """A duration: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``5 h 1 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for (size, unit), (smaller, small_unit) in pairwise(_UNITS):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size:,} {unit}" + (f" {rest} {small_unit}" if rest else "")
    return f"{whole} s"


def parse(text: str) -> datetime:
    """A time as the gateway writes it; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
