"""Cells to values: text, or whatever a Parquet column or a JSON field has, to what a CRM record keeps.

A cell left empty says nothing: an empty text or tuple, or None. Each reader raises ``Unfit`` for what it cannot read.
"""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeGuard
from uuid import UUID

from engine.crm.fields import CLOSED, FIRST, LAST, STATE
from engine.imports.problems import shown
from engine.privacy.addresses import LONGEST, canonical, is_address, plain

LONGEST_ID = 256
_LONGEST_DOMAIN = 253
_MOST_SHOWN = 20
_LARGEST_EXACT = 2**53
"""From here on a float may be another number than the one that was meant."""
_UNSEEN = " \t\n\r\f\v\xa0\u200b\u200e\u200f\u2060\ufeff"
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_HIDDEN_IN_TEXT = {"Cc", "Zl", "Zp"}
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)
_LIST = re.compile(r"[;,|\r\n]+")
_ADDRESSES = re.compile(r"[;,|\s]+")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+'\-]*@(?:[A-Za-z0-9\-]+\.)+[A-Za-z0-9\-]+", re.ASCII)
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.\-]*:)?//", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+(?!\d+\Z)[a-z0-9\-]{2,63}", re.ASCII)
_WORDS = dict.fromkeys(("true", "t", "yes", "y", "1", "on"), True) | dict.fromkeys(
    ("false", "f", "no", "n", "0", "off"), False
)
_STATES = dict.fromkeys(("open", "inprogress"), True) | dict.fromkeys(
    ("closed", "won", "lost", "closedwon", "closedlost"), False
)


class Unfit(Exception):
    """A value that cannot be read. ``problem`` says what is wrong and what to do; ``value`` is it, fit to be shown."""

    def __init__(self, value: object, problem: str) -> None:
        super().__init__(problem)
        self.value = as_shown(value)
        self.problem = problem


def as_shown(value: object) -> str:
    """Any value on one line."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, int) and value.bit_length() > 1000:
        return "a number of hundreds of digits"
    if isinstance(value, list | tuple):
        items = ("list" if isinstance(one, list | tuple) else as_shown(one) for one in value[:_MOST_SHOWN])
        return shown(f"[{', '.join(items)}]")
    return "object" if isinstance(value, dict) else shown(str(value))


def read_id(value: object) -> str:
    """The id of a record, or of another it refers to."""
    text = value.strip() if type(value) is str else _text_of(value).strip()
    if len(text) <= LONGEST_ID and text.isascii() and text.isprintable() and "+" not in text:
        return text
    return _odd_id(text)


def read_reference(value: object) -> str:
    """An id that many records have in common."""
    return sys.intern(read_id(value))


def read_text(value: object) -> str:
    """A name: any text, in one line."""
    text = value.strip() if type(value) is str else _text_of(value).strip()
    return text if text.isascii() and text.isprintable() else _odd_text(text)


def read_stage(value: object) -> str:
    """A text that many records have in common."""
    return sys.intern(read_text(value))


def read_ids(value: object) -> tuple[str, ...]:
    """Ids, in a list or in a text."""
    return _unique(read_id(one) for one in _items(value, _LIST))


def read_addresses(value: object) -> tuple[str, ...]:
    """Addresses as they are written, each once, in a list or in a text."""
    # Nearly every cell is one plain address, and there may be millions
    if _is_plain(value):
        return (value,)
    return _once([_address(one) for one in _items(value, _ADDRESSES)])


def read_domains(value: object) -> tuple[str, ...]:
    """Domains, or the hosts of URLs, in a list or in a text."""
    found: list[str] = []
    in_url = False
    for item in _items(value, _LIST):
        text = _trimmed(_text_of(item))
        host = _host(text)
        if _is_domain(host):
            found.append(host)
            in_url = "/" in _SCHEME.sub("", text, count=1)
        elif text and not in_url:
            raise Unfit(text, "This is no domain. Write it as example.com, or as the URL of a website.")
    return _unique(found)


def read_bool(value: object) -> bool | None:
    """Whether something is so."""
    return _said(value, _WORDS, "This says neither yes nor no. Write true or false.")


def read_closed(value: object) -> bool | None:
    """Whether something is open, from whether it is closed."""
    closed = read_bool(value)
    return None if closed is None else not closed


def read_state(value: object) -> bool | None:
    """Whether something is open, from its state."""
    return _said(value, _STATES, "This does not say whether it is open. Write open, in progress, closed, won or lost.")


def read_time(value: object) -> datetime | None:
    """A moment, in UTC; midnight of a date, and UTC where no zone is given."""
    try:
        moment = value if isinstance(value, datetime) else _moment(_text_of(value).strip())
        if moment is None or moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit(value, "This is no date. Write it as 2026-01-31 or 2026-01-31T09:30:00Z.") from None


READERS: dict[tuple[str, str], Callable[[object], object]] = {
    ("id", ""): read_id,
    ("name", ""): read_text,
    ("name", FIRST): read_text,
    ("name", LAST): read_text,
    ("addresses", ""): read_addresses,
    ("domains", ""): read_domains,
    ("owner", ""): read_reference,
    ("account_id", ""): read_reference,
    ("stage", ""): read_stage,
    ("is_open", ""): read_bool,
    ("is_open", CLOSED): read_closed,
    ("is_open", STATE): read_state,
    ("contact_ids", ""): read_ids,
    ("active_at", ""): read_time,
    ("updated_at", ""): read_time,
}
"""The reader by the field and the variant of its column (``engine.crm.fields``)."""


def joined(field: str, one: object, other: object) -> object:
    """The value of a field that two columns have a part of."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return _once((*one, *other)) if field == "addresses" else _unique((*one, *other))
    return f"{one} {other}"


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Unfit(value, "These bytes are no text in UTF-8. Write text.") from None
    if isinstance(value, UUID):
        return str(value)
    number = _whole(value)
    if number is None:
        raise Unfit(value, "This is neither text nor a whole number. Write text.")
    if number.bit_length() > LONGEST_ID * 3:
        raise Unfit(value, f"This number is too long. Write at most {LONGEST_ID} characters.")
    return str(number)


