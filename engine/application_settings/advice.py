"""What is allowed and yet worth a word: warnings that go along with the settings. Pure."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from engine.application_settings.document import flat
from engine.application_settings.model import Document

_ADVISED = range(20, 46)
"""Minutes of a StatusFrequency that need no explanation; 30 is Exchange's own default."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def warnings_of(document: Document) -> list[str]:
    """A line each, beginning with the key it is about."""
    return list(_warnings(flat(document)))


def _warnings(given: dict[str, Any]) -> Iterator[str]:
    url = urlsplit(given["exchange.url"])
    if url.scheme == "http" and given["exchange.auth"] != "ntlm" and url.hostname not in _LOOPBACK:
        yield "exchange.url: http:// sends the password or token in the clear. Use https://."
    if not given["exchange.verify_tls"]:
        yield "exchange.verify_tls: whoever stands between can read along. Trust the server's authority instead."
    minutes = given["email_sync.notification_frequency"]
    if minutes not in _ADVISED:
        effect = (
            "a failing mailbox is given up sooner, and Exchange sends more heartbeats"
            if minutes < min(_ADVISED)
            else "a failing mailbox is reported later, and a lost subscription is noticed later"
        )
        yield f"email_sync.notification_frequency: 30 minutes is advised; with {minutes} {effect}."
    if not given["email_sync.notification_url"]:
        yield (
            "email_sync.notification_url: empty, so Exchange is told the gateway's own address; push works only if it "
            "can reach that."
        )
    if (
        given["email_sync.skip_internal"]
        or given["email_sync.deny"]
        or given["email_sync.allow"]
        or given["email_sync.only_known"]
    ):
        yield (
            "email_sync: a policy keeps mail out from now on; what has landed before stays until it is purged. "
            "`mailroom policy purge --dry-run` counts it."
        )
    if not given["email_sync.notify_failures_to"]:
        yield "email_sync.notify_failures_to: empty, so nobody is told of failures by email."
