"""What emails concern, over HTTP: associations, conversations across mailboxes, and what is left to a person."""

from collections.abc import Mapping
from typing import Literal

from aiohttp import web

from api.auditing import audit
from api.disconnects import unless_gone
from api.keys import MAILROOM
from api.openapi.lists import PAGING, page_answer, page_parameters
from api.parameters import MOST, read_parameters
from api.problems import Refusal
from api.resources.lists import Filter, answer_page
from api.routes import Answer, Parameter, Route
from api.rows import dump_json
from api.schemas.associations import AssociationRow, ReviewPage, ThreadRow, ThreadShown
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.associations.model import Rule
from engine.crm.model import RecordKind
from engine.listing import Listing, View

_FILTERS = {
    "operator": Filter("operator_id"),
    "kind": Filter("record_kind", tuple(RecordKind)),
    "record": Filter("record_id"),
    "item": Filter("item_id"),
    "rule": Filter("rule", tuple(Rule)),
}
_REVIEWED = {"unmatched": View.UNMATCHED_ADDRESSES, "ambiguous": View.AMBIGUOUS_MATCHES}
_WHAT = "what"


async def show_all(request: web.Request) -> web.Response:
    """``GET /api/v1/associations``, the newest first, of current emails.

    Associations through the conversation are as old as the email that hands them on, or the one that has them.
    """
    return await _read(request, View.ASSOCIATIONS, _FILTERS)


async def show_threads(request: web.Request) -> web.Response:
    """``GET /api/v1/threads``, those with the newest emails first."""
    return await _read(request, View.THREADS, {})


async def show_thread(request: web.Request) -> web.Response:
    """``GET /api/v1/threads/{id}``: its messages, each once, with everybody who has it; the first 1,000 of them."""
    thread_id = request.match_info["id"]
    read_parameters(request, ())
    mailroom, wanted = request.app[MAILROOM], {"thread_id": thread_id}
    found = await unless_gone(request, mailroom.page(Listing(View.THREADS, wanted, limit=1)))
    if not found.items:
        message = f"There is no conversation {thread_id[:100]!r}."
        hint = "An id changes when an earlier email of the conversation comes in; an email shows its `thread_id`."
        raise Refusal(404, "THREAD_UNKNOWN", message, hint)
    page = await unless_gone(request, mailroom.page(Listing(View.THREAD_MESSAGES, wanted, limit=MOST)))
    audit(request, Action.EMAILS_READ, f"threads/{thread_id}")
    messages = [{name: value for name, value in one.items() if name != "thread_id"} for one in page.items]
    thread = {**found.items[0], "messages": messages, "more": page.after is not None}
    return web.json_response(thread, dumps=dump_json)


async def show_review(request: web.Request) -> web.Response:
    """``GET /api/v1/review``, the most frequent first: addresses that lead to no record, or to several of a kind.

    ``unmatched``: of senders and recipients of current emails; our own domains and the recipients of mass mail are
    left out.
    """
    given = read_parameters(request, [_WHAT, "limit", "cursor"])
    if given.get(_WHAT) not in _REVIEWED:
        wrong = f"{given[_WHAT][:40]!r} is not one of its values" if _WHAT in given else "it is wanted"
        raise Refusal(400, "BAD_REQUEST", f"what: {wrong}.", f"Its values are: {', '.join(_REVIEWED)}.")
    return await _read(request, _REVIEWED[given[_WHAT]], {}, decided=(_WHAT,))


async def _read(
    request: web.Request, view: View, filters: Mapping[str, Filter], decided: tuple[str, ...] = ()
) -> web.Response:
    """A page, with an entry in the trail: it tells of mail. ``decided``: parameters that have been read already."""
    asked = {name: text for name, text in request.query.items() if name in filters}
    answer = await unless_gone(request, answer_page(request, view, filters, decided=decided))
    audit(request, Action.EMAILS_READ, view.value, after=asked)
    return answer


_SORT = Literal["unmatched", "ambiguous"]
_ID = Parameter("id", "Its `thread_id`.", example="00a1b2c3d4e5f607")

ROUTES = (
    Route(
        "GET",
        "/api/v1/associations",
        show_all,
        Permission.EMAILS_READ,
        summary="Which emails concern which CRM records, and why, newest first",
        parameters=page_parameters(_FILTERS),
        answers=page_answer(AssociationRow),
    ),
    Route(
        "GET",
        "/api/v1/threads",
        show_threads,
        Permission.EMAILS_READ,
        summary="Conversations across mailboxes, newest first",
        parameters=page_parameters({}),
        answers=page_answer(ThreadRow),
    ),
    Route(
        "GET",
        "/api/v1/threads/{id}",
        show_thread,
        Permission.EMAILS_READ,
        summary="One conversation, with each of its messages once",
        parameters=(_ID,),
        answers={200: Answer("The conversation.", ThreadShown)},
        refuses={400: "It takes no parameters."},
    ),
    Route(
        "GET",
        "/api/v1/review",
        show_review,
        Permission.EMAILS_READ,
        summary="Addresses that lead to no CRM record, or to several",
        parameters=(
            Parameter(_WHAT, "Those that lead to none, or to several.", _SORT, required=True),
            *PAGING,
        ),
        answers={200: Answer("A page of the list.", ReviewPage)},
    ),
)
