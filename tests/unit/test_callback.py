from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import callback
from engine.errors import CallbackForged, SettingsError
from engine.model import OperatorId

KEY = callback.signing_key("a key")
OPERATOR_IDS = st.text() | st.sampled_from(["", "a/b?c#d", "ärger@example.com", "日本語", "\ud800", "x" * 400])


@given(operator_id=OPERATOR_IDS, serial=st.text(max_size=64))
def test_any_operator_and_serial_round_trip(operator_id: str, serial: str) -> None:
    assert callback.verify(KEY, callback.sign(KEY, OperatorId(operator_id), serial)) == (operator_id, serial)


@given(operator_id=OPERATOR_IDS, serial=st.text(max_size=64))
def test_a_token_is_one_url_segment(operator_id: str, serial: str) -> None:
    token = callback.sign(KEY, OperatorId(operator_id), serial)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(data=st.data(), operator_id=st.text(max_size=40), serial=st.text(max_size=20))
def test_any_flipped_bit_is_refused(data: st.DataObject, operator_id: str, serial: str) -> None:
    token = callback.sign(KEY, OperatorId(operator_id), serial)
    place = data.draw(st.integers(0, len(token) - 1))
    flipped = chr(ord(token[place]) ^ (1 << data.draw(st.integers(0, 6))))
    with pytest.raises(CallbackForged):
        callback.verify(KEY, token[:place] + flipped + token[place + 1 :])


@given(token=st.text() | st.text(alphabet="ABCabc012-_=", max_size=60))
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(CallbackForged):
        callback.verify(KEY, token)


@pytest.mark.parametrize(
    "change", [lambda t: t + "=", lambda t: t + "A", lambda t: t[:-1], lambda t: " " + t, str.lower]
)
def test_another_spelling_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(CallbackForged):
        callback.verify(KEY, change(callback.sign(KEY, OperatorId("Anna"), "s1")))


def test_another_key_is_refused() -> None:
    with pytest.raises(CallbackForged):
        callback.verify(callback.signing_key("another"), callback.sign(KEY, OperatorId("anna"), "s1"))


def test_operator_and_serial_cannot_trade_places() -> None:
    tokens = {callback.sign(KEY, OperatorId(o), s) for o, s in (("ab", "c"), ("b", "ca"), ("abc", ""), ("", "abc"))}
    assert len(tokens) == 4


def test_the_key_comes_from_mailroom_key_then_from_the_admin_token() -> None:
    assert callback.signing_key("k", "t") == callback.signing_key("k") != callback.signing_key("", "t")
    assert callback.signing_key("", "t") == callback.signing_key("", "t")
    with pytest.raises(SettingsError, match="MAILROOM_KEY"):
        callback.signing_key("", "")


@pytest.mark.parametrize(
    "base",
    [
        "https://mail.example.com",
        "https://mail.example.com/",
        "https://mail.example.com/ews/notifications",
        "https://mail.example.com/ews/notifications/",
    ],
)
def test_the_listener_path_is_added_once(base: str) -> None:
    assert callback.callback_url(base, "TOKEN") == "https://mail.example.com/ews/notifications/TOKEN"


def test_a_path_before_the_listener_is_kept() -> None:
    url = callback.callback_url("https://proxy.example.com/mailroom", "T")
    assert url == "https://proxy.example.com/mailroom/ews/notifications/T"


def test_a_url_longer_than_exchange_takes_is_refused() -> None:
    fits = "https://x/" + "p" * (2082 - len("https://x/") - len("/ews/notifications/T"))
    assert len(callback.callback_url(fits, "T")) == 2082
    with pytest.raises(SettingsError, match=r"email_sync\.notification_url.*2,083.*2,082"):
        callback.callback_url(fits + "p", "T")
