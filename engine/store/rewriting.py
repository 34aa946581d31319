"""Writing the whole file anew, so that nothing of what was deleted is left in it.

DuckDB frees the blocks of deleted rows, or marks the rows, and leaves the bytes where they are: neither CHECKPOINT nor
VACUUM nor a table copied within the file changes that. A file written from what can be selected holds nothing else.

::

    path  ──read──▶  path.rewriting  ──flushed, then renamed──▶  path

Whatever dies when, ``path`` is the old file whole or the new one whole. The receipts say "rewritten" in the new one.
"""

import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from engine import errors
from engine.store.migrate import migrate
from engine.store.options import StoreOptions
from engine.store.views import renew_views

_SPARE = 1.1
"""Room wanted on the disk, in sizes of the file."""


class File(NamedTuple):
    """A database file: what its catalog is called, and rows a row group."""

    path: Path
    catalog: str
    row_group: int


class Sizes(NamedTuple):
    """Bytes of the file, before and after."""

    before: int
    after: int


def is_due(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there is an erasure or a purge since which the file has not been written anew."""
    found = connection.execute(
        "SELECT 1 FROM _mailroom.erasures WHERE rewritten_at IS NULL "
        "UNION ALL SELECT 1 FROM _mailroom.purges WHERE rewritten_at IS NULL LIMIT 1"
    ).fetchone()
    return found is not None


def note_problem(connection: duckdb.DuckDBPyConnection, problem: str) -> None:
    """Write down why the file could not be written anew."""
    for table in ("erasures", "purges"):
        connection.execute(
            f"UPDATE _mailroom.{table} SET rewrite_problem = $1 WHERE rewritten_at IS NULL",  # noqa: S608
            [problem],
        )


def check_room(path: Path) -> None:
    """See that there is room for a second file.

    Raises:
        StoreUnavailable: there is not.
    """
    wanted = int(path.stat().st_size * _SPARE)
    free = shutil.disk_usage(path.parent).free
    if free < wanted:
        raise errors.StoreUnavailable(
            f"To write {path} anew takes {wanted:,} bytes of disk for a while, and {free:,} are free. "
            "Free space there; it is tried again at the next erasure and at the next start."
        )


def rewrite(file: File, options: StoreOptions, now: datetime) -> Sizes:
    """Replace a file that nobody has open by one that holds the same rows and nothing else.

    Raises:
        StoreUnavailable: a log is left beside the file, so that the file alone is not all of it.
        duckdb.Error, OSError: the disk or DuckDB failed; the file is as it was.
    """
    path = file.path
    if _log_of(path).exists():
        raise errors.StoreUnavailable(f"{_log_of(path)} has not been folded into the file.")
    fresh = leftover(path)
    clear_leftover(path)
    before = path.stat().st_size
    try:
        _copy(file, options, now)
        shutil.copymode(path, fresh)
        _flush(fresh)
        after = fresh.stat().st_size
        fresh.replace(path)
    except BaseException:
        clear_leftover(path)
        raise
    _flush(path.parent)
    return Sizes(before, after)


def leftover(path: Path) -> Path:
    """Where the new file is made."""
    return path.with_name(f"{path.name}.rewriting")


def clear_leftover(path: Path) -> None:
    """Remove what an attempt that was killed has left."""
    for one in (leftover(path), _log_of(leftover(path))):
        with suppress(FileNotFoundError):
            one.unlink()


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _copy(file: File, options: StoreOptions, now: datetime) -> None:
    path, catalog, row_group = file
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": options.memory_limit,
        "temp_directory": f"{path}.tmp",
        "max_temp_directory_size": options.spill_limit,
        # Rows stay in the order they came in: neighbours in time are read together.
        "preserve_insertion_order": True,
    }
    if options.threads is not None:
        config["threads"] = options.threads
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute(f"ATTACH {_quoted(path)} AS old (READ_ONLY)")
        connection.execute(f"ATTACH {_quoted(leftover(path))} AS {catalog} (ROW_GROUP_SIZE {row_group})")
        connection.execute(f"USE {catalog}")
        connection.execute("SET TimeZone = 'UTC'")
        migrate(connection)
        for table in _same_tables(connection, catalog):
            _fill(connection, table)
        renew_views(connection)
        connection.execute(
            """
            UPDATE _mailroom.erasures SET rewritten_at = $1, rewrite_problem = NULL, size_before = $2
            WHERE rewritten_at IS NULL
            """,
            [now, path.stat().st_size],
        )
        connection.execute(
            "UPDATE _mailroom.purges SET rewritten_at = $1, rewrite_problem = NULL WHERE rewritten_at IS NULL", [now]
        )
        connection.execute("USE memory")
        connection.execute(f"DETACH {catalog}")
        connection.execute("DETACH old")


def _fill(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    connection.execute(f"DELETE FROM _mailroom.{table}")  # noqa: S608 (what migrations put in)
    connection.execute(f"INSERT INTO _mailroom.{table} BY NAME SELECT * FROM old._mailroom.{table}")  # noqa: S608
    counts = connection.execute(
        f"SELECT (SELECT count(*) FROM _mailroom.{table}), (SELECT count(*) FROM old._mailroom.{table})"  # noqa: S608
    ).fetchone()
    if counts is None or counts[0] != counts[1]:
        raise errors.StoreError(f"{table} was not copied whole: {counts}.")


def _same_tables(connection: duckdb.DuckDBPyConnection, catalog: str) -> list[str]:
    names = [
        sorted(
            row[0]
            for row in connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = $1 AND schema_name = '_mailroom'",
                [database],
            ).fetchall()
        )
        for database in ("old", catalog)
    ]
    if names[0] != names[1]:
        raise errors.StoreError("The file has other tables than its version says; it is left as it is.")
    return names[0]


def _quoted(path: Path) -> str:
    text = str(path).replace("'", "''")
    return f"'{text}'"


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
