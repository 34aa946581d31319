"""A real SMTP server in a thread of the test's own process, and what it has received."""

from types import TracebackType
from typing import Self

from tests.cluster.loop_thread import LoopThread
from tests.fakes.smtp_server import Received, SmtpServer


class Postbox:
    """``port``: where it takes mail in, on loopback."""

    def __init__(self) -> None:
        self._server = SmtpServer()
        self._thread: LoopThread

    def __enter__(self) -> Self:
        self._thread = LoopThread("smtp")
        self._thread.run(self._server.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.run(self._server.stop())
        self._thread.stop()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def received(self) -> list[Received]:
        """Every mail so far, in the order of arrival."""
        return list(self._server.received)
