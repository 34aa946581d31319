"""The mailboxes in a host's memory: activated on demand, each run one message at a time, passivated when idle.

Guarantees: a mailbox has at most one pass under way; what is asked for during a pass is seen to before it rests; an
activation that is fenced, or whose last landing is in doubt, leaves memory and its operator is made due again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from engine.errors import MailroomError, StaleEpoch, StoreUnavailable
from engine.model import Landing, OperatorId, SubscriptionRecord, SubscriptionStatus
from engine.notices import Notice, NoticeAnswer, NoticeKind
from engine.orders import Orders
from engine.ports import Clock, MailboxStore
from engine.status import DueOperator
from engine.sync import subscribe, watch
from engine.sync.actions import Deactivate, SubscribeAsked, SyncAsked, Wish
from engine.sync.machine import hold, retune
from engine.sync.policy import SyncPolicy
from engine.sync.resident import Resident
from engine.sync.revival import Revival
from engine.sync.runner import Runner
from engine.sync.telling import tell_pass
from engine.sync.watch import Callbacks
from engine.sync.wishes import coalesced, is_urgent

_log = structlog.get_logger(__name__)
_PAUSE_AFTER_A_BUG = 60.0


class Mailboxes:
    """All mailboxes one host has in memory."""

    def __init__(
        self, store: MailboxStore, runner: Runner, policy: SyncPolicy, callbacks: Callbacks, clock: Clock
    ) -> None:
        self._store = store
        self._runner = runner
        self._policy = policy
        self._callbacks = callbacks
        self._clock = clock
        self._held = False
        self._mailboxes: dict[OperatorId, Resident] = {}
        self._activating: dict[OperatorId, asyncio.Future[set[OperatorId]]] = {}
        self._heard: dict[tuple[OperatorId, str], datetime] = {}
        self._revival = Revival(store, clock)

    def in_progress(self) -> list[OperatorId]:
        """Operators with a pass under way, or about to be."""
        busy = [operator_id for operator_id, mailbox in self._mailboxes.items() if mailbox.task is not None]
        return [*busy, *self._activating]

    def active(self) -> int:
        """How many mailboxes are in memory."""
        return len(self._mailboxes)

    def on_orders(self, orders: Orders) -> None:
        """Hold every backfill while EmailSync is disabled; replace subscriptions only while somebody manages them."""
        if self._callbacks.renew != orders.subscribe:
            self._callbacks = replace(self._callbacks, renew=orders.subscribe)
        if self._held is not orders.sync:
            return
        self._held = not orders.sync
        for mailbox in self._mailboxes.values():
            mailbox.state = hold(mailbox.state, self._held)

    def retune(self, policy: SyncPolicy, callbacks: Callbacks) -> None:
        """Go on by another policy, and be called back in another way; whether to renew is the coordinator's to say."""
        self._policy = policy
        self._callbacks = replace(callbacks, renew=self._callbacks.renew)
        for mailbox in self._mailboxes.values():
            mailbox.state = retune(mailbox.state, policy)

    def once_more(self) -> list[OperatorId]:
        """Everybody in memory makes another pass: those at work after this one. Who is at rest is answered."""
        for mailbox in self._mailboxes.values():
            mailbox.once_more = mailbox.task is not None
        return [operator_id for operator_id, mailbox in self._mailboxes.items() if mailbox.task is None]

    async def dispatch(self, due: Sequence[DueOperator]) -> None:
        """Start passes of these operators; returns once they are in memory and have begun."""
        await self._activate([one.operator_id for one in due])
        for one in due:
            mailbox = self._mailboxes.get(one.operator_id)
            if mailbox is not None:
                self._begin(one, mailbox)

    async def notify(self, notices: Sequence[Notice]) -> list[NoticeAnswer]:
        """Take notices in. OK: this host will see to it. Unsubscribe: nobody wants this subscription any more."""
        await self._activate([notice.operator_id for notice in notices])
        answers = [self._take(notice) for notice in notices]
        for notice in notices:
            await self._retire(self._mailboxes.get(notice.operator_id))
        return answers

    async def wake(self, operator_id: OperatorId) -> bool:
        """Have one mailbox synchronised now, whatever its backoff says; whether there is one to be synchronised."""
        await self._activate([operator_id])
        mailbox = self._mailboxes.get(operator_id)
        if mailbox is None or not mailbox.state.operator.email_sync:
            return False
        if self.go_on([operator_id]):
            self._begin(DueOperator(operator_id, sync=True, subscribe=False), mailbox)
        return True

    def go_on(self, operator_ids: Iterable[OperatorId]) -> list[OperatorId]:
        """What these failed of is over: a pass under way will be followed by another if it fails. The others' ids.

        Whoever is made due in the middle of a pass would be put off again by that pass's end.
        """
        at_rest = []
        for operator_id in operator_ids:
            mailbox = self._mailboxes.get(operator_id)
            if mailbox is None or mailbox.task is None:
                at_rest.append(operator_id)
            else:
                mailbox.again = True
        return at_rest

    async def flush_heard(self) -> None:
        """Write down which subscriptions gave a sign of life since the last time."""
        if not self._heard:
            return
        taken, self._heard = self._heard, {}
        try:
            await self._store.heard([(operator_id, serial, at) for (operator_id, serial), at in taken.items()])
        except MailroomError:
            self._heard = taken | self._heard
            raise

    def passivate(self, idle_for: timedelta) -> int:
        """Let mailboxes that nobody has needed for a while leave memory; how many did."""
        before = self._clock.now() - idle_for
        idle = [
            operator_id
            for operator_id, mailbox in self._mailboxes.items()
            if mailbox.task is None and (mailbox.used_at is None or mailbox.used_at < before)
        ]
        self.forget(idle)
        return len(idle)

    def forget(self, operator_ids: Iterable[OperatorId]) -> None:
        """Drop mailboxes from memory (their operators have changed); a pass under way finds itself fenced later."""
        for operator_id in operator_ids:
            self._mailboxes.pop(operator_id, None)

    async def close(self) -> None:
        """Stop every pass where it stands; what has not landed is found again from the sync tokens."""
        tasks = [mailbox.task for mailbox in self._mailboxes.values() if mailbox.task is not None]
        tasks += list(self._revival.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _activate(self, operator_ids: Sequence[OperatorId]) -> None:
        """Bring mailboxes into memory. When this returns, who is not there is unknown to the store.

        A mailbox may leave while another is waited for, so it is looked again until all are there at once.
        """
        wanted, unknown = dict.fromkeys(operator_ids), set[OperatorId]()
        while absent := [one for one in wanted if one not in self._mailboxes and one not in unknown]:
            waiting = {self._activating[one] for one in absent if one in self._activating}
            new = [one for one in absent if one not in self._activating]
            if new:
                unknown |= await self._read(new)
            for other in waiting:
                unknown |= await asyncio.shield(other)

    async def _read(self, new: Sequence[OperatorId]) -> set[OperatorId]:
        """Activate operators nobody else is activating; those the store does not know are returned."""
        done: asyncio.Future[set[OperatorId]] = asyncio.get_running_loop().create_future()
        self._activating.update(dict.fromkeys(new, done))
        unknown = set(new)
        try:
            for activation in await self._store.activate(new):
                operator_id = activation.operator.operator_id
                unknown.discard(operator_id)
                fresh = Resident.of(activation, self._policy, self._clock.now(), held=self._held)
                self._mailboxes[operator_id] = fresh
        except BaseException as error:
            done.set_exception(error if isinstance(error, MailroomError) else StoreUnavailable("not activated"))
            done.exception()  # whoever waits meets it too; if nobody does, it is no surprise
            raise
        else:
            done.set_result(unknown)
        finally:
            for operator_id in new:
                self._activating.pop(operator_id, None)
        return unknown

    def _begin(self, due: DueOperator, mailbox: Resident) -> None:
        if due.subscribe or self._callbacks.wants_another(due.operator_id, mailbox.state.subscription):
            self._ask(mailbox, self._subscription_wish(due.operator_id))
        if due.sync:
            self._ask(mailbox, SyncAsked())

    def _take(self, notice: Notice) -> NoticeAnswer:
        mailbox = self._mailboxes.get(notice.operator_id)
        if mailbox is None or not mailbox.state.operator.email_sync:
            return NoticeAnswer.UNSUBSCRIBE
        made = mailbox.state.subscription
        if made is None or made.serial != notice.serial or watch.is_lost(made):
            return NoticeAnswer.UNSUBSCRIBE
        now = self._clock.now()
        mailbox.used_at = now
        self._heard[(notice.operator_id, notice.serial)] = now
        mailbox.state = subscribe.heard(mailbox.state, now)
        missed = mailbox.watermark is not None and notice.previous_watermark not in (None, mailbox.watermark)
        mailbox.watermark = notice.watermark or mailbox.watermark
        if notice.kind is NoticeKind.ERROR:
            self._replace(mailbox, made)
            return NoticeAnswer.UNSUBSCRIBE
        if notice.kind is NoticeKind.EVENTS or missed:
            self._ask(mailbox, SyncAsked(urgent=True))
        return NoticeAnswer.OK

    def _replace(self, mailbox: Resident, made: SubscriptionRecord) -> None:
        """Exchange has given a subscription up: make another, now or when the job next looks; drain in any case."""
        moment = self._clock.moment()
        if self._callbacks.renew and not watch.is_young(made, moment.now):
            self._ask(mailbox, self._subscription_wish(mailbox.state.operator.operator_id))
            return
        if made.created_at is not None:
            gone = watch.lost(made, moment)
            mailbox.state = replace(mailbox.state, subscription=gone, dirty_subscription=True)
        self._ask(mailbox, SyncAsked())

    async def _retire(self, mailbox: Resident | None) -> None:
        """Write down that a disabled operator's subscription has ended: once enabled, another one is wanted."""
        made = mailbox.state.subscription if mailbox else None
        if mailbox is None or mailbox.state.operator.email_sync or made is None:
            return
        if made.status is not SubscriptionStatus.ACTIVE:
            return
        retired = replace(made, status=SubscriptionStatus.RETIRED)
        mailbox.state = replace(mailbox.state, subscription=retired)
        landing = Landing(mailbox.state.operator.operator_id, mailbox.state.epoch, subscription=retired)
        try:
            await self._store.land(landing)
        except MailroomError as error:
            _log.warning("subscription not retired", operator=landing.operator_id, reason=str(error))

    def _subscription_wish(self, operator_id: OperatorId) -> SubscribeAsked:
        return self._callbacks.wish(operator_id, self._clock.moment().fresh_id)

    def _ask(self, mailbox: Resident, wish: Wish) -> None:
        backing_off = mailbox.task is None and mailbox.backs_off(self._clock.now())
        if not mailbox.state.operator.email_sync or (is_urgent(wish) and backing_off):
            return
        mailbox.wishes.append(wish)
        if mailbox.task is None:
            mailbox.task = asyncio.create_task(self._serve(mailbox))

    async def _serve(self, mailbox: Resident) -> None:
        """Run passes until nothing more is asked of the mailbox."""
        operator_id = mailbox.state.operator.operator_id
        try:
            while mailbox.wishes:
                if all(is_urgent(wish) for wish in mailbox.wishes):
                    await self._clock.sleep(self._callbacks.debounce)
                first, *mailbox.wishes = coalesced(mailbox.take_wishes())
                started = self._clock.now()
                end = await self._runner.run_pass(mailbox, first)
                mailbox.used_at = self._clock.now()
                if isinstance(end, Deactivate):
                    self._leave(operator_id, mailbox, end.error)
                    return
                tell_pass(mailbox, end, (mailbox.used_at - started).total_seconds())
                if mailbox.again and end.failure is not None:
                    mailbox.wishes.append(SyncAsked())
                mailbox.again = False
                if mailbox.once_more:
                    mailbox.once_more = False
                    self._begin(DueOperator(operator_id, sync=True, subscribe=False), mailbox)
        except Exception as error:  # noqa: BLE001  # a mistake of ours stops this mailbox for a while, and no other
            _log.exception("pass broken off", operator=operator_id)
            await self._clock.sleep(_PAUSE_AFTER_A_BUG)
            self._leave(operator_id, mailbox, MailroomError(f"{type(error).__name__}: {error}"))
        finally:
            mailbox.task = None

    def _leave(self, operator_id: OperatorId, mailbox: Resident, error: MailroomError) -> None:
        if self._mailboxes.get(operator_id) is mailbox:
            del self._mailboxes[operator_id]
        level = "info" if isinstance(error, StaleEpoch) else "warning"
        getattr(_log, level)("mailbox deactivated", operator=operator_id, reason=str(error))
        self._revival.begin(operator_id)
