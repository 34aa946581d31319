"""The Coordinator actor: dispatches due operators to hosts, level-triggered, with all its state in the store.

Each tick compares what is due with what the hosts say they are doing. A crash, here or of a host, only delays the next
tick; a host that is new to the coordinator, or has lost its memory, has all its operators made due, because notices
may be lost that were taken before.
"""

import asyncio

import structlog

from actors.calls import call
from actors.remote_store import RemoteStore
from engine import logs
from engine.clock import SystemClock
from engine.errors import MailroomError
from engine.orders import HostReport
from engine.placement import Placement
from engine.schedule import Jobs, batches, restarted
from engine.status import DueOperator

_log = structlog.get_logger(__name__)
_TICK_BUSY = 0.2
_TICK_IDLE = 1.0
_REPORT_WITHIN = 5.0


class Coordinator:
    """``credit``: passes each host may have under way at once."""

    async def __init__(self, placement: Placement, jobs: Jobs, credit: int) -> None:  # type: ignore[misc]  # Ray awaits it
        logs.configure()
        self._store = RemoteStore()
        self._clock = SystemClock()
        self._placement = placement
        self._jobs = jobs
        self._credit = credit
        self._incarnations: dict[str, str] = {}
        self._ticking = asyncio.create_task(self._tick_for_ever())

    async def ping(self) -> bool:
        """Whether the coordinator lives and ticks."""
        return not self._ticking.done()

    async def stop(self) -> None:
        """Dispatch nothing more."""
        self._ticking.cancel()

    async def _tick_for_ever(self) -> None:
        failing = False
        while True:
            busy = False
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
            await asyncio.sleep(_TICK_BUSY if busy else _TICK_IDLE)

    async def _tick(self) -> bool:
        reports = await self._reports()
        lost = restarted(self._incarnations, reports)
        if lost:
            again = [host for host in lost if host in self._incarnations]
            if again:
                _log.warning("hosts restarted", hosts=again)
            await self._make_due(set(lost))
        self._incarnations.update({host: report.incarnation for host, report in reports.items()})
        in_progress = sum(len(report.in_progress) for report in reports.values())
        limit = self._credit * max(len(reports), 1) + in_progress
        due = await self._store.due(self._clock.now(), limit)
        planned = batches(due, reports, self._placement, self._credit, self._jobs)
        await asyncio.gather(*(self._dispatch(host, batch) for host, batch in planned.items()))
        return bool(planned) or in_progress > 0

    async def _reports(self) -> dict[str, HostReport]:
        hosts = self._placement.hosts
        asked = (asyncio.wait_for(call(host, "report"), _REPORT_WITHIN) for host in hosts)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return {host: report for host, report in zip(hosts, answers, strict=True) if isinstance(report, HostReport)}

    async def _dispatch(self, host: str, batch: list[DueOperator]) -> None:
        try:
            await call(host, "dispatch", batch)
        except MailroomError as error:
            _log.warning("dispatch put off", host=host, reason=str(error))

    async def _make_due(self, hosts: set[str]) -> None:
        operators = await self._store.operators()
        ids = [
            one.operator_id for one in operators if one.email_sync and self._placement.host_of(one.operator_id) in hosts
        ]
        if ids:
            await self._store.make_due(ids)
