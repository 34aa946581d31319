"""What schemathesis is told beyond the document: names that exist, SQL that runs, and what only a meaning can refuse.

It is loaded into schemathesis's own process (SCHEMATHESIS_HOOKS); ``KNOWN`` in its environment are values of path
parameters, by name, as JSON.
"""

import json
import os
import zlib
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData

KNOWN = "MAILROOM_FUZZ_KNOWN"
_known: dict[str, list[str]] = json.loads(os.environ.get(KNOWN, "{}"))

VIEWS = ("operators", "emails", "all_emails", "attachments", "mailboxes", "subscriptions", "failures", "job_runs")
_QUERIES = st.sampled_from(
    [
        *map("SELECT * FROM {}".format, VIEWS),
        "SELECT 1",
        "SELECT NULL, 1.5, 'ä', DATE '2026-03-01', [1, 2], {'a': 1}",
        "SELECT * FROM range(10)",
        "SELECT 'NaN'::DOUBLE, 'inf'::DOUBLE, 170141183460469231731687303715884105727",
        "SELECT INTERVAL 1 MONTH, TIME '12:00', uuid(), 'x'::BLOB, TIMESTAMP '290000-01-01'",
        "SELECT operator_id, count(*) FROM emails GROUP BY ALL",
        "DESCRIBE emails",
    ]
)
schemathesis.openapi.format("sql", _QUERIES | st.text(min_size=1))


@schemathesis.hook
def filter_failure(context: Any, failure: Failure, case: Any, response: Response) -> bool:
    """A request that is as the document says may still be refused for what it means: never as BAD_REQUEST, though."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in {400, 413}:
        return True
    return _code(response) == "BAD_REQUEST"


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any]) -> dict[str, Any]:
    """Half of the time, something that exists; which half follows from what was generated."""
    made = dict(path_parameters)
    for name, value in path_parameters.items():
        chance = zlib.crc32(repr(value).encode("utf-8", "replace"))
        if chance % 2 and _known.get(name):
            made[name] = _known[name][chance // 2 % len(_known[name])]
    return made


def _code(response: Response) -> str:
    try:
        return str(json.loads(response.content)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""
