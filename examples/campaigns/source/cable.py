"""The push side of the service: WebSocket connections that speak ActionCable's JSON protocol.

An imitation by wire format (`actioncable-v1-json`: welcome, ping, subscribe, confirm_subscription,
broadcast), without Rails. uvicorn hands a connection that asks for an upgrade to `Cable`; who has
subscribed to a channel is kept in `HUB`, through which the service broadcasts.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
import time
from collections.abc import Callable
from typing import Any

PATH = b"/cable"
PROTOCOL = "actioncable-v1-json"
CHANNEL = "CampaignsChannel"
PING_EVERY_S = 3.0
LONGEST_HEAD = 16_384
LONGEST_MESSAGE = 65_536
SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455
CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class ProtocolError(Exception):
    """The other side broke a rule; `code` goes into the close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Hub:
    """Who is connected, and how trouble is told."""

    def __init__(self) -> None:
        self.connections: set[Cable] = set()
        self.on_error: Callable[[str], None] = print
        self.refuse: Callable[[], str] = lambda: ""  # a reason to refuse new connections

    def broadcast(self, message: dict[str, Any]) -> int:
        """Send a message to every subscriber; return how many there are."""
        sent = 0
        for cable in list(self.connections):
            for identifier in cable.subscriptions:
                cable.say({"identifier": identifier, "message": message})
                sent += 1
        return sent


HUB = Hub()


def frame(opcode: int, payload: bytes) -> bytes:
    """Return one unmasked, unfragmented frame, as a server sends it."""
    head = bytes((0x80 | opcode,))
    if len(payload) < 126:
        return head + bytes((len(payload),)) + payload
    if len(payload) < 65_536:
        return head + bytes((126,)) + struct.pack("!H", len(payload)) + payload
    return head + bytes((127,)) + struct.pack("!Q", len(payload)) + payload


def unmask(payload: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))


class Cable(asyncio.Protocol):
    """One connection, from the request for an upgrade to its end."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        del config, app_state, _loop
        self._open_ones: set[Any] = server_state.connections
        self._received = b""
        self._parts = b""
        self._ready = False
        self._pinging: asyncio.TimerHandle | None = None
        self.subscriptions: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._open_ones.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._open_ones.discard(self)
        HUB.connections.discard(self)
        if self._pinging is not None:
            self._pinging.cancel()
        if error is not None and not isinstance(error, ConnectionError):  # a reader may just leave
            HUB.on_error(f"connection lost: {error}")

    def shutdown(self) -> None:
        """End in good order; uvicorn calls it when the service stops."""
        self.say({"type": "disconnect", "reason": "server_restart", "reconnect": True})
        self._close(1001)

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            if not self._ready and not self._shake_hands():
                return
            while self._take_frame():
                pass
        except ProtocolError as error:
            HUB.on_error(f"protocol error: {error}")
            self._close(error.code)

    def say(self, message: dict[str, Any]) -> None:
        if self._ready and not self._transport.is_closing():
            self._transport.write(frame(TEXT, json.dumps(message).encode()))

    def _shake_hands(self) -> bool:
        head, ended, rest = self._received.partition(b"\r\n\r\n")
        if not ended:
            if len(head) > LONGEST_HEAD:
                self._refuse("431 Request Header Fields Too Large")
            return False
        request, *lines = head.split(b"\r\n")
        pairs = [line.partition(b":") for line in lines]
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        path = request.partition(b" ")[2].partition(b" ")[0].partition(b"?")[0]
        key = headers.get(b"sec-websocket-key", b"")
        offered = [p.strip() for p in headers.get(b"sec-websocket-protocol", b"").split(b",")]
        if path != PATH:
            self._refuse("404 Not Found")
        elif not key or headers.get(b"sec-websocket-version") != b"13":
            self._refuse("400 Bad Request")
        elif reason := HUB.refuse():
            HUB.on_error(reason)
            self._refuse("503 Service Unavailable")
        else:
            self._received = rest
            self._accept(key, speaks_cable=PROTOCOL.encode() in offered)
            return True
        return False

    def _accept(self, key: bytes, *, speaks_cable: bool) -> None:
        digest = base64.b64encode(hashlib.sha1(key + SALT, usedforsecurity=False).digest())
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines.append(f"Sec-WebSocket-Accept: {digest.decode()}")
        if speaks_cable:
            lines.append(f"Sec-WebSocket-Protocol: {PROTOCOL}")
        self._transport.write("\r\n".join([*lines, "", ""]).encode())
        self._ready = True
        HUB.connections.add(self)
        self.say({"type": "welcome"})
        self._ping()

    def _refuse(self, status: str) -> None:
        self._received = b""
        words = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self._transport.write(words.encode())
        self._transport.close()

    def _ping(self) -> None:
        self.say({"type": "ping", "message": int(time.time())})
        self._pinging = asyncio.get_running_loop().call_later(PING_EVERY_S, self._ping)

    def _close(self, code: int) -> None:
        if self._ready and not self._transport.is_closing():
            self._transport.write(frame(CLOSE, struct.pack("!H", code)))
        self._transport.close()

    def _take_frame(self) -> bool:
        """Take one whole frame off what was received; False when there is none yet."""
        if len(self._received) < 2 or self._transport.is_closing():
            return False
        first, second = self._received[:2]
        if not second & 0x80:
            raise ProtocolError(1002, "a client's frame was not masked")
        length, start = second & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(self._received) < start:
                return False
            length = int.from_bytes(self._received[2:start], "big")
        if length > LONGEST_MESSAGE:
            raise ProtocolError(1009, f"a frame of {length} bytes, {LONGEST_MESSAGE} at most")
        end = start + 4 + length
        if len(self._received) < end:
            return False
        key, payload = self._received[start : start + 4], self._received[start + 4 : end]
        self._received = self._received[end:]
        self._obey(first & 0x0F, unmask(payload, key), last=bool(first & 0x80))
        return True

    def _obey(self, opcode: int, payload: bytes, *, last: bool) -> None:
        if opcode == CLOSE:
            self._close(1000)
        elif opcode == PING:
            self._transport.write(frame(PONG, payload))
        elif opcode in (TEXT, CONTINUED):
            self._parts += payload
            if len(self._parts) > LONGEST_MESSAGE:
                raise ProtocolError(1009, "a message is too long")
            if last:
                text, self._parts = self._parts, b""
                self._command(text)
        elif opcode == BINARY:
            raise ProtocolError(1003, "binary data is not understood")
        elif opcode != PONG:
            raise ProtocolError(1002, f"there is no frame of kind {opcode}")

    def _command(self, text: bytes) -> None:
        try:
            asked = json.loads(text)
            command, identifier = asked["command"], asked["identifier"]
            channel = json.loads(identifier)["channel"]
        except (ValueError, KeyError, TypeError):
            raise ProtocolError(1003, "a command that is not understood") from None
        if command == "subscribe" and channel == CHANNEL:
            if identifier not in self.subscriptions:
                self.subscriptions.append(identifier)
            self.say({"identifier": identifier, "type": "confirm_subscription"})
        elif command == "subscribe":
            self.say({"identifier": identifier, "type": "reject_subscription"})
        elif command == "unsubscribe" and identifier in self.subscriptions:
            self.subscriptions.remove(identifier)
