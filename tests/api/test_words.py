import io

from rich.console import Console

from api.tables import plain_lines, terminal_table
from api.words import TroubleReport, error_lines
from engine import errors
from engine.model import OperatorId
from engine.status import Trouble


def trouble(code: str, operators: int = 1, message: str = "no") -> Trouble:
    return Trouble(code, "Cause.", "Remedy.", operators, OperatorId("anna"), message)


def test_settings_problems_are_a_line_each() -> None:
    assert error_lines(errors.SettingsError("a: x.\nb: y.")) == ["a: x.", "b: y."]


def test_errors_of_exchange_say_what_to_do() -> None:
    (line,) = error_lines(errors.AuthenticationFailed("401\nfrom the server"))
    assert line.startswith("Exchange does not accept the service account's credentials. Check exchange.username")
    assert line.endswith("(AUTH_FAILED: 401 from the server)")


def test_nothing_is_said_twice() -> None:
    remedy = "Set exchange.url to the EWS address, usually https://HOST/EWS/Exchange.asmx."
    (line,) = error_lines(errors.EndpointInvalid(f"HTTP 404. {remedy}"))
    assert line.count(remedy) == 1


def test_an_error_without_words_has_its_name() -> None:
    assert error_lines(errors.HostUnavailable("")) == ["HostUnavailable"]


def test_each_trouble_is_said_once_and_its_end_once() -> None:
    report = TroubleReport()
    assert report.observe([trouble("A", 1)]) == ["A: Cause. Remedy. (anna: no)"]
    assert report.observe([trouble("A", 7)]) == []
    assert report.observe([trouble("A"), trouble("B", 1200)]) == [
        "B: Cause. Remedy. (1,200 operators, such as anna: no)"
    ]
    assert report.observe([trouble("B")]) == ["A: recovered."]
    assert report.observe([]) == ["B: recovered."]
    assert report.observe([trouble("A", message="anna: gone\x1b[2J")]) == ["A: Cause. Remedy. (anna: gone [2J)"]


def test_a_terminal_is_safe_from_subjects_and_sees_all_of_them() -> None:
    out = io.StringIO()
    subject = "evil \x1b[2J\u202e " + "long " * 50
    Console(file=out, width=40, force_terminal=True, color_system=None).print(terminal_table(["[red]s"], [[subject]]))
    text = out.getvalue()
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert "[red]s" in text
    assert text.count("long") == 50


def test_wide_characters_line_up() -> None:
    lines = list(plain_lines(["a", "b"], [["日本", 1], ["x", {"k": [None]}]]))
    assert lines == ["a    | b", "-----+--------------", "日本 | 1", 'x    | {"k": [null]}']


def test_a_table_without_columns_or_rows() -> None:
    assert list(plain_lines(["a"], [])) == ["a", "-"]
