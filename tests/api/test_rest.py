from datetime import UTC, datetime

from engine.errors import HostUnavailable
from engine.model import OperatorId
from engine.status import OperatorCounts, Readiness, Status, SubscriptionCounts, Trouble
from tests.api.conftest import BEARER, Client
from tests.fakes.mailroom import FakeMailroom


async def test_status(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.figures = Status(
        operators=OperatorCounts(total=5, enabled=4, synced=2, syncing=1, failing=1, disabled=1),
        emails=10,
        pending=3,
        subscriptions=SubscriptionCounts(active=2, wanted=4),
        troubles=(
            Trouble("AUTH_FAILED", "c", "r", 1, OperatorId("a"), "m", since=datetime(2026, 1, 2, 3, 4, 5, 600, UTC)),
        ),
    )
    async with client.get("/api/v1/status", headers=BEARER) as response:
        assert response.status == 200
        body = await response.json()
        assert response.headers["Cache-Control"] == "no-store"
    assert body["operators"] == {"total": 5, "enabled": 4, "synced": 2, "syncing": 1, "failing": 1, "disabled": 1}
    assert (body["emails"], body["pending"]) == (10, 3)
    assert body["subscriptions"] == {"active": 2, "wanted": 4}
    assert body["troubles"][0]["since"] == "2026-01-02T03:04:05.000600Z"
    assert body["troubles"][0]["next_attempt_at"] is None


async def test_ready(client: Client) -> None:
    async with client.get("/readyz") as response:
        assert response.status == 200
        assert await response.json() == {"ready": True, "store": True, "coordinator": True, "hosts": 1}


async def test_not_ready_names_the_missing_part(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.readiness = Readiness(store=True, coordinator=False, hosts=0)
    async with client.get("/readyz") as response:
        assert response.status == 503
        error = (await response.json())["error"]
    assert error["code"] == "NOT_READY"
    assert error["message"] == "Not answering: the coordinator, a host."


async def test_not_ready_when_the_cluster_is_away(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.error = HostUnavailable("gone")
    async with client.get("/readyz") as response:
        assert response.status == 503
        assert "the store" in (await response.json())["error"]["message"]


async def test_health_asks_nobody(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.error = HostUnavailable("gone")
    async with client.get("/healthz") as response:
        assert response.status == 200
