"""A file of operators over HTTP: what it would do, row by row, and doing it."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from api.auditing import audit
from api.keys import MAILROOM
from api.parameters import check_choice, read_parameters
from api.problems import Refusal
from api.routes import JSON, Answer, Body, Parameter, Route
from api.rows import dump_json
from api.schemas.operators import ImportShown
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.errors import AddressTaken, OperatorExists, OperatorsChanged, UnknownOperator
from engine.imports.report import Preview, row_data
from engine.imports.verdicts import Verdict
from engine.imports.wizard import ImportOptions, preview
from engine.operators import OperatorChange
from engine.ports import Mailroom

BODY_LIMIT = 50_000_000
"""Bytes of a file."""
MOST_ERRORS = 1000
"""Rows in error that are listed; more are counted."""
MOST_ROWS = 1000
"""New and changed rows that are listed, where ``rows`` does not say otherwise."""
_MOST_ASKED = 250_000
_CSV = "text/csv"
_SWITCH = ("true", "false")
_DOING = (Verdict.NEW, Verdict.CHANGED)
_AT_ONCE = web.AppKey("imports_at_once", asyncio.Semaphore)


@dataclass(frozen=True, slots=True)
class _Asked:
    """How an import is asked for. ``rows``: new and changed ones to list at most."""

    apply: bool
    strict: bool
    as_csv: bool
    email_sync: bool
    digest: str | None
    rows: int


def prepare(app: web.Application) -> None:
    """Files are read one at a time, so that memory is that of one."""
    app[_AT_ONCE] = asyncio.Semaphore(1)


async def import_file(request: web.Request) -> web.Response:
    """``POST /api/v1/operators/import``: what the file would do, or, with ``apply=true``, what it has done.

    Rows in error do not keep the others from being applied, unless ``strict=true``. What is applied is applied whole,
    in one transaction. ``digest`` (of a preview) makes sure that neither the file nor the operators have changed since.
    """
    asked = _read(request)
    if request.content_type.startswith("multipart/"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "A form is not understood here.", "Send the file itself as body.")
    data = await request.clone(client_max_size=BODY_LIMIT).read()
    mailroom = request.app[MAILROOM]
    async with request.app[_AT_ONCE]:
        operators = {one.operator_id: one for one in await mailroom.operators()}
        options = ImportOptions(email_sync=asked.email_sync, most_bytes=BODY_LIMIT)
        found = await asyncio.to_thread(preview, data, operators, options)
        if asked.apply:
            await _apply(mailroom, found, asked)
            counts = found.counts()
            audit(request, Action.OPERATORS_IMPORT, after={**counts, "digest": found.digest})
        if asked.as_csv:
            headers = {"Content-Disposition": 'attachment; filename="errors.csv"'}
            return web.Response(body=await asyncio.to_thread(found.errors_csv), content_type=_CSV, headers=headers)
        text = await asyncio.to_thread(_answer, found, asked)
    return web.Response(text=text, content_type=JSON)


async def _apply(mailroom: Mailroom, found: Preview, asked: _Asked) -> None:
    if asked.digest is not None and asked.digest != found.digest:
        raise _stale("The file, or the operators there are, are not what the preview was made of.")
    if asked.strict and found.counts()["error"]:
        wrong = found.counts()["error"]
        raise Refusal(
            400,
            "IMPORT_ERRORS",
            f"{wrong:,} row{'s are' if wrong > 1 else ' is'} in error; nothing was imported.",
            "Correct them, or ask without strict: the other rows are imported then.",
        )
    changes = await asyncio.to_thread(_changes, found)
    if not changes:
        return
    try:
        await mailroom.change_operators(changes)
    except (OperatorsChanged, OperatorExists, UnknownOperator, AddressTaken) as error:
        raise _stale(str(error)) from error


def _changes(found: Preview) -> list[OperatorChange]:
    wanted = ((row.before, row.operator) for row in found.rows if row.verdict in _DOING)
    return [OperatorChange(before, operator) for before, operator in wanted if operator is not None]


def _stale(message: str) -> Refusal:
    return Refusal(409, "IMPORT_STALE", f"{message} Nothing was imported.", "Make another preview, and apply that.")


def _answer(found: Preview, asked: _Asked) -> str:
    """The answer as JSON; made in a thread, because it may have many rows."""
    listed: list[dict[str, Any]] = []
    left_out: Counter[str] = Counter()
    room = {Verdict.ERROR: MOST_ERRORS, **dict.fromkeys(_DOING, asked.rows)}
    taken: Counter[bool] = Counter()
    for row in found.rows:
        if row.verdict is Verdict.UNCHANGED:
            continue
        kind = row.verdict is Verdict.ERROR
        if taken[kind] < room[row.verdict]:
            taken[kind] += 1
            listed.append(row_data(row))
        else:
            left_out[row.verdict.value] += 1
    left_out[Verdict.UNCHANGED.value] = found.counts()[Verdict.UNCHANGED.value]
    return dump_json(
        {
            "applied": asked.apply,
            **found.summary(),
            "rows": listed,
            "left_out": {verdict.value: left_out[verdict.value] for verdict in Verdict},
        }
    )


def _read(request: web.Request) -> _Asked:
    given = read_parameters(request, [one.name for one in _PARAMETERS])
    for name in ("apply", "strict", "email_sync"):
        check_choice(name, given.get(name, "true"), _SWITCH)
    check_choice("format", given.get("format", "json"), ("json", "csv"))
    apply, as_csv = given.get("apply") == "true", given.get("format") == "csv"
    if apply and as_csv:
        raise Refusal(400, "BAD_REQUEST", "format: csv is for a preview.", "Leave format or apply out.")
    return _Asked(
        apply,
        given.get("strict") == "true",
        as_csv,
        given.get("email_sync", "true") == "true",
        given.get("digest"),
        _number(given.get("rows")),
    )


def _number(text: str | None) -> int:
    if text is None:
        return MOST_ROWS
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= _MOST_ASKED):
        raise Refusal(
            400,
            "BAD_REQUEST",
            f"rows: {text[:40]!r} is not a whole number from 0 to {_MOST_ASKED}.",
            f"Without it: {MOST_ROWS}.",
        )
    return int(text)


_Switch = Literal["true", "false"]
_PARAMETERS = (
    Parameter("apply", "Change the operators; without it, nothing is changed.", _Switch),
    Parameter(
        "digest",
        "That of the preview: refused (409) if anything has changed since.",
        Annotated[str, Field(min_length=1)],
    ),
    Parameter("strict", "Import nothing where a row is in error.", _Switch),
    Parameter("email_sync", "For new operators the file does not say it of; without it, true.", _Switch),
    Parameter(
        "rows", "New and changed rows to list at most.", Annotated[int, Field(ge=0, le=_MOST_ASKED)], example=MOST_ROWS
    ),
    Parameter("format", "`csv`: only the rows in error, to be mended and imported again.", Literal["json", "csv"]),
)

ROUTES = (
    Route(
        "POST",
        "/api/v1/operators/import",
        import_file,
        Permission.OPERATORS_WRITE,
        summary="Preview a file of operators, and import it",
        parameters=_PARAMETERS,
        body=Body(
            None,
            "A CSV file in any usual encoding and with any usual delimiter, of at most 50 MB.",
            (_CSV, "application/octet-stream"),
            example="operator_id,email,name,email_sync\nann,ann@example.com,Ann,true\n",
        ),
        answers={200: Answer("What the file does, row by row.", ImportShown, (JSON, _CSV))},
        refuses={
            400: "The file cannot be read, or a parameter is wrong.",
            409: "The file or the operators are not what the preview was made of.",
            415: "The body is a form.",
        },
    ),
)
