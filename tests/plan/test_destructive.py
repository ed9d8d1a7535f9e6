"""Recognises a destructive statement from its own words, and leaves look-alikes alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.plan.destructive import in_sql
from gonogo.plan.destructive_shell import in_shell

DESTRUCTIVE_SQL = {
    "DROP TABLE users": "users",
    "drop table if exists public.users, orders cascade": "public.users, orders",
    'DROP TABLE "Users"': "Users",
    'DROP SCHEMA "My App" CASCADE': "My App",
    "DROP DATABASE IF EXISTS app": "app",
    "DROP MATERIALIZED VIEW totals": "totals",
    "DROP SEQUENCE invoice_number": "invoice_number",
    "DROP ROLE app": "app",
    "DROP OWNED BY app": "app",
    "DROP TYPE mood CASCADE": "mood",
    "DROP EXTENSION hstore CASCADE": "hstore",
    "DROP FUNCTION f(int) CASCADE": "f",
    "/* careful */ DROP -- now\n TABLE t": "t",
    "ALTER TABLE t DROP COLUMN a": "t.a",
    "ALTER TABLE IF EXISTS t DROP a, DROP COLUMN IF EXISTS b": "t.a, t.b",
    "TRUNCATE a": "a",
    "TRUNCATE TABLE ONLY a, b RESTART IDENTITY CASCADE": "a, b",
    "DELETE FROM t": "t",
    "DELETE FROM ONLY public.t": "public.t",
    "DELETE FROM t WHERE true": "t",
    "DELETE FROM t WHERE 1=1": "t",
    "DELETE FROM t USING x": "t",
    "DELETE FROM t RETURNING id": "t",
    "UPDATE t SET a = 1": "t",
    "UPDATE t SET a = (SELECT 1 FROM x WHERE y = 2)": "t",
    "UPDATE t SET note = 'WHERE is it'": "t",
    "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone WHERE id > 3": "t",
    "WITH old AS (SELECT 1) DELETE FROM t": "t",
    "EXPLAIN ANALYZE DELETE FROM t": "t",
    "DO $$ BEGIN EXECUTE 'DROP TABLE x'; END $$": "x",
    "DO $$ BEGIN IF true THEN DELETE FROM x; END IF; END $$": "x",
    "DO $body$ BEGIN TRUNCATE y; END $body$": "y",
    "SELECT 1; DROP TABLE t": "t",
    "DROP TABLE a.b.c": "a.b.c",
    "DROP SERVER other": "other",
    "DROP TABLESPACE fast": "fast",
    "DROP SUBSCRIPTION feed": "feed",
    "DROP USER MAPPING FOR app SERVER other": "other",
    "DROP VIEW v CASCADE": "v",
    "DROP TABLE IF EXISTS t; CREATE TABLE t (a int)": "t",
    "CREATE TABLE IF NOT EXISTS t (a int); DROP TABLE t": "t",
    "CREATE TABLE u (a int); DROP TABLE t": "t",
    "ALTER TYPE address DROP ATTRIBUTE street": "address.street",
    "ALTER TABLE t ALTER a TYPE varchar(8) USING left(a, 8)": "t.a",
    "ALTER TABLE t ALTER a TYPE date USING a::date": "t.a",
    "ALTER TABLE t ALTER COLUMN a SET DATA TYPE numeric(6, 2) USING round(a, 2)": "t.a",
    "DELETE FROM t WHERE id = id": "t",
    "DELETE FROM t WHERE NOT false": "t",
    "DELETE FROM t WHERE true AND 2 = 2": "t",
    "DELETE FROM t WHERE a = 1 OR true": "t",
    "UPDATE t SET a = 1 FROM x": "t",
    "ALTER TABLE t ADD b int; UPDATE t SET a = 1": "t",
    "COPY (DELETE FROM t RETURNING *) TO STDOUT": "t",
    "CREATE TABLE old AS WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d": "t",
    "PREPARE p AS DELETE FROM t": "t",
    "EXPLAIN (ANALYZE, VERBOSE) UPDATE t SET a = 1": "t",
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP DELETE FROM x; END LOOP; END $$": "x",
    "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'x'); END $$": "%I",
    "DO $$ BEGIN EXECUTE 'TRUNCATE ' || quote_ident('x'); END $$": "computed_name",
    "DO $$ BEGIN BEGIN DROP TABLE x; EXCEPTION WHEN OTHERS THEN NULL; END; END $$": "x",
    "DO LANGUAGE plpgsql 'BEGIN DROP TABLE x; END'": "x",
    "TRUNCATE TABLE t_${ENV}": "t_${ENV}",
    "DELETE FROM t LIMIT 10": "t",
    "DROP TABLE `users`": "users",
}
HARMLESS_SQL = [
    "CREATE TABLE t (a int); DROP TABLE t",
    "CREATE TABLE t (a int); TRUNCATE t; DELETE FROM t",
    "CREATE TABLE t AS SELECT 1 AS a; DELETE FROM t",
    "SELECT 1 AS a INTO t; DROP TABLE t",
    "CREATE SEQUENCE s; DROP SEQUENCE s",
    "CREATE SCHEMA s; DROP SCHEMA s",
    "CREATE MATERIALIZED VIEW v AS SELECT 1; DROP MATERIALIZED VIEW v",
    "ALTER TABLE t ADD b int; UPDATE t SET b = a",
    "ALTER TABLE t ADD b int; ALTER TABLE t DROP COLUMN b",
    "ALTER TABLE t ALTER a TYPE bigint",
    "ALTER TABLE t ALTER a TYPE jsonb USING a::jsonb",
    "ALTER TABLE t ALTER a TYPE text USING a::text",
    "ALTER TABLE t RENAME COLUMN dropped TO truncated",
    "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0)",
    "ALTER TABLE t ALTER a DROP IDENTITY",
    "ALTER TABLE t ALTER a DROP EXPRESSION",
    "ALTER TABLE t DETACH PARTITION old",
    "DELETE FROM t WHERE a = 1 AND true",
    "DELETE FROM t WHERE id = other_id",
    "DELETE FROM t WHERE a = 1 OR b = 2",
    "DELETE FROM t WHERE false",
    "UPDATE t SET a = 1 FROM x WHERE x.id = t.id",
    "EXPLAIN (ANALYZE off) DELETE FROM t",
    "EXPLAIN (COSTS) UPDATE t SET a = 1",
    "PREPARE p AS DELETE FROM t WHERE id = $1",
    "COPY t FROM STDIN",
    "COPY (SELECT * FROM t) TO STDOUT",
    "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
    "CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM log",
    "CREATE PROCEDURE p() BEGIN ATOMIC DELETE FROM t; END",
    "CREATE VIEW deleted AS SELECT * FROM t WHERE state = 'DELETE FROM t'",
    "DO $$ BEGIN RAISE NOTICE 'DROP TABLE x'; END $$",
    "DO $$ BEGIN DELETE FROM x WHERE id = 1; END $$",
    "DO $$ BEGIN EXECUTE 'ANALYZE ' || quote_ident('x'); END $$",
    "DO $$ BEGIN CREATE TEMP TABLE z AS SELECT 1; DROP TABLE z; END $$",
    "DO $$ BEGIN PERFORM 1; -- DROP TABLE x\nEND $$",
    "DROP STATISTICS s",
    "DROP DOMAIN d",
    "DROP PUBLICATION p",
    "DROP FOREIGN TABLE f",
    "DROP TABLE",
    "GRANT DROP ON t TO app",
    "SELECT 'DROP TABLE users'",
    "SELECT 1 -- DROP TABLE users",
    "/* TRUNCATE users; */ SELECT 1",
    "SELECT $$ DELETE FROM t $$",
    "INSERT INTO log VALUES ('TRUNCATE t')",
    "COMMENT ON TABLE t IS 'DROP me'",
    'SELECT "drop" FROM t',
    'SELECT * FROM "TRUNCATE"',
    "DELETE FROM t WHERE id = 1",
    "DELETE FROM t WHERE id IN (SELECT id FROM x)",
    "DELETE FROM t USING x WHERE t.id = x.id",
    "WITH d AS (DELETE FROM t WHERE a RETURNING *) SELECT * FROM d",
    "UPDATE t SET a = 1 WHERE id = 2",
    "UPDATE ONLY t AS z SET a = 1 WHERE b",
    "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET x = 1",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED",
    "CREATE TABLE IF NOT EXISTS t (a int REFERENCES b ON DELETE CASCADE ON UPDATE SET NULL)",
    "GRANT DELETE, TRUNCATE, UPDATE ON t TO app",
    "REVOKE TRUNCATE ON t FROM app",
    "CREATE POLICY p ON t FOR DELETE USING (true)",
    "CREATE TRIGGER x BEFORE DELETE ON t EXECUTE FUNCTION f()",
    "CREATE FUNCTION f() RETURNS void AS $$ DROP TABLE x $$ LANGUAGE sql",
    "DROP INDEX CONCURRENTLY idx",
    "DROP VIEW v",
    "DROP FUNCTION f(int)",
    "DROP TRIGGER x ON t",
    "DROP POLICY p ON t",
    "DROP EXTENSION pg_trgm",
    "ALTER TABLE t DROP CONSTRAINT c",
    "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
    "ALTER TABLE t ALTER a DROP DEFAULT",
    "ALTER TABLE t ADD COLUMN dropped boolean",
    "CREATE TEMP TABLE z AS SELECT 1; DROP TABLE z",
    "EXPLAIN DELETE FROM t",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
    "VACUUM FULL t",
    "SELECT has_table_privilege('app', 't', 'DELETE')",
    "SELECT truncate_log FROM t",
    "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a",
]
DESTRUCTIVE_SHELL = {
    'psql "$DATABASE_URL" -c "DROP TABLE users"': "users",
    "psql -c 'SELECT 1' --command='TRUNCATE a'": "a",
    "echo 'DROP TABLE users;' | psql $URL": "users",
    "psql $URL <<SQL\nDELETE FROM jobs;\nSQL": "jobs",
    "cat <<'SQL' | psql\nDROP SCHEMA app CASCADE;\nSQL": "app",
    "psql <<< 'DROP TABLE t'": "t",
    "sudo -u postgres psql -d app -c 'DROP DATABASE old'": "old",
    'docker compose exec -T db psql -U app -c "TRUNCATE a"': "a",
    'kubectl exec -n prod db-0 -- psql -c "DELETE FROM t"': "t",
    "ssh db1 \"psql -c 'DROP TABLE t'\"": "t",
    "mysql -u root -e 'DROP DATABASE shop'": "shop",
    "sqlite3 app.db 'DELETE FROM t'": "t",
    "heroku pg:psql -c 'TRUNCATE a' -a shop": "a",
    "psql -tAc 'DROP TABLE t'": "t",
    "psql -Xqc 'TRUNCATE a' shop": "a",
    "mysql -Ne 'DROP TABLE t'": "t",
    "if ! psql -c 'DROP TABLE t'; then exit 1; fi": "t",
    "redis-cli FLUSHALL": "all databases",
    "redis-cli -n 3 flushdb": "database 3",
    "docker exec cache redis-cli FLUSHDB": "database 0",
    "echo FLUSHALL | redis-cli -h cache": "all databases",
    "redis-cli --scan --pattern 'user:*' | xargs redis-cli DEL": "keys by pattern",
    "rm -rf /var/lib/app": "/var/lib/app",
    "rm -r -f uploads": "uploads",
    "sudo rm -fr -- data": "data",
    "rm --recursive old": "old",
    'rm -rf "$DATA_DIR"': "$DATA_DIR",
    "cd x && rm -rf *": "*",
    "rm *": "*",
    'bash -c "rm -rf data"': "data",
    "echo $(rm -rf data)": "data",
    "ls | xargs rm -rf": "files by pattern",
    "find /backups -mtime +7 -delete": "/backups",
    "find uploads -name x -exec rm {} ;": "uploads",
    'pkill -f "next dev"': "next dev",
    "killall node": "node",
    "kill -9 $(lsof -t -i:3000)": "lsof -t -i:3000",
    "kill $(pgrep -f worker)": "pgrep -f worker",
    "ps aux | grep worker | awk '{print $2}' | xargs kill": "processes by pattern",
    "docker compose down -v": "volumes of the project",
    "docker-compose -f prod.yml down --volumes": "volumes of the project",
    "docker volume rm app_data": "app_data",
    "docker system prune -af": "images of earlier releases",
    "kubectl delete deployment web": "deployment web",
    "kubectl -n prod delete -f web.yaml": "web.yaml",
    "git push --force origin main": "origin main",
    "git push -f": "git push",
    "git push origin +main": "origin +main",
    "git push origin --delete v1": "origin v1",
    "git reset --hard HEAD~1": "HEAD~1",
    "git clean -fdx": "git clean",
    "supabase db reset": "the database",
    "npx supabase migration down": "the database",
    "bundle exec rails db:drop": "the database",
    "npx prisma migrate reset --force": "the database",
    "php artisan migrate:fresh --seed": "the database",
    "python manage.py flush --noinput": "the database",
    "pg_restore --clean -d app dump.bin": "app",
    'pg_restore -d "$DATABASE_URL" backup.dump': "$DATABASE_URL",
    "psql app < backup_2026.sql": "app",
    "gunzip -c /backups/db-backup.sql.gz | psql app": "app",
    "dropdb app": "app",
    "terraform destroy -auto-approve": "everything in the state",
    "terraform apply -destroy": "everything in the state",
    "mkfs.ext4 /dev/sdb1": "/dev/sdb1",
    "dd if=/dev/zero of=/dev/sda bs=1M": "/dev/sda",
    "helm uninstall web": "web",
    "aws s3 rm s3://bucket/path --recursive": "s3://bucket/path",
    "aws s3 sync build s3://site --delete": "s3://site",
    "aws rds delete-db-instance --db-instance-identifier x": "x",
    "gcloud sql instances delete main": "main",
    "rsync -a --delete build/ web:/srv/site/": "web:/srv/site/",
    'mongosh --eval "db.dropDatabase()"': "db",
    "celery -A app purge -f": "the queue",
    "truncate -s 0 app.log": "app.log",
    "timeout 60 pkill -f cache-worker": "cache-worker",
    "while true; do rm -rf data; done": "data",
}
HARMLESS_SHELL = [
    'echo "DROP TABLE users"',
    "echo 'rm -rf /'",
    "# rm -rf /",
    "ls # DROP TABLE x",
    "grep TRUNCATE migrations/*.sql",
    "grep -r 'DROP TABLE' .",
    "git log --grep='DROP TABLE'",
    "cat drop_table.sql",
    "psql -c 'SELECT 1'",
    "psql -tAc 'SELECT 1'",
    "psql -At 'TRUNCATE'",
    "psql -c \"SELECT 'DROP TABLE x'\"",
    "psql -c 'DELETE FROM t WHERE id = 1'",
    "psql -f migrations/004_drop_users.sql",
    "psql <<SQL\nSELECT 1; -- TRUNCATE t\nSQL",
    "cat <<TXT\nrm -rf /\nDROP TABLE t\nTXT",
    "pg_dump --clean app > dump.sql",
    "pg_restore --list backup.dump",
    "pg_restore -d app_restore_test backup.dump",
    "pg_restore -C -d postgres backup.dump",
    "psql app < seed.sql",
    "createdb app",
    "redis-cli GET flushall_count",
    "redis-cli PING",
    "redis-cli DEL session:1",
    "redis-cli INFO | grep flush",
    "rm file",
    "rm -f app.pid",
    "rm -rf node_modules dist .next",
    "rm -rf ./web/build",
    "rm -rf /tmp/release-check",
    'rm -rf "$TMPDIR/x"',
    "mkdir -p rm",
    "find . -name '*.sql'",
    "find . -name x -exec grep y {} ;",
    "pkill -HUP nginx",
    "killall -0 worker",
    "pgrep -f worker",
    "kill 4711",
    'kill "$(cat app.pid)"',
    "kill -TERM $PID",
    "docker compose down",
    "docker compose up -d",
    "docker run -v data:/data image",
    "docker volume ls",
    "docker image ls",
    "kubectl get pods",
    "kubectl apply -f delete.yaml",
    "kubectl delete pod x --dry-run=client",
    "kubectl rollout undo deployment/web",
    "git push origin main",
    "git push --tags",
    "git reset HEAD file",
    "git reset --soft HEAD~1",
    "git clean -n",
    "git checkout v1.2.3",
    "git commit -m 'git push --force'",
    "supabase db push",
    "supabase migration up",
    "./migrate down",
    "rails db:migrate",
    "prisma migrate deploy",
    "php artisan migrate --force",
    "python manage.py migrate",
    "terraform plan -destroy",
    "terraform apply",
    "helm upgrade web ./chart",
    "helm uninstall web --dry-run",
    "aws s3 cp a s3://b/c --recursive",
    "aws s3 rm s3://bucket/one-file",
    "rsync -a build/ web:/srv/",
    "rsync -an --delete build/ web:/srv/",
    "dd if=/dev/sda of=image.bin",
    "dd if=/dev/zero of=/dev/null count=1",
    "crontab -l",
    "echo dropdb app",
    "man dropdb",
    "which mkfs",
    "alias rmrf='rm -rf'",
    "printf '%s' 'FLUSHALL' | grep F",
    "MESSAGE='rm -rf /' ./notify",
    "dropdb_backup.sh",
    "aws ec2 describe-instances",
    "systemctl restart app",
]


@pytest.mark.parametrize(("text", "target"), DESTRUCTIVE_SQL.items(), ids=list(DESTRUCTIVE_SQL))
def test_sql_that_destroys_is_recognised_with_what_is_lost(text: str, target: str) -> None:
    assert [loss.target for loss in in_sql(text)] == [target]


@pytest.mark.parametrize("text", HARMLESS_SQL)
def test_sql_that_only_looks_destructive_is_left_alone(text: str) -> None:
    assert in_sql(text) == ()


@pytest.mark.parametrize(("text", "target"), DESTRUCTIVE_SHELL.items(), ids=list(DESTRUCTIVE_SHELL))
def test_a_command_that_destroys_is_recognised_with_what_is_lost(text: str, target: str) -> None:
    assert [loss.target for loss in in_shell(text)] == [target]


@pytest.mark.parametrize("text", HARMLESS_SHELL)
def test_a_command_that_only_looks_destructive_is_left_alone(text: str) -> None:
    assert in_shell(text) == ()


def test_the_tables_are_large_and_balanced() -> None:
    destructive = len(DESTRUCTIVE_SQL) + len(DESTRUCTIVE_SHELL)
    harmless = len(HARMLESS_SQL) + len(HARMLESS_SHELL)
    assert destructive + harmless >= 150
    assert harmless >= destructive


def test_precision_and_recall_are_what_the_page_says() -> None:
    """Count both tables together, as docs/kinds.md does."""
    found = [bool(in_sql(text)) for text in DESTRUCTIVE_SQL]
    found += [bool(in_shell(text)) for text in DESTRUCTIVE_SHELL]
    false = sum(bool(in_sql(text)) for text in HARMLESS_SQL)
    false += sum(bool(in_shell(text)) for text in HARMLESS_SHELL)
    hits = sum(found)
    precision, recall = hits / (hits + false), hits / len(found)
    page = " ".join((Path(__file__).parents[2] / "docs" / "kinds.md").read_text().split())
    rows = len(found) + len(HARMLESS_SQL) + len(HARMLESS_SHELL)
    said = f"{rows} statements and commands, {rows - len(found)} of them harmless look-alikes"
    assert said in page
    assert f"precision {precision:.1%} and recall {recall:.1%}" in page
    assert min(precision, recall) >= 0.98


def test_the_place_is_the_statement_and_not_the_block() -> None:
    (loss,) = in_sql("SELECT 1;\n  DROP TABLE t;")
    assert (loss.span.line, loss.span.column, loss.span.end_column) == (2, 3, 15)
    (loss,) = in_shell("echo a\ncd x && rm -rf data # gone\n")
    assert (loss.span.line, loss.span.column, loss.span.end_column) == (2, 9, 20)
    assert loss.statement == "rm -rf data"


def test_each_loss_of_a_block_is_told() -> None:
    text = "redis-cli FLUSHALL\npsql -c 'TRUNCATE a; DROP TABLE b'\nrm -rf c\n"
    assert [loss.target for loss in in_shell(text)] == ["all databases", "a", "b", "c"]


_PIECES = st.lists(
    st.sampled_from([*DESTRUCTIVE_SHELL, *HARMLESS_SHELL, *DESTRUCTIVE_SQL, "'", '"', "$(", "${"]),
    max_size=6,
)


@given(_PIECES.map("\n".join) | st.text())
def test_no_text_breaks_the_readers_and_every_place_lies_inside(text: str) -> None:
    lines = text.count("\n") + 1
    for loss in (*in_sql(text), *in_shell(text)):
        assert 1 <= loss.span.line <= loss.span.end_line <= lines


@given(st.sampled_from([*DESTRUCTIVE_SHELL]), st.sampled_from(["sudo ", "time ", "nohup ", "! "]))
def test_a_prefix_does_not_hide_a_destructive_command(text: str, prefix: str) -> None:
    if text.split()[0] not in {"if", "while", "cat", "cd", "echo", "ls", "ps"}:
        assert in_shell(prefix + text)
