"""Emails looked for and looked at.

A list is read in two steps, since most of what it shows is in columns it is not looked for by: first the places (row
ids) of the rows of a page, from the few columns that decide, and then these rows. What costs is the text search; it
goes through the newest emails first, so that a common word is found without reading every body.
"""

import re
from datetime import datetime
from typing import Any

from engine import errors
from engine.emails import LISTED, SNIPPET, EmailListing
from engine.listing import Page
from engine.store import concerns
from engine.store.desk import Cursor
from engine.store.times import utc

MOST = 1000

_TOO_LARGE = 1 << 63
_BEFORE_ALL = "'-infinity'::TIMESTAMPTZ"
_ORDER = f"coalesce(received_at, {_BEFORE_ALL}) DESC, operator_id, item_id"
_EVERYBODY = "list_concat(to_recipients, list_concat(cc_recipients, bcc_recipients))"
_SEARCHED = ("subject", "sender_name", "sender_address", "body_text")
_ATTACHMENTS = """
    SELECT attachment_id, "name", content_type, content_id, "size", is_inline, is_item FROM main.attachments
    WHERE item_id = $1 AND operator_id = $2 ORDER BY attachment_id
"""
_RECENT = 20_000
"""A text is looked for among so many of the newest, and then among all."""


class _Wanted:
    """Conditions over ``_mailroom.emails`` and the values they take."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.conditions = ["deleted_at IS NULL"]

    def add(self, condition: str, *values: object) -> None:
        """``{}`` in it stands for the values, one by one."""
        names = [f"${len(self.values) + number}" for number in range(1, len(values) + 1)]
        self.conditions.append(condition.format(*names))
        self.values += values

    @property
    def sql(self) -> str:
        return " AND ".join(self.conditions)


def page(cursor: Cursor, listing: EmailListing) -> Page:
    """One page.

    Raises:
        QueryRefused: a position that is not one of this list, a limit out of bounds, or what is no text.
    """
    if not 1 <= listing.limit <= MOST:
        raise errors.QueryRefused(f"limit = {listing.limit}: write a number from 1 to {MOST}.")
    wanted = _wanted(listing)
    places = _places(cursor, wanted, listing.text, listing.limit + 1)
    shown = _rows(cursor, places[: listing.limit])
    after = None
    if len(places) > listing.limit:
        last = shown[-1]
        after = (_microseconds(last["received_at"]), last["operator_id"], last["item_id"])
    return Page(tuple(shown), after)


def one(cursor: Cursor, item_id: str, operator_id: str) -> dict[str, Any]:
    """An email with its attachments, its associations and its conversation.

    Raises:
        UnknownEmail, EmailAmbiguous: see ``ports.QueryStore.email``.
    """
    wanted = _Wanted()
    wanted.conditions.clear()
    wanted.add("item_id = {}", _text("id", item_id))
    if operator_id:
        wanted.add("operator_id = {}", _text("operator", operator_id))
    rows = _read(cursor, f"SELECT DISTINCT operator_id FROM _mailroom.emails WHERE {wanted.sql}", wanted.values)  # noqa: S608  # our own words
    owners = sorted(row["operator_id"] for row in rows)
    if not owners:
        whose = f" of {operator_id[:200]!r}" if operator_id else ""
        raise errors.UnknownEmail(f"There is no email {item_id[:200]!r}{whose}.")
    if len(owners) > 1:
        raise errors.EmailAmbiguous(f"Several operators have this email: {', '.join(owners[:10])}.")
    key = [item_id, owners[0]]
    email = _read(cursor, "SELECT * FROM main.all_emails WHERE item_id = $1 AND operator_id = $2 LIMIT 1", key)[0]
    attachments = _read(cursor, _ATTACHMENTS, key)
    return {**email, "attachments": attachments, **concerns.of_email(cursor, owners[0], item_id)}


def _wanted(listing: EmailListing) -> _Wanted:
    wanted = _Wanted()
    if listing.operator_id:
        wanted.add("operator_id = {}", _text("operator", listing.operator_id))
    if listing.folder:
        wanted.add("folder = {}", _text("folder", listing.folder))
    if listing.is_read is not None:
        wanted.add("is_read = {}", listing.is_read)
    if listing.since is not None:
        wanted.add("received_at >= {}", listing.since)
    if listing.until is not None:
        wanted.add("received_at < {}", listing.until)
    if listing.sender:
        wanted.add("contains(lower(sender_address), {})", _text("from", listing.sender).lower())
    if listing.contact:
        addresses = f"list_transform({_EVERYBODY}, lambda one: lower(one.address))"
        wanted.add(
            f"(lower(sender_address) = {{0}} OR list_contains({addresses}, {{0}}))",
            _text("contact", listing.contact).lower(),
        )
    if listing.kind or listing.record:
        _add_record(wanted, listing)
    if listing.after is not None:
        _add_position(wanted, listing.after)
    return wanted


def _add_record(wanted: _Wanted, listing: EmailListing) -> None:
    given = {"record_kind": _text("kind", listing.kind), "record_id": _text("record", listing.record)}
    narrowed = {column: text for column, text in given.items() if text}
    if listing.operator_id:
        narrowed["operator_id"] = _text("operator", listing.operator_id)
    its = " AND ".join(f"{column} = {{}}" for column in narrowed)
    wanted.add(
        f"(operator_id, item_id) IN (SELECT (operator_id, item_id) FROM main.associations WHERE {its})",  # noqa: S608  # our own words
        *narrowed.values(),
    )


def _add_position(wanted: _Wanted, after: tuple[Any, ...]) -> None:
    if len(after) != 3:
        raise errors.QueryRefused("This position is not one of the list of emails. Begin again without it.")
    at, operator_id, item_id = after
    fits = at is None or (type(at) is int and abs(at) < _TOO_LARGE)
    if not (fits and isinstance(operator_id, str) and isinstance(item_id, str)):
        raise errors.QueryRefused("This position is not one of the list of emails. Begin again without it.")
    who = (_text("cursor", operator_id), _text("cursor", item_id))
    later = "(operator_id > {} OR (operator_id = {} AND item_id > {}))"
    if at is None:
        wanted.add(f"received_at IS NULL AND {later}", who[0], who[0], who[1])
    else:
        moment = "make_timestamptz({})"
        wanted.add(
            f"(received_at < {moment} OR received_at IS NULL OR (received_at = {moment} AND {later}))",
            at, at, who[0], who[0], who[1],
        )  # fmt: skip


def _places(cursor: Cursor, wanted: _Wanted, text: str, most: int) -> list[int]:
    """Row ids of the newest, in order."""
    if not text:
        # Received when is one narrow column; who and which item are wide ones, and only decide between equals.
        return _newest(cursor, wanted, f"true{_since_the(cursor, wanted, most)}", [], most)
    name = f"${len(wanted.values) + 1}"
    searched = " OR ".join(f"{column} ILIKE {name} ESCAPE '\\'" for column in _SEARCHED)
    pattern = [f"%{_escaped(_text('q', text))}%"]
    recent = _since_the(cursor, wanted, _RECENT)
    found = _newest(cursor, wanted, f"({searched}){recent}", pattern, most)
    if recent and len(found) < most:
        found = _newest(cursor, wanted, f"({searched})", pattern, most)
    return found


def _since_the(cursor: Cursor, wanted: _Wanted, number: int) -> str:
    """A condition that keeps to the newest so many, and those received at the same time as the last; '' for fewer."""
    rows = cursor.execute(
        f"SELECT epoch_us(received_at) FROM _mailroom.emails WHERE {wanted.sql} "  # noqa: S608  # our own words
        f"ORDER BY received_at DESC NULLS LAST LIMIT 1 OFFSET {number - 1}",
        wanted.values,
    ).fetchall()
    return "" if not rows or rows[0][0] is None else f" AND received_at >= make_timestamptz({rows[0][0]})"


def _newest(cursor: Cursor, wanted: _Wanted, also: str, values: list[Any], most: int) -> list[int]:
    rows = cursor.execute(
        f"SELECT rowid FROM _mailroom.emails WHERE {wanted.sql} AND {also} ORDER BY {_ORDER} LIMIT {most}",  # noqa: S608  # the same
        [*wanted.values, *values],
    ).fetchall()
    return [row[0] for row in rows]


def _rows(cursor: Cursor, places: list[int]) -> list[dict[str, Any]]:
    if not places:
        return []
    columns = ", ".join(_column(name) for name in LISTED)
    order = _ORDER.replace("operator_id", "e.operator_id")
    rows = _read(
        cursor,
        f"""
        SELECT {columns} FROM _mailroom.emails AS e JOIN (SELECT unnest($1) AS place) AS p ON e.rowid = p.place
        LEFT JOIN _mailroom.operators AS o ON o.operator_id = e.operator_id ORDER BY {order}
        """,  # noqa: S608  # the same
        [places],
    )
    for row in rows:
        row["snippet"] = _one_line(row["snippet"])
    return rows


def _column(name: str) -> str:
    match name:
        case "operator_email":
            return "o.email AS operator_email"
        case "snippet":
            return f"left(e.body_text, {4 * SNIPPET}) AS snippet"
        case _:
            return f'e."{name}"'


def _one_line(text: str | None) -> str | None:
    if text is None:
        return None
    words = re.sub(r"\s+", " ", text).strip()
    return words if len(words) <= SNIPPET else f"{words[: SNIPPET - 1].rstrip()}…"


def _read(cursor: Cursor, sql: str, values: list[Any]) -> list[dict[str, Any]]:
    found = cursor.execute(sql, values)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, map(_value, row), strict=True)) for row in found.fetchall()]


def _value(value: Any) -> Any:
    return utc(value) if isinstance(value, datetime) else value


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _text(name: str, given: str) -> str:
    """What UTF-8 can carry.

    Raises:
        QueryRefused: it has half of a surrogate pair.
    """
    if any("\ud800" <= character <= "\udfff" for character in given):
        raise errors.QueryRefused(f"{name} = {given[:100]!a} is not text.")
    return given
