"""Temporary tables and registered ones share their names' space on the writer's connection: no name is both."""

import re
from pathlib import Path

import engine.store

SOURCES = [one.read_text() for one in Path(engine.store.__file__).parent.rglob("*.py")]


def found(pattern: str) -> set[str]:
    return {name for text in SOURCES for name in re.findall(pattern, text)}


def test_no_temporary_table_is_in_the_way_of_a_registered_one() -> None:
    temporary = found(r"TEMP TABLE (\w+)")
    registered = found(r'registered\(\s*[\w.]+,\s*"(\w+)"')
    assert len(temporary) > 5
    assert len(registered) > 15
    assert temporary & registered == set()
