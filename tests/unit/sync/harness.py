"""One mailbox on fakes, run by the real machine and runner, killed between any two actions at will."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from engine.model import Activation, Landing, LandingResult, MailboxStatus, Operator, OperatorId
from engine.sync.actions import Deactivate, Rest, SyncAsked, Wish
from engine.sync.lanes import Lanes
from engine.sync.policy import SyncPolicy
from engine.sync.runner import Runner
from engine.sync.state import MailboxState, awaken
from tests.fakes.clock import FakeClock
from tests.fakes.mail_source import FakeMailSource
from tests.fakes.store import MemoryStore

ANN = OperatorId("op-ann")
ADDRESS = "ann@example.com"
SMALL = SyncPolicy(batch_size=3, fetch_items=2, sync_from=timedelta(days=30))


T = TypeVar("T")


class Killed(BaseException):
    """kill -9: nothing after this runs, nothing catches it."""


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that only ever awaits fakes, which never suspend."""
    try:
        work.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError("a fake has suspended")


class Harness:
    """``kill_in``: die at the n-th call from now (None: never); ``kill_after``: that call's work is done first."""

    def __init__(self, policy: SyncPolicy = SMALL) -> None:
        self.clock = FakeClock()
        self.source = FakeMailSource(self.clock)
        self.store = MemoryStore(self.clock.now)
        self.policy = policy
        self.kill_in: int | None = None
        self.kill_after = False
        self.state: MailboxState | None = None
        self.source.add_mailbox(ADDRESS)
        self.source.before_call = lambda _method, _mailbox: self._maybe_kill()
        finish(self.store.put_operators([Operator(ANN, ADDRESS)]))

    def run(self, wish: Wish | None = None, between: list[Wish] | None = None) -> Rest | Deactivate | None:
        """One pass (None: it was killed); ``between`` is asked while the first action is under way."""
        asked = list(between or [])

        def new_wishes() -> list[Wish]:
            taken = asked[:1]
            del asked[:1]
            return taken

        runner = Runner(self.source, self, Lanes(1), self.clock)
        try:
            if self.state is None:
                self.state = awaken(finish(self.store.activate([ANN]))[0], self.policy)
            self.state, end = finish(runner.run_pass(self.state, wish or SyncAsked(), new_wishes))
        except Killed:
            self.state, end = None, None
        if isinstance(end, Deactivate):
            self.state = None
        return end

    def settle(self, passes: int = 12) -> None:
        """Trouble is over: run passes, as they fall due, until one succeeds and nothing is left."""
        self.kill_in = None
        self.source.clear_faults()
        for _ in range(passes):
            self.clock.advance(timedelta(hours=25))  # past every backoff and quarantine retry
            end = self.run()
            if isinstance(end, Rest) and end.failure is None:
                return
        raise AssertionError(f"still failing: {self.state}")

    def compare(self) -> None:
        """The store is Exchange: one current row an item, equal in every column, in the right folder."""
        expected = {
            item_id: {**row, "folder": folder}
            for folder in ("inbox", "sentitems")
            for item_id, row in self.source.items(ADDRESS, folder).items()
            if row["received_at"] >= self.store.mailbox(ANN).record.window_start
        }
        current = self.store.current(ANN)
        assert set(current) == set(expected)
        for item_id, row in expected.items():
            landed = {name: current[item_id][name] for name in row}
            assert landed == row
        box = self.store.mailbox(ANN)
        assert box.record.status is MailboxStatus.SYNCED
        assert not box.pages
        assert not box.quarantined

    # engine.ports.LandingStore, with a death before or after the commit

    async def activate(self, operator_ids: list[OperatorId]) -> list[Activation]:
        return await self.store.activate(operator_ids)

    async def land(self, landing: Landing) -> LandingResult:
        dying = self.kill_in == 0
        if not (dying and self.kill_after):
            self._maybe_kill()
        result = await self.store.land(landing)
        if dying:
            raise Killed
        return result

    def _maybe_kill(self) -> None:
        if self.kill_in is None:
            return
        if self.kill_in == 0:
            self.kill_in = None
            raise Killed
        self.kill_in -= 1
