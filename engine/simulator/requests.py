"""Reading requests: what the schema allows, and the ids every operation takes.

A content model is a regular expression over the qualified names of an element's children, so that order and number are
checked as the schema would, without the schema.
"""

import re
from collections.abc import Iterable
from typing import Any

from lxml import etree

from engine.simulator.errors import SchemaViolation
from engine.simulator.xml import MESSAGES, TYPES, T, local

_PREFIXES = {f"{{{MESSAGES}}}": "m:", f"{{{TYPES}}}": "t:"}


class Model:
    """The content model of an element.

    Args:
        pattern: Names such as ``m:ItemShape``, separated by spaces, each with ``?``, ``*``, ``+`` or in ``(a|b)``.
    """

    def __init__(self, pattern: str) -> None:
        names = re.sub(r"[mt]:[A-Za-z0-9]+", lambda name: f"(?:{name[0]}\0)", pattern)
        self._pattern = re.compile(names.replace(" ", "").replace("\0", " "))

    def check(self, element: etree._Element) -> None:
        """Raise a schema violation unless the children are as the model says."""
        names = "".join([_qualified(child) + " " for child in element])
        if not self._pattern.fullmatch(names):
            raise violation(element, f"The element '{local(element)}' has invalid or incomplete content.")


def _qualified(element: etree._Element) -> str:
    tag = str(element.tag)
    end = tag.find("}") + 1
    return _PREFIXES.get(tag[:end], "?:") + tag[end:]


def _line(element: etree._Element) -> int:
    line: Any = element.sourceline
    return int(line or 1)


def violation(element: etree._Element, text: str) -> SchemaViolation:
    """A schema violation at an element."""
    return SchemaViolation(text, _line(element))


def enumeration(element: etree._Element, value: str, allowed: Iterable[str]) -> str:
    """The value, which must be one of those allowed."""
    if value not in allowed:
        raise violation(
            element,
            f"The '{local(element)}' element is invalid - The value '{value}' is invalid according to its datatype "
            "- The Enumeration constraint failed.",
        )
    return value


def boolean(element: etree._Element | None, default: bool = False) -> bool:
    """The boolean an element holds."""
    if element is None:
        return default
    return truth(element, element.text or "")


def truth(element: etree._Element, value: str) -> bool:
    """A boolean of an attribute or text."""
    return enumeration(element, value.strip(), ("true", "false", "1", "0")) in {"true", "1"}


def integer(element: etree._Element, value: str, low: int | None = None, high: int | None = None) -> int:
    """An integer within limits."""
    try:
        number = int(value.strip())
    except ValueError:
        raise violation(
            element, f"The '{local(element)}' element is invalid - The value '{value}' is invalid."
        ) from None
    if (low is not None and number < low) or (high is not None and number > high):
        raise violation(element, f"The '{local(element)}' element is invalid - The value '{value}' is out of range.")
    return number


def attribute(element: etree._Element, name: str, allowed: Iterable[str] | None = None) -> str:
    """A required attribute."""
    value = element.get(name)
    if value is None:
        raise violation(element, f"The required attribute '{name}' is missing.")
    if allowed is not None and value not in allowed:
        raise violation(
            element,
            f"The '{name}' attribute is invalid - The value '{value}' is invalid according to its datatype "
            "- The Enumeration constraint failed.",
        )
    return value


def nth(parent: etree._Element, index: int) -> etree._Element:
    """The child at a position the schema says is taken."""
    if index >= len(parent):
        raise violation(parent, f"The element '{local(parent)}' has incomplete content.")
    return parent[index]


def required(parent: etree._Element, tag: str) -> etree._Element:
    """A child that the content model has already promised."""
    child = parent.find(tag)
    if child is None:
        raise violation(parent, f"The element '{local(parent)}' has incomplete content.")
    return child


def children(parent: etree._Element, tag: str) -> list[etree._Element]:
    """The elements of a list that must not be empty."""
    container = required(parent, tag)
    if not len(container):
        raise violation(container, f"The element '{local(container)}' has incomplete content.")
    return list(container)


def item_ids(parent: etree._Element) -> list[etree._Element]:
    """The item ids of a request, each to be answered on its own."""
    found = list(parent)
    for element in found:
        if element.tag not in {f"{T}ItemId", f"{T}OccurrenceItemId", f"{T}RecurringMasterItemId"}:
            raise violation(parent, f"The element '{local(parent)}' has invalid child element '{local(element)}'.")
        if element.tag == f"{T}ItemId":
            attribute(element, "Id")
    if not found:
        raise violation(parent, f"The element '{local(parent)}' has incomplete content.")
    return found
