"""Lists in the document: a parameter for each filter, and what pages of lists take."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from api.parameters import DEFAULT_LIMIT, MOST
from api.routes import Answer, Parameter
from api.schemas.shared import page_of

if TYPE_CHECKING:
    from api.resources.lists import Filter

Text = Annotated[str, Field(min_length=1)]
LIMIT = Parameter("limit", "Items a page.", Annotated[int, Field(ge=1, le=MOST)], example=DEFAULT_LIMIT)
CURSOR = Parameter(
    "cursor",
    "`next` of the page before, with the same filters; without it, the list begins anew.",
    Annotated[str, Field(min_length=1, json_schema_extra={"format": "cursor"})],
)
PAGING = (LIMIT, CURSOR)


def page_parameters(filters: Mapping[str, "Filter"]) -> tuple[Parameter, ...]:
    """What ``api.resources.lists.answer_page`` reads from the query, given the same filters."""
    return (*(_of(name, one) for name, one in filters.items()), *PAGING)


def page_answer(model: Any, meaning: str = "A page of the list.") -> dict[int, Answer]:
    """The answer of a list whose items are described by ``model``."""
    return {200: Answer(meaning, page_of(model))}


def _of(name: str, one: "Filter") -> Parameter:
    kind: Any = Literal[tuple(str(value) for value in one.values)] if one.values else Text
    return Parameter(name, f"Only items whose `{one.column}` is this.", kind)
