"""When two spellings are one address, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.privacy.addresses import canonical, is_address, names_of

ADDRESS = "ann@example.com"


@pytest.mark.parametrize(
    "spelling",
    [
        "ann@example.com",
        "ANN@Example.COM",
        "  ann@example.com\t",
        "<ann@example.com>",
        "SMTP:ann@example.com",
        "mailto:Ann@example.com",
        "ann@example.com.",
    ],
)
def test_one_address(spelling: str) -> None:
    assert canonical(spelling) == ADDRESS
    assert is_address(spelling)


@pytest.mark.parametrize("other", ["ann@example.org", "an.n@example.com", "ann@mail.example.com", "ann"])
def test_others(other: str) -> None:
    assert ADDRESS not in names_of(other)


def test_a_domain_is_what_dns_knows_it_as() -> None:
    assert canonical("ann@MÜLLER.example") == canonical("ann@xn--mller-kva.example")
    assert canonical("u\u0308@example.com") == canonical("ü@example.com"), "composed or not"


def test_a_tag_belongs_to_the_address_before_it_and_not_the_other_way_round() -> None:
    assert names_of("Ann+News@example.com") == ("ann+news@example.com", ADDRESS)
    assert names_of(ADDRESS) == (ADDRESS,)
    assert names_of("+news@example.com") == ("+news@example.com",)


@pytest.mark.parametrize(
    "text", ["", "ann", "ann@", "@example.com", "ann@example", "a b@example.com", "a@b.c,d@e.f", "a\0@b.c", "a@b..c"]
)
def test_no_address(text: str) -> None:
    assert not is_address(text)


@given(st.text())
def test_any_text_has_a_spelling_that_stays(text: str) -> None:
    assert names_of(text)
    if is_address(text):
        assert is_address(canonical(text))
