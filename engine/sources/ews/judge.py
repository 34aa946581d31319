"""What an HTTP answer, or the lack of one, means. Every message names the address and says what to do.

Throttling by HTTP status follows
https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange
(503 means that requests queue up in IIS: wait).
"""

import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import spnego.exceptions
import urllib3

from engine import errors

_TAGS = re.compile(rb"<(?:script|style).*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_LOCKED_OUT = b"The referenced account is currently locked out"
_BAD_VERSION = (b"The specified server version is invalid", b"ErrorInvalidSchemaVersionForMailboxVersion")
_STOPPED = b"The service is unavailable"  # http.sys: the application pool is stopped
_SET_URL = "Set exchange.url to the EWS address, usually https://HOST/EWS/Exchange.asmx."


def shown(url: str) -> str:
    """An address fit for messages: without user, password and query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """``Retry-After`` in seconds, from either of its forms; None where there is none."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    with suppress(ValueError):  # the other form is a date
        return max(0.0, float(value))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - (now or datetime.now(UTC))).total_seconds())


def is_xml(body: bytes) -> bool:
    """Whether this might be a SOAP answer, and not a web page."""
    start = body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")) and not start.startswith((b"<!doctype html", b"<html"))


def judge(url: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Return if ``body`` is to be read as SOAP; raise what the answer means otherwise."""
    xml = is_xml(body)
    if (status == 200 and xml) or (status in (400, 500, 503) and xml and b"Fault" in body):
        return  # Exchange sends faults with several statuses
    where, code = shown(url), f"HTTP {status}"
    error = _by_status(where, code, status, headers, body) or _by_body(where, code, status, headers, body)
    raise error


def _by_status(
    where: str, code: str, status: int, headers: Mapping[str, str], body: bytes
) -> errors.SourceError | None:
    error: errors.SourceError | None = None
    if status in (401, 456):
        error = _refused_login(where, code, headers, body)
    elif status == 403:
        reason = _excerpt(body) or "no reason given"
        error = errors.EwsBlocked(f"{where} answers 403 Forbidden: {reason}", code=code)
    elif status == 407:
        remedy = "Put it into HTTPS_PROXY, or name the host in NO_PROXY."
        error = errors.SourceUnavailable(f"The proxy before {where} wants a login. {remedy}", code=code)
    elif status == 413:
        error = errors.RequestRefused(f"{where} finds our request too large.", code=code)
    elif status == 429 or (status == 503 and (_STOPPED not in body or "Retry-After" in headers)):
        error = errors.Throttled(f"{where} answers {code}.", retry_after=retry_after(headers), code=code)
    elif 300 <= status < 400:
        error = _redirected(where, code, headers)
    return error


def _by_body(where: str, code: str, status: int, headers: Mapping[str, str], body: bytes) -> errors.SourceError:
    excerpt = _excerpt(body)
    cas = headers.get("X-CasErrorCode", "")
    if cas:
        kind = errors.MailboxNotFound if "notfound" in cas.lower().replace(" ", "") else errors.SourceUnavailable
        return kind(f"{where}: the front end says {cas}", code=cas)
    if any(words in body for words in _BAD_VERSION):
        return errors.VersionInvalid(f"{where}: {excerpt}", code=code)
    if status >= 500 or status == 408 or (status == 400 and "invalid" not in excerpt.lower()):
        # A 400 without a word succeeds when it is repeated
        return errors.SourceUnavailable(f"{where} answers {code}{f': {excerpt}' if excerpt else ''}", code=code)
    if status == 200 and not body.strip():
        return errors.SourceUnavailable(f"{where} gave an empty answer.", code=code)
    what = "a web page" if status == 200 else code
    return errors.EndpointInvalid(
        f"{where} answers with {what}{f' ({excerpt})' if excerpt else ''}, not as EWS does. {_SET_URL}", code=code
    )


def _redirected(where: str, code: str, headers: Mapping[str, str]) -> errors.SourceError:
    target = shown(headers.get("Location", "")) or "nowhere"
    if "genericerrorpage.htm" in target.lower():
        return errors.SourceUnavailable(f"{where} sends us to its error page; this happens in outages.", code=code)
    return errors.EndpointInvalid(f"{where} sends us on to {target}, which EWS does not do. {_SET_URL}", code=code)


def _refused_login(where: str, code: str, headers: Mapping[str, str], body: bytes) -> errors.SourceError:
    if _LOCKED_OUT in body:
        return errors.AuthenticationFailed(f"{where}: the service account is locked out.", code=code)
    offered = ", ".join(
        dict.fromkeys(re.findall(r"(?:^|,\s*)([A-Za-z]+)(?=\s|,|$)", headers.get("WWW-Authenticate", "")))
    )
    hint = f" It offers: {offered}." if offered else ""
    return errors.AuthenticationFailed(f"{where} does not accept the credentials.{hint}", code=code)


def _excerpt(body: bytes) -> str:
    text = " ".join(_TAGS.sub(b" ", body[:4000]).decode("utf-8", errors="replace").split())
    return text[:200] + ("..." if len(text) > 200 else "")


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(chain) < 20:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and current not in chain:
            chain.append(current)
            waiting += [current.__cause__, getattr(current, "reason", None), current.__context__, *current.args]
    return chain


_Kinds = tuple[type[BaseException], ...]
_NO_ANSWER: tuple[tuple[_Kinds, type[errors.SourceError], str], ...] = (
    (
        (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema),
        errors.EndpointInvalid,
        "{where} is no address that can be called. " + _SET_URL,
    ),
    (
        (requests.exceptions.InvalidHeader, UnicodeError),
        errors.RequestRefused,
        "The request to {where} cannot be written as HTTP.",
    ),
    (
        (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError),
        errors.ResponseUnreadable,
        "{where}: the answer's compression is broken.",
    ),
    (
        (urllib3.exceptions.ProxyError, requests.exceptions.ProxyError),
        errors.SourceUnavailable,
        "The proxy before {where} does not let us through. Check HTTPS_PROXY and NO_PROXY.",
    ),
    (
        (urllib3.exceptions.NameResolutionError, socket.gaierror),
        errors.SourceUnavailable,
        "{host} has no address in DNS. Check exchange.url, and name resolution on this machine.",
    ),
    (
        (ConnectionRefusedError,),
        errors.SourceUnavailable,
        "{host} refuses the connection. Check exchange.url, and that Exchange is running.",
    ),
    (
        (urllib3.exceptions.ConnectTimeoutError,),
        errors.SourceUnavailable,
        "{host} cannot be connected to in time. Check exchange.url, and the firewall between.",
    ),
    (
        (urllib3.exceptions.ReadTimeoutError, TimeoutError),
        errors.SourceUnavailable,
        "{where} did not answer in time (exchange.timeout).",
    ),
    (
        (urllib3.exceptions.HTTPError, requests.RequestException, OSError),
        errors.SourceUnavailable,
        "{where} broke off the connection.",
    ),
    (
        # requests_ntlm looks for a challenge where there is none
        (spnego.exceptions.SpnegoError, KeyError),
        errors.AuthenticationFailed,
        "{where} and we do not come to terms over NTLM.",
    ),
)
"""The first row that fits any cause of the exception counts."""


def no_answer(url: str, error: Exception) -> errors.SourceError:
    """The error for a request that got no answer, or half of one.

    The library's own words are not quoted: they may hold a proxy's login.
    """
    where, causes = shown(url), _causes(error)
    host = urlsplit(where).netloc

    def has(kinds: _Kinds) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if has((ssl.SSLError, requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return _tls(where, host, next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None))
    for kinds, error_kind, words in _NO_ANSWER:
        if has(kinds):
            return error_kind(words.format(where=where, host=host), code=type(error).__name__)
    return errors.SourceUnavailable(f"{where} cannot be reached ({type(error).__name__}).", code=type(error).__name__)


def _tls(where: str, host: str, error: ssl.SSLError | None) -> errors.SourceError:
    reason = (error.reason or "") if error else ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return errors.EndpointInvalid(
            f"The TLS certificate of {host} is not trusted: {error.verify_message}. Let REQUESTS_CA_BUNDLE name a file "
            "with the issuer's certificate, or correct the host name in exchange.url.",
            code="CERTIFICATE_VERIFY_FAILED",
        )
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
        return errors.EndpointInvalid(
            f"{host} does not speak TLS there. Use http:// or the right port in exchange.url.", code=reason
        )
    return errors.SourceUnavailable(f"{where}: TLS failed ({reason or 'handshake'}).", code=reason or "TLS")
