"""Lists of what the store knows, page by page: ``{"items": [...], "next": cursor or null}``.

Items are rows of the view of the same name, so a list and a query speak the same words. Each list has an order of its
own; a page goes on where the one before ended, whatever has changed meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from api.cursors import seal, unseal
from api.keys import CALLBACK_KEY, MAILROOM
from api.openapi.lists import page_answer, page_parameters
from api.parameters import check_choice, read_limit, read_parameters
from api.routes import Route
from api.rows import dump_json
from api.schemas.lists import AlertRow, FailureRow, MailboxRow, SubscriptionRow
from api.schemas.shared import Shown
from engine.access.roles import Permission
from engine.alerts.model import AlertStatus
from engine.listing import Listing, View
from engine.model import MailboxStatus, SubscriptionStatus


@dataclass(frozen=True, slots=True)
class Filter:
    """A parameter stands for "this column equals"; ``values``: all it can be (none: anything)."""

    column: str
    values: Sequence[str] = ()


def list_of(view: View, filters: Mapping[str, Filter]) -> Handler:
    """A handler that lists a view; ``filters`` are its parameters by name."""

    async def handler(request: web.Request) -> web.Response:
        return await answer_page(request, view, filters)

    return handler


async def answer_page(  # noqa: PLR0913  # what a list can be asked for
    request: web.Request,
    view: View,
    filters: Mapping[str, Filter],
    fixed: Mapping[str, str] | None = None,
    *,
    shown: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    search: str | None = None,
    decided: Sequence[str] = (),
) -> web.Response:
    """The page a request asks for; ``fixed`` are columns its path has decided, ``shown`` makes an item of a row.

    ``search``: the parameter that has words to search for; ``decided``: those that the handler has read.
    """
    searched = () if search is None else (search,)
    given = read_parameters(request, [*filters, *searched, *decided, "limit", "cursor"])
    for name in given.keys() & filters.keys():
        check_choice(name, given[name], filters[name].values)
    equal = {one.column: given[name] for name, one in filters.items() if name in given}
    listing = Listing(view, {**equal, **(fixed or {})}, limit=read_limit(given.get("limit")))
    listing = replace(listing, search=given.get(search or "", ""))
    key = request.app[CALLBACK_KEY]
    if "cursor" in given:
        listing = replace(listing, after=unseal(key, listing, given["cursor"]))
    page = await request.app[MAILROOM].page(listing)
    following = None if page.after is None else seal(key, listing, page.after)
    return web.json_response({"items": [shown(item) for item in page.items], "next": following}, dumps=dump_json)


def _listed(
    view: View, permission: Permission, filters: Mapping[str, Filter], model: type[Shown], summary: str
) -> Route:
    return Route(
        "GET",
        f"/api/v1/{view}",
        list_of(view, filters),
        permission,
        summary=summary,
        parameters=page_parameters(filters),
        answers=page_answer(model),
    )


_WHO = {"operator": Filter("operator_id"), "email": Filter("operator_email")}
_CAUSE = {"code": Filter("error_code")}

_FAILURES = {
    "code": Filter("code"),
    **_WHO,
    "kind": Filter("kind", ("mailbox", "subscription", "item")),
    "state": Filter("state", ("failing", "failed", "unreachable", "quarantined")),
}
_SUBSCRIPTIONS = {
    **_CAUSE,
    **_WHO,
    "status": Filter("status", tuple(SubscriptionStatus)),
    "live": Filter("live", ("true", "false")),
}
_MAILBOXES = {**_CAUSE, **_WHO, "status": Filter("status", tuple(MailboxStatus))}
_ALERTS = {"code": Filter("code"), "status": Filter("status", tuple(AlertStatus))}


ROUTES = (
    _listed(
        View.FAILURES,
        Permission.FAILURES_READ,
        _FAILURES,
        FailureRow,
        "What does not work, with cause and remedy",
    ),
    _listed(
        View.SUBSCRIPTIONS,
        Permission.SUBSCRIPTIONS_READ,
        _SUBSCRIPTIONS,
        SubscriptionRow,
        "Push subscriptions, and when they were last heard",
    ),
    _listed(
        View.MAILBOXES,
        Permission.STATUS_READ,
        _MAILBOXES,
        MailboxRow,
        "Mailboxes: how each stands, why, and when it is tried next",
    ),
    _listed(View.ALERTS, Permission.ALERTS_READ, _ALERTS, AlertRow, "Causes that were told of, newest first"),
)
