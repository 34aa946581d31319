"""Exports over HTTP: begin one, read its parts as Parquet, and end it.

All parts are of one moment. The store holds it for whoever began; when nobody reads for five minutes, or the store is
opened anew, it is gone, and the answer is 404: begin again.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any
from uuid import uuid4

import structlog
from aiohttp import web
from pydantic import Field

from api.auditing import audit
from api.bodies import parse_body
from api.encoders import ParquetEncoder, encode
from api.keys import MAILROOM
from api.metrics.exposition import version
from api.parameters import read_parameters
from api.routes import Answer, Body, Parameter, Route
from api.rows import dump_json
from api.schemas.exports import ExportEnded, ExportPost, ExportShown
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.errors import ExportGone, MailroomError
from engine.exporting import Export, ExportRequest
from engine.ports import Mailroom
from engine.querying import Answer as Piece

log = structlog.get_logger("mailroom.gateway")

_EXAMPLE = 'Send JSON: {"deleted": true} for deleted emails too, or {}.'
_MOST_PARTS = 100_000


async def begin(request: web.Request) -> web.Response:
    """``POST /api/v1/exports``: 201, and the parts to read."""
    body = parse_body(ExportPost, await request.read() or b"{}", _EXAMPLE)
    export = await request.app[MAILROOM].begin_export(ExportRequest(uuid4().hex, body.deleted))
    figures = {"parts": len(export.parts), "rows": sum(part.rows for part in export.parts), "deleted": body.deleted}
    audit(request, Action.EXPORT_RUN, export.export_id, after=figures)
    return web.json_response(export_of(export), status=201, dumps=dump_json)


async def read(request: web.Request) -> web.StreamResponse:
    """``GET /api/v1/exports/{id}/parts/{part}``: one part, as a Parquet file, as it is read."""
    read_parameters(request, ())
    export_id, part = request.match_info["id"], _part(request)
    mailroom = request.app[MAILROOM]
    piece = await mailroom.read_export(export_id, part, 0)
    encoder = ParquetEncoder(piece.schema, truncated=False)
    response = web.StreamResponse()
    response.content_type = encoder.media
    body = await asyncio.to_thread(encode, encoder, piece.batches, first=True, last=not piece.more)
    await response.prepare(request)
    try:
        await response.write(body)
        async for following in _rest(mailroom, export_id, part, more=piece.more):
            body = await asyncio.to_thread(encode, encoder, following.batches, first=False, last=not following.more)
            await response.write(body)
    except MailroomError as error:
        # What is cut off here is no whole answer to anybody.
        log.warning("export_cut", export=export_id, part=part, reason=str(error))
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("The part could not be finished.") from error
    await response.write_eof()
    return response


async def end(request: web.Request) -> web.Response:
    """``DELETE /api/v1/exports/{id}``: it is not held any longer; of one that is gone, too."""
    export_id = request.match_info["id"]
    await request.app[MAILROOM].end_export(export_id)
    return web.json_response({"export_id": export_id}, dumps=dump_json)


def export_of(export: Export) -> dict[str, Any]:
    """An export as it is answered."""
    parts = [{"part": number, **asdict(part)} for number, part in enumerate(export.parts)]
    return {**asdict(export), "parts": parts, "version": version()}


def _part(request: web.Request) -> int:
    text = request.match_info["part"]
    if text.isascii() and text.isdigit() and len(text) <= len(str(_MOST_PARTS)):
        return int(text)
    raise ExportGone(f"{text[:40]!r} is no number of a part.")


async def _rest(mailroom: Mailroom, export_id: str, part: int, *, more: bool) -> AsyncIterator[Piece]:
    position = 0
    while more:
        position += 1
        piece = await mailroom.read_export(export_id, part, position)
        yield piece
        more = piece.more


_ID = Parameter("id", "Its `export_id`.")

ROUTES = (
    Route(
        "POST",
        "/api/v1/exports",
        begin,
        Permission.EXPORT_RUN,
        summary="Begin an export of everything",
        body=Body(ExportPost, example={"deleted": False}, required=False),
        answers={201: Answer("What it consists of.", ExportShown)},
        refuses={409: "As many exports as may be are under way."},
    ),
    Route(
        "GET",
        "/api/v1/exports/{id}/parts/{part}",
        read,
        Permission.EXPORT_RUN,
        summary="Read one part of an export",
        parameters=(_ID, Parameter("part", "Its number.", Annotated[int, Field(ge=0, le=_MOST_PARTS)])),
        answers={200: Answer("The part.", media=(ParquetEncoder.media,))},
        refuses={400: "It takes no parameters."},
    ),
    Route(
        "DELETE",
        "/api/v1/exports/{id}",
        end,
        Permission.EXPORT_RUN,
        summary="Let go of an export",
        parameters=(_ID,),
        answers={200: Answer("It is not held any longer.", ExportEnded)},
    ),
)
