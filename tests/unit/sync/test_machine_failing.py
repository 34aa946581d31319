"""The mailbox's sync by example: how long it is retried, when it is given up, and how it comes back."""

from datetime import timedelta

import pytest

from engine.errors import (
    AuthenticationFailed,
    EndpointInvalid,
    EwsBlocked,
    FolderMissing,
    ImpersonationDenied,
    MailboxNotFound,
    SourceError,
    SourceUnavailable,
    Throttled,
)
from engine.model import ChangePage, Folder, MailboxRecord, MailboxStatus, SyncToken
from engine.sync.actions import SyncAsked
from engine.sync.policy import SyncPolicy
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, deliver, failed, passed, wait

BUDGET = SMALL.retry_for
FAILING, FAILED = MailboxStatus.FAILING, MailboxStatus.FAILED


def record(harness: Harness) -> MailboxRecord:
    return harness.store.mailbox(ANN).record


def standing(error: SourceError) -> SourceError:
    error.standing = True
    return error


def fail(harness: Harness, error: SourceError, *, method: str | None = None) -> MailboxRecord:
    """One pass that fails of this."""
    harness.source.fail_next(error, method=method, times=1)
    failed(harness)
    return record(harness)


def is_probe(waited: timedelta, attempt: int) -> bool:
    expected: timedelta = min(SMALL.first_probe * 2 ** (attempt - 1), SMALL.longest_probe)
    return expected * 0.75 <= waited <= expected * 1.25


