"""One WebSocket connection with libcurl, and one request of our own: what goes over the wire."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
import selectors
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pycurl

from gonogo import __version__
from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.foreign import address_in
from gonogo.plan.httptext import Request
from gonogo.plan.kinds import Context
from gonogo.plan.sources import OWN_AGENT

MOST_BYTES = 1024 * 1024
_STEP_S = 0.1  # how often a wish to stop is looked at
_CHUNK = 65_536
_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455, section 1.3
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_HEAD_S = 10.0
_ACCEPTED = 101
_GOODBYE = struct.pack("!H", 1000)


@dataclass(frozen=True, slots=True)
class Trust:
    """Which certificates are trusted."""

    insecure: bool
    ca: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole message, or the end of the connection: then `text` is None."""

    text: str | None
    close_code: int | None = None


class Wire:
    """A connection that is open, or was refused with a status; used once, then closed."""

    def __init__(self, url: str, context: Context, trust: Trust) -> None:
        """Remember where to connect; nothing is sent yet."""
        self._url = url
        self._context = context
        self._trust = trust
        self._curl = pycurl.Curl()
        self._multi = pycurl.CurlMulti()
        self._key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._headers: dict[str, str] = {}
        self._parts = bytearray()
        self.status = 0
        self.connect_s = 0.0

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye where somebody may hear it, and hang up."""
        if self.status == _ACCEPTED:
            with contextlib.suppress(pycurl.error, OSError):
                self._curl.ws_send(_GOODBYE, pycurl.WS_CLOSE)
        self._curl.close()
        self._multi.close()

    @property
    def protocol(self) -> str | None:
        """Return the subprotocol that the server chose."""
        return self._headers.get("sec-websocket-protocol")

    def connect(self, headers: tuple[tuple[str, str], ...], protocol: str, left_s: float) -> bool:
        """Ask for the upgrade; False when the server answers something else.

        Raises:
            WorkError: there is no answer, or it is none to our request.
        """
        if address_in(self._url)[0] not in {"ws", "wss"}:  # or libcurl would do anything
            shown = self._context.redact(self._url)
            raise WorkError(f"`{shown}` has another scheme", hint="write `wss://` or `ws://`")
        lines = [*headers, ("Sec-WebSocket-Key", self._key)]
        if protocol:
            lines.append(("Sec-WebSocket-Protocol", protocol))
        curl = self._curl
        _set_up(curl, self._url, lines, self._context, self._trust)
        curl.setopt(pycurl.CONNECT_ONLY, 2)
        curl.setopt(pycurl.HEADERFUNCTION, self._take_header)
        error = self._shake_hands(min(left_s, _HEAD_S))
        self.status = int(curl.getinfo(pycurl.RESPONSE_CODE))
        self.connect_s = float(curl.getinfo(pycurl.TOTAL_TIME))
        if error is not None and self.status in {0, _ACCEPTED}:
            raise explained(error, self._url, self._context, min(left_s, _HEAD_S))
        if self.status == _ACCEPTED:
            self._verify()
        return self.status == _ACCEPTED

    def _shake_hands(self, left_s: float) -> pycurl.error | None:
        """Carry out the upgrade, and keep time ourselves: libcurl waits for its answer for ever."""
        clock = SystemClock()
        until = clock.monotonic() + left_s
        self._multi.add_handle(self._curl)
        while True:
            self._multi.perform()
            _, done, failed = self._multi.info_read()
            if failed:
                return pycurl.error(*failed[0][1:])
            if done:
                return None
            self.refuse_stop()
            if clock.monotonic() > until:
                return pycurl.error(pycurl.E_OPERATION_TIMEDOUT, "")
            if self._multi.select(min(_STEP_S, max(until - clock.monotonic(), 0.001))) < 0:
                clock.wait(0.01)  # no socket yet: a name is being resolved

    def _verify(self) -> None:
        digest = hashlib.sha1(self._key.encode() + _SALT, usedforsecurity=False).digest()
        if self._headers.get("sec-websocket-accept") != base64.b64encode(digest).decode():
            where = self._context.redact(self._url)
            raise WorkError(
                f"`{where}` accepts the upgrade with a wrong key",
                hint="something in between answers for the server: a cache, or another service",
            )

    def _take_header(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            self._headers[name.strip().lower()] = value.strip()

    def send(self, text: str, left_s: float) -> None:
        """Send one text message.

        Raises:
            WorkError: the connection is broken, or takes nothing any more.
        """
        clock = SystemClock()
        until = clock.monotonic() + left_s
        data = text.encode()
        sent = 0
        while sent < len(data) or not data:
            try:
                sent += self._curl.ws_send(data[sent:], pycurl.WS_TEXT)
            except BlockingIOError:
                self._wait(_STEP_S, selectors.EVENT_WRITE)
                self.refuse_stop()
                if clock.monotonic() > until:
                    late = pycurl.error(pycurl.E_OPERATION_TIMEDOUT, "")
                    raise explained(late, self._url, self._context, left_s) from None
            except pycurl.error as error:
                raise explained(error, self._url, self._context, 0) from None
            if not data:
                return

    def receive(self, wait_s: float) -> Frame | None:
        """Return the next message; None when none is whole after `wait_s`, 0.1 s at most.

        Raises:
            WorkError: a message is longer than 1 MiB, or what came is no WebSocket frame.
        """
        self.refuse_stop()
        try:
            data, meta = self._curl.ws_recv(_CHUNK)
        except BlockingIOError:
            self._wait(min(max(wait_s, 0), _STEP_S), selectors.EVENT_READ)
            return None
        except pycurl.error as error:
            if error.args[0] == pycurl.E_GOT_NOTHING:
                return Frame(None)
            raise explained(error, self._url, self._context, 0) from None
        if meta.flags & pycurl.WS_CLOSE:
            return Frame(None, struct.unpack("!H", data[:2])[0] if len(data) >= 2 else None)
        if meta.flags & (pycurl.WS_PING | pycurl.WS_PONG):
            return None
        self._parts += data
        if len(self._parts) + meta.bytesleft > MOST_BYTES:
            where = self._context.redact(self._url)
            raise WorkError(
                f"`{where}` sends a message of more than {MOST_BYTES >> 20} MiB",
                hint="listen to a channel with shorter ones",
            )
        if meta.bytesleft or meta.flags & pycurl.WS_CONT:
            return None
        text = self._parts.decode("utf-8", "replace")
        self._parts.clear()
        return Frame(text)

    def refuse_stop(self) -> None:
        """Raise WorkError when somebody asked to stop."""
        if self._context.should_stop():
            raise WorkError("listening was stopped")

    def _wait(self, seconds: float, event: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._curl.getinfo(pycurl.ACTIVESOCKET), event)
            selector.select(seconds)


def ask(request: Request, context: Context, trust: Trust, left_s: float) -> int:
    """Send an HTTP request and return the status of its answer.

    Raises:
        WorkError: there is no answer.
    """
    curl = pycurl.Curl()
    try:
        lines = list(request.headers)
        given = {name.lower() for name, _ in lines}
        if request.body and "content-type" not in given:
            is_json = request.body.lstrip().startswith(("{", "["))
            lines.append(("Content-Type", "application/json" if is_json else "text/plain"))
        _set_up(curl, request.url, [*lines, ("Expect", "")], context, trust)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.TIMEOUT_MS, max(int(left_s * 1000), 1))
        curl.setopt(pycurl.WRITEFUNCTION, lambda _: None)
        if request.body or request.method == "POST":
            data = request.body.encode()
            curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(data))
            curl.setopt(pycurl.COPYPOSTFIELDS, data)
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        curl.setopt(pycurl.NOBODY, int(request.method == "HEAD"))
        curl.perform()
        return int(curl.getinfo(pycurl.RESPONSE_CODE))
    except pycurl.error as error:
        raise explained(error, request.url, context, left_s) from None
    finally:
        curl.close()


def _set_up(
    curl: pycurl.Curl, url: str, headers: list[tuple[str, str]], context: Context, trust: Trust
) -> None:
    curl.setopt(pycurl.URL, url.encode())
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(_HEAD_S * 1000))
    curl.setopt(pycurl.NOPROGRESS, 0)
    curl.setopt(pycurl.XFERINFOFUNCTION, lambda *_: int(context.should_stop()))
    if trust.insecure:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
    trusted = trust.ca or _variable(context, "ssl_cert_file", "curl_ca_bundle") or _bundle()
    if trusted:
        curl.setopt(pycurl.CAINFO, trusted)
    scheme = "https_proxy" if address_in(url)[0] in {"wss", "https"} else "http_proxy"
    # said explicitly: libcurl would ask the environment by itself
    curl.setopt(pycurl.PROXY, _variable(context, scheme, "all_proxy"))
    curl.setopt(pycurl.NOPROXY, _variable(context, "no_proxy"))
    if all(name.lower() != "user-agent" for name, _ in headers):
        headers = [*headers, ("User-Agent", f"{OWN_AGENT}/{__version__}")]
    for name, value in headers:
        if any(sign in name + value for sign in "\r\n\0"):
            raise WorkError(f"the value of header `{name}` holds a line end", hint="remove it")
    lines = [f"{name}: {value}" if value else f"{name}:" for name, value in headers]
    curl.setopt(pycurl.HTTPHEADER, [line.encode() for line in lines])


def _variable(context: Context, *names: str) -> str:
    known = context.variables
    found = (known.get(name) or known.get(name.upper()) for name in names)
    return next((value for value in found if value), "")


def _bundle() -> str:
    """Return the system's trusted certificates: libcurl only knows the place of its own system."""
    return next((path for path in _BUNDLES if Path(path).is_file()), "")


