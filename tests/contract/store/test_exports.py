"""Exports: of one moment, whatever lands meanwhile; read in order, a piece at a time; and gone when they are gone."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from engine import errors
from engine.exporting import WHOLE, ExportPart, ExportRequest
from tests.fakes.store_emails import emails
from tests.fakes.store_words import INBOX, AnyStore, Lander, ids

REQUEST = ExportRequest("x1")
BEFORE, AFTER = datetime(2026, 10, 31, 23, 59, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


async def fill(land: Lander) -> None:
    await land(
        folder=INBOX,
        emails=emails(
            *({"item_id": f"a{n}", "received_at": BEFORE} for n in range(3)),
            *({"item_id": f"b{n}", "received_at": AFTER} for n in range(5)),
            {"item_id": "c"},
        ),
    )
    await land(folder=INBOX, deleted=ids("b0"))


async def read(store: AnyStore, export_id: str, part: int) -> pa.Table:
    pieces, position, more = list[pa.Table](), 0, True
    while more:
        piece = await store.read_export(export_id, part, position)
        pieces.append(piece.table)
        position, more = position + 1, piece.more
    return pa.concat_tables(pieces)


async def test_emails_come_by_month_and_everything_else_whole(store: AnyStore, land: Lander) -> None:
    await fill(land)
    export = await store.begin_export(REQUEST)
    assert export.parts[:3] == (
        ExportPart("emails", "", 1),
        ExportPart("emails", "2026-10", 3),
        ExportPart("emails", "2026-11", 4),
    )
    assert tuple(part.view for part in export.parts[3:]) == WHOLE
    found = [sorted((await read(store, "x1", part)).column("item_id").to_pylist()) for part in range(3)]
    assert found == [["c"], ["a0", "a1", "a2"], ["b1", "b2", "b3", "b4"]]
    everything = await store.begin_export(ExportRequest("x2", deleted=True))
    assert [part.rows for part in everything.parts if part.view == "all_emails"] == [1, 3, 5]


async def test_it_shows_the_moment_it_began_whatever_lands_later(store: AnyStore, land: Lander) -> None:
    await fill(land)
    export = await store.begin_export(REQUEST)
    await land(folder=INBOX, deleted=ids("a0"), emails=emails({"item_id": "d", "received_at": BEFORE}))
    await land(folder=INBOX, emails=emails({"item_id": "a1", "change_key": "2", "subject": "new"}))
    for number, part in enumerate(export.parts):
        assert (await read(store, "x1", number)).num_rows == part.rows
    assert set((await read(store, "x1", 1)).column("item_id").to_pylist()) == {"a0", "a1", "a2"}


async def test_a_part_can_be_begun_anew_and_is_read_in_order(store: AnyStore, land: Lander) -> None:
    await fill(land)
    await store.begin_export(REQUEST)
    first = await read(store, "x1", 1)
    assert (await read(store, "x1", 1)).num_rows == first.num_rows
    await store.read_export("x1", 2, 0)
    with pytest.raises(errors.ExportGone):
        await store.read_export("x1", 2, 7)
    with pytest.raises(errors.ExportGone):
        await store.read_export("x1", 99, 0)


async def test_what_was_ended_is_gone_and_ending_twice_is_ending_once(store: AnyStore) -> None:
    await store.begin_export(REQUEST)
    await store.end_export("x1")
    await store.end_export("x1")
    with pytest.raises(errors.ExportGone):
        await store.read_export("x1", 0, 0)


async def test_there_are_few_at_once(store: AnyStore) -> None:
    for name in ("x1", "x2"):
        await store.begin_export(ExportRequest(name))
    with pytest.raises(errors.ExportRefused):
        await store.begin_export(ExportRequest("x3"))
    await store.end_export("x1")
    await store.begin_export(ExportRequest("x3"))
