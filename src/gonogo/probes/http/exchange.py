"""One exchange over HTTP with libcurl: sends, watches limits, explains what went wrong."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pycurl

from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.foreign import address_in, json_in
from gonogo.plan.httptext import Request
from gonogo.plan.kinds import Context, Datum, Effect, Observation
from gonogo.plan.units import Quantity

MOST_BYTES = 10 * 1024 * 1024
_SHOWN = 2_000
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_NO_CHARSETS = frozenset(("punycode", "unicode-escape", "raw-unicode-escape"))  # Python's own
_VERSIONS = {1: "1.0", 2: "1.1", 3: "2", 30: "3"}


@dataclass(frozen=True, slots=True)
class Options:
    """How the request is sent."""

    follow: bool
    insecure: bool
    ca: str
    connect_timeout_s: float
    proxy: str


class Exchange:
    """One request and its answer; used once."""

    def __init__(self, request: Request, options: Options, context: Context) -> None:
        """Remember what to send; nothing is sent yet."""
        self._request = request
        self._options = options
        self._context = context
        self._body = bytearray()
        self._headers: dict[str, str] = {}
        self._too_long = False

    def observe(self) -> Observation:
        """Send the request and return what came back.

        Raises:
            WorkError: no answer, or one that is longer than 10 MiB.
        """
        curl = pycurl.Curl()
        try:
            self._set_up(curl)
            curl.perform()
            return self._observation(curl)
        except pycurl.error as error:
            raise self._explained(error, curl) from None
        except UnicodeError:
            raise WorkError(
                f"`{self._shown_url()}` or a header holds a character that cannot be sent",
                hint="write other characters in the URL as %XX",
            ) from None
        finally:
            curl.close()

    def _set_up(self, curl: pycurl.Curl) -> None:
        options, request = self._options, self._request
        curl.setopt(pycurl.URL, request.url.encode())
        for option in (pycurl.PROTOCOLS, pycurl.REDIR_PROTOCOLS):
            curl.setopt(option, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.FOLLOWLOCATION, int(options.follow))
        curl.setopt(pycurl.MAXREDIRS, 10)
        curl.setopt(pycurl.TIMEOUT_MS, max(int(self._context.timeout_s * 1000), 1))
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(int(options.connect_timeout_s * 1000), 1))
        curl.setopt(pycurl.WRITEFUNCTION, self._take)
        curl.setopt(pycurl.HEADERFUNCTION, self._take_header)
        curl.setopt(pycurl.NOPROGRESS, 0)
        curl.setopt(pycurl.XFERINFOFUNCTION, self._wants_to_stop)
        curl.setopt(pycurl.ACCEPT_ENCODING, "")
        curl.setopt(pycurl.OPT_CERTINFO, 1)
        if options.insecure:
            curl.setopt(pycurl.SSL_VERIFYPEER, 0)
            curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        trusted = options.ca or self._variable("ssl_cert_file", "curl_ca_bundle") or _bundle()
        if trusted:
            curl.setopt(pycurl.CAINFO, trusted)
        self._set_proxy(curl)
        self._set_request(curl)

    def _set_proxy(self, curl: pycurl.Curl) -> None:
        """Say explicitly which proxy is used: libcurl would ask the environment by itself."""
        proxy = self._options.proxy
        excepted = ""
        if proxy == "none":
            proxy = ""
        elif proxy == "environment":
            is_tls = self._request.url.lower().startswith("https:")
            proxy = self._variable("https_proxy" if is_tls else "http_proxy", "all_proxy")
            excepted = self._variable("no_proxy")
        curl.setopt(pycurl.PROXY, proxy)
        curl.setopt(pycurl.NOPROXY, excepted)

    def _variable(self, *names: str) -> str:
        variables = self._context.variables
        for name in names:
            found = variables.get(name) or variables.get(name.upper())
            if found:
                return found
        return ""

    def _set_request(self, curl: pycurl.Curl) -> None:
        request = self._request
        if request.method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif request.body:
            data = request.body.encode()
            curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(data))
            curl.setopt(pycurl.COPYPOSTFIELDS, data)
            curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        elif request.method == "POST":
            curl.setopt(pycurl.POSTFIELDSIZE_LARGE, 0)
            curl.setopt(pycurl.COPYPOSTFIELDS, b"")
        else:
            curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        given = {name.lower() for name, _ in request.headers}
        lines = [f"{name}: {value}" if value else f"{name};" for name, value in request.headers]
        if "user-agent" not in given:
            lines.append("User-Agent: gonogo")
        if request.body and "content-type" not in given:
            is_json = request.body.lstrip().startswith(("{", "["))
            lines.append(f"Content-Type: {'application/json' if is_json else 'text/plain'}")
        lines.append("Expect:")  # no waiting for 100 Continue
        for line in lines:
            if "\n" in line or "\r" in line or "\0" in line:
                name = line.partition(":")[0]
                raise WorkError(f"the value of header `{name}` holds a line end", hint="remove it")
        curl.setopt(pycurl.HTTPHEADER, [line.encode() for line in lines])

    def _take(self, data: bytes) -> int | None:
        if len(self._body) + len(data) > MOST_BYTES:
            self._too_long = True
            return -1
        self._body += data
        return None

    def _take_header(self, line: bytes) -> None:
        text = line.decode("latin-1").rstrip("\r\n")
        if text.startswith("HTTP/"):
            self._headers = {}  # a later answer: a redirect, or the real one behind 100 Continue
            return
        name, colon, value = text.partition(":")
        if colon:
            name, value = name.strip().lower(), value.strip()
            former = self._headers.get(name)
            self._headers[name] = value if former is None else f"{former}, {value}"

    def _wants_to_stop(self, *_amounts: float) -> int:
        return int(self._context.should_stop())

    def _observation(self, curl: pycurl.Curl) -> Observation:
        text = bytes(self._body).decode(_charset(self._headers), "replace")
        status = int(curl.getinfo(pycurl.RESPONSE_CODE))
        total = curl.getinfo(pycurl.TOTAL_TIME)
        body, remark = _parsed(text, self._headers)
        found: dict[str, Datum] = {
            "status": status,
            "header": dict(self._headers),
            "body": body,
            "size": Quantity(Decimal(len(self._body)), "B"),
            "latency": _seconds(total),
            "response time": _seconds(total),
            **_phases(curl),
            "redirects": int(curl.getinfo(pycurl.REDIRECT_COUNT)),
            "remote address": curl.getinfo(pycurl.PRIMARY_IP) or None,
            "http version": _VERSIONS.get(curl.getinfo(pycurl.INFO_HTTP_VERSION), "?"),
        }
        location = curl.getinfo(pycurl.REDIRECT_URL)
        if location:
            found["redirect url"] = location
        expiry = _certificate_expiry(curl)
        if expiry is not None:
            found["certificate expiry"] = expiry
        lines = [
            f"{self._request.method} {self._request.url}",
            f"status {status} in {total * 1000:.1f} ms, {len(self._body)} bytes",
            *([remark] if remark else []),
            *(f"{name}: {value}" for name, value in self._headers.items()),
            "",
            text[:_SHOWN] + ("…" if len(text) > _SHOWN else ""),
        ]
        return Observation(found, text=self._context.redact("\n".join(lines).strip()))

    def _shown_url(self) -> str:
        return self._context.redact(self._request.url)

    def _explained(self, error: pycurl.error, curl: pycurl.Curl) -> WorkError:
        """Say in one sentence why there is no answer."""
        code = error.args[0]
        url = self._shown_url()
        _, host, port = address_in(url)
        is_action = self._context.effect is Effect.ACTION
        if code == pycurl.E_ABORTED_BY_CALLBACK:
            return WorkError(f"the request to `{url}` was stopped", failed=is_action)
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return self._too_late(curl, url, is_action=is_action)
        if self._too_long:
            limit = MOST_BYTES // (1024 * 1024)
            return WorkError(
                f"the answer of `{url}` is longer than {limit} MiB", hint="ask for less of it"
            )
        said = str(error.args[1]) if len(error.args) > 1 else ""
        if code == pycurl.E_UNSUPPORTED_PROTOCOL and " HTTP" in said:  # of the answer, not the URL
            code = _NO_HTTP
        if code in _REASONS:
            message, hint = _REASONS[code]
            words = {"host": host, "port": port, "url": url, "said": self._context.redact(said)}
            return WorkError(message.format(**words), hint=hint.format(**words))
        return WorkError(f"no answer from `{url}`: {self._context.redact(said) or f'error {code}'}")

    def _too_late(self, curl: pycurl.Curl, url: str, *, is_action: bool) -> WorkError:
        connected = curl.getinfo(pycurl.CONNECT_TIME) > 0
        if connected:
            return WorkError(
                f"`{url}` did not answer within {self._context.timeout_s:g} s",
                hint="allow more time with `timeout:`, or find out what it waits for",
                failed=is_action,
            )
        limit = min(self._options.connect_timeout_s, self._context.timeout_s)
        return WorkError(
            f"no connection with `{url}` within {limit:g} s",
            hint="is a firewall in between, or a proxy needed?",
        )


_NO_HTTP = pycurl.E_FTP_WEIRD_SERVER_REPLY  # libcurl has one number for all protocols
_REASONS = {
    _NO_HTTP: (
        "what answers at `{host}:{port}` is no HTTP: {said}",
        "is it another service, or a proxy that breaks the answer?",
    ),
    pycurl.E_COULDNT_RESOLVE_HOST: (
        "the host `{host}` cannot be resolved",
        "look at the spelling, and at the name server of this machine",
    ),
    pycurl.E_COULDNT_RESOLVE_PROXY: ("the proxy cannot be resolved", "look at option `proxy`"),
    pycurl.E_COULDNT_CONNECT: (
        "nothing answers at `{host}:{port}`: connection refused",
        "is the service running, and does it listen there?",
    ),
    pycurl.E_PEER_FAILED_VERIFICATION: (
        "the certificate of `{host}` is not trusted: {said}",
        "name the authority with `ca: file.pem`",
    ),
    pycurl.E_SSL_CONNECT_ERROR: (
        "no TLS connection with `{host}:{port}`: {said}",
        "does it speak TLS there? `http://` and `https://` have different ports",
    ),
    pycurl.E_SSL_CACERT_BADFILE: ("the file of `ca` cannot be read: {said}", "look at the path"),
    pycurl.E_GOT_NOTHING: ("`{url}` closed the connection without an answer", "look at its log"),
    pycurl.E_RECV_ERROR: ("the connection with `{url}` broke: {said}", "look at its log"),
    pycurl.E_SEND_ERROR: ("the connection with `{url}` broke: {said}", "look at its log"),
    pycurl.E_TOO_MANY_REDIRECTS: ("`{url}` redirects more than 10 times", "look for a circle"),
    pycurl.E_URL_MALFORMAT: (
        "`{url}` is no valid URL",
        "look at the values of the names in it; write other characters as %XX",
    ),
    pycurl.E_UNSUPPORTED_PROTOCOL: (
        "`{url}` is neither http nor https",
        "write `http://` or `https://`",
    ),
    pycurl.E_PARTIAL_FILE: ("the answer of `{url}` is cut off", "look at its log"),
}


def _bundle() -> str:
    """Return the system's trusted certificates: libcurl only knows the place of its own system."""
    return next((path for path in _BUNDLES if Path(path).is_file()), "")


