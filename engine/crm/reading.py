"""Files of CRM records, and single ones of the API, to records; whatever is wrong with a row is told, and it left out.

    CSV ── imports.encodings ── delimiter ── imports.records ──▶ rows ── fields ── values ──▶ records
    Parquet ───────────────────────────────────────────────────▶ rows

Nothing here reads a clock, a disk or a network.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from engine.crm.fields import FIELDS, Layout, Use, find_layout, known_fields, wrong_field
from engine.crm.model import CrmRecord, RecordKind
from engine.crm.values import READERS, Unfit, as_shown, joined
from engine.errors import ImportRefused
from engine.imports.delimiters import DELIMITERS, preamble
from engine.imports.encodings import Encoding, find_encoding, open_text
from engine.imports.problems import Code, Problem, shown
from engine.imports.records import Record, read_records

_PARQUET = b"PAR1"
_LINES_A_ROW = 20
"""Lines that are read for each row there may be: descriptions and postal addresses have several."""
_SAMPLE = 1 << 16
_SAMPLE_ROWS = 50
_BATCH = 1 << 13
_MOST_NAMED = 3
_FORMULA = "=+-@"
_T = TypeVar("_T")
_Row = tuple[int, Sequence[object]]
"""A line and its cells."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is left out. ``line``: where it begins, or its number in Parquet, both from 1."""

    line: int
    column: str
    value: str
    problem: str


@dataclass(frozen=True, slots=True)
class CrmTable:
    """A file. ``rows``: all below the header; ``columns``: the titles by field; ``ignored``: the other titles."""

    records: tuple[CrmRecord, ...]
    problems: tuple[RowProblem, ...]
    rows: int
    ignored: tuple[str, ...]
    columns: dict[str, str]
    warnings: tuple[str, ...]


class _Source(NamedTuple):
    place: int
    title: str
    field: str
    attribute: str
    read: Callable[[object], object]


class _Opened(NamedTuple):
    layout: Layout
    sources: list[_Source]
    rows: Iterator[_Row | RowProblem]
    warnings: tuple[str, ...] = ()


def read_crm(kind: RecordKind, data: bytes, most_rows: int = 2_000_000) -> CrmTable:
    """A CSV or Parquet file of records of one kind. Of several rows with one id the last counts.

    Raises:
        ImportRefused: the file as a whole cannot be read.
    """
    opened = (_open_parquet if data.startswith(_PARQUET) else _open_csv)(kind, data, most_rows)
    records: dict[str, CrmRecord] = {}
    lines: dict[str, int] = {}
    twice: dict[str, tuple[int, int]] = {}
    problems: list[RowProblem] = []
    count = 0
    for row in opened.rows:
        count += 1
        if isinstance(row, RowProblem):
            problems.append(row)
            continue
        found = _read_row(kind, opened.sources, *row)
        if isinstance(found, tuple):
            problems += found
            continue
        key = found.record_id
        if key in records:
            twice[key] = (lines[key], row[0])
        records[key], lines[key] = found, row[0]
    warnings = (*opened.warnings, *_warnings(kind, opened.layout, twice, count))
    ignored, columns = opened.layout.ignored(), opened.layout.columns()
    return CrmTable(tuple(records.values()), tuple(problems), count, ignored, columns, warnings)


def read_record(kind: RecordKind, given: Mapping[str, object], line: int = 0) -> CrmRecord | tuple[RowProblem, ...]:
    """One JSON object: the fields by their own names; or all that is wrong with it."""
    problems: list[RowProblem] = []
    sources: list[_Source] = []
    cells: list[object] = []
    for field, value in given.items():
        wrong = wrong_field(kind, field, value)
        if wrong:
            problems.append(RowProblem(line, shown(str(field)), as_shown(value), wrong))
        elif value is not None:
            sources.append(_source(Use(len(cells), field, field)))
            cells.append(value)
    found = _read_row(kind, sources, line, cells)
    if isinstance(found, tuple):
        told = {one.column for one in problems}
        return (*problems, *(one for one in found if one.column not in told))
    return tuple(problems) or found


def _source(use: Use) -> _Source:
    attribute = "record_id" if use.field == "id" else use.field
    return _Source(use.place, use.title, use.field, attribute, READERS[use.field, use.variant])


def _read_row(
    kind: RecordKind, sources: Iterable[_Source], line: int, cells: Sequence[object]
) -> CrmRecord | tuple[RowProblem, ...]:
    values: dict[str, Any] = {}
    problems: tuple[RowProblem, ...] = ()
    for place, title, field, attribute, read in sources:
        cell = cells[place]
        if cell is None or cell == "":
            continue
        try:
            value = read(cell)
        except Unfit as unfit:
            problems += (RowProblem(line, title, unfit.value, unfit.problem),)
            continue
        if value is None or value == "":
            continue
        values[attribute] = joined(field, values[attribute], value) if attribute in values else value
    if "record_id" not in values:
        column = next((one.title for one in sources if one.field == "id"), "id")
        if all(one.column != column for one in problems):
            problems += (RowProblem(line, column, "", "The id is empty. Write the id this record has in the CRM."),)
    return problems or CrmRecord(kind, **values)


def _warnings(kind: RecordKind, layout: Layout, twice: Mapping[str, tuple[int, int]], rows: int) -> Iterable[str]:
    if twice:
        first_ones = islice(twice.items(), _MOST_NAMED)
        named = "; ".join(f"{shown(one)!r} (lines {first:,} and {last:,})" for one, (first, last) in first_ones)
        what = "1 id stands" if len(twice) == 1 else f"{len(twice):,} ids stand"
        more = "; and more" if len(twice) > _MOST_NAMED else ""
        yield f"{what} in the file more than once, and the last row of each counts: {named}{more}."
    if kind is RecordKind.OPPORTUNITY and "is_open" not in layout.columns():
        yield "No column says whether an opportunity is open (is_open, status): all of them count as open."
    if not rows:
        yield "There is no row below the header."


