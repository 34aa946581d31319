"""The mailbox's sync by example: what goes wrong, and what becomes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import (
    ImpersonationDenied,
    MailroomError,
    RequestRefused,
    SyncTokenRefused,
    Throttled,
)
from engine.failures import failure_for
from engine.model import ChangePage, MailboxStatus, SyncToken
from engine.sync.actions import Deactivate, Land, PageRead, ReadPage, SubscribeAsked
from engine.sync.machine import step
from tests.fakes.store import Fault
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, asked, deliver, failed, fetched, passed, wait


class TestTokens:
    def test_a_refused_token_lists_anew_and_leaves_no_ghost(self, harness: Harness) -> None:
        items = deliver(harness, 8)  # seven are left: two pages of three and a last one small enough to fetch at once
        passed(harness)
        harness.source.delete(ADDRESS, items[3])
        harness.source.refuse_tokens(ADDRESS)
        harness.source.calls.clear()
        landings = passed(harness)
        assert sum(one.reconciled for one in landings) == 2
        assert not fetched(harness), "what has landed is not fetched again"
        harness.compare()

    def test_the_seen_list_starts_over_when_the_token_is_refused_again(self, harness: Harness) -> None:
        """Seen before the crash, deleted after it: only a list that starts over knows it as a ghost."""
        items = deliver(harness, 7)
        passed(harness)
        harness.source.refuse_tokens(ADDRESS)
        harness.kill_in = 4  # read (refused), read, land the first page of the listing, read; die
        harness.run()
        assert harness.store.mailbox(ANN).rows.seen
        seen = next(iter(harness.store.mailbox(ANN).rows.seen.values()))
        ghost = next(item for item in items if item in seen)
        harness.source.delete(ADDRESS, ghost)
        harness.source.refuse_tokens(ADDRESS)
        harness.settle()
        assert ghost not in harness.store.current(ANN)
        harness.compare()

    def test_a_reconciling_drain_goes_on_after_a_crash(self, harness: Harness) -> None:
        items = deliver(harness, 7)
        passed(harness)
        harness.source.delete(ADDRESS, items[6])
        harness.source.refuse_tokens(ADDRESS)
        harness.kill_in = 4
        harness.run()
        harness.source.calls.clear()
        harness.settle()
        first = asked(harness, "read_changes")[0]
        assert first[1] is not None
        harness.compare()

    def test_a_reconciling_drain_that_has_seen_something_may_end_with_nothing(self, harness: Harness) -> None:
        """What was listed before the crash counts: the folder is not empty."""
        items = deliver(harness, 6)
        passed(harness)
        harness.source.refuse_tokens(ADDRESS)
        harness.kill_in = 5  # both refused, sent items read and landed, the first page of the inbox read ...
        harness.run()
        harness.kill_in = 1
        harness.run()
        seen = next(iter(harness.store.mailbox(ANN).rows.seen.values()))
        for item in set(items) - seen:
            harness.source.delete(ADDRESS, item)
        harness.kill_in = None
        passed(harness)
        assert set(harness.store.current(ANN)) == seen
        harness.compare()

    def test_tokens_refused_as_fast_as_they_are_given_end_the_pass(self, harness: Harness) -> None:
        deliver(harness, 7)
        passed(harness)
        reads = 0

        def refuse(method: str) -> None:
            nonlocal reads
            reads += method == "read_changes"
            assert reads < 20
            harness.source.refuse_tokens(ADDRESS)

        harness.on_call = refuse
        failed(harness)
        harness.on_call = None
        harness.settle()
        harness.compare()

    def test_a_relisting_that_ends_with_an_empty_page_is_noticed(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        passed(harness)
        assert harness.state is not None
        folder = harness.state.folder_state(harness.source.folder(ADDRESS).folder_id)
        token = folder.record.token
        assert token is not None
        state = replace(harness.state, closing=False, doing=ReadPage(folder.folder, token, 3))
        state = state.with_folder(replace(folder, record=replace(folder.record, relisted=True), draining=True))
        _, action = step(state, PageRead(ChangePage((), token, last=True)), harness.clock.moment())
        assert isinstance(action, Land)
        assert action.landing.folder == folder.folder, "only its landing leads to the relisting"
        assert item in harness.store.current(ANN)

    def test_what_was_pending_before_is_not_fetched_twice(self, harness: Harness) -> None:
        items = deliver(harness, 3)
        harness.source.fail_next(Throttled("busy"), method="fetch_items")
        harness.run()
        harness.source.refuse_tokens(ADDRESS)
        passed(harness)
        got = [item for page in fetched(harness)[1:] for item in page]
        assert sorted(got) == sorted(items)
        harness.compare()

    def test_a_token_refused_for_good_ends_the_pass(self, harness: Harness) -> None:
        deliver(harness, 1)
        passed(harness)
        harness.source.fail_next(SyncTokenRefused("bad"), method="read_changes", times=3)
        harness.source.calls.clear()
        assert failed(harness).failure == failure_for(SyncTokenRefused(""))
        assert len(asked(harness, "read_changes")) == 3, "each folder once with its token, and one without"

    def test_a_listing_begun_anew_in_silence_is_noticed(self, harness: Harness) -> None:
        items = deliver(harness, 7)
        passed(harness)
        harness.source.delete(ADDRESS, items[5])
        harness.source.refuse_tokens(ADDRESS, silently=True)
        passed(harness)
        harness.compare()

    def test_changes_without_end_and_without_progress_end_the_pass(self, harness: Harness) -> None:
        passed(harness)
        assert harness.state is not None
        folder = harness.source.folder(ADDRESS)
        state = replace(harness.state, closing=False, doing=ReadPage(folder, SyncToken("t"), 3))
        state, _ = step(state, PageRead(ChangePage((), SyncToken("t"), last=False)), harness.clock.moment())
        assert isinstance(state.trouble, RequestRefused)
        assert state.record.status is MailboxStatus.FAILING


class TestSuddenEmptiness:
    def test_nothing_is_deleted_until_a_second_look(self, harness: Harness) -> None:
        items = deliver(harness, 4)
        passed(harness)
        harness.source.pretend_empty(ADDRESS)
        harness.source.refuse_tokens(ADDRESS)
        end = failed(harness)
        assert end.failure is not None
        assert end.failure.code == "FOLDER_SUDDENLY_EMPTY"
        assert set(harness.store.current(ANN)) == set(items)
        harness.clock.advance(timedelta(milliseconds=100))
        failed(harness)  # a notice right after is no second look
        assert set(harness.store.current(ANN)) == set(items)

    def test_the_second_look_confirms(self, harness: Harness) -> None:
        deliver(harness, 4)
        passed(harness)
        for item in harness.source.items(ADDRESS):
            harness.source.delete(ADDRESS, item)
        harness.source.refuse_tokens(ADDRESS)
        end = failed(harness)
        harness.clock.advance(wait(harness, end))
        passed(harness)
        assert not harness.store.current(ANN)
        harness.compare()

    def test_looks_in_between_do_not_put_the_second_one_off(self, harness: Harness) -> None:
        deliver(harness, 4)
        passed(harness)
        for item in harness.source.items(ADDRESS):
            harness.source.delete(ADDRESS, item)
        harness.source.refuse_tokens(ADDRESS)
        failed(harness)
        harness.clock.advance(SMALL.first_backoff * 0.4)
        failed(harness)
        harness.clock.advance(SMALL.first_backoff * 0.2)
        passed(harness)
        harness.compare()

    def test_a_false_alarm_deletes_nothing_also_after_a_restart(self, harness: Harness) -> None:
        deliver(harness, 4)
        passed(harness)
        harness.source.pretend_empty(ADDRESS)
        harness.source.refuse_tokens(ADDRESS)
        end = failed(harness)
        harness.restart()
        harness.source.pretend_empty(ADDRESS, empty=False)
        harness.clock.advance(wait(harness, end))
        landings = passed(harness)
        assert sum(one.reconciled for one in landings) == 1
        assert all(row["deleted_at"] is None for row in harness.store.all_rows(ANN).values())
        assert harness.store.mailbox(ANN).folders[harness.source.folder(ADDRESS).folder_id].empty_seen_at is None
        harness.compare()

    def test_an_alarm_that_is_over_is_forgotten(self, harness: Harness) -> None:
        """Empty again a week later is a first look again."""
        items = deliver(harness, 4)
        passed(harness)
        for _ in range(2):
            harness.source.pretend_empty(ADDRESS)
            harness.source.refuse_tokens(ADDRESS)
            end = failed(harness)
            harness.source.pretend_empty(ADDRESS, empty=False)
            harness.clock.advance(wait(harness, end))
            passed(harness)
            harness.clock.advance(timedelta(days=7))
        assert set(harness.store.current(ANN)) == set(items)

    def test_the_other_folder_goes_on(self, harness: Harness) -> None:
        deliver(harness, 4)
        passed(harness)
        harness.source.pretend_empty(ADDRESS)
        harness.source.refuse_tokens(ADDRESS)
        (sent,) = deliver(harness, 1, "sentitems")
        failed(harness)
        assert sent in harness.store.current(ANN)


class TestBackoff:
    def test_a_hint_of_nothing_still_waits(self, harness: Harness) -> None:
        harness.source.fail_next(Throttled("busy", retry_after=0), times=3)
        waits = [wait(harness, failed(harness)) for _ in range(3)]
        first = SMALL.first_backoff
        for number, waited in enumerate(waits):
            assert first * 2**number * 0.75 <= waited <= first * 2**number * 1.25

    def test_a_hint_is_a_floor(self, harness: Harness) -> None:
        harness.source.fail_next(Throttled("busy", retry_after=90))
        assert timedelta(seconds=90) <= wait(harness, failed(harness)) <= timedelta(seconds=113)

    def test_a_small_hint_does_not_shorten_the_wait(self, harness: Harness) -> None:
        harness.source.fail_next(Throttled("busy", retry_after=0.01))
        assert wait(harness, failed(harness)) >= SMALL.first_backoff * 0.75

    def test_an_absurd_hint_is_capped(self, harness: Harness) -> None:
        harness.source.fail_next(Throttled("busy", retry_after=10**9))
        assert wait(harness, failed(harness)) <= timedelta(minutes=75)

    def test_a_permanent_cause_is_probed_seldom(self, harness: Harness) -> None:
        harness.source.fail_next(ImpersonationDenied("no"), times=20)
        waits = [wait(harness, failed(harness)) for _ in range(20)]
        assert waits[0] >= SMALL.first_probe * 0.75
        assert SMALL.longest_probe * 0.75 <= waits[-1] <= SMALL.longest_probe * 1.25

    def test_failing_since_holds_and_success_forgets_all(self, harness: Harness) -> None:
        began = harness.clock.now()
        harness.source.fail_next(Throttled("busy"), times=2)
        failed(harness)
        harness.clock.advance(timedelta(minutes=1))
        failed(harness)
        record = harness.store.mailbox(ANN).record
        assert (record.failing_since, record.attempts) == (began, 2)
        passed(harness)
        record = harness.store.mailbox(ANN).record
        assert (record.failing_since, record.attempts, record.error_code, record.error) == (None, 0, None, None)

    @pytest.mark.parametrize("fault", list(Fault))
    def test_a_landing_in_doubt_deactivates(self, harness: Harness, fault: Fault) -> None:
        deliver(harness, 3)
        harness.store.script(None, fault)
        assert isinstance(harness.run(), Deactivate)
        harness.settle()
        harness.compare()

    def test_any_trouble_of_a_landing_deactivates(self, harness: Harness) -> None:
        deliver(harness, 3)
        passed(harness)
        harness.on_call = lambda method: (
            harness.store.fail_next_call(MailroomError("a mistake")) if method == "land" else None
        )
        assert isinstance(harness.run(), Deactivate)


def test_a_refused_subscription_puts_no_sync_off() -> None:
    """Without push the drain is all there is: new mail lands with every attempt, however often it is refused."""
    harness = Harness()
    harness.run()
    for attempt in range(3):
        item = harness.source.deliver(ADDRESS)
        harness.source.fail_next(RequestRefused("no", code="ErrorInternalServerError"), method="subscribe")
        harness.run(SubscribeAsked(f"serial-{attempt}", "http://127.0.0.1/x", 30))
        assert item in harness.store.current(ANN)
