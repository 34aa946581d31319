"""The mailbox's sync by example: while it is held, what is new is done and the backfill waits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import FolderMissing, SourceUnavailable, Throttled
from engine.model import ItemId, MailboxStatus
from engine.sync.actions import Rest, SubscribeAsked, SyncAsked
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, asked, deliver, failed, fetched, passed

WISH = SubscribeAsked("serial-1", "http://127.0.0.1/x", 30)


def hold_at(harness: Harness, method: str, number: int) -> None:
    """Hold the mailbox while the n-th call of this method is under way."""

    def hold(called: str) -> None:
        if called == method and len(asked(harness, method)) == number:
            harness.hold(True)

    harness.on_call = hold


def held(harness: Harness) -> Rest:
    """A pass that rests with its backfill on hold."""
    end = harness.run()
    assert isinstance(end, Rest)
    assert (end.held, end.failure) == (True, None)
    return end


def broken_off(harness: Harness) -> list[ItemId]:
    """A mailbox held in the middle of its backfill, some of it landed and some of it pending."""
    items = deliver(harness, 9)
    hold_at(harness, "fetch_items", 2)
    held(harness)
    harness.on_call = None
    assert harness.store.mailbox(ANN).pages
    assert harness.store.current(ANN)
    harness.source.calls.clear()
    return items


class TestStopping:
    def test_a_mailbox_never_drained_reads_nothing(self, harness: Harness) -> None:
        deliver(harness, 4)
        harness.hold(True)
        held(harness)
        assert [name for name, _, _ in harness.source.calls] == ["resolve_folders"]
        record = harness.store.mailbox(ANN).record
        assert (record.status, record.last_success_at) == (MailboxStatus.SYNCING, None)
        harness.settle()
        harness.compare()

    @pytest.mark.parametrize("number", range(1, 5))
    def test_a_listing_stops_at_its_next_page(self, harness: Harness, number: int) -> None:
        deliver(harness, 10)  # the last page is small enough to be fetched at once
        hold_at(harness, "read_changes", number)
        held(harness)
        assert len(asked(harness, "read_changes")) == number
        assert not fetched(harness), "not even the few of a last page"
        harness.on_call = None
        harness.settle()
        harness.compare()

    @pytest.mark.parametrize("number", range(1, 5))
    def test_fetches_stop_at_the_next_page(self, harness: Harness, number: int) -> None:
        deliver(harness, 9)
        hold_at(harness, "fetch_items", number)
        held(harness)
        assert len(fetched(harness)) == number
        landed = {item for page in fetched(harness) for item in page}
        assert set(harness.store.current(ANN)) == landed, "what was under way has landed"
        harness.on_call = None
        harness.settle()
        harness.compare()

    def test_it_is_no_success_and_no_failure(self, harness: Harness) -> None:
        broken_off(harness)
        record = harness.store.mailbox(ANN).record
        assert (record.last_success_at, record.error_at, record.attempts) == (None, None, 0)

    def test_it_is_no_recovery_either(self, harness: Harness) -> None:
        deliver(harness, 9)
        harness.source.fail_next(SourceUnavailable("reset"), method="fetch_items", times=2)
        failed(harness)
        before = harness.store.mailbox(ANN).record
        harness.hold(True)
        held(harness)
        assert harness.store.mailbox(ANN).record == before
        assert len(fetched(harness)) == 1

    def test_with_nothing_to_write_down_it_costs_no_landing(self, harness: Harness) -> None:
        broken_off(harness)
        before = len(harness.store.landings)
        held(harness)
        assert len(harness.store.landings) == before

    def test_a_mailbox_without_backfill_succeeds(self, harness: Harness) -> None:
        deliver(harness, 4)
        passed(harness)
        harness.hold(True)
        fresh = deliver(harness, 7)
        end = harness.run()
        assert isinstance(end, Rest)
        assert not end.held
        assert set(fresh) <= set(harness.store.current(ANN))
        harness.compare()

    def test_nothing_to_do_is_a_success(self, harness: Harness) -> None:
        passed(harness)
        harness.clock.advance(timedelta(minutes=1))
        harness.hold(True)
        passed(harness)
        assert harness.store.mailbox(ANN).record.last_success_at == harness.clock.now()

    def test_a_subscription_is_written_down_at_its_end(self, harness: Harness) -> None:
        broken_off(harness)
        end = harness.run(WISH)
        assert isinstance(end, Rest)
        assert end.held
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert record.serial == "serial-1"

    def test_a_missing_folder_is_told_all_the_same(self, harness: Harness) -> None:
        harness.source.remove_folder(ADDRESS, "sentitems")
        deliver(harness, 4)
        harness.hold(True)
        end = failed(harness)
        assert end.held
        assert end.failure is not None
        assert end.failure.code == "FOLDER_MISSING"
        assert not asked(harness, "read_changes")

    def test_a_quarantined_item_waits(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.unreadable(item)
        passed(harness)
        harness.clock.advance(SMALL.quarantine_waits[0])
        harness.source.calls.clear()
        harness.hold(True)
        held(harness)
        assert not fetched(harness)


class TestWhatIsNew:
    def test_new_mail_lands_and_older_pages_stay(self, harness: Harness) -> None:
        broken_off(harness)
        pages = set(harness.store.mailbox(ANN).pages)
        assert all(record.drained for record in harness.store.mailbox(ANN).folders.values())
        fresh = deliver(harness, 7)
        held(harness)
        assert set(fresh) <= set(harness.store.current(ANN))
        assert {item for page in fetched(harness) for item in page} == set(fresh)
        assert set(harness.store.mailbox(ANN).pages) == pages
        harness.settle()
        harness.compare()

    def test_new_mail_whose_fetch_failed_is_fetched_by_the_next_pass(self, harness: Harness) -> None:
        broken_off(harness)
        fresh = deliver(harness, 7)
        harness.source.fail_next(Throttled("busy"), method="fetch_items", times=1)
        failed(harness)
        held(harness)
        assert set(fresh) <= set(harness.store.current(ANN))

    def test_what_has_been_fetched_is_remembered_no_longer(self, harness: Harness) -> None:
        passed(harness)
        harness.hold(True)
        deliver(harness, 7)
        passed(harness)
        assert harness.state is not None
        assert not harness.state.fresh

    def test_its_halves_are_new_too(self, harness: Harness) -> None:
        broken_off(harness)
        fresh = deliver(harness, 5)
        harness.source.fail_next(SourceUnavailable("reset"), method="fetch_items", times=2)
        failed(harness)
        failed(harness)  # from the second failure on, less is asked for
        held(harness)
        assert set(fresh) <= set(harness.store.current(ANN))

    def test_new_mail_listed_before_a_restart_is_known_by_its_date(self, harness: Harness) -> None:
        passed(harness)
        old = [
            harness.source.deliver(ADDRESS, received_at=harness.clock.now() - timedelta(days=days))
            for days in (2, 3, 4)
        ]
        fresh = deliver(harness, 3)
        harness.source.fail_next(Throttled("busy"), method="fetch_items", times=1)
        failed(harness)
        harness.restart()
        harness.hold(True)
        held(harness)
        landed = set(harness.store.current(ANN))
        assert set(fresh) <= landed
        assert landed.isdisjoint(old)
        harness.settle()
        harness.compare()

    def test_a_refused_token_hides_no_new_mail(self, harness: Harness) -> None:
        items = deliver(harness, 7)
        passed(harness)
        harness.clock.advance(timedelta(minutes=1))
        harness.source.delete(ADDRESS, items[3])
        harness.source.refuse_tokens(ADDRESS)
        harness.hold(True)
        fresh = deliver(harness, 4)
        end = harness.run()
        assert isinstance(end, Rest)
        assert not end.held
        assert set(fresh) <= set(harness.store.current(ANN))
        harness.compare()

    def test_a_subscription_is_made(self, harness: Harness) -> None:
        deliver(harness, 4)
        harness.hold(True)
        end = harness.run(WISH)
        assert isinstance(end, Rest)
        assert end.held
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert record.serial == "serial-1"
        assert not fetched(harness)

    def test_a_wider_window_waits(self, harness: Harness) -> None:
        old = harness.source.deliver(ADDRESS, received_at=harness.clock.now() - timedelta(days=40))
        passed(harness)
        harness.policy = replace(SMALL, sync_from=timedelta(days=60))
        harness.restart()
        harness.hold(True)
        passed(harness)
        assert old not in harness.store.current(ANN)
        harness.hold(False)
        passed(harness)
        assert old in harness.store.current(ANN)
        harness.compare()

    def test_a_window_widened_before_the_hold_brings_nothing_old(self, harness: Harness) -> None:
        old = [
            harness.source.deliver(ADDRESS, received_at=harness.clock.now() - timedelta(days=days))
            for days in range(40, 49)
        ]
        deliver(harness, 1)
        passed(harness)
        harness.policy = replace(SMALL, sync_from=timedelta(days=60))
        harness.restart()
        harness.source.calls.clear()
        hold_at(harness, "read_changes", 2)
        held(harness)
        assert not fetched(harness)
        assert set(old).isdisjoint(harness.store.current(ANN))
        harness.on_call = None
        harness.settle()
        harness.compare()

    def test_a_replaced_folder_keeps_its_rows_until_the_new_one_may_be_read(self, harness: Harness) -> None:
        items = deliver(harness, 4)
        passed(harness)
        harness.source.remove_folder(ADDRESS, "inbox")
        harness.source.add_folder(ADDRESS, "inbox")
        harness.restart()
        harness.hold(True)
        held(harness)
        assert set(harness.store.current(ANN)) == set(items)
        harness.settle()
        harness.compare()

    def test_a_folder_replaced_twice_leaves_no_ghost(self, harness: Harness) -> None:
        deliver(harness, 4)
        passed(harness)
        harness.hold(True)
        for _ in range(2):
            harness.source.remove_folder(ADDRESS, "inbox")
            harness.source.add_folder(ADDRESS, "inbox")
            harness.source.fail_next(FolderMissing("gone"), method="read_changes")
            held(harness)
        deliver(harness, 1)
        harness.hold(False)
        passed(harness)
        harness.compare()


class TestGoingOn:
    def test_the_next_ask_takes_up_what_was_left(self, harness: Harness) -> None:
        items = broken_off(harness)
        harness.hold(False)
        assert not harness.source.calls, "letting go asks for nothing by itself"
        passed(harness)
        assert set(harness.store.current(ANN)) == set(items)
        harness.compare()

    def test_a_pass_let_go_before_it_rests_goes_on(self, harness: Harness) -> None:
        deliver(harness, 9)
        hold_at(harness, "fetch_items", 2)
        hold = harness.on_call

        def release(method: str) -> None:
            if hold is not None:
                hold(method)
            if method == "land" and harness.held:
                harness.hold(False)

        harness.on_call = release
        passed(harness)
        harness.compare()

    def test_let_go_while_the_end_is_written_down_it_goes_on(self, harness: Harness) -> None:
        deliver(harness, 4)
        harness.hold(True)
        harness.on_call = lambda method: harness.hold(False) if method == "land" else None
        passed(harness)
        harness.compare()

    def test_held_while_the_end_is_written_down_it_has_succeeded(self, harness: Harness) -> None:
        deliver(harness, 1)
        lands = 0

        def hold(method: str) -> None:
            nonlocal lands
            lands += method == "land"
            if method == "land" and lands == 3:
                harness.hold(True)

        harness.on_call = hold
        end = harness.run(between=[SyncAsked(urgent=True)])
        assert isinstance(end, Rest)
        assert not end.held
        harness.compare()

    @pytest.mark.parametrize("die", range(10))
    def test_a_death_while_held_loses_nothing(self, harness: Harness, die: int) -> None:
        deliver(harness, 9)
        hold_at(harness, "read_changes", 2)
        harness.kill_in = die
        harness.run()
        harness.on_call = None
        harness.kill_in = None
        harness.run()
        harness.settle()
        harness.compare()


def test_a_folder_missing_in_the_middle_of_a_held_pass_is_looked_for() -> None:
    harness = Harness()
    passed(harness)
    harness.hold(True)
    harness.source.fail_next(FolderMissing("gone"), method="read_changes")
    (item,) = deliver(harness, 1)
    end = harness.run()
    assert isinstance(end, Rest)
    assert item in harness.store.current(ANN)
