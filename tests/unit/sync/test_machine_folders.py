"""The mailbox's sync by example: folders that go and come, the window, and the push subscription."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import (
    FolderMissing,
    Throttled,
)
from engine.failures import failure_for
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, asked, deliver, failed, passed


class TestFolders:
    def test_a_missing_folder_is_told_and_the_others_go_on(self, harness: Harness) -> None:
        harness.source.remove_folder(ADDRESS, "sentitems")
        items = deliver(harness, 4)
        end = failed(harness)
        assert end.failure is not None
        assert end.failure.code == "FOLDER_MISSING"
        assert "sentitems" in end.message
        assert set(harness.store.current(ANN)) == set(items)
        harness.source.add_folder(ADDRESS, "sentitems")
        (sent,) = deliver(harness, 1, "sentitems")
        passed(harness)
        assert sent in harness.store.current(ANN)
        harness.compare()

    @pytest.mark.parametrize("restarted", [False, True])
    def test_a_folder_that_is_replaced(self, harness: Harness, restarted: bool) -> None:
        deliver(harness, 4)
        passed(harness)
        harness.source.remove_folder(ADDRESS, "inbox")
        harness.source.add_folder(ADDRESS, "inbox")
        new = deliver(harness, 2)
        if restarted:
            harness.restart()
        passed(harness)
        assert set(harness.store.current(ANN)) == set(new)
        assert len(harness.store.mailbox(ANN).folders) == 2
        harness.compare()

    def test_a_folder_replaced_while_another_is_missing(self, harness: Harness) -> None:
        harness.source.remove_folder(ADDRESS, "sentitems")
        deliver(harness, 4)
        failed(harness)
        harness.source.remove_folder(ADDRESS, "inbox")
        harness.source.add_folder(ADDRESS, "inbox")
        harness.source.add_folder(ADDRESS, "sentitems")
        (new,) = deliver(harness, 1)
        passed(harness)
        assert set(harness.store.current(ANN)) == {new}
        harness.compare()

    def test_a_folder_gone_for_a_moment_keeps_its_token_and_what_is_pending(self, harness: Harness) -> None:
        items = deliver(harness, 3)
        harness.source.fail_next(Throttled("busy"), method="fetch_items")
        failed(harness)
        hidden = harness.source._mailboxes[ADDRESS].pop("inbox")
        failed(harness)
        assert harness.store.mailbox(ANN).pages
        harness.source._mailboxes[ADDRESS]["inbox"] = hidden
        harness.source.calls.clear()
        passed(harness)
        assert all(token is not None for name, token, _ in asked(harness, "read_changes") if name == "inbox")
        assert set(harness.store.current(ANN)) == set(items)
        harness.compare()

    def test_a_folder_gone_for_a_moment_is_still_known_to_have_held_mail(self, harness: Harness) -> None:
        items = deliver(harness, 4)
        passed(harness)
        hidden = harness.source._mailboxes[ADDRESS].pop("inbox")
        failed(harness)
        harness.source._mailboxes[ADDRESS]["inbox"] = hidden
        harness.source.pretend_empty(ADDRESS)
        harness.source.refuse_tokens(ADDRESS)
        end = failed(harness)
        assert end.failure is not None
        assert end.failure.code == "FOLDER_SUDDENLY_EMPTY"
        assert set(harness.store.current(ANN)) == set(items)

    def test_a_folder_that_stays_away_is_not_asked_for_twice_a_pass(self, harness: Harness) -> None:
        passed(harness)
        harness.source.fail_next(FolderMissing("gone"), method="read_changes", times=2)
        assert failed(harness).failure == failure_for(FolderMissing(""))
        assert len(asked(harness, "resolve_folders")) == 2

    def test_a_folder_dropped_from_the_settings_and_taken_up_again(self, harness: Harness) -> None:
        deliver(harness, 2)
        sent = deliver(harness, 5, "sentitems")
        passed(harness)
        harness.policy = replace(SMALL, folders=("inbox",))
        harness.restart()
        passed(harness)
        assert set(sent) <= set(harness.store.current(ANN)), "its rows stay"
        harness.source.delete(ADDRESS, sent[2])
        harness.source.update(ADDRESS, sent[1], subject="changed")
        passed(harness)
        harness.policy = SMALL
        harness.restart()
        passed(harness)
        assert sent[2] not in harness.store.current(ANN)
        harness.compare()

    def test_a_folder_emptied_while_it_was_dropped_leaves_no_ghost(self, harness: Harness) -> None:
        sent = deliver(harness, 2, "sentitems")
        passed(harness)
        harness.policy = replace(SMALL, folders=("inbox",))
        harness.restart()
        passed(harness)
        for item in sent:
            harness.source.delete(ADDRESS, item)
        harness.policy = SMALL
        harness.restart()
        harness.settle()
        assert not harness.store.current(ANN)
        harness.compare()

    def test_a_folder_dropped_in_the_middle_of_its_backfill_leaves_nothing_pending(self, harness: Harness) -> None:
        deliver(harness, 3, "sentitems")
        harness.source.fail_next(Throttled("busy"), method="fetch_items")
        failed(harness)
        assert harness.store.mailbox(ANN).pages
        harness.policy = replace(SMALL, folders=("inbox",))
        harness.restart()
        passed(harness)
        assert not harness.store.mailbox(ANN).pages
        harness.policy = SMALL
        harness.restart()
        passed(harness)
        harness.compare()


class TestWindow:
    def test_it_never_shrinks_by_ageing(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        passed(harness)
        harness.clock.advance(timedelta(days=200))
        harness.source.update(ADDRESS, item, subject="changed")
        passed(harness)
        harness.compare()

    @pytest.mark.parametrize("die", range(14))
    @pytest.mark.parametrize("after", [False, True])
    def test_widened_it_takes_in_what_was_too_old_whenever_we_die(
        self, harness: Harness, die: int, after: bool
    ) -> None:
        for folder in ("inbox", "sentitems"):
            for days in (1, 2, 40, 50):
                harness.source.deliver(ADDRESS, folder, received_at=harness.clock.now() - timedelta(days=days))
        passed(harness)
        assert len(harness.store.current(ANN)) == 4
        harness.policy = replace(SMALL, sync_from=timedelta(days=60))
        harness.restart()
        harness.kill_in, harness.kill_after = die, after
        harness.run()
        harness.settle()
        assert len(harness.store.current(ANN)) == 8
        harness.compare()

    def test_widened_in_the_middle_of_a_reconciling_drain_it_leaves_no_ghost(self, harness: Harness) -> None:
        """What that drain had seen says nothing about the listing that begins anew."""
        items = deliver(harness, 7)
        passed(harness)
        harness.source.refuse_tokens(ADDRESS)
        harness.kill_in = 6
        harness.run()
        seen = next(iter(harness.store.mailbox(ANN).rows.seen.values()))
        harness.policy = replace(SMALL, sync_from=timedelta(days=60))
        harness.kill_in = 2  # both folders are known to begin anew, and nothing else has happened
        harness.run()
        ghost = next(item for item in items if item in seen)
        harness.source.delete(ADDRESS, ghost)
        harness.settle()
        assert ghost not in harness.store.current(ANN)
        harness.compare()

    def test_widened_in_memory(self, harness: Harness) -> None:
        harness.source.deliver(ADDRESS, received_at=harness.clock.now() - timedelta(days=40))
        passed(harness)
        assert harness.mailbox is not None
        harness.mailbox.state = replace(harness.mailbox.state, policy=replace(SMALL, sync_from=timedelta(days=60)))
        passed(harness)
        assert len(harness.store.current(ANN)) == 1
        harness.compare()


def test_a_missing_folder_is_asked_for_again_though_the_pass_failed_of_something_else() -> None:
    harness = Harness()
    item = harness.source.deliver(ADDRESS, "inbox")
    folders = harness.source._mailboxes[ADDRESS]
    hidden = folders.pop("inbox")
    harness.source.fail_next(Throttled("busy"), method="read_changes")
    harness.run()
    folders["inbox"] = hidden
    harness.settle()
    assert set(harness.store.current(ANN)) == {item}
