"""JSON objects to CRM records; and whatever the bytes or the object: records that can be stored, or what is wrong."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.crm.fields import FIELDS
from engine.crm.keys import address_key, domain_key
from engine.crm.model import CrmRecord, RecordKind
from engine.crm.reading import RowProblem, read_crm, read_record
from engine.errors import ImportRefused

CONTACT, OPPORTUNITY = RecordKind.CONTACT, RecordKind.OPPORTUNITY
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_record_of_the_api() -> None:
    given_ = {"id": 7, "name": "'t", "addresses": ["a@x.example", "B@x.example"], "owner": None, "account_id": "9"}
    assert read_record(CONTACT, given_) == CrmRecord(CONTACT, "7", "'t", ("a@x.example", "B@x.example"), account_id="9")
    deal = {"id": "1", "contact_ids": "a; b", "is_open": False, "active_at": "2026-01-31T12:00:00Z"}
    assert read_record(OPPORTUNITY, deal) == CrmRecord(
        OPPORTUNITY, "1", is_open=False, contact_ids=("a", "b"), active_at=NOON
    )


@pytest.mark.parametrize(
    ("kind", "fields", "column", "words"),
    [
        (CONTACT, {"id": None}, "id", "empty"),
        (CONTACT, {"id": " "}, "id", "empty"),
        (CONTACT, {"id": True}, "id", "a string or an integer"),
        (CONTACT, {"id": 10**5000}, "id", "too long"),
        (CONTACT, {"id": ["1"]}, "id", "wrong type"),
        (CONTACT, {"id": "\ud800"}, "id", "U+D800"),
        (CONTACT, {"name": 7}, "name", "a string"),
        (CONTACT, {"name": "\ud800"}, "name", "half a character"),
        (CONTACT, {"addresses": ["\ud800@x.example"]}, "addresses", "no email address"),
        (CONTACT, {"addresses": {"a": 1}}, "addresses", "a list of strings"),
        (CONTACT, {"addresses": [[[]]]}, "addresses", "neither text"),
        (CONTACT, {"Email": "a@x.example"}, "Email", "no such field"),
        (CONTACT, {"stage": "x"}, "stage", "no such field"),
        (OPPORTUNITY, {"is_open": "yes"}, "is_open", "true or false"),
        (OPPORTUNITY, {"is_open": 1}, "is_open", "true or false"),
        (OPPORTUNITY, {"updated_at": 20260131}, "updated_at", "a string"),
    ],
)
def test_problems_of_the_api(kind: RecordKind, fields: dict[str, object], column: str, words: str) -> None:
    found = read_record(kind, {"id": "1"} | fields, line=4)
    assert isinstance(found, tuple)
    assert [(problem.line, problem.column) for problem in found] == [(4, column)]
    assert words in found[0].problem


def storable(record: CrmRecord) -> bool:
    """What the store does with a record: keys, and columns in UTF-8."""
    texts = (record.record_id, record.name, record.owner, record.account_id, record.stage)
    lists = (*record.addresses, *record.domains, *record.contact_ids)
    pa.array([*texts, *lists], pa.string())
    pa.array([record.active_at, record.updated_at], pa.timestamp("us", "UTC"))
    keys = [*map(address_key, lists), *map(domain_key, lists)]
    return bool(record.record_id) and all(lists) and len(keys) == 2 * len(lists)


def check(kind: RecordKind, data: bytes) -> bool:
    try:
        found = read_crm(kind, data, most_rows=200)
    except ImportRefused as refused:
        return bool(refused.code) and str(refused).isprintable()
    assert all(map(storable, found.records))
    assert len({row.record_id for row in found.records}) == len(found.records) <= found.rows
    return all(map(fit_to_show, found.problems))


def fit_to_show(problem: RowProblem) -> bool:
    return bool(problem.problem) and (problem.problem + problem.value + problem.column).isprintable()


SCRAPS = "1|a@x.example|;|,|\t|\n|\r\n|\"|'|=|https://x.example/|2026-01-31|open|\ufeff|\ufffd|é|😀|\0|\x85|xn--a"
scraps = st.lists(st.sampled_from([*SCRAPS.split("|"), "|", ",", ",", "\n", " "]), max_size=40).map("".join)
kinds = st.sampled_from(RecordKind)


@given(kinds, st.binary(max_size=300))
def test_any_bytes(kind: RecordKind, data: bytes) -> None:
    assert check(kind, data)
    assert check(kind, f"{','.join(FIELDS[kind])}\n".encode() + data)
    assert check(kind, b"PAR1" + data)


@settings(max_examples=200)
@given(kinds, scraps, st.sampled_from(["utf-8", "utf-16", "utf-16-be", "cp1252"]))
def test_any_scraps_of_a_table(kind: RecordKind, text: str, encoding: str) -> None:
    assert check(kind, f"{','.join(FIELDS[kind])}\n{text}".encode(encoding, "replace"))


texts = st.one_of(st.text(st.characters(exclude_categories=[]), max_size=20), scraps)
json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
names = st.one_of(st.sampled_from(sorted({field for fields in FIELDS.values() for field in fields})), texts)


@settings(max_examples=300)
@given(kinds, st.dictionaries(names, json, max_size=6), st.one_of(texts, st.just("1")))
def test_any_json_object(kind: RecordKind, fields: dict[str, Any], record_id: str) -> None:
    own = {field: value for field, value in fields.items() if field in FIELDS[kind]}
    for given_ in (fields, {"id": record_id} | fields, own | {"id": "1"}):
        found = read_record(kind, given_)
        assert storable(found) if isinstance(found, CrmRecord) else found and all(map(fit_to_show, found))
