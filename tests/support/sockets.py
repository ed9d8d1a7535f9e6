"""A WebSocket server for tests that behaves, or misbehaves, as its path says."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(
    payload: bytes, opcode: int = 1, *, last: bool = True, claims: int | None = None
) -> bytes:
    """Return an unmasked frame; `claims` is a length that it only pretends to have."""
    length = len(payload) if claims is None else claims
    head = bytes(((0x80 if last else 0) | opcode,))
    if length < 126:
        return head + bytes((length,)) + payload
    if length < 65_536:
        return head + bytes((126,)) + struct.pack("!H", length) + payload
    return head + bytes((127,)) + struct.pack("!Q", length) + payload


def said(**message: object) -> bytes:
    """Return a message as JSON in a frame."""
    return frame(json.dumps(message).encode())


@dataclass
class Sockets:
    """A server in a thread: each connection is handled by the function of its path."""

    port: int
    seen: list[str] = field(default_factory=list)  # the heads of the requests, then the messages
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}/{path}"

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator[Self]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = cls(listener.getsockname()[1])
            threading.Thread(target=server._serve, args=(listener,), daemon=True).start()
            yield server
            server.over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # closing alone would not wake who accepts

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(4096)
                if not part:
                    return
                head += part
            self.seen.append(head.decode("latin-1"))
            name = head.split(b" ", 2)[1].decode().strip("/").partition("?")[0]
            MANNERS[name](self, connection, head)

    def accept(self, connection: socket.socket, head: bytes, *, key: bytes | None = None) -> None:
        """Answer the request for an upgrade as a good server does."""
        line = next(
            part for part in head.split(b"\r\n") if part.lower().startswith(b"sec-websocket-key")
        )
        asked = key or line.partition(b":")[2].strip()
        digest = base64.b64encode(hashlib.sha1(asked + SALT, usedforsecurity=False).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"
        )

    def hear(self, connection: socket.socket) -> str:
        """Return the next message of the client, unmasked; shorter than 64 KiB."""
        first, second = _exactly(connection, 2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack("!H", _exactly(connection, 2))[0]
        key, data = _exactly(connection, 4), _exactly(connection, length)
        text = bytes(byte ^ key[at % 4] for at, byte in enumerate(data)).decode("utf-8", "replace")
        self.seen.append(f"{first & 0x0F}:{text}")
        return text


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise OSError
        data += part
    return data


def _cable(*answers: bytes, confirms: bool = True) -> Callable[..., None]:
    """Speak as ActionCable does, then say `answers`, then be silent."""

    def manner(server: Sockets, connection: socket.socket, head: bytes) -> None:
        server.accept(connection, head)
        connection.sendall(said(type="welcome") + said(type="ping", message=1))
        asked = json.loads(server.hear(connection))
        if confirms:
            connection.sendall(said(type="confirm_subscription", identifier=asked["identifier"]))
        for answer in answers:
            connection.sendall(
                answer.replace(b"IDENTIFIER", json.dumps(asked["identifier"]).encode())
            )
        server.hear(connection)

    return manner


def _plain(*answers: bytes, listens: bool = True) -> Callable[..., None]:
    def manner(server: Sockets, connection: socket.socket, head: bytes) -> None:
        server.accept(connection, head)
        connection.sendall(b"".join(answers))
        if listens:
            server.hear(connection)

    return manner


def _echo(server: Sockets, connection: socket.socket, head: bytes) -> None:
    server.accept(connection, head)
    while True:
        connection.sendall(frame(server.hear(connection).encode()))


def _raw(answer: bytes, *, listens: bool = False) -> Callable[..., None]:
    def manner(server: Sockets, connection: socket.socket, head: bytes) -> None:
        connection.sendall(answer)
        if listens:
            server.hear(connection)

    return manner


def _wrong_key(server: Sockets, connection: socket.socket, head: bytes) -> None:
    server.accept(connection, head, key=b"somebody else's")
    server.hear(connection)


def _floods(server: Sockets, connection: socket.socket, head: bytes) -> None:
    server.accept(connection, head)
    while True:
        connection.sendall(frame(b"x" * 500_000))


def _deaf(server: Sockets, connection: socket.socket, head: bytes) -> None:
    server.accept(connection, head)
    server.over.wait(20)


def _rejects(server: Sockets, connection: socket.socket, head: bytes) -> None:
    server.accept(connection, head)
    asked = json.loads(server.hear(connection))
    connection.sendall(said(type="reject_subscription", identifier=asked["identifier"]))
    server.hear(connection)


def _told(event: str) -> bytes:
    text = b'{"identifier": IDENTIFIER, "message": {"event": "' + event.encode() + b'"}}'
    # 33 bytes longer once the identifier of the channel `Room` stands in it
    return frame(
        text, claims=len(text) - len(b"IDENTIFIER") + len(json.dumps('{"channel":"Room"}'))
    )


MANNERS: dict[str, Callable[..., None]] = {
    "echo": _echo,
    "strange-types": _cable(*(said(type=kind) for kind in ([], {}, 7, None, ["ping"]))),
    "deep": _plain(frame(b"[" * 600 + b"]" * 600)),
    "beyond-decimals": _plain(frame(b"[1e99999999999999999999]")),
    "floods": _floods,
    "deaf": _deaf,
    "tells": _cable(_told("other"), _told("created")),
    "other-channel": _cable(said(identifier="x", message={"event": "created"})),
    "subscribes": _cable(),
    "silent": _cable(confirms=False),
    "rejects": _rejects,
    "parts": _plain(frame(b'{"a":', last=False), frame(b"", opcode=9), frame(b" 1.50}", opcode=0)),
    "closes": _plain(frame(struct.pack("!H", 4001), opcode=8), listens=False),
    "closes-bare": _plain(frame(b"", opcode=8), listens=False),
    "hangs-up": _plain(listens=False),
    "huge": _plain(frame(b"x" * 1000, claims=1 << 40)),
    "long": _plain(frame(b"x" * (1 << 20) + b"y")),
    "garbage": _plain(b"\xf7\xff" + bytes(range(256))),
    "no-text": _plain(frame(b"\xff\xfe")),
    "refuses": _raw(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    "page": _raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"),
    "wrong-upgrade": _raw(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        listens=True,
    ),
    "no-http": _raw(b"SSH-2.0-OpenSSH_9.2\r\n", listens=True),
    "wrong-key": _wrong_key,
}