def _whole(value: object) -> int | None:
    """A number as tables have it: in a column with gaps, whole numbers become floats."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _LARGEST_EXACT else None
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < LONGEST_ID and value == int(value):
        return int(value)
    return None


def _items(value: object, separators: re.Pattern[str]) -> list[object]:
    if isinstance(value, list | tuple):
        return [one for one in value if one is not None and one != ""]
    return [one for one in separators.split(_text_of(value)) if one.strip()]


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in values if one))


def _once(addresses: Sequence[str]) -> tuple[str, ...]:
    """Each address in the first of its spellings."""
    if len(addresses) == 1 and addresses[0]:
        return (addresses[0],)
    found: dict[str, str] = {}
    for one in addresses:
        if one:
            found.setdefault(canonical(one), one)
    return tuple(found.values())


def _trimmed(text: str) -> str:
    return text.strip().strip(_UNSEEN)


def _odd_id(text: str) -> str:
    text = _trimmed(text)
    if len(text) > LONGEST_ID:
        raise Unfit(text, f"This id has {len(text):,} characters. Write at most {LONGEST_ID}.")
    if _ROUNDED.fullmatch(text):
        raise Unfit(text, "A spreadsheet has rounded this id. Format the column as text, and export it anew.")
    if "\ufffd" in text:
        raise Unfit(text, "A character of this id could not be read. Save the file as UTF-8.")
    for one in text if not text.isprintable() else "":
        if unicodedata.category(one) in _HIDDEN:
            raise Unfit(text, f"This id has a control character (U+{ord(one):04X}). Take it out.")
    return text


def _odd_text(text: str) -> str:
    text = _trimmed(text)
    if text.isprintable():
        return text
    if any("\ud800" <= one <= "\udfff" for one in text):
        raise Unfit(text, "This text has half a character (a surrogate by itself). Take it out.")
    return " ".join("".join(" " if unicodedata.category(one) in _HIDDEN_IN_TEXT else one for one in text).split())


def _is_plain(value: object) -> TypeGuard[str]:
    return type(value) is str and len(value) <= LONGEST and _PLAIN_ADDRESS.fullmatch(value) is not None


def _address(value: object) -> str:
    if _is_plain(value):
        return value
    text = plain(_trimmed(_text_of(value)).strip("'<>"))
    if text and not (is_address(text) and text.isprintable() and "\ufffd" not in text):
        raise Unfit(text, "This is no email address. Write it as name@example.com.")
    return text


def _host(text: str) -> str:
    """The host of a URL, or a domain that stands by itself, in small letters and without ``www.``."""
    rest = _SCHEME.sub("", text, count=1)
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    # An address is no URL: its domain may be that of everybody's mail
    host = authority.removeprefix("@") if rest == text else authority.rpartition("@")[2]
    host = host.partition(":")[0].removesuffix(".").lower()
    bare = host.removeprefix("www.")
    return bare if "." in bare else host


def _is_domain(text: str) -> bool:
    if "@" in text or len(text) > _LONGEST_DOMAIN:
        return False
    return _DOMAIN.fullmatch(canonical(f"x@{text}").rpartition("@")[2]) is not None


def _said(value: object, words: dict[str, bool], problem: str) -> bool | None:
    if isinstance(value, bool) and words is _WORDS:
        return value
    text = re.sub(r"[\s_\-]+", "", _text_of(value)).casefold()
    if text and text not in words:
        raise Unfit(value, problem)
    return words.get(text)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    # ``fromisoformat`` would take some plain numbers, and any character between date and time
    if (text[4:5] != "-" and len(text) != len("20260131")) or text[10:11] not in {"", "T", "t", " "}:
        raise ValueError(text)
    return datetime.fromisoformat(text)
