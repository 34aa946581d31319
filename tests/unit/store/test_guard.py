"""What a query may be made of: decided on the tree alone, without any table."""

import json
from functools import cache

import duckdb
import pytest

from engine.errors import QueryRefused
from engine.store.functions import FUNCTIONS, TABLE_FUNCTIONS
from engine.store.guard import MOST_RELATIONS, Guard
from engine.store.selecting import for_the_author

GUARD = Guard(("emails", "operators", "attachments"), ("duckdb_tables", "pg_class"))
OF_THE_PARSER = {"!~", "!~*", "!~~~", "->", "~*", "coalesce", "grouping", "grouping_id", "ifnull"}
"""Names trees have and DuckDB does not list."""


@cache
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"autoload_known_extensions": False})


def check(sql: str) -> None:
    row = connection().execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree = json.loads(row[0]) if row else {}
    assert not tree["error"], tree
    GUARD.check(tree["statements"][0]["node"])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM emails",
        "FROM main.emails SELECT subject",
        "SELECT mailroom.main.emails.subject FROM mailroom.main.emails",
        'SELECT * FROM "EMAILS"',
        "TABLE operators",
        "VALUES (1), (2)",
        "DESCRIBE emails",
        "SUMMARIZE emails",
        "SELECT * FROM (DESCRIBE emails)",
        "WITH c AS (FROM emails) SELECT * FROM c JOIN operators USING (operator_id)",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT max(n) FROM t",
        "SELECT 1 UNION ALL BY NAME SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4",
        "SELECT folder, count(*) FROM emails GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 10 OFFSET 3",
        "SELECT grouping(folder), grouping_id(folder) FROM emails GROUP BY CUBE (folder)",
        "SELECT row_number() OVER w, lag(size) OVER w FROM emails WINDOW w AS (PARTITION BY folder ORDER BY size)",
        "SELECT count(*) FILTER (is_read), list(size ORDER BY size), string_agg(subject, ', ') FROM emails",
        "SELECT quantile_cont(size, 0.5), max_by(subject, size) FROM emails QUALIFY rank() OVER () = 1",
        "PIVOT emails ON folder IN ('inbox', 'sent') USING count(*)",
        "UNPIVOT emails ON subject, folder INTO NAME n VALUE v",
        "SELECT one.address FROM emails, unnest(to_recipients) AS t(one)",
        "SELECT unnest(to_recipients).address FROM emails",
        "SELECT [one.address FOR one IN to_recipients IF one.address LIKE '%x'] FROM emails",
        "SELECT list_transform(to_recipients, lambda one: lower(one.address)) FROM emails",
        "SELECT subject.lower().upper() FROM emails",
        "SELECT * FROM emails WHERE subject ILIKE '%a%' OR subject SIMILAR TO 'x' OR subject ~ 'y' OR subject !~ 'z'",
        "SELECT * FROM emails WHERE received_at > now() - INTERVAL 7 DAYS AND sent_at::DATE = current_date",
        "SELECT extract(hour FROM received_at AT TIME ZONE 'Europe/Berlin') FROM emails",
        "SELECT CAST(size AS VARCHAR), TRY_CAST(subject AS INTEGER), size::DECIMAL(9, 2), subject COLLATE de",
        "SELECT coalesce(subject, ''), CASE WHEN is_read THEN 1 END, size // 3, 2 ** 3, -size, NOT is_read FROM emails",
        "SELECT {'a': 1}, [1, 2][1], MAP {'k': 1}, (1, 2), '{\"a\": 1}'::JSON -> '$.a', '{}'::JSON ->> 'a'",
        "SELECT * EXCLUDE (body_html) REPLACE (lower(subject) AS subject), COLUMNS('s.*') FROM emails",
        "SELECT * FROM emails WHERE item_id IN (SELECT item_id FROM attachments) AND EXISTS (FROM operators)",
        "SELECT * FROM emails AS a ASOF JOIN attachments AS b ON a.size >= b.size",
        "SELECT * FROM emails USING SAMPLE 10%",
        "SELECT * FROM range(10) WITH ORDINALITY",
        "SELECT * FROM emails, generate_series(1, size) LIMIT ? OFFSET ?",
        "SELECT format('{:,} of {:.2f}', size, 1.5), printf('%08d', size), strftime(sent_at, '%Y-%m') FROM emails",
        "SELECT * FROM emails ORDER BY random() LIMIT 5",
        'SELECT grp FROM (SELECT folder AS grp FROM emails) AS "getenv"',
        "SELECT 'SELECT * FROM _mailroom.emails; DROP TABLE x' AS getenv",
    ],
)
def test_what_passes(sql: str) -> None:
    check(sql)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM emailz", "no view 'emailz'. Did you mean emails?"),
        ("SELECT * FROM _mailroom.emails", "no view '_mailroom.emails'"),
        ('SELECT * FROM "_MailRoom" /* _ */ . "emails"', "no view '_mailroom.emails'"),
        ("SELECT * FROM main._mailroom", "no view"),
        ("SELECT * FROM system.main.duckdb_tables", "no view"),
        ("SELECT * FROM information_schema.tables", "no view"),
        ("SELECT * FROM sqlite_master", "no view"),
        ("SELECT * FROM '/etc/passwd'", "no view"),
        ('FROM "https://example.com/x.parquet"', "no view"),
        ("SELECT (SELECT count(*) FROM _mailroom.tokens)", "no view"),
        ("SELECT 1 WHERE EXISTS (FROM _mailroom.tokens)", "no view"),
        ("WITH emails AS (FROM _mailroom.emails) FROM emails", "no view"),
        ("SELECT * FROM emails UNION ALL FROM _mailroom.emails", "no view"),
        ("SELECT * FROM emails LIMIT (SELECT count(*) FROM _mailroom.tokens)", "no view"),
        ("DESCRIBE _mailroom.emails", "no view"),
        ("SUMMARIZE _mailroom.emails", "no view"),
        ("PIVOT _mailroom.emails ON folder IN ('a') USING count(*)", "no view"),
        ("SHOW TABLES", "DESCRIBE one of the views"),
        ("SHOW ALL TABLES", "DESCRIBE one of the views"),
        ("SHOW DATABASES", "DESCRIBE one of the views"),
        ("WITH duckdb_tables AS (SELECT 1) SELECT * FROM duckdb_tables", "a name of DuckDB's"),
        ("WITH x AS (DELETE FROM emails RETURNING *) FROM x", "DELETE cannot be part"),
        ("WITH x AS (INSERT INTO emails VALUES (1) RETURNING *) FROM x", "INSERT cannot be part"),
        ("SELECT * FROM read_csv('/etc/passwd')", "function 'read_csv'"),
        ("SELECT * FROM emails, glob('/*')", "function 'glob'"),
        ("SELECT * FROM duckdb_settings()", "function 'duckdb_settings'"),
        ("SELECT * FROM query('SELECT 1')", "function 'query'"),
        ("SELECT * FROM range(getenv('N')::INT)", "function 'getenv'"),
        ("SELECT getenv('HOME')", "function 'getenv'"),
        ("SELECT \"GETENV\"('HOME')", "function 'getenv'"),
        ("SELECT system.main.getenv('HOME')", "function 'getenv'"),
        ("SELECT 'HOME'.getenv()", "function 'getenv'"),
        ("SELECT _mailroom.is_live('a', now(), now(), 1, now())", "function 'is_live'"),
        ("SELECT list_transform([1], lambda x: current_setting('threads'))", "function 'current_setting'"),
        ("SELECT count(*) FILTER (nextval('s') > 1) FROM emails", "function 'nextval'"),
        ("SELECT sum(1) OVER (ORDER BY sleep_ms(10)) FROM emails", "function 'sleep_ms'"),
        ("SELECT CASE WHEN true THEN repeat('x', 9) END", "function 'repeat'"),
        ("SELECT uper(subject) FROM emails", "Did you mean upper?"),
        ("SELECT subject::VARIANT FROM emails", "VARIANT"),
        ("SELECT subject::STRUCT(a VARIANT[]) FROM emails", "VARIANT"),
        ("SELECT format(subject, 1) FROM emails", "write the pattern as a text"),
        ("SELECT format('{:10000}', 1)", "widths below 1000"),
        ("SELECT printf('%*d', 1000000000, 1)", "widths below 1000"),
        ("SELECT * FROM emails AT (VERSION => 1)", "AT is not possible"),
        (f"SELECT {', '.join(['abs(1)'] * 5_001)}", "more than 5,000 parts"),
        ("FROM emails" + ", emails" * MOST_RELATIONS, f"more than {MOST_RELATIONS} times"),
        (f"SELECT {'list_transform([1], lambda x: ' * 6}1{')' * 6}", "more than 5 lambdas"),
    ],
)  # fmt: skip
def test_what_is_refused(sql: str, words: str) -> None:
    with pytest.raises(QueryRefused) as refusal:
        check(sql)
    assert words in str(refusal.value)


