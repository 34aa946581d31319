"""The mailbox's sync by example: items that cannot be read."""

import pytest

from engine.errors import (
    ResponseUnreadable,
)
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, asked, deliver, fetched, passed


class TestUnreadable:
    @pytest.mark.parametrize("count", [1, 2, 3, 7])
    def test_one_item_is_set_aside_and_the_others_land(self, harness: Harness, count: int) -> None:
        items = deliver(harness, count)
        harness.source.unreadable_in_batches(items[0])
        harness.source.unreadable(items[0], "ErrorContentConversionFailed", "no luck")
        passed(harness)
        assert set(harness.store.current(ANN)) == set(items[1:])
        (entry,) = harness.store.mailbox(ANN).quarantined.values()
        assert (entry.item_id, entry.code, entry.reason) == (items[0], "ErrorContentConversionFailed", "no luck")
        assert entry.attempts == 1
        assert not harness.store.mailbox(ANN).pages

    def test_an_answer_that_cannot_be_read_even_alone_is_set_aside(self, harness: Harness) -> None:
        bad, good = deliver(harness, 2)
        times = 0

        def spoil(method: str) -> None:
            nonlocal times
            if method == "fetch_items" and bad in fetched(harness)[-1]:
                times += 1
                harness.source.fail_next(ResponseUnreadable("not XML", code="ErrorOdd"), method="fetch_items")

        harness.on_call = spoil
        passed(harness)
        (entry,) = harness.store.mailbox(ANN).quarantined.values()
        assert (entry.item_id, entry.code) == (bad, "ErrorOdd")
        assert set(harness.store.current(ANN)) == {good}
        assert times == 3  # at once, the queued pair, alone

    def test_it_is_tried_again_later_and_released(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.unreadable(item)
        passed(harness)
        harness.source.calls.clear()
        passed(harness)
        assert not fetched(harness), "not before its time"
        harness.clock.advance(SMALL.quarantine_retry)
        passed(harness)
        (entry,) = harness.store.mailbox(ANN).quarantined.values()
        assert (entry.attempts, entry.next_attempt_at - harness.clock.now()) == (2, 2 * SMALL.quarantine_retry)
        harness.source.readable(item)
        harness.clock.advance(2 * SMALL.quarantine_retry)
        harness.restart()
        passed(harness)
        assert item in harness.store.current(ANN)
        harness.compare()

    def test_an_item_deleted_meanwhile_is_released(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.unreadable(item)
        passed(harness)
        harness.source.delete(ADDRESS, item)
        passed(harness)
        harness.compare()

    def test_an_item_deleted_while_others_arrive_is_released(self, harness: Harness) -> None:
        (bad,) = deliver(harness, 1)
        harness.source.unreadable(bad)
        passed(harness)
        harness.source.delete(ADDRESS, bad)
        deliver(harness, 1)
        passed(harness)
        harness.compare()

    def test_an_item_gone_when_it_is_tried_again_is_released_at_once(self, harness: Harness) -> None:
        (bad,) = deliver(harness, 1)
        harness.source.unreadable(bad)
        passed(harness)
        harness.source.readable(bad)
        harness.source.vanish(bad)
        harness.clock.advance(SMALL.quarantine_retry)
        passed(harness)
        assert not harness.store.mailbox(ANN).quarantined

    def test_a_listing_that_cannot_be_read_is_asked_in_smaller_pages(self, harness: Harness) -> None:
        deliver(harness, 3)
        harness.source.fail_next(ResponseUnreadable("not XML"), method="read_changes")
        passed(harness)
        limits = [what[2] for what in asked(harness, "read_changes")]
        assert limits[:3] == [3, 1, 3]
        harness.compare()
