"""The rows these tests make up have the columns of the store's views, so what is shown of them can be shown."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.listing import View
from engine.store import DuckDBStore
from tests.api.standing import troubled

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "store.duckdb"


@pytest.mark.parametrize("view", list(troubled(NOW).rows))
async def test_rows_have_the_columns_of_the_view(store_path: Path, view: View) -> None:
    store = await DuckDBStore.open(store_path, lambda: NOW)
    try:
        table, _ = await store.query(f"SELECT * FROM {view} LIMIT 0")  # noqa: S608  # the name of a view
    finally:
        await store.close()
    rows = troubled(NOW).rows[view]
    assert rows
    assert [set(row) for row in rows] == [set(table.column_names)] * len(rows)
