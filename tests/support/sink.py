"""Real receivers on this machine, for HTTP and SMTP: they keep everything and fail when told."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest


@dataclass(frozen=True)
class Post:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")


@dataclass
class HttpSink:
    """Answers as told: 200 until `answer` is set to another status, `hang` or `drop`."""

    port: int = 0
    posts: list[Post] = field(default_factory=list)
    taken: list[Post] = field(default_factory=list)  # those that were answered with 2xx
    answer: int | str = 200
    by_path: dict[str, int | str] = field(default_factory=dict)
    body: bytes = b'{"status":"success","dedup_key":"of-the-service"}'
    headers: dict[str, str] = field(default_factory=dict)
    let_go: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def pagerduty(self, key: str = "R0UTINGKEY0123456789") -> str:
        return f"http://{key}@127.0.0.1:{self.port}/v2/enqueue"

    def of(self, path: str) -> list[Post]:
        return [post for post in self.posts if post.path == path]


@contextmanager
def http_sink() -> Iterator[HttpSink]:
    sink = HttpSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            post = Post(self.path, headers, body)
            sink.posts.append(post)
            answer = sink.by_path.get(self.path, sink.answer)
            if answer == "hang":
                sink.let_go.wait(30)
            if isinstance(answer, str):
                self.close_connection = True
                return
            if 200 <= answer < 300:
                sink.taken.append(post)
            self.send_response(answer)
            for name, value in sink.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sink.body)))
            self.end_headers()
            self.wfile.write(sink.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sink.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sink
    finally:
        sink.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class MailSink:
    """Takes mail; `refuse` maps a verb (MAIL, RCPT, DATA, AUTH) to the line it is refused with."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    offers_login: bool = False
    hangs: bool = False
    let_go: threading.Event = field(default_factory=threading.Event)

    def url(self, account: str = "") -> str:
        return f"smtp://{account}127.0.0.1:{self.port}"


class _Mail(socketserver.StreamRequestHandler):
    sink: ClassVar[MailSink]

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.sender, self.people = "", list[str]()
        if self.sink.hangs:
            self.sink.let_go.wait(30)
            return
        self.say("220 sink ready")
        while line := self.rfile.readline():
            text = line.decode("utf-8", "replace").strip()
            verb = text[:4].upper()
            if verb in self.sink.refuse:
                self.say(self.sink.refuse[verb])
            else:
                self.obey(verb, text)
            if verb == "QUIT":
                return

    def obey(self, verb: str, text: str) -> None:
        match verb:
            case "EHLO":
                self.say("250-sink\r\n250-AUTH PLAIN" if self.sink.offers_login else "250-sink")
                self.say("250 SMTPUTF8")
            case "AUTH":
                account = base64.b64decode(text.split()[2]).decode()
                self.sink.logins.append(account.replace("\0", " "))
                self.say("235 welcome")
            case "MAIL":
                self.sender = text[10:].partition(">")[0].strip("<")
                self.say("250 ok")
            case "RCPT":
                self.people.append(text[8:].strip("<> "))
                self.say("250 ok")
            case "DATA":
                self.say("354 go on")
                self.take(self.sender, self.people)
                self.sender, self.people = "", []
            case "QUIT":
                self.say("221 bye")
            case _:
                self.say("250 ok")

    def take(self, sender: str, people: list[str]) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        self.sink.mails.append(mail)
        self.sink.envelopes.append((sender, people))
        self.say(self.sink.refuse.get("TEXT", "250 taken"))


@contextmanager
def mail_sink() -> Iterator[MailSink]:
    sink = MailSink()
    handler = type("Handler", (_Mail,), {"sink": sink})

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), handler)
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sink
    finally:
        sink.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    """A receiver for HTTP."""
    with http_sink() as found:
        yield found


@pytest.fixture
def mails() -> Iterator[MailSink]:
    """A receiver for mail."""
    with mail_sink() as found:
        yield found
