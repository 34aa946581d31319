"""What is exported is what is documented, whatever is away and whatever is sent."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from engine.errors import HostUnavailable, StoreUnavailable
from engine.jobs.model import JobName, JobRun, Outcome, Trigger
from tests.api.conftest import BEARER, Client, callback_path
from tests.api.standing import troubled
from tests.api.test_listener import notification
from tests.fakes.mailroom import FakeMailroom

DOCUMENT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(mailroom_\w+)` \| (\w+) \| ([^|]*?) ?\|", re.MULTILINE)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"

Labels = frozenset[tuple[str, str]]


@pytest.fixture
def mailroom() -> FakeMailroom:
    return troubled(NOW)


async def scrape(client: Client) -> list[Metric]:
    async with client.get("/metrics", headers=BEARER) as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        return list(parse_text(await response.text()))


async def samples(client: Client) -> dict[str, dict[Labels, float]]:
    found: dict[str, dict[Labels, float]] = {}
    for family in await scrape(client):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


async def busy(client: Client) -> None:
    """Let every counter of the gateway have a sample."""
    await client.post(callback_path(), data=notification("sub"))
    await client.get("/healthz")


def one(**labels: str) -> Labels:
    return frozenset(labels.items())


async def test_what_is_exported_is_documented_and_the_other_way_round(client: Client) -> None:
    await busy(client)
    exported = {}
    for family in await scrape(client):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        exported[name] = (family.type, labels)
    documented = {name: (kind, set(re.findall(r"\w+", labels))) for name, kind, labels in ROW.findall(DOCUMENT)}
    assert exported == documented


async def test_rules_name_metrics_and_labels_there_are(client: Client) -> None:
    await busy(client)
    found = await samples(client)
    rules = DOCUMENT.partition("## Alert rules")[2]
    used = set(re.findall(r"mailroom_[a-z_]+", rules))
    assert used
    assert used <= set(found)
    for name, selector in re.findall(r"(mailroom_[a-z_]+)\{([^}]*)\}", rules):
        known = {label for labels in found[name] for label, _ in labels}
        assert set(re.findall(r"(\w+)(?:=|!=|=~)\"", selector)) <= known


def test_no_label_is_one_that_prometheus_gives_itself() -> None:
    assert not [
        name for name, _, labels in ROW.findall(DOCUMENT) if {"job", "instance"} & set(re.findall(r"\w+", labels))
    ]


async def test_figures(client: Client, mailroom: FakeMailroom) -> None:
    found = await samples(client)
    assert found["mailroom_operators"] == {
        one(state="synced"): 475,
        one(state="syncing"): 0,
        one(state="failing"): 25,
        one(state="disabled"): 0,
    }
    assert found["mailroom_emails"] == {one(): 1_234_567}
    assert found["mailroom_failures"] == {one(code="MAILBOX_NOT_FOUND"): 20}
    assert found["mailroom_subscriptions"] == {one(state="active"): 475, one(state="wanted"): 500}
    assert found["mailroom_exchange_standing"] == {one(code="AUTH_FAILED"): 1}
    assert found["mailroom_alerts_open"] == {one(code="MAILBOX_NOT_FOUND"): 1}
    assert found["mailroom_alert_mails_waiting"] == {one(): 1}
    assert found["mailroom_hosts"] == {one(): 2}
    assert found["mailroom_ews_concurrency"] == {one(host="host-0"): 8, one(host="host-1"): 1}
    assert found["mailroom_job_last_duration_seconds"] == {one(job_name="EmailSync"): 60}


async def test_the_end_of_each_outcome_and_the_length_of_the_latest(client: Client, mailroom: FakeMailroom) -> None:
    for number, outcome in enumerate((Outcome.SUCCEEDED, Outcome.STOPPED, Outcome.SUCCEEDED), start=1):
        at = NOW + timedelta(minutes=number)
        ended = at + timedelta(seconds=number)
        mailroom.put_run(JobRun(f"r{number}", JobName.EMAIL_SYNC, Trigger.SCHEDULE, at, ended, outcome))
    found = await samples(client)
    ends = found["mailroom_job_last_end_timestamp_seconds"]
    assert ends[one(job_name="EmailSync", outcome="succeeded")] == (NOW + timedelta(minutes=3, seconds=3)).timestamp()
    assert ends[one(job_name="EmailSync", outcome="stopped")] == (NOW + timedelta(minutes=2, seconds=2)).timestamp()
    assert ends[one(job_name="EmailSync", outcome="partial")] == (NOW - timedelta(minutes=3)).timestamp()
    assert found["mailroom_job_last_duration_seconds"] == {one(job_name="EmailSync"): 3}


async def test_codes_are_those_of_the_table(client: Client) -> None:
    requests = (await samples(client))["mailroom_ews_requests_total"]
    assert requests[one(host="host-1", outcome="ok")] == 5
    assert requests[one(host="host-1", outcome="AUTH_FAILED")] == 2
    assert requests[one(host="host-1", outcome="other")] == 2


async def test_the_store_is_away(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.broken = frozenset({"status", "page"})
    found = await samples(client)
    assert found["mailroom_store_up"] == {one(): 0}
    assert found["mailroom_coordinator_up"] == {one(): 1}
    assert found["mailroom_hosts"] == {one(): 2}
    assert one(job_name="EmailSync") in found["mailroom_job_enabled"]
    for name in ("mailroom_operators", "mailroom_emails", "mailroom_failures", "mailroom_alert_mails_waiting"):
        assert name not in found


@pytest.mark.parametrize("error", [HostUnavailable("gone"), StoreUnavailable("gone")])
async def test_everything_is_away(client: Client, mailroom: FakeMailroom, error: Exception) -> None:
    mailroom.error = error
    found = await samples(client)
    assert found["mailroom_store_up"] == found["mailroom_coordinator_up"] == {one(): 0}
    assert "mailroom_hosts" not in found
    assert found["mailroom_build_info"]


async def test_parts_that_do_not_answer_do_not_hold_a_scrape(
    client: Client, mailroom: FakeMailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.overview.PART_SECONDS", 0.01)
    mailroom.hang = True
    assert (await samples(client))["mailroom_store_up"] == {one(): 0}


async def test_openmetrics(client: Client) -> None:
    await busy(client)
    async with client.get("/metrics", headers={**BEARER, "Accept": OPENMETRICS}) as response:
        assert response.content_type == "application/openmetrics-text"
        assert response.charset == "utf-8"
        names = {family.name for family in parse_openmetrics(await response.text())}  # type: ignore[no-untyped-call]
    assert names == {family.name for family in await scrape(client)}


async def test_what_became_of_notifications(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.unsubscribe, mailroom.away = frozenset({"old"}), frozenset({"away"})
    await client.post(callback_path(), data=notification("sub"))
    await client.post(callback_path(), data=notification("sub", event="StatusEvent"))
    await client.post(callback_path(), data=notification("old"))
    await client.post(callback_path(), data=notification("away"))
    await client.post(callback_path(), data=b"rubbish")
    await client.post("/ews/notifications/Zm9yZ2Vk", data=notification("sub"))
    assert (await samples(client))["mailroom_notifications_total"] == {
        one(kind="events", answer="ok"): 1,
        one(kind="heartbeat", answer="ok"): 1,
        one(kind="events", answer="unsubscribe"): 1,
        one(kind="unknown", answer="unavailable"): 1,
        one(kind="unknown", answer="invalid"): 1,
        one(kind="unknown", answer="forged"): 1,
    }


async def test_requests_are_counted_by_template(client: Client, mailroom: FakeMailroom) -> None:
    async with ClientSession() as session:
        for verb in ("PROPFIND", "MKCOL", "LOCK"):
            await (await client.get(f"/nowhere/{verb}", headers=BEARER)).read()
            url = client.make_url(f"/api/v1/jobs/{verb}/runs")
            async with session.request(verb, url, headers=BEARER) as response:
                assert response.status == 405
        mailroom.error = RuntimeError("a bug")
        await (await client.get("/api/v1/status", headers=BEARER)).read()
        mailroom.error = None
        await (await client.get("/api/v1/jobs/EmailSync/runs", headers=BEARER)).read()
    found = await samples(client)
    assert found["mailroom_http_requests_total"] == {
        one(method="GET", route="unmatched", status="404"): 3,
        one(method="other", route="unmatched", status="405"): 3,
        one(method="GET", route="/api/v1/status", status="500"): 1,
        one(method="GET", route="/api/v1/jobs/{name}/runs", status="200"): 1,
    }
    assert found["mailroom_http_request_duration_seconds_count"][one(route="unmatched")] == 6
