"""``mailroom operators import``: the preview of a file, and doing what it says."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from api.commands.files import read_file
from engine.errors import SettingsError

_IMPORT = "operators/import"


@dataclass(frozen=True, slots=True)
class Import:
    """How a file is imported. ``errors``: where the rows in error are written."""

    apply: bool
    strict: bool
    email_sync: bool
    errors: Path | None


def import_file(file: Path, how: Import, *, as_json: bool) -> None:
    """Preview a file, say what it would do, and do it if that is asked for.

    Raises:
        SettingsError: a file cannot be read or written.
    """
    found = asyncio.run(_import(read_file(file, "a CSV file"), how))
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        from api.terminal.imports import show_import

        show_import(Console(), found, file.name)
    if found["counts"]["error"]:
        if how.errors is not None:
            typer.echo(f"mailroom: the rows in error stand in {how.errors}, to be mended and imported again.", err=True)
        if how.strict:
            typer.echo("mailroom: nothing was imported, because of the rows in error (--strict).", err=True)
            raise typer.Exit(1)
    if not how.apply and not as_json:
        typer.echo("Nothing has been changed. --apply does it.")


async def _import(data: bytes, how: Import) -> dict[str, Any]:
    from api.client import connect_by_environment

    params = {"email_sync": str(how.email_sync).lower()}
    async with connect_by_environment() as client:
        found: dict[str, Any] = json.loads(await client.upload(_IMPORT, data, params))
        wrong = found["counts"]["error"]
        if how.errors is not None and wrong:
            _write(how.errors, await client.upload(_IMPORT, data, {**params, "format": "csv"}))
        if not how.apply or (how.strict and wrong):
            return found
        applying = {**params, "apply": "true", "digest": found["digest"]}
        return dict(json.loads(await client.upload(_IMPORT, data, applying)))


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise SettingsError(f"--errors {path}: cannot be written: {error.strerror}. Name another file.") from error
