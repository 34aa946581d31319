"""Fetches that fail again and again: less is asked for, until the one item that is the cause stands alone."""

from datetime import timedelta

from engine.errors import SourceUnavailable, Throttled
from engine.model import ItemId
from engine.sync.policy import SyncPolicy
from tests.unit.sync.harness import ADDRESS, ANN, Harness

POLICY = SyncPolicy(batch_size=512, fetch_items=8, sync_from=timedelta(days=30))


def passes(harness: Harness, count: int) -> None:
    for _ in range(count):
        harness.clock.advance(timedelta(minutes=20))
        harness.run()


def fetched_at_once(harness: Harness) -> list[int]:
    return [len(asked[1]) for method, _, asked in harness.source.calls if method == "fetch_items"]  # type: ignore[index]


def test_a_budget_that_runs_out_in_every_page_is_met_by_smaller_pages() -> None:
    harness = Harness(POLICY)
    for _ in range(8):
        harness.source.deliver(ADDRESS)
    harness.source.before_call = None
    _refuse_more_than(harness, 2, Throttled("busy", retry_after=0))
    passes(harness, 12)
    assert len(harness.store.current(ANN)) == 8
    assert min(fetched_at_once(harness)) <= 2
    harness.settle()
    harness.compare()


def test_an_item_that_breaks_the_connection_is_set_aside_and_the_others_land() -> None:
    harness = Harness(POLICY)
    items = [harness.source.deliver(ADDRESS) for _ in range(8)]
    _break_on(harness, items[5])
    passes(harness, 16)
    assert set(harness.store.current(ANN)) == set(items) - {items[5]}
    assert set(harness.store.mailbox(ANN).quarantined) == {items[5]}


def test_throttling_alone_quarantines_nothing() -> None:
    harness = Harness(POLICY)
    for _ in range(3):
        harness.source.deliver(ADDRESS)
    _refuse_more_than(harness, 0, Throttled("busy"))
    passes(harness, 16)
    assert not harness.store.mailbox(ANN).quarantined


def _refuse_more_than(harness: Harness, most: int, error: Exception) -> None:
    fetch = harness.source.fetch_items

    async def limited(mailbox: str, folder: object, item_ids: list[ItemId]) -> object:
        if len(item_ids) > most:
            harness.source.calls.append(("fetch_items", mailbox, (folder, tuple(item_ids))))
            raise error
        return await fetch(mailbox, folder, item_ids)  # type: ignore[arg-type]

    harness.source.fetch_items = limited  # type: ignore[method-assign,assignment]


def _break_on(harness: Harness, bad: ItemId) -> None:
    fetch = harness.source.fetch_items

    async def breaking(mailbox: str, folder: object, item_ids: list[ItemId]) -> object:
        if bad in item_ids:
            raise SourceUnavailable("connection reset")
        return await fetch(mailbox, folder, item_ids)  # type: ignore[arg-type]

    harness.source.fetch_items = breaking  # type: ignore[method-assign,assignment]
