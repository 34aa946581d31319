"""docs/crm.md names every field and every column that is read."""

import re
from pathlib import Path

from engine.crm import fields
from engine.crm.fields import FIELDS
from engine.crm.model import RecordKind

PAGE = (Path(__file__).parents[3] / "docs" / "crm.md").read_text(encoding="utf-8")


def _titles(cell: str) -> set[str]:
    """The titles of a cell, as they are compared; ``a1` to `a3`` are three."""
    found = {title.replace("_", "") for title in re.findall(r"`(\w+)`", cell)}
    spans = re.findall(r"`(\w+)(\d)` to `\w+(\d)`", cell)
    return found | {f"{stem}{n}".replace("_", "") for stem, low, high in spans for n in range(int(low), int(high) + 1)}


def test_every_column_by_its_field() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (`[^|]+) \|", PAGE, re.MULTILINE))
    known: dict[str, set[str]] = {}
    for (field, _), names in fields._ALIASES.items():
        known.setdefault(field, set()).update(names.split())
    assert {field: _titles(cell) - {"contactid"} for field, cell in rows.items() if field in known} == {
        field: names - {"contactid"} for field, names in known.items()
    }


def test_every_field_by_its_kind() -> None:
    rows = dict(re.findall(r"^\| (\w+(?:, \w+)?) \| (`[^|]+) \|$", PAGE, re.MULTILINE))
    shown = {kind: tuple(re.findall(r"`(\w+)`", cell)) for kinds, cell in rows.items() for kind in kinds.split(", ")}
    assert shown == {kind.plural: FIELDS[kind] for kind in RecordKind}