def _seconds(number: float) -> Quantity:
    return Quantity(Decimal(str(round(number, 6))), "s")


def _phases(curl: pycurl.Curl) -> dict[str, Datum]:
    """Return the duration of each phase; libcurl counts all of them from the start."""
    resolved = curl.getinfo(pycurl.NAMELOOKUP_TIME)
    connected = curl.getinfo(pycurl.CONNECT_TIME)
    secured = curl.getinfo(pycurl.APPCONNECT_TIME)
    sent = curl.getinfo(pycurl.PRETRANSFER_TIME)
    first = curl.getinfo(pycurl.STARTTRANSFER_TIME)
    phases: dict[str, Datum] = {
        "dns": _seconds(resolved),
        "connect": _seconds(max(connected - resolved, 0)),
        "first byte": _seconds(max(first - sent, 0)),
    }
    if secured:
        phases["tls"] = _seconds(max(secured - connected, 0))
    return phases


def _charset(headers: Mapping[str, str]) -> str:
    for part in headers.get("content-type", "").split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name.lower() == "charset":
            return _known(value.strip("\"' "))
    return "utf-8"


def _known(charset: str) -> str:
    """Return the charset when it is one of texts that we can read, else UTF-8."""
    try:
        b" ".decode(charset, "replace")  # no bytes at all would be decoded by any name
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return "utf-8"
    return "utf-8" if name in _NO_CHARSETS else name


