"""``mailroom jobs`` as a user runs it."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.jobs.model import JobName, JobRun, Outcome
from tests.api.conftest import TOKEN, Client
from tests.api.processes import run
from tests.api.standing import troubled
from tests.fakes.mailroom import FakeMailroom

Environ = dict[str, str]


@pytest.fixture
def mailroom() -> FakeMailroom:
    return troubled(datetime.now(UTC))


@pytest.fixture
def environ(client: Client) -> Environ:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def end(mailroom: FakeMailroom, outcome: Outcome, message: str = "") -> None:
    """Let the run that a command begins end."""
    await mailroom.begun.wait()
    latest = mailroom.states[JobName.EMAIL_SYNC].latest
    assert latest is not None
    mailroom.put_run(_ended(latest, outcome, message))


def _ended(begun: JobRun, outcome: Outcome, message: str) -> JobRun:
    finished_at = begun.started_at + timedelta(seconds=65)
    return replace(
        begun, finished_at=finished_at, outcome=outcome, operators=500, done=500, failed=2, emails=1234, message=message
    )


async def test_list_for_pipes_and_programs(environ: Environ) -> None:
    plain = await run("jobs", "list", environ=environ)
    assert (plain.code, plain.err) == (0, "")
    heads, _, sync, push = plain.out.decode().splitlines()
    assert [head.strip() for head in heads.split(" | ")][:3] == ["name", "enabled", "every"]
    assert sync.startswith("EmailSync ")
    assert push.startswith("ManagePushSubscriptions ")
    machine = json.loads((await run("jobs", "list", "--json", environ=environ)).out)
    assert [job["name"] for job in machine] == ["EmailSync", "ManagePushSubscriptions"]
    assert machine[0]["latest"]["outcome"] == "partial"


async def test_disable_and_enable(environ: Environ, mailroom: FakeMailroom) -> None:
    result = await run("jobs", "disable", "EmailSync", environ=environ)
    assert (result.code, result.out.decode()) == (0, "EmailSync is disabled.\n")
    assert not mailroom.states[JobName.EMAIL_SYNC].job.enabled
    refused = await run("jobs", "run", "EmailSync", environ=environ)
    assert (refused.code, refused.out) == (1, b"")
    assert refused.err.startswith("mailroom: EmailSync is disabled.")
    result = await run("jobs", "enable", "EmailSync", environ=environ)
    assert result.out.decode().startswith("EmailSync is enabled, every 15m; next run in 1")


async def test_disabling_says_what_becomes_of_a_run(environ: Environ, mailroom: FakeMailroom) -> None:
    await mailroom.run_job(JobName.EMAIL_SYNC)
    result = await run("jobs", "disable", "EmailSync", environ=environ)
    assert result.out.decode() == "EmailSync is disabled. The run under way stops at its next page.\n"


async def test_set(environ: Environ, mailroom: FakeMailroom) -> None:
    options = ["--every", "0 6 * * 1-5", "--timezone", "Europe/Berlin"]
    result = await run("jobs", "set", "EmailSync", *options, environ=environ)
    assert result.out.decode().startswith("EmailSync is enabled, every 0 6 * * 1-5 Europe/Berlin; next run in 1")
    job = mailroom.states[JobName.EMAIL_SYNC].job
    assert (job.every, job.timezone) == ("0 6 * * 1-5", "Europe/Berlin")
    refused = await run("jobs", "set", "EmailSync", "--every", "nonsense", environ=environ)
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "'nonsense' is neither an interval nor a cron expression" in refused.err
    nothing = await run("jobs", "set", "EmailSync", environ=environ)
    assert nothing.code == 2
    assert "Nothing to change" in nothing.err
    for option in ("--every", "--timezone"):
        empty = await run("jobs", "set", "EmailSync", option, " ", environ=environ)
        assert empty.code == 2
        assert f"{option} is empty; write one such as" in " ".join(empty.err.split())


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(["enable"], "emailsync"), (["run"], "a/../b"), (["runs"], "\N{LATIN SMALL LETTER A WITH DIAERESIS}%20?x=1")],
)
async def test_an_unknown_job_is_one_line_that_names_both(environ: Environ, arguments: list[str], name: str) -> None:
    result = await run("jobs", arguments[0], name, *arguments[1:], environ=environ)
    assert (result.code, result.out, result.err.count("\n")) == (1, b"", 1)
    names = "EmailSync, ManagePushSubscriptions and AssociateEmails"
    assert f"There is no job {name!r}. The jobs are {names}." in result.err


async def test_run_comes_back_at_once(environ: Environ, mailroom: FakeMailroom) -> None:
    result = await run("jobs", "run", "EmailSync", environ=environ)
    assert (result.code, result.err) == (0, "")
    assert "`mailroom jobs runs EmailSync` shows how it goes" in result.out.decode()
    again = await run("jobs", "run", "EmailSync", environ=environ)
    assert (again.code, again.out, again.err.count("\n")) == (1, b"", 1)
    assert "under way" in again.err


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.SUCCEEDED, 0), (Outcome.PARTIAL, 1), (Outcome.STOPPED, 1)])
async def test_waiting_for_the_end(environ: Environ, mailroom: FakeMailroom, outcome: Outcome, code: int) -> None:
    ending = asyncio.create_task(end(mailroom, outcome, "Two fail."))
    result = await run("jobs", "run", "EmailSync", "--wait", environ=environ)
    await ending
    assert (result.code, result.err) == (code, "")
    words = f"EmailSync {outcome} after 1 min 5 s: 500 of 500 operators, 2 failing, 1,234 emails. Two fail.\n"
    assert result.out.decode() == words


async def test_waiting_outlasts_a_restart(environ: Environ, mailroom: FakeMailroom) -> None:
    mailroom.broken, mailroom.recovers_after = frozenset({"page"}), 2
    ending = asyncio.create_task(end(mailroom, Outcome.SUCCEEDED))
    result = await run("jobs", "run", "EmailSync", "--wait", environ=environ)
    await ending
    assert (result.code, result.err) == (0, "")
    assert not mailroom.broken


async def test_runs(environ: Environ, mailroom: FakeMailroom) -> None:
    await mailroom.run_job(JobName.EMAIL_SYNC)
    result = await run("jobs", "runs", "EmailSync", "--json", environ=environ)
    assert [one["outcome"] for one in json.loads(result.out)] == ["running", "partial"]
    result = await run("jobs", "runs", "EmailSync", "--json", "--limit", "1", environ=environ)
    assert [one["outcome"] for one in json.loads(result.out)] == ["running"]
    assert "there are more than these 1" in result.err


@pytest.mark.parametrize("command", ["list", "disable EmailSync", "run EmailSync --wait"])
async def test_without_a_gateway_it_is_one_line(command: str) -> None:
    result = await run("jobs", *command.split(), environ={"MAILROOM_URL": "http://127.0.0.1:1"})
    assert (result.code, result.out, result.err.count("\n")) == (1, b"", 1)
    assert result.err.startswith("mailroom: No gateway answers at http://127.0.0.1:1.")
