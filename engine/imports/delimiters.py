"""Which delimiter a file has: the one by which its first row makes the most sense.

We know what we look for, so this asks which delimiter yields columns we know, then addresses, then rows of one width.
A general sniffer sees only characters: on eighteen small operator files ``csv.Sniffer`` finds thirteen (none of those
with one column), and CleverCSV all, when told the four delimiters, for a compiled extension and two more packages.
"""

import re
from io import StringIO
from itertools import islice

from engine.errors import ImportRefused
from engine.imports.encodings import Encoding, open_text
from engine.imports.headers import is_address, known_fields
from engine.imports.records import Record, read_records

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_SAMPLE = 1 << 16
_ROWS = 50
_LONGEST_PREAMBLE = 200
_SEPARATOR = re.compile(r'"?sep=(.)"?[,;\t| ]*', re.IGNORECASE)
_TYPE = "#TYPE "


def preamble(data: bytes, encoding: Encoding) -> tuple[str | None, int]:
    """The delimiter that an Excel ``sep=;`` line names (None: no such line), and how many lines come before the table.

    PowerShell's ``Export-Csv`` puts a ``#TYPE`` line there.

    Raises:
        ImportRefused: a delimiter is named that we do not read.
    """
    with open_text(data, encoding) as text:
        line = text.readline(_LONGEST_PREAMBLE).rstrip("\n")
    named = _SEPARATOR.fullmatch(line)
    if named and named[1] not in DELIMITERS:
        raise ImportRefused(
            f"The first line names the delimiter {named[1]!r}. Separate the columns by comma, semicolon, tab or pipe.",
            code="DELIMITER",
        )
    return (named[1] if named else None), int(bool(named) or line.startswith(_TYPE))


def choose_delimiter(data: bytes, encoding: Encoding, skipped: int = 0) -> str:
    """The likeliest of the four after ``skipped`` lines; a comma where nothing speaks for any."""
    with open_text(data, encoding) as text:
        for _ in range(skipped):
            text.readline()
        sample = text.read(_SAMPLE)
    return max(
        DELIMITERS, key=lambda one: _sense(list(islice(read_records(StringIO(sample, newline=None), one), _ROWS)))
    )


def _sense(records: list[Record]) -> tuple[int, int, float]:
    """How much sense a sample makes: known columns, addresses in the first row, rows as wide as the first."""
    if not records:
        return 0, 0, 0.0
    first = records[0].cells
    width = len(first)
    alike = sum(record.code is None and len(record.cells) == width for record in records) if width > 1 else 0
    return len(known_fields(first)), sum(map(is_address, first)), alike / len(records)
