"""Exports: what is to be exported, and the parts it has."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.schemas.shared import Moment, Shown
from engine.exporting import BY_MONTH, WHOLE

Count = Annotated[int, Field(ge=0)]


class ExportPost(BaseModel):
    """What to export. ``deleted``: emails deleted at Exchange too, as ``all_emails``."""

    model_config = ConfigDict(extra="forbid")

    deleted: StrictBool = False


class PartShown(Shown):
    """One file of an export."""

    part: Annotated[Count, Field(description="Its number.")]
    view: Literal[(*BY_MONTH, *WHOLE)]  # type: ignore[valid-type]  # the names of views
    month: Annotated[str | None, Field(description="Of `received_at`, UTC; empty: without a time; null: not by month.")]
    rows: Count


class ExportShown(Shown):
    """An export that can be read: all parts show the store as it was at one moment."""

    export_id: str
    at: Moment
    deleted: bool
    parts: list[PartShown]
    version: Annotated[str, Field(description="Of Mailroom.")]


class ExportEnded(Shown):
    """An export that is not held any longer."""

    export_id: str
