"""Contexts for kinds, and small servers that misbehave on purpose."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from gonogo.plan.kinds import Context, Effect, never, nothing
from gonogo.redaction import Redactor

_numbers = itertools.count(1)


def a_context(
    folder: Path,
    *,
    targets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    effect: Effect = Effect.CHECK,
    timeout_s: float = 20.0,
    secrets: tuple[str, ...] = (),
    on_output: Callable[[str, str], None] = nothing,
    should_stop: Callable[[], bool] = never,
) -> Context:
    """Return a context with everything that a kind may ask for, and a folder of its own."""
    return Context(
        targets=targets or {},
        variables={"PATH": os.environ["PATH"], **(variables or {})},
        cwd=folder,
        folder=folder / f"attempt-{next(_numbers)}",
        timeout_s=timeout_s,
        effect=effect,
        redact=Redactor(secrets),
        on_output=on_output,
        should_stop=should_stop,
    )


class StopAfter:
    """Wants a stop from the n-th question on."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


class _Handler(BaseHTTPRequestHandler):
    """Answers as the path says: /status/403, /json, /echo, /redirect/N, /big, /hang, /close."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.server.seen.append((self.command, self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        parts = self.path.partition("?")[0].strip("/").split("/")
        handler = getattr(self, f"_{parts[0] or 'home'}", None)
        if handler is None:
            self._send(404, b"nothing here")
            return
        handler(parts[1:], body)

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _home(self, _parts: list[str], _body: str) -> None:
        self._send(200, b"<title>home</title>", Content_Type="text/html; charset=utf-8")

    def _status(self, parts: list[str], _body: str) -> None:
        self._send(int(parts[0]), b"as asked")

    def _json(self, _parts: list[str], _body: str) -> None:
        ratio = "0.1000000000000000055511151231257827021181"
        text = f'{{"checks": {{"database": "ok"}}, "ratio": {ratio}, "n": [1, null]}}'
        self._send(200, text.encode(), Content_Type="application/json", X_Cache="hit")

    def _echo(self, _parts: list[str], body: str) -> None:
        said = {"method": self.command, "headers": dict(self.headers), "body": body}
        self._send(200, json.dumps(said).encode(), Content_Type="application/json")

    def _redirect(self, parts: list[str], _body: str) -> None:
        left = int(parts[0])
        where = f"/redirect/{left - 1}" if left > 1 else "/json"
        self._send(302, b"", Location=where)

    def _gzip(self, _parts: list[str], _body: str) -> None:
        self._send(
            200,
            gzip.compress(b'{"a": 1}'),
            Content_Encoding="gzip",
            Content_Type="application/json",
        )

    def _latin(self, _parts: list[str], _body: str) -> None:
        self._send(200, "café".encode("latin-1"), Content_Type="text/plain; charset=latin-1")

    def _big(self, _parts: list[str], _body: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(OSError):
            for _ in range(12):
                self.wfile.write(b"x" * 1024 * 1024)

    def _hang(self, _parts: list[str], _body: str) -> None:
        self.server.over.wait(30)  # type: ignore[attr-defined]
        self.close_connection = True

    def _close(self, _parts: list[str], _body: str) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


for _method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler._answer)


@dataclass
class Answering:
    """A web server in a thread."""

    server: ThreadingHTTPServer
    url: str

    @classmethod
    @contextlib.contextmanager
    def start(cls, certificate: Path | None = None) -> Iterator[Self]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.seen = []  # type: ignore[attr-defined]
        server.over = threading.Event()  # type: ignore[attr-defined]
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        thread = threading.Thread(target=server.serve_forever, daemon=True, args=(0.05,))
        thread.start()
        try:
            yield cls(server, f"{scheme}://127.0.0.1:{server.server_port}")
        finally:
            server.over.set()  # type: ignore[attr-defined]
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def seen(self) -> list[tuple[str, str, dict[str, str], str]]:
        """Return what was asked: method, path, headers, body."""
        found: list[tuple[str, str, dict[str, str], str]] = self.server.seen  # type: ignore[attr-defined]
        return found


@dataclass
class Silent:
    """A listening port; the system accepts, nobody reads."""

    port: int

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator[Self]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(8)
            yield cls(listener.getsockname()[1])


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