class TestBudget:
    def test_a_passing_cause_is_retried_until_it_is_used_up(self, harness: Harness) -> None:
        began = harness.clock.now()
        while harness.clock.now() - began < BUDGET:
            assert fail(harness, SourceUnavailable("reset")).status is FAILING
            assert record(harness).error == "reset"
            upcoming = record(harness).next_sync_at
            assert upcoming is not None
            assert upcoming - harness.clock.now() <= SMALL.longest_backoff * 1.25
            attempts = record(harness).attempts
            harness.clock.advance(upcoming - harness.clock.now())
        assert (harness.clock.now() - began, attempts > 5) == (BUDGET, True)
        given_up = fail(harness, SourceUnavailable("reset"))
        assert (given_up.status, given_up.error_code, given_up.failing_since) == (FAILED, "STORE_DOWN", began)
        assert given_up.error == "Given up after 30 minutes of retries: reset"

    @pytest.mark.parametrize("minutes", [1, 2, 30, 600])
    @pytest.mark.parametrize("known", [False, True])
    def test_those_who_began_together_are_given_up_together(self, minutes: int, known: bool) -> None:
        """Whatever their backoff says, and also when Exchange is not even asked."""
        for busy in range(10):
            harness = Harness(SyncPolicy(retry_for=timedelta(minutes=minutes)))
            began = harness.clock.now()
            for _ in range(busy):
                harness.clock.moment()  # as much jitter for others
            error = standing(SourceUnavailable("reset")) if known else Throttled("busy", retry_after=50 * busy)
            while fail(harness, error).status is FAILING:
                upcoming = record(harness).next_sync_at
                assert upcoming is not None
                assert upcoming > harness.clock.now()
                harness.clock.advance(upcoming - harness.clock.now())
            assert harness.clock.now() - began == timedelta(minutes=minutes)

    @pytest.mark.parametrize(("after", "status"), [(timedelta(seconds=-2), FAILING), (timedelta(seconds=-1), FAILED)])
    def test_to_the_second(self, harness: Harness, after: timedelta, status: MailboxStatus) -> None:
        fail(harness, SourceUnavailable("reset"))
        harness.clock.advance(BUDGET + after)
        assert fail(harness, Throttled("busy")).status is status

    def test_it_survives_a_restart(self, harness: Harness) -> None:
        fail(harness, SourceUnavailable("reset"))
        harness.clock.advance(BUDGET)
        harness.restart()
        assert fail(harness, SourceUnavailable("reset")).status is FAILED

    def test_a_minute_is_one_minute(self) -> None:
        harness = Harness(SyncPolicy(retry_for=timedelta(minutes=1)))
        fail(harness, SourceUnavailable("reset"))
        harness.clock.advance(timedelta(minutes=1))
        assert fail(harness, SourceUnavailable("reset")).error == "Given up after 1 minute of retries: reset"

    def test_the_rest_tells_the_same_words(self, harness: Harness) -> None:
        fail(harness, SourceUnavailable("reset"))
        harness.clock.advance(BUDGET)
        harness.source.fail_next(SourceUnavailable("reset"))
        end = failed(harness)
        assert end.message == record(harness).error
        assert end.failure is not None
        assert end.failure.code == "STORE_DOWN"

    def test_progress_begins_it_anew(self, harness: Harness) -> None:
        """A backfill that gets on in each pass, and stumbles in each, is never given up."""
        deliver(harness, 60)
        for _ in range(8):
            harness.source.calls.clear()
            harness.on_call = lambda method: (
                harness.source.fail_next(SourceUnavailable("reset"), method="fetch_items")
                if method == "fetch_items" and sum(name == method for name, _, _ in harness.source.calls) == 2
                else None
            )
            before = harness.store.current(ANN)
            harness.clock.advance(BUDGET * 0.75)
            failed(harness)
            assert len(harness.store.current(ANN)) > len(before)
            assert (record(harness).status, record(harness).attempts) == (FAILING, 1)
            assert record(harness).failing_since == harness.clock.now()

    def test_a_long_first_listing_is_progress(self, harness: Harness) -> None:
        deliver(harness, 60)
        for _ in range(5):
            harness.source.calls.clear()
            harness.on_call = lambda method: (
                harness.source.fail_next(SourceUnavailable("reset"), method="read_changes")
                if method == "read_changes" and sum(name == method for name, _, _ in harness.source.calls) == 3
                else None
            )
            harness.clock.advance(BUDGET * 0.75)
            failed(harness)
            assert (record(harness).status, record(harness).attempts) == (FAILING, 1)

    def test_mail_that_is_listed_and_cannot_be_fetched_is_none(self, harness: Harness) -> None:
        passed(harness)
        began = harness.clock.now() + timedelta(minutes=1)
        attempts = []
        while record(harness).status is not FAILED:
            deliver(harness, 1)
            fail(harness, Throttled("busy", code="ErrorServerBusy"), method="fetch_items")
            attempts.append(record(harness).attempts)
        assert attempts == [*range(1, 31), 1]
        assert harness.clock.now() - began == BUDGET

    @pytest.mark.parametrize("sick", ["inbox", "sentitems"])
    def test_mail_of_one_folder_is_none_for_another_that_cannot_be_read_and_lands(
        self, harness: Harness, sick: str
    ) -> None:
        passed(harness)
        read = harness.source.read_changes

        async def refuse(mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
            if folder.name == sick:
                raise SourceUnavailable("no", code="ErrorInternalServerError")
            return await read(mailbox, folder, token, limit)

        harness.source.read_changes = refuse  # type: ignore[method-assign]
        for attempt in range(1, 10):
            (item,) = deliver(harness, 1, "inbox" if sick == "sentitems" else "sentitems")
            assert failed(harness).message == "no"
            assert record(harness).attempts == attempt
            assert item in harness.store.current(ANN)
        harness.clock.advance(BUDGET)
        failed(harness)
        assert (record(harness).status, record(harness).error_code) == (FAILED, "STORE_DOWN")
        harness.source.read_changes = read  # type: ignore[method-assign]
        passed(harness)
        harness.compare()

    def test_a_token_that_is_refused_time_and_again_is_none(self, harness: Harness) -> None:
        deliver(harness, 9)
        harness.on_call = lambda method: harness.source.refuse_tokens(ADDRESS) if method == "read_changes" else None
        for attempt in range(1, 4):
            failed(harness)
            assert record(harness).attempts == attempt

    def test_a_pass_without_progress_does_not(self, harness: Harness) -> None:
        deliver(harness, 3)
        began = fail(harness, SourceUnavailable("reset"), method="fetch_items").failing_since
        harness.clock.advance(BUDGET / 2)
        assert fail(harness, SourceUnavailable("reset"), method="fetch_items").failing_since == began
        assert record(harness).attempts == 2

    def test_mail_in_one_folder_does_not_excuse_another_that_is_missing(self, harness: Harness) -> None:
        harness.source.remove_folder(ADDRESS, "sentitems")
        began = harness.clock.now()
        failed(harness)
        statuses = []
        for _ in range(3):
            harness.clock.advance(BUDGET / 3)
            item = harness.source.deliver(ADDRESS)
            failed(harness)
            assert item in harness.store.current(ANN)
            statuses.append(record(harness).status)
        assert statuses == [FAILING, FAILING, FAILED]
        assert record(harness).failing_since == began
        assert record(harness).attempts == 1, "its probes begin"
        assert (record(harness).error or "").startswith("The mailbox"), "the others go on: nothing is given up"

    def test_a_success_forgets_all_and_sets_no_next_sync(self, harness: Harness) -> None:
        fail(harness, SourceUnavailable("reset"))
        harness.clock.advance(BUDGET)
        fail(harness, SourceUnavailable("reset"))
        passed(harness)
        found = record(harness)
        assert (found.status, found.next_sync_at, found.last_success_at) == (
            MailboxStatus.SYNCED,
            None,
            harness.clock.now(),
        )
        assert (found.failing_since, found.attempts, found.error_code, found.error, found.error_at) == (
            None,
            0,
            None,
            None,
            None,
        )


class TestPermanent:
    @pytest.mark.parametrize(
        "error", [EwsBlocked("403"), ImpersonationDenied("no"), MailboxNotFound("unknown"), standing(EwsBlocked("403"))]
    )
    def test_it_is_given_up_at_once(self, harness: Harness, error: SourceError) -> None:
        found = fail(harness, error)
        assert (found.status, found.error, found.attempts) == (FAILED, str(error), 1)
        assert found.failing_since == harness.clock.now()

    def test_it_is_probed_twice_as_seldom_each_time(self, harness: Harness) -> None:
        for attempt in range(1, 9):
            harness.source.fail_next(ImpersonationDenied("no"))
            assert is_probe(wait(harness, failed(harness)), attempt)

    def test_what_was_given_up_is_probed_alike(self, harness: Harness) -> None:
        for _ in range(9):
            fail(harness, SourceUnavailable("reset"))
        harness.clock.advance(BUDGET)
        for attempt in range(1, 9):
            harness.source.fail_next(SourceUnavailable("reset"))
            assert is_probe(wait(harness, failed(harness)), attempt)

    def test_another_cause_of_its_own_has_a_beginning_of_its_own(self, harness: Harness) -> None:
        fail(harness, MailboxNotFound("unknown"))
        harness.clock.advance(timedelta(minutes=2))
        began = harness.clock.now()
        found = fail(harness, ImpersonationDenied("no"))
        assert (found.status, found.error_code, found.error) == (FAILED, "IMPERSONATION_DENIED", "no")
        assert found.failing_since == began
        harness.clock.advance(timedelta(minutes=2))
        found = fail(harness, ImpersonationDenied("still no"))
        assert (found.error, found.failing_since) == ("still no", began)

    def test_what_was_retried_first_has_its_beginning_with_the_cause_that_lasts(self, harness: Harness) -> None:
        fail(harness, Throttled("busy"))
        harness.clock.advance(timedelta(minutes=2))
        assert fail(harness, MailboxNotFound("unknown")).failing_since == harness.clock.now()

    @pytest.mark.parametrize("permanent", [True, False])
    def test_a_passing_cause_takes_the_place_of_none(self, harness: Harness, permanent: bool) -> None:
        began = fail(harness, ImpersonationDenied("no") if permanent else Throttled("busy")).failing_since
        harness.clock.advance(BUDGET)
        before = fail(harness, ImpersonationDenied("no") if permanent else Throttled("busy"))
        for error in (SourceUnavailable("down", code="ErrorMailboxStoreUnavailable"), SourceUnavailable("reset")):
            found = fail(harness, error)
            assert (found.status, found.error_code, found.error) == (FAILED, before.error_code, before.error)
            assert found.failing_since == began

    def test_it_stays_so_when_it_gets_somewhere(self, harness: Harness) -> None:
        deliver(harness, 9)
        fail(harness, SourceUnavailable("reset"), method="fetch_items")
        began = fail(harness, ImpersonationDenied("no")).failing_since
        fail(harness, ImpersonationDenied("no"))
        harness.clock.advance(timedelta(minutes=2))
        harness.on_call = lambda method: (
            harness.source.fail_next(SourceUnavailable("reset"), method="fetch_items")
            if method == "land" and record(harness).status is FAILED
            else None
        )
        failed(harness)
        found = record(harness)
        assert (found.status, found.failing_since, found.attempts) == (FAILED, began, 1)

    def test_it_is_never_said_to_have_been_retried(self, harness: Harness) -> None:
        fail(harness, ImpersonationDenied("no"))
        harness.clock.advance(BUDGET)
        assert fail(harness, ImpersonationDenied("no")).error == "no"

    def test_one_success_is_enough(self, harness: Harness) -> None:
        fail(harness, ImpersonationDenied("no"))
        passed(harness)
        assert record(harness).status is MailboxStatus.SYNCED


class TestCredentials:
    def test_the_first_401_is_taken_for_a_slip(self, harness: Harness) -> None:
        harness.source.fail_next(AuthenticationFailed("401"))
        assert wait(harness, failed(harness)) <= SMALL.first_backoff * 1.25
        assert record(harness).status is FAILING

    def test_the_second_in_a_row_is_not(self, harness: Harness) -> None:
        fail(harness, AuthenticationFailed("401"))
        assert fail(harness, AuthenticationFailed("401")).status is FAILED

    def test_another_cause_in_between_breaks_the_row(self, harness: Harness) -> None:
        for error in (AuthenticationFailed("401"), Throttled("busy"), AuthenticationFailed("401")):
            assert fail(harness, error).status is FAILING

    def test_a_success_in_between_breaks_the_row(self, harness: Harness) -> None:
        fail(harness, AuthenticationFailed("401"))
        passed(harness)
        assert fail(harness, AuthenticationFailed("401")).status is FAILING

    def test_a_401_after_an_answer_is_a_slip_again(self, harness: Harness) -> None:
        passed(harness)
        fail(harness, AuthenticationFailed("401"))
        deliver(harness, 1)
        assert fail(harness, AuthenticationFailed("401"), method="fetch_items").status is FAILING

    def test_an_answer_that_brings_nothing_is_an_answer(self, harness: Harness) -> None:
        passed(harness)
        fail(harness, AuthenticationFailed("401"))
        reads = 0

        def refuse(method: str) -> None:
            nonlocal reads
            reads += method == "read_changes"
            if reads == 2:
                harness.source.fail_next(AuthenticationFailed("401"), method="read_changes")

        harness.on_call = refuse
        failed(harness)
        assert (record(harness).status, record(harness).attempts) == (FAILING, 2)

    def test_known_from_other_requests_it_is_permanent(self, harness: Harness) -> None:
        assert fail(harness, standing(AuthenticationFailed("401"))).status is FAILED

    def test_the_row_survives_a_restart(self, harness: Harness) -> None:
        fail(harness, AuthenticationFailed("401"))
        harness.restart()
        assert fail(harness, AuthenticationFailed("401")).status is FAILED


class TestStanding:
    """The end of it makes the mailbox due; until then there is no point in trying."""

    def test_a_passing_cause_waits_the_longest(self, harness: Harness) -> None:
        harness.source.fail_next(standing(SourceUnavailable("reset")))
        assert SMALL.longest_backoff * 0.75 <= wait(harness, failed(harness)) <= SMALL.longest_backoff * 1.25
        assert record(harness).status is FAILING

    def test_a_permanent_one_waits_longer(self, harness: Harness) -> None:
        harness.source.fail_next(standing(AuthenticationFailed("401")))
        assert SMALL.longest_probe * 0.75 <= wait(harness, failed(harness)) <= SMALL.longest_probe * 1.25

    def test_a_mailbox_given_up_waits_longer_too(self, harness: Harness) -> None:
        fail(harness, ImpersonationDenied("no"))
        harness.source.fail_next(standing(SourceUnavailable("reset")))
        assert wait(harness, failed(harness)) >= SMALL.longest_probe * 0.75

    def test_it_uses_the_budget_up(self, harness: Harness) -> None:
        fail(harness, standing(SourceUnavailable("reset")))
        harness.clock.advance(BUDGET)
        assert fail(harness, standing(SourceUnavailable("reset"))).status is FAILED

    @pytest.mark.parametrize(
        "error",
        [
            standing(AuthenticationFailed("401")),
            AuthenticationFailed("401"),
            SourceUnavailable("reset"),
            Throttled("busy", code="HTTP 503"),
            standing(EwsBlocked("403")),
        ],
    )
    def test_it_says_nothing_of_a_cause_of_the_mailboxs_own(self, harness: Harness, error: SourceError) -> None:
        began = fail(harness, MailboxNotFound("unknown")).failing_since
        harness.clock.advance(timedelta(minutes=2))
        harness.source.fail_next(error)
        end = failed(harness)
        found = record(harness)
        assert (found.status, found.error_code, found.error) == (FAILED, "MAILBOX_NOT_FOUND", "unknown")
        assert (found.failing_since, found.error_at, found.attempts) == (began, harness.clock.now(), 2)
        assert end.failure is not None
        assert (end.failure.code, end.message) == ("MAILBOX_NOT_FOUND", "unknown")
        assert fail(harness, ImpersonationDenied("no")).error_code == "IMPERSONATION_DENIED"

    @pytest.mark.parametrize(
        ("first", "then", "told"),
        [
            (SourceUnavailable("reset"), AuthenticationFailed("401"), "AUTH_FAILED"),
            (SourceUnavailable("reset"), EwsBlocked("403"), "EWS_BLOCKED"),
            (AuthenticationFailed("401"), EwsBlocked("403"), "EWS_BLOCKED"),
            (EndpointInvalid("404"), AuthenticationFailed("401"), "AUTH_FAILED"),
            (EwsBlocked("403"), AuthenticationFailed("401"), "EWS_BLOCKED"),
            (AuthenticationFailed("401"), SourceUnavailable("reset"), "AUTH_FAILED"),
            (Throttled("busy", code="ErrorServerBusy"), AuthenticationFailed("401"), "THROTTLED"),
        ],
    )
    def test_of_two_of_everybodys_the_one_further_in_counts(
        self, harness: Harness, first: SourceError, then: SourceError, told: str
    ) -> None:
        """Everybody given up for an outage is told of the wrong password that comes after it."""
        fail(harness, standing(first))
        harness.clock.advance(BUDGET)
        assert fail(harness, standing(first)).status is FAILED
        harness.clock.advance(timedelta(minutes=2))
        assert fail(harness, standing(then)).error_code == told

    def test_no_item_is_blamed_for_it(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        for _ in range(8):
            harness.source.fail_next(standing(SourceUnavailable("reset")), method="fetch_items")
            harness.clock.advance(timedelta(minutes=1))
            failed(harness)
        assert not harness.store.mailbox(ANN).quarantined
        passed(harness)
        assert item in harness.store.current(ANN)


def test_a_given_up_mailbox_leaves_nothing_undone_that_it_was_asked_meanwhile() -> None:
    harness = Harness()
    deliver(harness, 2)
    harness.source.fail_next(FolderMissing("gone"), method="read_changes", times=2)
    harness.run(between=[SyncAsked(urgent=True)])
    harness.settle()
    harness.compare()


def test_an_item_that_breaks_the_connection_is_set_aside_though_new_mail_keeps_landing() -> None:
    """Each pass makes progress, so that the row of failures never grows long: the item's own failures count."""
    harness = Harness()
    (bad,) = deliver(harness, 1)
    fetch = harness.source.fetch_items

    async def breaking(mailbox: str, folder: object, item_ids: list[str]) -> object:
        if bad in item_ids:
            raise SourceUnavailable("connection reset")
        return await fetch(mailbox, folder, item_ids)  # type: ignore[arg-type]

    harness.source.fetch_items = breaking  # type: ignore[method-assign,assignment]
    for _ in range(12):
        harness.clock.advance(timedelta(minutes=1))
        harness.source.deliver(ADDRESS)
        harness.run()
    assert set(harness.store.mailbox(ANN).quarantined) == {bad}
    assert record(harness).status is MailboxStatus.SYNCED
    assert len(harness.store.current(ANN)) == 12
