"""A web server that writes down its own truth: what arrived and when, in its own words."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Arrival:
    """One request as the server saw it; times on the machine's monotonic clock."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    began: float
    connection: int


@dataclass
class Freeze:
    """From the n-th request on the server answers nobody for a while."""

    after: int = 0
    seconds: float = 0.0
    frozen_at: float = 0.0
    thawed_at: float = 0.0
    thawed: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, _request: object, _address: object) -> None:
        """Say nothing: clients that go away are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    """Answers as the path says: /ok, /status/N, /every/K/N, /hang, /close, /cookie."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self) -> None:
        web: Truthful = self.server.web  # type: ignore[attr-defined]
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        number = web.arrived(
            Arrival(
                self.command,
                self.path,
                dict(self.headers),
                body,
                time.monotonic(),
                self.client_address[1],
            )
        )
        self._freeze(web, number)
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] == "hang":
            web.over.wait(30)
        if parts[0] in {"hang", "close"}:
            self.close_connection = True
            return
        status = int(parts[1]) if parts[0] == "status" else 200
        if parts[0] == "every":
            status = int(parts[2]) if number % int(parts[1]) == 0 else 200
        self.send_response(status)
        if parts[0] == "cookie":
            self.send_header("Set-Cookie", "seen=yes; Path=/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"ok")

    def _freeze(self, web: Truthful, number: int) -> None:
        freeze = web.freeze
        if not freeze.after or number < freeze.after:
            return
        if number == freeze.after:
            freeze.frozen_at = time.monotonic()
            web.over.wait(freeze.seconds)
            freeze.thawed_at = time.monotonic()
            freeze.thawed.set()
        freeze.thawed.wait(30)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


for _method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.answer)


@dataclass
class Truthful:
    """The server, in a thread of the test's own process."""

    url: str
    arrivals: list[Arrival] = field(default_factory=list)
    freeze: Freeze = field(default_factory=Freeze)
    over: threading.Event = field(default_factory=threading.Event)
    first: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextlib.contextmanager
    def start(cls, certificate: Path | None = None) -> Iterator[Self]:
        server = _Server(("127.0.0.1", 0), _Handler)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        web = cls(f"{scheme}://127.0.0.1:{server.server_port}")
        server.web = web  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True, args=(0.02,))
        thread.start()
        try:
            yield web
        finally:
            web.over.set()
            server.shutdown()
            server.server_close()
            thread.join()

    def arrived(self, arrival: Arrival) -> int:
        """Write a request down and return its number, from 1."""
        with self._lock:
            self.arrivals.append(arrival)
            self.first.set()
            return len(self.arrivals)
