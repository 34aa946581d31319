"""Cells to values: what a row says about an operator, and what is wrong with how it says it.

A cell left empty says nothing (None). Blanks around a value do not count, nor does the apostrophe that keeps a
spreadsheet from taking text for a formula, nor ``SMTP:`` before an address (as Exchange lists them).
"""

import re
import unicodedata
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from engine.imports.headers import Columns
from engine.imports.problems import LONGEST_ADDRESS, LONGEST_ID, LONGEST_NAME, Code, Problem, shown
from engine.imports.records import Record
from engine.setting_values import MailAddress

_TRUE = "true yes y 1 x on enabled active ja j wahr an aktiv oui o vrai actif si sí vero verdadero sim"
_FALSE = "false no n 0 off disabled inactive nein falsch aus inaktiv non faux inactif falso não nao"
_SAYS = dict.fromkeys(_TRUE.split(), True) | dict.fromkeys(_FALSE.split(), False)
_UNSEEN = " \t\n\r\f\v\xa0\u200b\u200e\u200f\u2060\ufeff"
_FORMULA = "=+-@"
_FORMULA_ERROR = re.compile(r"#(N/A|NV|REF!|BEZUG!|VALUE!|WERT!|NAME\?|DIV/0!|NULL!|NUM!|ZAHL!|SPILL!)|#{4,}")
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)
_SEVERAL = re.compile(r"@[^@]*[\s,;|][^@]*@")
_PREFIX = re.compile(r"(smtp|mailto):\s*", re.IGNORECASE)
_BREAKS = re.compile(r"[\t\n\v\f\r]+")
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# In names joiners are letters' glue (Persian, Hindi), and only what turns the reading direction misleads
_HIDDEN_IN_NAMES = {"Cc", "Cs"}
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ADDRESS: TypeAdapter[str] = TypeAdapter(MailAddress)


@dataclass(slots=True)
class Row:
    """What the row at ``line`` says; None where it says nothing. ``problems`` grows as more is known.

    ``clear``: id and address are readable, so that it can be said whom the row means. ``given`` are the cells by field
    as they stand in the file, or (as ``text``) the line where it could not be taken apart; only where cells are wrong.
    """

    line: int
    operator_id: str | None
    email: str | None
    name: str | None
    email_sync: bool | None
    clear: bool = True
    problems: tuple[Problem, ...] = ()
    given: dict[str, str] | None = None

    def add(self, code: Code, column: str, value: str = "", detail: str = "") -> None:
        """One more thing is wrong."""
        self.problems += (Problem(code, column, shown(value), detail),)


def read_row(record: Record, columns: Columns) -> Row:
    """One record's values, each checked by itself."""
    if record.code is not None:
        return _broken(record, record.code, "", "")
    cells = record.cells
    if len(cells) != len(columns.titles):
        if len(cells) <= columns.last():
            return _broken(record, Code.TOO_FEW_CELLS, columns.titles[len(cells)], _width(record, columns))
        if any(cells[len(columns.titles) :]):
            return _broken(record, Code.TOO_MANY_CELLS, columns.titles[-1], _width(record, columns))
    operator_id = _cell(cells, columns.operator_id)
    email = _PREFIX.sub("", _cell(cells, columns.email), count=1)
    name = _BREAKS.sub(" ", " ".join(part for place in columns.name if (part := _cell(cells, place))))
    says = _cell(cells, columns.email_sync)
    row = Row(record.line, operator_id or None, email or None, name or None, _SAYS.get(says.casefold()))
    if operator_id and (wrong := _wrong_id(operator_id)):
        row.add(wrong[0], columns.title("operator_id"), operator_id, wrong[1])
    if email and (wrong := _wrong_email(email)):
        row.add(wrong[0], columns.title("email"), email, wrong[1])
    row.clear = not row.problems
    if name and (wrong := _wrong_name(name)):
        row.add(wrong[0], columns.title("name"), name, wrong[1])
    if says and row.email_sync is None:
        code, detail = _wrong_text(says, _HIDDEN) or (Code.EMAIL_SYNC_INVALID, "")
        row.add(code, columns.title("email_sync"), says, detail)
    if row.problems:
        row.given = {"operator_id": operator_id, "email": email, "name": name, "email_sync": says}
    return row


def _broken(record: Record, code: Code, column: str, detail: str) -> Row:
    text = " | ".join(cell[:200] for cell in record.cells[:20])
    row = Row(record.line, None, None, None, None, clear=False, given={"text": shown(text, 500)})
    row.add(code, column, text, detail)
    return row


def _width(record: Record, columns: Columns) -> str:
    return f"{len(record.cells)} cells, and the header {len(columns.titles)}"


def _cell(cells: list[str], place: int | None) -> str:
    if place is None:
        return ""
    cell = cells[place].strip()
    if cell and not cell.isascii():
        cell = cell.strip(_UNSEEN)
    # What a download of ours puts before a value that a spreadsheet would compute
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in _FORMULA else cell


def _wrong_text(text: str, hidden: set[str]) -> tuple[Code, str] | None:
    """What is wrong with any text: its code and the detail."""
    if not text.isprintable():
        for one in text:
            if unicodedata.category(one) in hidden or one in _TURNING:
                return Code.CONTROL_CHARACTER, f"U+{ord(one):04X}"
    if "\ufffd" in text:
        return Code.UNREADABLE_TEXT, ""
    if text[0] == "#" and _FORMULA_ERROR.fullmatch(text):
        return Code.FORMULA_ERROR, ""
    return None


def _wrong_id(operator_id: str) -> tuple[Code, str] | None:
    if len(operator_id) > LONGEST_ID:
        return Code.ID_TOO_LONG, f"{len(operator_id):,}"
    if _ROUNDED.fullmatch(operator_id):
        return Code.ID_MANGLED, ""
    return _wrong_text(operator_id, _HIDDEN)


def _wrong_email(email: str) -> tuple[Code, str] | None:
    wrong = _wrong_text(email, _HIDDEN)
    if wrong:
        return wrong
    if _SEVERAL.search(email):
        return Code.EMAIL_SEVERAL, ""
    try:
        _ADDRESS.validate_python(email)
    except ValidationError:
        return Code.EMAIL_INVALID, ""
    return (Code.EMAIL_TOO_LONG, f"{len(email):,}") if len(email) > LONGEST_ADDRESS else None


def _wrong_name(name: str) -> tuple[Code, str] | None:
    if len(name) > LONGEST_NAME:
        return Code.NAME_TOO_LONG, f"{len(name):,}"
    return _wrong_text(name, _HIDDEN_IN_NAMES)


def problem_of(field: str, text: str) -> Problem | None:
    """What is wrong with one value of an operator that comes by itself: its id, ``email`` or ``name``."""
    wrong = {"operator_id": _wrong_id, "email": _wrong_email, "name": _wrong_name}[field](text)
    return Problem(wrong[0], field, shown(text), wrong[1]) if wrong else None
