from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from gonogo.errors import UsageError
from gonogo.services import Postgres
from gonogo.services.account import Account

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its servers to nobody")
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(question.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


class TestServer:
    def test_answers_as_the_release_it_says(self, postgres: Postgres) -> None:
        assert ask(postgres.url(), "SHOW server_version") == postgres.version

    def test_comes_with_the_programs_of_its_release(self, postgres: Postgres) -> None:
        told = subprocess.run(
            [postgres.bin / "psql", "-XAtc", "SELECT 6 * 7", postgres.url()],
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout == "42\n"

    def test_listens_on_loopback_only(self, postgres: Postgres) -> None:
        assert ask(postgres.url(), "SHOW listen_addresses") == "127.0.0.1"
        assert ask(postgres.url(), "SHOW unix_socket_directories") == ""

    def test_counts_statements_from_the_start(self, database: str) -> None:
        ask(database, "CREATE EXTENSION pg_stat_statements")
        assert ask(database, "SELECT count(*) > 0 FROM pg_stat_statements") is True

    def test_stores_text_as_utf8_whatever_our_locale_is(self, database: str) -> None:
        assert ask(database, "SHOW server_encoding") == "UTF8"
        assert ask(database, "SELECT upper('ä')") == "Ä"

    @ROOT_ONLY
    def test_runs_as_nobody_for_root(self, postgres: Postgres) -> None:
        assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0

    def test_obeys_no_client_setting_of_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "PGDATA": "/nonexistent",
            "PGPORT": "1",
            "PGHOSTADDR": "192.0.2.1",
            "PGSSLMODE": "require",
            "PGOPTIONS": "-c no_such=1",
        }.items():
            monkeypatch.setenv(name, value)
        with Postgres.start() as server:
            server.create_database("made in spite of them")


class TestDatabases:
    def test_a_database_is_a_copy_of_its_template(self, postgres: Postgres, database: str) -> None:
        ask(database, "CREATE TABLE release AS SELECT 'v1' AS name")
        template = database.rpartition("/")[2]
        copy = postgres.create_database('a "quoted" copy', template)
        ask(database, "UPDATE release SET name = 'v2'")
        assert ask(copy, "SELECT name FROM release") == "v1"
        postgres.drop_database('a "quoted" copy')

    def test_dropping_closes_the_connections(self, postgres: Postgres) -> None:
        url = postgres.create_database("busy")
        with psycopg.connect(url):
            postgres.drop_database("busy")
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            ask(url, "SELECT 1")

    def test_dropping_what_is_not_there_is_fine(self, postgres: Postgres) -> None:
        postgres.drop_database("never made")

    @pytest.mark.parametrize("turn", [1, 2])
    def test_every_test_gets_an_empty_database(self, database: str, turn: int) -> None:
        ask(database, f"CREATE TABLE only_mine AS SELECT {turn}")
        count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert ask(database, count) == 1


class TestLife:
    def test_survives_stop_kill_and_restart_on_the_same_port(self) -> None:
        with Postgres.start() as server:
            url = server.create_database("lasting")
            ask(url, "CREATE TABLE fact AS SELECT 1 AS n")
            server.restart()
            assert ask(url, "SELECT n FROM fact") == 1
            server.kill()
            assert server.pid is None
            with pytest.raises(psycopg.OperationalError):
                ask(url, "SELECT 1")
            server.restart()
            assert ask(url, "SELECT n FROM fact") == 1

    def test_leaves_nothing_behind_and_may_be_stopped_twice(self) -> None:
        server = Postgres.start()
        folder = server.log.parent
        server.stop()
        server.stop()
        assert server.pid is None
        assert not folder.exists()

    def test_a_password_is_asked_for_when_one_was_set(self) -> None:
        with Postgres.start(password="p@ss/w:rd") as server:
            assert ask(server.url(), "SELECT 1") == 1
            with pytest.raises(psycopg.OperationalError, match="password"):
                ask(server.url().replace("p%40ss", "wrong"), "SELECT 1")

    @pytest.mark.skipif(not DEBIAN, reason="no PostgreSQL from the system's packages")
    def test_runs_the_release_that_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GONOGO_PG_BIN", str(DEBIAN[0]))
        with Postgres.start() as server:
            assert server.bin == DEBIAN[0]
            url = server.create_database("older")
            assert str(ask(url, "SHOW server_version")).startswith(DEBIAN[0].parent.name)


class TestKeptFolder:
    def test_data_is_found_again(self, kept_folder: Path) -> None:
        with Postgres.start(kept_folder) as server:
            url = server.create_database("kept")
            ask(url, "CREATE TABLE fact AS SELECT 1 AS n")
        with Postgres.start(kept_folder) as server:
            assert ask(server.url("kept"), "SELECT n FROM fact") == 1

    def test_is_used_again_after_a_kill_whose_zombie_nobody_reaped(self, kept_folder: Path) -> None:
        Postgres.start(kept_folder).stop()
        account = Account.unprivileged()
        with subprocess.Popen(["/bin/true"], user=account.uid, group=account.gid) as zombie:
            os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
            lines = [str(zombie.pid), str(kept_folder / "data"), "0", "1", "", "127.0.0.1", ""]
            pid_file = kept_folder / "data" / "postmaster.pid"
            pid_file.write_text("\n".join([*lines, "ready", ""]))
            account.give(pid_file)
            with Postgres.start(kept_folder) as server:
                assert ask(server.url(), "SELECT 1") == 1

    def test_has_one_user_at_a_time(self, kept_folder: Path) -> None:
        with (
            Postgres.start(kept_folder),
            pytest.raises(UsageError, match="is in use by another"),
        ):
            Postgres.start(kept_folder)

    def test_of_another_release_line_is_refused(self, kept_folder: Path) -> None:
        (kept_folder / "data").mkdir(parents=True)
        (kept_folder / "data" / "PG_VERSION").write_text("9.6\n")
        with pytest.raises(UsageError, match=r"was made by PostgreSQL 9\.6, expected \d+ "):
            Postgres.start(kept_folder)

    @ROOT_ONLY
    def test_out_of_reach_for_nobody_is_refused(self, kept_folder: Path) -> None:
        kept_folder.parent.chmod(0o700)
        with pytest.raises(UsageError, match="cannot reach"):
            Postgres.start(kept_folder)


class TestRefusal:
    def test_tells_what_the_setting_should_be(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("GONOGO_PG_BIN", str(tmp_path))
        with pytest.raises(UsageError) as caught:
            Postgres.start()
        assert f"GONOGO_PG_BIN is `{tmp_path}`, expected a folder with" in caught.value.message
        assert caught.value.hint == "correct GONOGO_PG_BIN or remove it"

    def test_shows_the_last_words_of_a_server_that_does_not_start(self) -> None:
        with pytest.raises(UsageError, match="invalid value for parameter") as caught:
            Postgres.start(settings={"shared_buffers": "plenty"})
        assert caught.value.message.startswith("PostgreSQL did not start:\n")