def test_with_is_counted_as_often_as_it_is_read() -> None:
    doubled = ", ".join(f"c{n} AS (FROM c{n - 1}, c{n - 1} AS b)" for n in range(1, 30))
    with pytest.raises(QueryRefused, match="times"):
        check(f"WITH c0 AS (FROM emails), {doubled} FROM c29")
    chained = ", ".join(f"c{n} AS (FROM c{n - 1})" for n in range(1, 6))
    check(f"WITH c0 AS (FROM emails), {chained} FROM c5")


def test_what_may_be_used_is_there() -> None:
    rows = (
        connection().execute("SELECT DISTINCT lower(function_name), function_type FROM duckdb_functions()").fetchall()
    )
    known = {name for name, _ in rows}
    assert known - FUNCTIONS >= {"current_setting", "read_csv", "query", "repeat", "sleep_ms", "json_transform"}
    assert known | OF_THE_PARSER >= FUNCTIONS
    assert {name for name, kind in rows if kind == "table"} >= TABLE_FUNCTIONS


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('Error: No table x! Did you mean "_mailroom.emails"?', "Error: No table x!"),
        ("Error: no column\n\nLINE 1: SELECT a\n        ^", "Error: no column\n\nLINE 1: SELECT a\n        ^"),
        ("_mailroom.emails", "DuckDB cannot run it."),
        ("x" * 100_000, f"{'x' * 1000}..."),
    ],
)  # fmt: skip
def test_messages_for_the_author(message: str, told: str) -> None:
    assert for_the_author(message) == told
