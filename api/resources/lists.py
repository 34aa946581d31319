"""Lists of what the store knows, page by page: ``{"items": [...], "next": cursor or null}``.

Items are rows of the view of the same name, so a list and a query speak the same words. Each list has an order of its
own; a page goes on where the one before ended, whatever has changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web
from aiohttp.typedefs import Handler

from api.cursors import seal, unseal
from api.keys import CALLBACK_KEY, MAILROOM
from api.parameters import read_limit, read_parameters
from api.rows import dump_json
from engine.listing import Listing, View

_WHO = {"operator": "operator_id", "email": "operator_email"}


def list_of(view: View, filters: Mapping[str, str]) -> Handler:
    """A handler that lists a view; ``filters`` are its parameters, each with the column that must equal it."""

    async def handler(request: web.Request) -> web.Response:
        return await answer_page(request, view, filters)

    return handler


async def answer_page(
    request: web.Request, view: View, filters: Mapping[str, str], fixed: Mapping[str, str] | None = None
) -> web.Response:
    """The page a request asks for; ``fixed`` are columns its path has decided."""
    given = read_parameters(request, [*filters, "limit", "cursor"])
    equal = {column: given[name] for name, column in filters.items() if name in given}
    listing = Listing(view, {**equal, **(fixed or {})}, limit=read_limit(given.get("limit")))
    key = request.app[CALLBACK_KEY]
    if "cursor" in given:
        listing = replace(listing, after=unseal(key, listing, given["cursor"]))
    page = await request.app[MAILROOM].page(listing)
    following = None if page.after is None else seal(key, listing, page.after)
    return web.json_response({"items": page.items, "next": following}, dumps=dump_json)


failures = list_of(View.FAILURES, {"code": "code", **_WHO, "kind": "kind", "state": "state"})
subscriptions = list_of(View.SUBSCRIPTIONS, {"code": "error_code", **_WHO, "status": "status"})
mailboxes = list_of(View.MAILBOXES, {"code": "error_code", **_WHO, "status": "status"})
alerts = list_of(View.ALERTS, {"code": "code", "status": "status"})
