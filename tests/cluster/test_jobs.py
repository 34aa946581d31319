"""Jobs on a real Ray: run by hand, stopped and gone on with, and kept through kill -9 of everything."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from actors.calls import call_now
from actors.options import COORDINATOR
from engine.errors import JobRefused
from engine.jobs.model import JobChange, JobName, JobRun, JobState, Outcome, Trigger
from tests.cluster.compare import differences, served
from tests.cluster.conftest import BEGIN_WITH, JOBS, Room
from tests.cluster.exchange import ExchangeThread
from tests.cluster.processes import eventually
from tests.cluster.serve import Serve

SOON = 30.0
RUNS = "SELECT * FROM job_runs WHERE job = 'EmailSync'"
SOME = "SELECT 1 FROM mailboxes HAVING count(last_success_at) BETWEEN 1 AND count(*) - 1"
ROW = "SELECT * FROM job_runs WHERE run_id = ?"


def test_run_by_hand_it_finds_what_push_has_lost(room: Room) -> None:
    emails = room.emails[:BEGIN_WITH]
    room.settle(emails)
    eventually(lambda: _no_run(room), SOON, "no run is under way")
    room.exchange.do(lambda it: it.faults.add("push_lost", rate=1.0))
    room.exchange.do(lambda it: it.faults.add("latency", operation="SyncFolderItems", seconds=0.5))
    try:
        lost = room.exchange.do(lambda it: it.deliver(emails[0], subject="Lost on the way"))
        run: JobRun = _ask(room, "run_job", JobName.EMAIL_SYNC)
        assert (run.trigger, run.outcome) == (Trigger.MANUAL, Outcome.RUNNING)
        with pytest.raises(JobRefused, match=r"^EmailSync is under way since .* UTC"):
            _ask(room, "run_job", JobName.EMAIL_SYNC)
        eventually(lambda: _row(room, run)["finished_at"], SOON, "the run is through")
    finally:
        room.exchange.do(lambda it: it.faults.clear())
    row = _row(room, run)
    enabled = room.status().operators.enabled
    assert (row["outcome"], row["trigger"], row["operators"], row["done"], row["failed"]) == (
        "succeeded",
        "manual",
        enabled,
        enabled,
        0,
    )
    assert row["emails"] >= 1
    assert 0.5 <= row["seconds"] < SOON
    assert room.query("SELECT subject FROM emails WHERE item_id = ?", lost.item_id).num_rows == 1
    state = _job(room)
    assert state.latest is not None
    assert (state.latest.run_id, state.job.last_run_at) == (run.run_id, run.started_at)
    assert state.next_run_at is not None
    assert state.next_run_at > run.started_at


def test_disabled_in_the_middle_of_a_run_it_stops_and_enabled_it_goes_on(room: Room) -> None:
    emails = room.emails[JOBS]
    eventually(lambda: _no_run(room), SOON, "no run is under way")
    room.exchange.do(lambda it: it.faults.add("latency", operation="GetItem", seconds=0.4))
    room.enable(emails)
    run = _ask(room, "run_job", JobName.EMAIL_SYNC)
    eventually(lambda: _fetched(room, emails) and room.status().pending, SOON, "a backfill is under way")
    state: JobState = _ask(room, "change_job", JobName.EMAIL_SYNC, JobChange(enabled=False))
    assert state.latest is not None
    assert (state.latest.run_id, state.latest.outcome, state.next_run_at) == (run.run_id, Outcome.STOPPED, None)

    eventually(lambda: _still(room, 1.5), SOON, "Exchange is asked nothing more")
    left = room.status().pending
    assert left
    fresh = room.exchange.do(lambda it: it.deliver(room.emails[0], subject="New while it is disabled"))
    eventually(lambda: _landed(room, fresh.item_id), SOON, "what is new comes all the same")
    assert room.status().pending == left

    room.exchange.do(lambda it: it.faults.clear())
    state = _ask(room, "change_job", JobName.EMAIL_SYNC, JobChange(enabled=True))
    assert state.latest is not None
    assert (state.latest.outcome, state.latest.trigger) == (Outcome.RUNNING, Trigger.SCHEDULE)
    room.settle(emails, SOON)
    eventually(lambda: _row(room, state.latest)["outcome"] == "succeeded", SOON, "the run is through")


def test_a_host_that_hangs_holds_up_no_other(room: Room) -> None:
    eventually(lambda: _no_run(room), SOON, "no run is under way")
    hanging = min(room.workers("MailboxHost"), key=lambda one: one.pid)
    hanging.suspend()
    try:
        run = _ask(room, "run_job", JobName.EMAIL_SYNC)
        eventually(lambda: _done(room, run) > 0, SOON, "mailboxes of the other host are seen to")
    finally:
        hanging.resume()
    eventually(lambda: _row(room, run)["outcome"] == "succeeded", SOON, "the run is through")


def test_never_two_runs_at_once(room: Room) -> None:
    runs = room.query("SELECT job, run_id, started_at, finished_at FROM job_runs ORDER BY started_at").to_pylist()
    for job in JobName:
        mine = [run for run in runs if run["job"] == job]
        assert mine
        for before, after in pairwise(mine):
            assert before["finished_at"] is not None
            assert before["finished_at"] <= after["started_at"]


@pytest.fixture
def exchange() -> Iterator[ExchangeThread]:
    with ExchangeThread(operators=4, emails=120) as exchange:
        yield exchange


@pytest.fixture
def serve(tmp_path: Path, exchange: ExchangeThread) -> Iterator[Serve]:
    options = exchange.exchange.options
    serve = Serve(tmp_path, exchange.exchange.url, options.username, options.password)
    emails = [person.email for person in exchange.exchange.operators]
    serve.configure(emails, cluster="sync_concurrency = 2", email_sync="batch_size = 8")
    yield serve
    serve.kill()


@pytest.mark.timeout(240)
def test_killed_in_the_middle_of_a_run_it_goes_on_with_the_same_one(serve: Serve, exchange: ExchangeThread) -> None:
    exchange.do(lambda it: it.faults.add("latency", operation="GetItem", seconds=0.3))
    serve.start()
    eventually(lambda: _shown(serve, SOME), 90, "one is synced, and others are not")
    (before,) = _shown(serve, RUNS)
    serve.kill()
    exchange.do(lambda it: it.faults.clear())
    serve.start()
    eventually(serve.synced, 90, "all are synced")
    eventually(lambda: _shown(serve, f"{RUNS} AND finished_at IS NOT NULL"), SOON, "the run is through")
    (run,) = _shown(serve, RUNS)
    assert (run["run_id"], run["started_at"]) == (before["run_id"], before["started_at"])
    assert (run["outcome"], run["operators"], run["done"]) == ("succeeded", 4, 4)
    assert before["finished_at"] is None

    serve.stop()
    emails = [person.email for person in exchange.exchange.operators]
    assert differences(exchange.do(lambda it: served(it, emails)), serve.stored()) == []


def _shown(serve: Serve, sql: str) -> list[dict[str, Any]]:
    """Rows as the running gateway shows them; nothing while it does not answer."""
    return [] if serve.ask("status") is None else serve._query(sql).to_pylist()


def _ask(room: Room, method: str, *args: Any) -> Any:
    return call_now(room.cluster._handles[COORDINATOR], method, *args)


def _job(room: Room) -> JobState:
    jobs: list[JobState] = _ask(room, "jobs")
    return next(state for state in jobs if state.job.name is JobName.EMAIL_SYNC)


def _no_run(room: Room) -> bool:
    latest = _job(room).latest
    return latest is not None and latest.finished_at is not None


def _done(room: Room, run: JobRun) -> int:
    latest = _job(room).latest
    assert latest is not None
    assert (latest.run_id, latest.finished_at) == (run.run_id, None)
    return latest.done


def _row(room: Room, run: JobRun | None) -> dict[str, Any]:
    assert run is not None
    (row,) = room.query(ROW, run.run_id).to_pylist()
    return dict(row)


def _fetched(room: Room, emails: list[str]) -> bool:
    listed = ", ".join("?" for _ in emails)
    found = room.query(f"SELECT 1 FROM emails WHERE operator_email IN ({listed}) LIMIT 1", *emails)  # noqa: S608
    return bool(found.num_rows)


def _landed(room: Room, item_id: str) -> bool:
    return bool(room.query("SELECT 1 FROM emails WHERE item_id = ?", item_id).num_rows)


def _still(room: Room, seconds: float) -> bool:
    """Whether Exchange is asked nothing for so long."""
    before = room.exchange.do(lambda it: it.requests.total)
    time.sleep(seconds)
    return room.exchange.do(lambda it: it.requests.total) == before
