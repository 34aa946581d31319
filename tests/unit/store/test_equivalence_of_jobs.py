"""Random mailboxes and subscriptions in DuckDBStore and MemoryStore: both give the same answers about them."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.jobs.model import JobName, JobRun, Trigger
from engine.model import (
    Landing,
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    SubscriptionRecord,
    SubscriptionStatus,
)
from engine.store import DuckDBStore, StoreOptions
from tests.fakes.store import MemoryStore

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CODES = ("THROTTLED", "FOLDER_MISSING", "NEW_CODE")

times = st.sampled_from([None, *(NOW + timedelta(minutes=n) for n in (-61, -60, -5, -1, 0, 1, 60))])
codes = st.sampled_from([None, *CODES])
mailboxes = st.builds(
    MailboxRecord,
    status=st.sampled_from(list(MailboxStatus)),
    last_success_at=times,
    next_sync_at=times,
    failing_since=times,
    error_code=codes,
    error=st.sampled_from([None, "a", "b"]),
    error_at=times,
)
subscriptions = st.builds(
    SubscriptionRecord,
    serial=st.just("s"),
    status=st.sampled_from(list(SubscriptionStatus)),
    callback_url=st.just("https://x"),
    status_frequency=st.sampled_from([1, 30]),
    created_at=times,
    heard_at=times,
    next_attempt_at=times,
    error_code=codes,
    error=st.sampled_from([None, "a", "b"]),
    unheard=st.integers(0, 2),
)
standings = st.tuples(st.booleans(), mailboxes, st.one_of(st.none(), subscriptions))
runs = st.builds(
    JobRun,
    run_id=st.just("r"),
    job=st.sampled_from(list(JobName)),
    trigger=st.sampled_from(list(Trigger)),
    started_at=st.sampled_from([NOW - timedelta(minutes=5), NOW]),
)


@dataclass
class House:
    """Both stores. Each example has other operators: those of the last one are disabled."""

    duck: DuckDBStore
    memory: MemoryStore
    run: Callable[[Any], Any]
    examples: int = 0

    async def check(self, standing: list[tuple[bool, MailboxRecord, SubscriptionRecord | None]], run: JobRun) -> None:
        self.examples += 1
        who = [OperatorId(f"o{self.examples}-{n}") for n in range(len(standing))]
        for store in (self.duck, self.memory):
            await _retire_all(store)
            await store.put_operators([Operator(one, f"{one}@example.com") for one in who])
            activations = zip(await store.activate(who), standing, strict=True)
            landings = [
                Landing(one.operator.operator_id, one.epoch, mailbox=mailbox, subscription=subscription)
                for one, (_, mailbox, subscription) in activations
            ]
            await asyncio.gather(*(store.land(one) for one in landings))
            off = [one for one, (enabled, *_) in zip(who, standing, strict=True) if not enabled]
            await store.put_operators([Operator(one, f"{one}@example.com", email_sync=False) for one in off])
        assert await _answers(self.duck, run) == await _answers(self.memory, run)
        for store in (self.duck, self.memory):
            await store.put_run(await store.begin_run(run))
        assert await _answers(self.duck, run) == await _answers(self.memory, run)
        assert await self.duck.begin_run(run) == await self.memory.begin_run(run)


async def _retire_all(store: DuckDBStore | MemoryStore) -> None:
    """Nobody is enabled, and nothing of the last example counts."""
    everybody = await store.operators()
    await store.put_operators([Operator(one.operator_id, one.email, email_sync=False) for one in everybody])
    retired = SubscriptionRecord("s", SubscriptionStatus.RETIRED, "https://x", 30)
    activations = await store.activate([one.operator_id for one in everybody])
    landings = [Landing(one.operator.operator_id, one.epoch, subscription=retired) for one in activations]
    await asyncio.gather(*(store.land(one) for one in landings))


async def _answers(store: DuckDBStore | MemoryStore, run: JobRun) -> list[Any]:
    status = await store.status()
    return [
        await store.due(NOW, 9),
        await store.due(NOW, 3),
        await store.due(NOW, 9, run.started_at),
        await store.progress(run, NOW),
        await store.standing_failures(CODES[:1]),
        await store.standing_failures(("LISTENER_UNREACHABLE", *CODES)),
        status.troubles,
        status.subscriptions,
    ]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        duck = DuckDBStore(Path(folder) / "store.duckdb", lambda: NOW, StoreOptions(group_pace=0))
        yield House(duck, MemoryStore(lambda: NOW), runner.run)
        runner.run(duck.close())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(standing=st.lists(standings, min_size=1, max_size=5), run=runs)
def test_both_stores_answer_the_same(
    house: House, standing: list[tuple[bool, MailboxRecord, SubscriptionRecord | None]], run: JobRun
) -> None:
    house.run(house.check(standing, run))
