"""The Application Settings over HTTP: what rules, how it came to that, and what changes it."""

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from api.auditing import audit
from api.bodies import parse_body
from api.keys import MAILROOM, PRINCIPAL
from api.openapi.lists import page_answer, page_parameters
from api.parameters import read_parameters
from api.resources.lists import answer_page
from api.routes import Answer, Body, Route
from api.rows import dump_json
from api.schemas.settings import SettingsChanged, SettingsPut, SettingsShown, SettingsVersionShown
from engine.access.audit import Action
from engine.access.roles import Permission
from engine.application_settings.advice import warnings_of
from engine.application_settings.keys import SECTIONS, check_key
from engine.application_settings.model import SettingChange, SettingsVersion
from engine.errors import SettingsError
from engine.listing import View
from engine.setting_problems import explain

_EXAMPLE = 'Send JSON with what is to change, such as {"email_sync": {"batch_size": 100}}.'


class _Body(BaseModel):
    """Any object: what its keys are is told in the settings' own words."""

    model_config = ConfigDict(extra="allow")


async def show(request: web.Request) -> web.Response:
    """``GET /api/v1/settings``."""
    read_parameters(request, ())
    return web.json_response(settings_of(await request.app[MAILROOM].settings()), dumps=dump_json)


async def change(request: web.Request) -> web.Response:
    """``PUT /api/v1/settings``: it holds for everything from the next second or two on."""
    given = parse_body(_Body, await request.read(), _EXAMPLE).model_extra or {}
    changes = changes_of(given)
    changed = await request.app[MAILROOM].change_settings(changes, request[PRINCIPAL].name, given.get("version"))
    if changed.changes:
        before, after = ({one.key: getattr(one, side) for one in changed.changes} for side in ("old", "new"))
        audit(request, Action.SETTINGS_CHANGE, f"version {changed.version}", before, after)
    answer = {**settings_of(changed), "changes": _changes(changed.changes)}
    return web.json_response(answer, dumps=dump_json)


async def history(request: web.Request) -> web.Response:
    """``GET /api/v1/settings/history``."""
    return await answer_page(request, View.SETTINGS_HISTORY, {}, shown=_version)


def changes_of(body: dict[str, Any]) -> dict[str, Any]:
    """Values by dotted key.

    Raises:
        SettingsError: a line for each key that is not known, is a secret's, or cannot have this value.
    """
    for section, values in body.items():
        if section not in (*SECTIONS, "version"):
            check_key(section)
        for key in values if section in SECTIONS and isinstance(values, dict) else ():
            check_key(f"{section}.{key}")
    try:
        SettingsPut.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise SettingsError("\n".join(explain(SettingsPut, problem) for problem in error.errors())) from None
    return {f"{section}.{key}": value for section in SECTIONS for key, value in body.get(section, {}).items()}


def settings_of(stored: SettingsVersion) -> dict[str, Any]:
    """The settings as they are answered."""
    return {
        "version": stored.version,
        "updated_at": stored.at,
        "updated_by": stored.by,
        **stored.document,
        "warnings": warnings_of(stored.document),
    }


def _version(row: dict[str, Any]) -> dict[str, Any]:
    changes = [SettingChange(*one) for one in json.loads(row["changes"])]
    return {"version": row["version"], "at": row["changed_at"], "by": row["changed_by"], "changes": _changes(changes)}


def _changes(changes: Iterable[SettingChange]) -> list[dict[str, Any]]:
    return [{"key": one.key, "old": one.old, "new": one.new} for one in changes]


ROUTES = (
    Route(
        "GET",
        "/api/v1/settings",
        show,
        Permission.SETTINGS_READ,
        summary="The Application Settings, and what about them is worth a word",
        answers={200: Answer("The settings that rule.", SettingsShown)},
        refuses={400: "It takes no parameters."},
    ),
    Route(
        "PUT",
        "/api/v1/settings",
        change,
        Permission.SETTINGS_WRITE,
        summary="Change Application Settings; what is left out stays",
        body=Body(SettingsPut, "What is to change.", example={"email_sync": {"batch_size": 100}}),
        answers={200: Answer("The settings that rule now, and what has changed.", SettingsChanged)},
        refuses={409: "Another version has come since the one the change was made for."},
    ),
    Route(
        "GET",
        "/api/v1/settings/history",
        history,
        Permission.SETTINGS_READ,
        summary="Versions of the Application Settings, newest first",
        parameters=page_parameters({}),
        answers=page_answer(SettingsVersionShown),
    ),
)
