"""Two operators, one host, and gates to hold things up at."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from engine.model import Activation, ChangePage, Folder, Operator, OperatorId, SyncToken
from engine.notices import Notice, NoticeAnswer, NoticeKind
from engine.status import DueOperator
from engine.sync.endpoint import Endpoint
from engine.sync.mailboxes import Mailboxes
from engine.sync.runner import Runner
from engine.sync.watch import Callbacks
from tests.fakes.clock import FakeClock
from tests.fakes.mail_source import FakeMailSource
from tests.fakes.store import MemoryStore
from tests.unit.sync.harness import SMALL

ANN, BOB = OperatorId("op-ann"), OperatorId("op-bob")
DEBOUNCE = 0.3


class Gate:
    """Lets what comes to it wait, while it is shut."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self.waiting = 0

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def passage(self) -> None:
        self.waiting += 1
        await self._open.wait()
        self.waiting -= 1


class PacedClock(FakeClock):
    """Sleeping gives way to others, and waits for the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        await self.gate.passage()
        await super().sleep(seconds)


class GatedSource(FakeMailSource):
    """Reading waits for the gate; how many reads of one mailbox are ever under way at once is counted."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.gate = Gate()
        self.most_at_once = 0

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        self.most_at_once = max(self.most_at_once, self.gate.waiting + 1)
        await self.gate.passage()
        return await super().read_changes(mailbox, folder, token, limit)


class GatedStore(MemoryStore):
    """Activating waits for the gate; heard signs are kept."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock.now)
        self.gate = Gate()
        self.activated: list[tuple[OperatorId, ...]] = []
        self.signs: list[tuple[OperatorId, str, datetime]] = []
        self.made_due: list[OperatorId] = []

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        self.activated.append(tuple(operator_ids))
        await self.gate.passage()
        return await super().activate(operator_ids)

    async def heard(self, serials: Sequence[tuple[OperatorId, str, datetime]]) -> None:
        await super().heard(serials)
        self.signs += serials

    async def make_due(self, operator_ids: Sequence[OperatorId]) -> None:
        await super().make_due(operator_ids)
        self.made_due += operator_ids


class World:
    """Two operators, one host."""

    def __init__(self) -> None:
        self.clock = PacedClock()
        self.source = GatedSource(self.clock)
        self.store = GatedStore(self.clock)
        self.source.add_mailbox("ann@example.com")
        self.source.add_mailbox("bob@example.com")
        self.mailboxes = self.host()

    def host(
        self, base: str = "http://127.0.0.1", frequency: int = 30, *, renew: bool = True, since: datetime | None = None
    ) -> Mailboxes:
        """A host's mailboxes, over the same store and source."""
        self.endpoint = Endpoint(4, self.clock)
        return Mailboxes(
            self.store,
            Runner(self.source, self.store, self.endpoint, self.clock),
            SMALL,
            Callbacks(lambda operator_id, serial: f"{base}/{operator_id}/{serial}", frequency, DEBOUNCE, renew, since),
            self.clock,
        )

    async def begin(self) -> None:
        await self.store.put_operators([Operator(ANN, "ann@example.com"), Operator(BOB, "bob@example.com")])

    async def turns(self, count: int = 30) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def rest(self) -> None:
        """Until nothing is under way."""
        for _ in range(2000):
            await asyncio.sleep(0)
            if not self.mailboxes.in_progress() and not self.mailboxes._revival.tasks:
                return
        raise AssertionError("something is still under way")

    async def sync(self, *who: OperatorId, subscribe: bool = False) -> None:
        await self.mailboxes.dispatch([DueOperator(one, sync=True, subscribe=subscribe) for one in who])
        await self.rest()

    def serial(self, who: OperatorId = ANN) -> str:
        subscription = self.store.mailbox(who).subscription
        assert subscription is not None
        return subscription.serial

    def notice(self, kind: NoticeKind = NoticeKind.EVENTS, serial: str | None = None, **more: str) -> Notice:
        return Notice(ANN, serial or self.serial(), kind, **more)

    async def notify(self, *notices: Notice) -> list[NoticeAnswer]:
        answers = await self.mailboxes.notify(notices)
        await self.rest()
        return answers

    def calls(self, method: str) -> int:
        return sum(name == method for name, _, _ in self.source.calls)
