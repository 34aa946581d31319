"""Jobs: seeding, schedules, runs, and how a run stands."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from engine import errors
from engine.jobs.model import Job, JobName, JobRun, JobState, Outcome, Progress, Trigger
from engine.listing import Listing, View
from engine.model import (
    FolderRecord,
    ItemId,
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    SubscriptionRecord,
    SubscriptionStatus,
)
from engine.status import DueOperator
from engine.store import runs
from tests.fakes import store_jobs
from tests.fakes.store_emails import emails
from tests.fakes.store_words import ANN, BOB, INBOX, START, AnyStore, Lander, Time, activate

MINUTE = timedelta(minutes=1)
SYNC = Job(JobName.EMAIL_SYNC, True, "15m")
PUSH = Job(JobName.MANAGE_PUSH_SUBSCRIPTIONS, True, "1m", "Europe/Berlin", "admins")
SYNCED = MailboxRecord(MailboxStatus.SYNCED, START, last_success_at=START)
FAILED = MailboxRecord(
    MailboxStatus.FAILED, START, START, START + 60 * MINUTE, START, 3, "AUTH_FAILED", "401", error_at=START + MINUTE
)
LIVE = SubscriptionRecord("s1", SubscriptionStatus.ACTIVE, "https://x/t", 30, "id", created_at=START, heard_at=START)


def run_of(job: JobName = JobName.EMAIL_SYNC, run_id: str = "r1", at: datetime = START + 5 * MINUTE) -> JobRun:
    return JobRun(run_id, job, Trigger.SCHEDULE, at)


async def syncing(store: AnyStore, now: datetime, run: JobRun | None = None) -> list[OperatorId]:
    return [one.operator_id for one in await store.due(now, 99, run.started_at if run else None) if one.sync]


# Schedules


async def test_a_job_is_seeded_once_and_later_edits_of_the_file_come_through(store: AnyStore) -> None:
    assert await store.seed_jobs([PUSH, SYNC]) == [SYNC, PUSH]
    await store.put_job(replace(SYNC, enabled=False, every="1h", access_group="ops"))
    changed = replace(SYNC, enabled=False, every="1h", access_group="ops")
    assert await store.seed_jobs([SYNC]) == [changed, PUSH], "the file says the same as before"
    edited = replace(SYNC, every="0 6 * * *", timezone="Europe/Paris")
    mixed = replace(changed, every="0 6 * * *", timezone="Europe/Paris")
    assert await store.seed_jobs([edited, PUSH]) == [mixed, PUSH]
    assert await store.seed_jobs([SYNC]) == [replace(mixed, every="15m", timezone="UTC"), PUSH]
    assert await store.seed_jobs([]) == [replace(mixed, every="15m", timezone="UTC"), PUSH]


async def test_a_value_edited_back_to_what_is_stored_is_an_edit_too(store: AnyStore) -> None:
    await store.seed_jobs([SYNC])
    await store.put_job(replace(SYNC, enabled=False))
    await store.seed_jobs([replace(SYNC, enabled=False)])
    await store.put_job(replace(SYNC, enabled=True))
    assert await store.seed_jobs([replace(SYNC, enabled=False)]) == [SYNC]


async def test_putting_a_job_leaves_its_last_run(store: AnyStore) -> None:
    await store.seed_jobs([SYNC])
    await store.begin_run(run_of())
    await store.put_job(replace(SYNC, every="2h", last_run_at=None))
    assert (await store.seed_jobs([SYNC]))[0] == replace(SYNC, every="2h", last_run_at=START + 5 * MINUTE)


async def test_a_job_that_is_not_there_is_unknown(store: AnyStore) -> None:
    await store.seed_jobs([SYNC])
    with pytest.raises(errors.UnknownJob, match="ManagePushSubscriptions"):
        await store.put_job(PUSH)


async def test_a_job_that_is_unknown_sinks_nothing_else(store: AnyStore) -> None:
    land = Lander(store, await activate(store))
    waiting = [land(mailbox=SYNCED), store.put_job(PUSH), store.begin_run(run_of()), store.make_due([BOB])]
    _, refused, begun, _ = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(refused, errors.UnknownJob)
    assert begun == run_of()
    assert (await activate(store)).mailbox == SYNCED


# Runs


async def test_jobs_show_their_latest_run(store: AnyStore) -> None:
    await store.seed_jobs([SYNC, PUSH])
    assert await store.jobs() == [JobState(SYNC), JobState(PUSH)]
    assert await store.begin_run(run_of()) == run_of()
    started = replace(SYNC, last_run_at=START + 5 * MINUTE)
    assert await store.jobs() == [JobState(started, run_of()), JobState(PUSH)]
    over = replace(run_of(), finished_at=START + 6 * MINUTE, outcome=Outcome.PARTIAL, operators=2, done=2, failed=1)
    over = replace(over, emails=7, subscriptions=3, message="1 operator fails")
    await store.put_run(over)
    assert (await store.jobs())[0].latest == over
    later = replace(run_of(run_id="r2", at=START + 9 * MINUTE), trigger=Trigger.MANUAL)
    await store.begin_run(later)
    assert (await store.jobs())[0].latest == later
    assert (await store.jobs())[1].latest is None


async def test_one_run_of_a_job_is_open_at_a_time(store: AnyStore) -> None:
    await store.seed_jobs([SYNC, PUSH])
    rivals = [replace(run_of(run_id=f"r{n}", at=START + n * MINUTE), trigger=Trigger.MANUAL) for n in range(5)]
    begun = await asyncio.gather(*(store.begin_run(one) for one in rivals))
    assert begun == [rivals[0]] * 5
    assert await store.begin_run(run_of(JobName.MANAGE_PUSH_SUBSCRIPTIONS, "p1")) == run_of(
        JobName.MANAGE_PUSH_SUBSCRIPTIONS, "p1"
    )
    assert [one.job.last_run_at for one in await store.jobs()] == [START, START + 5 * MINUTE]
    await store.put_run(replace(rivals[0], finished_at=START + MINUTE, outcome=Outcome.SUCCEEDED))
    assert await store.begin_run(rivals[3]) == rivals[3]


async def test_the_latest_runs_of_a_job_are_kept(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for where in (runs, store_jobs):
        assert where.KEPT_RUNS == 1000
        monkeypatch.setattr(where, "KEPT_RUNS", 20)
    await store.put_run(replace(run_of(JobName.MANAGE_PUSH_SUBSCRIPTIONS, "push", START), finished_at=START))
    old = [replace(run_of(run_id=f"r{n:02}", at=START + n * MINUTE), finished_at=START + n * MINUTE) for n in range(22)]
    await asyncio.gather(*(store.put_run(one) for one in reversed(old)))
    assert await kept_runs(store) == {"push", *(one.run_id for one in old[2:])}


async def kept_runs(store: AnyStore) -> set[str]:
    return {row["run_id"] for row in (await store.page(Listing(View.JOB_RUNS, limit=1000))).items}


# By hand


async def test_a_run_by_hand_takes_mailboxes_out_of_their_backoff(store: AnyStore) -> None:
    await store.seed_jobs([SYNC])
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    await ann(mailbox=FAILED)
    await bob(mailbox=SYNCED)
    now = START + 5 * MINUTE
    assert await syncing(store, now) == []
    assert await store.begin_run(run_of()) == run_of()
    assert await syncing(store, now) == [], "one by schedule respects backoffs"
    assert await syncing(store, now, run_of()) == [BOB]
    await store.put_run(replace(run_of(), finished_at=now))
    by_hand = replace(run_of(run_id="r2"), trigger=Trigger.MANUAL)
    await store.begin_run(by_hand)
    assert await syncing(store, now) == [ANN]
    assert (await activate(store)).mailbox == replace(FAILED, next_sync_at=now)
    assert (await activate(store, BOB)).mailbox == SYNCED


async def test_a_run_by_hand_puts_off_nobody_who_is_due(store: AnyStore) -> None:
    await Lander(store, await activate(store))(mailbox=replace(FAILED, next_sync_at=START + MINUTE))
    await store.begin_run(replace(run_of(), trigger=Trigger.MANUAL))
    assert (await activate(store)).mailbox.next_sync_at == START + MINUTE


async def test_a_run_by_hand_of_subscriptions_frees_those_that_failed(store: AnyStore) -> None:
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    refused = replace(LIVE, status=SubscriptionStatus.FAILED, next_attempt_at=START + 60 * MINUTE)
    live = replace(LIVE, next_attempt_at=START + 60 * MINUTE)
    await ann(mailbox=FAILED, subscription=refused)
    await bob(subscription=live)
    await store.begin_run(replace(run_of(JobName.MANAGE_PUSH_SUBSCRIPTIONS), trigger=Trigger.MANUAL))
    assert (await activate(store)).subscription == replace(refused, next_attempt_at=None)
    assert (await activate(store, BOB)).subscription == live
    assert (await activate(store)).mailbox == FAILED


# Who is left to do


@pytest.mark.parametrize(
    ("record", "left"),
    [
        (MailboxRecord(), True),
        (SYNCED, True),
        (replace(SYNCED, last_success_at=START + 5 * MINUTE), False),
        (replace(SYNCED, error_at=START + 5 * MINUTE), False),
        (replace(SYNCED, error_at=START + 6 * MINUTE), False),
        (replace(SYNCED, last_success_at=START + 4 * MINUTE, error_at=START + 3 * MINUTE), True),
        (FAILED, False),
        (replace(FAILED, status=MailboxStatus.FAILING), False),
        (replace(FAILED, status=MailboxStatus.SYNCING), True),
        (replace(FAILED, error_code="FOLDER_MISSING"), True),
        (replace(FAILED, error_code=None), False),
        (replace(FAILED, error_code="FOLDER_MISSING", error_at=START + 9 * MINUTE), False),
        (replace(FAILED, next_sync_at=START + 7 * MINUTE), True),
        (replace(FAILED, next_sync_at=None), True),
    ],
)
async def test_whom_a_run_has_left_to_do(store: AnyStore, record: MailboxRecord, left: bool) -> None:
    await Lander(store, await activate(store))(mailbox=record)
    await Lander(store, await activate(store, BOB))(mailbox=replace(SYNCED, last_success_at=START + 9 * MINUTE))
    now = START + 7 * MINUTE
    of_its_own = record.next_sync_at is not None and record.next_sync_at <= now
    assert (ANN in await syncing(store, now)) is of_its_own
    assert (ANN in await syncing(store, now, run_of())) is (left or of_its_own)
    assert (await store.progress(run_of(), now)).done == 2 - left


async def test_without_a_run_or_a_time_of_its_own_a_mailbox_is_left_alone(store: AnyStore) -> None:
    land = Lander(store, await activate(store))
    await land(mailbox=SYNCED, subscription=LIVE)
    assert ANN not in {one.operator_id for one in await store.due(START + MINUTE, 9)}
    await store.make_due([ANN])
    assert DueOperator(ANN, True, False) in await store.due(START + MINUTE, 9)


async def test_in_a_run_those_go_first_whose_last_attempt_is_oldest(store: AnyStore) -> None:
    names = [OperatorId(name) for name in ("carl", "dora", "emil", "fay")]
    await store.put_operators([Operator(one, f"{one}@example.com") for one in names])
    landers = {one.operator.operator_id: Lander(store, one) for one in await store.activate([ANN, BOB, *names])}
    carl, dora, emil, fay = names
    await landers[ANN](mailbox=SYNCED)
    await landers[BOB](mailbox=replace(SYNCED, last_success_at=START - MINUTE))
    await landers[carl](mailbox=replace(SYNCED, last_success_at=START - 9 * MINUTE, error_at=START + MINUTE))
    await landers[dora](mailbox=replace(SYNCED, next_sync_at=START + 4 * MINUTE))
    await landers[emil](mailbox=replace(SYNCED, next_sync_at=START + 6 * MINUTE, last_success_at=START + 6 * MINUTE))
    assert await syncing(store, START + 7 * MINUTE, run_of()) == [fay, dora, BOB, ANN, carl, emil]
    assert [one.operator_id for one in await store.due(START + 7 * MINUTE, 2, START + 5 * MINUTE)] == [fay, dora]


async def test_those_who_only_want_a_subscription_come_last_and_in_turn(store: AnyStore) -> None:
    carl = OperatorId("carl")
    await store.put_operators([Operator(carl, "carl@example.com")])
    ann, bob, car = (Lander(store, one) for one in await store.activate([ANN, BOB, carl]))
    refused = replace(LIVE, status=SubscriptionStatus.FAILED)
    await ann(mailbox=SYNCED, subscription=replace(refused, next_attempt_at=START + MINUTE))
    await bob(mailbox=SYNCED, subscription=replace(refused, next_attempt_at=START))
    await car(mailbox=SYNCED)
    assert await store.due(START + MINUTE, 9) == [DueOperator(one, False, True) for one in (carl, BOB, ANN)]


# Progress


async def test_progress_of_an_email_sync(store: AnyStore, time: Time) -> None:
    names = [OperatorId(name) for name in ("carl", "dora", "emil")]
    await store.put_operators([Operator(one, f"{one}@example.com", email_sync=one != "emil") for one in names])
    ann, bob, carl, _ = (Lander(store, one) for one in await store.activate([ANN, BOB, *names[:2]]))
    await ann(folder=INBOX, emails=emails({"item_id": "old"}, {"item_id": "dead"}))
    time.pass_by(minutes=5)
    assert await store.progress(run_of(), time.now) == Progress(operators=4)
    await ann(folder=INBOX, emails=emails({"item_id": "1"}, {"item_id": "2"}), subscription=LIVE)
    await ann(folder=INBOX, emails=emails({"item_id": "old", "change_key": "new"}), deleted=(ItemId("dead"),))
    await ann(folder=INBOX, deleted=(ItemId("2"),), mailbox=replace(SYNCED, last_success_at=time.now))
    await bob(mailbox=FAILED, subscription=replace(LIVE, created_at=time.now))
    await carl(mailbox=replace(SYNCED, status=MailboxStatus.FAILING, next_sync_at=START, error_code="THROTTLED"))
    assert await store.progress(run_of(), time.now) == Progress(4, done=2, failed=1, emails=2, subscriptions=1)


async def test_progress_of_subscriptions(store: AnyStore) -> None:
    names = [OperatorId(name) for name in ("carl", "dora", "emil", "fay")]
    await store.put_operators([Operator(one, f"{one}@example.com", email_sync=one != "emil") for one in names])
    run, now = run_of(JobName.MANAGE_PUSH_SUBSCRIPTIONS), START + 7 * MINUTE
    ann, bob, carl, dora = (Lander(store, one) for one in await store.activate([ANN, BOB, *names[:2]]))
    assert await store.progress(run, now) == Progress(operators=5)
    await ann(subscription=LIVE)
    await bob(subscription=replace(LIVE, status=SubscriptionStatus.FAILED, next_attempt_at=START + 9 * MINUTE))
    await carl(subscription=replace(LIVE, created_at=START + 6 * MINUTE, heard_at=None, unheard=1))
    await dora(subscription=replace(LIVE, status=SubscriptionStatus.LOST))
    assert await store.progress(run, now) == Progress(5, done=3, failed=2, subscriptions=1)


# Operators who change


@pytest.mark.parametrize(
    ("changed", "fenced"),
    [
        (Operator(ANN, "ann@example.com", "Ann"), False),
        (Operator(ANN, "ann@example.com", "Another Name"), False),
        (Operator(ANN, "ann@new.example.com", "Ann"), True),
        (Operator(ANN, "ann@example.com", "Ann", email_sync=False), True),
    ],
)
async def test_an_operator_who_changed_is_activated_anew(store: AnyStore, changed: Operator, fenced: bool) -> None:
    land, bob = Lander(store, await activate(store)), Lander(store, await activate(store, BOB))
    await store.put_operators([changed, Operator(BOB, "bob@example.com")])
    record = FolderRecord(INBOX.folder_id, "inbox")
    if fenced:
        with pytest.raises(errors.StaleEpoch):
            await land(folder_record=record)
        land.epoch = (await activate(store)).epoch
    await land(folder_record=record)
    await bob(folder_record=record)


async def test_enabling_again_fences_what_was_activated_while_disabled(store: AnyStore, time: Time) -> None:
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann", email_sync=False)])
    land = Lander(store, await activate(store))
    time.pass_by(minutes=1)
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann")])
    with pytest.raises(errors.StaleEpoch):
        await land(mailbox=SYNCED)
    assert (await activate(store)).mailbox.next_sync_at == time.now
