"""``POST /api/v1/query``: one SELECT over the store's views, answered as JSON, CSV, Arrow or Parquet.

Answers are sent as they are fetched from the store, piece by piece. The first piece is there when the query has run to
its end, so a query that fails is answered by its error, and ``truncated`` is known from the first byte on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

import structlog
from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from api.auditing import audited
from api.bodies import parse_body
from api.client import TRUNCATED
from api.disconnects import unless_gone
from api.encoders import ArrowEncoder, CsvEncoder, Encoder, JsonEncoder, ParquetEncoder, encode
from api.keys import MAILROOM
from api.routes import Answer, Body, Route
from api.schemas.query import QueryResult
from api.schemas.shared import whole
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.errors import MailroomError
from engine.ports import Mailroom
from engine.querying import Answer as Piece
from engine.querying import Limits, Query

log = structlog.get_logger("mailroom.gateway")

_LIMITS = Limits()
_MOST_PARAMS = 10_000

Value = StrictStr | StrictBool | StrictInt | StrictFloat | None


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

    sql: Annotated[
        str,
        Field(min_length=1, max_length=_LIMITS.text, json_schema_extra={"format": "sql"}, description="One SELECT."),
    ]
    params: Annotated[
        Annotated[list[Value], Field(max_length=_MOST_PARAMS)]
        | Annotated[dict[str, Value], Field(max_length=_MOST_PARAMS)],
        Field(description="Values for `?` or `$1` by place, or for `$name` by name."),
    ] = []
    format: Format = Format.JSON
    limit: Annotated[
        int,
        Field(strict=True, ge=1, le=_LIMITS.most_rows, description="Rows at most.", examples=[1000]),
        BeforeValidator(whole),
    ] = _LIMITS.rows


_EXAMPLE = f'Send JSON: {{"sql": "SELECT ...", "params": [...], "format": one of {", ".join(Format)}}}.'

_ENCODERS: dict[Format, type[Encoder]] = {
    Format.TABLE: JsonEncoder,
    Format.JSON: JsonEncoder,
    Format.CSV: CsvEncoder,
    Format.ARROW: ArrowEncoder,
    Format.PARQUET: ParquetEncoder,
}


async def run(request: web.Request) -> web.StreamResponse:
    """Answer a query."""
    wanted = parse_body(QueryRequest, await request.read(), _EXAMPLE)
    mailroom = request.app[MAILROOM]
    query = Query(uuid4().hex, wanted.sql, wanted.params, wanted.limit)
    async with _ended(mailroom, query):
        with audited(request, Action.QUERY_RUN, after={"sql": wanted.sql}):
            piece = await unless_gone(request, mailroom.start_query(query))
        encoder = _ENCODERS[wanted.format](piece.schema, truncated=piece.truncated)
        body = await asyncio.to_thread(encode, encoder, piece.batches, first=True, last=not piece.more)
        headers = {TRUNCATED: "true"} if piece.truncated else {}
        if piece.more:
            return await _stream(request, encoder, body, _rest(mailroom, query), headers)
        charset = "utf-8" if encoder.media.startswith("text/") else None
        return web.Response(body=body, content_type=encoder.media, charset=charset, headers=headers)


async def _stream(
    request: web.Request, encoder: Encoder, begin: bytes, rest: AsyncIterator[Piece], headers: dict[str, str]
) -> web.StreamResponse:
    """Send the answer as it is fetched. What cannot be finished is cut off, and so is no whole answer to anybody."""
    response = web.StreamResponse(headers=headers)
    response.content_type = encoder.media
    if encoder.media.startswith("text/"):
        response.charset = "utf-8"
    await response.prepare(request)
    try:
        await response.write(begin)
        async for piece in rest:
            part = await asyncio.to_thread(encode, encoder, piece.batches, first=False, last=not piece.more)
            await response.write(part)
    except MailroomError as error:
        log.warning("query_answer_cut", reason=str(error))
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("The answer could not be finished.") from error
    await response.write_eof()
    return response


async def _rest(mailroom: Mailroom, query: Query) -> AsyncIterator[Piece]:
    more = True
    while more:
        piece = await mailroom.read_query(query.query_id)
        yield piece
        more = piece.more


@asynccontextmanager
async def _ended(mailroom: Mailroom, query: Query) -> AsyncIterator[None]:
    """Whatever happens inside, nothing of the query is left; what has ended by itself is not ended again."""
    try:
        yield
    except BaseException:
        try:
            await asyncio.shield(mailroom.end_query(query.query_id))
        except MailroomError as error:
            log.warning("query_not_ended", reason=str(error))
        raise


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
                tuple(dict.fromkeys(encoder.media for encoder in _ENCODERS.values())),
                {TRUNCATED: "`true` where there were more rows."},
            )
        },
    ),
)
