"""New mail that comes while a folder is listed for the first time: it lands before the listing's end, and only once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import (
    FolderMissing,
    ResponseUnreadable,
    SourceError,
    SourceUnavailable,
    Throttled,
)
from engine.model import ItemId
from engine.sync.actions import Rest, SyncAsked
from engine.sync.peek import EVERY
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, asked, deliver, failed, fetched, passed

LONG = 20
NOTICE = SyncAsked(urgent=True)


class Newcomer:
    """New mail, and a notice of it, during the n-th page; what happens to it later is up to the test."""

    def __init__(self, harness: Harness, *pages: int, folder: str = "inbox") -> None:
        self.items: list[ItemId] = []
        self.later: Callable[[str], None] = lambda _method: None
        self.landed_at: int | None = None
        self._harness = harness
        self._pages = pages
        self._folder = folder
        self._read = 0
        harness.on_call = self._on_call

    def _on_call(self, method: str) -> None:
        self.later(method)
        landed = self._harness.store.current(ANN)
        if self.items and self.landed_at is None and self.items[0] in landed:
            self.landed_at = self._read
        if method != "read_changes":
            return
        self._read += 1
        if self._read in self._pages:
            self.items += deliver(self._harness, 1, self._folder)
            self._harness.ask(NOTICE)


def reads(harness: Harness, folder: str = "inbox") -> int:
    return sum(what[0] == folder for what in asked(harness, "read_changes"))


def times_fetched(harness: Harness, item_id: ItemId) -> int:
    return sum(item_id in page for page in fetched(harness))


class TestListing:
    def test_new_mail_lands_before_the_next_page(self, harness: Harness) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)
        landings = passed(harness)
        assert new.landed_at == 2
        assert times_fetched(harness, new.items[0]) == 1, "and the listing does not fetch it again"
        assert asked(harness, "find_newest") == [("inbox", SMALL.fetch_items), ("sentitems", SMALL.fetch_items)]
        # Eight pages with one that holds the new email, and one more read for the notice
        assert reads(harness) == 7 + 1
        assert not any(landing.reconciled for landing in landings)
        assert not harness.store.mailbox(ANN).folders[harness.source.folder(ADDRESS).folder_id].relisted
        harness.compare()

    def test_it_is_known_to_be_unfinished_until_the_listing_is_through(self, harness: Harness) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)
        landings = passed(harness)
        records = [one.folder_record for one in landings if one.folder_record is not None]
        said = [record.relisted for record in records if record.name == "inbox"]
        first = said.index(True)
        assert said == [False] * first + [True] * (len(said) - first - 1) + [False]
        assert new.landed_at is not None

    def test_other_folders_are_looked_at_too(self, harness: Harness) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2, folder="sentitems")
        passed(harness)
        assert new.landed_at == 2
        assert [what[0] for what in asked(harness, "find_newest")] == ["inbox", "sentitems"]
        assert times_fetched(harness, new.items[0]) == 1
        harness.compare()

    def test_whoever_gets_mail_all_the_time_still_gets_on(self, harness: Harness) -> None:
        deliver(harness, 40)
        Newcomer(harness, *range(1, 16))
        passed(harness)
        looks = [what for what in asked(harness, "find_newest") if what[0] == "inbox"]
        assert 1 < len(looks) <= reads(harness) / EVERY + 1
        harness.compare()

    def test_a_short_mailbox_is_not_looked_at(self, harness: Harness) -> None:
        deliver(harness, 2)
        Newcomer(harness, 1)
        passed(harness)
        assert not asked(harness, "find_newest")
        harness.compare()

    def test_without_a_notice_nothing_is_looked_for(self, harness: Harness) -> None:
        deliver(harness, LONG)
        passed(harness, SyncAsked())
        assert not asked(harness, "find_newest")

    def test_a_folder_listed_before_is_not_looked_at(self, harness: Harness) -> None:
        deliver(harness, 1)
        passed(harness)
        deliver(harness, LONG)
        Newcomer(harness, 3)
        passed(harness, NOTICE)
        assert not asked(harness, "find_newest")
        harness.compare()

    def test_mail_listed_already_is_taken_out_of_the_queue(self, harness: Harness) -> None:
        harness.policy = replace(SMALL, batch_size=8, fetch_items=4)
        deliver(harness, 6)
        fresh = deliver(harness, 1)
        for n in range(9):
            harness.source.deliver(ADDRESS, received_at=harness.clock.now() - timedelta(days=1, minutes=n))
        Newcomer(harness, 1)
        passed(harness)
        assert times_fetched(harness, fresh[0]) == 1
        assert fetched(harness)[0][-1] != fresh[0]
        assert fresh[0] in fetched(harness)[0]
        harness.compare()

    def test_mail_older_than_the_window_is_left(self, harness: Harness) -> None:
        for _ in range(LONG):
            harness.source.deliver(ADDRESS, received_at=harness.clock.now() - timedelta(days=300))
        harness.on_call = lambda _method: harness.ask(NOTICE) if reads(harness) == 2 else None
        passed(harness)
        assert asked(harness, "find_newest")
        assert not fetched(harness)

    def test_a_listing_begun_anew_keeps_what_was_landed_ahead(self, harness: Harness) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)

        def forget(method: str) -> None:
            if method == "read_changes" and reads(harness) == 4:
                harness.source.refuse_tokens(ADDRESS)

        new.later = forget
        passed(harness)
        assert new.landed_at == 2
        assert reads(harness) > 8
        harness.compare()


class TestWhatBecomesOfIt:
    """Between its landing and the listing's coming to it."""

    def _after_landing(self, new: Newcomer, change: Callable[[ItemId], object]) -> list[str]:
        done: list[str] = []

        def later(method: str) -> None:
            if new.landed_at is not None and not done:
                done.append(method)
                change(new.items[0])

        new.later = later
        return done

    def test_changed(self, harness: Harness) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)
        self._after_landing(new, lambda item: harness.source.update(ADDRESS, item, subject="changed"))
        passed(harness)
        assert times_fetched(harness, new.items[0]) == 2
        harness.compare()

    def test_read(self, harness: Harness) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)
        self._after_landing(new, lambda item: harness.source.mark_read(ADDRESS, item))
        landings = passed(harness)
        assert not any(landing.reconciled for landing in landings)
        harness.compare()

    @pytest.mark.parametrize("also", [(), (3, 4, 5)])
    def test_deleted_before_any_page_tells_of_it(self, harness: Harness, also: tuple[int, ...]) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2, *also)
        done = self._after_landing(new, lambda item: harness.source.delete(ADDRESS, item))
        landings = passed(harness)
        assert done
        assert not any(landing.reconciled for landing in landings), "the rest is not listed once more"
        assert new.items[0] in {item for landing in landings for item in landing.deleted}
        harness.compare()

    def test_moved(self, harness: Harness) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)
        self._after_landing(new, lambda item: harness.source.move(ADDRESS, item, "sentitems"))
        passed(harness)
        harness.compare()

    @pytest.mark.parametrize("kill_in", range(24))
    @pytest.mark.parametrize("after", [False, True])
    def test_deleted_while_the_process_dies(self, harness: Harness, kill_in: int, after: bool) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)
        harness.kill_in, harness.kill_after = kill_in + 4, after
        self._after_landing(new, lambda item: harness.source.delete(ADDRESS, item))
        harness.run()
        harness.on_call = None
        if new.items and new.items[0] in harness.source.items(ADDRESS):
            harness.source.delete(ADDRESS, new.items[0])
        harness.settle()
        harness.settle()
        harness.compare()


