"""Bytes to rows: encodings, delimiters, line ends, quotes, and what is no table at all."""

import codecs
import csv

import pytest

from engine.errors import ImportRefused
from engine.imports.delimiters import choose_delimiter
from engine.imports.encodings import Encoding, find_encoding
from engine.imports.read import read_table
from engine.imports.wizard import ImportOptions, preview
from tests.unit.imports.files import codes, look, row

UTF8 = Encoding("utf-8", "UTF-8")


@pytest.mark.parametrize(
    ("data", "name", "warned"),
    [
        ("email,name\na@x,Zoë\n".encode(), "UTF-8", False),
        ("email,name\na@x,Zoë\n".encode("utf-8-sig"), "UTF-8", False),
        ("email,name\na@x,Zoë\n".encode("utf-16"), "UTF-16", False),
        (codecs.BOM_UTF16_BE + "email,name\na@x,Zoë\n".encode("utf-16-be"), "UTF-16", False),
        ("email,name\na@x,Zoë\n".encode("utf-16-le"), "UTF-16", True),
        ("email,name\na@x,Zoë\n".encode("utf-16-be"), "UTF-16", True),
        ("email,name\na@x,Zoë\n".encode("utf-32"), "UTF-32", False),
        ("email,name\na@x,Zoë\n".encode("cp1252"), "Windows-1252", True),
    ],
)
def test_encodings(data: bytes, name: str, warned: bool) -> None:
    found = look(data, {})
    assert found.encoding == name
    assert [one.name for one in found.operators()] == ["Zoë"]
    assert any("read as" in warning for warning in found.warnings) == warned


def test_a_byte_windows_does_not_know_makes_it_latin_1() -> None:
    assert find_encoding(b"email,name\na@x,Zo\xeb\x81\n").name == "ISO 8859-1"


def test_a_few_lost_bytes_do_not_spoil_every_accent() -> None:
    found = look("email,name\na@x,Zoë\nb@x,Bjørn\n".encode() + b"c@x,Ren\xe9\n", {})
    assert [one.name for one in found.operators()] == ["Zoë", "Bjørn"]
    assert codes(found.rows) == [(4, "UNREADABLE_TEXT")]
    assert any("damaged" in warning for warning in found.warnings)


def test_an_encoding_is_found_across_pieces_of_a_large_file() -> None:
    text = "email,name\n" + "a@x,Zoë Zoë Zoë Zoë\n" * 120_000
    assert find_encoding(text.encode()).codec == "utf-8"
    assert find_encoding(text.encode("cp1252")).codec == "cp1252"


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest", b"%PDF-1.7", b"\x1f\x8b\x08", bytes(500), b"email\n" + bytes(90)],
)
def test_what_is_no_text_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ImportRefused) as refused:
        look(data)
    assert refused.value.code == "NOT_TEXT"
    assert "Save the sheet as CSV" in str(refused.value)


