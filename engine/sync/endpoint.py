"""Exchange as one host meets it: how much at once, whether at all, and what has come of it.

Every request goes through ``Endpoint.ask``: it waits for its turn (``lanes``), within what Exchange bears
(``pressure``), and fails at once while Exchange serves nobody (``circuit``). No wait holds a thread.
"""

import asyncio
import copy
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from engine.errors import SourceError
from engine.failures import failure_for
from engine.model import OperatorId
from engine.orders import Orders, Standing
from engine.ports import Clock
from engine.sync import circuit as breaker
from engine.sync import pressure as aimd
from engine.sync.circuit import Circuit
from engine.sync.lanes import Lane, Lanes
from engine.sync.pace import Pace
from engine.sync.pressure import Pressure
from engine.sync.signs import Sign

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_TO_COME_TO_IT = timedelta(seconds=5)
"""How long a mailbox that is to probe has until another is asked to."""
_LOOK_EVERY = {
    Sign.CREDENTIALS: timedelta(seconds=15),
    Sign.REFUSED: timedelta(seconds=5),
    Sign.UNREACHABLE: timedelta(seconds=2),
}
"""How soon somebody may look again while nobody is served."""


class Endpoint:
    """``ceiling``: requests at once at most. ``requests``, ``outcomes``: as in ``HostReport``."""

    def __init__(self, ceiling: int, clock: Clock) -> None:
        self.requests = 0
        self.outcomes: Counter[str] = Counter()
        self._clock = clock
        self._pressure = Pressure(ceiling)
        self._lanes = Lanes(self._pressure.limit)
        self._pace = Pace(clock)
        self._circuit = Circuit()
        self._may_probe = True
        self._generation = 0
        self._waiting: dict[OperatorId, None] = {}
        self._recovered: dict[OperatorId, None] = {}
        self._prober_until: datetime | None = None
        self._probe_over: asyncio.Event | None = None
        self._looked_at: datetime | None = None

    @property
    def concurrency(self) -> int:
        """Requests at once, at present."""
        return self._pressure.limit

    @property
    def answered_at(self) -> datetime | None:
        """When Exchange last served this host."""
        return self._circuit.answered_at

    def standing(self) -> Standing | None:
        """What everybody's requests meet at the moment, if anything."""
        opening = self._circuit.opening
        return Standing(opening.error, opening.opened_at, len(self._waiting)) if opening else None

    async def ask(
        self, lane: Lane, operator_id: OperatorId, request: Callable[[], Awaitable[T]], *, paced: bool = False
    ) -> T:
        """Make a request of a mailbox when its turn has come. ``paced``: one of many alike, not all at once.

        Raises:
            SourceError: what the request raises, or ``standing``: what everybody's meets; Exchange was not asked.
        """
        self._admit(operator_id)
        if paced:
            await self._pace.turn()
            self._admit(operator_id)
        async with self._lanes.slot(lane):
            self._admit(operator_id)  # it may have come to an end while this one waited
            return await self._made(operator_id, request)

    async def look(self, operator_id: OperatorId, request: Callable[[], Awaitable[T]], *, paced: bool = False) -> T:
        """Make a request for somebody who waits to know how Exchange is now.

        It goes out before its time while Exchange serves nobody, though not soon after another that did (each costs an
        attempt), and waits for a probe that is under way. It is made beside the mailbox's own, not in place of them.

        Raises:
            SourceError: as ``ask``.
        """
        if paced:
            await self._pace.turn()
        while True:
            if self._probe_over is not None:
                await self._probe_over.wait()
            self._admit_look()
            async with self._lanes.slot(Lane.NOTICE):
                opening = self._circuit.opening
                if opening is not None and opening.probing:
                    continue
                self._admit_look()
                if opening is not None:
                    self._looked_at = self._clock.now()
                return await self._made_beside(operator_id, request)

    def follow(self, orders: Orders) -> None:
        """Take in what other hosts have found about Exchange."""
        self._may_probe = orders.probe
        if orders.answered_at is not None:
            self._turn(breaker.served_elsewhere(self._circuit, orders.answered_at))
        if orders.standing is not None and self._circuit.opening is None:
            self._turn(breaker.adopt(self._circuit, orders.standing, self._clock.moment()))

    def begin_anew(self) -> None:
        """Exchange is spoken to in another way from here on: what was found before says nothing, and nobody waits."""
        self._generation += 1
        self._circuit = Circuit()
        self._prober_until = None
        self._ease(Pressure(self._pressure.ceiling))
        self._recovered |= self._waiting
        self._waiting = {}

    def next_to_probe(self) -> OperatorId | None:
        """Whose request shall find out now whether Exchange is back; another mailbox each time."""
        now = self._clock.now()
        if self._circuit.opening is None or not breaker.may_ask(self._circuit, now, may_probe=self._may_probe):
            return None
        if not self._waiting or (self._prober_until is not None and now < self._prober_until):
            return None
        self._prober_until = now + _TO_COME_TO_IT
        operator_id = next(iter(self._waiting))
        self._wait(operator_id)
        return operator_id

    def recovered(self) -> list[OperatorId]:
        """Whose requests failed of something that is over; they stay here until ``seen_to``."""
        return list(self._recovered)

    def seen_to(self, operator_ids: Iterable[OperatorId]) -> None:
        """These will be synchronised again."""
        for operator_id in operator_ids:
            self._recovered.pop(operator_id, None)

    def drop(self, operator_id: OperatorId) -> None:
        """This one waits no longer: it is gone, or disabled. Another may probe in its place."""
        self._waiting.pop(operator_id, None)
        self._prober_until = None

    def _admit(self, operator_id: OperatorId) -> None:
        opening = self._circuit.opening
        if opening is None or breaker.may_ask(self._circuit, self._clock.now(), may_probe=self._may_probe):
            return
        self._wait(operator_id)
        raise _standing(opening.error)

    def _admit_look(self) -> None:
        opening, now = self._circuit.opening, self._clock.now()
        if opening is None or breaker.may_ask(self._circuit, now, may_probe=self._may_probe):
            return
        if self._looked_at is not None and now - self._looked_at < _LOOK_EVERY[opening.sign]:
            raise _standing(opening.error)

    async def _made_beside(self, operator_id: OperatorId, request: Callable[[], Awaitable[T]]) -> T:
        """As ``_made``; a mailbox that waits for the end of everybody's trouble goes on waiting, or is made due."""
        waited = operator_id in self._waiting
        try:
            return await self._made(operator_id, request)
        finally:
            if waited and operator_id not in self._waiting:
                self._recovered[operator_id] = None

    async def _made(self, operator_id: OperatorId, request: Callable[[], Awaitable[T]]) -> T:
        over = self._probe_over = asyncio.Event() if self._circuit.opening is not None else None
        try:
            return await self._asked(operator_id, request)
        finally:
            if over is not None:
                over.set()

    async def _asked(self, operator_id: OperatorId, request: Callable[[], Awaitable[T]]) -> T:
        probe = self._circuit.opening is not None
        if probe:
            self._circuit = breaker.probing(self._circuit, under_way=True)
            self._prober_until = None
        self.requests += 1
        generation = self._generation
        try:
            answer = await request()
        except SourceError as error:
            self.outcomes[failure_for(error).code] += 1
            if generation == self._generation:
                self._on_failed(operator_id, error, probe=probe)
            raise
        except BaseException:
            if probe and generation == self._generation:
                self._circuit = breaker.probing(self._circuit, under_way=False)
            raise
        self.outcomes["ok"] += 1
        if generation != self._generation:
            return answer  # it says nothing of the Exchange there is now
        self._waiting.pop(operator_id, None)
        self._ease(aimd.served(self._pressure))
        self._turn(breaker.answered(operator_id, self._clock.now()))
        return answer

    def _on_failed(self, operator_id: OperatorId, error: SourceError, *, probe: bool) -> None:
        moment = self._clock.moment()
        self._ease(aimd.met(self._pressure, error, operator_id, moment.now))
        turned = breaker.failed(self._circuit, error, operator_id, moment, probe=probe)
        if turned.opening is not None:
            for who in (*(miss.operator_id for miss in turned.row), operator_id):
                self._wait(who)
        elif not turned.row:
            self._waiting.pop(operator_id, None)  # what it met is its own
        self._turn(turned)

    def _turn(self, circuit: Circuit) -> None:
        """Go on with this circuit; its edges are told, and lead to what follows from them."""
        before, self._circuit = self._circuit.opening, circuit
        opening = circuit.opening
        if opening is not None and (before is None or failure_for(before.error) != failure_for(opening.error)):
            failure = failure_for(opening.error)
            _log.warning(
                "Exchange does not serve us",
                code=failure.code,
                cause=failure.cause,
                remedy=failure.remedy,
                message=str(opening.error),
                waiting=len(self._waiting),
                next_probe=str(opening.next_probe_at),
            )
        elif before is not None and opening is None:
            _log.info("Exchange serves us again", code=failure_for(before.error).code, waiting=len(self._waiting))
            # Everybody will come at once now
            self._ease(Pressure(self._pressure.ceiling))
            self._recovered |= self._waiting
            self._waiting = {}
        self._set_slots()

    def _ease(self, pressure: Pressure) -> None:
        self._pressure = pressure
        self._set_slots()

    def _set_slots(self) -> None:
        slots = 1 if breaker.is_in_doubt(self._circuit) else self._pressure.limit
        if slots != self._lanes.slots:
            self._lanes.slots = slots

    def _wait(self, operator_id: OperatorId) -> None:
        self._waiting.pop(operator_id, None)
        self._waiting[operator_id] = None


def _standing(error: SourceError) -> SourceError:
    """A copy each: what is raised again and again gathers the tracebacks of all."""
    error = copy.copy(error)
    error.standing = True
    return error