class TestTrouble:
    @pytest.mark.parametrize("error", [SourceUnavailable("reset"), ResponseUnreadable("not XML"), FolderMissing("?")])
    @pytest.mark.parametrize("method", ["find_newest", "fetch_items"])
    def test_a_look_that_fails_is_a_short_cut_missed(self, harness: Harness, error: SourceError, method: str) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)
        harness.source.fail_next(error, method=method)
        passed(harness)
        assert new.landed_at is not None
        assert len(asked(harness, "find_newest")) == 2
        assert times_fetched(harness, new.items[0]) >= 1
        harness.compare()

    @pytest.mark.parametrize("method", ["find_newest", "fetch_items"])
    def test_whoever_is_throttled_stops(self, harness: Harness, method: str) -> None:
        deliver(harness, LONG)
        Newcomer(harness, 2)
        harness.source.fail_next(Throttled("busy", retry_after=30), method=method)
        failed(harness)
        assert reads(harness) == 2
        harness.settle()
        harness.compare()

    def test_a_listing_that_gets_nowhere_is_not_looked_beside(self, harness: Harness) -> None:
        deliver(harness, LONG)
        calls = 0

        def fail(method: str) -> None:
            nonlocal calls
            calls += method == "read_changes"
            if method == "read_changes" and calls >= 3:
                harness.ask(NOTICE)
                raise SourceUnavailable("reset")

        harness.on_call = fail
        for _ in range(4):
            harness.clock.advance(timedelta(hours=1))
            failed(harness, NOTICE)
        assert len(asked(harness, "find_newest")) <= 1

    def test_an_item_that_cannot_be_read_is_set_aside_once(self, harness: Harness) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2, 6)

        def spoil(method: str) -> None:
            if method == "find_newest":
                harness.source.unreadable(new.items[0])

        new.later = spoil
        end = harness.run()
        assert isinstance(end, Rest)
        assert [entry.item_id for entry in harness.store.mailbox(ANN).quarantined.values()] == [new.items[0]]
        harness.source.readable(new.items[0])
        harness.settle()
        harness.compare()

    @pytest.mark.parametrize("error", [SourceUnavailable("reset"), ResponseUnreadable("not XML")])
    def test_what_cannot_be_checked_is_found_out(self, harness: Harness, error: SourceError) -> None:
        deliver(harness, LONG)
        new = Newcomer(harness, 2)
        gone: list[ItemId] = []

        def later(method: str) -> None:
            if new.landed_at is not None and not gone:
                gone.extend(new.items)
                harness.source.delete(ADDRESS, new.items[0])
            if method == "fetch_items" and gone and harness.state is not None:
                folder = harness.state.folders[0]
                if folder.unconfirmed and not harness.source._faults and folder.ahead.owed:
                    harness.source.fail_next(error, method="fetch_items")

        new.later = later
        harness.run()
        harness.on_call = None
        assert gone
        harness.settle()
        harness.compare()


class TestNoticeDuringADrain:
    def test_what_the_server_leaves_to_the_next_round_is_read(self, harness: Harness) -> None:
        """It says that this is all, at the end of what was there when the drain began."""
        passed(harness)
        deliver(harness, 5)
        harness.source.calls.clear()
        Newcomer(harness, 2)
        passed(harness, NOTICE)
        assert reads(harness) == 3
        harness.compare()

    def test_a_notice_at_the_first_page_is_not_forgotten_at_the_second(self, harness: Harness) -> None:
        passed(harness)
        deliver(harness, 5)
        harness.source.calls.clear()
        Newcomer(harness, 1)
        passed(harness, NOTICE)
        assert reads(harness) == 3
        harness.compare()
