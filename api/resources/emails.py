"""Emails over HTTP: looked for, the newest first, and looked at one by one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal

from aiohttp import web
from pydantic import AwareDatetime

from api.auditing import audited
from api.cursors import seal, unseal
from api.disconnects import unless_gone
from api.keys import CALLBACK_KEY, MAILROOM
from api.openapi.lists import PAGING, Text, page_answer
from api.parameters import check_choice, read_limit, read_parameters
from api.problems import VALUE_INVALID, Refusal
from api.routes import Answer, Parameter, Route
from api.rows import dump_json
from api.schemas.emails import EmailRow, EmailShown
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.crm.model import RecordKind
from engine.emails import EmailListing

_TIME = re.compile(r"\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d{1,6})?\d*([Zz]|[+-]\d\d:\d\d))?", re.ASCII)
_FILTERS = ("operator", "q", "from", "contact", "folder", "is_read", "since", "until", "kind", "record")
_READ = ("true", "false")


@dataclass(frozen=True, slots=True)
class _About:
    """What a cursor belongs to: this list, with these filters."""

    equal: Mapping[str, str]
    view: str = "emails"
    search: str = ""


async def show_all(request: web.Request) -> web.Response:
    """``GET /api/v1/emails``, the newest first, without those that were deleted and without bodies."""
    given = read_parameters(request, [*_FILTERS, "limit", "cursor"])
    filters = {name: given[name] for name in _FILTERS if name in given}
    about, key = _About(filters), request.app[CALLBACK_KEY]
    listing = replace(_listing(filters), limit=read_limit(given.get("limit")))
    if "cursor" in given:
        listing = replace(listing, after=unseal(key, about, given["cursor"]))
    with audited(request, Action.EMAILS_READ, after=filters):
        page = await unless_gone(request, request.app[MAILROOM].emails(listing))
    following = None if page.after is None else seal(key, about, page.after)
    return web.json_response({"items": page.items, "next": following}, dumps=dump_json)


async def show(request: web.Request) -> web.Response:
    """``GET /api/v1/emails/{id}``: bodies, attachments' names and associations included; deleted ones are shown too."""
    given = read_parameters(request, ["operator"])
    item_id = request.match_info["id"]
    with audited(request, Action.EMAILS_READ, item_id):
        email = await unless_gone(request, request.app[MAILROOM].email(item_id, given.get("operator", "")))
    return web.json_response(email, dumps=dump_json)


def _listing(given: Mapping[str, str]) -> EmailListing:
    if "is_read" in given:
        check_choice("is_read", given["is_read"], _READ)
    if "kind" in given:
        check_choice("kind", given["kind"], tuple(RecordKind))
    return EmailListing(
        operator_id=given.get("operator", ""),
        text=given.get("q", ""),
        sender=given.get("from", ""),
        contact=given.get("contact", ""),
        folder=given.get("folder", ""),
        is_read=given["is_read"] == "true" if "is_read" in given else None,
        since=_moment("since", given),
        until=_moment("until", given),
        kind=given.get("kind", ""),
        record=given.get("record", ""),
    )


def _moment(name: str, given: Mapping[str, str]) -> datetime | None:
    """A date, which begins at midnight UTC, or a time with its zone.

    Raises:
        Refusal: 400; it is neither.
    """
    if name not in given:
        return None
    hint = "Write 2026-03-01, or 2026-03-01T12:00:00Z; a + of a zone is %2B in a URL."
    if not _TIME.fullmatch(given[name]):
        raise Refusal(400, "BAD_REQUEST", f"{name}: {given[name][:40]!r} is neither a date nor a time.", hint)
    text = re.sub(r"(\.\d{6})\d+", r"\1", given[name].upper())
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(400, VALUE_INVALID, f"{name}: there is no such time as {given[name][:40]!r}.", hint) from None


_MOMENT = AwareDatetime | date

ROUTES = (
    Route(
        "GET",
        "/api/v1/emails",
        show_all,
        Permission.EMAILS_READ,
        summary="Emails, newest first",
        parameters=(
            Parameter("operator", "Only of this operator, by id.", Text, example="ann"),
            Parameter("q", "Only with this text in subject, sender or text body, in any case.", Text),
            Parameter("from", "Only where this is in the sender's address, in any case.", Text),
            Parameter("contact", "Only with this address among sender and recipients.", Text),
            Parameter("folder", "Only of this folder.", Text, example="inbox"),
            Parameter("is_read", "Only read, or only unread ones.", Literal["true", "false"]),
            Parameter("since", "Only received at this date or time, or later.", _MOMENT),
            Parameter("until", "Only received before this date or time.", _MOMENT),
            Parameter("kind", "Only associated with CRM records of this kind.", RecordKind),
            Parameter("record", "Only associated with the CRM record of this id, directly or by conversation.", Text),
            *PAGING,
        ),
        answers=page_answer(EmailRow),
    ),
    Route(
        "GET",
        "/api/v1/emails/{id}",
        show,
        Permission.EMAILS_READ,
        summary="One email, with its bodies, the names of its attachments and its CRM records",
        parameters=(
            Parameter("id", "The item's id, percent-encoded.", example="AAMkAGI1%3D"),
            Parameter("operator", "Whose; wanted where several operators have an item of this id.", Text),
        ),
        answers={200: Answer("The email.", EmailShown)},
        refuses={409: "Several operators have an item of this id."},
    ),
)
