import asyncio
from typing import Any

import pytest

from engine.errors import AuthenticationFailed
from engine.model import Operator, OperatorId
from tests.api.conftest import BEARER, Client
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

CHECK = "/api/v1/operators/check"
ANN, BOB, CARL = (
    Operator(OperatorId(who), f"{who}@example.com", email_sync=who != "bob") for who in ("ann", "bob", "carl")
)


@pytest.fixture
def mailroom() -> FakeMailroom:
    found = FakeMailroom()
    found.people.operators = {one.operator_id: one for one in (ANN, BOB, CARL)}
    found.people.broken[CARL.operator_id] = AuthenticationFailed("401", code="HTTP 401")
    found.people.said = {CARL.operator_id: {"status": "failed"}, ANN.operator_id: {"status": "failing"}}
    return found


async def post(client: Client, body: object, status: int = 200) -> dict[str, Any]:
    async with client.post(CHECK, json=body, headers=BEARER) as response:
        assert response.status == status, await response.text()
        return dict(await response.json())


async def test_named_operators(client: Client, mailroom: FakeMailroom) -> None:
    answer = await post(client, {"operators": ["carl", "bob", "carl"], "round_trip": False})
    carl, bob = answer["items"]
    assert (carl["operator_id"], carl["verdict"], carl["email_sync"]) == ("carl", "failed", True)
    assert (bob["operator_id"], bob["verdict"], bob["email_sync"]) == ("bob", "warned", False)
    assert [step["name"] for step in carl["steps"]][:3] == ["profile", "reachable", "authentication"]
    failed = carl["steps"][2]
    assert (failed["result"], failed["code"], failed["message"]) == ("failed", "AUTH_FAILED", "401")
    assert "MAILROOM_EXCHANGE_PASSWORD" in failed["remedy"]
    assert mailroom.people.checked == [("carl", False), ("bob", False)]


@pytest.mark.parametrize("body", [{}, {"round_trip": True}])
async def test_without_names_those_that_fail(client: Client, mailroom: FakeMailroom, body: object) -> None:
    answer = await post(client, body)
    assert ([one["operator_id"] for one in answer["items"]], answer["more"]) == (["carl", "ann"], False)
    assert mailroom.people.checked == [("carl", True), ("ann", True)]


async def test_more_fail_than_are_checked(client: Client, mailroom: FakeMailroom) -> None:
    for n in range(120):
        who = OperatorId(f"x{n:03}")
        mailroom.people.operators[who] = Operator(who, f"x{n}@example.com")
        mailroom.people.said[who] = {"status": "failing"}
    answer = await post(client, {"round_trip": False})
    assert (len(answer["items"]), answer["more"]) == (100, True)


async def test_nobody_is_checked_if_one_is_unknown(client: Client, mailroom: FakeMailroom) -> None:
    error = check_shape(await post(client, {"operators": ["ann", "dora"]}, 404), "OPERATOR_UNKNOWN")
    assert "'dora'" in error["message"]
    assert mailroom.people.checked == []


@pytest.mark.parametrize(
    "body",
    [{"operators": []}, {"operators": "ann"}, {"operators": [1]}, {"operators": ["x"] * 101}, {"round_trip": "no"}, []],
)
async def test_bodies_that_are_refused(client: Client, mailroom: FakeMailroom, body: object) -> None:
    check_shape(await post(client, body, 400), "BAD_REQUEST")
    assert mailroom.people.checked == []


async def test_a_host_that_does_not_answer(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.broken = frozenset({"check"})
    check_shape(await post(client, {"operators": ["ann", "bob"]}, 503), "CLUSTER_UNAVAILABLE")


class Waiting(FakeMailroom):
    """Checks wait until they are cancelled."""

    async def check(self, operator: Operator, *, round_trip: bool) -> Any:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.people.checked.append((operator.operator_id, round_trip))
            self.over.set()
            raise

    over: asyncio.Event


async def test_a_check_ends_when_the_client_goes(mailroom: FakeMailroom, make_client: Any) -> None:
    mailroom.__class__ = Waiting
    mailroom.over = asyncio.Event()  # type: ignore[attr-defined]
    client = await make_client()
    asking = asyncio.create_task(post(client, {"operators": ["ann"]}))
    await mailroom.begun.wait()
    asking.cancel()
    async with asyncio.timeout(10):
        await mailroom.over.wait()  # type: ignore[attr-defined]
    assert mailroom.people.checked == [("ann", True)]


async def test_checks_are_in_the_trail(client: Client, mailroom: FakeMailroom) -> None:
    await post(client, {"operators": ["ann"], "round_trip": False})
    await post(client, {})
    await client.close()
    one, several = (entry for entry in mailroom.access.audited if entry.action == "operators.check")
    assert (one.target, one.after) == ("ann", {"operators": 1, "ok": 1})
    assert (several.target, several.after) == ("", {"operators": 2, "failed": 1, "ok": 1})
