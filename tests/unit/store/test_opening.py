"""Opening: folders, locks, files that are no store, files of the future; what a plain client sees afterwards."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from engine import errors
from engine.model import Operator
from engine.store import DuckDBStore, StoreOptions
from engine.store.connection import Database
from engine.store.views import view_names
from tests.fakes.store_emails import emails
from tests.fakes.store_words import ANN, INBOX, Lander, Time, activate

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the file open."""
    arguments = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize("name", ["a/b/store.duckdb", "it's.duckdb", "temp.duckdb", "main.db", "mailroom"])
async def test_any_name_in_any_folder(tmp_path: Path, time: Time, name: str) -> None:
    store = await DuckDBStore.open(tmp_path / name, time)
    await store.put_operators([Operator(ANN, "ann@example.com")])
    await store.close()
    store = await DuckDBStore.open(tmp_path / name, time)
    assert await store.operators() == [Operator(ANN, "ann@example.com")]
    await store.close()


def test_a_file_that_is_no_database(path: Path, time: Time) -> None:
    path.write_text("Dear Sir or Madam, " * 1000)
    with pytest.raises(errors.SettingsError, match="is not a DuckDB database"):
        DuckDBStore(path, time)
    assert path.read_text().startswith("Dear Sir")


def test_a_folder_that_cannot_be(tmp_path: Path, time: Time) -> None:
    (tmp_path / "file").write_text("")
    for impossible in (tmp_path / "file" / "store.duckdb", tmp_path):
        with pytest.raises(errors.SettingsError, match=r"store\.path"):
            DuckDBStore(impossible, time)


async def test_the_lock_of_another_process_is_named(path: Path, time: Time, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(errors.StoreLocked, match=rf"process {holder.pid}\b.*Stop it first"):
        await DuckDBStore.open(path, time, StoreOptions(lock_patience=0))


def test_the_lock_of_a_dying_process_is_waited_for(path: Path, holder: subprocess.Popen[str]) -> None:
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            holder.kill()
            holder.wait()

    database = Database(path, StoreOptions(), wait=wait)
    database.close()
    assert len(waits) == 3


async def test_twice_in_one_process(path: Path, time: Time, store: DuckDBStore) -> None:
    with pytest.raises(errors.StoreLocked, match="already open in this process"):
        await DuckDBStore.open(path, time)
    await store.close()
    await (await DuckDBStore.open(path, time)).close()


async def test_a_file_of_a_newer_version(path: Path, time: Time) -> None:
    await (await DuckDBStore.open(path, time)).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO _mailroom.schema_version VALUES (999, 'future', now())")
    with pytest.raises(errors.SettingsError, match="written by a newer Mailroom"):
        await DuckDBStore.open(path, time)


async def test_a_closed_store_is_an_ordinary_duckdb_file(path: Path, store: DuckDBStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "subject": "hello"}))
    await store.close()
    assert not path.with_name(path.name + ".wal").exists()
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT operator_email, folder, subject FROM emails").fetchall()
        for view in view_names():
            connection.execute(f"SELECT * FROM {view}").fetchall()  # noqa: S608
    assert found == [("ann@example.com", "inbox", "hello")]


async def test_epochs_grow_over_reopenings(path: Path, time: Time) -> None:
    epochs = []
    for _ in range(3):
        store = await DuckDBStore.open(path, time)
        await store.put_operators([Operator(ANN, "ann@example.com")])
        epochs.append((await activate(store)).epoch)
        if len(epochs) > 1:
            with pytest.raises(errors.StaleEpoch):
                await Lander(store, await activate(store)).at(epochs[-2])()
        await store.close()
    assert epochs == sorted(set(epochs))


async def test_counts_are_known_after_reopening(path: Path, time: Time, store: DuckDBStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1"}, {"item_id": "2"}))
    await land(folder=INBOX, deleted=("1",))
    await store.close()
    again = await DuckDBStore.open(path, time)
    assert (await activate(again)).landed == {INBOX.folder_id: 1}
    assert (await again.status()).emails == 1
    await again.close()
    await again.close()  # twice is once
