"""The views people query, and the words of ``engine.failures`` in them; both renewed at every opening."""

import re
from functools import cache
from importlib.resources import files

import duckdb

from engine import failures
from engine.store.migrate import transaction

_VIEW = re.compile(r"^CREATE OR REPLACE VIEW main\.(\w+) AS", re.MULTILINE)


@cache
def view_names() -> tuple[str, ...]:
    """What can be selected from, in the order of ``views.sql``."""
    return tuple(_VIEW.findall(_sql()))


def renew_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the views and the words of ``engine.failures`` as this version knows them."""
    rows = [(failure.code, failure.cause, failure.remedy) for failure in failures.all_failures()]
    with transaction(connection):
        connection.execute(_sql())
        connection.execute("DELETE FROM _mailroom.failure_words")
        connection.executemany("INSERT INTO _mailroom.failure_words VALUES (?, ?, ?)", rows)


def _sql() -> str:
    return files("engine.store").joinpath("views.sql").read_text(encoding="utf-8")