def _parsed(text: str, headers: Mapping[str, str]) -> tuple[Datum, str]:
    """Return JSON as values, exact to the last digit; anything else as text.

    Where the headers say JSON and none can be read, a line beside it says why.
    """
    says_so = "json" in headers.get("content-type", "").lower()
    if not says_so and not text.lstrip().startswith(("{", "[")):
        return text, ""
    try:
        return json_in(text), ""
    except ValueError as problem:
        reason = str(problem).partition(" (char")[0]
        return text, f"the body is read as text: {reason}" if says_so and text.strip() else ""


def _certificate_expiry(curl: pycurl.Curl) -> Quantity | None:
    """Return how long the server's own certificate is valid, in days."""
    chain = curl.getinfo(pycurl.INFO_CERTINFO)
    for name, value in chain[0] if chain else ():
        if name == "Expire date":
            end = _moment(value)
            if end is not None:
                left = end - SystemClock().now()
                return Quantity(Decimal(str(round(left.total_seconds() / 86_400, 3))), "d")
    return None


def _moment(text: str) -> datetime | None:
    """Read `Nov 22 04:22:00 2026 GMT`, whatever the locale."""
    try:
        month, day, clock, year, _zone = text.split()
        hour, minute, second = map(int, clock.split(":"))
        number = _MONTHS.index(month) + 1
        return datetime(int(year), number, int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
