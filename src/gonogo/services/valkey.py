"""A Valkey or Redis server of our own: a cache that is empty at the start and gone at the end."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path
from typing import Self
from urllib.parse import quote

from gonogo.services.account import Account
from gonogo.services.binaries import ValkeyBinary, find_valkey
from gonogo.services.server import HOST, Recipe, Service
from gonogo.services.workplace import Workplace, enter

ANSWER_WITHIN_S = 2.0


class Valkey(Service):
    """A server of the Redis protocol on 127.0.0.1 that ends with this process.

    It keeps nothing on disk: `restart` begins with an empty memory.
    """

    def __init__(self, workplace: Workplace, binary: ValkeyBinary, password: str) -> None:
        """Hold what `start` prepared; use `start`."""
        self._binary = binary
        self._password = password
        recipe = Recipe("Redis or Valkey", self._command, self._is_ready, signal.SIGTERM, Account())
        super().__init__(recipe, workplace)

    @classmethod
    def start(cls, folder: Path | None = None, *, password: str = "") -> Self:
        """Start a server and return when it answers.

        The log stays in `folder` if one is given. Raises UsageError when there is no program to
        run, or with the server's last words when it does not start.
        """
        workplace = enter("valkey", Account(), folder)
        server: Self | None = None
        try:
            server = cls(workplace, find_valkey(), password)
            server._configure()
            server._server.start()
        except BaseException:
            if server is not None:
                server._server.end(politely=False)
            workplace.leave()
            raise
        return server

    @property
    def version(self) -> str:
        """Return the server's own release, which for Valkey is not the Redis one it imitates."""
        return self._binary.version

    def url(self, db: int = 0) -> str:
        """Return the connection URL of one numbered database."""
        secret = f":{quote(self._password, safe='')}@" if self._password else ""
        return f"redis://{secret}{HOST}:{self.port}/{db}"

    def _configure(self) -> None:
        """Write what must not stand on a command line that everybody can list."""
        folder = _quoted(str(self._workplace.path))
        lines = [f"dir {folder}", 'save ""', "appendonly no", "databases 16"]
        if self._password:
            lines.append(f"requirepass {_quoted(self._password)}")
        config = self._workplace.path / "server.conf"
        config.touch(mode=0o600)
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _command(self, port: int) -> list[str]:
        config = str(self._workplace.path / "server.conf")
        return [str(self._binary.program), config, "--port", str(port), "--bind", HOST]

    def _is_ready(self, port: int, pid: int) -> bool:
        """Ask who answers: on a port that was taken meanwhile it would be another server."""
        questions = ["PING", "INFO server", "QUIT"]
        if self._password:
            questions.insert(0, f"AUTH {_quoted(self._password)}")
        try:
            with socket.create_connection((HOST, port), timeout=ANSWER_WITHIN_S) as line:
                line.sendall("".join(f"{question}\r\n" for question in questions).encode())
                answer = b"".join(iter(lambda: line.recv(65536), b""))
        except OSError:
            return False
        who = re.search(rb"process_id:(\d+)", answer)
        return b"+PONG" in answer and who is not None and int(who.group(1)) == pid


def _quoted(text: str) -> str:
    """Quote a word for the server's configuration and its inline commands, which read alike."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in text.encode()) + '"'
