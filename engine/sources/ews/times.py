"""Timestamps in every form servers write them, as aware UTC."""

import re
from datetime import UTC, datetime

_FRACTION = re.compile(r"(\.\d{1,6})\d*")


def parse_time(text: str | None) -> datetime | None:
    """``YYYY-MM-DDTHH:MM:SSZ``, with a fraction of any length, an offset, or no zone at all (then UTC).

    None for what is absent or no time, and for years before 2: servers write year 1 for "never".
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text.strip()))
        except ValueError:
            return None
    if moment.tzinfo is UTC:
        return moment if moment.year > 1 else None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC) if moment.year > 1 else None
    except OverflowError:
        return None  # "for ever", in a time zone west of Greenwich
