"""Hundreds of mailboxes over simulated time: an event loop that jumps to whatever is waited for next."""

import asyncio
import selectors
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

from engine.errors import SourceError
from engine.jobs.model import Shift
from engine.model import (
    Change,
    ChangePage,
    FetchedItems,
    Folder,
    ItemId,
    MailboxStatus,
    Moment,
    Operator,
    OperatorId,
    ResolvedFolders,
    SubscriptionStatus,
    SyncToken,
)
from engine.orders import HostReport
from engine.sharing import share
from engine.status import DueOperator
from engine.sync.endpoint import Endpoint
from engine.sync.mailboxes import Mailboxes
from engine.sync.policy import SyncPolicy
from engine.sync.recovery import Recovery
from engine.sync.runner import Runner
from engine.sync.watch import Callbacks
from tests.fakes.clock import FakeClock
from tests.fakes.mail_source import FakeMailSource
from tests.fakes.store import MemoryStore

T = TypeVar("T")
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CREDIT = 64
TICK, TEND = 0.2, 0.5
INBOX_ONLY = SyncPolicy(folders=("inbox",))
_CEILING = 8


class _Jumping(selectors.DefaultSelector):
    """Never waits: where nothing is ready, as much time passes as would have been waited."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("nothing will ever happen again")
        if not ready and timeout:
            self.passed += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is simulated."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


def simulate(work: Callable[[], Awaitable[T]]) -> T:
    """Run something within simulated time."""

    async def main() -> T:
        return await work()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main())


class LoopClock(FakeClock):
    """The time of the event loop it is used in."""

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def moment(self) -> Moment:
        made = super().moment()
        return Moment(self.now(), made.jitter, made.fresh_id)


class DistantSource(FakeMailSource):
    """Each request takes ``latency``; ``trouble`` may say what it meets. ``asked_at``: seconds since the beginning."""

    def __init__(self, clock: LoopClock, latency: float = 0.05) -> None:
        super().__init__(clock, folders=("inbox",))
        self.latency = latency
        self.trouble: Callable[[str], SourceError | None] = lambda _mailbox: None
        self.asked_at: list[tuple[float, str]] = []

    async def _reach(self, mailbox: str) -> None:
        self.asked_at.append((asyncio.get_running_loop().time(), mailbox))
        await asyncio.sleep(self.latency)
        if error := self.trouble(mailbox):
            raise error

    async def resolve_folders(self, mailbox: str, names: Sequence[str]) -> ResolvedFolders:
        await self._reach(mailbox)
        return await super().resolve_folders(mailbox, names)

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        await self._reach(mailbox)
        return await super().read_changes(mailbox, folder, token, limit)

    async def fetch_items(self, mailbox: str, folder: Folder, item_ids: Sequence[ItemId]) -> FetchedItems:
        await self._reach(mailbox)
        return await super().fetch_items(mailbox, folder, item_ids)

    async def find_newest(self, mailbox: str, folder: Folder, limit: int) -> tuple[Change, ...]:
        await self._reach(mailbox)
        return await super().find_newest(mailbox, folder, limit)

    async def subscribe(
        self, mailbox: str, folders: Sequence[Folder], callback_url: str, status_frequency: int
    ) -> tuple[str, str | None]:
        await self._reach(mailbox)
        return await super().subscribe(mailbox, folders, callback_url, status_frequency)


class Host:
    """What one host is made of."""

    def __init__(self, source: FakeMailSource, store: MemoryStore, clock: LoopClock, policy: SyncPolicy) -> None:
        self.endpoint = Endpoint(_CEILING, clock)
        callbacks = Callbacks(lambda operator_id, serial: f"http://127.0.0.1/{operator_id}/{serial}", 30, 0.3)
        self.mailboxes = Mailboxes(store, Runner(source, store, self.endpoint, clock), policy, callbacks, clock)
        self.recovery = Recovery(self.endpoint, self.mailboxes, store)

    def report(self) -> HostReport:
        """As much of it as is shared."""
        return HostReport("", standing=self.endpoint.standing(), answered_at=self.endpoint.answered_at)


class Landscape:
    """Hosts, an Exchange with ``count`` mailboxes of one email each, and a coordinator that ticks.

    The n-th mailbox is the n-th host's, and so on in turn.
    """

    def __init__(
        self, count: int, latency: float = 0.05, seed: int = 1, hosts: int = 1, policy: SyncPolicy = INBOX_ONLY
    ) -> None:
        self.clock = LoopClock(seed=seed)
        self.source = DistantSource(self.clock, latency)
        self.store = MemoryStore(self.clock.now)
        self.hosts = {str(n): Host(self.source, self.store, self.clock, policy) for n in range(hosts)}
        self.host = self.hosts["0"]
        self.who = [OperatorId(f"op-{n:03}") for n in range(count)]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for operator_id in self.who:
            self.source.deliver(self.address(operator_id))
        await self.store.put_operators([Operator(one, self.address(one)) for one in self.who])
        self._tasks = [
            asyncio.create_task(_every(TICK, self._dispatch)),
            *(asyncio.create_task(_every(TEND, host.recovery.tend)) for host in self.hosts.values()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for host in self.hosts.values():
            await host.mailboxes.close()

    @staticmethod
    def address(operator_id: OperatorId) -> str:
        return f"{operator_id}@example.com"

    def host_of(self, mailbox: str) -> str:
        """The name of the host that has this address."""
        return str(int(mailbox.partition("@")[0].removeprefix("op-")) % len(self.hosts))

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def synced(self) -> int:
        return sum(self.store._mailboxes[one].record.status is MailboxStatus.SYNCED for one in self.who)

    def failed(self) -> dict[str, int]:
        """How many were given up, by cause."""
        records = (self.store._mailboxes[one].record for one in self.who)
        return dict(Counter(one.error_code or "" for one in records if one.status is MailboxStatus.FAILED))

    def subscribed(self) -> int:
        made = (self.store._mailboxes[one].subscription for one in self.who)
        return sum(one is not None and one.status is SubscriptionStatus.ACTIVE for one in made)

    def asked_between(self, since: float, until: float) -> int:
        return sum(since <= at < until for at, _ in self.source.asked_at)

    async def all_synced(self, within: float, but: int = 0) -> None:
        """Wait until all ``but`` some are."""
        begun = self.now()
        while self.synced() < len(self.who) - but:
            assert self.now() - begun < within, f"{self.synced()} synced after {within} s"
            await asyncio.sleep(0.05)

    async def make_all_due(self) -> None:
        await self.store.make_due(self.who)

    async def _dispatch(self) -> None:
        orders = share(self.hosts, {name: host.report() for name, host in self.hosts.items()}, Shift())
        for name, host in self.hosts.items():
            host.endpoint.follow(orders[name])
            host.mailboxes.on_orders(orders[name])
        busy = {one for host in self.hosts.values() for one in host.mailboxes.in_progress()}
        due = [one for one in await self.store.due(self.clock.now(), CREDIT + len(busy)) if one.operator_id not in busy]
        batches: dict[str, list[DueOperator]] = {}
        for one in due[: max(0, CREDIT - len(busy))]:
            batches.setdefault(self.host_of(one.operator_id), []).append(one)
        for name, batch in batches.items():
            await self.hosts[name].mailboxes.dispatch(batch)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
        await asyncio.sleep(seconds)
