"""Lists in DuckDB: what is refused, and positions that outlive what happens between two pages."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine import errors
from engine.jobs.model import JobName, JobRun, Trigger
from engine.listing import Listing, View
from engine.model import Operator, OperatorId
from engine.store import DuckDBStore
from tests.fakes.store_words import ANN, BOB, START

RUN = JobRun("r1", JobName.EMAIL_SYNC, Trigger.SCHEDULE, START)


@pytest.mark.parametrize(
    "after",
    [
        (),
        ("ann", "bob"),
        (7,),
        (None,),
        (["ann"],),
        ("\ud800",),
    ],
)
async def test_a_position_that_is_not_of_the_list_is_refused(store: DuckDBStore, after: tuple[Any, ...]) -> None:
    with pytest.raises(errors.QueryRefused, match="list of mailboxes"):
        await store.page(Listing(View.MAILBOXES, after=after))


@pytest.mark.parametrize("after", [(True, "r1"), (1.5, "r1"), ("1", "r1"), (1, 2), (1,)])
async def test_types_of_a_position_are_looked_at(store: DuckDBStore, after: tuple[Any, ...]) -> None:
    with pytest.raises(errors.QueryRefused, match="list of job_runs"):
        await store.page(Listing(View.JOB_RUNS, after=after))


async def test_a_number_too_large_for_a_time_is_refused(store: DuckDBStore) -> None:
    with pytest.raises(errors.QueryRefused, match="list of job_runs"):
        await store.page(Listing(View.JOB_RUNS, after=(1 << 200, "r1")))


async def test_half_a_surrogate_pair_is_refused(store: DuckDBStore) -> None:
    with pytest.raises(errors.QueryRefused, match="is not text"):
        await store.page(Listing(View.FAILURES, {"code": "\ud800"}))
    assert (await store.page(Listing(View.FAILURES, {"code": "\0"}))).items == ()


async def test_the_refusal_of_a_column_names_what_there_is(store: DuckDBStore) -> None:
    with pytest.raises(errors.QueryRefused, match=r"failures cannot be filtered by 'colour'.*code, cause.*kind, state"):
        await store.page(Listing(View.FAILURES, {"colour": "red"}))


async def test_rows_that_come_and_go_between_pages_move_nothing(store: DuckDBStore) -> None:
    await store.put_operators([Operator(OperatorId("carl"), "carl@example.com")])
    first = await store.page(Listing(View.MAILBOXES, limit=2))
    assert [row["operator_id"] for row in first.items] == [ANN, BOB]
    await store.put_operators([Operator(OperatorId("aaa"), "a@example.com"), Operator(OperatorId("cc"), "c@x.example")])
    rest = await store.page(Listing(View.MAILBOXES, after=first.after, limit=2))
    assert [row["operator_id"] for row in rest.items] == ["carl", "cc"]


async def test_runs_that_begin_meanwhile_are_not_shown_twice(store: DuckDBStore) -> None:
    for n in range(3):
        await store.put_run(replace(RUN, run_id=f"r{n}", started_at=START + timedelta(microseconds=n)))
    first = await store.page(Listing(View.JOB_RUNS, limit=2))
    await store.put_run(replace(RUN, run_id="r9", started_at=START + timedelta(hours=1)))
    rest = await store.page(Listing(View.JOB_RUNS, after=first.after))
    assert [row["run_id"] for row in (*first.items, *rest.items)] == ["r2", "r1", "r0"]
    assert rest.after is None
