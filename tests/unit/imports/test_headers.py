"""Whose column is whose."""

import pytest

from engine.errors import ImportRefused
from engine.imports.headers import find_columns, normal
from tests.unit.imports.files import look


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("operator_id", "operator_id"),
        ("Operator ID", "operator_id"),
        ("OperatorId", "operator_id"),
        ("USER-ID", "operator_id"),
        ("Employee ID", "operator_id"),
        ("login", "operator_id"),
        ("SamAccountName", "operator_id"),
        ("E-Mail", "email"),
        ("EMAIL ADDRESS", "email"),
        ("primarySmtpAddress", "email"),
        ("Adresse e-mail", "email"),
        ("Display Name", "name"),
        ("full_name", "name"),
        ("Nom complet", "name"),
        ("email_sync", "email_sync"),
        ("Email Sync", "email_sync"),
        ("Enabled", "email_sync"),
        ("active", "email_sync"),
    ],
)
def test_titles(title: str, field: str) -> None:
    others = {"email": ["operator_id"]}.get(field, ["email"])
    assert find_columns([title, *others, "hobby"]).used()[field] == [title]


def test_accents_and_signs_do_not_count() -> None:
    assert normal(" Prénom: ") == normal("PRENOM")
    assert normal("a;b") != normal("ab")


def test_first_and_last_name_are_joined() -> None:
    text = "Last name,First name,Email\nLee,Ann,a@x.example\n,Bo,b@x.example\nDay,,c@x.example\n,,d@x.example\n"
    found = look(text, {})
    assert [one.name for one in found.operators()] == ["Ann Lee", "Bo", "Day", ""]
    assert found.used["name"] == ["First name", "Last name"]


def test_a_whole_name_comes_before_its_parts() -> None:
    found = look("first name,name,email\nAnn,Dr Ann Lee,a@x.example\n", {})
    assert [one.name for one in found.operators()] == ["Dr Ann Lee"]
    assert found.ignored == ["first name"]
    assert any("'first name'" in warning for warning in found.warnings)


def test_the_likelier_of_two_columns_is_taken() -> None:
    columns = find_columns(["UserPrincipalName", "id", "Mail", "PrimarySmtpAddress", "Employee ID", ""])
    assert columns.used() == {"operator_id": ["id"], "email": ["PrimarySmtpAddress"]}
    assert columns.ignored() == ["UserPrincipalName", "Mail", "Employee ID", "column 6"]


def test_one_title_twice_is_refused() -> None:
    with pytest.raises(ImportRefused, match=r"'Email' and 'E-MAIL' \(columns 1 and 3\)") as refused:
        look("Email,id,E-MAIL\n")
    assert refused.value.code == "COLUMN_TWICE"


def test_no_address_column_lists_what_was_seen() -> None:
    with pytest.raises(ImportRefused, match="reads: 'id', 'Colour', 'column 3'") as refused:
        look("id,Colour,\n1,red,x\n")
    assert refused.value.code == "NO_EMAIL_COLUMN"
    with pytest.raises(ImportRefused, match="and 10 more"):
        look(",".join(f"c{number}" for number in range(30)))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a@x.example\nb@x.example\n", ["", ""]),
        ("a@x.example;Ann\nb@x.example;Bob\n", ["Ann", "Bob"]),
        ("Ann\ta@x.example\nBob\tb@x.example\n", ["Ann", "Bob"]),
    ],
)
def test_a_file_without_header(text: str, named: list[str]) -> None:
    found = look(text, {})
    assert [(one.email, one.name) for one in found.operators()] == list(
        zip(["a@x.example", "b@x.example"], named, strict=True)
    )
    assert not found.header
    assert any("no header" in warning for warning in found.warnings)
    assert [one.line for one in found.rows] == [1, 2]


@pytest.mark.parametrize("text", ["7,a@x.example,Ann\n", "a@x.example,b@x.example\n"])
def test_a_file_without_header_that_could_mean_anything(text: str) -> None:
    with pytest.raises(ImportRefused, match="no header") as refused:
        look(text)
    assert refused.value.code == "NO_HEADER"
