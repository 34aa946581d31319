"""Operators: how they are given and shown, and the preview of a file of them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictStr

from api.schemas.shared import Moment, Patch, Shown
from engine.imports.problems import LONGEST_ADDRESS, LONGEST_ID, LONGEST_NAME
from engine.imports.values import problem_of
from engine.imports.verdicts import Verdict
from engine.model import MailboxStatus

Count = Annotated[int, Field(ge=0)]


def _checked(field: str, text: str) -> str:
    stripped = text.strip()
    if not stripped and field != "name":
        raise ValueError("it is empty")
    problem = problem_of(field, stripped) if stripped else None
    if problem is not None:
        raise ValueError(f"{problem.reason} {problem.remedy}".rstrip("."))
    return stripped


def _operator_id(text: str) -> str:
    return _checked("operator_id", text)


def _email(text: str) -> str:
    return _checked("email", text)


def _name(text: str) -> str:
    return _checked("name", text)


IdText = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_ID), AfterValidator(_operator_id)]
EmailText = Annotated[
    StrictStr,
    Field(min_length=3, max_length=LONGEST_ADDRESS, json_schema_extra={"format": "email"}),
    AfterValidator(_email),
]
NameText = Annotated[StrictStr, Field(max_length=LONGEST_NAME), AfterValidator(_name)]


class OperatorPost(BaseModel):
    """A new operator. ``operator_id``: by default the address."""

    model_config = ConfigDict(extra="forbid")

    email: EmailText
    operator_id: IdText | None = None
    name: NameText = ""
    email_sync: StrictBool = True


class OperatorPatch(Patch):
    """What is to change; what is left out stays as it is, and null is no value.

    ``email_sync`` true also brings a mailbox back that has failed, though it be enabled already.
    """

    email: EmailText | None = None
    name: NameText | None = None
    email_sync: StrictBool | None = None


class OperatorShown(Shown):
    """An operator, and how the mailbox stands."""

    operator_id: str
    email: str
    name: str
    email_sync: bool
    status: MailboxStatus | None
    last_success_at: Moment | None
    next_sync_at: Moment | None
    error_code: str | None
    cause: Annotated[str | None, Field(description="What the code means.")]
    remedy: Annotated[str | None, Field(description="What to do about it.")]
    pending: Annotated[Count, Field(description="Items that are listed and not fetched yet.")]


class OperatorGiven(Shown):
    """An operator as a row of a file would have it."""

    operator_id: str
    email: str
    name: str
    email_sync: bool


class FieldChanged(Shown):
    """One field that a row changes."""

    field: str
    old: str | bool
    new: str | bool


class ProblemShown(Shown):
    """One thing that is wrong with a row."""

    code: Annotated[str, Field(examples=["EMAIL_TAKEN"])]
    column: Annotated[str, Field(description="As the file calls it; empty: the whole row.")]
    value: str
    reason: str
    remedy: str


class RowShown(Shown):
    """A row of the file with its verdict."""

    line: Annotated[int, Field(ge=1, description="Where it begins, as an editor counts.")]
    verdict: Verdict
    operator: Annotated[OperatorGiven | None, Field(description="As it would be; null for a row in error.")]
    changes: list[FieldChanged]
    given: Annotated[dict[str, str], Field(description="What the file says, by field; for rows in error.")]
    problems: list[ProblemShown]


class Counts(Shown):
    """Rows by verdict."""

    new: Count
    changed: Count
    unchanged: Count
    error: Count


class ColumnsShown(Shown):
    """The file's columns: those that stand for a field, by field, and the others."""

    used: dict[str, list[str]]
    ignored: list[str]


class ImportShown(Shown):
    """What an import would do, or has done."""

    applied: Annotated[bool, Field(description="Whether the operators have been changed.")]
    encoding: str
    delimiter: Literal["comma", "semicolon", "tab", "pipe"]
    header: Annotated[bool, Field(description="False: the file begins with an operator at once.")]
    columns: ColumnsShown
    counts: Counts
    warnings: list[str]
    digest: Annotated[
        str, Field(description="What to pass with `apply=true`: it stands for the file and the operators.")
    ]
    rows: Annotated[list[RowShown], Field(description="In the order of the file, without the unchanged.")]
    left_out: Annotated[Counts, Field(description="Rows by verdict that are counted and not listed.")]
