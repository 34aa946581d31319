"""Moments and spans of time, as people read them."""

from datetime import UTC, datetime, timedelta


def shown_moment(moment: datetime) -> str:
    """``2026-11-24 09:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def shown_span(span: timedelta) -> str:
    """The two largest units: ``3 hours 20 minutes``."""
    seconds = max(0, round(span.total_seconds()))
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    counted = []
    for name, size in units:
        number, seconds = divmod(seconds, size)
        counted.append((number, name))
    first = next((at for at, (number, _) in enumerate(counted) if number), len(counted) - 1)
    shown = [one for one in counted[first : first + 2] if one[0]] or counted[-1:]
    return " ".join(f"{number} {name}{'' if number == 1 else 's'}" for number, name in shown)
