"""Landings as columns: what one round of landings (one an operator at most) asks about and brings, as Arrow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

import duckdb
import pyarrow as pa

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS, TIME
from engine.model import Landing
from engine.store.keys import item_key
from engine.store.tables import TEXT


class Ask(IntEnum):
    """Why a landing wants to know about an item."""

    DELETED = 0
    FLAGGED = 1
    EMAIL = 2
    LISTED = 3


class Hit(NamedTuple):
    """An item a landing asks about that has a row. ``row_no`` is the row of the staged emails where asked for one."""

    ask: int
    landing_no: int
    row_no: int
    rid: int
    item_id: str
    folder_id: str
    current: bool
    change_key: str | None
    content_behind: bool
    first_landed_us: int
    moved_from: str | None


@dataclass(frozen=True, slots=True)
class Staged:
    """The columns of a round; ``emails`` and ``attachments`` are None where there are none."""

    probe: pa.Table
    emails: pa.Table | None
    attachments: pa.Table | None


PROBE = pa.schema(
    [("ask", pa.int8()), ("landing_no", pa.int32()), ("row_no", pa.int32()), ("operator_id", TEXT), ("item_id", TEXT)]
)


def stage(landings: Sequence[Landing]) -> Staged:
    """Put the landings of a round side by side."""
    emails = _emails(landings)
    probes = [_asked_by_id(landings)]
    if emails is not None:
        count = emails.num_rows
        columns = [pa.repeat(pa.scalar(Ask.EMAIL.value, pa.int8()), count), *emails.select(PROBE.names[1:]).columns]
        probes.append(pa.table(columns, schema=PROBE))
    return Staged(pa.concat_tables(probes).combine_chunks(), emails, _attachments(landings))


def find_hits(connection: duckdb.DuckDBPyConnection, staged: Staged) -> list[Hit]:
    """The rows of all items a round asks about, in one scan of the keys."""
    if staged.probe.num_rows == 0:
        return []
    with registered(connection, "probe", staged.probe):
        found = connection.execute(
            f"""
            SELECT p.ask, p.landing_no, p.row_no, e.rowid, e.item_id, e.folder_id, e.deleted_at IS NULL,
                   e.change_key, e.content_behind, epoch_us(e.first_landed_at), e.moved_from
            FROM _mailroom.emails AS e JOIN probe AS p ON e.item_key = {item_key("p")}
            """  # noqa: S608 (our own words only)
        ).fetchall()
    return [Hit._make(row) for row in found]


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """Let SQL on this connection see an Arrow table under a name."""
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


def microseconds(moment: datetime) -> int:
    """An aware datetime as DuckDB counts it."""
    return int(pa.scalar(moment, TIME).value)


def _asked_by_id(landings: Sequence[Landing]) -> pa.Table:
    asks, numbers, operators, items = list[int](), list[int](), list[str](), list[str]()
    for number, landing in enumerate(landings):
        flagged = dict.fromkeys(flag.item_id for flag in landing.read_flags)
        for ask, ids in ((Ask.DELETED, set(landing.deleted)), (Ask.FLAGGED, flagged), (Ask.LISTED, landing.listed)):
            asks += [ask] * len(ids)
            numbers += [number] * len(ids)
            operators += [landing.operator_id] * len(ids)
            items += ids
    return pa.table([asks, numbers, [-1] * len(asks), operators, items], schema=PROBE)


def _emails(landings: Sequence[Landing]) -> pa.Table | None:
    parts = []
    for number, landing in enumerate(landings):
        if landing.emails is None or landing.emails.num_rows == 0 or landing.folder is None:
            continue
        batch = _last_of_each(landing.emails)
        constants = [
            pa.repeat(pa.scalar(number, pa.int32()), batch.num_rows),
            pa.repeat(pa.scalar(landing.operator_id, TEXT), batch.num_rows),
            pa.repeat(pa.scalar(landing.folder.folder_id, TEXT), batch.num_rows),
            pa.repeat(pa.scalar(landing.folder.name, TEXT), batch.num_rows),
        ]
        names = ["landing_no", "operator_id", "folder_id", "folder", *FETCHED_EMAILS.names]
        parts.append(pa.table([*constants, *batch.columns], names=names))
    if not parts:
        return None
    # Many small chunks would become many small vectors in DuckDB.
    table = pa.concat_tables(parts).combine_chunks()
    return table.append_column("row_no", pa.array(range(table.num_rows), pa.int32()))


def _last_of_each(batch: pa.RecordBatch) -> pa.RecordBatch:
    """One row an item: the last, should a source give one twice."""
    ids = batch.column("item_id").to_pylist()
    last = {item_id: row for row, item_id in enumerate(ids)}
    return batch if len(last) == len(ids) else batch.take(pa.array(sorted(last.values()), pa.int64()))


def _attachments(landings: Sequence[Landing]) -> pa.Table | None:
    parts = []
    for number, landing in enumerate(landings):
        batch = landing.attachments
        if batch is None or batch.num_rows == 0:
            continue
        constants = [
            pa.repeat(pa.scalar(number, pa.int32()), batch.num_rows),
            pa.repeat(pa.scalar(landing.operator_id, TEXT), batch.num_rows),
        ]
        names = ["landing_no", "operator_id", *FETCHED_ATTACHMENTS.names]
        parts.append(pa.table([*constants, *batch.columns], names=names))
    return pa.concat_tables(parts).combine_chunks() if parts else None
