"""Policies over HTTP and as commands: what holds, one operator's own, and purging."""

from typing import Any

import pytest

from engine.access.audit import Action
from engine.model import Operator, OperatorId
from engine.policy.model import Reason
from engine.policy.purge import PurgeCount
from tests.api.conftest import BEARER, TOKEN, Client
from tests.api.processes import run
from tests.fakes.mailroom import FakeMailroom

ANN = "/api/v1/operators/ann/policy"
COUNTS = (PurgeCount(Reason.PRIVATE, "ann", 3), PurgeCount(Reason.DENIED, "bob", 1))


@pytest.fixture
def mailroom() -> FakeMailroom:
    room = FakeMailroom()
    room.people.operators = {OperatorId("ann"): Operator(OperatorId("ann"), "ann@example.com")}
    room.policies.kept_out_counts = {"private": 7}
    room.policies.to_purge = COUNTS
    return room


@pytest.fixture
def environ(client: Client) -> dict[str, str]:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def ask(client: Client, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    async with client.request(method, path, json=body, headers=BEARER) as response:
        return response.status, await response.json()


async def test_what_holds_for_everybody(client: Client) -> None:
    status, found = await ask(client, "GET", "/api/v1/policy")
    assert (status, found["policy"]["skip_private"], found["policy"]["deny"]) == (200, True, [])
    assert (found["kept_out"], found["own_domains"], found["operators"]) == ({"private": 7}, ["example.com"], [])


async def test_an_operators_own_policy_is_replaced_whole_and_only_adds(client: Client, mailroom: FakeMailroom) -> None:
    status, changed = await ask(client, "PUT", ANN, {"deny": ["X.example", "Spy@Y.example"], "only_known": True})
    assert (status, changed["own"]["deny"]) == (200, ["spy@y.example", "x.example"])
    assert (changed["own"]["skip_private"], changed["effective"]["skip_private"]) == (False, True)
    assert mailroom.policies.own == {"ann": {"deny": ["x.example", "spy@y.example"], "only_known": True}}
    assert (await ask(client, "GET", "/api/v1/policy"))[1]["operators"] == ["ann"]
    status, changed = await ask(client, "PUT", ANN, {"skip_private": False})
    assert (status, changed["effective"]["skip_private"], mailroom.policies.own) == (200, True, {})
    [first, second] = [one for one in mailroom.access.audited if one.action is Action.POLICY_CHANGE]
    assert (first.target, second.target) == ("ann", "ann")


@pytest.mark.parametrize(
    "body", [{"deny": ["nonsense"]}, {"deny": "x.example"}, {"skip_privat": True}, [], {"allow": [1]}]
)
async def test_what_cannot_be_is_refused_with_its_name(client: Client, mailroom: FakeMailroom, body: Any) -> None:
    async with client.put(ANN, json=body, headers=BEARER) as response:
        error = (await response.json())["error"]
    assert (response.status, error["code"] in {"BAD_REQUEST", "VALUE_INVALID"}) == (400, True)
    assert error["hint"].startswith("Send JSON")
    assert mailroom.policies.own == {}


async def test_nobodys_policy_is_not_found(client: Client) -> None:
    for method, body in (("GET", None), ("PUT", {"only_known": True})):
        assert (await ask(client, method, "/api/v1/operators/nobody/policy", body))[0] == 404


async def test_a_purge_is_counted_then_done(client: Client, mailroom: FakeMailroom) -> None:
    status, counted = await ask(client, "POST", "/api/v1/policy/purge", {"dry_run": True})
    assert (status, counted["emails"], counted["dry_run"], counted["rewritten_at"]) == (200, 4, True, None)
    assert counted["counts"][0] == {"reason": "private", "operator_id": "ann", "emails": 3}
    status, done = await ask(client, "POST", "/api/v1/policy/purge")
    assert (status, done["emails"], done["dry_run"]) == (201, 4, False)
    assert done["rewritten_at"] is not None
    assert [one.dry_run for one in mailroom.policies.purges] == [True, False]
    [entry] = [one for one in mailroom.access.audited if one.action is Action.POLICY_PURGE]
    assert entry.after == {"private": 3, "denied": 1}


async def test_the_commands(client: Client, environ: dict[str, str], mailroom: FakeMailroom) -> None:
    shown = await run("policy", "show", environ=environ)
    assert (shown.code, "private and confidential mail" in shown.out.decode()) == (0, True)
    assert "7 private or confidential" in shown.out.decode()
    given = await run("policy", "set", "ann", "--deny", "x.example", "--skip-folder", "SentItems", environ=environ)
    assert (given.code, "mail with any of x.example" in given.out.decode()) == (0, True)
    assert mailroom.policies.own == {"ann": {"deny": ["x.example"], "skip_folders": ["SentItems"]}}
    assert (await run("policy", "set", "ann", environ=environ)).code == 2
    assert (await run("policy", "clear", "ann", environ=environ)).code == 0
    assert mailroom.policies.own == {}
    dry = await run("policy", "purge", "--dry-run", environ=environ)
    assert (dry.code, "4 emails of 2 mailboxes would be taken out." in dry.out.decode()) == (0, True)
    done = await run("policy", "purge", "--yes", environ=environ)
    assert (done.code, "4 emails of 2 mailboxes were taken out." in done.out.decode()) == (0, True)
    assert mailroom.policies.to_purge == ()
