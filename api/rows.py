"""Values on their way out: Arrow and Python values as plain data that JSON and CSV have.

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


def dump_json(value: object) -> str:
    """JSON text of plain data with times in it."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def values_of(column: pa.Array) -> list[Any]:
    """A column as plain data that JSON has."""
    if _is_simple(column.type):
        return list(column.to_pylist())
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    try:
        return [_plain(value) for value in column.to_pylist()]
    except (ValueError, OverflowError):  # years Python's datetime does not have
        return list(column.cast(pa.string()).to_pylist())


def as_text(column: pa.Array) -> pa.Array:
    """A column as CSV can carry it: numbers, truth and texts are as they are, all else is text."""
    if _is_simple(column.type) or pa.types.is_floating(column.type):
        return column

    def text(value: Any) -> str | None:
        return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return pa.array([text(value) for value in values_of(column)], pa.string())


def _is_simple(kind: pa.DataType) -> bool:
    types = pa.types
    return any(check(kind) for check in (types.is_integer, types.is_boolean, types.is_string, types.is_large_string))


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
