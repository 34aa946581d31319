"""The mailbox's sync by example: items that cannot be read."""

from datetime import timedelta

import pytest

from engine.errors import ResponseUnreadable, SourceUnavailable
from engine.model import ItemId, MailboxStatus
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, asked, deliver, failed, fetched, passed, wait


class TestUnreadable:
    @pytest.mark.parametrize("count", [1, 2, 3, 7])
    def test_one_item_is_set_aside_and_the_others_land(self, harness: Harness, count: int) -> None:
        items = deliver(harness, count)
        harness.source.unreadable_in_batches(items[0])
        harness.source.unreadable(items[0], "ErrorContentConversionFailed", "no luck")
        passed(harness)
        assert set(harness.store.current(ANN)) == set(items[1:])
        (entry,) = harness.store.mailbox(ANN).quarantined.values()
        assert (entry.item_id, entry.code, entry.reason) == (
            items[0],
            "ITEM_UNREADABLE",
            "ErrorContentConversionFailed: no luck",
        )
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
        assert (entry.item_id, entry.code, entry.reason) == (bad, "ITEM_UNREADABLE", "ErrorOdd: not XML")
        assert set(harness.store.current(ANN)) == {good}
        assert times == 3  # at once, the queued pair, alone

    def test_it_is_tried_again_later_and_released(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.unreadable(item)
        passed(harness)
        harness.source.calls.clear()
        passed(harness)
        assert not fetched(harness), "not before its time"
        for attempt, waited in enumerate((*SMALL.quarantine_waits, SMALL.quarantine_waits[-1]), 2):
            due = harness.store.mailbox(ANN).record.next_sync_at
            assert due == harness.clock.now() + waited, "nobody else may ask for a pass by then"
            harness.clock.advance(waited)
            passed(harness)
            (entry,) = harness.store.mailbox(ANN).quarantined.values()
            assert entry.attempts == attempt
        harness.source.readable(item)
        harness.clock.advance(timedelta(days=1))
        harness.restart()
        passed(harness)
        assert item in harness.store.current(ANN)
        assert harness.store.mailbox(ANN).record.next_sync_at is None
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
        harness.clock.advance(SMALL.quarantine_waits[0])
        passed(harness)
        assert not harness.store.mailbox(ANN).quarantined

    def test_a_listing_that_cannot_be_read_is_asked_in_smaller_pages(self, harness: Harness) -> None:
        deliver(harness, 3)
        harness.source.fail_next(ResponseUnreadable("not XML"), method="read_changes")
        passed(harness)
        limits = [what[2] for what in asked(harness, "read_changes")]
        assert limits[:3] == [3, 1, 3]
        harness.compare()


BROKEN = "ErrorInternalServerError"


class TestMoods:
    """ErrorInternalServerError: most of the time it passes, now and then it is the item's for good."""

    def test_those_that_are_given_land_and_the_others_are_asked_for_again_soon(self, harness: Harness) -> None:
        items = deliver(harness, 2)
        harness.source.moody(items[0])
        end = failed(harness)
        assert end.failure is not None
        assert end.failure.code == "STORE_DOWN"
        assert set(harness.store.current(ANN)) == {items[1]}
        assert not harness.store.mailbox(ANN).quarantined
        assert [page.item_ids for page in harness.store.mailbox(ANN).pages.values()] == [(items[0],)]
        assert wait(harness, end) <= SMALL.first_backoff * 1.25
        harness.source.readable(items[0])
        passed(harness)
        harness.compare()

    @pytest.mark.parametrize("count", [1, 2, 5])
    @pytest.mark.parametrize("bad", [1, 2, 4])
    def test_what_never_passes_is_set_aside_after_some_attempts(self, harness: Harness, count: int, bad: int) -> None:
        items = deliver(harness, count)
        spoilt = items[:bad] if count > bad else items[:1]
        for item in spoilt:
            harness.source.moody(item)
        began = harness.clock.now()
        _attempt_until_synced(harness)
        assert harness.clock.now() - began < timedelta(minutes=5)
        entries = harness.store.mailbox(ANN).quarantined
        assert set(entries) == set(spoilt)
        assert {entry.code for entry in entries.values()} == {"ITEM_UNREADABLE"}
        assert all(BROKEN in entry.reason for entry in entries.values())
        assert set(harness.store.current(ANN)) == set(items) - set(spoilt)

    def test_set_aside_already_it_makes_no_mailbox_fail(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.moody(item)
        _attempt_until_synced(harness)
        for _ in range(5):
            harness.clock.advance(timedelta(days=1))
            passed(harness)
        (entry,) = harness.store.mailbox(ANN).quarantined.values()
        assert entry.attempts == 6

    def test_where_nothing_can_be_fetched_the_mailbox_fails_and_not_its_items(self, harness: Harness) -> None:
        (first,) = deliver(harness, 1)
        passed(harness)
        new: list[ItemId] = []
        while harness.store.mailbox(ANN).record.status is not MailboxStatus.FAILED:
            assert len(new) < 100
            (item,) = deliver(harness, 1)
            harness.source.moody(item)
            new.append(item)
            harness.run()
        assert len(harness.store.mailbox(ANN).quarantined) <= 1
        for item in new:
            harness.source.readable(item)
        harness.clock.advance(timedelta(hours=1))
        passed(harness)
        assert set(harness.store.current(ANN)) == {first, *new}

    def test_a_connection_that_one_item_breaks_sets_it_aside_by_our_code(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.fail_next(SourceUnavailable("reset"), method="fetch_items", times=9)
        _attempt_until_synced(harness)
        entry = harness.store.mailbox(ANN).quarantined[item]
        assert (entry.code, entry.reason) == ("ITEM_UNREADABLE", "STORE_DOWN: reset")


def _attempt_until_synced(harness: Harness) -> None:
    """Passes, each at its time."""
    record = None
    while record is None or record.status is not MailboxStatus.SYNCED:
        assert harness.run() is not None
        record = harness.store.mailbox(ANN).record
        if record.status is not MailboxStatus.SYNCED:
            assert record.status is MailboxStatus.FAILING
            assert record.next_sync_at is not None
            harness.clock.advance(record.next_sync_at - harness.clock.now())


class TestNotFound:
    @pytest.mark.parametrize("count", [1, 5])
    def test_an_item_that_is_denied_lands_at_a_second_look(self, harness: Harness, count: int) -> None:
        item, *others = deliver(harness, count)
        harness.source.deny(item, 1)
        passed(harness)
        assert set(harness.store.current(ANN)) == set(others)
        record = harness.store.mailbox(ANN).record
        assert record.status is MailboxStatus.SYNCED
        assert record.next_sync_at == harness.clock.now() + SMALL.missing_waits[0], "nobody else may ask by then"
        harness.clock.advance(SMALL.missing_waits[0])
        passed(harness)
        assert set(harness.store.current(ANN)) == {item, *others}
        assert not harness.store.mailbox(ANN).quarantined

    def test_whatever_stays_away_is_let_go(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.deny(item, 1_000_000)
        passed(harness)
        for waited in SMALL.missing_waits:
            (entry,) = harness.store.mailbox(ANN).quarantined.values()
            assert entry.reason.startswith("ErrorItemNotFound: ")
            harness.clock.advance(waited)
            passed(harness)
        assert not harness.store.mailbox(ANN).quarantined
        assert harness.store.mailbox(ANN).record.next_sync_at is None
        assert len(fetched(harness)) == 1 + len(SMALL.missing_waits)

    def test_the_delete_of_what_is_really_gone_ends_it_without_another_request(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.vanish(item)
        passed(harness)
        assert set(harness.store.mailbox(ANN).quarantined) == {item}
        harness.source.calls.clear()
        harness.clock.advance(SMALL.missing_waits[0])
        passed(harness)
        assert not harness.store.mailbox(ANN).quarantined
        assert not fetched(harness)
