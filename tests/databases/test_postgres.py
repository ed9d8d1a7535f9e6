"""How a database is reached, and how it is told when it is not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.support.kinds import a_context

from gonogo.actions.migrate.database import Database
from gonogo.databases import postgres
from gonogo.databases.deadline import Deadline
from gonogo.databases.postgres import Address
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.redaction import Redactor

PASSWORD = "s3cr3t-of-the-test"
PLACE = Address.read(f"postgresql://ana:{PASSWORD}@db.example:6432/shop", "db")

REASONS = {
    'FATAL:  password authentication failed for user "ana"': "refuses the password of user `ana`",
    "fe_sendauth: no password supplied": "refuses the password of user `ana`",
    'FATAL:  database "shop" does not exist': "no such database or user: database `shop`",
    "connection to server failed: Connection refused": "nothing answers at `db.example:6432`",
    "failed to resolve host 'db.example'": "the host `db.example` cannot be resolved",
    "connection timeout expired": "does not answer in time",
    "FATAL:  the database system is starting up": "is restarting",
    "SSL error: certificate verify failed": "no TLS connection with `db.example:6432`",
    "FATAL:  sorry, too many clients already": "has no free connection",
}


@pytest.mark.parametrize("said", REASONS)
def test_what_the_driver_says_becomes_our_words(said: str) -> None:
    found = postgres.reason(said, PLACE)
    assert found is not None
    assert REASONS[said] in found.message
    assert found.hint
    assert PASSWORD not in found.message + found.hint


def test_what_is_not_known_is_said_in_its_own_words() -> None:
    assert postgres.reason("something new", PLACE) is None


@pytest.mark.parametrize("text", ["", "redis://localhost:6379", "no address"])
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(WorkError, match="target `db` is no address of a PostgreSQL database"):
        Address.read(text, "db")


def test_another_database_on_the_same_server() -> None:
    other = PLACE.of("copy")
    assert other.parts == {**PLACE.parts, "dbname": "copy"}
    assert psycopg.conninfo.conninfo_to_dict(other.text) == other.parts
    assert other.where == PLACE.where == "db.example:6432"


def test_a_socket_has_no_host() -> None:
    assert Address.read("postgresql:///shop", "db").where == "the local socket:5432"


def test_programs_get_secrets_by_their_environment_only() -> None:
    parts = {**PLACE.parts, "sslpassword": PASSWORD, "keepalives": "1"}
    environment, rest = postgres.as_environment(parts)
    assert environment["PGPASSWORD"] == PASSWORD
    assert environment["PGHOST"] == "db.example"
    assert PASSWORD not in rest
    assert psycopg.conninfo.conninfo_to_dict(rest) == {"dbname": "shop", "keepalives": "1"}


def test_a_connection_is_ours_to_see_and_keeps_times_as_they_are(database: str) -> None:
    with postgres.connect(Address.read(database, "db"), 5.0, Redactor()) as connection:
        postgres.keep_values(connection)
        row = connection.execute(
            "SELECT application_name, 'infinity'::timestamptz, '2026-01-02 03:04:05'::timestamp"
            " FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).fetchone()
    assert row == ("gonogo", "infinity", "2026-01-02T03:04:05")


def test_a_connection_that_was_cut_is_over(database: str) -> None:
    connection = postgres.connect(Address.read(database, "db"), 5.0, Redactor())
    postgres.cut(connection)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()


def test_text_of_another_encoding_is_an_error_of_every_connection(
    database: str, strange_bytes: str, tmp_path: Path
) -> None:
    context = a_context(tmp_path, targets={"db": database})
    with (
        Server("db", context, Deadline(context)) as server,
        pytest.raises(WorkError, match="not UTF-8"),
    ):
        server.compose(sql.SQL("{}").format(sql.SQL(strange_bytes)))
    with Database(database, "db", context) as other, pytest.raises(psycopg.Error, match="UTF-8"):
        other.rows(strange_bytes)


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([(1, 2, 1)], ("a", "b", "a")),
        ([(1, 2, 1), (1, 2, 3)], ("a (1)", "b", "a (2)")),
        ([], ("a", "b", "a")),
    ],
    ids=["one value", "another value", "no row"],
)
def test_columns_of_one_name_are_numbered_where_they_differ(
    rows: list[tuple[int, ...]], names: tuple[str, ...]
) -> None:
    assert postgres.told_apart(("a", "b", "a"), rows) == names


def test_a_server_that_falls_silent_is_left(database: str, tmp_path: Path) -> None:
    context = a_context(tmp_path, targets={"db": database}, timeout_s=0.5)
    with Server("db", context, Deadline(context)) as server:
        ((process,),) = server.ask("SELECT pg_backend_pid()")
        os.kill(process, signal.SIGSTOP)  # it neither answers nor can be cancelled
        try:
            with pytest.raises(WorkError, match=r"did not answer within 0\.5 s"):
                server.ask("SELECT 1")
        finally:
            os.kill(process, signal.SIGCONT)
