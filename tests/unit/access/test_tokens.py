import pickle
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access import base62, tokens
from engine.access.roles import Principal, Role
from engine.access.tokens import Denial, IssuedToken, TokenRecord, TokenRequest
from engine.errors import SettingsError, Unauthenticated

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ENTROPY = bytes(range(tokens.ENTROPY_BYTES))
SECONDS = timedelta(seconds=1)


def issued(entropy: bytes = ENTROPY, expires_at: datetime | None = None, name: str = "grafana") -> IssuedToken:
    return tokens.issue(TokenRequest(name, Role.SALES_OPS, "ann", ["night shift"], expires_at), entropy, NOW)


def denial(presented: str, record: TokenRecord | None, now: datetime = NOW) -> tuple[str, str]:
    with pytest.raises(Unauthenticated) as caught:
        tokens.verify(presented, record, now)
    return caught.value.reason, str(caught.value)


def test_a_token_names_its_principal() -> None:
    token = issued()
    principal = Principal("grafana", Role.SALES_OPS, frozenset({"night shift"}), token.record.token_id)
    assert tokens.verify(token.text, token.record, NOW) == principal


@given(entropy=st.binary(min_size=40, max_size=40))
def test_any_entropy_makes_a_token_that_is_found_and_verified(entropy: bytes) -> None:
    token = issued(entropy)
    assert re.fullmatch(tokens.TOKEN_PATTERN, token.text)
    assert tokens.token_id_of(token.text) == token.record.token_id
    assert tokens.verify(token.text, token.record, NOW).token_id == token.record.token_id


@given(number=st.integers(0, 2**256 - 1))
def test_the_secret_holds_all_256_bits(number: int) -> None:
    digits = base62.encode(number, 43)
    assert len(digits) == 43
    again = 0
    for digit in digits:
        again = again * 62 + base62.ALPHABET.index(digit)
    assert again == number


@pytest.mark.parametrize("place", range(tokens.ENTROPY_BYTES))
def test_every_byte_of_chance_counts(place: int) -> None:
    other = issued(ENTROPY[:place] + bytes([ENTROPY[place] ^ 1]) + ENTROPY[place + 1 :])
    ours, theirs = issued().text.split("_"), other.text.split("_")
    assert (ours[1] == theirs[1], ours[2] == theirs[2]) == ((False, False) if place < 8 else (True, False))


def test_a_longer_text_is_no_token_even_with_a_fitting_checksum() -> None:
    body = issued().text + "A"
    assert tokens.token_id_of(body + base62.encode(zlib.crc32(body.encode()), 6)) is None


def test_the_secret_is_not_in_what_is_kept_or_printed() -> None:
    token = issued()
    secret = token.text.rpartition("_")[2]
    assert secret not in repr(token)
    assert secret.encode() not in pickle.dumps(token.record)
    assert token.record.digest.hex() not in repr(token.record)
    assert repr(token.record.digest) not in repr(token.record)


def test_the_checksum_is_a_crc_of_what_stands_before_it() -> None:
    body, check = issued().text[:-6], issued().text[-6:]
    assert check == base62.encode(zlib.crc32(body.encode()), 6)


@given(data=st.data())
def test_any_changed_character_is_malformed_and_found_out_without_a_record(data: st.DataObject) -> None:
    text = issued().text
    place = data.draw(st.integers(3, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda char: char != text[place]))
    changed = text[:place] + other + text[place + 1 :]
    assert tokens.token_id_of(changed) is None
    assert denial(changed, None)[0] == Denial.MALFORMED


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t + "\n", lambda t: t[:20], str.upper]
)
def test_a_cut_or_mistyped_token_is_not_looked_up(change: Callable[[str], str]) -> None:
    assert tokens.token_id_of(change(issued().text)) is None


def test_wrong_and_unknown_read_alike_from_the_outside() -> None:
    one, other = issued(), issued(ENTROPY[:8] + bytes(32))
    assert one.record.token_id == other.record.token_id
    wrong, unknown = denial(other.text, one.record), denial(other.text, None)
    assert (wrong[0], unknown[0]) == (Denial.WRONG, Denial.UNKNOWN)
    assert wrong[1] == unknown[1]


