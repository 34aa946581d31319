"""The suppression list: whom it holds, in batches of every shape, and what it gives away."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.columns import FETCHED_EMAILS
from engine.privacy.addresses import names_of
from engine.privacy.suppression import Suppression, check_of, digest_of, suppression_key

KEY = suppression_key(b"the installation's")
PEOPLE = ("a@x.com", "A@x.com", "a+t@x.com", "b@x.com", "", None)
address = st.sampled_from(PEOPLE)
several = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.builds(lambda one: {"address": one}, address))))
row = st.fixed_dictionaries(
    {
        "item_id": st.just("i"),
        "sender_address": address,
        "to_recipients": several,
        "cc_recipients": several,
        "bcc_recipients": several,
    }
)


def people_of(one: dict[str, Any]) -> list[str | None]:
    lists = (one[name] or [] for name in ("to_recipients", "cc_recipients", "bcc_recipients"))
    return [one["sender_address"], *(each["address"] for people in lists for each in people if each)]


@given(st.lists(row, max_size=8), st.integers(0, 3))
def test_rows_that_name_somebody(rows: list[dict[str, Any]], skipped: int) -> None:
    batch = pa.RecordBatch.from_pylist(rows, schema=FETCHED_EMAILS).slice(skipped)
    expected = [
        number
        for number, one in enumerate(rows[skipped:])
        if any("a@x.com" in names_of(each) for each in people_of(one) if each is not None)
    ]
    assert Suppression(KEY, [digest_of(KEY, "A@X.com")]).rows_of(batch) == expected


def test_an_empty_list_is_false() -> None:
    assert not Suppression()
    assert Suppression(KEY, [b"x"])


def test_another_key_recognises_nobody() -> None:
    other = suppression_key(b"another")
    assert not Suppression(other, [digest_of(KEY, "a@x.com")]).holds("a@x.com")
    assert check_of(other) != check_of(KEY)


def test_the_check_is_no_digest_of_an_address() -> None:
    assert check_of(KEY) not in {digest_of(KEY, one) for one in ("", "check", "a@x.com")}


@pytest.mark.parametrize("count", [1, 60_000])
def test_answers_stay_right_however_many_are_remembered(count: int) -> None:
    suppression = Suppression(KEY, [digest_of(KEY, "a@x.com")])
    assert not any(suppression.holds(f"u{n}@x.com") for n in range(count))
    assert suppression.holds("a+news@x.com")
    assert suppression.holds("a+news@x.com")
