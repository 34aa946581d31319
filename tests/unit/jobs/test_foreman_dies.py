"""A foreman that dies at any call of the store, before or after it was carried out: its successor goes on."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import JobRefused, StoreUnavailable
from engine.jobs.foreman import Foreman
from engine.jobs.model import JobChange, Outcome, Trigger
from tests.unit.jobs.office import EMAIL_SYNC, SUBSCRIPTIONS, Office

OPERATORS = ("ann", "bob", "cid")
STEPS = 40


class Killed(BaseException):
    """kill -9."""


class DeadlyStore:
    """Raises at the calls whose numbers are given: before they are carried out, or after."""

    def __init__(self, store: Any, before: set[int], after: set[int], error: BaseException) -> None:
        self.calls = 0
        self._store, self._before, self._after, self._error = store, before, after, error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)

        @wraps(method)
        async def call(*args: Any) -> Any:
            self.calls += 1
            number = self.calls
            if number in self._before:
                raise self._error
            answer = await method(*args)
            if number in self._after:
                raise self._error
            return answer

        return call


async def live(before: set[int], after: set[int], error: BaseException) -> tuple[Office, DeadlyStore]:
    """A day at the office: a run that is stopped, the one that makes up for it, one by hand, and somebody dies."""
    office = Office()
    await office.open(*OPERATORS)
    deadly = DeadlyStore(office.store, before, after, error)
    foreman = Foreman(deadly, office.clock)
    wishes: dict[int, Callable[[], Awaitable[object]]] = {
        3: lambda: foreman.change(EMAIL_SYNC, JobChange(enabled=False)),
        7: lambda: foreman.change(EMAIL_SYNC, JobChange(enabled=True)),
        25: lambda: foreman.run_now(EMAIL_SYNC),
    }
    for step in range(STEPS):
        done = False
        while not done:
            try:
                shift = await foreman.tick()
                if step in wishes:
                    await wishes[step]()
                done = True
            except JobRefused:
                done = True  # its first call was carried out after all
            except (Killed, StoreUnavailable) as met:
                if isinstance(met, Killed):
                    foreman = Foreman(deadly, office.clock)
                office.pass_by(seconds=1)
        opened = [run.job for run in office.store.runs.values() if run.finished_at is None]
        assert len(opened) == len(set(opened))
        office.pass_by(seconds=3)
        one = OPERATORS[step // 2 % len(OPERATORS)]
        if shift.run_started_at is not None:
            await office.sync(one)
        if shift.subscribing:
            await office.subscribe(one)
    return office, deadly


def check(office: Office) -> None:
    runs = office.runs()
    assert [(run.trigger, run.outcome) for run in runs] == [
        (Trigger.SCHEDULE, Outcome.STOPPED),
        (Trigger.SCHEDULE, Outcome.SUCCEEDED),
        (Trigger.MANUAL, Outcome.SUCCEEDED),
    ]
    for run in runs:
        assert run.finished_at is not None
        assert run.outcome is Outcome.STOPPED or run.done == run.operators == len(OPERATORS)
    assert [run.outcome for run in office.runs(SUBSCRIPTIONS)] == [Outcome.SUCCEEDED]


async def calls_of_a_day() -> int:
    office, deadly = await live(set(), set(), Killed())
    check(office)
    return deadly.calls


@pytest.mark.parametrize("error", [Killed(), StoreUnavailable("away")], ids=["foreman killed", "store away"])
async def test_whatever_call_it_dies_at(error: BaseException) -> None:
    for number in range(1, await calls_of_a_day() + 1):
        office, _ = await live({number}, set(), error)
        check(office)
        office, _ = await live(set(), {number}, error)
        check(office)


@given(before=st.sets(st.integers(1, 90)), after=st.sets(st.integers(1, 90)), killed=st.booleans())
async def test_however_often_it_dies(before: set[int], after: set[int], killed: bool) -> None:
    office, _ = await live(before, after, Killed() if killed else StoreUnavailable("away"))
    assert all(run.finished_at is not None for run in office.store.runs.values())
