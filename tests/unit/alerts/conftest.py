from collections.abc import AsyncIterator

import pytest

from tests.fakes.certificate import Certificate, self_signed
from tests.fakes.smtp_server import SmtpServer


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    made = SmtpServer()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("tls"))
