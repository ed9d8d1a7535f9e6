"""A query whose answer nobody judges is worth a warning; its look-alikes are not."""

from __future__ import annotations

import pytest

from gonogo.errors import Severity
from gonogo.plan import shellqueries

ASKED = {
    "a function that says whether": 'psql $DATABASE_URL -c "SELECT verify_migration_success();"',
    "in a schema": 'psql -c "select app.is_ready()"',
    "options in one word": 'psql -tAc "SELECT verify()"',
    "the long option": 'psql --command="SELECT verify()"',
    "the long option and a word": "psql --command 'SELECT verify()'",
    "options before and behind": 'psql -X -q -c "SELECT verify()" -d shop',
    "a count": 'psql -c "SELECT count(*) FROM orders WHERE paid IS NULL"',
    "rows to read": 'psql -c "SELECT * FROM refresh_log ORDER BY 1 DESC LIMIT 10;"',
    "with": 'psql -c "WITH a AS (SELECT 1) SELECT * FROM a"',
    "values of a table": 'psql -c "TABLE flags"',
    "a setting": 'psql -c "SHOW wal_level"',
    "behind something else": 'psql -c "REFRESH MATERIALIZED VIEW v; SELECT verify()"',
    "the second of two": "psql -c 'CREATE TABLE t ()' -c 'SELECT verify()'",
    "piped in": "echo 'SELECT verify()' | psql -v ON_ERROR_STOP=1",
    "a document": "psql -v ON_ERROR_STOP=1 <<'SQL'\nSELECT verify();\nSQL",
    "a here string": "psql <<< 'SELECT verify()'",
    "shown only": 'psql -c "SELECT verify()" | tail -1',
    "kept nowhere": 'psql -c "SELECT verify()" > /dev/null',
    "only the errors to a file that is none": 'psql -c "SELECT verify()" 2> /dev/null',
    "as somebody else": 'sudo -u postgres psql -c "SELECT verify()"',
    "in a container": 'docker compose exec -T db psql -U app -c "SELECT verify()"',
    "if, which sees the exit code only": 'if psql -c "SELECT verify()"; then echo fine; fi',
    "an effect and a question": 'psql -c "SELECT refresh_it(), verify()"',
    "is it a replica": 'psql -c "SELECT pg_is_in_recovery()"',
}

QUIET = {
    "is anybody there": "psql -c 'SELECT 1'",
    "what is it": 'psql -c "SELECT version()"',
    "a table is made": 'psql -c "CREATE TABLE t (id int)"',
    "a view is refreshed": 'psql -c "REFRESH MATERIALIZED VIEW CONCURRENTLY v"',
    "rows are added": 'psql -c "INSERT INTO t SELECT * FROM u"',
    "rows are added and shown": 'psql -c "WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a"',
    "a table from a query": 'psql -c "SELECT * INTO u FROM t"',
    "a function that does": 'psql -c "SELECT refresh_materialized_views_staggered();"',
    "a function that does, of a schema": "psql -c \"SELECT cron.schedule('x', '* * * * *', 'y')\"",
    "a function that does, in from": 'psql -c "SELECT * FROM refresh_all_views()"',
    "a function that does, of a value": 'psql -c "SELECT update_counts(coalesce(1, 2))"',
    "a function of the server": 'psql -c "SELECT pg_reload_conf()"',
    "sessions are ended": 'psql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"',
    "a division that fails": 'psql -c "SELECT 1 / count(*) FROM migrations WHERE id = 7"',
    "a block that raises": 'psql -c "DO $$ BEGIN ASSERT verify(); END $$"',
    "how it would be done": 'psql -c "EXPLAIN SELECT * FROM t"',
    "compared": "psql -tAc 'SELECT verify()' | grep -qx t",
    "counted": 'psql -c "SELECT * FROM t" | wc -l',
    "taken into a variable": 'ok=$(psql -tAc "SELECT verify()")',
    "taken into a test": 'test "$(psql -tAc "SELECT verify()")" = t',
    "kept in a file": 'psql -c "SELECT * FROM t" > before.txt',
    "kept by psql": 'psql -o before.txt -c "SELECT * FROM t"',
    "a script that looks itself": "psql <<'SQL'\nSELECT verify() AS ok \\gset\n\\if :ok\nSQL",
    "a list of tables": "psql -c '\\dt'",
    "a file": "psql -v ON_ERROR_STOP=1 -f verify.sql",
    "the version": "psql --version",
    "a comment": "# psql -c 'SELECT verify()'\ntrue",
    "another program": "mytool -c 'SELECT verify()'",
    "only printed": "echo 'SELECT verify()'",
}


@pytest.mark.parametrize("name", ASKED)
def test_a_query_whose_answer_nobody_judges_is_worth_a_warning(name: str) -> None:
    found = list(shellqueries.unjudged(ASKED[name]))
    assert [(d.code, d.severity) for d in found] == [("GN509", Severity.WARNING)]
    assert found[0].span.line == 1
    assert "value is true" in found[0].hint


@pytest.mark.parametrize("name", QUIET)
def test_what_only_looks_like_it_is_not(name: str) -> None:
    assert list(shellqueries.unjudged(QUIET[name])) == []


def test_the_place_is_that_of_the_command() -> None:
    text = 'true\n  psql -c "SELECT verify()"\n'
    (found,) = shellqueries.unjudged(text)
    assert (found.span.line, found.span.column) == (2, 3)
