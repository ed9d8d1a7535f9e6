"""One GET with libcurl: the answer with its duration, or one sentence why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pycurl

from gonogo import __version__
from gonogo.foreign import address_in
from gonogo.plan.sources import OWN_AGENT

MOST_BYTES = 10 << 20
AGENT = f"{OWN_AGENT}/{__version__}"
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


@dataclass(frozen=True, slots=True)
class Get:
    """What to ask for, and how; names are filled in, secrets inside."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 10.0
    follow: bool = False
    insecure: bool = False
    variables: Mapping[str, str] | None = None  # where proxy and certificates are looked for

    def variable(self, *names: str) -> str:
        """Return the first of some variables, in small letters or capitals."""
        known = self.variables or {}
        found = (known.get(name) or known.get(name.upper()) for name in names)
        return next((value for value in found if value), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    latency_s: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came back, and why."""

    why: str
    timed_out: bool = False
    stopped: bool = False


def fetch(get: Get, stop: Callable[[], bool], redact: Callable[[str], str]) -> Answer | Silence:
    """Send the request on a new connection; takes as long as its timeout at most."""
    body = bytearray()

    def take(data: bytes) -> int | None:
        if len(body) + len(data) > MOST_BYTES:
            return -1
        body.extend(data)
        return None

    curl = pycurl.Curl()
    try:
        _set_up(curl, get)
        curl.setopt(pycurl.WRITEFUNCTION, take)
        curl.setopt(pycurl.XFERINFOFUNCTION, lambda *_: int(stop()))
        curl.perform()
        status = int(curl.getinfo(pycurl.RESPONSE_CODE))
        return Answer(status, bytes(body), float(curl.getinfo(pycurl.TOTAL_TIME)))
    except pycurl.error as error:
        return _explained(error, get, redact)
    except UnicodeError:
        return Silence("the address or a header holds a character that cannot be sent")
    finally:
        curl.close()


def _set_up(curl: pycurl.Curl, get: Get) -> None:
    curl.setopt(pycurl.URL, get.url.encode())
    for option in (pycurl.PROTOCOLS, pycurl.REDIR_PROTOCOLS):
        curl.setopt(option, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.FOLLOWLOCATION, int(get.follow))
    curl.setopt(pycurl.MAXREDIRS, 10)
    curl.setopt(pycurl.TIMEOUT_MS, max(int(get.timeout_s * 1000), 1))
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(int(get.timeout_s * 1000), 1))
    curl.setopt(pycurl.FRESH_CONNECT, 1)
    curl.setopt(pycurl.NOPROGRESS, 0)
    curl.setopt(pycurl.ACCEPT_ENCODING, "")
    if get.insecure:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
    trusted = get.variable("ssl_cert_file", "curl_ca_bundle") or _bundle()
    if trusted:
        curl.setopt(pycurl.CAINFO, trusted)
    scheme = "https_proxy" if get.url.lower().startswith("https:") else "http_proxy"
    # said explicitly: libcurl would ask the environment by itself
    curl.setopt(pycurl.PROXY, get.variable(scheme, "all_proxy"))
    curl.setopt(pycurl.NOPROXY, get.variable("no_proxy"))
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in get.headers]
    if all(name.lower() != "user-agent" for name, _ in get.headers):
        lines.append(f"User-Agent: {AGENT}")
    if any(sign in line for line in lines for sign in "\r\n\0"):
        raise UnicodeError
    curl.setopt(pycurl.HTTPHEADER, [line.encode() for line in lines])


def _explained(error: pycurl.error, get: Get, redact: Callable[[str], str]) -> Silence:
    code, said = error.args[0], redact(str(error.args[1] if len(error.args) > 1 else ""))
    _, host, port = address_in(redact(get.url))
    where = f"`{host}:{port}`"
    if code == pycurl.E_ABORTED_BY_CALLBACK:
        return Silence("stopped", stopped=True)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return Silence(f"{where} did not answer within {get.timeout_s:g} s", timed_out=True)
    if code == pycurl.E_COULDNT_CONNECT:
        return Silence(f"nothing answers at {where}: connection refused")
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        return Silence(f"the host `{host}` cannot be resolved")
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        return Silence(f"the certificate of `{host}` is not trusted")
    if code == pycurl.E_WRITE_ERROR:
        return Silence(f"the answer of {where} is longer than {MOST_BYTES >> 20} MiB")
    if code == pycurl.E_URL_MALFORMAT:
        return Silence(f"`{redact(get.url)}` is no valid URL")
    return Silence(f"no answer from {where}: {said or f'error {code}'}")


def _bundle() -> str:
    """Return the system's trusted certificates: libcurl only knows the place of its own system."""
    return next((path for path in _BUNDLES if Path(path).is_file()), "")
