"""The way in: a file and the operators there are, to a preview."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.imports.delimiters import NAMES
from engine.imports.digest import digest
from engine.imports.read import Table, read_table
from engine.imports.report import Preview
from engine.imports.verdicts import Judged, judge
from engine.model import Operator, OperatorId


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """``email_sync`` is for new operators the file does not say it of; the rest are the sizes a file may have."""

    email_sync: bool = True
    most_bytes: int = 50_000_000
    most_rows: int = 250_000


def preview(data: bytes, operators: Mapping[OperatorId, Operator], options: ImportOptions | None = None) -> Preview:
    """What importing the file would do to the operators, row by row. Nothing is done.

    Raises:
        ImportRefused: the file as a whole cannot be read; whatever is wrong with a row is that row's verdict.
    """
    options = options or ImportOptions()
    table = read_table(data, options.most_bytes, options.most_rows)
    rows = tuple(judge(table.records, table.columns, operators, email_sync=options.email_sync))
    return Preview(
        rows,
        table.encoding.name,
        table.delimiter,
        table.columns.used(),
        table.columns.ignored(),
        table.columns.header,
        tuple(_warnings(table, rows)),
        digest(data, operators, email_sync=options.email_sync),
    )


def _warnings(table: Table, rows: tuple[Judged, ...]) -> Iterable[str]:
    if table.encoding.warning:
        yield table.encoding.warning
    if not table.columns.header:
        named = " and the other cell as name" if table.columns.name else ""
        yield f"The file has no header: the cell with an address was read as email{named}."
    if table.columns.ignored():
        yield f"Columns nobody asked for were ignored: {', '.join(map(repr, table.columns.ignored()[:20]))}."
    off = sum(
        row.before is not None and row.operator is not None and row.before.email_sync and not row.operator.email_sync
        for row in rows
    )
    if off:
        yield f"Email sync is switched off for {off:,} operator{'s' if off > 1 else ''}."
    if not rows:
        yield f"There is no row below the header (delimiter: {NAMES[table.delimiter]})."
