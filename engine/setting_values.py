"""Kinds of values settings are made of, each with a message that says what to write."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_INTERVAL = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([smhd])\s*$")
_LONGEST = 3650 * 86400


def _interval(value: object) -> object:
    """``"90s"``, ``"15m"``, ``"1h"``, ``"1d"``, or a number of seconds."""
    if isinstance(value, str):
        match = _INTERVAL.match(value)
        if not match:
            raise ValueError(f'{value!r} is not a number and a unit, such as "90s", "15m", "1h" or "1d"')
        value = float(match[1]) * _UNITS[match[2]]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= _LONGEST:
            raise ValueError("write an interval between 0 seconds and 3650 days")
        return timedelta(seconds=value)
    return value


def _web_address(value: str) -> str:
    if not re.match(r"^https?://[^\s/]+\S*$", value):
        raise ValueError(f"{value!r} is not an address such as https://mail.example.com/EWS/Exchange.asmx")
    try:
        parts = urlsplit(value)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if not complete:
        raise ValueError(f"{value!r} has no usable host and port")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name or password does not belong in an address; secrets come from the environment")
    if parts.query or parts.fragment:
        raise ValueError(f"{value!r} must end with its path, without ? or #")
    if len(value) > 2082:
        raise ValueError("longer than the 2,082 characters Exchange takes")
    return value


def _mail_address(value: str) -> str:
    if not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+", value):
        raise ValueError(f"{value!r} is not an email address")
    return value


Interval = Annotated[
    timedelta,
    BeforeValidator(_interval),
    PlainSerializer(lambda value: f"{value.total_seconds():g}s", return_type=str, when_used="json"),
]
WebAddress = Annotated[str, AfterValidator(_web_address)]
OptionalWebAddress = Annotated[str, AfterValidator(lambda value: _web_address(value) if value else value)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
