"""A PostgreSQL server of our own: made in a second, gone without a trace."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from gonogo.errors import UsageError
from gonogo.services.account import Account, environment
from gonogo.services.binaries import PostgresBinaries, find_postgres
from gonogo.services.server import HOST, Recipe, Service
from gonogo.services.workplace import Workplace, birth, enter

SUPERUSER = "postgres"
BUILTIN_LOCALE_SINCE = 17
COPY_STRATEGY_SINCE = 15
PID_FILE_LINES = 8  # pid, folder, time, port, socket folder, address, memory, state
SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # their paths are limited in length, and a port is enough
    "fsync": "off",  # the data is worth nothing after a power cut
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",  # in the data folder, gone with it after a kill
    "max_connections": "100",
    "track_io_timing": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(Service):
    """A PostgreSQL server on 127.0.0.1 that ends with this process, however that ends.

    Use it as a context manager, or call `stop`. The superuser is `postgres`.
    """

    def __init__(self, workplace: Workplace, binaries: PostgresBinaries, password: str) -> None:
        """Hold what `start` prepared; use `start`."""
        self._binaries = binaries
        self._password = password
        self._account = Account.unprivileged()
        self._settings: dict[str, str] = dict(SETTINGS)
        recipe = Recipe("PostgreSQL", self._command, self._is_ready, signal.SIGINT, self._account)
        super().__init__(recipe, workplace)

    @classmethod
    def start(
        cls,
        folder: Path | None = None,
        *,
        password: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> Self:
        """Start a server and return when it accepts connections.

        Data given a `folder` is kept there after `stop` and found again by the next start.
        Without a `password` everybody on this machine may connect as anybody. `settings` are
        further lines of postgresql.conf. Raises UsageError when there are no programs to run,
        when the folder cannot be used, or with the server's last words when it does not start.
        """
        account = Account.unprivileged()
        workplace = enter("postgres", account, folder)
        server: Self | None = None
        try:
            binaries = find_postgres(account, workplace.path)
            server = cls(workplace, binaries, password)
            server._settings.update(settings or {})
            server._prepare()
            server._server.start()
        except BaseException:
            if server is not None:
                server._server.end(politely=False)
            workplace.leave()
            raise
        return server

    @property
    def version(self) -> str:
        """Return the server's release, for example 18.6."""
        return self._binaries.version

    @property
    def bin(self) -> Path:
        """Return the folder with psql, pg_dump and the other programs of this release."""
        return self._binaries.folder

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Return the connection URL of a database; the password, if any, is the superuser's."""
        secret = f":{quote(self._password, safe='')}" if self._password else ""
        who = f"{quote(user, safe='')}{secret}"
        return f"postgresql://{who}@{HOST}:{self.port}/{quote(database, safe='')}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, as a copy of `template` if given, and return its URL.

        Nobody may be connected to the template at that moment.
        """
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        if self._binaries.major >= COPY_STRATEGY_SINCE:
            statement += sql.SQL(" STRATEGY file_copy")  # without fsync twice as fast as the log
        self._execute(statement)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, if it is there, together with the connections to it."""
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    @property
    def _data(self) -> Path:
        return self._workplace.path / "data"

    def _prepare(self) -> None:
        """Make the data folder, or check that the one that is there is of this release line."""
        version = self._data / "PG_VERSION"
        if version.exists():
            major = version.read_text(encoding="ascii").strip()
            if major != str(self._binaries.major):
                message = (
                    f"`{self._data}` was made by PostgreSQL {major}, "
                    f"expected {self._binaries.major} as found in `{self.bin}`"
                )
                raise UsageError(message, hint="name another folder", code="GN791")
            self._forget_ended()
            return
        self._data.mkdir(mode=0o700, exist_ok=True)
        self._account.give(self._data)
        self._initdb()

    def _forget_ended(self) -> None:
        """Remove the pid file of a server that was killed.

        PostgreSQL takes a zombie for a running server, and in a container without an init process
        a killed server stays one.
        """
        pid_file = self._data / "postmaster.pid"
        if pid_file.exists():
            pid = pid_file.read_text(encoding="utf-8").partition("\n")[0].strip()
            if not (pid.isdigit() and birth(int(pid))):
                pid_file.unlink()

    def _initdb(self) -> None:
        locale = ["--locale=C"]
        if self._binaries.major >= BUILTIN_LOCALE_SINCE:  # sorts alike on every system
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        login = ["-A", "trust"]
        secret = self._workplace.path / "password"
        if self._password:
            secret.write_text(self._password, encoding="utf-8")
            secret.chmod(0o600)
            self._account.give(secret)
            login = ["-A", "scram-sha-256", f"--pwfile={secret}"]
        command: list[str | Path] = [self.bin / "initdb", "-D", self._data, "-U", SUPERUSER, *login]
        home = None if self._account.uid is None else self._data
        try:
            told = self._account.run(
                [*command, "-E", "UTF8", *locale, "--no-sync"], environment(home)
            )
        finally:
            secret.unlink(missing_ok=True)
        if told.returncode != 0:
            message = f"initdb of PostgreSQL {self.version} failed:\n{told.stdout.strip()}"
            raise UsageError(message, hint="the lines above are its own", code="GN792")

    def _command(self, port: int) -> list[str]:
        settings = {**self._settings, "port": str(port)}
        if self._binaries.has_library("pg_stat_statements"):
            settings.setdefault("shared_preload_libraries", "pg_stat_statements")
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.bin / "postgres"), "-D", str(self._data), *flags]

    def _is_ready(self, port: int, pid: int) -> bool:
        """Read the server's own pid file, as pg_ctl does: another server cannot answer for it."""
        try:
            told = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        if len(told) < PID_FILE_LINES:
            return False
        return (told[0], told[3], told[7].strip()) == (str(pid), str(port), "ready")

    def _execute(self, statement: sql.Composed) -> None:
        """Run one statement outside a transaction, whatever PG* variables say."""
        with psycopg.connect(
            host=HOST,
            hostaddr=HOST,
            port=self.port,
            dbname="postgres",
            user=SUPERUSER,
            password=self._password or None,
            sslmode="disable",
            gssencmode="disable",
            options="",
            autocommit=True,
        ) as connection:
            connection.execute(statement)
