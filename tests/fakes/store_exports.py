"""Exports in memory: ``ports.ExportStore`` over tables."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import ExportGone, ExportRefused
from engine.exporting import WHOLE, Export, ExportPart, ExportRequest
from engine.querying import Answer

MOST = 2
PIECE = 2
"""Rows of a piece."""


class MemoryExports:
    """``exports``: those that are held, each with the tables of its moment and where reading has come to."""

    def __init__(self) -> None:
        super().__init__()
        self.exports: dict[str, tuple[Export, Mapping[str, pa.Table], list[int]]] = {}

    @abstractmethod
    def _check(self) -> None: ...

    @abstractmethod
    def _now(self) -> datetime: ...

    @abstractmethod
    def _tables(self) -> Mapping[str, pa.Table]:
        """The views by name; one that is not there is empty."""

    async def begin_export(self, request: ExportRequest) -> Export:
        self._check()
        if len(self.exports) >= MOST:
            raise ExportRefused(f"{MOST} exports are under way")
        tables = self._tables()
        view = "all_emails" if request.deleted else "emails"
        months = _months(tables.get(view))
        parts = [ExportPart(view, month, months.count(month)) for month in sorted(set(months))]
        parts += [ExportPart(name, None, tables[name].num_rows if name in tables else 0) for name in WHOLE]
        export = Export(request.export_id, self._now(), request.deleted, tuple(parts))
        self.exports[request.export_id] = (export, tables, [-1, 0])
        return export

    async def read_export(self, export_id: str, part: int, position: int) -> Answer:
        self._check()
        if export_id not in self.exports:
            raise ExportGone("no such export")
        export, tables, place = self.exports[export_id]
        if not 0 <= part < len(export.parts):
            raise ExportGone("no such part")
        if position and [part, position] != place:
            raise ExportGone("not the next piece")
        one = export.parts[part]
        table = tables.get(one.view, pa.table({"nothing": pa.array([], pa.string())}))
        if one.month is not None:
            table = table.filter(pa.array([month == one.month for month in _months(table)], pa.bool_()))
        piece = table.slice(position * PIECE, PIECE)
        place[:] = [part, position + 1]
        more = (position + 1) * PIECE < table.num_rows
        return Answer(table.schema, tuple(piece.to_batches()), truncated=False, more=more)

    async def end_export(self, export_id: str) -> None:
        self._check()
        self.exports.pop(export_id, None)


def _months(table: pa.Table | None) -> list[str]:
    if table is None:
        return []
    return list(pc.fill_null(pc.strftime(table.column("received_at"), "%Y-%m"), "").to_pylist())
