"""The preview as data and as a file to mend, and whether it still holds."""

import json

import pytest

from engine.imports.digest import digest
from engine.imports.report import row_data
from engine.model import Operator, OperatorId
from tests.unit.imports.files import THERE, codes, look, operators

TEXT = (
    "operator_id;email;name;hobby;email_sync\n"
    "7;ann@x.example;Ann L;chess;yes\n"
    "1;=cmd@x.example;=1+1;;perhaps\n"
    '2;b@x.example;"Bob;;\n'
    "3;c@x.example;Cy;;yes\n"
)


def test_a_preview_is_plain_data() -> None:
    data = json.loads(json.dumps(look(TEXT).as_data()))
    rows = data.pop("rows")
    assert len(data.pop("digest")) == 64
    assert data == {
        "encoding": "UTF-8",
        "delimiter": "semicolon",
        "header": True,
        "columns": {
            "used": {
                "operator_id": ["operator_id"],
                "email": ["email"],
                "name": ["name"],
                "email_sync": ["email_sync"],
            },
            "ignored": ["hobby"],
        },
        "counts": {"new": 1, "changed": 1, "unchanged": 0, "error": 2},
        "warnings": ["Columns nobody asked for were ignored: 'hobby'."],
    }
    assert rows[0] == {
        "line": 2,
        "verdict": "changed",
        "operator": {"operator_id": "7", "email": "ann@x.example", "name": "Ann L", "email_sync": True},
        "changes": [{"field": "name", "old": "Ann Lee", "new": "Ann L"}],
        "given": {},
        "problems": [],
    }
    assert rows[1]["problems"] == [
        {
            "code": "EMAIL_SYNC_INVALID",
            "column": "email_sync",
            "value": "perhaps",
            "reason": "This says neither yes nor no.",
            "remedy": "Write true or false; leave the cell empty to leave email sync as it is.",
        }
    ]
    assert rows[2]["given"] == {"text": '2;b@x.example;"Bob;;'}


def test_errors_are_mended_in_the_file_they_come_in() -> None:
    errors = look(TEXT).errors_csv()
    assert errors.startswith(b"\xef\xbb\xbfline;operator_id;email;name;email_sync;text;code;column;reason;remedy\r\n")
    again = look(errors.replace(b"perhaps", b"no"))
    assert [(one.operator_id, one.email, one.name) for one in again.operators()] == [("1", "=cmd@x.example", "=1+1")]
    assert codes(again.rows) == [(3, "EMAIL_MISSING")]


def test_a_spreadsheet_computes_nothing_of_an_errors_file() -> None:
    text = look(TEXT).errors_csv().decode("utf-8-sig")
    assert ";'=cmd@x.example;'=1+1;" in text


def test_a_row_in_error_for_its_company_shows_what_it_said() -> None:
    found = look("email,name,sync\nz@x.example,Zed,ja\nz@x.example,Zed,ja\n")
    assert row_data(found.rows[1])["given"] == {
        "operator_id": "",
        "email": "z@x.example",
        "name": "Zed",
        "email_sync": "true",
    }


def test_a_file_without_rows_says_so() -> None:
    assert look("email,name\n").warnings == ("There is no row below the header (delimiter: comma).",)


def test_a_digest_is_of_the_file_the_operators_and_the_default() -> None:
    first = digest(b"email\n", THERE, email_sync=True)
    assert look("email\n").digest == first
    assert digest(b"email\n", dict(reversed(THERE.items())), email_sync=True) == first
    assert digest(b"email\n\n", THERE, email_sync=True) != first
    assert digest(b"email\n", THERE, email_sync=False) != first


@pytest.mark.parametrize(
    "after",
    [
        Operator(OperatorId("7"), "ann@x.example", "Ann", email_sync=True),
        Operator(OperatorId("7"), "ann@x.example", "Ann Lee", email_sync=False),
        Operator(OperatorId("7"), "a@x.example", "Ann Lee", email_sync=True),
        None,
    ],
)
def test_a_digest_changes_with_any_operator(after: Operator | None) -> None:
    changed = {who: one for who, one in THERE.items() if who != "7"} | ({after.operator_id: after} if after else {})
    assert digest(b"", changed, email_sync=True) != digest(b"", THERE, email_sync=True)


def test_a_digest_tells_fields_apart() -> None:
    one, other = operators(("1", "a@x", "b")), operators(("1", "a@xb", ""))
    assert digest(b"", one, email_sync=True) != digest(b"", other, email_sync=True)
