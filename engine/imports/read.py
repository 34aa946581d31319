"""Bytes to a table of text cells: encoding found, delimiter chosen, columns known, and the rows still to be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from engine.errors import ImportRefused
from engine.imports.delimiters import choose_delimiter, preamble
from engine.imports.encodings import Encoding, find_encoding, open_text
from engine.imports.headers import Columns, find_columns
from engine.imports.problems import LONGEST_LINE
from engine.imports.records import Record, read_records

_LINES_A_ROW = 4
"""Lines that are read for each row there may be: cells have several, and some files many blank ones."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file of operators. ``records`` can be gone through once: the rows below the header."""

    encoding: Encoding
    delimiter: str
    columns: Columns
    records: Iterator[Record]


def read_table(data: bytes, most_bytes: int, most_rows: int) -> Table:
    """A file as a table.

    Raises:
        ImportRefused: too large, empty, no text, or without a column of addresses; while reading: too many rows.
    """
    if len(data) > most_bytes:
        raise ImportRefused(
            f"The file has {len(data):,} bytes; at most {most_bytes:,} are read. Split it.", code="TOO_LARGE"
        )
    encoding = find_encoding(data)
    named, skipped = preamble(data, encoding)
    delimiter = named or choose_delimiter(data, encoding, skipped)
    records = _limited(_records(data, encoding, delimiter, skipped, _LINES_A_ROW * most_rows), most_rows)
    first = next(records, None)
    if first is None:
        raise ImportRefused("The file has no rows. The first names the columns, such as email, name.", code="EMPTY")
    if first.code is not None:
        raise ImportRefused(
            f"Line {first.line} should name the columns, and cannot be taken apart: its quotes do not pair up, or it "
            f"has more than {LONGEST_LINE:,} characters. Write the columns' names: email, name.",
            code="NO_HEADER",
        )
    columns = find_columns(first.cells)
    return Table(encoding, delimiter, columns, records if columns.header else chain((first,), records))


def _records(data: bytes, encoding: Encoding, delimiter: str, skipped: int, most_lines: int) -> Iterator[Record]:
    with open_text(data, encoding) as text:
        for _ in range(skipped):
            text.readline()
        yield from read_records(text, delimiter, skipped + 1, most_lines)


def _limited(records: Iterator[Record], most: int) -> Iterator[Record]:
    for number, record in enumerate(records):
        if number > most:
            raise ImportRefused(f"The file has more than {most:,} rows. Split it.", code="TOO_MANY_ROWS")
        yield record
