"""CRM records: how they are given and shown, and what an import of them comes to."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from api.schemas.shared import Moment, Shown
from engine.crm.model import RecordKind
from engine.crm.values import LONGEST_ID

Count = Annotated[int, Field(ge=0)]


class CrmPost(BaseModel):
    """Records of one kind to insert or replace, by id, and ids to delete; what is in both is deleted."""

    model_config = ConfigDict(extra="forbid")

    records: Annotated[
        list[dict[str, object]],
        Field(
            description="Whole records, by the kind's fields: of `id`, `name`, `addresses`, `domains`, `owner`, "
            "`account_id`, `stage`, `is_open`, `contact_ids`, `active_at`, `updated_at`. What is left out is empty. "
            "One that is wrong is among the answer's `problems`."
        ),
    ] = []
    deleted: Annotated[
        list[Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_ID)]], Field(description="Ids.")
    ] = []


class CrmRow(Shown):
    """A CRM record."""

    kind: RecordKind
    record_id: str
    name: str
    email: Annotated[str | None, Field(description="The first of the addresses.")]
    addresses: list[str]
    domains: Annotated[list[str], Field(description="Of accounts and organizations.")]
    owner: Annotated[str, Field(description="An operator, by operator_id or email.")]
    account_id: Annotated[str, Field(description="The company's id.")]
    stage: str
    is_open: bool
    contact_ids: Annotated[list[str], Field(description="Who has a role in an opportunity.")]
    active_at: Annotated[Moment | None, Field(description="When there was last something going on in it.")]
    updated_at: Moment | None


class CrmProblem(Shown):
    """Why a row is left out."""

    line: Annotated[int, Field(ge=0, description="Where it begins in the file; in JSON its position, from 1.")]
    column: Annotated[str, Field(description="As the file calls it; empty: the whole row.")]
    value: str
    problem: Annotated[str, Field(description="What is wrong, and what to do.")]


class CrmPut(Shown):
    """What an import has done, or, for a dry run, would do."""

    kind: Annotated[str, Field(description="In the plural, as in the path.", examples=["contacts"])]
    rows: Annotated[Count, Field(description="All that were given.")]
    new: Count
    changed: Count
    unchanged: Count
    deleted: Count
    missing: Annotated[Count, Field(description="To be deleted, and not there.")]
    errors: Annotated[Count, Field(description="Rows that are left out.")]
    problems: Annotated[list[CrmProblem], Field(description="What is wrong with them, the first 1,000.")]
    ignored: Annotated[list[str], Field(description="The file's columns that stand for nothing.")]
    columns: Annotated[dict[str, str], Field(description="The file's columns, by the field they stand for.")]
    warnings: list[str]


class CrmDeleted(Shown):
    """A record that is gone."""

    kind: Annotated[str, Field(description="In the plural, as in the path.", examples=["contacts"])]
    record_id: str
