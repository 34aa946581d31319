"""The error tree: every error survives the way between processes, and leads somewhere."""

import pickle
import re
from collections.abc import Iterator

import pytest
from ray import cloudpickle

from engine import errors, failures
from engine.errors import MailboxNotFound, MailroomError, Throttled


def tree(kind: type[MailroomError] = MailroomError) -> Iterator[type[MailroomError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


OURS = sorted({kind for kind in tree() if kind.__module__ == errors.__name__}, key=lambda kind: kind.__name__)
FIELDS: dict[type[MailroomError], dict[str, object]] = {
    Throttled: {"retry_after": 2.5},
    MailboxNotFound: {"corrected_address": "ann@example.com"},
}


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_every_error_survives_pickling(kind: type[MailroomError], pickler: object) -> None:
    error = kind("what happened", code="ErrorOdd", **FIELDS.get(kind, {}))
    error.add_note("seen at noon")
    again = pickle.loads(pickler.dumps(error))  # type: ignore[attr-defined]  # noqa: S301  # our own bytes
    assert type(again) is kind
    assert str(again) == "what happened"
    assert vars(again) == vars(error)
    assert again.code == "ErrorOdd"
    assert {name: getattr(again, name) for name in FIELDS.get(kind, {})} == FIELDS.get(kind, {})


def test_an_error_made_without_a_code_has_none_after_pickling() -> None:
    again = pickle.loads(pickle.dumps(Throttled("busy", retry_after=0)))  # noqa: S301  # the same
    assert (again.code, again.retry_after) == (None, 0)


@pytest.mark.parametrize("kind", OURS)
def test_every_error_leads_somewhere(kind: type[MailroomError]) -> None:
    failure = failures.failure_for(kind("what happened"))
    assert failure.code
    assert failure.cause.endswith(".")
    assert failure.remedy.endswith(".")


def test_what_exchange_does_to_a_mailbox_is_never_called_internal() -> None:
    internal = {kind for kind in OURS if failures.failure_for(kind("x")).code == "INTERNAL"}
    assert {kind for kind in internal if issubclass(kind, errors.SourceError)} == {errors.SourceError}


def test_anything_else_is_internal() -> None:
    assert failures.failure_for(KeyError("x")).code == "INTERNAL"


def test_codes_are_distinct_and_found_again() -> None:
    rows = failures.all_failures()
    assert len({row.code for row in rows}) == len(rows)
    assert [failures.failure_by_code(row.code) for row in rows] == list(rows)
    assert failures.failure_by_code("NO_SUCH_CODE") is None


def test_the_docstring_draws_the_whole_tree() -> None:
    drawing = (errors.__doc__ or "").split("Every error survives")[0]
    drawn = re.findall(r"^[│├└─ ]*([A-Z][A-Za-z]+Error|[A-Z][A-Za-z]+)\b", drawing, flags=re.MULTILINE)[1:]
    assert sorted(drawn) == [kind.__name__ for kind in OURS]


def test_the_drawing_hangs_every_class_under_its_parent() -> None:
    path: list[str] = []
    for line in (errors.__doc__ or "").split("Every error survives")[0].splitlines():
        match = re.match(r"^([│├└─ ]*)([A-Z]\w+)", line)
        if match is None or not hasattr(errors, match[2]):
            continue
        depth = len(match[1]) // 4
        path = [*path[:depth], match[2]]
        parent = getattr(errors, match[2]).__mro__[1].__name__
        assert parent == (path[-2] if depth else "Exception")
