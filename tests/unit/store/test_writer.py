"""The writer: groups, what happens to a group one of whose landings is bad, and a disk that fills up."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from engine import errors
from engine.jobs.model import JobName, JobRun, Trigger
from engine.model import FolderRecord, ItemId, Landing, MailboxRecord, Operator, OperatorId, SyncToken
from engine.store import DuckDBStore, StoreOptions, writer
from tests.fakes.store_emails import emails
from tests.fakes.store_inspect import current_rows
from tests.fakes.store_words import ANN, BOB, INBOX, START, Lander, Time, activate

RUN = JobRun("r1", JobName.EMAIL_SYNC, Trigger.SCHEDULE, START)


def token(number: int) -> FolderRecord:
    return FolderRecord(INBOX.folder_id, "inbox", SyncToken(str(number)))


async def test_landings_that_wait_share_a_commit(store: DuckDBStore) -> None:
    who = [OperatorId(f"o{n}") for n in range(100)]
    await store.put_operators([Operator(one, f"{one}@example.com") for one in who])
    activations = await store.activate(who)
    before = store.stats.commits
    landings = [
        Landing(
            one.operator.operator_id, one.epoch, folder=INBOX, emails=emails({"item_id": "1"}), folder_record=token(1)
        )
        for one in activations
    ]
    results = await asyncio.gather(*(store.land(one) for one in landings))
    assert {one.inserted for one in results} == {1}
    stats = store.stats
    assert stats.commits - before < 50
    assert stats.largest > 1
    assert (stats.landings, stats.emails, stats.failed, stats.queued) == (100, 100, 0, 0)
    assert (await store.status()).emails == 100


async def test_landings_of_one_operator_keep_their_order(store: DuckDBStore, land: Lander) -> None:
    keys = [f"k{n}" for n in range(20)]
    waiting = [
        land(folder=INBOX, emails=emails({"item_id": "1", "change_key": key}), folder_record=token(n))
        for n, key in enumerate(keys)
    ]
    results = await asyncio.gather(*waiting)
    assert [one.inserted for one in results] == [1] + [0] * 19
    assert current_rows(store, ANN)[ItemId("1")]["change_key"] == keys[-1]
    assert (await activate(store)).folders == (token(19),)


async def test_a_bad_landing_does_not_sink_the_others(store: DuckDBStore) -> None:
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    nameless = FolderRecord(INBOX.folder_id, None, SyncToken("x"))  # type: ignore[arg-type]
    first = ann(folder=INBOX, emails=emails({"item_id": "0"}))
    bad = ann(folder=INBOX, emails=emails({"item_id": "1"}), folder_record=nameless)
    good = [bob(folder=INBOX, emails=emails({"item_id": f"{n}"})) for n in range(5)]
    _, refused, *landed = await asyncio.gather(first, bad, *good, return_exceptions=True)
    assert isinstance(refused, errors.StoreUnavailable)
    assert "NOT NULL" in str(refused)
    assert len(landed) == 5
    assert set(current_rows(store, ANN)) == {"0"}
    assert len(current_rows(store, BOB)) == 5
    assert (await store.status()).emails == 6


async def test_an_activation_sees_the_landings_queued_before_it(store: DuckDBStore, land: Lander) -> None:
    landing = asyncio.ensure_future(land(folder=INBOX, emails=emails({"item_id": "1"}), folder_record=token(1)))
    await asyncio.sleep(0)
    activation = await activate(store)
    assert activation.landed == {INBOX.folder_id: 1}
    assert activation.folders == (token(1),)
    assert (await landing).inserted == 1


async def test_an_error_of_the_machine_fails_the_group_at_once(
    store: DuckDBStore, land: Lander, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(*_: object, **__: object) -> None:
        raise duckdb.IOException("IO Error: could not write: No space left on device\n\nhint")

    with monkeypatch.context() as patched:
        patched.setattr(writer, "write_group", disk_full)
        answers = await asyncio.gather(*(land(mailbox=MailboxRecord()) for _ in range(5)), return_exceptions=True)
    assert {type(one) for one in answers} == {errors.StoreUnavailable}
    assert "free space where store.path is" in str(answers[0])
    assert "hint" not in str(answers[0])
    assert store.stats.retried_singly == 0
    assert (await land(folder=INBOX, emails=emails({"item_id": "1"}))).inserted == 1


async def test_operators_who_may_have_changed_are_fenced(
    store: DuckDBStore, land: Lander, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit in doubt may have happened, and the same change made again would not be one."""

    def in_doubt(*_: object, **__: object) -> None:
        raise duckdb.IOException("IO Error: Failed to commit")

    bob = Lander(store, await activate(store, BOB))
    with monkeypatch.context() as patched:
        patched.setattr(writer, "write_group", in_doubt)
        with pytest.raises(errors.StoreUnavailable):
            await store.put_operators([Operator(ANN, "ann@new.example.com", "Ann")])
    with pytest.raises(errors.StaleEpoch):
        await land(mailbox=MailboxRecord())
    await bob(mailbox=MailboxRecord())


