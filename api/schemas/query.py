"""What a query answers as JSON."""

from typing import Annotated, Any

from pydantic import Field

from api.schemas.shared import Shown


class QueryResult(Shown):
    """A table."""

    columns: list[str]
    rows: Annotated[list[list[Any]], Field(description="A list for each row, in the order of the columns.")]
    truncated: Annotated[bool, Field(description="There were more rows than are answered.")]
