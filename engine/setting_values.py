"""Kinds of values settings are made of, each with a message that says what to write."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from engine.access.networks import parse_networks
from engine.errors import SettingsError
from engine.intervals import interval
from engine.jobs.schedule import checked_every, checked_timezone
from engine.privacy.addresses import canonical, is_address


def _interval(value: object) -> object:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return interval(value)
    return value


def _seconds(value: timedelta) -> str:
    """As ``interval`` reads it, without an exponent."""
    text = f"{value.total_seconds():.6f}".rstrip("0").rstrip(".")
    return f"{text}s"


def _every(value: object) -> object:
    """A number is seconds here too."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        interval(value)
        value = f"{value}s"
    return checked_every(value) if isinstance(value, str) else value


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


def is_mail_address(value: str) -> bool:
    """Whether a text is one bare address, international ones included."""
    return bool(re.fullmatch(r"[^\s@,;<>\"()\[\]\\\x00-\x1f\x7f]+@[^\s@,;<>\"()\\\x00-\x1f\x7f]+", value))


def _mail_address(value: str) -> str:
    if not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+", value):
        raise ValueError(f"{value!r} is not an email address")
    return value


def _sender(value: str) -> str:
    if value and not is_mail_address(value):
        raise ValueError(f"{value!r} is not an email address such as mailroom@example.com")
    return value


def split_addresses(value: str) -> tuple[str, ...]:
    """The addresses of a text that separates them by semicolons, each once, in order."""
    found = {one.casefold(): one for one in reversed([part.strip() for part in value.split(";")]) if one}
    return tuple(reversed(found.values()))


def _mail_addresses(value: str) -> str:
    for one in split_addresses(value):
        if not is_mail_address(one):
            hint = "; separate addresses by semicolons" if one.count("@") > 1 or re.search(r"[,\s]", one) else ""
            raise ValueError(f"{one!r} is not an email address{hint}")
    return value


def _domain(value: str) -> str:
    """The canonical spelling; ``@`` before it is left off."""
    text = canonical(f"x@{value.strip().removeprefix('@')}").removeprefix("x@")
    if not re.fullmatch(r"[^\s@.,;<>()]+(\.[^\s@.,;<>()]+)+", text):
        raise ValueError(f"{value!r} is not a domain such as example.com")
    return text


def _address_or_domain(value: str) -> str:
    if "@" in value.strip()[1:]:
        if not is_address(value):
            raise ValueError(f"{value!r} is neither an address nor a domain such as example.com")
        return canonical(value)
    return _domain(value)


def _network(value: str) -> str:
    try:
        parse_networks("", [value])
    except SettingsError as error:
        raise ValueError(str(error).removeprefix(": ").removesuffix(".")) from None
    return value


AddressesOrDomains = tuple[Annotated[str, AfterValidator(_address_or_domain)], ...]
"""``ann@example.com`` or ``example.com``, canonical."""
Domains = tuple[Annotated[str, AfterValidator(_domain)], ...]
Interval = Annotated[
    timedelta,
    BeforeValidator(_interval),
    PlainSerializer(_seconds, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?[smhd]$", "examples": ["300s", "15m", "1h"]}),
]
Networks = tuple[Annotated[str, AfterValidator(_network)], ...]
"""As ``engine.access.networks.parse_networks`` reads them."""
Schedule = Annotated[str, BeforeValidator(_every)]
TimeZone = Annotated[str, AfterValidator(checked_timezone)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
OptionalWebAddress = Annotated[str, AfterValidator(lambda value: _web_address(value) if value else value)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
OptionalMailAddress = Annotated[str, AfterValidator(_sender)]
MailAddresses = Annotated[str, AfterValidator(_mail_addresses)]
"""Addresses separated by semicolons; ``split_addresses`` takes them apart."""
