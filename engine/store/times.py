"""Times on their way out of DuckDB."""

from datetime import UTC, datetime
from typing import overload


@overload
def utc(moment: datetime) -> datetime: ...
@overload
def utc(moment: None) -> None: ...
def utc(moment: datetime | None) -> datetime | None:
    """With ``datetime.UTC`` instead of the zone object DuckDB makes: smaller to pickle, equal in value."""
    return None if moment is None else moment.replace(tzinfo=UTC)
