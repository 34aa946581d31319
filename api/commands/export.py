"""``mailroom export``: everything as Parquet files with a manifest, in a folder of this machine."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made if it is not there.")],
    *,
    deleted: Annotated[bool, typer.Option("--deleted", help="Emails deleted at Exchange too (all_emails).")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export that is there.")] = False,
) -> None:
    """Write everything as Parquet, emails by month, with a manifest of what is where.

    The folder is there when the export is whole, and not before.
    """
    from api.export.run import run
    from api.terminal.progress import bytes_of

    manifest = asyncio.run(run(folder, deleted=deleted, force=force))
    size = sum(one["bytes"] for one in manifest["files"])
    rows = sum(one["rows"] for one in manifest["files"])
    typer.echo(f"{rows:,} rows in {len(manifest['files']):,} files, {bytes_of(size)}, as of {manifest['at']}: {folder}")
