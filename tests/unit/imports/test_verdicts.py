"""What a row would do: alone, against the operators there are, and together with the other rows."""

import pytest

from engine.imports.problems import LONGEST_ADDRESS, LONGEST_ID, LONGEST_NAME, Code, Problem
from engine.imports.verdicts import FieldChange, Verdict
from engine.model import Operator, OperatorId
from tests.unit.imports.files import codes, look, operators, row

HEADER = "operator_id,email,name,email_sync\n"


def test_the_four_verdicts() -> None:
    found = look(
        f"{HEADER}1,new@x.example,New,no\n7,ann.lee@x.example,Ann Lee,off\n8,bob@x.example,Bob Day,yes\n9,,,x!\n"
    )
    assert [one.verdict for one in found.rows] == [Verdict.NEW, Verdict.CHANGED, Verdict.UNCHANGED, Verdict.ERROR]
    assert found.rows[0].operator == Operator(OperatorId("1"), "new@x.example", "New", email_sync=False)
    assert found.rows[0].changes() == ()
    assert found.rows[1].changes() == (
        FieldChange("email", "ann@x.example", "ann.lee@x.example"),
        FieldChange("email_sync", old=True, new=False),
    )
    assert found.operators() == [found.rows[0].operator, found.rows[1].operator]
    assert "Email sync is switched off for 1 operator." in found.warnings


def test_an_empty_cell_leaves_an_operator_as_it_is() -> None:
    assert row(f"{HEADER}9,,,\n").verdict is Verdict.UNCHANGED
    assert row(f"{HEADER}9,,Cyd,\n").operator == Operator(OperatorId("9"), "cy@x.example", "Cyd", email_sync=False)


@pytest.mark.parametrize("default", [True, False])
def test_email_sync_of_a_new_operator_has_a_default(default: bool) -> None:
    text = f"{HEADER}1,a@x.example,,\n2,b@x.example,,yes\n3,c@x.example,,no\n"
    assert [one.email_sync for one in look(text, email_sync=default).operators()] == [default, True, False]


def test_an_address_says_who_is_meant_where_no_id_does() -> None:
    assert row("email,name\nANN@X.example,Annie\n").operator == Operator(OperatorId("7"), "ann@x.example", "Annie")
    assert row("id,email,name\n,ann@x.example,Annie\n").operator == Operator(OperatorId("7"), "ann@x.example", "Annie")


def test_the_address_in_another_case_is_no_change() -> None:
    assert row(f"{HEADER}7,Ann@X.Example,,\n").verdict is Verdict.UNCHANGED


def test_a_new_operator_without_id_goes_by_the_address_as_given() -> None:
    assert row("email\nNew@x.example\n").operator == Operator(OperatorId("New@x.example"), "New@x.example")


def test_an_id_that_is_an_address_is_not_taken_over_by_whoever_has_the_address_now() -> None:
    there = operators(("ann@x.example", "ann.lee@x.example"))
    found = row("email,name\nann@x.example,Another Ann\n", there)
    assert found.problems == (
        Problem(Code.ID_TAKEN, "operator_id", "ann@x.example", "ann@x.example with the address ann.lee@x.example"),
    )


def test_an_address_two_operators_have_says_nothing() -> None:
    there = operators(("1", "info@x.example"), ("2", "INFO@x.example"))
    assert codes([row("email,name\ninfo@x.example,Info\n", there)]) == [(2, "EMAIL_AMBIGUOUS")]
    assert row("id,email,name\n2,info@x.example,Info\n", there).verdict is Verdict.CHANGED


def long_address(length: int) -> str:
    return "a" * (length - len("@x.example")) + "@x.example"


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ("1,,Ann,", Code.EMAIL_MISSING, "E-Mail"),
        ("1,ann,Ann,", Code.EMAIL_INVALID, "E-Mail"),
        ("1,Ann Lee <a@x.example>,Ann,", Code.EMAIL_INVALID, "E-Mail"),
        ("1,a b@x.example,Ann,", Code.EMAIL_INVALID, "E-Mail"),
        ("1,a@x.example;b@x.example,Ann,", Code.EMAIL_SEVERAL, "E-Mail"),
        ('1,"a@x.example, b@x.example",Ann,', Code.EMAIL_SEVERAL, "E-Mail"),
        (f"1,{long_address(LONGEST_ADDRESS + 1)},Ann,", Code.EMAIL_TOO_LONG, "E-Mail"),
        ("1,a\u200bb@x.example,Ann,", Code.CONTROL_CHARACTER, "E-Mail"),
        ('1,"a\nb@x.example",Ann,', Code.CONTROL_CHARACTER, "E-Mail"),
        ("1,#N/A,Ann,", Code.FORMULA_ERROR, "E-Mail"),
        ("1,a\ufffd@x.example,Ann,", Code.UNREADABLE_TEXT, "E-Mail"),
        ("1\x002,a@x.example,Ann,", Code.CONTROL_CHARACTER, "ID"),
        (f"{'1' * (LONGEST_ID + 1)},a@x.example,Ann,", Code.ID_TOO_LONG, "ID"),
        ("1.23E+15,a@x.example,Ann,", Code.ID_MANGLED, "ID"),
        ('"1,23E+15",a@x.example,Ann,', Code.ID_MANGLED, "ID"),
        ("#REF!,a@x.example,Ann,", Code.FORMULA_ERROR, "ID"),
        ("########,a@x.example,Ann,", Code.FORMULA_ERROR, "ID"),
        ("1,a@x.example,An\x07n,", Code.CONTROL_CHARACTER, "Name"),
        ("1,a@x.example,An\u202en,", Code.CONTROL_CHARACTER, "Name"),
        (f"1,a@x.example,{'n' * (LONGEST_NAME + 1)},", Code.NAME_TOO_LONG, "Name"),
        ("1,a@x.example,#NAME?,", Code.FORMULA_ERROR, "Name"),
        ("1,a@x.example,Ann,maybe", Code.EMAIL_SYNC_INVALID, "Sync"),
        ("1,a@x.example,Ann,2", Code.EMAIL_SYNC_INVALID, "Sync"),
        ("1,a@x.example,Ann,#N/A", Code.FORMULA_ERROR, "Sync"),
    ],
)
def test_what_can_be_wrong_with_a_cell(cells: str, code: Code, column: str) -> None:
    found = row(f"ID,E-Mail,Name,Sync\n{cells}\n")
    assert [(problem.code, problem.column) for problem in found.problems] == [(code, column)]
    assert (found.verdict, found.line) == (Verdict.ERROR, 2)


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    found = row(f"{HEADER}1E5,a,b\x07,c\n")
    assert codes([found]) == [(2, "EMAIL_INVALID"), (2, "CONTROL_CHARACTER"), (2, "EMAIL_SYNC_INVALID")]
    assert [problem.value for problem in found.problems] == ["a", "b\\x07", "c"]


