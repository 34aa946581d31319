"""Whatever the bytes: a preview or one refusal. Whatever the rows: no two operators with one address."""

import csv
import io
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.errors import ImportRefused
from engine.imports.encodings import find_encoding
from engine.imports.verdicts import Verdict
from engine.imports.wizard import ImportOptions, preview
from engine.model import Operator, OperatorId
from tests.unit.imports.files import THERE, look

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")
DELIMITERS = (",", ";", "\t", "|")

SCRAPS = "email;name;id;sync;a@x;7;8;yes;no;sep=;,;|;\";';=; ;\t;\n;\r\n;\r;\0;\x85;\u2028;\ufeff;\ufffd;é;😀;#TYPE "
scraps = st.sampled_from([*SCRAPS.split(";"), ";", "x" * 120_000, '"\n' * 25])


def check(data: bytes, there: Mapping[OperatorId, Operator]) -> bool:
    try:
        found = preview(data, there, ImportOptions(most_bytes=3_000_000, most_rows=200))
    except ImportRefused as refused:
        return bool(refused.code) and str(refused).isprintable()
    found.as_data()
    found.errors_csv()
    assert sum(found.counts().values()) == len(found.rows)
    lines = [row.line for row in found.rows]
    assert lines == sorted(set(lines))
    for row in found.rows:
        assert (row.verdict is Verdict.ERROR) == bool(row.problems) == (row.operator is None)
    return True


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    assert check(data, THERE)
    assert check(b"email,name,id\n" + data, THERE)


@settings(deadline=None)
@given(st.lists(scraps, max_size=30), st.sampled_from(ENCODINGS))
def test_any_scraps_of_a_table(parts: list[str], encoding: str) -> None:
    text = "".join(parts)
    for whole in (text, f"id;email;name\n{text}"):
        assert check(whole.encode(encoding, "replace"), THERE)


def fit(text: str) -> bool:
    """Text that comes back as it went: no blanks around it, no formula's apostrophe, no formula's error."""
    return (
        text == text.strip() and text[:1] not in ("'", "#") and "smtp:" not in text.lower() and "E+" not in text.upper()
    )


latin = st.characters(codec="cp1252", exclude_categories=["C", "Z"])
words = st.text(latin, min_size=1, max_size=12).filter(fit)
local = st.text(latin.filter(lambda one: one not in "@,;<>"), min_size=1, max_size=12).filter(fit)
people = st.lists(
    st.builds(
        Operator,
        words.map(OperatorId),
        local.map("{}@x.example".format),
        st.lists(words, max_size=3).map(" ".join),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=(lambda one: one.operator_id, lambda one: one.email.lower()),
)


def written(operators: list[Operator], encoding: str, delimiter: str, quoting: int) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]  # csv's own constants
    writer.writerow(["operator_id", "email", "name", "email_sync"])
    writer.writerows([one.operator_id, one.email, one.name, str(one.email_sync)] for one in operators)
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(deadline=None, max_examples=20)
@given(operators=people, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_operators_come_back_from_a_file(encoding: str, operators: list[Operator], quoting: int) -> None:
    for delimiter in DELIMITERS:
        data = written(operators, encoding, delimiter, quoting)
        # What is good UTF-8 by chance nobody can tell from UTF-8
        assume(encoding != "cp1252" or data.isascii() or find_encoding(data).codec == encoding)
        found = preview(data, {})
        assert found.operators() == operators
        assert found.delimiter == delimiter
        assert preview(data, {one.operator_id: one for one in operators}).counts()["unchanged"] == len(operators)


ids = st.sampled_from(["", "1", "2", "3", "4", "5"])
mails = st.sampled_from(["", "a@x", "A@x", "b@x", "c@x", "d@x", "e@x", "bad"])
syncs = st.sampled_from(["", "yes", "no", "perhaps"])
held = st.dictionaries(ids, mails.filter(lambda one: "@" in one), max_size=5).filter(
    lambda known: len({mail.lower() for mail in known.values()}) == len(known)
)


@settings(deadline=None, max_examples=200)
@given(held, st.lists(st.tuples(ids, mails, syncs), max_size=8))
def test_together_the_rows_leave_no_address_to_two(known: dict[str, str], rows: list[tuple[str, str, str]]) -> None:
    there = {OperatorId(who): Operator(OperatorId(who), mail) for who, mail in known.items() if who}
    text = "operator_id,email,email_sync\n" + "".join(f"{','.join(row)}\n" for row in rows)
    found = look(text, there)
    put = found.operators()
    after = there | {one.operator_id: one for one in put}
    assert len(put) == len({one.operator_id for one in put})
    assert max(Counter(one.email.lower() for one in after.values()).values(), default=1) == 1
    accepted = {row.line for row in found.rows if row.verdict is not Verdict.ERROR}
    again = {row.line: row.verdict for row in look(text, after).rows if row.line in accepted}
    assert set(again.values()) <= {Verdict.UNCHANGED}
