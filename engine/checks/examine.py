"""Asks Exchange, step by step, by the way every request of the host takes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from engine.checks import judge
from engine.checks.calls import Calls, serial_of
from engine.checks.model import CheckReport, CheckStep, Result, Step, verdict_of
from engine.errors import ListenerUnreachable, MailroomError, Throttled
from engine.model import Folder, Operator, OperatorId, ResolvedFolders
from engine.ports import Clock, MailSource

T = TypeVar("T")

STATUS_FREQUENCY = 1
"""Minutes: Exchange calls back within one, even where nothing happens."""
PATIENCE = 75.0
"""Seconds a call back may take: a StatusEvent comes after a minute."""
_AGAIN = 2
_PAUSE = 2.0
_LONGEST_PAUSE = 10.0


class Door(Protocol):
    """The way to Exchange, as ``engine.sync.endpoint.Endpoint`` has it."""

    async def look(self, operator_id: OperatorId, request: Callable[[], Awaitable[T]], *, paced: bool = False) -> T:
        """Make a request; raises what it raises."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is checked: the configured folders, the URL Exchange calls for a serial, and whether to wait for it."""

    folders: tuple[str, ...]
    callback_url: Callable[[OperatorId, str], str]
    round_trip: bool = True
    patience: float = PATIENCE


class Examiner:
    """Checks operators; any number of them at once, each asking for one thing after the other."""

    def __init__(self, source: MailSource, door: Door, clock: Clock, calls: Calls) -> None:
        self._source, self._door, self._clock, self._calls = source, door, clock, calls

    async def check(self, operator: Operator, plan: Plan) -> CheckReport:
        """Every step of one operator. Trouble is in the report; nothing is raised for it."""
        steps = [judge.profile(operator)]
        resolved, taken = await self._access(operator, plan)
        steps += taken
        if resolved is not None and resolved.found:
            listing = await self._listing(operator, resolved.found)
            steps.append(listing)
            if listing.result is Result.OK:
                steps += await self._subscription(operator, resolved.found, plan)
        whole = judge.completed(steps)
        return CheckReport(operator.operator_id, operator.email, operator.email_sync, tuple(whole), verdict_of(whole))

    async def _access(self, operator: Operator, plan: Plan) -> tuple[ResolvedFolders | None, list[CheckStep]]:
        began = self._clock.now()
        try:
            resolved = await self._ask(operator, lambda: self._source.resolve_folders(operator.email, plan.folders))
        except MailroomError as error:
            return None, judge.lasted(judge.access(operator, error), self._since(began))
        steps = [*judge.access(operator, None), judge.folders(resolved)]
        return resolved, judge.lasted(steps, self._since(began))

    async def _listing(self, operator: Operator, folders: Sequence[Folder]) -> CheckStep:
        began = self._clock.now()
        for folder in folders:
            try:
                await self._ask(operator, partial(self._source.read_changes, operator.email, folder, None, 1))
            except MailroomError as error:
                step = judge.failed(Step.LISTING, error, operator)
                return replace(step, message=f"{folder.name}: {step.message}", seconds=self._since(began))
        names = ", ".join(folder.name for folder in folders)
        return CheckStep(Step.LISTING, Result.OK, f"Can be listed: {names}.", seconds=self._since(began))

    async def _subscription(self, operator: Operator, folders: Sequence[Folder], plan: Plan) -> list[CheckStep]:
        serial = serial_of(self._clock.moment().fresh_id)
        began = self._clock.now()
        with self._calls.awaited(serial) as called:
            try:
                url = plan.callback_url(operator.operator_id, serial)
                await self._ask(
                    operator,
                    lambda: self._source.subscribe(operator.email, folders, url, STATUS_FREQUENCY),
                    paced=True,
                )
            except MailroomError as error:
                step = judge.failed(Step.SUBSCRIPTION, error, operator)
                return [replace(step, seconds=self._since(began))]
            made = CheckStep(
                Step.SUBSCRIPTION, Result.OK, "Exchange takes a push subscription.", seconds=self._since(began)
            )
            return [made, await self._round_trip(called, plan)] if plan.round_trip else [made]

    async def _round_trip(self, called: asyncio.Event, plan: Plan) -> CheckStep:
        began = self._clock.now()
        hearing, late = asyncio.ensure_future(called.wait()), asyncio.ensure_future(self._clock.sleep(plan.patience))
        try:
            await asyncio.wait((hearing, late), return_when=asyncio.FIRST_COMPLETED)
        finally:
            hearing.cancel()
            late.cancel()
        seconds = self._since(began)
        if called.is_set():
            return CheckStep(
                Step.ROUND_TRIP, Result.OK, f"Exchange has called back after {seconds:.1f} s.", seconds=seconds
            )
        error = ListenerUnreachable(f"Exchange has not called back within {plan.patience:g} s.")
        return replace(judge.failed(Step.ROUND_TRIP, error), seconds=seconds)

    async def _ask(self, operator: Operator, request: Callable[[], Awaitable[T]], *, paced: bool = False) -> T:
        """One request, and again if Exchange says to wait a little."""
        for _ in range(_AGAIN):
            try:
                return await self._door.look(operator.operator_id, request, paced=paced)
            except Throttled as error:
                if error.standing:
                    raise
                await self._clock.sleep(min(error.retry_after or _PAUSE, _LONGEST_PAUSE))
        return await self._door.look(operator.operator_id, request, paced=paced)

    def _since(self, began: datetime) -> float:
        return round((self._clock.now() - began).total_seconds(), 3)