@given(presented=st.text().filter(lambda text: not text.startswith("mr_")))
def test_any_other_text_is_not_valid(presented: str) -> None:
    assert denial(presented, None) == denial(issued().text, None)
    assert denial(presented, issued().record)[0] == Denial.WRONG


def test_expired_and_revoked_are_told_only_to_whoever_has_the_secret() -> None:
    token, guess = issued(expires_at=NOW + SECONDS), issued(ENTROPY[:8] + bytes(32))
    expired, revoked = NOW + SECONDS, tokens.revoke(token.record, NOW)
    assert denial(token.text, token.record, expired)[0] == Denial.EXPIRED
    assert denial(token.text, revoked)[0] == Denial.REVOKED
    assert denial(guess.text, token.record, expired) == denial(guess.text, token.record)
    assert denial(guess.text, revoked) == denial(guess.text, token.record)


def test_a_token_is_valid_until_the_moment_it_expires() -> None:
    token = issued(expires_at=NOW + SECONDS)
    assert tokens.verify(token.text, token.record, NOW + SECONDS - timedelta(microseconds=1))
    assert denial(token.text, token.record, NOW + SECONDS)[0] == Denial.EXPIRED


def test_a_record_cannot_be_shown_another_tokens_secret() -> None:
    one, other = issued(), issued(bytes(40))
    assert denial(one.text, replace(other.record, token_id=one.record.token_id))[0] == Denial.WRONG


def test_revoking_twice_keeps_the_first_time() -> None:
    once = tokens.revoke(issued().record, NOW)
    assert once.revoked_at == NOW
    assert tokens.revoke(once, NOW + SECONDS) == once


def test_use_is_noted_once_a_minute() -> None:
    record = issued().record
    assert tokens.worth_noting(record, NOW)
    used = replace(record, last_used_at=NOW)
    assert not tokens.worth_noting(used, NOW + 59 * SECONDS)
    assert tokens.worth_noting(used, NOW + 60 * SECONDS)


@pytest.mark.parametrize("name", ["", "  ", "a" * 65, "two\nlines", "\u202egrafana", "Admin (Environment)"])
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^name: "):
        issued(name=name)


@pytest.mark.parametrize("group", ["", "x\0y"])
def test_odd_groups_are_refused(group: str) -> None:
    with pytest.raises(SettingsError, match=r"^groups: "):
        tokens.issue(TokenRequest("grafana", Role.VIEWER, "ann", [group]), ENTROPY, NOW)


def test_a_token_cannot_be_born_expired_or_of_too_little_chance() -> None:
    with pytest.raises(SettingsError, match="expires_at"):
        issued(expires_at=NOW)
    with pytest.raises(ValueError, match="40 bytes"):
        issued(b"\0" * 39)


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER   abc ", " Bearer abc"])
def test_a_bearer_header_is_read(value: str) -> None:
    assert tokens.bearer([value]) == "abc"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], Denial.MISSING),
        ([""], Denial.MALFORMED),
        (["Bearer"], Denial.MALFORMED),
        (["Bearer  "], Denial.MALFORMED),
        (["Basic YWRtaW46"], Denial.MALFORMED),
        (["abc"], Denial.MALFORMED),
        (["Bearer abc", "Bearer def"], Denial.MALFORMED),
    ],
)
def test_no_token_is_told_from_an_odd_header(values: list[str], reason: Denial) -> None:
    with pytest.raises(Unauthenticated, match="Authorization: Bearer TOKEN") as caught:
        tokens.bearer(values)
    assert caught.value.reason == reason


def test_the_environments_token_is_the_administrators() -> None:
    assert tokens.verify_environment("s3cret", "s3cret") == Principal("admin (environment)", Role.ADMINISTRATOR)
    assert tokens.verify_environment("s3cre", "s3cret") is None
    assert tokens.verify_environment("\udce4", "\udce4") is not None
    assert tokens.verify_environment("", "") is None
