"""Exports over HTTP and as a command: what is written is what is in the store, and nothing half done is left."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

from engine.errors import ExportGone
from engine.model import Operator
from engine.querying import Answer
from engine.store import DuckDBStore
from tests.api.conftest import BEARER, TOKEN, Client
from tests.api.processes import run
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import Exports, FakeMailroom
from tests.fakes.store_emails import attachments, emails
from tests.fakes.store_words import ANN, BOB, INBOX, Lander, Time

EXPORTS = "/api/v1/exports"
VIEWS = ("emails", "all_emails", "attachments", "associations", "crm_records", "operators", "mailboxes")


@pytest.fixture
async def store(tmp_path: Path, mailroom: FakeMailroom) -> AsyncIterator[DuckDBStore]:
    """A real store behind the gateway, as far as exports go."""
    store = await DuckDBStore.open(tmp_path / "store.duckdb", Time())
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann"), Operator(BOB, "bob@example.com")])
    for activation in await store.activate([ANN, BOB]):
        land = Lander(store, activation)
        rows = [
            {
                "item_id": f"i{n}",
                "subject": f"Grüße {n}",
                "body_text": f"text {n}\n" * 50,
                "to_recipients": [{"name": None, "address": f"{n}@example.org"}],
                "received_at": datetime(2026, 9 + n % 3, 1 + n % 28, tzinfo=UTC) if n % 10 else None,
            }
            for n in range(200)
        ]
        files = [{"item_id": f"i{n}", "attachment_id": f"a{n}", "name": "x.pdf"} for n in range(0, 200, 7)]
        await land(folder=INBOX, emails=emails(*rows), attachments=attachments(*files))
        await land(folder=INBOX, deleted=("i5", "i10"))
    mailroom.exports = store  # type: ignore[assignment]  # it has the methods that are used
    yield store
    await store.close()


@pytest.fixture
def environ(client: Client) -> dict[str, str]:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


def rows_of(store: DuckDBStore, view: str) -> list[dict[str, Any]]:
    cursor = store._database.cursor()
    try:
        return _sorted(cursor.sql(f"SELECT * FROM main.{view}").to_arrow_table().to_pylist())  # noqa: S608
    finally:
        cursor.close()


def rows_in(folder: Path) -> list[dict[str, Any]]:
    """Every file of a view, read one by one, so that the partition is no column of it."""
    tables = [pa.parquet.ParquetFile(file).read() for file in sorted(folder.rglob("*.parquet"))]
    return _sorted(pa.concat_tables(tables).to_pylist())


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(sorted((name, str(value)) for name, value in row.items())))


@pytest.mark.parametrize(("options", "emails_view"), [((), "emails"), (("--deleted",), "all_emails")])
async def test_the_files_hold_what_the_store_holds(
    store: DuckDBStore, environ: dict[str, str], tmp_path: Path, options: tuple[str, ...], emails_view: str
) -> None:
    folder = tmp_path / "out" / "export"
    result = await run("export", str(folder), *options, environ=environ)
    assert (result.code, result.err) == (0, "")
    assert "rows in 9 files" in result.out.decode()
    views = [view for view in VIEWS if view in {emails_view, *VIEWS[2:]}]
    for view in views:
        assert rows_in(folder / view) == rows_of(store, view), view
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert list(manifest["views"]) == views
    assert manifest["filters"] == {"deleted": bool(options)}
    assert {one["path"] for one in manifest["files"]} == {
        one.relative_to(folder).as_posix() for one in folder.rglob("*.parquet")
    }
    for one in manifest["files"]:
        data = (folder / one["path"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (one["bytes"], one["sha256"])
    assert {one["month"] for one in manifest["files"] if one["view"] == emails_view} == {
        "", "2026-09", "2026-10", "2026-11",
    }  # fmt: skip
    assert not folder.with_name("export.partial").exists()


async def test_usual_readers_take_the_months_for_partitions(
    store: DuckDBStore, environ: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    assert (await run("export", str(folder), environ=environ)).code == 0
    del store
    sql = (
        f"SELECT month, count(*) FROM read_parquet('{folder}/emails/**/*.parquet', hive_partitioning = true) GROUP BY 1"  # noqa: S608
    )
    counts = dict(duckdb.connect().execute(sql).fetchall())
    assert sum(counts.values()) == 396
    assert len(counts) == 4
    dataset = pa.dataset.dataset(folder / "emails", partitioning="hive")
    november = dataset.filter(pa.dataset.field("month") == "2026-11")
    assert november.count_rows() == next(n for month, n in counts.items() if str(month).startswith("2026-11"))


async def test_a_folder_with_something_in_it_is_left_alone(
    store: DuckDBStore, environ: dict[str, str], tmp_path: Path
) -> None:
    del store
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years")
    for options in ((), ("--force",)):
        result = await run("export", str(folder), *options, environ=environ)
        assert (result.code, "not empty" in result.err) == (1, True)
    assert [one.name for one in folder.iterdir()] == ["thesis.txt"]
    result = await run("export", str(folder / "thesis.txt"), environ=environ)
    assert (result.code, "is a file" in result.err) == (1, True)


async def test_an_earlier_export_is_replaced_by_force_alone(
    store: DuckDBStore, environ: dict[str, str], tmp_path: Path
) -> None:
    del store
    folder = tmp_path / "export"
    folder.mkdir()
    assert (await run("export", str(folder), environ=environ)).code == 0, "an empty folder will do"
    before = (folder / "manifest.json").read_bytes()
    refused = await run("export", str(folder), environ=environ)
    assert (refused.code, "--force" in refused.err) == (1, True)
    assert (folder / "manifest.json").read_bytes() == before
    assert (await run("export", str(folder), "--force", environ=environ)).code == 0
    assert (folder / "manifest.json").read_bytes() != before
    assert [one.name for one in tmp_path.glob("export*")] == ["export"]  # noqa: ASYNC240


class BreakingOff(Exports):
    """Gone in the middle of a part."""

    async def read_export(self, export_id: str, part: int, position: int) -> Answer:
        if position == 1:
            raise ExportGone("it was ended")
        return await super().read_export(export_id, part, position)


async def test_when_it_breaks_off_nothing_is_left(
    environ: dict[str, str], mailroom: FakeMailroom, tmp_path: Path
) -> None:
    mailroom.exports = BreakingOff()
    mailroom.exports.tables = {"emails": pa.table({"received_at": [datetime(2026, 11, 1, tzinfo=UTC)] * 9})}
    result = await run("export", str(tmp_path / "export"), environ=environ)
    assert (result.code, "broke off" in result.err) == (1, True)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240
    assert mailroom.exports.exports == {}, "and nothing is held"


async def test_the_trail_has_it(client: Client, mailroom: FakeMailroom) -> None:
    async with client.post(EXPORTS, json={"deleted": True}, headers=BEARER) as response:
        assert response.status == 201
        export = await response.json()
    async with client.get("/api/v1/audit", headers=BEARER) as response:
        (entry,) = (await response.json())["items"]
    assert (entry["action"], entry["target"], entry["after"]["deleted"]) == ("export.run", export["export_id"], True)
    assert list(mailroom.exports.exports) == [export["export_id"]]
    async with client.delete(f"{EXPORTS}/{export['export_id']}", headers=BEARER) as response:
        assert (response.status, await response.json()) == (200, {"export_id": export["export_id"]})
    assert mailroom.exports.exports == {}


@pytest.mark.parametrize("part", ["0", "99", "-1", "x", "1e3", "99999999999999999999"])
async def test_what_is_not_there(client: Client, part: str) -> None:
    async with client.get(f"{EXPORTS}/nothing/parts/{part}", headers=BEARER) as response:
        assert response.status == 404
        check_shape(await response.json(), "EXPORT_GONE")


async def test_too_many_at_once(client: Client) -> None:
    for _ in range(2):
        async with client.post(EXPORTS, headers=BEARER) as response:
            assert response.status == 201
    async with client.post(EXPORTS, headers=BEARER) as response:
        assert response.status == 409
        check_shape(await response.json(), "EXPORT_REFUSED")
