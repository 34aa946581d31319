"""A host's mailboxes on fakes: passes, and what notices lead to."""

from datetime import timedelta

import pytest

from engine.errors import (
    AuthenticationFailed,
    ImpersonationDenied,
    MailboxNotFound,
    SourceError,
    SourceUnavailable,
    StoreUnavailable,
    Throttled,
)
from engine.model import MailboxStatus, Operator, OperatorId, SubscriptionStatus
from engine.notices import Notice, NoticeAnswer, NoticeKind
from engine.orders import Orders
from engine.status import DueOperator
from engine.sync import runner as runner_module
from tests.unit.sync.harness import SMALL
from tests.unit.sync.world import ANN, BOB, DEBOUNCE, World


class TestPasses:
    async def test_one_at_a_time_and_what_comes_meanwhile_coalesces(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        world.source.calls.clear()
        world.source.gate.shut()
        await world.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=False)])
        await world.turns()
        for _ in range(20):
            await world.mailboxes.notify([world.notice()])
        world.source.deliver("ann@example.com")
        assert world.mailboxes.in_progress() == [ANN]
        world.source.gate.open()
        await world.rest()
        assert world.source.most_at_once == 1
        assert world.calls("read_changes") == 3, "inbox, inbox once more, sent items"
        assert len(world.store.current(ANN)) == 1

    async def test_mailboxes_run_beside_each_other(self, world: World) -> None:
        world.source.gate.shut()
        await world.mailboxes.dispatch([DueOperator(one, sync=True, subscribe=False) for one in (ANN, BOB)])
        await world.turns()
        assert sorted(world.mailboxes.in_progress()) == [ANN, BOB]
        assert world.source.gate.waiting == 2
        world.source.gate.open()
        await world.rest()

    async def test_a_resting_mailbox_waits_a_little_after_a_notice(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        world.source.calls.clear()
        world.clock.slept.clear()
        world.clock.gate.shut()
        for _ in range(3):
            assert await world.mailboxes.notify([world.notice()]) == [NoticeAnswer.OK]
            await world.turns()
        assert world.clock.slept == [DEBOUNCE]
        assert not world.source.calls
        world.clock.gate.open()
        await world.rest()
        assert world.calls("read_changes") == 2, "one pass for all"

    async def test_a_job_waits_for_nothing(self, world: World) -> None:
        await world.sync(ANN)
        assert world.clock.slept == []

    async def test_an_unknown_operator_is_left_out(self, world: World) -> None:
        await world.sync(OperatorId("nobody"), ANN)
        assert world.mailboxes.active() == 1
        assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (Throttled("busy", code="ErrorServerBusy"), MailboxStatus.FAILING),
            (MailboxNotFound("nobody"), MailboxStatus.FAILED),
        ],
    )
    async def test_a_failing_mailbox_ignores_notices_until_its_time_has_come(
        self, world: World, error: SourceError, status: MailboxStatus
    ) -> None:
        await world.sync(ANN, subscribe=True)
        world.source.fail_next(error)
        await world.sync(ANN)
        assert world.store.mailbox(ANN).record.status is status
        world.source.calls.clear()
        assert await world.notify(world.notice()) == [NoticeAnswer.OK]
        assert not world.source.calls
        world.clock.advance(timedelta(minutes=1))
        await world.notify(world.notice())
        assert world.calls("read_changes")

    @pytest.mark.parametrize("given_up", [False, True])
    async def test_a_notice_wakes_whoever_fails_of_what_passes_but_not_more_often_than_a_probe(
        self, world: World, given_up: bool
    ) -> None:
        await world.sync(ANN, subscribe=True)
        broken = SourceUnavailable("down", code="ErrorMailboxStoreUnavailable")
        world.source.fail_next(broken, method="read_changes", times=1000)
        for _ in range(9):
            await world.sync(ANN)
        if given_up:
            world.clock.advance(SMALL.retry_for)
            for _ in range(9):
                await world.sync(ANN)
        record = world.store.mailbox(ANN).record
        assert record.status is (MailboxStatus.FAILED if given_up else MailboxStatus.FAILING)
        assert record.next_sync_at is not None
        assert record.next_sync_at - world.clock.now() > timedelta(minutes=2)
        world.source.calls.clear()
        for _ in range(24):
            world.clock.advance(timedelta(seconds=5))
            assert await world.notify(world.notice()) == [NoticeAnswer.OK]
        assert world.calls("read_changes") == 2 * 120 / SMALL.first_probe.total_seconds(), "two folders"
        world.source.clear_faults()
        world.source.deliver("ann@example.com")
        world.clock.advance(SMALL.first_probe)
        await world.notify(world.notice())
        assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED
        assert len(world.store.current(ANN)) == 1

    @pytest.mark.parametrize(
        "error",
        [
            ImpersonationDenied("no"),
            AuthenticationFailed("401", code="ErrorPasswordExpired"),
            Throttled("busy", retry_after=300, code="ErrorServerBusy"),
        ],
    )
    async def test_a_notice_wakes_nobody_who_fails_of_what_lasts_or_was_told_to_wait(
        self, world: World, error: SourceError
    ) -> None:
        await world.sync(ANN, subscribe=True)
        world.source.fail_next(error, times=1000)
        for _ in range(6):
            await world.sync(ANN)
        world.source.calls.clear()
        for _ in range(24):
            world.clock.advance(timedelta(seconds=5))
            await world.notify(world.notice())
        assert not world.source.calls

    async def test_a_missing_folder_does_not_keep_the_others_from_their_mail(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        world.source.remove_folder("ann@example.com", "sentitems")
        await world.sync(ANN)
        assert world.store.mailbox(ANN).record.error_code == "FOLDER_MISSING"
        world.source.deliver("ann@example.com")
        await world.notify(world.notice())
        assert len(world.store.current(ANN)) == 1

    async def test_a_mistake_of_ours_is_that_mailboxs_trouble(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stumble(*_args: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("engine.sync.machine.drain.on_page", stumble)
        await world.sync(ANN)
        record = world.store.mailbox(ANN).record
        assert (record.status, record.error_code) == (MailboxStatus.FAILING, "INTERNAL")
        assert "ZeroDivisionError" in (record.error or "")

    async def test_a_machine_that_cannot_even_fail_pauses_that_mailbox(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stumble(*_args: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(runner_module, "step", stumble)
            await world.sync(ANN)
        assert world.clock.slept[0] >= 60
        assert world.mailboxes.active() == 0
        assert world.store.made_due == [ANN]
        await world.sync(ANN)
        assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED

    async def test_closing_stops_everything_where_it_stands(self, world: World) -> None:
        world.source.gate.shut()
        await world.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=False)])
        await world.turns()
        await world.mailboxes.close()
        assert world.mailboxes.in_progress() == []


class TestNotices:
    async def test_a_disabled_operator_is_unsubscribed(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        await world.store.put_operators([Operator(ANN, "ann@example.com", email_sync=False)])
        world.mailboxes.forget([ANN])
        world.source.calls.clear()
        assert await world.notify(world.notice()) == [NoticeAnswer.UNSUBSCRIBE]
        assert not world.source.calls

    async def test_once_enabled_again_another_subscription_is_wanted(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        for enabled in (False, True):
            await world.store.put_operators([Operator(ANN, "ann@example.com", email_sync=enabled)])
            world.mailboxes.forget([ANN])
            if not enabled:
                assert await world.notify(world.notice(), world.notice()) == [NoticeAnswer.UNSUBSCRIBE] * 2
        assert [one.subscribe for one in await world.store.due(world.clock.now(), 9) if one.operator_id == ANN] == [
            True
        ]

    async def test_whoever_is_enabled_again_is_subscribed_anew(self, world: World) -> None:
        """Exchange may have been answered Unsubscribe just before, and nobody here would know."""
        await world.sync(ANN, subscribe=True)
        old = world.notice()
        for enabled in (False, True):
            await world.store.put_operators([Operator(ANN, "ann@example.com", email_sync=enabled)])
            world.mailboxes.forget([ANN])
        assert DueOperator(ANN, sync=True, subscribe=True) in await world.store.due(world.clock.now(), 9)
        await world.sync(ANN, subscribe=True)
        assert await world.notify(old, world.notice()) == [NoticeAnswer.UNSUBSCRIBE, NoticeAnswer.OK]

    async def test_strangers_and_old_serials_are_unsubscribed(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        stranger = Notice(OperatorId("nobody"), "serial", NoticeKind.EVENTS)
        unsubscribed = Notice(BOB, "serial", NoticeKind.EVENTS)
        answers = await world.notify(world.notice(serial="old"), world.notice(), stranger, unsubscribed)
        no = NoticeAnswer.UNSUBSCRIBE
        assert answers == [no, NoticeAnswer.OK, no, no]

    async def test_a_new_subscription_counts_while_its_pass_is_under_way(self, world: World) -> None:
        """Exchange calls at once, and a backfill takes a while."""
        world.source.gate.shut()
        await world.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=True)])
        await world.turns()
        serial = world.source.subscriptions[-1].callback_url.rpartition("/")[2]
        heartbeat = Notice(ANN, serial, NoticeKind.HEARTBEAT)
        assert await world.mailboxes.notify([heartbeat]) == [NoticeAnswer.OK]
        world.source.gate.open()
        await world.rest()
        assert world.serial() == serial

    async def test_a_heartbeat_is_only_heard(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        world.source.calls.clear()
        world.clock.advance(timedelta(minutes=30))
        assert await world.notify(world.notice(NoticeKind.HEARTBEAT)) == [NoticeAnswer.OK]
        assert not world.source.calls
        await world.mailboxes.flush_heard()
        assert world.store.signs == [(ANN, world.serial(), world.clock.now())]
        await world.mailboxes.flush_heard()
        assert len(world.store.signs) == 1

    async def test_a_sign_of_life_outlives_a_store_that_is_away(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        await world.notify(world.notice(NoticeKind.HEARTBEAT))
        world.store.fail_next_call(StoreUnavailable("away"))
        with pytest.raises(StoreUnavailable):
            await world.mailboxes.flush_heard()
        await world.mailboxes.flush_heard()
        assert len(world.store.signs) == 1

    async def test_a_watermark_that_was_missed_makes_a_pass(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        beat = NoticeKind.HEARTBEAT
        await world.notify(world.notice(beat, previous_watermark="a", watermark="b"))
        world.source.calls.clear()
        await world.notify(world.notice(beat, previous_watermark="b", watermark="c"))
        await world.notify(world.notice(beat, watermark="d"))
        assert not world.source.calls
        await world.notify(world.notice(beat, previous_watermark="x", watermark="y"))
        assert world.calls("read_changes") == 2

    async def test_an_error_ends_the_subscription_and_makes_another(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        old = world.serial()
        world.clock.advance(timedelta(minutes=1))
        assert await world.notify(world.notice(NoticeKind.ERROR)) == [NoticeAnswer.UNSUBSCRIBE]
        assert world.serial() != old
        subscription = world.store.mailbox(ANN).subscription
        assert subscription is not None
        assert subscription.status is SubscriptionStatus.ACTIVE

    async def test_errors_posted_by_somebody_who_knows_the_url_make_one_subscription_a_minute(
        self, world: World
    ) -> None:
        await world.sync(ANN, subscribe=True)
        made_at, old = world.clock.now(), world.notice(NoticeKind.ERROR)
        world.source.deliver("ann@example.com")
        assert await world.notify(old) == [NoticeAnswer.UNSUBSCRIBE]
        assert len(world.store.current(ANN)) == 1, "what it may have missed is read all the same"
        for _ in range(20):
            assert await world.notify(old) == [NoticeAnswer.UNSUBSCRIBE]
        assert len(world.source.subscriptions) == 1
        gone = world.store.mailbox(ANN).subscription
        assert gone is not None
        assert gone.status is SubscriptionStatus.LOST
        assert gone.next_attempt_at is not None
        assert timedelta(seconds=60) <= gone.next_attempt_at - made_at <= timedelta(seconds=90)
        await world.sync(ANN, subscribe=True)
        assert world.notice().serial != old.serial
        assert await world.notify(world.notice(), old) == [NoticeAnswer.OK, NoticeAnswer.UNSUBSCRIBE]

    async def test_nobody_subscribes_anew_while_the_job_is_disabled(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        world.mailboxes.on_orders(Orders(subscribe=False))
        world.clock.advance(timedelta(minutes=5))
        assert await world.notify(world.notice(NoticeKind.ERROR)) == [NoticeAnswer.UNSUBSCRIBE]
        assert len(world.source.subscriptions) == 1
        gone = world.store.mailbox(ANN).subscription
        assert gone is not None
        assert (gone.status, gone.next_attempt_at) == (SubscriptionStatus.LOST, world.clock.now())

    async def test_what_is_heard_counts_when_the_subscription_is_renewed(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        world.clock.advance(timedelta(minutes=30))
        await world.notify(world.notice(NoticeKind.HEARTBEAT))
        world.clock.advance(timedelta(hours=2))
        await world.sync(ANN, subscribe=True)
        made = world.store.mailbox(ANN).subscription
        assert made is not None
        assert made.unheard == 0

    @pytest.mark.parametrize(
        ("base", "frequency", "renew", "made"),
        [
            ("http://127.0.0.1", 30, True, 1),
            ("http://127.0.0.2", 30, True, 2),
            ("http://127.0.0.1", 10, True, 2),
            ("http://127.0.0.2", 30, False, 1),
        ],
    )
    async def test_a_subscription_that_calls_elsewhere_is_replaced(
        self, world: World, base: str, frequency: int, renew: bool, made: int
    ) -> None:
        await world.sync(ANN, subscribe=True)
        world.mailboxes = world.host(base, frequency, renew=renew)
        await world.sync(ANN)
        await world.sync(ANN)
        assert len(world.source.subscriptions) == made
        assert world.source.subscriptions[-1].callback_url.startswith(base if renew else "http://127.0.0.1")

    async def test_a_subscription_of_an_earlier_run_is_replaced_once(self, world: World) -> None:
        """While nobody listened, Exchange may have dropped it, and would be silent about that."""
        await world.sync(ANN, subscribe=True)
        world.clock.advance(timedelta(seconds=5))
        world.mailboxes = world.host(since=world.clock.now())
        world.clock.advance(timedelta(seconds=5))
        await world.sync(ANN)
        await world.sync(ANN)
        assert len(world.source.subscriptions) == 2
