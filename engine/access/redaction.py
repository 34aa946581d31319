"""Values fit to be kept for good: without secrets, of bounded size, and of nothing but what JSON has.

What goes by a secret's name is never kept, whatever its type; None is, as "not set". In text, what looks like a
credential is taken out first and only then is the text cut, so that half a credential does not escape.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from typing import Final

from engine.access.tokens import TOKEN_PATTERN

REDACTED: Final = "[redacted]"
TEXT_LIMIT: Final = 500
"""Characters of one text."""
ITEMS_LIMIT: Final = 50
"""Entries of one list or mapping."""
DEPTH_LIMIT: Final = 5

_SECRET_PARTS = re.compile(
    r"passw|pwd|passphrase|secret|token|authori[sz]ation|cookie|credential|digest|signature|key$|^pin$|^pw$"
)
_HARMLESS = frozenset({"tokenid"})
_SECRET_TEXT: Final = (
    (re.compile(TOKEN_PATTERN), REDACTED),
    (re.compile(r"(?i)\b(bearer|basic|ntlm|negotiate)\s+[A-Za-z0-9+/=_.~-]{6,}"), rf"\1 {REDACTED}"),
    (re.compile(r"(/ews/notifications/)[A-Za-z0-9_-]{8,}"), rf"\1{REDACTED}"),
    (re.compile(r"(://)[^\s/@]+@"), rf"\1{REDACTED}@"),
    (
        re.compile(
            r"(?i)(passw\w{0,20}|secret\w{0,20}|token|api_?key)(['\"]?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s'\",;&]+)"
        ),
        rf"\1\2{REDACTED}",
    ),
)


def is_secret(key: str) -> bool:
    """Whether what goes by this name is a secret: by the letters and digits in it, whatever their case and script."""
    plain = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", key).casefold())
    return plain not in _HARMLESS and _SECRET_PARTS.search(plain) is not None


def redacted(value: object, depth: int = 0) -> object:
    """The value as JSON has it: texts, numbers, booleans, None, lists and mappings; anything else is named by type."""
    if isinstance(value, Mapping | AbstractSet | list | tuple):
        return _container(value, depth) if depth < DEPTH_LIMIT else "…"
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str | date | timedelta):
        return text(str(value))
    return f"<{type(value).__name__}>"


def text(value: str, limit: int = TEXT_LIMIT) -> str:
    """A text without credentials, on one line, in at most ``limit`` characters with a note of what is missing."""
    for pattern, replacement in _SECRET_TEXT:
        value = pattern.sub(replacement, value)
    note = f"… ({len(value):,} characters)"
    value = value if len(value) <= limit else value[: limit - len(note)] + note
    return "".join(_shown(char) for char in value)


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"


def _container(
    value: Mapping[object, object] | AbstractSet[object] | Sequence[object], depth: int
) -> dict[str, object] | list[object]:
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    return _sequence(sorted(value, key=str) if isinstance(value, AbstractSet) else value, depth)


def _mapping(value: Mapping[object, object], depth: int) -> dict[str, object]:
    kept: dict[str, object] = {}
    for key, inner in list(value.items())[:ITEMS_LIMIT]:
        secret = inner is not None and is_secret(str(key))
        kept[text(str(key), 100)] = REDACTED if secret else redacted(inner, depth + 1)
    if len(value) > ITEMS_LIMIT:
        kept["…"] = f"{len(value) - ITEMS_LIMIT:,} more"
    return kept


def _sequence(value: Sequence[object], depth: int) -> list[object]:
    kept = [redacted(inner, depth + 1) for inner in value[:ITEMS_LIMIT]]
    return kept if len(value) <= ITEMS_LIMIT else [*kept, f"… ({len(value) - ITEMS_LIMIT:,} more)"]


def _number(value: float) -> object:
    if isinstance(value, int):
        return value if value.bit_length() < 64 else "<int>"
    return value if math.isfinite(value) else str(value)
