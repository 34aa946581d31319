"""CRM records over HTTP: list, show and delete; ``api.resources.crm_imports`` puts them in."""

from typing import Any, Literal

from aiohttp import web

from api.auditing import audit
from api.keys import MAILROOM
from api.openapi.lists import Text, page_answer, page_parameters
from api.parameters import read_parameters
from api.problems import Refusal
from api.resources.lists import Filter, answer_page
from api.routes import Answer, Parameter, Route
from api.rows import dump_json
from api.schemas.crm import CrmDeleted, CrmRow
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.crm.change import CrmChange
from engine.crm.model import RecordKind
from engine.errors import UnknownRecord
from engine.listing import Listing, View

KINDS = {kind.plural: kind for kind in RecordKind}
"""The kinds, as paths name them."""
_FILTERS = {"owner": Filter("owner")}
_SEARCH = "q"


def kind_of(request: web.Request) -> RecordKind:
    """The kind that the path names.

    Raises:
        Refusal: 404; there is no such kind.
    """
    name = request.match_info["kind"]
    if name not in KINDS:
        raise Refusal(
            404,
            "KIND_UNKNOWN",
            f"There is no kind {name[:40]!r} of CRM records.",
            f"The kinds are {', '.join(KINDS)}.",
        )
    return KINDS[name]


async def show_all(request: web.Request) -> web.Response:
    """``GET /api/v1/crm/{kind}``, by id; ``q`` are words of id, name or addresses."""
    fixed = {"kind": kind_of(request).value}
    return await answer_page(request, View.CRM_RECORDS, _FILTERS, fixed, search=_SEARCH)


async def show(request: web.Request) -> web.Response:
    """``GET /api/v1/crm/{kind}/{id}``."""
    kind, record_id = kind_of(request), request.match_info["id"]
    read_parameters(request, ())
    wanted = {"kind": kind.value, "record_id": record_id}
    page = await request.app[MAILROOM].page(Listing(View.CRM_RECORDS, wanted, limit=1))
    if not page.items:
        raise _unknown(kind, record_id)
    return web.json_response(page.items[0], dumps=dump_json)


async def delete(request: web.Request) -> web.Response:
    """``DELETE /api/v1/crm/{kind}/{id}``: emails that were associated with it are associated anew."""
    kind, record_id = kind_of(request), request.match_info["id"]
    read_parameters(request, ())
    outcome = await request.app[MAILROOM].put_crm(CrmChange(kind, deleted=(record_id,)))
    if not outcome.deleted:
        raise _unknown(kind, record_id)
    audit(request, Action.CRM_DELETE, f"{kind.plural}/{record_id}")
    return web.json_response({"kind": kind.plural, "record_id": record_id}, dumps=dump_json)


def _unknown(kind: RecordKind, record_id: str) -> UnknownRecord:
    return UnknownRecord(f"There is no {kind} {record_id[:100]!r}.")


_KIND: Any = Literal[tuple(KINDS)]
KIND = Parameter("kind", "The kind of records, in the plural.", _KIND, example="contacts")
_ID = Parameter("id", "The record's id in the CRM, percent-encoded.", example="003A1")

ROUTES = (
    Route(
        "GET",
        "/api/v1/crm/{kind}",
        show_all,
        Permission.CRM_READ,
        summary="CRM records of one kind",
        parameters=(
            KIND,
            Parameter(_SEARCH, "Words that each stand in id, name or addresses, in any case, accents aside.", Text),
            *page_parameters(_FILTERS),
        ),
        answers=page_answer(CrmRow),
    ),
    Route(
        "GET",
        "/api/v1/crm/{kind}/{id}",
        show,
        Permission.CRM_READ,
        summary="One CRM record",
        parameters=(KIND, _ID),
        answers={200: Answer("The record.", CrmRow)},
        refuses={400: "It takes no parameters."},
    ),
    Route(
        "DELETE",
        "/api/v1/crm/{kind}/{id}",
        delete,
        Permission.CRM_WRITE,
        summary="Delete a CRM record",
        parameters=(KIND, _ID),
        answers={200: Answer("It is gone.", CrmDeleted)},
        refuses={400: "It takes no parameters."},
    ),
)
