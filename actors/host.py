"""The MailboxHost actor: many mailboxes in one process, with one thread pool to Exchange."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from actors.remote_store import RemoteStore
from engine import logs
from engine.callback import callback_url, sign
from engine.clock import SystemClock
from engine.errors import MailroomError
from engine.model import OperatorId
from engine.notices import Notice, NoticeAnswer
from engine.orders import HostReport, Orders
from engine.settings import Settings
from engine.sources.ews.source import EwsSource
from engine.status import DueOperator
from engine.sync.endpoint import Endpoint
from engine.sync.mailboxes import Mailboxes
from engine.sync.policy import SyncPolicy
from engine.sync.recovery import Recovery
from engine.sync.runner import Runner
from engine.sync.watch import Callbacks

_log = structlog.get_logger(__name__)
_FLUSH_EVERY = 1.0
_TEND_EVERY = 0.5
_PASSIVATE_EVERY = 30.0
_IDLE_FOR = timedelta(minutes=5)


class MailboxHost:
    """``engine.sync.mailboxes.Mailboxes`` as a process.

    ``callback_base``: where Exchange reaches the listener. ``since``: when this Mailroom was started.
    """

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self, settings: Settings, callback_base: str, callback_key: bytes, since: datetime
    ) -> None:
        logs.configure()
        self._incarnation = uuid.uuid4().hex
        clock, store = SystemClock(), RemoteStore()
        concurrency = settings.cluster.sync_concurrency
        self._source = EwsSource(settings.exchange, concurrency)
        self._endpoint = Endpoint(concurrency, clock)
        self._mailboxes = Mailboxes(
            store,
            Runner(self._source, store, self._endpoint, clock),
            SyncPolicy.of(settings),
            Callbacks(
                lambda operator_id, serial: callback_url(callback_base, sign(callback_key, operator_id, serial)),
                settings.email_sync.notification_frequency,
                settings.email_sync.debounce.total_seconds(),
                renew=settings.jobs.ManagePushSubscriptions.enabled,
                since=since,
            ),
            clock,
        )
        self._housekeeping = [
            asyncio.create_task(_every(_FLUSH_EVERY, self._mailboxes.flush_heard)),
            asyncio.create_task(_every(_TEND_EVERY, Recovery(self._endpoint, self._mailboxes, store).tend)),
            asyncio.create_task(_every(_PASSIVATE_EVERY, self._passivate)),
        ]

    async def report(self, orders: Orders | None = None) -> HostReport:
        """What this host is doing; also how the coordinator knows that it lives, and tells it what holds for all."""
        if orders is not None:
            self._endpoint.follow(orders)
            self._mailboxes.on_orders(orders)
        return HostReport(
            self._incarnation,
            tuple(self._mailboxes.in_progress()),
            self._mailboxes.active(),
            self._endpoint.standing(),
            self._endpoint.answered_at,
            self._endpoint.concurrency,
            self._endpoint.requests,
            dict(self._endpoint.outcomes),
        )

    async def ping(self) -> bool:
        """Whether the host lives."""
        return True

    async def dispatch(self, due: Sequence[DueOperator]) -> None:
        """Start passes."""
        await self._mailboxes.dispatch(due)

    async def notify(self, notices: Sequence[Notice]) -> list[NoticeAnswer]:
        """Take notices in; they are this host's to see to from here on."""
        return await self._mailboxes.notify(notices)

    async def forget(self, operator_ids: Sequence[OperatorId]) -> None:
        """Drop mailboxes whose operators have changed."""
        self._mailboxes.forget(operator_ids)

    async def stop(self) -> None:
        """Stop where it stands; nothing is lost by that."""
        for task in self._housekeeping:
            task.cancel()
        await self._mailboxes.close()
        await self._source.close()

    async def _passivate(self) -> None:
        self._mailboxes.passivate(_IDLE_FOR)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except MailroomError as error:
            _log.warning("housekeeping put off", reason=str(error))
        except Exception:  # noqa: BLE001  # the same as ever: the next time may go well
            _log.exception("housekeeping broken off")
