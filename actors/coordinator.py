"""The Coordinator actor: keeps the jobs, dispatches due operators, tells whom it concerns; its state is in the store.

Level-triggered: each tick compares what is due with what the hosts say they are doing. A crash, here or of a host, only
delays the next tick; a host that is new to the coordinator, or has lost its memory, has all its operators made due,
because notices may be lost that were taken before.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from actors.calls import call
from actors.every import every
from actors.hosting import Hosting
from actors.remote_store import RemoteStore
from engine import logs, schedule
from engine.alerts.build import build_desk
from engine.alerts.desk import AlertDesk
from engine.application_settings.effects import jobs_after
from engine.application_settings.keeper import SettingsKeeper
from engine.application_settings.model import SettingsVersion
from engine.clock import SystemClock
from engine.errors import MailroomError
from engine.jobs.foreman import Foreman
from engine.jobs.model import JobChange, JobName, JobRun, JobState, Shift
from engine.model import OperatorId
from engine.orders import HostReport, Orders, Standing
from engine.placement import Placement
from engine.sharing import share
from engine.status import DueOperator

_log = structlog.get_logger(__name__)
_PASSES_A_SLOT = 8
_TICK_BUSY = 0.2
_TICK_IDLE = 1.0
_REPORT_WITHIN = 1.0
_DISPATCH_WITHIN = 5.0
_ALERT_EVERY = 2.0
_STARTS_A_TICK = 4
_ASSOCIATE_EVERY = 0.5
_STEP = 10_000
"""Emails associated anew in one transaction: landings wait a quarter of a second for it, and no longer."""


class Coordinator:
    """One for the whole Mailroom.

    Where each operator has a host of its own, it starts those of operators who have come since Mailroom was started.
    """

    async def __init__(self, hosting: Hosting, placement: Placement) -> None:  # type: ignore[misc]  # Ray awaits it
        logs.configure()
        settings = hosting.settings
        self._hosting = hosting
        self._started: dict[str, Any] = {}
        self._missing: dict[str, None] = {}
        self._store = RemoteStore()
        self._clock = SystemClock()
        self._placement = placement
        self._credit = settings.cluster.sync_concurrency * _PASSES_A_SLOT
        self._keeper = SettingsKeeper(self._store, settings)
        self._foreman = Foreman(self._store, self._clock, enabled=settings.email_sync.enabled)
        self._asked: dict[str, asyncio.Task[HostReport]] = {}
        self._reports: dict[str, HostReport] = {}
        self._incarnations: dict[str, str] = {}
        self._since: dict[OperatorId, datetime] = {}
        self._limit = 0
        self._wake = asyncio.Event()
        self._desk: AlertDesk | None = None
        self._desk_version = 0
        self._exchange: Standing | None = None
        self._hosts_asked = asyncio.Event()
        self._ticking = asyncio.create_task(self._tick_for_ever())
        # A task of its own: a mail server that is slow holds no dispatch up.
        self._alerting = asyncio.create_task(every(_ALERT_EVERY, self._alert, "alerts"))
        self._shift = Shift()
        self._associating = asyncio.create_task(every(_ASSOCIATE_EVERY, self._associate, "associations"))

    async def ping(self) -> bool:
        """Whether the coordinator lives and ticks."""
        return not self._ticking.done()

    async def jobs(self) -> list[JobState]:
        """See ``ports.Mailroom``."""
        await self._follow()
        return await self._foreman.jobs()

    async def change_settings(
        self, changes: Mapping[str, Any], by: str, expected: int | None = None
    ) -> SettingsVersion:
        """See ``ports.Mailroom``. What is to be done anew stands in the store already; the runs tell of it."""
        changed = await self._keeper.change(changes, by, expected)
        await self._follow()
        for name in jobs_after(changed.changes):
            try:
                await self._foreman.run_now(name)
            except MailroomError as error:  # it is under way, or disabled, and goes on from what the store says
                _log.info("no run for the new settings", job=name, reason=str(error))
        self._wake.set()
        return changed

    async def change_job(self, name: JobName, change: JobChange) -> JobState:
        """See ``ports.Mailroom``."""
        state = await self._foreman.change(name, change)
        self._wake.set()  # the hosts are to know at once
        return state

    async def run_job(self, name: JobName) -> JobRun:
        """See ``ports.Mailroom``."""
        await self._follow()
        run = await self._foreman.run_now(name)
        self._wake.set()
        return run

    async def forget(self, operator_ids: Sequence[OperatorId]) -> None:
        """These operators have changed: hosts read them anew, and who is due is dispatched at once."""
        holders: dict[str, list[OperatorId]] = defaultdict(list)
        for operator_id in operator_ids:
            holders[self._placement.host_of(operator_id)].append(operator_id)
        there = {*self._placement.hosts, *self._started}
        await asyncio.gather(*(self._forget(host, ids) for host, ids in holders.items() if host in there))
        self._wake.set()

    async def need_hosts(self, operator_ids: Sequence[OperatorId]) -> None:
        """Start the hosts that these operators want and have not."""
        self._miss_hosts(operator_ids)
        self._wake.set()

    async def hosts(self) -> dict[str, HostReport]:
        """What the hosts that answered said at the last tick."""
        return self._reports

    async def stop(self) -> None:
        """Dispatch nothing more, and send nothing more."""
        for task in (self._ticking, self._alerting, self._associating):
            task.cancel()
        if self._desk is not None:
            await self._desk.close()

    async def _tick_for_ever(self) -> None:
        failing = False
        while True:
            busy = False
            self._wake.clear()
            try:
                busy = await self._tick()
                if failing:
                    _log.info("coordinator recovered")
                failing = False
            except MailroomError as error:
                if not failing:
                    _log.warning("coordinator waits", reason=str(error))
                failing = True
            except Exception:  # noqa: BLE001  # a mistake of ours must not end the ticking: nobody would begin it again
                _log.exception("tick broken off")
            await self._pause(_TICK_BUSY if busy else _TICK_IDLE)

    async def _pause(self, seconds: float) -> None:
        waking = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait((waking,), timeout=seconds)
        waking.cancel()

    async def _tick(self) -> bool:
        """One round; whether there is anything under way."""
        version = await self._follow()
        shift = self._shift = await self._foreman.tick()
        reports = self._reports = await self._ask_hosts(
            share((*self._placement.hosts, *self._started), self._reports, shift, version)
        )
        if reports:
            self._exchange = next(one.standing for one in share(reports, reports, shift, version).values())
        self._hosts_asked.set()
        await self._see_to_restarted(reports)
        in_progress = [operator_id for report in reports.values() for operator_id in report.in_progress]
        now = self._clock.now()
        self._since = {operator_id: self._since.get(operator_id, now) for operator_id in in_progress}
        await self._start_hosts()
        planned = await self._plan(shift, reports, now) if schedule.anybody(shift) else {}
        await asyncio.gather(*(self._dispatch(host, batch) for host, batch in planned.items()))
        return bool(planned or in_progress)

    async def _follow(self) -> int:
        """Work by the settings that rule; their version."""
        version, settings = await self._keeper.settings()
        self._foreman.enabled = settings.email_sync.enabled
        return version

    async def _alert(self) -> None:
        """One look of the alert desk, which is another one once the settings have changed."""
        await self._hosts_asked.wait()  # a mail that goes through Exchange must not be what finds out
        version, settings = await self._keeper.settings()
        if self._desk is None or version != self._desk_version:
            if self._desk is not None:
                await self._desk.close()
            self._desk = build_desk(settings, self._store, self._clock)
            self._desk_version = version
        await self._desk.tick(self._exchange)

    async def _associate(self) -> None:
        """Work through the queue while a run of AssociateEmails is open, half of the time at most."""
        while self._shift.associating:
            began = asyncio.get_running_loop().time()
            progress = await self._store.associate_some(_STEP)
            if not progress.left:
                return
            await asyncio.sleep(asyncio.get_running_loop().time() - began)

    async def _plan(self, shift: Shift, reports: dict[str, HostReport], now: datetime) -> dict[str, list[DueOperator]]:
        least = self._credit * max(len(reports), 1) + len(self._since)
        limit = max(least, self._limit)
        due = await self._store.due(now, limit, shift.run_started_at)
        room = schedule.rooms(reports, self._credit, schedule.slow_ones(self._since, now))
        one = schedule.only_one(reports)
        planned = schedule.batches(due, reports, self._placement, room, shift, one=one)
        self._limit = schedule.next_limit(limit, least, due, planned, room)
        self._miss_hosts(one.operator_id for one in due)
        return planned

    def _miss_hosts(self, operator_ids: Iterable[OperatorId]) -> None:
        self._missing.update(dict.fromkeys(schedule.homeless(operator_ids, self._placement, self._started.keys())))

    async def _start_hosts(self) -> None:
        """Start some of the hosts that are missing; each is a process."""
        for name in list(self._missing)[:_STARTS_A_TICK]:
            try:
                self._started[name] = await asyncio.to_thread(self._hosting.start, name)
            except ValueError:
                continue  # what an earlier coordinator started ends with it, and then the name is free
            del self._missing[name]
            _log.info("host started", host=name)

    async def _ask_hosts(self, orders: Mapping[str, Orders]) -> dict[str, HostReport]:
        """Tell and ask every host. One that takes longer holds nobody up, and is heard at a later tick."""
        for host in orders.keys() - self._asked.keys():
            self._asked[host] = asyncio.create_task(call(host, "report", orders[host]))
        if not self._asked:
            return {}
        answered, _ = await asyncio.wait(self._asked.values(), timeout=_REPORT_WITHIN)
        heard = {host: task for host, task in self._asked.items() if task in answered}
        self._asked = {host: task for host, task in self._asked.items() if task not in answered}
        return {host: task.result() for host, task in heard.items() if task.exception() is None}

    async def _dispatch(self, host: str, batch: list[DueOperator]) -> None:
        try:
            await asyncio.wait_for(call(host, "dispatch", batch), _DISPATCH_WITHIN)
        except (MailroomError, TimeoutError) as error:
            _log.warning("dispatch put off", host=host, reason=str(error) or "no answer yet")

    async def _forget(self, host: str, operator_ids: list[OperatorId]) -> None:
        try:
            await asyncio.wait_for(call(host, "forget", operator_ids), _DISPATCH_WITHIN)
        except (MailroomError, TimeoutError) as error:  # what it still holds is fenced by the store
            _log.info("host not told of changes", host=host, reason=str(error) or "no answer yet")

    async def _see_to_restarted(self, reports: dict[str, HostReport]) -> None:
        lost = set(schedule.restarted(self._incarnations, reports))
        if lost:
            again = sorted(host for host in lost if host in self._incarnations)
            if again:
                _log.warning("hosts restarted", hosts=again)
            await self._make_due(lost)
        self._incarnations.update({host: report.incarnation for host, report in reports.items()})

    async def _make_due(self, hosts: set[str]) -> None:
        enabled = [one.operator_id for one in await self._store.operators() if one.email_sync]
        self._miss_hosts(enabled)
        ids = [operator_id for operator_id in enabled if self._placement.host_of(operator_id) in hosts]
        if ids:
            await self._store.make_due(ids)
