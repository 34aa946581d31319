"""Callback tokens: which operator and subscription a notification is for, signed into the URL Exchange calls.

A token is ``base64url(mac ‖ length of serial ‖ serial ‖ operator_id)`` without padding; the mac is HMAC-SHA256 cut to
128 bits, which keeps the URL short and a guess hopeless. It names, authenticates and routes a notification without a
look-up. It does not expire: a notification of a retired subscription is told by its serial.
"""

import base64
import binascii
import hashlib
import hmac
import struct

from engine.errors import CallbackForged, SettingsError
from engine.model import OperatorId

LISTENER_PATH = "/ews/notifications"
URL_LIMIT = 2082
"""Characters Exchange takes of a notification URL."""

_MAC_BYTES = 16
_LENGTH = struct.Struct(">H")
_PURPOSE = b"mailroom callback 1\0"


def signing_key(key: str, admin_token: str = "") -> bytes:
    """The key callback tokens are signed with: from MAILROOM_KEY, or else derived from the administrator's token.

    It must be the same in every process and after every restart: with another key, subscriptions go unheard until
    they are renewed.

    Raises:
        SettingsError: neither is set.
    """
    if key:
        return hmac.digest(key.encode("utf-8", "surrogatepass"), _PURPOSE, hashlib.sha256)
    if not admin_token:
        raise SettingsError(
            "No key to sign notification URLs with. Set MAILROOM_KEY to a long random text "
            "(`openssl rand -hex 32` makes one) and keep it for good."
        )
    # Slow on purpose: who sees a callback URL must not be able to try out administrators' tokens on it.
    return hashlib.scrypt(admin_token.encode("utf-8", "surrogatepass"), salt=_PURPOSE, n=2**14, r=8, p=1, dklen=32)


def sign(key: bytes, operator_id: OperatorId, serial: str) -> str:
    """The token of one subscription, fit for one segment of a URL."""
    serial_bytes = serial.encode("utf-8", "surrogatepass")
    payload = _LENGTH.pack(len(serial_bytes)) + serial_bytes + operator_id.encode("utf-8", "surrogatepass")
    return _encode(_mac(key, payload) + payload)


def verify(key: bytes, token: str) -> tuple[OperatorId, str]:
    """The (operator_id, serial) a token was signed for.

    Raises:
        CallbackForged: it was not signed with this key, or has been changed since.
    """
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise CallbackForged("The callback token is garbled.") from None
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    # Base64 has several spellings of the same bytes; only the one that was handed out is taken.
    if not hmac.compare_digest(mac, _mac(key, payload)) or _encode(raw) != token:
        raise CallbackForged("The callback token was not signed by this Mailroom.")
    start = _LENGTH.size + _LENGTH.unpack_from(payload)[0]
    serial, operator_id = payload[_LENGTH.size : start], payload[start:]
    return OperatorId(operator_id.decode("utf-8", "surrogatepass")), serial.decode("utf-8", "surrogatepass")


def callback_url(base: str, token: str) -> str:
    """Where Exchange sends the notifications of one subscription.

    ``base`` is email_sync.notification_url, or the gateway's own address: with or without the listener's path.

    Raises:
        SettingsError: the URL would be longer than Exchange takes.
    """
    root = base.rstrip("/").removesuffix(LISTENER_PATH).rstrip("/")
    url = f"{root}{LISTENER_PATH}/{token}"
    if len(url) > URL_LIMIT:
        raise SettingsError(
            f"email_sync.notification_url: with the callback token it makes a URL of {len(url):,} characters, "
            f"and Exchange takes {URL_LIMIT:,}. Use a shorter address, or a shorter operator_id."
        )
    return url


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
