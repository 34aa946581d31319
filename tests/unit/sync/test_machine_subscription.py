"""The mailbox's sync by example: the push subscription, and whether Exchange reaches the listener."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import AuthenticationFailed, ListenerUrlInvalid, SourceError, SubscriptionQuota, Throttled
from engine.model import SubscriptionRecord, SubscriptionStatus
from engine.sync.actions import Rest, SubscribeAsked
from engine.sync.subscribe import heard
from tests.unit.sync.harness import ADDRESS, ANN, SMALL, Harness, asked, deliver, failed, passed


def wish(number: int = 1) -> SubscribeAsked:
    return SubscribeAsked(f"serial-{number}", f"http://127.0.0.1/{number}", 30)


def made(harness: Harness) -> SubscriptionRecord:
    record = harness.store.mailbox(ANN).subscription
    assert record is not None
    return record


def call_back(harness: Harness) -> None:
    """Exchange has called back: the mailbox in memory knows, and so does the store."""
    assert harness.mailbox is not None
    harness.mailbox.state = heard(harness.mailbox.state, harness.clock.now())


class TestSubscription:
    def test_it_is_made_before_the_drain_that_closes_the_gap(self, harness: Harness) -> None:
        passed(harness)
        harness.source.calls.clear()
        harness.run(wish())
        assert [name for name, _, _ in harness.source.calls] == ["subscribe", "read_changes", "read_changes"]
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert (record.serial, record.status, record.status_frequency) == ("serial-1", SubscriptionStatus.ACTIVE, 30)
        assert record.heard_at == record.created_at == harness.clock.now()
        assert record.subscription_id == harness.source.subscriptions[-1].subscription_id
        assert {folder.name for folder in harness.source.subscriptions[-1].folders} == {"inbox", "sentitems"}

    def test_refused_it_leaves_the_sync_going_and_is_due_later(self, harness: Harness) -> None:
        (item,) = deliver(harness, 1)
        harness.source.fail_next(SubscriptionQuota("too many"), method="subscribe")
        end = harness.run(wish())
        assert isinstance(end, Rest)
        assert end.failure is None
        assert item in harness.store.current(ANN)
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert (record.status, record.error_code) == (SubscriptionStatus.FAILED, "SUBSCRIPTION_QUOTA")
        assert record.next_attempt_at is not None
        assert record.next_attempt_at >= harness.clock.now() + 3 * SMALL.first_backoff
        harness.compare()

    def test_failing_credentials_put_subscribing_off_as_well(self, harness: Harness) -> None:
        harness.source.fail_next(AuthenticationFailed("401"), times=50)
        end = failed(harness, wish())
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert (record.status, record.error_code) == (SubscriptionStatus.FAILED, "AUTH_FAILED")
        assert record.next_attempt_at == end.next_sync_at
        assert harness.mailbox is not None
        assert harness.mailbox.state.subscribe is None
        assert not asked(harness, "subscribe")

    def test_a_replaced_folder_wants_a_new_one(self, harness: Harness) -> None:
        harness.run(wish())
        harness.source.remove_folder(ADDRESS, "inbox")
        harness.source.add_folder(ADDRESS, "inbox")
        passed(harness)
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert (record.serial, record.status) == ("serial-1", SubscriptionStatus.LOST)
        harness.run(SubscribeAsked("serial-2", "http://127.0.0.1/y", 30))
        folders = {folder.folder_id for folder in harness.source.subscriptions[-1].folders}
        assert harness.source.folder(ADDRESS).folder_id in folders

    def test_a_folder_the_settings_have_added_wants_a_new_one(self, harness: Harness) -> None:
        harness.source.add_folder(ADDRESS, "archive")
        harness.run(wish())
        harness.policy = replace(SMALL, folders=("inbox", "sentitems", "archive"))
        harness.restart()
        passed(harness)
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert record.status is SubscriptionStatus.LOST

    def test_a_folder_taken_up_again_wants_a_new_one(self, harness: Harness) -> None:
        passed(harness)
        harness.policy = replace(SMALL, folders=("inbox",))
        harness.restart()
        harness.run(wish())
        harness.policy = SMALL
        harness.restart()
        passed(harness)
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert record.status is SubscriptionStatus.LOST

    def test_a_restart_alone_keeps_it(self, harness: Harness) -> None:
        deliver(harness, 4)
        harness.run(wish())
        harness.restart()
        passed(harness)
        record = harness.store.mailbox(ANN).subscription
        assert record is not None
        assert record.status is SubscriptionStatus.ACTIVE

    def test_no_watermark_is_no_trouble(self, harness: Harness) -> None:
        harness.source.gives_watermarks = False
        end = harness.run(wish())
        assert isinstance(end, Rest)
        assert end.failure is None


class TestRefused:
    @pytest.mark.parametrize(
        ("error", "at_least", "at_most"),
        [
            (SubscriptionQuota("too many"), timedelta(seconds=48), timedelta(seconds=80)),
            (AuthenticationFailed("401"), timedelta(seconds=48), timedelta(seconds=80)),
            (ListenerUrlInvalid("no"), SMALL.first_probe * 24, SMALL.longest_probe),
            (Throttled("busy", retry_after=600), timedelta(minutes=10), timedelta(minutes=13)),
        ],
    )
    def test_the_next_attempt_is_as_far_as_the_cause_is_lasting(
        self, harness: Harness, error: SourceError, at_least: timedelta, at_most: timedelta
    ) -> None:
        harness.source.fail_next(error, method="subscribe")
        passed(harness, wish())
        upcoming = made(harness).next_attempt_at
        assert upcoming is not None
        assert at_least <= upcoming - harness.clock.now() <= at_most

    def test_what_is_known_from_other_requests_is_lasting(self, harness: Harness) -> None:
        error = AuthenticationFailed("401")
        error.standing = True
        harness.source.fail_next(error, method="subscribe")
        passed(harness, wish())
        upcoming = made(harness).next_attempt_at
        assert upcoming is not None
        assert upcoming - harness.clock.now() >= SMALL.longest_probe * 0.75


class TestUnheard:
    """How many subscriptions in a row were never heard, up to the present one."""

    def replaced_after(self, harness: Harness, minutes: float, number: int = 2) -> int:
        harness.clock.advance(timedelta(minutes=minutes))
        harness.run(wish(number))
        return made(harness).unheard

    def test_the_first_has_none_before_it(self, harness: Harness) -> None:
        passed(harness, wish())
        assert made(harness).unheard == 0

    def test_those_never_heard_in_all_their_time_count(self, harness: Harness) -> None:
        passed(harness, wish())
        assert [self.replaced_after(harness, 60, number) for number in (2, 3, 4)] == [1, 2, 3]

    def test_one_replaced_before_its_time_says_nothing(self, harness: Harness) -> None:
        passed(harness, wish())
        assert self.replaced_after(harness, 59.9) == 0
        assert self.replaced_after(harness, 60, 3) == 1
        assert self.replaced_after(harness, 1, 4) == 1

    def test_its_time_is_its_own_frequency(self, harness: Harness) -> None:
        passed(harness, replace(wish(), status_frequency=1))
        assert self.replaced_after(harness, 2) == 1

    def test_once_heard_all_is_well(self, harness: Harness) -> None:
        passed(harness, wish())
        assert self.replaced_after(harness, 60) == 1
        harness.clock.advance(timedelta(minutes=1))
        call_back(harness)
        assert self.replaced_after(harness, 60, 3) == 0

    def test_heard_before_a_restart_counts(self, harness: Harness) -> None:
        passed(harness, wish())
        harness.clock.advance(timedelta(minutes=1))
        harness.store._mailboxes[ANN].subscription = replace(made(harness), heard_at=harness.clock.now())
        harness.restart()
        assert self.replaced_after(harness, 60) == 0

    def test_called_back_before_the_answer_counts(self, harness: Harness) -> None:
        def early(method: str) -> None:
            if method == "subscribe":
                harness.clock.advance(timedelta(seconds=1))
                call_back(harness)
                harness.clock.advance(timedelta(seconds=1))

        harness.on_call = early
        passed(harness, wish())
        harness.on_call = None
        assert self.replaced_after(harness, 60) == 0

    def test_refusals_keep_it(self, harness: Harness) -> None:
        passed(harness, wish())
        harness.source.fail_next(SubscriptionQuota("too many"), method="subscribe", times=2)
        assert self.replaced_after(harness, 60, 2) == 1
        assert self.replaced_after(harness, 60, 3) == 1
        assert self.replaced_after(harness, 60, 4) == 1
        assert made(harness).status is SubscriptionStatus.ACTIVE
        assert self.replaced_after(harness, 60, 5) == 2

    def test_a_pass_that_does_not_come_to_it_keeps_it(self, harness: Harness) -> None:
        passed(harness, wish())
        harness.clock.advance(timedelta(minutes=60))
        harness.restart()
        harness.source.fail_next(Throttled("busy"), method="resolve_folders")
        failed(harness, wish(2))
        assert (made(harness).unheard, made(harness).status) == (1, SubscriptionStatus.FAILED)
        assert self.replaced_after(harness, 60, 3) == 1

    def test_one_exchange_gave_up_was_heard(self, harness: Harness) -> None:
        """An error notice is a call back, too."""
        passed(harness, wish())
        harness.clock.advance(timedelta(minutes=1))
        call_back(harness)
        assert harness.mailbox is not None
        lost = replace(made(harness), status=SubscriptionStatus.LOST, heard_at=harness.clock.now())
        harness.mailbox.state = replace(harness.mailbox.state, subscription=lost)
        assert self.replaced_after(harness, 60) == 0

    def test_one_that_was_lost_before_its_time_says_nothing(self, harness: Harness) -> None:
        passed(harness, wish())
        harness.source.remove_folder(ADDRESS, "inbox")
        harness.source.add_folder(ADDRESS, "inbox")
        passed(harness)
        assert made(harness).status is SubscriptionStatus.LOST
        assert self.replaced_after(harness, 60) == 0

    def test_without_a_subscription_nothing_is_heard(self, harness: Harness) -> None:
        passed(harness)
        call_back(harness)
        assert harness.store.mailbox(ANN).subscription is None
