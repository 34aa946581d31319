import asyncio
import json
from pathlib import Path

import duckdb
import pytest
from aiohttp import web

from bench import __main__, backfill, footprint, landing, live, notices, outage, queries
from bench.cpu import Usage, Used
from bench.exchange import simulated
from bench.exchangelib_loop import Looped, loop
from bench.mail import Mail, sample
from bench.poster import heartbeat, post
from bench.report import Report, quantiles
from engine.model import OperatorId
from engine.notices import NoticeAnswer, NoticeKind
from engine.sources.ews.notification import notification_answer, parse_notification


def test_every_benchmark_has_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    for name in __main__.NAMES:
        with pytest.raises(SystemExit):
            __main__.main([name, "--help"])
        assert "--seed" in capsys.readouterr().out


def test_report_says_where_its_figures_come_from() -> None:
    report = Report("x", {"seed": 7}, {"answer": 42}, [("answer", "42"), ("longer name", "1")])
    whole = json.loads(report.as_json())
    assert (whole["benchmark"], whole["options"], whole["answer"]) == ("x", {"seed": 7}, 42)
    assert {"cpu", "cores", "python", "versions"} <= whole["machine"].keys()
    assert {"ray", "duckdb", "exchangelib"} <= whole["machine"]["versions"].keys()
    assert "answer       42" in report.as_table()


def test_quantiles() -> None:
    assert quantiles([3.0, 1.0, 2.0, 4.0], 0.5, 0.95, 1.0) == [3.0, 4.0, 4.0]


def test_an_outage_is_measured_in_simulated_time() -> None:
    figures = outage.measure(outage.Options(operators=12, minutes=1.0, after=1.0)).figures
    assert 0 < figures["during"] == sum(figures["curve"][:60]) < 30
    assert sum(figures["curve"]) > figures["during"]
    assert 0 < figures["first_after"] <= figures["synced_after"] < 60


def test_landings_beside_queries_are_measured() -> None:
    options = queries.Options(stored=400, operators=4, emails=5, at_once=2, clients=2, turns=1, seconds=0.3)
    figures = queries.measure(options).figures
    assert figures["ratio"] > 0
    assert figures["outcomes"].keys() <= {"answered"}
    assert set(figures["lists_ms"]) >= {"first page", "a word nobody wrote"}


def test_what_ray_uses_is_told_apart() -> None:
    used = Usage({"store": 3.0, "ray": 5.0, "driver": 1.0}, 10.0).since(Usage({"store": 1.0, "ray": 1.0}, 8.0))
    assert (used.engine, used.ray, used.wall) == (3.0, 4.0, 2.0)


def test_loop_copies_everything_and_agrees_with_itself(tmp_path: Path) -> None:
    with simulated(2, 12, 3) as exchange:
        looped = loop(exchange, tmp_path / "loop.duckdb")
        there = {
            item["item_id"]: item["subject"]
            for email in exchange.operators
            for folder in ("inbox", "sentitems")
            for item in exchange.ask("items", email=email, folder=folder)
        }
    with duckdb.connect(str(tmp_path / "loop.duckdb"), read_only=True) as connection:
        found = dict(connection.execute("SELECT item_id, subject FROM emails").fetchall())
    assert found == there
    assert looped.emails == len(there) > 0
    assert 0 < looped.storing < looped.cpu


def test_backfill_report_has_both_sides_and_the_ratio() -> None:
    figures: dict[str, object] = {}
    rows: list[tuple[str, str]] = []
    synced = backfill.Synced(1000, Used({"store": 0.1, "ray": 0.2}, 2.0), Used({"hosts": 0.5, "ray": 0.1}, 1.0))
    looped = Looped(1000, 3.0, 1.0, 8.0)
    agreed = {"all": 1000, "only_engine": 0, "only_loop": 0, "different": 0}
    backfill.tell(synced, looped, agreed, figures, rows)
    ratio = figures["ratio"]
    assert isinstance(ratio, dict)
    assert (ratio["cpu"], ratio["cpu_with_ray"], ratio["cpu_without_storing_in_loop"]) == (6.0, 5.0, 4.0)
    assert ratio["reached"]
    assert ("same emails in both", f"yes: {agreed}") in rows


def test_landings_of_samples_share_no_item() -> None:
    mail = Mail(sample(2, 10, 1))
    first, second = (mail.landing(OperatorId("a"), 1, 5) for _ in range(2))
    assert first.emails is not None
    assert second.emails is not None
    ids = [*first.emails.column("item_id").to_pylist(), *second.emails.column("item_id").to_pylist()]
    assert len(set(ids)) == 10
    assert len({len(item_id) for item_id in ids}) == 1


def test_landing_lands_all() -> None:
    report = landing.measure(landing.Options(stored=200, operators=4, emails=5, rounds=2, singles=4))
    # 200 in one filling of 4 x 50, then two cases of 40, then 4, 4 and 1 single ones
    assert report.figures["stored"] == 200 + 40 + 40 + 4 + 4 + 1
    assert set(report.figures["cases"]) == {case.name for case in landing.cases(landing.Options())}


def test_footprint_without_actors() -> None:
    report = footprint.measure(footprint.Options(mailboxes=300, actors=0))
    mailbox = report.figures["mailbox"]
    assert 500 < mailbox["after_a_pass_bytes_resident"] < 50_000
    assert mailbox["activation_cpu_us_store"] > 0
    assert "actor" not in report.figures


async def test_heartbeats_are_what_the_listener_reads() -> None:
    (parsed,) = parse_notification(heartbeat("sub-1"))
    assert (parsed.kind, parsed.subscription_id) == (NoticeKind.HEARTBEAT, "sub-1")


async def test_poster_counts_only_ok() -> None:
    async def answer(request: web.Request) -> web.Response:
        wanted = NoticeAnswer.OK if request.path == "/ok" else NoticeAnswer.UNSUBSCRIBE
        return web.Response(body=notification_answer(wanted), content_type="text/xml")

    app = web.Application()
    app.router.add_post("/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    posted = await asyncio.wait_for(post([(f"{base}/ok", "a"), (f"{base}/no", "b")], 0.2, 4), 10)
    await runner.cleanup()
    assert posted["answered"] > 0
    assert posted["refused"] > 0


def test_reports_of_the_cluster_benchmarks() -> None:
    used = Used({"gateway": 0.4, "hosts": 0.2, "store": 0.1, "ray": 9.0}, 2.0)
    noticed = notices.report(notices.Options(), notices.Posted(2000, 1, 2.0, 0.01, 0.02), used)
    assert noticed.figures["per_second"] == 1000
    assert noticed.figures["cpu_seconds_per_1000"] == 0.35
    lived = live.report(live.Options(), live.Delivered([0.3, 0.4, 0.5], 1, used))
    assert (lived.figures["delivered"], lived.figures["landed"]) == (4, 3)
    assert lived.figures["latency_ms"]["p50"] == 400
