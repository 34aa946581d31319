"""What answers have in common: closed objects, pages, and the one shape of errors."""

from functools import cache
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model, field_validator


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


def whole(value: object) -> object:
    """JSON has one kind of number, so 2.0 is the whole number 2; for a BeforeValidator of a strict int."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _without_null(schema: dict[str, Any]) -> None:
    schema["minProperties"] = 1
    for described in schema["properties"].values():
        members = [member for member in described.pop("anyOf", []) if member.get("type") != "null"]
        described.pop("default", None)
        described.update(members[0] if len(members) == 1 else {"anyOf": members} if members else {})


class Patch(BaseModel):
    """What is to change; what is left out stays as it is, and null is no value."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_null)

    @field_validator("*", mode="before")
    @classmethod
    def _is_given(cls, value: object) -> object:
        if value is None:
            raise ValueError("null is no value; leave the key out to keep what is set")
        return value


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
