"""What can be wrong with a row: one table of codes, each with what is wrong and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST_ADDRESS = 254
LONGEST_ID = 255
LONGEST_NAME = 255
LONGEST_LINE = 100_000
MOST_LINES = 20


class Code(StrEnum):
    """The kinds of problems. They are stable: programs may tell them apart."""

    QUOTES = "QUOTES"
    LINE_TOO_LONG = "LINE_TOO_LONG"
    TOO_FEW_CELLS = "TOO_FEW_CELLS"
    TOO_MANY_CELLS = "TOO_MANY_CELLS"
    UNREADABLE_TEXT = "UNREADABLE_TEXT"
    CONTROL_CHARACTER = "CONTROL_CHARACTER"
    FORMULA_ERROR = "FORMULA_ERROR"
    ID_TOO_LONG = "ID_TOO_LONG"
    ID_MANGLED = "ID_MANGLED"
    ID_TAKEN = "ID_TAKEN"
    ID_TWICE = "ID_TWICE"
    EMAIL_MISSING = "EMAIL_MISSING"
    EMAIL_INVALID = "EMAIL_INVALID"
    EMAIL_SEVERAL = "EMAIL_SEVERAL"
    EMAIL_TOO_LONG = "EMAIL_TOO_LONG"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    EMAIL_TWICE = "EMAIL_TWICE"
    EMAIL_AMBIGUOUS = "EMAIL_AMBIGUOUS"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    EMAIL_SYNC_INVALID = "EMAIL_SYNC_INVALID"


_WORDS: dict[Code, tuple[str, str]] = {
    Code.QUOTES: (
        "The quotes of this line do not pair up.",
        'Close every " that opens a cell, and write "" for one inside it.',
    ),
    Code.LINE_TOO_LONG: (
        f"The line has more than {LONGEST_LINE:,} characters.",
        "Take out what is no operator's id, address or name.",
    ),
    Code.TOO_FEW_CELLS: (
        "This column is missing: the row has {detail}.",
        "Write every delimiter, also around cells that are empty.",
    ),
    Code.TOO_MANY_CELLS: (
        "The row goes on after the last column: it has {detail}.",
        "Put a cell that contains the delimiter in quotes.",
    ),
    Code.UNREADABLE_TEXT: (
        "Some characters were lost: they are not in the encoding of the rest of the file.",
        "Write the text again, and save the file as UTF-8.",
    ),
    Code.CONTROL_CHARACTER: (
        "There is an invisible character in it ({detail}).",
        "Delete the cell and type it again; what was pasted brought the character along.",
    ),
    Code.FORMULA_ERROR: (
        "The spreadsheet wrote a formula's error instead of a value.",
        "Correct the formula, or write the value.",
    ),
    Code.ID_TOO_LONG: (f"An operator's id has at most {LONGEST_ID} characters; this has {{detail}}.", "Shorten it."),
    Code.ID_MANGLED: (
        "A spreadsheet has taken the id for a number and rounded it.",
        "Make the column Text in the spreadsheet, and write the id again.",
    ),
    Code.ID_TAKEN: (
        "Without an id the address becomes the id, and another operator has that id: {detail}.",
        "Write an id in this row; the other operator's, if that is who is meant.",
    ),
    Code.ID_TWICE: ("The same operator stands in line {detail} already.", "Keep one of the two rows."),
    Code.EMAIL_MISSING: ("A new operator needs an email address.", "Write the mailbox's primary address."),
    Code.EMAIL_INVALID: ("This is not an email address.", "Write it as in ann@example.com, without a name around it."),
    Code.EMAIL_SEVERAL: ("These are several addresses.", "Write the mailbox's primary address alone."),
    Code.EMAIL_TOO_LONG: (
        f"An address has at most {LONGEST_ADDRESS} characters; this has {{detail}}.",
        "Write the mailbox's primary address.",
    ),
    Code.EMAIL_TAKEN: (
        "The address belongs to another operator: {detail}.",
        "Write that operator's id if that is who is meant; otherwise another address.",
    ),
    Code.EMAIL_TWICE: ("The same address stands in line {detail} already.", "Give each operator an own address."),
    Code.EMAIL_AMBIGUOUS: ("Several operators have this address: {detail}.", "Write the id of the one who is meant."),
    Code.NAME_TOO_LONG: (f"A name has at most {LONGEST_NAME} characters; this has {{detail}}.", "Shorten it."),
    Code.EMAIL_SYNC_INVALID: (
        "This says neither yes nor no.",
        "Write true or false; leave the cell empty to leave email sync as it is.",
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a row: in which column (as the file calls it; empty: the whole row), and the value there.

    ``detail`` goes into the reason: a length, the line of the other row, the id of the other operator.
    """

    code: Code
    column: str = ""
    value: str = ""
    detail: str = ""

    @property
    def reason(self) -> str:
        """What is wrong, as a sentence."""
        return _WORDS[self.code][0].format(detail=shown(self.detail))

    @property
    def remedy(self) -> str:
        """What to do about it, as a sentence."""
        return _WORDS[self.code][1]


def shown(text: str, most: int = 100) -> str:
    """Text fit for one line of a list: invisible characters written out, cut after ``most`` characters."""
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return cut if cut.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in cut)