@pytest.mark.parametrize(
    ("cell", "email"),
    [
        (long_address(LONGEST_ADDRESS), long_address(LONGEST_ADDRESS)),
        (" \xa0a@x.example\u200b ", "a@x.example"),
        ("SMTP:a@x.example", "a@x.example"),
        ("mailto: a@x.example", "a@x.example"),
        ("zoë@münchen.example", "zoë@münchen.example"),
    ],
)
def test_addresses_as_people_paste_them(cell: str, email: str) -> None:
    assert row(f"email\n{cell}\n").operator.email == email  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["می\u200cشود", "क्\u200dष", "O'Neil", "=Ann", "n" * LONGEST_NAME, "Null"])
def test_names_people_have(name: str) -> None:
    assert row(f"email,name\na@x.example,{name}\n").operator.name == name  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "sync"),
    [
        ("true TRUE yes Y 1 x X on ja WAHR oui vrai enabled active", True),
        ("false FALSE no N 0 off nein FALSCH non faux disabled inactive", False),
    ],
)
def test_yes_and_no(words: str, sync: bool) -> None:
    for word in words.split():
        assert row(f"email,sync\na@x.example, {word} \n").operator.email_sync is sync  # type: ignore[union-attr]


def test_the_second_of_two_rows_names_the_first() -> None:
    found = look(f"{HEADER}1,a@x.example,,\n1,b@x.example,,\n2,A@x.example,,\n,ann@x.example,,\n7,,Ann,\n")
    assert codes(found.rows) == [(3, "ID_TWICE"), (4, "EMAIL_TWICE"), (6, "ID_TWICE")]
    assert [one.problems[0].reason for one in found.errors()] == [
        "The same operator stands in line 2 already.",
        "The same address stands in line 2 already.",
        "The same operator stands in line 5 already.",
    ]


def test_a_row_in_error_still_counts_as_the_first_of_two() -> None:
    found = look(f"{HEADER}1,a@x.example,,perhaps\n1,a@x.example,,yes\n")
    assert codes(found.rows) == [(2, "EMAIL_SYNC_INVALID"), (3, "ID_TWICE")]


@pytest.mark.parametrize("first", ["1,ann@x.example,New,\n", "8,ANN@x.example,,\n", "8,ann@x.example,,\n7,,Annie,\n"])
def test_an_address_its_holder_keeps_is_taken(first: str) -> None:
    found = look(HEADER + first)
    assert codes(found.rows) == [(2, "EMAIL_TAKEN")]
    assert found.errors()[0].problems[0].reason == "The address belongs to another operator: 7."


def test_two_operators_swap_their_addresses() -> None:
    found = look(f"{HEADER}7,bob@x.example,,\n8,ann@x.example,,\n")
    assert [(one.operator_id, one.email) for one in found.operators()] == [
        ("7", "bob@x.example"),
        ("8", "ann@x.example"),
    ]


def test_an_address_is_handed_on_to_a_new_operator() -> None:
    found = look(f"{HEADER}1,ann@x.example,New Ann,\n7,ann.lee@x.example,,\n")
    assert codes(found.rows) == []
    assert len(found.operators()) == 2


def test_who_waited_for_an_address_that_is_not_given_up_is_in_error_too() -> None:
    text = f"{HEADER}1,ann@x.example,,\n7,bob@x.example,,\n8,cy@x.example,,\n9,dee@x.example,,perhaps\n"
    found = look(text)
    assert sorted(codes(found.rows)) == [
        (2, "EMAIL_TAKEN"),
        (3, "EMAIL_TAKEN"),
        (4, "EMAIL_TAKEN"),
        (5, "EMAIL_SYNC_INVALID"),
    ]
    assert [one.verdict for one in look(text.replace("perhaps", "yes")).rows] == [Verdict.NEW] + [Verdict.CHANGED] * 3


def test_every_code_has_its_words() -> None:
    for code in Code:
        problem = Problem(code, detail="{0} %s")
        assert problem.reason.endswith(".")
        assert problem.remedy.endswith(".")
    assert len(Code) >= 10
