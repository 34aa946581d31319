"""Lines to records of cells. What cannot be taken apart is a record with a code; the next line is a fresh start.

The ``csv`` module alone would take all that follows an unclosed quote for one cell, up to its limit, and then give up.
"""

import csv
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from engine.errors import ImportRefused
from engine.imports.problems import LONGEST_LINE, MOST_LINES, Code


class Record(NamedTuple):
    """The cells of one row, and the line (from 1, as an editor counts) it begins in.

    Where ``code`` is set the row could not be taken apart, and ``cells`` is the start of its line.
    """

    line: int
    cells: list[str]
    code: Code | None = None


class _LongLine(str):
    """What is kept of a line that is too long."""

    __slots__ = ()


class _TooLong(Exception):
    """A line that is too long has come up."""


class _TooManyLines(Exception):
    """The record has taken more lines than any operator's would."""


class _Feed:
    """The lines for ``csv.reader``; remembers those of the record at hand, so that they can be read again."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if len(self.taken) == MOST_LINES:
            raise _TooManyLines
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        self.taken.append(line)
        if isinstance(line, _LongLine):
            raise _TooLong
        return line

    def give_back(self) -> None:
        """All lines of the record but its first are to be read again."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def _read(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if len(line) < LONGEST_LINE or line.endswith("\n"):
            return line
        rest = line
        while rest and not rest.endswith("\n"):
            rest = self._text.readline(LONGEST_LINE)
        return _LongLine(line[:1000])


def read_records(text: TextIO, delimiter: str, line: int = 1, most_lines: int = 1_000_000) -> Iterator[Record]:
    """Every record that is not blank; ``line`` is the number of the line ``text`` stands at.

    Raises:
        ImportRefused: there are more lines than ``most_lines``, blank ones included.
    """
    feed = _Feed(text)
    # Strict: a quote in the wrong place is a problem to be shown, not a guess to be made
    reader = csv.reader(feed, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        code = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLong:
            code = Code.LINE_TOO_LONG if isinstance(feed.taken[0], _LongLine) else Code.QUOTES
        except (csv.Error, _TooManyLines):
            code = Code.QUOTES
        if line > most_lines:
            raise ImportRefused(f"The file has more than {most_lines:,} lines. Split it.", code="TOO_MANY_ROWS")
        if code is not None:
            feed.give_back()
            yield Record(line, [feed.taken[0].rstrip("\n")], code)
        elif any(cells) and "".join(cells).strip():
            yield Record(line, cells)
        line += len(feed.taken)
        feed.taken.clear()
