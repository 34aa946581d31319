"""Landings as columns: what one round of landings (one an operator at most) asks about and brings, as Arrow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

import duckdb
import pyarrow as pa

from engine.associations.participants import NOBODY, Participants, participants
from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS, TIME
from engine.model import Landing
from engine.store.keys import item_key
from engine.store.tables import TEXT, columns


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
    """The columns of a round; ``emails`` and ``attachments`` are None where there are none.

    ``people``: who takes part in the emails, row by row.
    """

    probe: pa.Table
    emails: pa.Table | None
    attachments: pa.Table | None
    people: Participants = NOBODY


FOUND = pa.schema([("rid", pa.int64()), ("ask", pa.int8()), ("landing_no", pa.int32()), ("row_no", pa.int32())])
PROBE = pa.schema(
    [("ask", pa.int8()), ("landing_no", pa.int32()), ("row_no", pa.int32()), ("operator_id", TEXT), ("item_id", TEXT)]
)


def stage(landings: Sequence[Landing]) -> Staged:
    """Put the landings of a round side by side."""
    emails = _emails(landings)
    probes = [_asked_by_id(landings)]
    people = NOBODY
    if emails is not None:
        people = participants(emails)
        for name, keys in zip(("address_keys", "domain_keys"), people.key_columns(), strict=True):
            emails = emails.append_column(name, keys)
        count = emails.num_rows
        asks = pa.repeat(pa.scalar(Ask.EMAIL.value, pa.int8()), count)
        probes.append(pa.table([asks, *emails.select(PROBE.names[1:]).columns], schema=PROBE))
    return Staged(pa.concat_tables(probes).combine_chunks(), emails, _attachments(landings), people)


def find_hits(connection: duckdb.DuckDBPyConnection, staged: Staged) -> list[Hit]:
    """The rows of all items a round asks about, in one scan of the keys.

    Mostly nothing is found: new emails are new. So the scan reads keys only, and what it finds is looked at after.
    """
    if staged.probe.num_rows == 0:
        return []
    with registered(connection, "probe", staged.probe):
        found = connection.execute(
            f"""
            SELECT e.rowid, p.ask, p.landing_no, p.row_no
            FROM _mailroom.emails AS e JOIN probe AS p ON e.item_key = {item_key("p")}
            """  # noqa: S608 (our own words only)
        ).fetchall()
    if not found:
        return []
    with registered(connection, "found", columns(found, FOUND)):
        rows = connection.execute(
            """
            SELECT f.ask, f.landing_no, f.row_no, f.rid, e.item_id, e.folder_id, e.deleted_at IS NULL, e.change_key,
                   e.content_behind, epoch_us(e.first_landed_at), e.moved_from
            FROM _mailroom.emails AS e JOIN found AS f ON e.rowid = f.rid
            """
        ).fetchall()
    return [Hit._make(row) for row in rows]


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """Let SQL on this connection see an Arrow table under a name."""
    connection.register(name, table)
    try:
        yield
    except BaseException:
        # The transaction is lost, and with it most likely the name; what matters is what went wrong before.
        with suppress(duckdb.Error):
            connection.unregister(name)
        raise
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
    bringing = [
        (number, landing, _last_of_each(landing.emails))
        for number, landing in enumerate(landings)
        if landing.emails and landing.folder is not None
    ]
    if not bringing:
        return None
    table = _side_by_side([batch for _, _, batch in bringing], FETCHED_EMAILS)
    owners = [(number, one.operator_id, one.folder, batch.num_rows) for number, one, batch in bringing]
    return (
        table.append_column("row_no", pa.array(range(table.num_rows), pa.int32()))
        .append_column("landing_no", pa.array([no for no, _, _, n in owners for _ in range(n)], pa.int32()))
        .append_column("operator_id", pa.array([who for _, who, _, n in owners for _ in range(n)], TEXT))
        .append_column("folder_id", pa.array([f.folder_id for _, _, f, n in owners if f for _ in range(n)], TEXT))
        .append_column("folder", pa.array([f.name for _, _, f, n in owners if f for _ in range(n)], TEXT))
    )


def _attachments(landings: Sequence[Landing]) -> pa.Table | None:
    bringing = [(number, one, one.attachments) for number, one in enumerate(landings) if one.attachments]
    if not bringing:
        return None
    table = _side_by_side([batch for _, _, batch in bringing], FETCHED_ATTACHMENTS)
    owners = [(number, one.operator_id, batch.num_rows) for number, one, batch in bringing]
    return table.append_column(
        "landing_no", pa.array([no for no, _, n in owners for _ in range(n)], pa.int32())
    ).append_column("operator_id", pa.array([who for _, who, n in owners for _ in range(n)], TEXT))


def _side_by_side(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """One table in one chunk: many small chunks would become many small vectors in DuckDB."""
    same = [
        batch if batch.schema.equals(schema) else pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        for batch in batches
    ]
    return pa.Table.from_batches(same).combine_chunks()


def _last_of_each(batch: pa.RecordBatch) -> pa.RecordBatch:
    """One row an item: the last, should a source give one twice."""
    if batch.num_rows == 1:
        return batch
    ids = batch.column("item_id").to_pylist()
    last = {item_id: row for row, item_id in enumerate(ids)}
    return batch if len(last) == len(ids) else batch.take(pa.array(sorted(last.values()), pa.int64()))
