"""A host's mailboxes on fakes: who is in memory, and how they come and go."""

import asyncio
from datetime import timedelta

import pytest

from engine.errors import MailroomError, RequestRefused, StoreUnavailable
from engine.model import MailboxStatus, OperatorId
from engine.notices import Notice, NoticeAnswer, NoticeKind
from engine.status import DueOperator
from tests.fakes.store import Fault
from tests.unit.sync.world import ANN, BOB, World


class TestActivation:
    async def test_asked_twice_at_once_it_happens_once(self, world: World) -> None:
        world.store.gate.shut()
        asked = [asyncio.create_task(world.sync(ANN)) for _ in range(3)]
        asked.append(asyncio.create_task(world.sync(ANN, BOB)))
        await world.turns()
        assert sorted(world.mailboxes.in_progress()) == [ANN, BOB]
        world.store.gate.open()
        await asyncio.gather(*asked)
        assert world.store.activated == [(ANN,), (BOB,)]

    async def test_a_store_that_is_away_is_no_reason_to_unsubscribe(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        world.mailboxes.passivate(timedelta(seconds=-1))
        world.store.gate.shut()
        notices = [asyncio.create_task(world.mailboxes.notify([world.notice()])) for _ in range(3)]
        await world.turns()
        world.store.fail_next_call(StoreUnavailable("away"))
        world.store.gate.open()
        answers = await asyncio.gather(*notices, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
        assert world.mailboxes.in_progress() == []
        assert await world.notify(world.notice()) == [NoticeAnswer.OK]

    async def test_a_mailbox_that_leaves_meanwhile_is_no_reason_to_unsubscribe(self, world: World) -> None:
        await world.sync(ANN, subscribe=True)
        world.store.gate.shut()
        stranger = Notice(OperatorId("nobody"), "serial", NoticeKind.EVENTS)
        answers = asyncio.create_task(world.mailboxes.notify([world.notice(), stranger]))
        await world.turns()
        world.mailboxes.forget([ANN])
        world.store.gate.open()
        assert await answers == [NoticeAnswer.OK, NoticeAnswer.UNSUBSCRIBE]
        await world.rest()

    async def test_a_fenced_mailbox_leaves_and_is_made_due(self, world: World) -> None:
        await world.sync(ANN, BOB)
        world.store._activate(world.store._mailboxes[ANN])  # another host has taken over
        world.source.deliver("ann@example.com")
        await world.sync(ANN)
        assert world.mailboxes.active() == 1
        assert world.store.made_due == [ANN]
        assert not world.store.current(ANN)
        await world.sync(ANN)
        assert len(world.store.current(ANN)) == 1

    @pytest.mark.parametrize("fault", list(Fault))
    async def test_a_store_that_goes_down_and_comes_back(self, world: World, fault: Fault) -> None:
        world.source.deliver("ann@example.com")
        world.store.script(fault)
        refusals = [StoreUnavailable("away"), StoreUnavailable("away")]
        world.clock.gate.shut()
        await world.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=False)])
        await world.turns()
        assert world.mailboxes.active() == 0
        for refusal in refusals:
            world.store.fail_next_call(refusal)
        world.clock.gate.open()
        await world.rest()
        assert world.store.made_due == [ANN]
        assert len(world.clock.slept) == 3
        await world.sync(ANN)
        assert len(world.store.current(ANN)) == 1

    async def test_a_landing_that_raises_anything_leaves_no_doubt_behind(self, world: World) -> None:
        world.store.fail_next_call(MailroomError("a mistake"))
        with pytest.raises(MailroomError):
            await world.sync(ANN)
        await world.sync(ANN)
        assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED

    async def test_the_idle_leave_memory_and_the_busy_stay(self, world: World) -> None:
        await world.sync(ANN)
        world.source.gate.shut()
        await world.mailboxes.dispatch([DueOperator(BOB, sync=True, subscribe=False)])
        await world.turns()
        assert world.mailboxes.passivate(timedelta(minutes=5)) == 0
        world.clock.advance(timedelta(minutes=6))
        assert world.mailboxes.passivate(timedelta(minutes=5)) == 1
        assert world.mailboxes.in_progress() == [BOB]
        world.source.gate.open()
        await world.rest()
        await world.sync(ANN)
        assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED

    async def test_a_pass_of_a_forgotten_mailbox_disturbs_its_successor_not(self, world: World) -> None:
        world.source.gate.shut()
        await world.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=False)])
        await world.turns()
        world.mailboxes.forget([ANN])
        await world.mailboxes.dispatch([DueOperator(ANN, sync=True, subscribe=False)])
        await world.turns()
        world.source.gate.open()
        await world.rest()
        assert world.mailboxes.active() == 1
        assert world.store.mailbox(ANN).record.status is MailboxStatus.SYNCED

    async def test_refusals_are_recorded_under_their_code(self, world: World) -> None:
        world.source.fail_next(RequestRefused("odd", code="ErrorOdd"))
        await world.sync(ANN)
        assert world.store.mailbox(ANN).record.error_code == "REQUEST_REFUSED"
