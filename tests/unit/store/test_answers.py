"""Answers: so many rows and bytes, given out in pieces, and not kept for ever."""

from dataclasses import replace

import duckdb
import pyarrow as pa
import pytest

from engine.errors import QueryBusy, QueryRefused
from engine.querying import Limits
from engine.store.answers import Collected, Shelf, collect

LIMITS = Limits(chunk=1_000, held=5_000, idle=60)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def rows(count: int, size: int = 100) -> Collected:
    batches = tuple(pa.record_batch([pa.array([f"{number:{size}}"])], ["a"]) for number in range(count))
    return Collected(pa.schema([("a", pa.string())]), batches, truncated=False)


def numbers(batches: tuple[pa.RecordBatch, ...]) -> list[int]:
    return [int(value.as_py()) for batch in batches for value in batch.column(0)]


@pytest.mark.parametrize(
    ("sql", "most", "size", "count", "truncated"),
    [
        ("FROM range(10)", 10, 1 << 20, 10, False),
        ("FROM range(10)", 9, 1 << 20, 9, True),
        ("FROM range(10)", 0, 1 << 20, 0, True),
        ("FROM range(0)", 0, 1 << 20, 0, False),
        ("FROM range(0)", 10, 0, 0, False),
        ("FROM range(5000)", 5000, 1 << 20, 5000, False),
        ("FROM range(100)", 100, 80, 9, True),
        ("FROM range(100)", 100, 900, 100, False),
        ("FROM range(100)", 100, 7, 0, True),
        ("FROM range(1_000_000_000_000)", 1_000_000, 80_000, 9_846, True),
        ("SELECT unnest(range(100_000))", 1_000_000, 80_000, 9_846, True),
    ],
)
def test_so_many_rows_and_bytes(sql: str, most: int, size: int, count: int, truncated: bool) -> None:
    found = collect(duckdb.connect(":memory:").sql(sql), most, size)
    assert (sum(batch.num_rows for batch in found.batches), found.truncated) == (count, truncated)
    assert sum(batch.nbytes for batch in found.batches) <= size
    assert found.schema.names != []


def test_a_small_answer_comes_at_once() -> None:
    shelf = Shelf(LIMITS)
    answer = shelf.give("q", rows(3))
    assert (numbers(answer.batches), answer.more) == ([0, 1, 2], False)
    with pytest.raises(QueryRefused, match="gone"):
        shelf.next("q")


def test_a_large_one_comes_in_pieces() -> None:
    shelf = Shelf(LIMITS)
    answer, found = shelf.give("q", rows(30)), list[int]()
    pieces = 1
    while answer.more:
        found += numbers(answer.batches)
        assert sum(batch.nbytes for batch in answer.batches) <= LIMITS.chunk
        answer = shelf.next("q")
        pieces += 1
    assert found + numbers(answer.batches) == list(range(30))
    assert pieces > 3


def test_a_batch_larger_than_a_piece_is_one() -> None:
    shelf = Shelf(LIMITS)
    answer = shelf.give("q", rows(2, size=1_500))
    assert (numbers(answer.batches), answer.more) == ([0], True)
    answer = shelf.next("q")
    assert (numbers(answer.batches), answer.more) == ([1], False)


def test_nothing_is_kept_that_nobody_wants() -> None:
    shelf = Shelf(LIMITS)
    assert shelf.give("q", rows(30)).more
    shelf.drop("q")
    shelf.drop("q")
    with pytest.raises(QueryRefused):
        shelf.next("q")


def test_nothing_is_kept_for_ever() -> None:
    clock = Clock()
    shelf = Shelf(LIMITS, clock)
    assert shelf.give("q", rows(30)).more
    clock.now = 50
    assert shelf.next("q").more
    clock.now = 100
    assert shelf.next("q").more
    clock.now = 161
    with pytest.raises(QueryRefused):
        shelf.next("q")


def test_not_more_is_kept_than_there_is_room_for() -> None:
    clock = Clock()
    shelf = Shelf(replace(LIMITS, held=4_000), clock)
    assert shelf.give("a", rows(30)).more
    with pytest.raises(QueryBusy, match="1 answers wait"):
        shelf.give("b", rows(30))
    assert not shelf.give("c", rows(3)).more
    clock.now = 61
    assert shelf.give("b", rows(30)).more
