import io
import json

import pytest

from actors.log_relay import RelayedStream


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(text: str, stream: io.StringIO | None = None) -> str:
    target = stream or io.StringIO()
    print(text, file=RelayedStream(target))
    return target.getvalue()


def test_a_line_of_ours_loses_rays_prefix() -> None:
    line = written('(MailboxHost pid=12) {"event": "sync finished", "level": "info", "operator": "ann"}')
    assert json.loads(line) == {"event": "sync finished", "level": "info", "operator": "ann"}


@pytest.mark.parametrize("who", ["raylet", "MailboxHost pid=12, ip=10.0.0.7"])
def test_anything_else_forwarded_becomes_an_event(who: str) -> None:
    event = json.loads(written(f"({who}) A worker died."))
    assert event == {"event": "A worker died.", "level": "warning", "logger": who}


def test_people_get_it_pretty() -> None:
    line = written('(Store pid=3) {"event": "opened", "level": "info"}', Terminal())
    assert "opened" in line
    assert "{" not in line


def test_secrets_stay_out() -> None:
    assert "hunter2" not in written('(Store pid=3) {"event": "x", "password": "hunter2"}')


@pytest.mark.parametrize("text", ["Mailroom is up.", "(not ray) hello", '{"event": "mine"}'])
def test_what_ray_did_not_forward_passes(text: str) -> None:
    assert written(text) == text + "\n"
