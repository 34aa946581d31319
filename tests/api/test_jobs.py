from typing import Any

import pytest

from engine.jobs.model import JobName, JobRun, Outcome, Trigger
from engine.listing import View
from tests.api.conftest import BEARER, Client
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import STARTED_AT, FakeMailroom

JOBS = "/api/v1/jobs"
SYNC = f"{JOBS}/EmailSync"


async def answer(client: Client, method: str, path: str, status: int, body: object = None) -> dict[str, Any]:
    async with client.request(method, path, json=body, headers=BEARER) as response:
        assert response.status == status, await response.text()
        return dict(await response.json())


async def test_both_jobs_are_listed(client: Client) -> None:
    listed = await answer(client, "GET", JOBS, 200)
    assert listed["next"] is None
    assert listed["items"][0] == {
        "name": "EmailSync",
        "enabled": True,
        "every": "15m",
        "timezone": "UTC",
        "access_group": "",
        "last_run_at": None,
        "next_run_at": None,
        "latest": None,
    }
    assert [item["name"] for item in listed["items"]] == ["EmailSync", "ManagePushSubscriptions"]


async def test_a_change_leaves_the_rest(client: Client, mailroom: FakeMailroom) -> None:
    changed = await answer(client, "PATCH", SYNC, 200, {"every": "0 6 * * *", "timezone": "Europe/Berlin"})
    assert (changed["every"], changed["timezone"], changed["enabled"]) == ("0 6 * * *", "Europe/Berlin", True)
    changed = await answer(client, "PATCH", SYNC, 200, {"enabled": False})
    assert (changed["every"], changed["enabled"]) == ("0 6 * * *", False)
    assert mailroom.states[JobName.MANAGE_PUSH_SUBSCRIPTIONS].job.enabled


async def test_an_access_group_can_be_emptied(client: Client) -> None:
    await answer(client, "PATCH", SYNC, 200, {"access_group": "sales"})
    assert (await answer(client, "PATCH", SYNC, 200, {"access_group": ""}))["access_group"] == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "it changes nothing"),
        ([], "body"),
        (None, "body"),
        ({"evry": "1m"}, "evry: there is no such key"),
        ({"evry": "1m", "enabled": 1}, "enabled: "),
        ({"enabled": "yes"}, "enabled: "),
        ({"enabled": None}, "enabled: "),
        ({"every": 15}, "every: "),
        ({"every": ""}, "every: "),
        ({"every": "x" * 201}, "every: "),
        ({"timezone": False}, "timezone: "),
        ({"name": "EmailSync"}, "name: there is no such key"),
    ],
)
async def test_bodies_that_are_refused(client: Client, mailroom: FakeMailroom, body: object, words: str) -> None:
    before = dict(mailroom.states)
    error = check_shape(await answer(client, "PATCH", SYNC, 400, body), "BAD_REQUEST")
    assert words in error["message"]
    assert "enabled" in error["hint"]
    assert mailroom.states == before


async def test_every_wrong_key_is_named(client: Client) -> None:
    refused = await answer(client, "PATCH", SYNC, 400, {"evry": "1m", "enabled": "yes"})
    assert all(f"{key}: " in refused["error"]["message"] for key in ("evry", "enabled"))


async def test_a_schedule_that_cannot_be_read(client: Client) -> None:
    error = check_shape(await answer(client, "PATCH", SYNC, 400, {"every": "nonsense"}), "SETTINGS_INVALID")
    assert "jobs.EmailSync.every" in error["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", f"{JOBS}/emailsync"),
        ("POST", f"{JOBS}/Other/run"),
        ("GET", f"{JOBS}/Other/runs"),
        ("PATCH", f"{JOBS}/%20"),
    ],
)
async def test_an_unknown_job_names_those_there_are(client: Client, method: str, path: str) -> None:
    error = check_shape(await answer(client, method, path, 404, {"enabled": True}), "JOB_UNKNOWN")
    assert "EmailSync, ManagePushSubscriptions and AssociateEmails" in error["message"]


async def test_a_run_begins_once(client: Client) -> None:
    begun = await answer(client, "POST", f"{SYNC}/run", 202)
    assert (begun["job"], begun["trigger"], begun["outcome"]) == ("EmailSync", "manual", "running")
    assert begun["seconds"] is None
    check_shape(await answer(client, "POST", f"{SYNC}/run", 409), "JOB_REFUSED")
    listed = await answer(client, "GET", JOBS, 200)
    assert listed["items"][0]["latest"] == begun


async def test_a_disabled_job_does_not_run(client: Client) -> None:
    await answer(client, "PATCH", SYNC, 200, {"enabled": False})
    check_shape(await answer(client, "POST", f"{SYNC}/run", 409), "JOB_REFUSED")


async def test_runs_are_those_of_the_job(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.put_run(JobRun("r1", JobName.EMAIL_SYNC, Trigger.SCHEDULE, STARTED_AT))
    mailroom.put_run(JobRun("r2", JobName.MANAGE_PUSH_SUBSCRIPTIONS, Trigger.SCHEDULE, STARTED_AT))
    mailroom.put_run(JobRun("r3", JobName.EMAIL_SYNC, Trigger.MANUAL, STARTED_AT, STARTED_AT, Outcome.PARTIAL))
    listed = await answer(client, "GET", f"{SYNC}/runs", 200)
    assert [row["run_id"] for row in listed["items"]] == ["r3", "r1"]
    listed = await answer(client, "GET", f"{SYNC}/runs?outcome=partial&trigger=manual&run=r3", 200)
    assert [row["seconds"] for row in listed["items"]] == [0.0]
    assert mailroom.listings[-1].view is View.JOB_RUNS
    assert mailroom.listings[-1].equal == {
        "job": "EmailSync",
        "outcome": "partial",
        "trigger": "manual",
        "run_id": "r3",
    }


@pytest.mark.parametrize("path", [f"{JOBS}?limit=3", f"{SYNC}/runs?job=EmailSync", f"{SYNC}/runs?outcome=ok"])
async def test_parameters_that_are_refused(client: Client, path: str) -> None:
    check_shape(await answer(client, "GET", path, 400), "BAD_REQUEST")