def explained(error: pycurl.error, url: str, context: Context, limit_s: float) -> WorkError:
    """Say in one sentence why there is no answer, or no more of it."""
    code, said = error.args[0], context.redact(str(error.args[1] if len(error.args) > 1 else ""))
    shown = context.redact(url)
    _, host, port = address_in(shown)
    where = f"`{host}:{port}`"
    if code == pycurl.E_ABORTED_BY_CALLBACK:
        return WorkError("listening was stopped")
    if code == pycurl.E_OPERATION_TIMEDOUT:
        hint = "is a firewall or a proxy in between that does not know WebSockets?"
        tenths = max(round(limit_s, 1), 0.1)  # what was left of the limit, not all of it
        return WorkError(f"{where} did not answer within {tenths:g} s", hint=hint)
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        hint = "look at the spelling, and at the name server of this machine"
        return WorkError(f"the host `{host}` cannot be resolved", hint=hint)
    if code == pycurl.E_COULDNT_CONNECT:
        hint = "is the service running, and does it listen there?"
        return WorkError(f"nothing answers at {where}: connection refused", hint=hint)
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        hint = "name the authority with `ca: file.pem`"
        return WorkError(f"the certificate of `{host}` is not trusted: {said}", hint=hint)
    if code == pycurl.E_URL_MALFORMAT:
        return WorkError(f"`{shown}` is no valid URL", hint="look at the values of its names")
    reason = f": {said}" if said else f" (error {code} of libcurl)"
    hint = "what listens there? its log may say more"
    return WorkError(f"the connection with {where} broke{reason}", hint=hint)
