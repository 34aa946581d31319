"""Pulling an export: part by part into files, each checked against what the store said it has."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet

from api.client import GatewayClient, connect_by_environment
from api.export.place import FORMAT, MANIFEST, placed
from api.terminal.progress import export_progress
from engine.errors import ExportGone, GatewayError

_UNKNOWN_MONTH = "__HIVE_DEFAULT_PARTITION__"
"""What readers of partitioned files take for NULL."""

Manifest = dict[str, Any]


async def run(folder: Path, *, deleted: bool, force: bool) -> Manifest:
    """Export everything into a folder; the manifest, as it was written there.

    Raises:
        SettingsError: the folder cannot be used.
        GatewayError: no gateway answers, or it broke off.
    """
    async with connect_by_environment() as client:
        with placed(folder, force=force) as partial:
            export = await client.ask("POST", "exports", {"deleted": deleted})
            try:
                manifest = await _pull(client, export, partial)
            finally:
                with suppress(GatewayError):
                    await client.ask("DELETE", f"exports/{quote(export['export_id'], safe='')}")
            (partial / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")
    return manifest


async def _pull(client: GatewayClient, export: dict[str, Any], partial: Path) -> Manifest:
    files, views = list[dict[str, Any]](), dict[str, dict[str, Any]]()
    with export_progress(sum(part["rows"] for part in export["parts"])) as show:
        for part in export["parts"]:
            path = partial / _name(part)
            path.parent.mkdir(parents=True, exist_ok=True)
            size, digest = await _save(client, export["export_id"], part["part"], path)
            schema = _check(path, part)
            view = views.setdefault(part["view"], {"rows": 0, "columns": schema})
            view["rows"] += part["rows"]
            name = path.relative_to(partial).as_posix()
            about = {key: part[key] for key in ("view", "month", "rows")}
            files.append({"path": name, **about, "bytes": size, "sha256": digest})
            show(part["rows"], size)
    return {
        "format": FORMAT,
        "mailroom": export["version"],
        "export_id": export["export_id"],
        "at": export["at"],
        "filters": {"deleted": export["deleted"]},
        "views": views,
        "files": files,
    }


def _name(part: dict[str, Any]) -> str:
    month = part["month"]
    within = "" if month is None else f"month={month or _UNKNOWN_MONTH}/"
    return f"{part['view']}/{within}part-0.parquet"


async def _save(client: GatewayClient, export_id: str, part: int, path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        async for piece in client.download(f"exports/{quote(export_id, safe='')}/parts/{part}"):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _check(path: Path, part: dict[str, Any]) -> dict[str, str]:
    """The columns of a file, if it has the rows it should."""
    with pyarrow.parquet.ParquetFile(path) as file:
        found, schema = file.metadata.num_rows, file.schema_arrow
    if found != part["rows"]:
        raise ExportGone(f"{path.name} of {part['view']} has {found:,} rows and not {part['rows']:,}. Export again.")
    return {field.name: str(field.type) for field in schema}
