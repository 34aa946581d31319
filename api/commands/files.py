"""Files that commands are given: by name, or ``-`` for what is piped in."""

import sys
from pathlib import Path

from engine.errors import SettingsError


def read_file(file: Path, wanted: str) -> bytes:
    """All of it; ``wanted``: what it should be, as in ``a CSV file``.

    Raises:
        SettingsError: it cannot be read.
    """
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}. Name {wanted}.") from error
