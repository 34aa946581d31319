"""CreateItem: sends a message of our own, and keeps no copy.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/createitem-operation
https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/mimecontent
"""

import asyncio
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

from exchangelib.credentials import DELEGATE
from lxml import etree

from engine.errors import MailroomError, SourceError, SourceUnavailable
from engine.settings import ExchangeSettings
from engine.sources.ews.service import Account, Operation, element
from engine.sources.ews.transport import EwsProtocol


class OwnAccount(Account):
    """The service account's own mailbox: nobody is impersonated. Its name may be no address (as with NTLM)."""

    access_type = DELEGATE


class SendMessage(Operation):
    """One message, given as MIME."""

    SERVICE_NAME = "CreateItem"

    def call(self, mime: bytes) -> None:
        """Send it to whom its To names.

        Raises:
            SourceError: it was not taken.
        """
        self.only(self.send(self.get_payload(mime)))

    def get_payload(self, mime: bytes) -> etree._Element:
        """The request."""
        content = element("t:MimeContent", b64encode(mime).decode(), CharacterSet="UTF-8")
        message = element("t:Message", content)
        return element("m:CreateItem", element("m:Items", message), MessageDisposition="SendOnly")


class EwsOutbox:
    """Sends by the service account; ``mailbox`` is its own address, or what it signs in as.

    With OAuth2 an application has no mailbox of its own, and impersonates that one.
    """

    def __init__(self, settings: ExchangeSettings, mailbox: str) -> None:
        self._protocol = EwsProtocol(settings)
        kind = Account if settings.auth == "oauth2" else OwnAccount
        self._account = kind(self._protocol, mailbox)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ews-outbox")
        self._closed = False

    async def send(self, mime: bytes) -> None:
        """Send one message.

        Raises:
            SourceError: it was not taken.
        """
        if self._closed:
            raise SourceUnavailable("The connection to Exchange has been closed.")
        await asyncio.get_running_loop().run_in_executor(self._thread, self._send, mime)

    async def close(self) -> None:
        """Let go of the connection and the thread; a request under way ends by itself."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._protocol.close()

    def _send(self, mime: bytes) -> None:
        try:
            SendMessage(self._account).call(mime)
        except MailroomError:
            raise
        except Exception as error:
            raise SourceError(f"Unexpected {type(error).__name__} while talking to Exchange.") from error
