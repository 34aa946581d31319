"""CRM records into Mailroom, over HTTP: some as JSON, as many as there are as a file."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from aiohttp import web

from api.auditing import audit
from api.bodies import parse_body
from api.keys import MAILROOM
from api.parameters import check_choice, read_parameters
from api.problems import Refusal
from api.resources.crm import KIND, kind_of
from api.routes import JSON, Answer, Body, Parameter, Route
from api.rows import dump_json
from api.schemas.crm import CrmPost, CrmPut
from engine.access.audit import Action, AuditOutcome
from engine.access.roles import Permission
from engine.crm.batches import as_kept, batches, read_objects, total
from engine.crm.change import CrmOutcome
from engine.crm.model import RecordKind
from engine.crm.reading import CrmTable, read_crm
from engine.errors import MailroomError

BODY_LIMIT = 500_000_000
"""Bytes of a file."""
JSON_LIMIT = 10_000_000
"""Bytes of JSON, which takes many times as much memory when it is read; a file does not."""
MOST_PROBLEMS = 1000
"""Problems that are listed; rows in error are all counted."""
UPLOAD_SECONDS = 900.0
"""How long a file may be on its way, and others wait for it."""

_FILES = ("text/csv", "application/vnd.apache.parquet", "application/octet-stream")
_SWITCH = ("true", "false")
_EXAMPLE = {
    "records": [{"id": "003A1", "name": "Ann Lee", "addresses": ["ann@example.com"], "owner": "bob"}],
    "deleted": ["003B2"],
}
_HINT = 'Send JSON such as {"records": [{"id": "003A1", "name": "Ann Lee"}], "deleted": ["003B2"]}; or a file.'
_AT_ONCE = web.AppKey("crm_imports_at_once", asyncio.Semaphore)


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: RecordKind
    strict: bool
    dry_run: bool


def prepare(app: web.Application) -> None:
    """Files are taken in one at a time, so that memory is that of one."""
    app[_AT_ONCE] = asyncio.Semaphore(1)


async def put(request: web.Request) -> web.Response:
    """``POST /api/v1/crm/{kind}``: insert or replace records by id, and delete some; a record is given whole.

    Rows in error do not keep the others out, unless ``strict=true``. A large file is put in some thousand records at a
    time: should it break off, asking again does the rest. Emails that landed before are associated anew, by the job
    AssociateEmails, within seconds.
    """
    asked = _read(request)
    if request.content_type.startswith("multipart/"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "A form is not understood here.", "Send the file itself as body.")
    if request.content_type == JSON:
        body = await request.clone(client_max_size=JSON_LIMIT).read()
        table, deleted = await asyncio.to_thread(_read_json, asked.kind, body)
        return await _put(request, asked, table, deleted)
    async with request.app[_AT_ONCE]:
        table = await _receive(request, asked.kind)
        return await _put(request, asked, table)


async def _receive(request: web.Request, kind: RecordKind) -> CrmTable:
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            data = await request.clone(client_max_size=BODY_LIMIT).read()
    except TimeoutError:
        message = f"The file has not come within {UPLOAD_SECONDS / 60:.0f} minutes."
        raise Refusal(400, "BAD_REQUEST", message, "Send it again, as Parquet or in parts.") from None
    if data[:100].lstrip().startswith(b"{"):
        message = "The body is JSON, and its Content-Type says otherwise."
        raise Refusal(400, "BAD_REQUEST", message, f"Send it with Content-Type: {JSON}.")
    return await asyncio.to_thread(read_crm, kind, data)


def _read_json(kind: RecordKind, body: bytes) -> tuple[CrmTable, list[str]]:
    given = parse_body(CrmPost, body, _HINT)
    return read_objects(kind, given.records), [as_kept(one) for one in given.deleted]


async def _put(request: web.Request, asked: _Asked, table: CrmTable, deleted: Sequence[str] = ()) -> web.Response:
    errors = len({one.line for one in table.problems})
    if asked.strict and errors and not asked.dry_run:
        raise _refused(table, errors)
    outcome = CrmOutcome()
    try:
        for change in batches(asked.kind, table.records, deleted, dry_run=asked.dry_run):
            outcome = total(outcome, await request.app[MAILROOM].put_crm(change))
    except MailroomError:
        if not asked.dry_run:
            after = {**asdict(outcome), "errors": errors}
            audit(request, Action.CRM_IMPORT, asked.kind.plural, after=after, outcome=AuditOutcome.FAILED)
        raise
    if not asked.dry_run:
        audit(request, Action.CRM_IMPORT, asked.kind.plural, after={**asdict(outcome), "errors": errors})
    return web.json_response(_answer(asked.kind, table, outcome, errors), dumps=dump_json)


def _answer(kind: RecordKind, table: CrmTable, outcome: CrmOutcome, errors: int) -> dict[str, Any]:
    return {
        "kind": kind.plural,
        "rows": table.rows,
        **asdict(outcome),
        "errors": errors,
        "problems": [asdict(one) for one in table.problems[:MOST_PROBLEMS]],
        "ignored": table.ignored,
        "columns": table.columns,
        "warnings": table.warnings,
    }


def _refused(table: CrmTable, errors: int) -> Refusal:
    first = table.problems[0]
    where = f"line {first.line}, {first.column}" if first.column else f"line {first.line}"
    return Refusal(
        400,
        "IMPORT_ERRORS",
        f"{errors:,} row{'s are' if errors > 1 else ' is'} in error; nothing was imported. The first: {where}: "
        f"{first.problem}",
        "Correct them, or ask without strict: the other rows are imported then. With dry_run=true all are listed.",
    )


def _read(request: web.Request) -> _Asked:
    kind = kind_of(request)
    given = read_parameters(request, ("strict", "dry_run"))
    for name, value in given.items():
        check_choice(name, value, _SWITCH)
    return _Asked(kind, given.get("strict") == "true", given.get("dry_run") == "true")


_Switch = Literal["true", "false"]

ROUTES = (
    Route(
        "POST",
        "/api/v1/crm/{kind}",
        put,
        Permission.CRM_WRITE,
        summary="Insert, replace and delete CRM records",
        parameters=(
            KIND,
            Parameter("strict", "Change nothing where a row is in error.", _Switch),
            Parameter("dry_run", "Say what it would do, and change nothing.", _Switch),
        ),
        body=Body(
            CrmPost,
            "JSON of at most 10 MB; or a file of at most 500 MB, CSV in any usual encoding and with any usual "
            "delimiter, or Parquet, which is told by its first bytes.",
            (JSON, *_FILES),
            example=_EXAMPLE,
        ),
        answers={200: Answer("What it has done, or would do.", CrmPut)},
        refuses={
            400: "The body cannot be read, a parameter is wrong, or, with `strict`, a row is in error.",
            415: "The body is a form.",
        },
    ),
)
