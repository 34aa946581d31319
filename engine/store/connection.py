"""Opening the file: its folder, its lock, and a database that reaches nothing outside itself."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import duckdb

from engine import errors
from engine.store.faults import refused_to_open
from engine.store.options import StoreOptions
from engine.store.priority import started_behind
from engine.store.rewriting import File, Sizes, check_room, clear_leftover, rewrite

CATALOG = "mailroom"

_Config = dict[str, str | bool | int | float | list[str]]
_LOCK_POLL = 0.1
_ROW_GROUP = 16_384
_DEPTH = 200
_PAGE = 1_001

_open_paths: set[Path] = set()
_open_paths_guard = threading.Lock()


class Database:
    """One open file. ``writer`` is the writer thread's connection; ``cursor()`` gives readers their own."""

    def __init__(self, path: Path, options: StoreOptions, *, wait: Callable[[float], None] = time.sleep) -> None:
        self.path = path.resolve()
        self._options = options
        self._wait = wait
        _claim(self.path)
        try:
            _make_parent(self.path)
            self.writer = _connect(self.path, options, wait)
            clear_leftover(self.path)
        except BaseException:
            _unclaim(self.path)
            raise

    def reopen(self) -> None:
        """Open the file anew, after DuckDB has given it up. All cursors must be closed by now.

        Raises:
            MailroomError: it does not open; the next attempt may succeed.
        """
        with suppress(duckdb.Error):
            self.writer.close()
        self.writer = _connect(self.path, self._options, self._wait)
        self.lock_down()

    def rewrite(self, now: datetime) -> Sizes:
        """Write the file anew (``engine.store.rewriting``) and open it again. All cursors must be closed by now.

        Raises:
            StoreError, duckdb.Error, OSError: it could not be; the file is open as it was.
        """
        check_room(self.path)
        self.writer.execute("CHECKPOINT")
        self.writer.close()
        try:
            return rewrite(File(self.path, CATALOG, _ROW_GROUP), self._options, now)
        finally:
            self.reopen()

    def lock_down(self) -> None:
        """From here on nobody changes a setting, on no connection."""
        self.writer.execute("SET GLOBAL lock_configuration = true")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database, for one thread at a time."""
        cursor = self.writer.cursor()
        cursor.execute(f"USE {CATALOG}")
        return cursor

    def close(self) -> None:
        """Let go of the file. All cursors must be closed by now."""
        self.writer.close()
        _unclaim(self.path)


def _claim(path: Path) -> None:
    # DuckDB would hand a second connect() in this process the same database, and two writers would undo the fence.
    with _open_paths_guard:
        if path in _open_paths:
            raise errors.StoreLocked(f"{path} is already open in this process. Close that store first.")
        _open_paths.add(path)


def _unclaim(path: Path) -> None:
    with _open_paths_guard:
        _open_paths.discard(path)


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.SettingsError(
            f"store.path = '{path}': its folder cannot be created ({error.strerror}). Name a writable place."
        ) from error


def _connect(path: Path, options: StoreOptions, wait: Callable[[float], None]) -> duckdb.DuckDBPyConnection:
    config: _Config = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Without this a query could read the Python variables of the frames above it.
        "python_enable_replacements": False,
        "preserve_insertion_order": False,
        "checkpoint_threshold": options.checkpoint_at,
        "memory_limit": options.memory_limit,
        "max_temp_directory_size": options.spill_limit,
        # Deeper expressions take DuckDB's planner minutes, and its stack.
        "max_expression_depth": _DEPTH,
        # A page of a list, or of a query, is found by few columns; the others are read for its rows alone.
        "late_materialization_max_rows": _PAGE,
    }
    if options.threads is not None:
        config["threads"] = options.threads
    config["temp_directory"] = f"{path}.tmp"
    with started_behind():
        connection = duckdb.connect(":memory:", config=config)
    try:
        _attach(connection, path, options.lock_patience, wait)
        connection.execute(f"USE {CATALOG}")
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET GLOBAL enable_external_access = false")
    except BaseException:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, patience: float, wait: Callable[[float], None]) -> None:
    """Open the file; while a predecessor that was killed still holds the lock, try again for a while.

    Attached and not connected to: only so can the size of row groups be chosen, and the catalog has one name whatever
    the file is called. A checkpoint compresses the last row group anew; at 4 kB an email, DuckDB's 122,880 rows would
    be 500 MB of it.
    """
    waited = 0.0
    quoted = str(path).replace("'", "''")
    while True:
        try:
            connection.execute(f"ATTACH '{quoted}' AS {CATALOG} (ROW_GROUP_SIZE {_ROW_GROUP})")
        except duckdb.Error as error:
            refusal = refused_to_open(str(path), error)
            if not isinstance(refusal, errors.StoreLocked) or waited >= patience:
                raise refusal from error
        else:
            return
        wait(_LOCK_POLL)
        waited += _LOCK_POLL
