import pytest

from engine import errors
from engine.sources.ews.judge import judge, retry_after, shown
from engine.sources.ews.transport import is_loopback

HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Hello</body></html>"


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "words"),
    [
        (401, "", {"WWW-Authenticate": 'Negotiate, NTLM, Basic realm="x"'}, errors.AuthenticationFailed, "Basic"),
        (401, "The referenced account is currently locked out", {}, errors.AuthenticationFailed, "locked"),
        (403, "Access blocked by policy", {}, errors.EwsBlocked, "policy"),
        (403, "", {}, errors.EwsBlocked, "403"),
        (404, HTML, {}, errors.EndpointInvalid, "exchange.url"),
        (405, "", {}, errors.EndpointInvalid, "405"),
        (302, "", {"Location": "https://x.example/owa/auth/logon.aspx?u=1"}, errors.EndpointInvalid, "logon.aspx"),
        (302, "", {"Location": "/ews/genericerrorpage.htm?aspxerrorpath=x"}, errors.SourceUnavailable, "error page"),
        (301, "", {}, errors.EndpointInvalid, "nowhere"),
        (200, HTML, {}, errors.EndpointInvalid, "web page"),
        (200, '{"hello": 1}', {}, errors.EndpointInvalid, "exchange.url"),
        (200, "<Autodiscover/>", {}, errors.EndpointInvalid, "Autodiscover"),
        (200, "", {}, errors.SourceUnavailable, "empty"),
        (400, "", {}, errors.SourceUnavailable, "400"),
        (400, "<h2>Bad Request - Invalid Hostname</h2>", {}, errors.EndpointInvalid, "Invalid Hostname"),
        (407, "", {}, errors.SourceUnavailable, "proxy"),
        (413, "", {}, errors.RequestRefused, "too large"),
        (500, "Server Error in '/EWS' Application", {}, errors.SourceUnavailable, "500"),
        (500, "The specified server version is invalid", {}, errors.VersionInvalid, "version"),
        (502, HTML, {}, errors.SourceUnavailable, "502"),
        (503, "HTTP Error 503. The service is unavailable.", {}, errors.SourceUnavailable, "503"),
        (503, "", {"X-CasErrorCode": "MailboxGuidWithDomainNotFound"}, errors.Throttled, "503"),
        (500, "", {"X-CasErrorCode": "CAS error: Mailbox Not Found"}, errors.MailboxNotFound, "CAS error"),
        (500, "", {"X-CasErrorCode": "ServerLocatorServiceTransientError"}, errors.SourceUnavailable, "Transient"),
    ],
)
def test_http_answers_are_judged(
    status: int, body: str, headers: dict[str, str], kind: type[errors.SourceError], words: str
) -> None:
    if body == "<Autodiscover/>":
        judge("http://u:p@mail/EWS", status, headers, body.encode())  # XML: the parser sees that it is no SOAP
        return
    with pytest.raises(errors.SourceError, match="http://mail/EWS") as caught:
        judge("http://u:p@mail/EWS", status, headers, body.encode())
    assert type(caught.value) is kind
    assert words in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("value", "wait"), [("7", 7.0), ("0", 0.0), (None, None), ("soon", None)])
def test_the_hint_of_the_header_is_kept(status: int, value: str | None, wait: float | None) -> None:
    with pytest.raises(errors.Throttled) as caught:
        judge("http://mail/", status, {"Retry-After": value} if value else {}, b"")
    assert caught.value.retry_after == wait


def test_a_retry_after_may_be_a_date() -> None:
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    wait = retry_after({"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"})
    assert wait is not None
    assert wait > 1e9


def test_addresses_are_shown_without_logins() -> None:
    assert shown("https://user:pass@mail.example.com:444/EWS?x=1#y") == "https://mail.example.com:444/EWS"


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]:1/", True),
        ("http://a.localhost/", True),
        ("http://10.0.0.1/", False),
        ("http://localhost.example.com/", False),
    ],
)
def test_loopback_is_known(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback
