"""Intervals as people write them."""

import re
from datetime import timedelta

EXAMPLES = '"90s", "15m", "1h" or "1d"'
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
INTERVAL = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([smhd])\s*$", re.ASCII)
_LONGEST = 3650 * 86400


def interval(value: str | float) -> timedelta:
    """``"90s"``, ``"15m"``, ``"1h"``, ``"1d"``, or a number of seconds.

    Raises:
        ValueError: it is neither, or longer than ten years.
    """
    if isinstance(value, str):
        match = INTERVAL.match(value)
        if not match:
            raise ValueError(f"{value!r} is not a number and a unit, such as {EXAMPLES}")
        value = float(match[1]) * _UNITS[match[2]]
    if not 0 <= value <= _LONGEST:
        raise ValueError("write an interval between 0 seconds and 3650 days")
    return timedelta(seconds=value)
