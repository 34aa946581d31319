"""What the benchmarks of troubles make of what they have seen."""

from bench import backlog, moods


def test_no_slice_with_requests_is_drawn_as_if_it_had_none() -> None:
    assert moods.drawn([0, 1, 1000, 30]) == " ▁█▄"
    assert moods.drawn([0, 0]) == "  "


def test_a_curve_says_where_the_outage_is() -> None:
    lived = moods.Lived([90, 3, 2, 80], 5, 5, 2, 0, 1.5, 2.5, 3.5, {"busy": 7, "outage": 5})
    report = moods.report(moods.Options(outage=10.0), lived)
    assert (report.figures["during"], report.figures["curve"]) == (5, [90, 3, 2, 80])
    assert ("outage", "from slice 1 to 3") in report.rows
    assert ("moods met", "busy 7, outage 5") in report.rows


def test_new_mail_is_told_apart_by_what_was_under_way() -> None:
    seen = backlog.Seen(3.0, 20.0, 60.0, 18.0, [0.4, 0.3, 0.6], 30_000)
    rows = dict(backlog.report(backlog.Options(), seen).rows)
    assert rows["new mail of the huge one, while it is listed"] == "18.0 s"
    assert rows["the same, while it is fetched"] == "p50 0.40 s, at most 0.60 s; 30,000 items left then"
