"""DuckDB's errors in our words."""

import re

import duckdb

from engine import errors

_HOLDER = re.compile(r"held in (?P<program>\S+) \(PID (?P<pid>\d+)\)")

_SICK = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.OutOfMemoryException,
    duckdb.ConnectionException,
)
_LOST = ("has been invalidated", "the autocheckpoint failed", "Connection already closed", "Connection Error")


def is_sickness(error: BaseException) -> bool:
    """Whether an error is about the machine, not about the landing that met it."""
    return isinstance(error, _SICK) or "Failed to commit" in str(error)


def is_lost(error: BaseException) -> bool:
    """Whether the database takes nothing any more until it is opened anew (its checkpoint has failed, mostly)."""
    if not isinstance(error, duckdb.Error):
        return False
    return isinstance(error, duckdb.FatalException) or any(words in str(error) for words in _LOST)


def first_line(error: BaseException) -> str:
    """DuckDB's message without the quoted SQL and the hints below it."""
    return str(error).split("\n", 1)[0]


def unavailable(error: BaseException) -> errors.StoreUnavailable:
    """A write that failed, with what to do about it."""
    text = first_line(error)
    if "No space left" in text or "disk is full" in text.lower():
        advice = "the disk is full: free space where store.path is"
    elif isinstance(error, duckdb.OutOfMemoryException):
        advice = "DuckDB ran out of memory: raise the store's memory limit"
    elif isinstance(error, duckdb.IOException) or "Could not write" in text:
        advice = "check the disk and the permissions of store.path"
    elif isinstance(error, (duckdb.FatalException, duckdb.InternalException)):
        advice = "the database has to be opened anew"
    else:
        advice = "nothing of it was written; please report it"
    return errors.StoreUnavailable(f"The store could not write ({advice}). DuckDB says: {text}")


def refused_to_open(path: str, error: BaseException) -> errors.MailroomError:
    """Why a file did not open."""
    text = first_line(error)
    holder = _HOLDER.search(text)
    if holder or "Could not set lock" in text:
        who = f"process {holder['pid']} ({holder['program']})" if holder else "another process"
        return errors.StoreLocked(
            f"{path} is in use by {who}. Stop it first, or query through the running gateway: DuckDB lets one process "
            "open a file."
        )
    if "not a valid DuckDB" in text:
        return errors.SettingsError(
            f"store.path = {path!r} exists and is not a DuckDB database. Name another file, or restore a backup."
        )
    if "Permission denied" in text or "No such file" in text or "Is a directory" in text:
        return errors.SettingsError(f"store.path = {path!r} cannot be opened: {text}. Name a writable file.")
    return errors.SettingsError(f"store.path = {path!r} cannot be read by this version of DuckDB: {text}")
