"""Every endpoint x every role x every way a token can be wrong, from the table of routes itself.

Whoever adds an endpoint has decided who may use it: ``DECIDED`` has a line for each, and one without fails here.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from yarl import URL

from api.app import ROUTES
from api.routes import Access, Route
from engine.access.audit import AuditOutcome
from engine.access.roles import Role
from tests.api.access import Headers, bearer, give_out, not_known, wrong_secret
from tests.api.conftest import BEARER, TOKEN, Client, callback_path
from tests.fakes.mailroom import FakeMailroom

ALL = {Role.ADMINISTRATOR, Role.SALES_OPS, Role.VIEWER}
OPS = {Role.ADMINISTRATOR, Role.SALES_OPS}
MAIL = {Role.ADMINISTRATOR, Role.VIEWER}
ADMIN = {Role.ADMINISTRATOR}
PUBLIC = None

DECIDED: dict[str, set[Role] | None] = {
    "GET /ews/notifications/{token}": PUBLIC,
    "POST /ews/notifications/{token}": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": ALL,
    "GET /api/v1/status": ALL,
    "GET /api/v1/failures": ALL,
    "GET /api/v1/subscriptions": ALL,
    "GET /api/v1/mailboxes": ALL,
    "GET /api/v1/alerts": ALL,
    "GET /api/v1/jobs": ALL,
    "GET /api/v1/jobs/{name}/runs": ALL,
    "POST /api/v1/jobs/{name}/run": OPS,
    "PATCH /api/v1/jobs/{name}": ADMIN,
    "POST /api/v1/query": MAIL,
    "GET /api/v1/emails": MAIL,
    "GET /api/v1/emails/{id}": MAIL,
    "GET /api/v1/associations": MAIL,
    "GET /api/v1/threads": MAIL,
    "GET /api/v1/threads/{id}": MAIL,
    "GET /api/v1/review": MAIL,
    "GET /api/v1/operators": ALL,
    "POST /api/v1/operators": OPS,
    "GET /api/v1/operators/{id}": ALL,
    "PATCH /api/v1/operators/{id}": OPS,
    "POST /api/v1/operators/check": OPS,
    "POST /api/v1/operators/import": OPS,
    "GET /api/v1/crm/{kind}": MAIL,
    "POST /api/v1/crm/{kind}": ADMIN,
    "GET /api/v1/crm/{kind}/{id}": MAIL,
    "DELETE /api/v1/crm/{kind}/{id}": ADMIN,
    "GET /api/v1/tokens": ADMIN,
    "POST /api/v1/tokens": ADMIN,
    "DELETE /api/v1/tokens/{id}": ADMIN,
    "GET /api/v1/audit": ADMIN,
    "GET /api/v1/policy": ADMIN,
    "POST /api/v1/policy/purge": ADMIN,
    "GET /api/v1/operators/{id}/policy": ADMIN,
    "PUT /api/v1/operators/{id}/policy": ADMIN,
    "GET /api/v1/settings": ADMIN,
    "PUT /api/v1/settings": ADMIN,
    "GET /api/v1/settings/history": ADMIN,
    "GET /api/v1/erasures": ADMIN,
    "POST /api/v1/erasures": ADMIN,
    "GET /api/v1/erasures/{id}": ADMIN,
    "POST /api/v1/erasures/{id}/lift": ADMIN,
    "POST /api/v1/exports": ADMIN,
    "GET /api/v1/exports/{id}/parts/{part}": ADMIN,
    "DELETE /api/v1/exports/{id}": ADMIN,
    "GET /openapi.json": ALL,
    "GET /docs": ALL,
}
"""Who may use an endpoint; PUBLIC: whoever asks."""

Make = Callable[[FakeMailroom], str | None]
Send = Callable[[Route, Headers], Awaitable[tuple[int, dict[str, str], bytes]]]

REFUSED: dict[str, Make] = {
    "none": lambda _: None,
    "empty": lambda _: "Bearer ",
    "no scheme": lambda mailroom: give_out(mailroom, Role.ADMINISTRATOR).text,
    "wrong": lambda _: "Bearer not-a-token",
    "unknown": lambda _: f"Bearer {not_known()}",
    "wrong secret": lambda mailroom: f"Bearer {wrong_secret(give_out(mailroom, Role.ADMINISTRATOR))}",
    "cut": lambda mailroom: f"Bearer {give_out(mailroom, Role.ADMINISTRATOR).text[:-1]}",
    "expired": lambda mailroom: f"Bearer {give_out(mailroom, Role.ADMINISTRATOR, expired=True).text}",
    "revoked": lambda mailroom: f"Bearer {give_out(mailroom, Role.ADMINISTRATOR, revoked=True).text}",
    "two at once": lambda _: f"Bearer {TOKEN}, Bearer {TOKEN}",
}


def key(route: Route) -> str:
    return f"{route.method} {route.path}"


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


GUARDED = [route for route in ROUTES if DECIDED.get(key(route), ALL) is not PUBLIC]


@pytest.fixture
def send(client: Client) -> Send:
    async def sent(route: Route, headers: Headers) -> tuple[int, dict[str, str], bytes]:
        path = re.sub(r"\{\w+\}", "x", route.path.replace("{name}", "EmailSync"))
        async with client.request(route.method, path, headers=headers) as response:
            return response.status, dict(response.headers), await response.read()

    return sent


def test_every_endpoint_is_decided_and_no_other() -> None:
    assert {key(route) for route in ROUTES} == set(DECIDED)


def test_no_handler_stands_for_two_decisions() -> None:
    """A request is judged by its handler."""
    decided = {(route.handler, route.access) for route in ROUTES}
    assert len(decided) == len({route.handler for route in ROUTES})


@pytest.mark.parametrize("route", GUARDED, ids=key)
@pytest.mark.parametrize("how", list(REFUSED))
async def test_without_a_valid_token_it_is_401(mailroom: FakeMailroom, send: Send, route: Route, how: str) -> None:
    given = REFUSED[how](mailroom)
    status, headers, body = await send(route, {} if given is None else {"Authorization": given})
    assert (status, b'"UNAUTHORIZED"' in body) == (401, True)
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert not mailroom.queries
    assert not mailroom.listings


@pytest.mark.parametrize("route", GUARDED, ids=key)
@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_what_was_decided(mailroom: FakeMailroom, send: Send, route: Route, role: Role) -> None:
    allowed = DECIDED.get(key(route)) or set()
    token = give_out(mailroom, role, groups=("night shift",)).text
    for name, state in mailroom.states.items():
        mailroom.states[name] = replace(state, job=replace(state.job, access_group="night shift"))
    status, _, body = await send(route, bearer(token))
    if role in allowed:
        assert status not in {401, 403}
        return
    assert (status, b'"FORBIDDEN"' in body) == (403, True)
    if not isinstance(route.access, Access):
        assert str(route.access).encode() in body, "it says which permission it takes, and who has it"


@pytest.mark.parametrize("route", GUARDED, ids=key)
async def test_the_token_of_the_environment_may_everything(send: Send, route: Route) -> None:
    assert (await send(route, BEARER))[0] not in {401, 403}


@pytest.mark.parametrize("route", GUARDED, ids=key)
async def test_a_browsers_basic_credentials_are_for_pages_only(send: Send, route: Route) -> None:
    page = route.access is Access.ANYONE
    status, _, _ = await send(route, {"Authorization": basic(f"me:{TOKEN}")})
    assert (status == 401) is not page
    for wrong in (basic("me:guess"), basic(TOKEN), "Basic !", f"Basic {TOKEN}"):
        status, headers, _ = await send(route, {"Authorization": wrong})
        assert (status, "Basic" in headers["WWW-Authenticate"]) == (401, page), "so that a browser asks again"


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in GUARDED], ids=key)
@pytest.mark.parametrize("how", list(REFUSED))
async def test_public_is_public_whatever_is_shown(
    client: Client, mailroom: FakeMailroom, route: Route, how: str
) -> None:
    given = REFUSED[how](mailroom)
    path = callback_path() if "{token}" in route.path else route.path
    headers = {} if given is None else {"Authorization": given}
    async with client.request(route.method, path, headers=headers) as response:
        assert response.status in {200, 400}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/status/",
        "//api/v1/status",
        "/api//v1/status",
        "/api/v1/%73tatus",
        "/api/v1/status%00",
        "/api%2Fv1%2Fstatus",
        "/api/v1/jobs%2FEmailSync%2Frun",
        "/API/V1/STATUS",
        "/healthz/../api/v1/status",
        "/healthz/%2e%2e/api/v1/status",
        "/healthz/",
        "/healthz%2f",
        "/healthz;/api/v1/status",
        "/ews/notifications",
        "/ews/notifications/",
        "/ews/notifications/a/../../../api/v1/status",
        "/ews/notifications/a%2Fb/c",
        "/console",
        "/static/x.js",
        "/.env",
    ],
)
async def test_no_spelling_of_a_path_leads_around(client: Client, method: str, path: str) -> None:
    url = URL(f"http://{client.host}:{client.port}{path}", encoded=True)
    async with client.session.request(method, url, allow_redirects=False) as response:
        assert response.status == 401, "and what does not exist answers as what does"


async def test_wrong_and_unknown_read_alike(mailroom: FakeMailroom, send: Send) -> None:
    route = next(route for route in GUARDED if route.path == "/api/v1/status")
    wrong = await send(route, bearer(wrong_secret(give_out(mailroom))))
    unknown = await send(route, bearer(not_known()))
    assert wrong[2] == unknown[2]
    assert {name for name, value in wrong[1].items() if unknown[1].get(name) != value} <= {"Date"}


@pytest.mark.parametrize("route", GUARDED, ids=key)
async def test_a_refusal_of_the_role_is_in_the_trail(
    mailroom: FakeMailroom, client: Client, send: Send, route: Route
) -> None:
    outsiders = {Role.SALES_OPS, Role.VIEWER} - (DECIDED.get(key(route)) or set())
    tokens = [give_out(mailroom, role, name=f"an outsider, {role}").text for role in outsiders]
    for token in tokens:
        await send(route, bearer(token))
    await client.close()
    kept = [(one.principal, one.role, one.outcome) for one in mailroom.access.audited]
    assert sorted(kept) == sorted((f"an outsider, {role}", role, AuditOutcome.REFUSED) for role in outsiders)
