"""``POST /api/v1/query``: one SELECT over the store's views, answered as JSON, CSV, Arrow or Parquet."""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import pyarrow as pa
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from api import rows
from api.auditing import audited
from api.bodies import parse_body
from api.client import TRUNCATED
from api.keys import MAILROOM
from api.routes import Answer, Body, Route
from api.schemas.query import QueryResult
from engine.access.audit import Action
from engine.access.roles import Permission


class Format(StrEnum):
    """What an answer can look like. ``table`` and ``json`` are the same here: a table is for people's terminals."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"
    PARQUET = "parquet"


class QueryRequest(BaseModel):
    """The body of a query."""

    model_config = ConfigDict(extra="forbid")

    sql: Annotated[str, Field(min_length=1, json_schema_extra={"format": "sql"})]
    params: list[StrictStr | StrictBool | StrictInt | StrictFloat | None] = []
    format: Format = Format.JSON


_EXAMPLE = f'Send JSON: {{"sql": "SELECT ...", "params": [...], "format": one of {", ".join(Format)}}}.'

_WRITERS: dict[Format, tuple[str, Callable[[pa.Table, bool], bytes]]] = {
    Format.TABLE: ("application/json", rows.to_json),
    Format.JSON: ("application/json", rows.to_json),
    Format.CSV: ("text/csv", rows.to_csv),
    Format.ARROW: ("application/vnd.apache.arrow.stream", rows.to_arrow),
    Format.PARQUET: ("application/vnd.apache.parquet", rows.to_parquet),
}


async def run(request: web.Request) -> web.Response:
    """Answer a query."""
    wanted = parse_body(QueryRequest, await request.read(), _EXAMPLE)
    with audited(request, Action.QUERY_RUN, after={"sql": wanted.sql}):
        table, truncated = await request.app[MAILROOM].query(wanted.sql, wanted.params)
    content_type, write = _WRITERS[wanted.format]
    body = await asyncio.to_thread(write, table, truncated)
    charset = "utf-8" if content_type.startswith("text/") else None
    headers = {TRUNCATED: "true"} if truncated else {}
    return web.Response(body=body, content_type=content_type, charset=charset, headers=headers)


ROUTES = (
    Route(
        "POST",
        "/api/v1/query",
        run,
        Permission.QUERY_RUN,
        summary="Run one SELECT over the views",
        body=Body(QueryRequest, example={"sql": "SELECT count(*) FROM emails", "format": "json"}),
        answers={
            200: Answer(
                "The rows, in the format that was asked for.",
                QueryResult,
                tuple(dict.fromkeys(media for media, _ in _WRITERS.values())),
                {TRUNCATED: "`true` where there were more rows."},
            )
        },
    ),
)
