"""Parquet to CRM records: columns of lists, numbers and times, and files that are damaged."""

import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.crm.model import CrmRecord, RecordKind
from engine.crm.reading import read_crm
from engine.errors import ImportRefused

CONTACT, OPPORTUNITY = RecordKind.CONTACT, RecordKind.OPPORTUNITY
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def parquet(columns: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), file)
    return file.getvalue()


def test_parquet() -> None:
    late = pa.array([2**62, 0], pa.timestamp("us"))
    data = parquet(
        {
            "Id": [1, 2],
            "accountid": [7.0, None],
            "contacts": [["a", None, "b;c"], []],
            "owner": pa.array([b"x", b"x"]).dictionary_encode(),
            "is_open": [False, None],
            "lastactivity": pa.array([NOON, None], pa.timestamp("ns", "Europe/Berlin")),
            "updated": [date(2026, 1, 31), None],
            "other": late,
        }
    )
    found = read_crm(OPPORTUNITY, data)
    midnight = NOON.replace(hour=0)
    assert found.records == (
        CrmRecord(
            OPPORTUNITY, "1", account_id="7", contact_ids=("a", "b;c"), owner="x", is_open=False, active_at=NOON,
            updated_at=midnight,
        ),
        CrmRecord(OPPORTUNITY, "2", owner="x"),
    )  # fmt: skip
    assert found.ignored == ("other",)


@pytest.mark.parametrize(
    ("title", "cell", "words"),
    [
        ("updated", pa.array([2**62], pa.timestamp("us")), "no date"),
        ("updated", [True], "neither text nor a whole number"),
        ("accountid", [1.5], "neither text nor a whole number"),
        ("accountid", [2.0**60], "neither text nor a whole number"),
        ("accountid", [Decimal("1.5")], "neither text nor a whole number"),
        ("name", [b"\xff"], "no text in UTF-8"),
        ("email", [[{"a": 1}]], "neither text nor a whole number"),
        ("email", [["a@x.example, b@x.example"]], "no email address"),
    ],
)
def test_problems_of_parquet(title: str, cell: Any, words: str) -> None:
    found = read_crm(CONTACT, parquet({"Id": ["1"], title: cell}))
    assert not found.records
    assert [(problem.line, problem.column) for problem in found.problems] == [(1, title)]
    assert words in found.problems[0].problem


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PAR1", "BROKEN_PARQUET"),
        (b"PAR1" + b"x" * 99 + b"PAR1", "BROKEN_PARQUET"),
        (parquet({"id": [1, 2, 3, 4]}), "TOO_MANY_ROWS"),
        (parquet({"name": ["Ann"]}), "NO_ID_COLUMN"),
        (parquet({"id": [1], "ID": [2]}), "COLUMN_TWICE"),
        (parquet({"id": list(range(3)), "name": ["x" * 999] * 3})[:-40] + b"PAR1", "BROKEN_PARQUET"),
    ],
)
def test_files_that_cannot_be_read(data: bytes, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        read_crm(CONTACT, data, most_rows=3)
    assert refused.value.code == code
    assert str(refused.value).isprintable()


SOUND = parquet({"id": ["1", "2"], "email": [["a@x.example"], None], "updated": [NOON, None]})


@given(st.integers(0, len(SOUND) - 1), st.binary(min_size=1, max_size=4))
def test_damaged_parquet(place: int, damage: bytes) -> None:
    data = SOUND[:place] + damage + SOUND[place + len(damage) :]
    try:
        found = read_crm(CONTACT, data)
    except ImportRefused as refused:
        told = str(refused)
    else:
        told = "".join(problem.problem + problem.value for problem in found.problems)
        assert len(found.records) <= found.rows
    assert told.isprintable()