async def test_a_change_that_cannot_be_written_sinks_no_other(store: DuckDBStore, land: Lander) -> None:
    nameless = replace(RUN, message=None)  # type: ignore[arg-type]
    waiting = [land(mailbox=MailboxRecord()), store.put_run(nameless), store.begin_run(RUN)]
    _, refused, begun = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(refused, errors.StoreUnavailable)
    assert "NOT NULL" in str(refused)
    assert begun == RUN
    assert store.stats.retried_singly == 3


async def test_closing_finishes_what_is_queued(path: Path, store: DuckDBStore, time: Time, land: Lander) -> None:
    landings = [asyncio.ensure_future(land(folder=INBOX, emails=emails({"item_id": f"{n}"}))) for n in range(20)]
    await asyncio.sleep(0)
    await store.close()
    assert [one.inserted for one in await asyncio.gather(*landings)] == [1] * 20
    with pytest.raises(errors.StoreUnavailable):
        await land(mailbox=MailboxRecord())
    again = await DuckDBStore.open(path, time)
    assert (await again.status()).emails == 20
    await again.close()


async def test_who_has_gone_away_is_not_answered(store: DuckDBStore, land: Lander) -> None:
    task = asyncio.ensure_future(land(mailbox=MailboxRecord()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await land(folder=INBOX, emails=emails({"item_id": "1"}))).inserted == 1


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As good as a full disk: writes beyond fail with an error of the operating system."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def bulky(number: int) -> str:
    """10 kB no compression makes smaller."""
    return "".join(chr(0x4E00 + (number * 7919 + n * n * 104729) % 20000) for n in range(3400))


@pytest.mark.parametrize("checkpoint_at", ["1GB", "100KB"])
async def test_a_full_disk_is_survived_without_a_restart(tmp_path: Path, time: Time, checkpoint_at: str) -> None:
    """With the small log a checkpoint fails first, and DuckDB wants the database opened anew."""
    store = await DuckDBStore.open(tmp_path / "full.duckdb", time, StoreOptions(checkpoint_at=checkpoint_at))
    await store.put_operators([Operator(ANN, "ann@example.com")])
    land = Lander(store, await activate(store))
    batches = [
        emails(*({"item_id": f"{n}-{i}", "body_text": bulky(n + i)} for i in range(5))) for n in range(0, 400, 5)
    ]
    doubtful = False
    with no_file_larger_than(2_000_000):
        done = 0
        while not doubtful:
            try:
                await land(folder=INBOX, emails=batches[done], folder_record=token(done))
                done += 1
            except errors.StoreUnavailable as error:
                doubtful = True
                assert "check the disk" in str(error)  # noqa: PT017 (what it says matters here)
    [activation] = await store.activate([ANN])
    token_of_folder = activation.folders[0].token
    assert token_of_folder in {str(done - 1), str(done)}
    assert activation.landed == {INBOX.folder_id: 5 * (int(token_of_folder) + 1)}
    land.epoch = activation.epoch
    await land(folder=INBOX, emails=batches[done], folder_record=token(done))
    expected = 5 * (done + 1)
    assert (await store.status()).emails == len(current_rows(store, ANN)) == expected
    assert store.stats.reopened == (checkpoint_at == "100KB")
    await store.close()


async def test_a_reader_that_meets_a_lost_database_has_it_reopened(store: DuckDBStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1"}))
    store._database.writer.close()
    with pytest.raises(errors.StoreUnavailable):
        await store.status()
    assert (await land(folder=INBOX, emails=emails({"item_id": "2"}))).inserted == 1
    assert (await store.status()).emails == 2
    assert store.stats.reopened == 1
