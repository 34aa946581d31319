"""The preview of an import: as data for the API, as a CSV of what is to be mended, as operators to put."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any

from engine.imports.delimiters import NAMES
from engine.imports.headers import FIELDS
from engine.imports.verdicts import Judged, Verdict
from engine.model import Operator

_MENDING = ("line", *FIELDS, "text", "code", "column", "reason", "remedy")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do; nothing has been done.

    ``used`` are the file's columns by field, ``ignored`` the others; ``header`` is False where the file began with an
    operator at once. ``warnings`` are sentences for whoever looks. ``digest`` is what ``digest.digest`` said.
    """

    rows: tuple[Judged, ...]
    encoding: str
    delimiter: str
    used: dict[str, list[str]]
    ignored: list[str]
    header: bool
    warnings: tuple[str, ...]
    digest: str

    def counts(self) -> dict[str, int]:
        """Rows by verdict; every verdict is there."""
        found = Counter(row.verdict for row in self.rows)
        return {verdict.value: found[verdict] for verdict in Verdict}

    def operators(self) -> list[Operator]:
        """The operators to put: those that are new or changed."""
        wanted = (Verdict.NEW, Verdict.CHANGED)
        return [row.operator for row in self.rows if row.verdict in wanted and row.operator is not None]

    def errors(self) -> tuple[Judged, ...]:
        """The rows that would do nothing for what is wrong with them."""
        return tuple(row for row in self.rows if row.verdict is Verdict.ERROR)

    def summary(self) -> dict[str, Any]:
        """All but the rows, as plain data."""
        return {
            "encoding": self.encoding,
            "delimiter": NAMES[self.delimiter],
            "header": self.header,
            "columns": {"used": self.used, "ignored": self.ignored},
            "counts": self.counts(),
            "warnings": list(self.warnings),
            "digest": self.digest,
        }

    def as_data(self) -> dict[str, Any]:
        """The whole as plain data. Large: 50,000 rows make some 10 MB of JSON; ``row_data`` serves pages."""
        return {**self.summary(), "rows": [row_data(row) for row in self.rows]}

    def errors_csv(self) -> bytes:
        """The rows in error with what is wrong, to be mended and imported again: columns not our own are ignored then.

        UTF-8 with a mark and the file's own delimiter, as the spreadsheet that wrote the file will read it.
        """
        text = StringIO(newline="")
        writer = csv.DictWriter(text, _MENDING, restval="", delimiter=self.delimiter, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(_mending(row) for row in self.errors())
        return text.getvalue().encode("utf-8-sig")


def row_data(row: Judged) -> dict[str, Any]:
    """One row as plain data; ``given`` is what the file says, for rows in error."""
    return {
        "line": row.line,
        "verdict": row.verdict.value,
        "operator": None if row.operator is None else asdict(row.operator),
        "changes": [asdict(change) for change in row.changes()],
        "given": dict(row.given or {}),
        "problems": [
            {
                "code": problem.code.value,
                "column": problem.column,
                "value": problem.value,
                "reason": problem.reason,
                "remedy": problem.remedy,
            }
            for problem in row.problems
        ],
    }


def _mending(row: Judged) -> dict[str, str]:
    given = {field: _inert(text) for field, text in (row.given or {}).items()}
    return {
        "line": str(row.line),
        **given,
        "code": _each(problem.code.value for problem in row.problems),
        "column": _inert(_each(problem.column for problem in row.problems)),
        "reason": _each(problem.reason for problem in row.problems),
        "remedy": _each(problem.remedy for problem in row.problems),
    }


def _each(texts: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(text for text in texts if text))


def _inert(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