def _open_csv(kind: RecordKind, data: bytes, most_rows: int) -> _Opened:
    encoding = find_encoding(data)
    named, skipped = preamble(data, encoding)
    delimiter = named or _choose_delimiter(kind, data, encoding, skipped)
    records = _records(data, encoding, delimiter, skipped, _LINES_A_ROW * (most_rows + 1))
    first = next(records, None)
    if first is None:
        raise ImportRefused(
            f"The file has no rows. The first names the columns, such as {', '.join(FIELDS[kind])}.", code="EMPTY"
        )
    if first.code is not None:
        raise ImportRefused(
            f"Line {first.line} should name the columns, and cannot be taken apart: its quotes do not pair up, or it "
            "is too long. Write the columns' names, such as id, name.",
            code="NO_HEADER",
        )
    layout = find_layout(kind, first.cells)
    rows = _limited(_csv_rows(records, layout), most_rows)
    return _Opened(layout, [_source(use) for use in layout.uses], rows, (encoding.warning,) if encoding.warning else ())


def _choose_delimiter(kind: RecordKind, data: bytes, encoding: Encoding, skipped: int) -> str:
    """The delimiter by which the first row has the most columns we know, and the rows are as wide as it."""
    with open_text(data, encoding) as text:
        for _ in range(skipped):
            text.readline()
        sample = text.read(_SAMPLE)

    def sense(delimiter: str) -> tuple[int, float]:
        records = list(islice(read_records(StringIO(sample, newline=None), delimiter), _SAMPLE_ROWS))
        if not records:
            return 0, 0.0
        width = len(records[0].cells)
        alike = sum(one.code is None and len(one.cells) == width for one in records) if width > 1 else 0
        return len(known_fields(kind, records[0].cells)), alike / len(records)

    return max(DELIMITERS, key=sense)


def _records(data: bytes, encoding: Encoding, delimiter: str, skipped: int, most_lines: int) -> Iterator[Record]:
    with open_text(data, encoding) as text:
        for _ in range(skipped):
            text.readline()
        yield from read_records(text, delimiter, skipped + 1, most_lines)


def _csv_rows(records: Iterator[Record], layout: Layout) -> Iterator[_Row | RowProblem]:
    width = len(layout.titles)
    last = layout.last()
    names = {use.place for use in layout.uses if use.field == "name"}
    for line, cells, code in records:
        if code is not None:
            yield _broken(line, cells, Problem(code))
        elif len(cells) <= last or (len(cells) > width and any(cells[width:])):
            wrong = Code.TOO_FEW_CELLS if len(cells) <= last else Code.TOO_MANY_CELLS
            title = layout.titles[len(cells) if len(cells) <= last else -1]
            yield _broken(line, cells, Problem(wrong, title, "", f"{len(cells)} cells, and the header {width}"))
        else:
            yield line, (_unescaped(cells, names) if "'" in "".join(cells) else cells)


def _broken(line: int, cells: Sequence[str], problem: Problem) -> RowProblem:
    remedy = "Take out the columns of long texts." if problem.code is Code.LINE_TOO_LONG else problem.remedy
    text = " | ".join(cell[:100] for cell in cells[:20])
    return RowProblem(line, problem.column, shown(text), f"{problem.reason} {remedy}")


def _unescaped(cells: Sequence[str], names: set[int]) -> list[str]:
    """Cells without the apostrophe that keeps a spreadsheet from reading a value; ``'t Hooft`` is a name."""
    return [
        cell[1:] if cell.startswith("'") and (place not in names or cell[1:2] in _FORMULA) else cell
        for place, cell in enumerate(cells)
    ]


def _limited(rows: Iterator[_T], most: int) -> Iterator[_T]:
    for number, row in enumerate(rows):
        if number == most:
            raise _too_many(most)
        yield row


def _too_many(most: int) -> ImportRefused:
    return ImportRefused(f"The file has more than {most:,} rows. Split it.", code="TOO_MANY_ROWS")


def _open_parquet(kind: RecordKind, data: bytes, most_rows: int) -> _Opened:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        names = [str(one) for one in file.schema_arrow.names]
        rows = int(file.metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _broken_parquet(error) from error
    if rows > most_rows:
        raise _too_many(most_rows)
    layout = find_layout(kind, names)
    places = sorted({use.place for use in layout.uses})
    sources = [_source(use._replace(place=places.index(use.place))) for use in layout.uses]
    read = _parquet_rows(file, [names[place] for place in places])
    return _Opened(layout, sources, _limited(read, most_rows))


def _parquet_rows(file: Any, names: Sequence[str]) -> Iterator[_Row]:
    import pyarrow as pa

    line = 0
    try:
        for batch in file.iter_batches(_BATCH, columns=names, use_threads=False):
            for row in zip(*map(_cells, batch.columns), strict=True):
                line += 1
                yield line, row
    except (pa.ArrowException, OSError, ValueError, OverflowError, TypeError) as error:
        raise _broken_parquet(error) from error


def _cells(column: Any) -> list[object]:
    """The cells of a column; times as text, as there are more of them than Python has."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        # Without their zone they stand in UTC
        column = column.cast(pa.int64()).cast(pa.timestamp(column.type.unit))
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    return list(column.to_pylist())


def _broken_parquet(error: Exception) -> ImportRefused:
    return ImportRefused(
        f"The file begins as Parquet, and cannot be read: {shown(str(error), 200)}. Export it anew, or as CSV.",
        code="BROKEN_PARQUET",
    )
