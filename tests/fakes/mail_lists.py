"""Lists of emails over plain rows (dicts by the columns of ``all_emails``), as ``ports.QueryStore`` promises them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from engine.emails import LISTED, SNIPPET, EmailListing
from engine.errors import EmailAmbiguous, QueryRefused, UnknownEmail
from engine.listing import Page

Row = dict[str, Any]

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def email_page(rows: Sequence[Row], listing: EmailListing) -> Page:
    """A page; a position is the last row's."""
    if not 1 <= listing.limit <= 1000:
        raise QueryRefused("limit goes from 1 to 1000")
    found = sorted((row for row in rows if _matches(row, listing)), key=_place)
    if listing.after is not None:
        if len(listing.after) != 3:
            raise QueryRefused("This position is not one of the list of emails.")
        found = [row for row in found if _place(row) > _place_of(listing.after)]
    shown = found[: listing.limit]
    after = _after(shown[-1]) if len(found) > listing.limit else None
    return Page(tuple(_listed(row) for row in shown), after)


def find_email(rows: Sequence[Row], item_id: str, operator_id: str) -> Row:
    """One email."""
    found = [row for row in rows if row["item_id"] == item_id and operator_id in ("", row["operator_id"])]
    if not found:
        raise UnknownEmail(f"There is no email {item_id!r}.")
    if len(found) > 1:
        owners = ", ".join(sorted(row["operator_id"] for row in found))
        raise EmailAmbiguous(f"Several operators have this email: {owners}.")
    return {"attachments": [], "associations": [], "thread_id": None, "mass_mail": None, **found[0]}


def _matches(row: Row, listing: EmailListing) -> bool:
    texts = (row["subject"], row["sender_name"], row["sender_address"], row["body_text"])
    at = row["received_at"]
    people = [row["sender_address"], *(one["address"] for one in _recipients(row))]
    return (
        row["deleted_at"] is None
        and listing.operator_id in ("", row["operator_id"])
        and listing.folder in ("", row["folder"])
        and listing.is_read in (None, row["is_read"])
        and (listing.since is None or (at is not None and at >= listing.since))
        and (listing.until is None or (at is not None and at < listing.until))
        and listing.sender.lower() in (row["sender_address"] or "").lower()
        and (not listing.contact or listing.contact.lower() in [(one or "").lower() for one in people])
        and _concerns(row, listing)
        and (not listing.text or any(listing.text.lower() in (text or "").lower() for text in texts))
    )


def _concerns(row: Row, listing: EmailListing) -> bool:
    if not listing.kind and not listing.record:
        return True
    given = [(one["record_kind"], one["record_id"]) for one in row.get("associations", ())]
    return any(listing.kind in ("", kind) and listing.record in ("", record) for kind, record in given)


def _recipients(row: Row) -> list[Row]:
    return [one for kind in ("to", "cc", "bcc") for one in row[f"{kind}_recipients"] or ()]


def _place(row: Row) -> tuple[float, str, str]:
    return (-(row["received_at"] or _LONG_AGO).timestamp(), row["operator_id"], row["item_id"])


def _place_of(after: Sequence[Any]) -> tuple[float, str, str]:
    at = _LONG_AGO.timestamp() if after[0] is None else after[0] / 1_000_000
    return (-at, after[1], after[2])


def _after(row: Row) -> tuple[Any, ...]:
    at = row["received_at"]
    return (None if at is None else round(at.timestamp() * 1_000_000), row["operator_id"], row["item_id"])


def _listed(row: Row) -> Row:
    text = row["body_text"]
    words = None if text is None else " ".join(text[: 4 * SNIPPET].split())
    if words is not None and len(words) > SNIPPET:
        words = f"{words[: SNIPPET - 1].rstrip()}…"
    return {**{name: row.get(name) for name in LISTED}, "snippet": words}
