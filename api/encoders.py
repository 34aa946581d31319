"""Answers of queries as bytes, batch by batch: JSON, CSV, Arrow IPC and Parquet.

Each encoder gives bytes as they come: ``begin``, ``batch`` for each batch, ``end``; together they are the body.
"""

import json
from collections.abc import Iterable
from typing import Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from api.rows import as_text, values_of

TRUNCATED_KEY = "mailroom.truncated"
"""In a Parquet file's metadata, and in the schema's of an Arrow stream: there were more rows than it holds."""


class Encoder(Protocol):
    """One answer's bytes. ``media``: its type."""

    media: str

    def __init__(self, schema: pa.Schema, *, truncated: bool) -> None: ...

    def begin(self) -> bytes:
        """What comes before the first batch."""
        ...

    def batch(self, batch: pa.RecordBatch) -> bytes:
        """A batch."""
        ...

    def end(self) -> bytes:
        """What comes after the last."""
        ...


class JsonEncoder:
    """``{"columns": [...], "rows": [[...]], "truncated": bool}``."""

    media = "application/json"

    def __init__(self, schema: pa.Schema, *, truncated: bool) -> None:
        self._columns, self._truncated, self._any = schema.names, truncated, False

    def begin(self) -> bytes:
        """Up to the rows."""
        return _json_bytes(f'{{"columns": {_json(self._columns)}, "rows": [')

    def batch(self, batch: pa.RecordBatch) -> bytes:
        """Rows."""
        if not batch.num_rows:
            return b""
        rows = zip(*(values_of(column) for column in batch.columns), strict=True)
        text = ", ".join(_json(list(row)) for row in rows)
        comma, self._any = (", " if self._any else ""), True
        return _json_bytes(comma + text)

    def end(self) -> bytes:
        """The rest."""
        return _json_bytes(f'], "truncated": {_json(self._truncated)}}}')


class CsvEncoder:
    """CSV with a header. Lists and structs are JSON text; an unquoted empty field is NULL, a quoted one is empty."""

    media = "text/csv"

    def __init__(self, schema: pa.Schema, *, truncated: bool) -> None:
        del truncated  # CSV has no place for it
        self._schema = schema

    def begin(self) -> bytes:
        """The header."""
        return self._written(pa.RecordBatch.from_pylist([], schema=self._schema), header=True)

    def batch(self, batch: pa.RecordBatch) -> bytes:
        """Lines."""
        return self._written(batch, header=False)

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def _written(self, batch: pa.RecordBatch, *, header: bool) -> bytes:
        columns = [as_text(column) for column in batch.columns]
        sink = pa.BufferOutputStream()
        table = pa.RecordBatch.from_arrays(columns, names=self._schema.names)
        pyarrow.csv.write_csv(table, sink, pyarrow.csv.WriteOptions(include_header=header))
        return bytes(sink.getvalue())


class _Drain:
    """A file that is written to, and emptied between."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None: ...

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None: ...

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class ArrowEncoder:
    """An Arrow IPC stream."""

    media = "application/vnd.apache.arrow.stream"

    def __init__(self, schema: pa.Schema, *, truncated: bool) -> None:
        self._drain = _Drain()
        self._schema = _marked(schema, truncated=truncated)

    def begin(self) -> bytes:
        """The schema."""
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._drain, mode="w"), self._schema)
        return self._drain.taken()

    def batch(self, batch: pa.RecordBatch) -> bytes:
        """A message."""
        self._writer.write_batch(batch.replace_schema_metadata(self._schema.metadata))
        return self._drain.taken()

    def end(self) -> bytes:
        """The mark of its end."""
        self._writer.close()
        return self._drain.taken()


class ParquetEncoder:
    """A Parquet file; each piece is a row group."""

    media = "application/vnd.apache.parquet"

    def __init__(self, schema: pa.Schema, *, truncated: bool) -> None:
        self._drain = _Drain()
        self._schema, self._truncated = schema, truncated
        self._gathered: list[pa.RecordBatch] = []
        self._rows = self._size = 0

    def begin(self) -> bytes:
        """The magic number."""
        self._writer = pyarrow.parquet.ParquetWriter(pa.PythonFile(self._drain, mode="w"), self._schema)
        return self._drain.taken()

    def batch(self, batch: pa.RecordBatch) -> bytes:
        """Row groups of some thousand rows."""
        self._gathered.append(batch)
        self._rows += batch.num_rows
        self._size += batch.nbytes
        if self._rows >= _ROW_GROUP or self._size >= _ROW_GROUP_BYTES:
            self._write()
        return self._drain.taken()

    def end(self) -> bytes:
        """The last row group, and the footer."""
        if self._rows:
            self._write()
        if self._truncated:
            self._writer.add_key_value_metadata({TRUNCATED_KEY: "true"})
        self._writer.close()
        return self._drain.taken()

    def _write(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._gathered, schema=self._schema))
        self._gathered, self._rows, self._size = [], 0, 0


_ROW_GROUP = 20_000
_ROW_GROUP_BYTES = 32 << 20
"""Bodies may be large, and a row group is held whole."""


def encode(encoder: Encoder, batches: Iterable[pa.RecordBatch], *, first: bool, last: bool) -> bytes:
    """The bytes of some batches of an answer, with what stands around them where they are the first and the last."""
    parts = [encoder.begin()] if first else []
    parts += [encoder.batch(batch) for batch in batches]
    return b"".join([*parts, encoder.end()] if last else parts)


def _marked(schema: pa.Schema, *, truncated: bool) -> pa.Schema:
    return schema.with_metadata({**(schema.metadata or {}), TRUNCATED_KEY: "true"}) if truncated else schema


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _json_bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
