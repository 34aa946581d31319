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
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import AllowHeaderMismatch, EnsureResourceAvailability, RejectedPositiveData

KNOWN = "MAILROOM_FUZZ_KNOWN"
REHEARSED = {"POST /api/v1/erasures"}
"""With ``dry_run`` nothing is made: the answer is 200, not 201, and its id is nowhere."""
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
    """False: it is no failure."""
    if response.status_code == 413:
        return not isinstance(failure, (AcceptedNegativeData, RejectedPositiveData))
    if isinstance(failure, EnsureResourceAvailability):
        return failure.created_with not in REHEARSED
    if isinstance(failure, AllowHeaderMismatch):
        return not _is_value_too(case)
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        return not _is_refused_for_its_meaning(case, response)
    return True


def _is_refused_for_its_meaning(case: Any, response: Response) -> bool:
    """What is as the document says is never BAD_REQUEST; of bytes (CSV, SOAP) the document says nothing."""
    return _code(response) != "BAD_REQUEST" or case.media_type not in {None, "application/json"}


def _is_value_too(case: Any) -> bool:
    """``/operators/import`` is also where the operator of this id would be, who may be read and changed."""
    stem = case.operation.path.rpartition("/")[0]
    return any(
        path.rpartition("/")[0] == stem and path.endswith("}") for path in case.operation.schema.raw_schema["paths"]
    )


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Half of the time, something that exists; which half follows from what was generated."""
    if path_parameters is None:  # the path has none
        return None
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
