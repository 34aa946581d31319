"""Lists, page by page. Each view has an order in which no two rows are equal; a position is a row's place in it.

Positions are text and whole numbers only, so that they travel in a cursor; a time is in microseconds.
"""

from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from engine import errors
from engine.listing import Listing, Page, View
from engine.store.concerns import complete
from engine.store.times import utc

MOST = 1000
_TOO_LARGE = 1 << 63


class Key(NamedTuple):
    """One expression of an order, ascending, and the type of its values."""

    sql: str
    kind: type[str] | type[int]


_LATEST_STARTED = Key("-epoch_us(started_at)", int)
_LATEST_OPENED = Key("-epoch_us(opened_at)", int)
_OPERATOR = Key("operator_id", str)
_ORDERS: dict[View, tuple[Key, ...]] = {
    View.FAILURES: (
        Key("list_position(['mailbox', 'subscription', 'item'], kind)", int),
        _OPERATOR,
        Key("coalesce(item_id, '')", str),
    ),
    View.SUBSCRIPTIONS: (_OPERATOR,),
    View.MAILBOXES: (_OPERATOR,),
    View.OPERATORS: (_OPERATOR,),
    View.JOB_RUNS: (_LATEST_STARTED, Key("run_id", str)),
    View.ALERTS: (_LATEST_OPENED, Key("alert_id", str)),
    View.SETTINGS_HISTORY: (Key("-version", int),),
    View.AUDIT: (Key('-epoch_us("at")', int), Key("entry_id", str)),
    View.ERASURES: (Key('-epoch_us("at")', int), Key("erasure_id", str)),
    View.CRM_RECORDS: (Key("kind", str), Key("record_id", str)),
    View.ASSOCIATIONS: (
        Key("-epoch_us(associated_at)", int),
        _OPERATOR,
        Key("item_id", str),
        Key("record_kind", str),
        Key("record_id", str),
    ),
    View.THREADS: (Key("-coalesce(epoch_us(last_at), 0)", int), Key("thread_id", str)),
    View.THREAD_MESSAGES: (
        Key('coalesce(epoch_us("at"), 0)', int),
        Key("copies[1].operator_id", str),
        Key("copies[1].item_id", str),
    ),
    View.UNMATCHED_ADDRESSES: (Key("-emails", int), Key("address", str)),
    View.AMBIGUOUS_MATCHES: (
        Key("-emails", int),
        Key("address", str),
        Key("record_kind", str),
        Key('"rule"', str),
        Key("array_to_string(candidates, chr(31))", str),
    ),
}
LONG: frozenset[View] = frozenset(
    {View.ASSOCIATIONS, View.THREADS, View.THREAD_MESSAGES, View.UNMATCHED_ADDRESSES, View.AMBIGUOUS_MATCHES}
)
"""Made of all emails at every look, so that a look may take long."""

_INTERNAL = frozenset({View.AUDIT, View.SETTINGS_HISTORY, View.ERASURES})
"""Tables that are listed and cannot be queried."""

_SEARCHED: dict[View, tuple[str, ...]] = {
    View.OPERATORS: ("operator_id", "email", "name"),
    View.CRM_RECORDS: ("record_id", "name", "array_to_string(addresses, ' ')"),
}
"""What a search looks into; other views are not searched."""


def page(cursor: duckdb.DuckDBPyConnection, listing: Listing) -> Page:
    """One page.

    Raises:
        QueryRefused: no such column, a position that is not one of this list, or a limit out of bounds.
    """
    if not 1 <= listing.limit <= MOST:
        raise errors.QueryRefused(f"limit = {listing.limit}: write a number from 1 to {MOST}.")
    known = _columns(cursor, listing.view)
    keys = _ORDERS[listing.view]
    given: list[Any] = []
    conditions = [_equal(listing.view, known, column, given, text) for column, text in listing.equal.items()]
    conditions += [_contains(listing.view, given, word) for word in listing.search.split()]
    if listing.after is not None:
        conditions.append(_after(listing.view, keys, listing.after, given))
    order = ", ".join(key.sql for key in keys)
    rows = cursor.execute(
        f"SELECT {order}, * FROM {_source(listing.view)} WHERE {' AND '.join(conditions) or 'true'} "  # noqa: S608
        f"ORDER BY {order} LIMIT {listing.limit + 1}",
        given,
    ).fetchall()
    shown = rows[: listing.limit]
    items = tuple({name: _value(value) for name, value in zip(known, row[len(keys) :], strict=True)} for row in shown)
    complete(cursor, listing.view, items)
    return Page(items, tuple(shown[-1][: len(keys)]) if len(rows) > len(shown) else None)


def _columns(cursor: duckdb.DuckDBPyConnection, view: View) -> list[str]:
    return [column[0] for column in cursor.execute(f"SELECT * FROM {_source(view)} LIMIT 0").description or ()]  # noqa: S608


def _source(view: View) -> str:
    return f"{'_mailroom' if view in _INTERNAL else 'main'}.{view}"


def _equal(view: View, known: list[str], column: str, given: list[Any], text: str) -> str:
    if column not in known:
        raise errors.QueryRefused(f"{view} cannot be filtered by {column!r}. Its columns are {', '.join(known)}.")
    if not _is_text(text):
        raise errors.QueryRefused(f"{column} = {text!a} is not text.")
    given.append(text)
    return f'"{column}"::VARCHAR = ${len(given)}'


def _contains(view: View, given: list[Any], word: str) -> str:
    if view not in _SEARCHED:
        raise errors.QueryRefused(f"{view} cannot be searched.")
    if not _is_text(word):
        raise errors.QueryRefused(f"search = {word!a} is not text.")
    given.append(word)
    looked = [f"contains({_folded(column)}, {_folded(f'${len(given)}')})" for column in _SEARCHED[view]]
    return f"({' OR '.join(looked)})"


def _folded(text: str) -> str:
    return f"lower(strip_accents({text}::VARCHAR))"


def _after(view: View, keys: tuple[Key, ...], position: tuple[Any, ...], given: list[Any]) -> str:
    """Rows after a position: those greater in the first key, or equal in it and greater in the next, and so on."""
    if len(position) != len(keys) or not all(_fits(at, key) for at, key in zip(position, keys, strict=True)):
        raise errors.QueryRefused(f"This position is not one of the list of {view}. Begin again without it.")
    greater = ""
    for key, at in reversed(list(zip(keys, position, strict=True))):
        given.append(at)
        here = f"{key.sql} > ${len(given)}"
        greater = f"({here} OR ({key.sql} = ${len(given)} AND {greater}))" if greater else here
    return greater


def _fits(at: Any, key: Key) -> bool:
    """Whether DuckDB takes it for a value of this key; a position may have been tampered with on its way."""
    if isinstance(at, str):
        return key.kind is str and _is_text(at)
    return key.kind is int and type(at) is int and abs(at) < _TOO_LARGE


def _is_text(given: str) -> bool:
    """No half of a surrogate pair: JSON and URLs can carry one, UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in given)


def _value(value: Any) -> Any:
    return utc(value) if isinstance(value, datetime) else value
