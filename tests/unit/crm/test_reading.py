"""Files to CRM records: headers, values, what is wrong with rows, and with files."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.crm.fields import FIELDS
from engine.crm.model import CrmRecord, RecordKind
from engine.crm.reading import CrmTable, RowProblem, read_crm
from engine.errors import ImportRefused

CONTACT, LEAD, ACCOUNT, OPPORTUNITY = RecordKind.CONTACT, RecordKind.LEAD, RecordKind.ACCOUNT, RecordKind.OPPORTUNITY
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def read(kind: RecordKind, text: str) -> CrmTable:
    return read_crm(kind, text.encode())


def one(kind: RecordKind, text: str) -> CrmRecord:
    found = read(kind, text)
    assert not found.problems
    return found.records[0]


def wrong(kind: RecordKind, text: str) -> RowProblem:
    found = read(kind, text)
    assert not found.records
    assert len(found.problems) == found.rows == 1
    return found.problems[0]


@pytest.mark.parametrize("kind", RecordKind)
def test_every_field_by_its_own_name(kind: RecordKind) -> None:
    values = {"addresses": "a@x.example", "domains": "x.example", "is_open": "no"}
    values |= dict.fromkeys(("active_at", "updated_at"), "2026-01-31T12:00:00Z")
    text = f"{','.join(FIELDS[kind])}\n{','.join(values.get(field, field) for field in FIELDS[kind])}\n"
    found = read(kind, text)
    assert found.columns == {field: field for field in FIELDS[kind]}
    assert not found.ignored
    assert not found.warnings
    expected: dict[str, Any] = {
        "name": "name", "addresses": ("a@x.example",), "domains": ("x.example",), "owner": "owner",
        "account_id": "account_id", "stage": "stage", "is_open": False, "contact_ids": ("contact_ids",),
        "active_at": NOON, "updated_at": NOON,
    }  # fmt: skip
    record = CrmRecord(kind, "id", **{field: value for field, value in expected.items() if field in FIELDS[kind]})
    assert found.records == (record,)


@pytest.mark.parametrize(
    ("kind", "title", "field"),
    [
        (CONTACT, "Record ID", "id"),
        (CONTACT, "contactid", "id"),
        (LEAD, "Lead-Id", "id"),
        (ACCOUNT, "AccountId", "id"),
        (RecordKind.ORGANIZATION, "ORGANIZATION_ID", "id"),
        (OPPORTUNITY, "opportunityid", "id"),
        (CONTACT, "Full Name", "name"),
        (CONTACT, "E-Mail", "addresses"),
        (CONTACT, "EmailAddress3", "addresses"),
        (ACCOUNT, "WebSiteURL", "domains"),
        (CONTACT, "Owner Email", "owner"),
        (CONTACT, "Parent Customer Id", "account_id"),
        (CONTACT, "company id", "account_id"),
        (OPPORTUNITY, "AccountId", "account_id"),
        (OPPORTUNITY, "StageName", "stage"),
        (OPPORTUNITY, "Contact ID", "contact_ids"),
        (OPPORTUNITY, "last_activity_date", "active_at"),
        (CONTACT, "Last Modified Date", "updated_at"),
    ],
)
def test_aliases(kind: RecordKind, title: str, field: str) -> None:
    text = f"{title}\n" if field == "id" else f"id,{title}\n"
    assert read(kind, text).columns[field] == title


def test_columns_of_other_kinds_are_ignored() -> None:
    found = read(LEAD, "id,account_id,Phone,,contactid\n1,2,3,4,5\n")
    assert found.ignored == ("account_id", "Phone", "column 4", "contactid")
    assert found.records == (CrmRecord(LEAD, "1"),)


def test_of_several_columns_for_a_field_the_likelier_counts() -> None:
    found = read(ACCOUNT, "AccountId,Id,Full Name,First Name\n1,2,Acme,No\n")
    assert found.records == (CrmRecord(ACCOUNT, "2", "Acme"),)
    assert found.ignored == ("AccountId", "First Name")


def test_names_and_addresses_from_several_columns() -> None:
    text = "id,Last Name,Email,First Name,Email 2\n1,Lee,a@x.example,Ann,b@x.example\n2,Day,,,B@x.example\n"
    found = read(CONTACT, text)
    assert found.columns["name"] == "First Name + Last Name"
    assert [(row.name, row.addresses) for row in found.records] == [
        ("Ann Lee", ("a@x.example", "b@x.example")),
        ("Day", ("B@x.example",)),
    ]


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("a@x.example; b@x.example", ("a@x.example", "b@x.example")),
        ('"a@x.example,b@x.example\nc@x.example|d@x.example"', tuple(f"{who}@x.example" for who in "abcd")),
        ("SMTP:a@x.example smtp:b@x.example", ("a@x.example", "b@x.example")),
        ("<mailto:a@x.example>", ("a@x.example",)),
        ("mailto:<a@x.example>", ("a@x.example",)),
        ("'a@x.example", ("a@x.example",)),
        ("a@x.example;A@X.example", ("a@x.example",)),
        ("o'neil+tag@mail.x.example", ("o'neil+tag@mail.x.example",)),
        ("zoë@müller.example", ("zoë@müller.example",)),
        (" ; ", ()),
    ],
)
def test_addresses(cell: str, addresses: tuple[str, ...]) -> None:
    assert one(CONTACT, f"id,name,email\n1,,{cell}\n").addresses == addresses


@pytest.mark.parametrize(
    ("cell", "domains"),
    [
        ("X.example", ("x.example",)),
        ("https://www.x.example:8443/a?b=c#d", ("x.example",)),
        ("//user:word@x.example", ("x.example",)),
        ("www.x.example/shop;y.example", ("x.example", "y.example")),
        ("https://x.example/a;jsessionid=1", ("x.example",)),
        ("@x.example|x.example.", ("x.example",)),
        ("www.com", ("www.com",)),
        ("müller.example", ("müller.example",)),
    ],
)
def test_domains(cell: str, domains: tuple[str, ...]) -> None:
    assert one(ACCOUNT, f"id,website\n1,{cell}\n").domains == domains


@pytest.mark.parametrize(
    ("title", "cell", "is_open"),
    [
        ("open", "Yes", True),
        ("is_open", "FALSE", False),
        ("IsClosed", "true", False),
        ("closed", "0", True),
        ("status", "In Progress", True),
        ("state", "Won", False),
        ("status", "lost", False),
        ("status", "", True),
    ],
)
def test_whether_it_is_open(title: str, cell: str, is_open: bool) -> None:
    assert one(OPPORTUNITY, f"id,name,{title}\n1,x,{cell}\n").is_open is is_open


def test_without_a_column_that_says_so_all_are_open() -> None:
    found = read(OPPORTUNITY, "id\n1\n")
    assert "count as open" in found.warnings[0]


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31 12:00", NOON),
        ("2026-01-31T14:00:00.000+0200", NOON),
        ("2026-01-31", NOON.replace(hour=0)),
        ("20260131", NOON.replace(hour=0)),
        (" ", None),
    ],
)
def test_moments(cell: str, moment: datetime | None) -> None:
    assert one(CONTACT, f"id,updated,name\n1,{cell},x\n").updated_at == moment


def test_apostrophes_of_spreadsheets() -> None:
    assert one(CONTACT, "id,name,owner\n'007,'t Hooft,'=1\n") == CrmRecord(CONTACT, "007", "'t Hooft", owner="=1")
    assert one(CONTACT, "id,name\n1,'=Ann\n").name == "=Ann"


@pytest.mark.parametrize(
    ("kind", "text", "column", "value", "words"),
    [
        (CONTACT, "Id,name\n,Ann", "Id", "", "id is empty"),
        (CONTACT, f"id\n{'x' * 257}", "id", "x" * 99 + "…", "257 characters"),
        (CONTACT, 'id,name\n"a\nb",x', "id", "a\\nb", "U+000A"),
        (CONTACT, "id\na\u200db", "id", "a\\u200db", "U+200D"),
        (CONTACT, "id\n1.23E+11", "id", "1.23E+11", "rounded"),
        (CONTACT, "id,E-Mail\n1,ann", "E-Mail", "ann", "no email address"),
        (CONTACT, "id,email\n1,a@x.example;b@", "email", "b@", "no email address"),
        (CONTACT, "id,email\n1,a@\u202ex.example", "email", "a@\\u202ex.example", "no email address"),
        (CONTACT, f"id,email\n1,{'a' * 320}@x.example", "email", "a" * 99 + "…", "no email address"),
        (ACCOUNT, "id,domain\n1,localhost", "domain", "localhost", "no domain"),
        (ACCOUNT, "id,domain\n1,http://10.0.0.1/", "domain", "http://10.0.0.1/", "no domain"),
        (ACCOUNT, "id,domain\n1,ann@x.example", "domain", "ann@x.example", "no domain"),
        (ACCOUNT, "id,domain\n1,https://", "domain", "https://", "no domain"),
        (CONTACT, "id,updated\n1,31.1.2026", "updated", "31.1.2026", "no date"),
        (CONTACT, "id,updated\n1,2026-01-31x12:00", "updated", "2026-01-31x12:00", "no date"),
        (CONTACT, "id,updated\n1,0001-01-01T00:00+05:00", "updated", "0001-01-01T00:00+05:00", "no date"),
        (OPPORTUNITY, "id,is_open\n1,perhaps", "is_open", "perhaps", "neither yes nor no"),
        (OPPORTUNITY, "id,status\n1,nearly", "status", "nearly", "open, in progress"),
        (OPPORTUNITY, f"id,contacts\n1,2;{'x' * 257}", "contacts", "x" * 99 + "…", "257 characters"),
        (CONTACT, "id,name\n1", "name", "1", "missing"),
        (CONTACT, "id,name\n1,2,3", "name", "1 | 2 | 3", "in quotes"),
        (CONTACT, 'id,name\n1,"x', "", '1,"x', "quotes"),
        (CONTACT, f"id,name\n1,{'x' * 120_000}", "", "1," + "x" * 98, "long texts"),
    ],
)
def test_problems_of_rows(kind: RecordKind, text: str, column: str, value: str, words: str) -> None:
    found = wrong(kind, text)
    assert (found.line, found.column, found.value) == (2, column, value)
    assert words in found.problem


def test_other_rows_count_and_every_problem_is_told() -> None:
    found = read(CONTACT, "id,email,updated\n1,a@x.example,\n2,bad,never\n\n3,,2026-01-31\n")
    assert [row.record_id for row in found.records] == ["1", "3"]
    assert [(problem.line, problem.column) for problem in found.problems] == [(3, "email"), (3, "updated")]
    assert found.rows == 3


def test_of_one_id_twice_the_last_counts() -> None:
    found = read(CONTACT, "id,name\n7,Ann\n8,Bob\n7,Cy\n7,Di\n")
    assert {row.record_id: row.name for row in found.records} == {"7": "Di", "8": "Bob"}
    assert found.warnings == (
        "1 id stands in the file more than once, and the last row of each counts: '7' (lines 4 and 5).",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(encoding: str, delimiter: str) -> None:
    lines = (("Id", "Full Name", "Email"), ("1", "Zoë", "zoe@x.example"), ("2", '"a,b;c\nd"', ""))
    text = "".join(f"{delimiter.join(line)}\r\n" for line in lines)
    found = read_crm(CONTACT, text.encode(encoding))
    assert not found.problems
    assert [row.name for row in found.records] == ["Zoë", "a,b;c d"]
    assert bool(found.warnings) == (encoding in {"utf-16-le", "cp1252"})


def test_a_line_that_names_the_delimiter() -> None:
    assert one(CONTACT, "sep=;\nid;name\n1;a,b\n").name == "a,b"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "EMPTY"),
        (b"\n \n", "EMPTY"),
        (b"name,email\nAnn,a@x.example\n", "NO_ID_COLUMN"),
        (b"contactid,id,ID\n", "COLUMN_TWICE"),
        (b'"id', "NO_HEADER"),
        (b"sep=!\nid!name\n", "DELIMITER"),
        (b"PK\x03\x04rest", "NOT_TEXT"),
        (bytes(range(32)) * 9, "NOT_TEXT"),
        (b"id\n1\n2\n3\n4\n", "TOO_MANY_ROWS"),
    ],
)
def test_files_that_cannot_be_read(data: bytes, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        read_crm(CONTACT, data, most_rows=3)
    assert refused.value.code == code
    assert str(refused.value).isprintable()
