"""The Application Settings in versions, and what a change of them asks of mailboxes and subscriptions."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from engine import errors
from engine.application_settings.document import differences, seeded
from engine.application_settings.effects import Effects, effects_of
from engine.application_settings.model import BY_FILE, Document, NewSettings, SettingChange, SettingsVersion
from engine.store.times import utc

_VERSION = "version, changed_at, changed_by, changes, document"


def latest(connection: duckdb.DuckDBPyConnection) -> SettingsVersion | None:
    """The settings that rule; None before the first seeding."""
    rows = connection.execute(
        f"SELECT {_VERSION} FROM _mailroom.settings_history ORDER BY version DESC LIMIT 1"  # noqa: S608
    ).fetchall()
    return _version(rows[0]) if rows else None


def current(connection: duckdb.DuckDBPyConnection) -> SettingsVersion:
    """The settings that rule.

    Raises:
        SettingsError: there are none yet.
    """
    stored = latest(connection)
    if stored is None:
        raise errors.SettingsError("There are no Application Settings yet; `mailroom serve` seeds them from its file.")
    return stored


def seed(connection: duckdb.DuckDBPyConnection, says: Document, now: datetime) -> SettingsVersion:
    """Take in what the configuration file says: all of it the first time, later what has been edited there."""
    stored = latest(connection)
    said = connection.execute("SELECT document FROM _mailroom.settings_file").fetchall()
    before = json.loads(said[0][0]) if said else says
    document = says if stored is None else seeded(stored.document, before, says)
    connection.execute("DELETE FROM _mailroom.settings_file")
    connection.execute("INSERT INTO _mailroom.settings_file VALUES ($1)", [_json(says)])
    return _add(connection, stored, document, BY_FILE, now)


def peek(path: Path, says: Document) -> Document:
    """What will rule once a Mailroom starts by a configuration file that ``says`` this, as far as can be seen.

    A store that is not there yet, of an earlier version or in use shows nothing: then it is what the file says.
    """
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            stored = latest(connection)
            said = connection.execute("SELECT document FROM _mailroom.settings_file").fetchall()
    except duckdb.Error:
        return says
    return says if stored is None else seeded(stored.document, json.loads(said[0][0]) if said else says, says)


def put(connection: duckdb.DuckDBPyConnection, new: NewSettings, now: datetime) -> SettingsVersion:
    """Store another version, and have everybody synchronised or subscribed anew whom the change concerns.

    Raises:
        SettingsConflict: another version has come meanwhile.
    """
    stored = current(connection)
    if stored.version != new.expected:
        raise errors.SettingsConflict(
            f"The settings have been changed meanwhile: version {stored.version} is by {stored.by}, at "
            f"{stored.at:%Y-%m-%d %H:%M:%S} UTC, and this change was made for version {new.expected}. "
            "Look at the present ones, and change them again."
        )
    return _add(connection, stored, new.document, new.by, now)


def _add(
    connection: duckdb.DuckDBPyConnection, stored: SettingsVersion | None, document: Document, by: str, now: datetime
) -> SettingsVersion:
    changes = differences(stored.document if stored else {}, document)
    if stored is not None and not changes:
        return stored
    effects = effects_of(changes)
    added = SettingsVersion(stored.version + 1 if stored else 1, now, by, document, changes)
    told = _json([[one.key, one.old, one.new] for one in changes])
    connection.execute(
        "INSERT INTO _mailroom.settings_history VALUES ($1, $2, $3, $4, $5, $6)",
        [added.version, now, by, told, _json(document), effects.resubscribe],
    )
    _follow(connection, effects, now)
    return added


def _follow(connection: duckdb.DuckDBPyConnection, effects: Effects, now: datetime) -> None:
    if effects.resync:
        connection.execute("UPDATE _mailroom.mailboxes SET next_sync_at = $1 WHERE status <> 'disabled'", [now])
    if effects.resubscribe:
        # Those that live are told by when they were made, and go on until another has taken their place
        connection.execute("UPDATE _mailroom.subscriptions SET next_attempt_at = NULL WHERE status <> 'active'")


def _version(row: tuple[Any, ...]) -> SettingsVersion:
    version, at, by, changes, document = row
    told = tuple(SettingChange(*one) for one in json.loads(changes))
    return SettingsVersion(version, utc(at), by, json.loads(document), told)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
