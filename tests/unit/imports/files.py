"""Files of operators for the tests, and the operators there are."""

from collections.abc import Iterable, Mapping

from engine.imports.report import Preview
from engine.imports.verdicts import Judged
from engine.imports.wizard import ImportOptions, preview
from engine.model import Operator, OperatorId


def operators(
    *people: tuple[str, str] | tuple[str, str, str] | tuple[str, str, str, bool],
) -> dict[OperatorId, Operator]:
    made = [Operator(OperatorId(who), *rest) for who, *rest in people]
    return {one.operator_id: one for one in made}


THERE = operators(
    ("7", "ann@x.example", "Ann Lee"), ("8", "bob@x.example", "Bob Day"), ("9", "cy@x.example", "Cy", False)
)


def look(text: str | bytes, there: Mapping[OperatorId, Operator] | None = None, *, email_sync: bool = True) -> Preview:
    data = text.encode() if isinstance(text, str) else text
    return preview(data, THERE if there is None else there, ImportOptions(email_sync=email_sync))


def row(text: str, there: Mapping[OperatorId, Operator] | None = None) -> Judged:
    """The verdict on the last row of a file."""
    return look(text, there).rows[-1]


def codes(rows: Iterable[Judged]) -> list[tuple[int, str]]:
    """Line and code of every problem."""
    return [(one.line, problem.code.value) for one in rows for problem in one.problems]
