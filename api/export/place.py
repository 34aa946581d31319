"""The folder of an export: it is filled under another name, and takes its own when it is whole."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import SettingsError

MANIFEST = "manifest.json"
FORMAT = "mailroom-export/1"


@contextmanager
def placed(folder: Path, *, force: bool) -> Iterator[Path]:
    """A new, empty folder to fill, for its owner alone; afterwards it is ``folder``. On an error nothing is left.

    Raises:
        SettingsError: ``folder`` is not empty, and is no earlier export that may be replaced.
    """
    folder = folder.absolute()
    _check(folder, force=force)
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)  # of an attempt that was killed
        partial.mkdir(mode=0o700)
    except OSError as error:
        raise SettingsError(f"{partial} cannot be made ({error.strerror}). Name a writable place.") from error
    try:
        yield partial
        _flush(partial)
        _swap(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _check(folder: Path, *, force: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise SettingsError(f"{folder} is a file. Name a folder.")
    if not any(folder.iterdir()):
        return
    if not _is_export(folder):
        raise SettingsError(f"{folder} is not empty, and is no export. Name a new folder.")
    if not force:
        raise SettingsError(f"{folder} has an earlier export. Name a new folder, or replace it with --force.")


def _is_export(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("format") == FORMAT


def _swap(partial: Path, folder: Path) -> None:
    if not folder.exists():
        partial.rename(folder)
        return
    earlier = folder.with_name(f"{folder.name}.earlier")
    shutil.rmtree(earlier, ignore_errors=True)
    folder.rename(earlier)
    partial.rename(folder)
    shutil.rmtree(earlier, ignore_errors=True)


def _flush(folder: Path) -> None:
    """What has a name must survive a power cut with its content."""
    for path in (*folder.rglob("*"), folder):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
