"""The MailboxHost actor: many mailboxes in one process, with one thread pool to Exchange."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from actors.remote_store import RemoteStore
from engine import logs
from engine.application_settings.document import with_document
from engine.callback import callback_url, sign
from engine.checks.calls import Calls
from engine.checks.examine import Examiner, Plan
from engine.checks.model import CheckReport
from engine.clock import SystemClock
from engine.errors import MailroomError
from engine.model import Operator, OperatorId
from engine.notices import Notice, NoticeAnswer
from engine.orders import HostReport, Orders
from engine.settings import ExchangeSettings, Settings
from engine.sources.ews.source import EwsSource
from engine.sources.replaceable import ReplaceableSource
from engine.status import DueOperator
from engine.sync.endpoint import Endpoint
from engine.sync.mailboxes import Mailboxes
from engine.sync.policy import SyncPolicy
from engine.sync.recovery import Recovery
from engine.sync.runner import Runner
from engine.sync.watch import Callbacks
from engine.tuning import Makers, Parts, Tuner, stored_settings

_log = structlog.get_logger(__name__)
_FLUSH_EVERY = 1.0
_TEND_EVERY = 0.5
_PASSIVATE_EVERY = 30.0
_IDLE_FOR = timedelta(minutes=5)


class MailboxHost:
    """``engine.sync.mailboxes.Mailboxes`` as a process.

    ``settings`` are those of the configuration file; the Application Settings among them are the store's. Where they
    name no notification URL, Exchange is told ``gateway_url``. ``since``: when this Mailroom was started.
    """

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self, settings: Settings, gateway_url: str, callback_key: bytes, since: datetime
    ) -> None:
        logs.configure()
        self._incarnation = uuid.uuid4().hex
        clock, store = SystemClock(), RemoteStore()
        concurrency = settings.cluster.sync_concurrency

        def call_back(settings: Settings) -> Callbacks:
            base = settings.email_sync.notification_url or gateway_url
            return Callbacks(
                lambda operator_id, serial: callback_url(base, sign(callback_key, operator_id, serial)),
                settings.email_sync.notification_frequency,
                settings.email_sync.debounce.total_seconds(),
                renew=settings.jobs.ManagePushSubscriptions.enabled,
                since=since,
            )

        def connect(exchange: ExchangeSettings) -> EwsSource:
            return EwsSource(exchange, concurrency)

        stored = await stored_settings(store, clock)
        current = with_document(settings, stored.document)
        self._source = ReplaceableSource(connect(current.exchange))
        self._endpoint = Endpoint(concurrency, clock)
        runner = Runner(self._source, store, self._endpoint, clock)
        self._mailboxes = Mailboxes(store, runner, SyncPolicy.of(current), call_back(current), clock)
        parts = Parts(self._source, self._endpoint, self._mailboxes)
        self._tuner = Tuner(settings, stored, store, parts, Makers(connect, call_back))
        self._call_back = call_back
        self._calls = Calls()
        self._examiner = Examiner(self._source, self._endpoint, clock, self._calls)
        self._housekeeping = [
            asyncio.create_task(_every(_FLUSH_EVERY, self._mailboxes.flush_heard)),
            asyncio.create_task(_every(_TEND_EVERY, Recovery(self._endpoint, self._mailboxes, store).tend)),
            asyncio.create_task(_every(_PASSIVATE_EVERY, self._passivate)),
        ]

    async def report(self, orders: Orders | None = None) -> HostReport:
        """What this host is doing; also how the coordinator knows that it lives, and tells it what holds for all."""
        if orders is not None:
            if not await self._follow(orders.settings_version):
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
            self._tuner.version,
        )

    async def ping(self) -> bool:
        """Whether the host lives."""
        return True

    async def dispatch(self, due: Sequence[DueOperator]) -> None:
        """Start passes."""
        await self._mailboxes.dispatch(due)

    async def notify(self, notices: Sequence[Notice]) -> list[NoticeAnswer]:
        """Take notices in; they are this host's to see to from here on."""
        return await self._calls.sort(notices, self._mailboxes.notify)

    async def check(self, operator: Operator, round_trip: bool) -> CheckReport:
        """Prove step by step that this operator's mailbox can be kept in step."""
        settings = self._tuner.settings
        plan = Plan(settings.email_sync.folders, self._call_back(settings).url, round_trip)
        return await self._examiner.check(operator, plan)

    async def forget(self, operator_ids: Sequence[OperatorId]) -> None:
        """Drop mailboxes whose operators have changed."""
        self._mailboxes.forget(operator_ids)

    async def stop(self) -> None:
        """Stop where it stands; nothing is lost by that."""
        for task in self._housekeeping:
            task.cancel()
        await self._mailboxes.close()
        await self._source.close()

    async def _follow(self, version: int) -> bool:
        """Work by these settings; whether what the orders say of Exchange is about another one."""
        try:
            return await self._tuner.follow(version)
        except MailroomError as error:  # the next orders say it again
            _log.warning("settings put off", version=version, reason=str(error))
            return False

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
