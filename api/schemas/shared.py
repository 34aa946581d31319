"""What answers have in common: closed objects, pages, and the one shape of errors."""

from functools import cache
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model


class Shown(BaseModel):
    """An object of an answer: it has these keys, all of them, and no other."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


@cache
def page_of(item: type[Shown]) -> type[BaseModel]:
    """The model of a page of a list."""
    following = Field(description="What to pass as `cursor` for the page after; null: this is all.")
    return create_model(
        f"PageOf{item.__name__}",
        __base__=Shown,
        __doc__="A page of a list.",
        items=(list[item], ...),  # type: ignore[valid-type]  # a model, made as others are
        next=(str | None, following),
    )


class ErrorDetail(Shown):
    """What went wrong."""

    code: Annotated[str, Field(description="For programs.", examples=["BAD_REQUEST"])]
    message: Annotated[str, Field(description="What is wrong.")]
    hint: Annotated[str, Field(description="What to do about it.")]


class Error(Shown):
    """The one shape of errors."""

    error: ErrorDetail


Moment = Annotated[AwareDatetime, Field(description="UTC.", examples=["2026-03-01T12:57:00Z"])]
"""A time in an answer."""
