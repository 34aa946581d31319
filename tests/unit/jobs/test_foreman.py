"""The foreman keeps the jobs to their schedules."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine.errors import JobRefused, SettingsError, StoreUnavailable, UnknownJob
from engine.jobs.model import Job, JobChange, Outcome, Shift, Trigger
from tests.unit.jobs.office import EMAIL_SYNC, JOBS, SUBSCRIPTIONS, Office

LATER = timedelta(minutes=5)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    await office.open("ann", "bob")
    yield office
    opened = [run for run in office.store.runs.values() if run.finished_at is None]
    assert len({run.job for run in opened}) == len(opened)


async def everybody_syncs(office: Office) -> None:
    for one in ("ann", "bob"):
        await office.sync(one)
        await office.subscribe(one)


async def test_the_first_run_of_both_begins_at_once(office: Office) -> None:
    began = office.clock.now()
    assert await office.foreman.tick() == Shift(run_started_at=began, subscribing=True)
    (run,) = office.runs()
    assert (run.trigger, run.started_at, run.finished_at, run.outcome) == (
        Trigger.SCHEDULE,
        began,
        None,
        Outcome.RUNNING,
    )
    assert len(office.runs(SUBSCRIPTIONS)) == 1


async def test_a_run_ends_when_nobody_is_left(office: Office) -> None:
    began = office.clock.now()
    await office.foreman.tick()
    office.pass_by(seconds=3)
    await office.sync("ann")
    assert (await office.foreman.tick()).run_started_at == began
    assert (await office.job()).latest == replace(office.runs()[0], operators=2, done=1)

    office.pass_by(seconds=3)
    await everybody_syncs(office)
    assert await office.foreman.tick() == Shift()
    (run,) = office.runs()
    assert run.outcome is Outcome.SUCCEEDED
    assert (run.operators, run.done, run.failed, run.subscriptions, run.message) == (2, 2, 0, 2, "")
    assert run.finished_at == began + timedelta(seconds=6)
    assert office.runs(SUBSCRIPTIONS)[0].outcome is Outcome.SUCCEEDED


async def test_who_fails_is_done_and_makes_the_run_partial(office: Office) -> None:
    await office.foreman.tick()
    office.pass_by(seconds=3)
    await office.sync("ann")
    await office.sync("bob", retry_after=LATER)
    await office.subscribe("ann")
    await office.subscribe("bob", refused=True)
    await office.foreman.tick()
    (run,), (subscriptions,) = office.runs(), office.runs(SUBSCRIPTIONS)
    assert (run.outcome, run.done, run.failed) == (Outcome.PARTIAL, 2, 1)
    assert run.message == "1 of 2 operators fails; `mailroom failures` says why."
    assert (subscriptions.outcome, subscriptions.failed) == (Outcome.PARTIAL, 1)
    assert subscriptions.message == "1 of 2 subscriptions fails; `mailroom failures` says why."


async def test_the_next_run_comes_when_its_time_has_come(office: Office) -> None:
    began = office.clock.now()
    await office.foreman.tick()
    office.pass_by(seconds=3)
    await everybody_syncs(office)
    await office.foreman.tick()
    assert (await office.job()).next_run_at == began + timedelta(minutes=15)
    office.pass_by(minutes=14, seconds=56)
    assert (await office.foreman.tick()).run_started_at is None
    office.pass_by(seconds=1)
    assert (await office.foreman.tick()).run_started_at == began + timedelta(minutes=15)
    assert [run.outcome for run in office.runs()] == [Outcome.SUCCEEDED, Outcome.RUNNING]


async def test_without_anybody_who_wants_a_subscription_there_is_no_run_of_it(office: Office) -> None:
    await everybody_syncs(office)
    assert not (await office.foreman.tick()).subscribing
    assert office.runs(SUBSCRIPTIONS) == []
    asked = office.clock.now()
    assert (await office.job(SUBSCRIPTIONS)).next_run_at == asked + timedelta(minutes=1)
    await office.open("cid")
    office.pass_by(seconds=59)
    assert not (await office.foreman.tick()).subscribing
    office.pass_by(seconds=1)
    assert (await office.foreman.tick()).subscribing
    assert office.runs(SUBSCRIPTIONS)[0].started_at == asked + timedelta(minutes=1)


async def test_looks_are_rare_and_writes_rarer(office: Office) -> None:
    await office.foreman.tick()
    office.pass_by(seconds=3)
    await office.sync("ann")
    await office.foreman.tick()
    assert (await office.job()).latest.done == 1  # type: ignore[union-attr]
    assert office.runs()[0].done == 0
    await office.sync("bob")
    office.pass_by(seconds=1)
    await office.foreman.tick()
    assert office.runs()[0].finished_at is None
    await office.open("cid")
    office.pass_by(seconds=1)
    await office.foreman.tick()
    assert (office.runs()[0].done, office.runs()[0].operators) == (2, 3)


async def test_run_by_hand(office: Office) -> None:
    await everybody_syncs(office)
    await office.foreman.tick()
    office.pass_by(seconds=3)
    await office.foreman.tick()
    office.pass_by(minutes=1)
    run = await office.foreman.run_now(EMAIL_SYNC)
    assert (run.trigger, run.started_at, run.finished_at) == (Trigger.MANUAL, office.clock.now(), None)
    assert (await office.foreman.tick()).run_started_at == run.started_at
    with pytest.raises(JobRefused, match=r"^EmailSync is under way since 2026-11-24 09:01:03 UTC; wait for its end"):
        await office.foreman.run_now(EMAIL_SYNC)
    assert len(office.runs()) == 2


async def test_run_by_hand_right_after_everybody_is_done(office: Office) -> None:
    await office.foreman.tick()
    await everybody_syncs(office)
    office.pass_by(seconds=1)
    run = await office.foreman.run_now(EMAIL_SYNC)
    assert [one.outcome for one in office.runs()] == [Outcome.SUCCEEDED, Outcome.RUNNING]
    assert office.runs()[1] == run


async def test_a_disabled_job_does_not_run_nor_is_it_run_by_hand(office: Office) -> None:
    await everybody_syncs(office)
    state = await office.foreman.change(EMAIL_SYNC, JobChange(enabled=False))
    assert (state.job.enabled, state.next_run_at) == (False, None)
    assert await office.foreman.tick() == Shift(sync=False)
    with pytest.raises(JobRefused, match=r"^EmailSync is disabled; enable it first: mailroom jobs enable EmailSync$"):
        await office.foreman.run_now(EMAIL_SYNC)
    assert office.runs() == []


async def test_disabled_in_the_middle_it_stops_and_enabled_it_goes_on(office: Office) -> None:
    await office.foreman.tick()
    office.pass_by(seconds=3)
    await office.sync("ann")
    state = await office.foreman.change(EMAIL_SYNC, JobChange(enabled=False))
    assert state.latest is not None
    assert (state.latest.outcome, state.latest.finished_at, state.latest.done, state.latest.message) == (
        Outcome.STOPPED,
        office.clock.now(),
        1,
        "its job was disabled",
    )
    assert office.runs() == [state.latest]
    shift = await office.foreman.tick()
    assert (shift.sync, shift.run_started_at) == (False, None)

    office.pass_by(seconds=3)
    state = await office.foreman.change(EMAIL_SYNC, JobChange(enabled=True))
    assert state.latest is not None
    assert (state.latest.outcome, state.latest.started_at) == (Outcome.RUNNING, office.clock.now())
    office.pass_by(seconds=3)
    await everybody_syncs(office)
    await office.foreman.tick()
    assert [run.outcome for run in office.runs()] == [Outcome.STOPPED, Outcome.SUCCEEDED]


async def test_disabled_when_all_was_done_the_run_has_succeeded(office: Office) -> None:
    await office.foreman.tick()
    office.pass_by(seconds=1)
    await everybody_syncs(office)
    await office.foreman.change(EMAIL_SYNC, JobChange(enabled=False))
    assert [run.outcome for run in office.runs()] == [Outcome.SUCCEEDED]


async def test_without_the_switch_of_the_installation_neither_runs() -> None:
    office = Office()
    await office.open("ann")
    await office.foreman.tick()
    office.enabled = False
    office.kill()
    assert await office.foreman.tick() == Shift(sync=False, subscribe=False)
    assert [(run.outcome, run.message) for run in office.store.runs.values()] == [
        (Outcome.STOPPED, "email_sync.enabled is false")
    ] * 2
    with pytest.raises(JobRefused, match=r"^EmailSync cannot run: email_sync.enabled is false"):
        await office.foreman.run_now(EMAIL_SYNC)
    assert [(state.job.enabled, state.next_run_at) for state in await office.foreman.jobs()] == [(True, None)] * 2
    office.enabled = True
    office.kill()
    assert (await office.foreman.tick()).run_started_at == office.clock.now()


async def test_a_changed_schedule_counts_at_once(office: Office) -> None:
    await everybody_syncs(office)
    await office.foreman.tick()
    began = office.clock.now()
    office.pass_by(seconds=3)
    await office.foreman.tick()
    state = await office.foreman.change(EMAIL_SYNC, JobChange(every="0 6 * * *", timezone="Europe/Berlin"))
    assert state.next_run_at is not None
    assert state.next_run_at.isoformat() == "2026-11-25T05:00:00+00:00"
    assert (await office.store.jobs())[0].job == Job(EMAIL_SYNC, True, "0 6 * * *", "Europe/Berlin", last_run_at=began)
    await office.foreman.change(EMAIL_SYNC, JobChange(every="2s", access_group="ops"))
    assert [run.trigger for run in office.runs()] == [Trigger.SCHEDULE] * 2


async def test_a_schedule_that_is_none_changes_nothing(office: Office) -> None:
    with pytest.raises(SettingsError, match=r"^jobs\.EmailSync\.every: 'now and then' is no schedule; write"):
        await office.foreman.change(EMAIL_SYNC, JobChange(enabled=False, every="now and then"))
    with pytest.raises(SettingsError, match=r"^jobs\.EmailSync\.timezone: 'Mars' is not a time zone"):
        await office.foreman.change(EMAIL_SYNC, JobChange(timezone="Mars"))
    assert [state.job for state in await office.store.jobs()] == list(JOBS)


async def test_nothing_to_change_writes_nothing(office: Office) -> None:
    await office.foreman.jobs()
    office.store.fail_next_call(StoreUnavailable("would be met"))
    assert (await office.foreman.change(EMAIL_SYNC, JobChange(every="15m"))).job == JOBS[0]
    with pytest.raises(StoreUnavailable):
        await office.foreman.change(EMAIL_SYNC, JobChange(every="16m"))


async def test_a_job_nobody_has_seeded() -> None:
    office = Office()
    await office.open("ann", jobs=JOBS[1:])
    with pytest.raises(UnknownJob, match=r"^There is no job EmailSync; there are ManagePushSubscriptions"):
        await office.foreman.run_now(EMAIL_SYNC)
    assert await office.foreman.tick() == Shift(sync=False, subscribing=True)


async def test_an_installation_without_operators() -> None:
    office = Office()
    await office.open()
    await office.foreman.tick()
    office.pass_by(seconds=2)
    assert await office.foreman.tick() == Shift()
    assert [(run.job, run.outcome) for run in office.store.runs.values()] == [(EMAIL_SYNC, Outcome.SUCCEEDED)]


async def test_a_clock_put_back_holds_nothing_up(office: Office) -> None:
    await office.foreman.tick()
    await office.foreman.tick()
    office.pass_by(hours=-1)
    office.clock.advance(timedelta(hours=1))
    await everybody_syncs(office)
    office.pass_by(hours=-1)
    assert (await office.foreman.tick()).run_started_at is None


async def test_edges_are_logged_once(office: Office) -> None:
    with capture_logs() as logs:
        await office.foreman.tick()
        office.kill()
        for _ in range(3):
            office.pass_by(seconds=3)
            await office.foreman.tick()
        await everybody_syncs(office)
        office.pass_by(seconds=3)
        await office.foreman.tick()
    told = [(entry["event"], entry["job"]) for entry in logs]
    assert told == [
        ("run started", EMAIL_SYNC),
        ("run started", SUBSCRIPTIONS),
        ("run goes on", EMAIL_SYNC),
        ("run goes on", SUBSCRIPTIONS),
        ("run finished", EMAIL_SYNC),
        ("run finished", SUBSCRIPTIONS),
    ]
    assert logs[-2] == {
        "event": "run finished",
        "log_level": "info",
        "job": EMAIL_SYNC,
        "outcome": Outcome.SUCCEEDED,
        "seconds": 12.0,
        "operators": 2,
        "done": 2,
        "subscriptions": 2,
    }
