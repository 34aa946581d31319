"""One mailbox on fakes, run by the real machine and runner, killed between any two actions at will."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from engine.model import Activation, ItemId, Landing, LandingResult, MailboxStatus, Operator, OperatorId
from engine.sync.actions import Deactivate, Rest, SyncAsked, Wish
from engine.sync.lanes import Lanes
from engine.sync.machine import hold
from engine.sync.policy import SyncPolicy
from engine.sync.runner import Mailbox, Runner
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
    """``kill_in``: die at the n-th call from now (None: never); ``kill_after``: that call's work is done first.

    ``held``: as the host has it, for this activation and every later one.
    """

    def __init__(self, policy: SyncPolicy = SMALL) -> None:
        self.clock = FakeClock()
        self.source = FakeMailSource(self.clock)
        self.store = MemoryStore(self.clock.now)
        self.policy = policy
        self.kill_in: int | None = None
        self.kill_after = False
        self.held = False
        self.mailbox: Mailbox | None = None
        self.on_call: Callable[[str], None] | None = None
        self.source.add_mailbox(ADDRESS)
        self.source.before_call = lambda method, _mailbox: self._before_call(method)
        finish(self.store.put_operators([Operator(ANN, ADDRESS)]))

    @property
    def state(self) -> MailboxState | None:
        """The mailbox in memory, if it is there."""
        return self.mailbox.state if self.mailbox else None

    def run(self, wish: Wish | None = None, between: list[Wish] | None = None) -> Rest | Deactivate | None:
        """One pass (None: it was killed); ``between`` is asked while the first action is under way."""
        runner = Runner(self.source, self, Lanes(1), self.clock)
        end: Rest | Deactivate | None = None
        try:
            if self.mailbox is None:
                self.mailbox = Mailbox(awaken(finish(self.store.activate([ANN]))[0], self.policy))
                self.hold(self.held)
            self.mailbox.wishes += between or []
            end = finish(runner.run_pass(self.mailbox, wish or SyncAsked()))
        except Killed:
            self.mailbox = None
        if isinstance(end, Deactivate):
            self.mailbox = None
        return end

    def hold(self, held: bool) -> None:
        """Hold the mailbox, or let it go on; from ``on_call`` too: in the middle of a pass."""
        self.held = held
        if self.mailbox is not None:
            self.mailbox.state = hold(self.mailbox.state, held)

    def restart(self) -> None:
        """The host dies; the mailbox will be activated anew."""
        self.mailbox = None

    def ask(self, wish: Wish) -> None:
        """Put a wish into the inbox, from ``on_call`` say: in the middle of a pass."""
        assert self.mailbox is not None
        self.mailbox.wishes.append(wish)

    def settle(self, passes: int = 12) -> None:
        """Trouble is over: run passes, as they fall due, until one succeeds and nothing is left."""
        self.kill_in = None
        self.hold(False)
        self.source.clear_faults()
        for _ in range(passes):
            self.clock.advance(timedelta(hours=25))  # past every backoff and quarantine retry
            end = self.run()
            if isinstance(end, Rest) and end.failure is None and not self.store.mailbox(ANN).quarantined:
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

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        return await self.store.activate(operator_ids)

    async def land(self, landing: Landing) -> LandingResult:
        dying = self.kill_in == 0
        if not (dying and self.kill_after):
            self._before_call("land")
        result = await self.store.land(landing)
        if dying:
            raise Killed
        return result

    def _before_call(self, method: str) -> None:
        self._maybe_kill()
        if self.on_call is not None:
            self.on_call(method)

    def _maybe_kill(self) -> None:
        if self.kill_in is None:
            return
        if self.kill_in == 0:
            self.kill_in = None
            raise Killed
        self.kill_in -= 1


def deliver(harness: Harness, count: int, folder: str = "inbox") -> list[ItemId]:
    """Emails, each a minute newer than the one before."""
    items = []
    for _ in range(count):
        harness.clock.advance(timedelta(minutes=1))
        items.append(harness.source.deliver(ADDRESS, folder))
    return items


def passed(harness: Harness, wish: Wish | None = None) -> list[Landing]:
    """The landings of one pass that succeeds."""
    before = len(harness.store.landings)
    end = harness.run(wish)
    assert isinstance(end, Rest)
    assert end.failure is None, end.message
    assert not end.held
    return harness.store.landings[before:]


def failed(harness: Harness, wish: Wish | None = None) -> Rest:
    """One pass that fails, and says so in the store."""
    end = harness.run(wish)
    assert isinstance(end, Rest)
    assert end.failure is not None
    record = harness.store.mailbox(ANN).record
    assert record.status in (MailboxStatus.FAILING, MailboxStatus.FAILED)
    assert (record.error_code, record.next_sync_at) == (end.failure.code, end.next_sync_at)
    return end


def wait(harness: Harness, end: Rest) -> timedelta:
    """How long until the next attempt."""
    assert end.next_sync_at is not None
    return end.next_sync_at - harness.clock.now()


def asked(harness: Harness, method: str) -> list[Any]:
    """What the source was asked with this method."""
    return [what for name, _, what in harness.source.calls if name == method]


def fetched(harness: Harness) -> list[tuple[ItemId, ...]]:
    """The ids of each fetch."""
    return [what[1] for what in asked(harness, "fetch_items")]


def rows(landing: Landing) -> int:
    """How many emails a landing brings."""
    return landing.emails.num_rows if landing.emails is not None else 0
