"""SortOrder of FindItem.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/sortorder
"""

from lxml import etree

from engine.simulator.errors import ResponseError
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Message
from engine.simulator.requests import attribute, violation
from engine.simulator.restrictions import Value, item_value
from engine.simulator.xml import T


def sort_items(order: etree._Element | None, mailbox: Mailbox, found: list[Message]) -> list[Message]:
    """What was found, in the order asked for; without one, newest arrival first."""
    if order is None:
        return found
    for field in reversed(order):
        if field.tag != f"{T}FieldOrder" or len(field) != 1:
            raise violation(order, "The element 'SortOrder' has invalid content.")
        descending = attribute(field, "Order", ("Ascending", "Descending")) == "Descending"
        try:
            found = sorted(found, key=lambda m, path=field[0]: _key(item_value(mailbox, m, path)), reverse=descending)  # type: ignore[misc]
        except KeyError:
            raise ResponseError("ErrorUnsupportedPathForSortGroup") from None
    return found


def _key(value: Value) -> tuple[bool, int, str]:
    if value is None:
        return (False, 0, "")
    return (True, 0, value.casefold()) if isinstance(value, str) else (True, int(value), "")
