"""Indexed and fractional paging of FindItem and FindFolder.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/indexedpageitemview
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from lxml import etree

from engine.simulator.errors import ResponseError
from engine.simulator.requests import attribute, integer
from engine.simulator.xml import boolean, local

Entry = TypeVar("Entry")
MOST = 1000
"""Exchange returns no more than this in one page, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class FoundPage(Generic[Entry]):
    """A page and the paging attributes of its RootFolder."""

    entries: list[Entry]
    attributes: str


def page_of(view: etree._Element | None, found: list[Entry]) -> FoundPage[Entry]:
    """The part of what was found that a view asks for."""
    total = len(found)
    if view is None:
        page = found[:MOST]
        return FoundPage(page, f'TotalItemsInView="{total}" IncludesLastItemInRange="{boolean(total <= MOST)}"')
    most = view.get("MaxEntriesReturned")
    size = MOST if most is None else integer(view, most)
    if size <= 0:
        raise ResponseError("ErrorInvalidPagingMaxRows")
    start = _start(view, total)
    stop = min(total, start + min(size, MOST))
    attributes = (
        f'IndexedPagingOffset="{stop}" TotalItemsInView="{total}" IncludesLastItemInRange="{boolean(stop >= total)}"'
    )
    if local(view).startswith("Fractional"):
        attributes = attributes.replace(
            f'IndexedPagingOffset="{stop}"', f'NumeratorOffset="{stop}" AbsoluteDenominator="{max(total, 1)}"'
        )
    return FoundPage(found[start:stop], attributes)


def _start(view: etree._Element, total: int) -> int:
    if local(view).startswith("Fractional"):
        numerator = integer(view, attribute(view, "Numerator"))
        denominator = integer(view, attribute(view, "Denominator"))
        if denominator <= 0 or not 0 <= numerator <= denominator:
            raise ResponseError("ErrorInvalidFractionalPagingParameters")
        return total * numerator // denominator
    offset = integer(view, attribute(view, "Offset"))
    if offset < 0:
        raise ResponseError("ErrorInvalidIndexedPagingParameters")
    if attribute(view, "BasePoint", ("Beginning", "End")) == "End":
        return max(0, total - offset - int(view.get("MaxEntriesReturned", MOST)))
    return min(offset, total)
