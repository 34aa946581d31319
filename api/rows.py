"""Query results on their way out: Arrow tables as JSON, CSV, Arrow IPC and Parquet bytes.

Timestamps are ISO 8601 (``Z`` where they have a zone), lists are lists, structs are objects. In CSV, which has no
nesting, lists and structs are JSON text; an unquoted empty field is NULL, a quoted one an empty string.
"""

import base64
import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet


def dump_json(value: object) -> str:
    """JSON text of plain data with times in it."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def to_json(table: pa.Table, truncated: bool) -> bytes:
    """``{"columns": [...], "rows": [[...]], "truncated": bool}``."""
    columns = [_values(column) for column in table.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    answer = {"columns": table.column_names, "rows": rows, "truncated": truncated}
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def to_csv(table: pa.Table, _truncated: bool) -> bytes:
    """CSV with a header line."""
    columns = [column if _is_number_or_text(column.type) else _as_text(column) for column in table.columns]
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(pa.Table.from_arrays(columns, names=table.column_names), sink)
    return bytes(sink.getvalue())


def to_arrow(table: pa.Table, _truncated: bool) -> bytes:
    """An Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def to_parquet(table: pa.Table, _truncated: bool) -> bytes:
    """A Parquet file."""
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return bytes(sink.getvalue())


def _is_number_or_text(kind: pa.DataType) -> bool:
    return _is_simple(kind) or pa.types.is_floating(kind)


def _is_simple(kind: pa.DataType) -> bool:
    types = pa.types
    return any(check(kind) for check in (types.is_integer, types.is_boolean, types.is_string, types.is_large_string))


def _values(column: pa.ChunkedArray) -> list[Any]:
    if _is_simple(column.type):
        return list(column.to_pylist())
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    try:
        return [_plain(value) for value in column.to_pylist()]
    except (ValueError, OverflowError):  # years Python's datetime does not have
        return list(column.cast(pa.string()).to_pylist())


def _as_text(column: pa.ChunkedArray) -> pa.Array:
    def text(value: Any) -> str | None:
        return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return pa.array([text(value) for value in _values(column)], pa.string())


def _plain(value: Any) -> Any:  # noqa: C901, PLR0911  # a table of types, one line each
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return _iso(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case pa.MonthDayNano():
            return f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:g}S"
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case timedelta():
            return f"PT{value.total_seconds():g}S"
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case UUID():
            return str(value)
        case _:
            return str(value)


def _iso(moment: datetime) -> str:
    if moment.tzinfo is None:
        return moment.isoformat()
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
