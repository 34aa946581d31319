"""The mailbox's sync by example: drains, fetches and what is asked in between."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Throttled
from engine.model import Change, ChangeKind, ChangePage, Folder, ItemId, MailboxStatus, SyncToken
from engine.sync.actions import Land, PageRead, ReadPage, SyncAsked
from engine.sync.machine import step
from engine.sync.plan import sift
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, asked, deliver, fetched, passed, rows


class TestEverydayCase:
    def test_a_new_email_lands_with_its_token_in_one_transaction(self, harness: Harness) -> None:
        deliver(harness, 4)
        passed(harness)
        old = harness.store.mailbox(ANN).folders
        harness.source.calls.clear()
        deliver(harness, 1)
        first, *others = passed(harness, SyncAsked(urgent=True))
        assert rows(first) == 1
        assert first.folder_record is not None
        assert first.folder_record.token != old[first.folder_record.folder_id].token
        assert not first.queued
        assert [rows(one) for one in others] == [0]
        assert [name for name, _, _ in harness.source.calls] == ["read_changes", "fetch_items", "read_changes"]
        harness.compare()

    def test_the_last_landing_carries_the_end_of_the_pass(self, harness: Harness) -> None:
        deliver(harness, 1)
        *earlier, last = passed(harness)
        assert last.folder_record is not None
        assert last.mailbox is not None
        assert last.mailbox.status is MailboxStatus.SYNCED
        assert all(one.mailbox is None or one.mailbox.status is MailboxStatus.SYNCING for one in earlier)

    def test_an_idle_mailbox_costs_one_landing(self, harness: Harness) -> None:
        deliver(harness, 4)
        passed(harness)
        (only,) = passed(harness)
        assert (only.folder, only.folder_record) == (None, None)
        assert only.mailbox is not None

    def test_more_bytes_than_one_request_takes_are_queued(self, harness: Harness) -> None:
        harness.policy = replace(SMALL, fetch_bytes=1_000_000)
        sizes = [600_000, 600_000]
        items = [harness.source.deliver(ADDRESS, size=size) for size in sizes]
        passed(harness)
        assert sorted(fetched(harness)) == sorted((item,) for item in items)
        harness.compare()


class TestBackfill:
    def test_pages_are_queued_and_fetched_newest_first(self, harness: Harness) -> None:
        items = deliver(harness, 7)
        landings = passed(harness)
        newest_first = list(reversed(items))
        # Seven items in pages of three; the last page is one item, and is fetched at once.
        assert fetched(harness)[0] == (items[6],)
        assert [item for page in fetched(harness)[1:] for item in page] == newest_first[1:4] + newest_first[4:]
        queued = [page for landing in landings for page in landing.queued]
        assert all(len(page.item_ids) <= SMALL.fetch_items for page in queued)
        assert all(page.newest_at is not None for page in queued)
        harness.compare()

    def test_each_fetched_page_leaves_the_queue_with_its_rows(self, harness: Harness) -> None:
        deliver(harness, 7)
        landings = passed(harness)
        queued = {page.page_id for landing in landings for page in landing.queued}
        with_rows = [landing for landing in landings if landing.finished_pages]
        assert {page_id for landing in with_rows for page_id in landing.finished_pages} == queued
        assert all(rows(landing) for landing in with_rows)

    def test_a_notice_is_drained_before_the_next_backfill_page(self, harness: Harness) -> None:
        deliver(harness, 7)
        fresh: list[ItemId] = []

        def arrive(method: str) -> None:
            if method == "fetch_items" and len(fetched(harness)) == 2:
                fresh.extend(deliver(harness, 1))
                harness.ask(SyncAsked(urgent=True))

        harness.on_call = arrive
        passed(harness)
        assert fetched(harness)[2] == tuple(fresh)
        assert len(fetched(harness)) > 3
        harness.compare()

    def test_a_notice_while_the_last_page_is_read_makes_one_more_drain(self, harness: Harness) -> None:
        passed(harness)
        harness.source.calls.clear()
        fresh: list[ItemId] = []

        def arrive(method: str) -> None:
            if method == "fetch_items" and not fresh:
                fresh.extend(deliver(harness, 1))
                harness.ask(SyncAsked(urgent=True))

        harness.on_call = arrive
        first = deliver(harness, 1)
        passed(harness)
        assert fetched(harness) == [tuple(first), tuple(fresh)]
        assert [what[0] for what in asked(harness, "read_changes")] == ["inbox", "inbox", "sentitems"]
        harness.compare()

    def test_a_notice_while_an_empty_page_is_read_makes_one_more_drain(self, harness: Harness) -> None:
        passed(harness)
        harness.source.calls.clear()
        reads = 0

        def arrive(method: str) -> None:
            nonlocal reads
            reads += method == "read_changes"
            if method == "read_changes" and reads == 1:
                harness.ask(SyncAsked(urgent=True))

        harness.on_call = arrive
        passed(harness)
        assert [what[0] for what in asked(harness, "read_changes")] == ["inbox", "inbox", "sentitems"]

    def test_a_drained_folder_goes_before_the_listing_of_another(self, harness: Harness) -> None:
        deliver(harness, 1, "sentitems")
        passed(harness)
        harness.source.calls.clear()
        deliver(harness, 9)
        sent: list[ItemId] = []

        def arrive(method: str) -> None:
            if len(asked(harness, "read_changes")) == 2 and not sent:
                sent.extend(deliver(harness, 1, "sentitems"))
                harness.ask(SyncAsked(urgent=True))

        harness.on_call = arrive
        passed(harness)
        assert fetched(harness)[0] == tuple(sent)
        harness.compare()

    def test_a_delete_takes_the_id_out_of_its_pending_page(self, harness: Harness) -> None:
        items = deliver(harness, 7)

        def leave(method: str) -> None:
            if method == "fetch_items" and len(fetched(harness)) == 2:
                harness.source.delete(ADDRESS, items[0])
                harness.source.delete(ADDRESS, items[2])
                harness.source.delete(ADDRESS, items[1])
                harness.ask(SyncAsked(urgent=True))

        harness.on_call = leave
        passed(harness)
        later = [item for page in fetched(harness)[2:] for item in page]
        assert set(later).isdisjoint(items[:3])
        assert later
        harness.compare()

    def test_an_amended_page_is_durable(self, harness: Harness) -> None:
        oldest, middle, newest = deliver(harness, 3)
        harness.source.fail_next(Throttled("busy"), method="fetch_items", times=2)
        harness.run()
        assert {page.item_ids for page in harness.store.mailbox(ANN).pages.values()} == {(newest, middle), (oldest,)}
        harness.source.delete(ADDRESS, newest)
        harness.run()
        assert {page.item_ids for page in harness.store.mailbox(ANN).pages.values()} == {(middle,), (oldest,)}
        harness.settle()
        harness.compare()

    def test_a_page_left_empty_is_finished_and_not_fetched(self, harness: Harness) -> None:
        items = deliver(harness, 3)
        harness.source.fail_next(Throttled("busy"), method="fetch_items")
        harness.policy = replace(SMALL, fetch_items=1)
        harness.run()
        assert len(harness.store.mailbox(ANN).pages) == 3
        harness.source.delete(ADDRESS, items[1])
        harness.source.calls.clear()
        harness.run()
        assert (items[1],) not in fetched(harness)
        assert len(harness.store.mailbox(ANN).pages) == 0
        harness.compare()

    def test_items_older_than_the_window_stay_at_exchange(self, harness: Harness) -> None:
        old = harness.source.deliver(ADDRESS, received_at=harness.clock.now() - timedelta(days=31))
        new = harness.source.deliver(ADDRESS, received_at=harness.clock.now() - timedelta(days=29))
        passed(harness)
        assert fetched(harness) == [(new,)]
        assert old not in harness.store.current(ANN)

    def test_a_listing_need_not_say_how_old_an_item_is(self, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
        old, new = (
            harness.source.deliver(
                ADDRESS, received_at=harness.clock.now() - timedelta(days=days), attachments=[{"name": "a.pdf"}]
            )
            for days in (31, 29)
        )
        read_changes = harness.source.read_changes

        async def read_without_dates(mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
            page = await read_changes(mailbox, folder, token, limit)
            return replace(page, changes=tuple(change._replace(received_at=None) for change in page.changes))

        monkeypatch.setattr(harness.source, "read_changes", read_without_dates)
        passed(harness)
        assert {item for page in fetched(harness) for item in page} == {old, new}
        assert set(harness.store.current(ANN)) == {new}
        assert set(harness.store.attachments(ANN)) == {new}

    def test_an_item_that_vanishes_before_it_is_fetched_is_skipped(self, harness: Harness) -> None:
        items = deliver(harness, 3)
        harness.source.vanish(items[1])
        passed(harness)
        passed(harness)
        assert set(harness.store.current(ANN)) == {items[0], items[2]}
        harness.compare()


class TestReadFlags:
    def test_a_read_flag_lands_without_a_fetch(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        passed(harness)
        harness.source.calls.clear()
        harness.source.mark_read(ADDRESS, item)
        first, *_ = passed(harness)
        assert [flag.item_id for flag in first.read_flags] == [item]
        assert not fetched(harness)
        assert harness.store.current(ANN)[item]["is_read"] is True
        harness.compare()

    def test_of_several_changes_in_one_page_the_last_counts(self, harness: Harness) -> None:
        a, b, c = deliver(harness, 3)
        passed(harness)
        assert harness.state is not None
        folder = harness.source.folder(ADDRESS)
        now = harness.clock.now()
        page = ChangePage(
            (
                Change(ChangeKind.READ_FLAG, a, "ck", None, True),
                Change(ChangeKind.DELETE, a),
                Change(ChangeKind.DELETE, b),
                Change(ChangeKind.CREATE, b, "ck", now, False, 10),
                Change(ChangeKind.UPDATE, c, "ck", now, False, 10),
                Change(ChangeKind.DELETE, c),
            ),
            SyncToken("next"),
            last=False,
        )
        state = replace(harness.state, closing=False, doing=ReadPage(folder, None, 3))
        _, action = step(state, PageRead(page), harness.clock.moment())
        assert isinstance(action, Land)
        assert set(action.landing.deleted) == {a, c}
        assert action.landing.read_flags == ()
        assert [one.item_ids for one in action.landing.queued] == [(b,)]
        assert action.landing.listed == {b: "ck"}
        assert sift(page, now).listed == (b,)
