from datetime import UTC, datetime, timedelta

from engine.errors import EwsBlocked, HostUnavailable
from engine.model import OperatorId
from engine.orders import HostReport, Standing
from engine.status import OperatorCounts, Readiness, Status, SubscriptionCounts, Trouble
from tests.api.conftest import BEARER, Client
from tests.api.standing import troubled
from tests.fakes.mailroom import FakeMailroom

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


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


async def test_status_tells_of_jobs_alerts_and_exchange(client: Client, mailroom: FakeMailroom) -> None:
    troubles = troubled(NOW)
    mailroom.states, mailroom.reports, mailroom.rows = troubles.states, troubles.reports, troubles.rows
    async with client.get("/api/v1/status", headers=BEARER) as response:
        body = await response.json()
    assert [job["name"] for job in body["jobs"]] == ["EmailSync", "ManagePushSubscriptions"]
    assert body["jobs"][0]["latest"]["outcome"] == "partial"
    assert [alert["code"] for alert in body["alerts"]] == ["MAILBOX_NOT_FOUND"]
    standing = body["exchange"].pop("standing")
    assert body["exchange"] == {"hosts": 2, "concurrency": 9, "requests": 109}
    assert (standing["code"], standing["message"], standing["waiting"]) == ("AUTH_FAILED", "HTTP 401", 130)
    assert standing["since"] == "2026-03-01T11:59:20Z"
    assert standing["cause"]
    assert standing["remedy"]


async def test_what_several_hosts_find_is_one_standing(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.reports = {
        f"host-{number}": HostReport("a", standing=Standing(EwsBlocked("403"), NOW - timedelta(minutes=number), 10))
        for number in range(3)
    }
    async with client.get("/api/v1/status", headers=BEARER) as response:
        standing = (await response.json())["exchange"]["standing"]
    assert (standing["since"], standing["waiting"]) == ("2026-03-01T11:58:00Z", 30)


async def test_parts_that_are_away_are_null_in_the_status(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.broken = frozenset({"jobs", "hosts", "page"})
    async with client.get("/api/v1/status", headers=BEARER) as response:
        assert response.status == 200
        body = await response.json()
    assert (body["jobs"], body["alerts"], body["exchange"]) == (None, None, None)
    assert body["operators"]["total"] == 0