FILES = {
    "comma": (",", "operator_id,email,name,email_sync\n1,ann@x.com,Ann,true\n"),
    "semicolon": (";", "E-Mail;Name\nann@x.com;Ann\n"),
    "commas inside": (";", "E-Mail;Name\nann@x.com;Lee, Ann\nbob@x.com;Day, Bob\n"),
    "tab": ("\t", "Email\tName\nann@x.com\tLee, Ann\n"),
    "pipe": ("|", "login|mail|full name\nann|ann@x.com|Lee, Ann; Dr\n"),
    "one column": (",", "email\ntest@gmail.com\ntest2@yahoo.com\n"),
    "one quoted column": (",", '"email"\n"ann@x.com"\n'),
    "header alone": (";", "email;name\n"),
    "semicolons inside": (",", 'email,name,notes\nann@x.com,"a; b; c","x; y"\n'),
    "ragged": (";", "email;name;email_sync\nann@x.com;Ann\nbob@x.com;Bob;ja;;\n"),
    "lists inside": (";", "id;email;name\n1;ann@x.com;['312', '112']\n2;bob@x.com;['765', '766']\n"),
    "no header": (";", "ann@x.com;Ann Lee\nbob@x.com;Bob Day\n"),
    "no header, pipes": ("|", "ann@x.com|Ann\nbob@x.com|Bob\n"),
    "no header, commas inside": (";", "ann@x.com;Lee, Ann\nbob@x.com;Day, Bob\n"),
    "another email": (";", "Email;Address\nann@x.com;1, High Street, Ely\n"),
    "nothing we know": (";", "a;b;c\n1,2;3;4\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_delimiters(name: str) -> None:
    delimiter, text = FILES[name]
    assert choose_delimiter(text.encode(), UTF8) == delimiter


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=;,,,"])
def test_a_spreadsheets_separator_line_is_honoured(line: str) -> None:
    found = look(f"{line}\r\nemail;name\r\nnew@x.example;a,b\r\nbad;c\r\n")
    assert (found.delimiter, found.counts()["new"]) == (";", 1)
    assert codes(found.rows) == [(4, "EMAIL_INVALID")]


def test_a_separator_nobody_reads_is_refused() -> None:
    with pytest.raises(ImportRefused, match="'~'"):
        look("sep=~\nemail~name\n")


def test_powershells_type_line_is_passed_over() -> None:
    found = look('#TYPE Selected.Exchange.Mailbox\n"PrimarySmtpAddress","DisplayName"\n"new@x.example","New"\n')
    assert [(one.email, one.name) for one in found.operators()] == [("new@x.example", "New")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_lines_are_counted_as_an_editor_does(end: str) -> None:
    text = end.join(["email,name", "", 'a@x.example,"Ann', 'Lee"', ",", "bad,Bob", "c@x.example,Cy"])
    found = look(text, {})
    assert [one.name for one in found.operators()] == ["Ann Lee", "Cy"]
    assert codes(found.rows) == [(6, "EMAIL_INVALID")]
    assert [one.line for one in found.rows] == [3, 6, 7]


def test_blanks_after_a_delimiter_do_not_undo_quotes() -> None:
    assert row('email, name\na@x.example, "Lee, Ann"\n').operator.name == "Lee, Ann"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "line",
    ['b@x.example,"Bob', 'b@x.example,"Bob "the boss" Day"', '"b@x.example" ,"B"x'],
)
def test_quotes_that_do_not_pair_up_spoil_their_own_line_only(line: str) -> None:
    following = "".join(f'u{number}@x.example,"U, {number}"\n' for number in range(60))
    found = look(f"email,name\na@x.example,Ann\n{line}\n{following}", {})
    assert codes(found.rows) == [(3, "QUOTES")]
    assert len(found.operators()) == 61
    assert found.errors()[0].given == {"text": line}


def test_an_unclosed_quote_in_the_last_line() -> None:
    assert codes(look('email,name\na@x.example,Ann\nb@x.example,"Bob', {}).rows) == [(3, "QUOTES")]


def test_a_quote_open_for_many_lines_is_no_cell() -> None:
    found = look('email,name\na@x.example,"Ann\n' + "".join(f"u{n}@x.example,U\n" for n in range(500)), {})
    assert codes(found.rows) == [(2, "QUOTES")]
    assert len(found.operators()) == 500


@pytest.mark.parametrize("before", ["", 'a@x.example,"Ann\n'])
def test_an_absurdly_long_line_is_passed_over(before: str) -> None:
    found = look(f"email,name\n{before}b@x.example,{'x' * 300_000}\nc@x.example,Cy\n", {})
    assert codes(found.rows)[-1] == (2 + bool(before), "LINE_TOO_LONG")
    assert [one.email for one in found.operators()] == ["c@x.example"]


def test_the_csv_modules_own_limit_is_left_as_it_is() -> None:
    before = csv.field_size_limit()
    cell = "\n".join(["x" * 90_000] * 3)
    assert codes(look(f'email,name\nb@x.example,"{cell}"\n').rows)[0] == (2, "QUOTES")
    assert csv.field_size_limit() == before


def test_ragged_rows() -> None:
    found = look(
        "email,name,email_sync,notes\n"
        "a@x.example,Ann,yes\n"  # what is left out is a column nobody asked for
        "b@x.example,Bob\n"
        "c@x.example,Cy,yes,,,\n"
        "d@x.example,Day, Di,yes,n\n",
        {},
    )
    assert codes(found.rows) == [(3, "TOO_FEW_CELLS"), (5, "TOO_MANY_CELLS")]
    few, many = (one.problems[0] for one in found.errors())
    assert (few.column, few.reason) == ("email_sync", "This column is missing: the row has 2 cells, and the header 4.")
    assert many.remedy == "Put a cell that contains the delimiter in quotes."


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "EMPTY"),
        (b"\n\n,,\n", "EMPTY"),
        (b"sep=;\n", "EMPTY"),
        (b"\xef\xbb\xbf", "EMPTY"),
        (b'"email,name\na@x.example,Ann\n', "NO_HEADER"),
        (b"x" * 200_000, "NO_HEADER"),
    ],
)
def test_files_without_a_table(data: bytes, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        look(data)
    assert refused.value.code == code


def test_sizes_are_limited() -> None:
    data = b"email\n" + b"".join(b"u%d@x.example\n" % number for number in range(5))
    assert len(preview(data, {}, ImportOptions(most_bytes=len(data), most_rows=5)).rows) == 5
    with pytest.raises(ImportRefused, match="at most 10 are read") as refused:
        preview(data, {}, ImportOptions(most_bytes=10))
    assert refused.value.code == "TOO_LARGE"
    with pytest.raises(ImportRefused, match="more than 4 rows") as refused:
        preview(data, {}, ImportOptions(most_rows=4))
    assert refused.value.code == "TOO_MANY_ROWS"


def test_blank_lines_are_limited_too() -> None:
    data = b"email\n" + b"\n" * 18
    assert preview(data + b"a@x.example", {}, ImportOptions(most_rows=5)).counts()["new"] == 1
    with pytest.raises(ImportRefused, match="more than 20 lines") as refused:
        preview(data + b"\n\na@x.example", {}, ImportOptions(most_rows=5))
    assert refused.value.code == "TOO_MANY_ROWS"


def test_a_table_is_read_as_it_is_asked_for() -> None:
    table = read_table(b"email\na@x.example\nb@x.example\n", 1000, 1)
    assert next(table.records).cells == ["a@x.example"]
    with pytest.raises(ImportRefused):
        next(table.records)
