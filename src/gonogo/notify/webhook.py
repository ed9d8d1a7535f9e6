"""Ways that are one POST: a webhook, Slack and what speaks like it, PagerDuty and its like.

The key of a message goes along where the service can use it, so that a copy is recognised. The
answer is read for its reason: whether to try again, when, and what to tell the next contact.
"""

from __future__ import annotations

import email.utils
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pycurl

from gonogo.clock import SystemClock
from gonogo.foreign import json_in
from gonogo.plan.notices import (
    COPY,
    Failure,
    Line,
    Notice,
    Receipt,
    Severity,
    State,
    failure_of_status,
    moment,
)

TIMEOUT_S = 10.0
_CONNECT_S = 5.0
_MOST_BYTES = 64 * 1024
_LONGEST_WAIT_S = 3_600.0
_PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_LONGEST_KEY, _LONGEST_SUMMARY, _LONGEST_TEXT = 255, 1_024, 20_000
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1", re.IGNORECASE)
_BY_CODE: Mapping[int, Failure] = {
    pycurl.E_OPERATION_TIMEDOUT: Failure.TIMEOUT,
    pycurl.E_GOT_NOTHING: Failure.TIMEOUT,  # the request went out; what became of it is not known
    pycurl.E_RECV_ERROR: Failure.TIMEOUT,
    pycurl.E_PARTIAL_FILE: Failure.TIMEOUT,
    pycurl.E_URL_MALFORMAT: Failure.GONE,
    pycurl.E_UNSUPPORTED_PROTOCOL: Failure.GONE,
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts the message as JSON; `Idempotency-Key` carries its key."""

    kind: ClassVar[str] = "webhook"
    knows_copies: ClassVar[bool] = True

    url: str
    timeout_s: float = TIMEOUT_S
    trusted: str = ""

    def send(self, notice: Notice, *, key: str, is_copy: bool = False) -> Receipt:
        """Post one message."""
        body = {
            "version": 1,
            "key": key,
            "title": notice.title(),
            "text": notice.text(),
            "severity": notice.severity.value,
            "state": notice.state.value,
            "run": notice.run,
            "contact": notice.contact,
            "at": moment(notice.at_ms),
            "copy": is_copy,
            "alerts": [
                {
                    "id": line.alert,
                    "severity": line.severity.value,
                    "state": line.state.value,
                    "reason": line.reason.value,
                    "text": line.text,
                    "since": moment(line.since_ms),
                    "acknowledge": line.ack or None,
                }
                for line in notice.lines
            ],
        }
        return post(self.url, body, self.timeout_s, trusted=self.trusted, key=key)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Posts to an address whose owner calls somebody when the posts stop."""

    url: str
    timeout_s: float = TIMEOUT_S
    trusted: str = ""

    def beat(self, body: Mapping[str, object]) -> Receipt:
        """Post once."""
        return post(self.url, body, self.timeout_s, trusted=self.trusted)


@dataclass(frozen=True, slots=True)
class Slack:
    """Posts to an incoming webhook of Slack; a copy says so, since Slack cannot tell."""

    kind: ClassVar[str] = "slack"
    knows_copies: ClassVar[bool] = False

    url: str
    timeout_s: float = TIMEOUT_S
    trusted: str = ""

    def send(self, notice: Notice, *, key: str, is_copy: bool = False) -> Receipt:
        """Post one message."""
        told = f"{notice.text()}\n{COPY}" if is_copy else notice.text()
        text = f"*{_plain(notice.title())}*\n{_plain(told)}"
        return post(self.url, {"text": text}, self.timeout_s, trusted=self.trusted, key=key)


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Sends one event per alert; the alert's own key makes repetitions and the end one incident."""

    kind: ClassVar[str] = "page"
    knows_copies: ClassVar[bool] = True

    address: str  # the routing key, or a URL with the key as its user
    timeout_s: float = TIMEOUT_S
    trusted: str = ""

    def send(self, notice: Notice, *, key: str, is_copy: bool = False) -> Receipt:
        """Send the events of one message; the first failure ends it, all are sent again then."""
        del is_copy  # the service recognises one by `dedup_key`
        url, routing = _pagerduty(self.address)
        told = Receipt()
        for line in notice.lines:
            event = self._event(notice, line, routing)
            if event is None:
                continue
            told = post(url, event, self.timeout_s, trusted=self.trusted, key=key)
            if told.failure is not None:
                return told
        return told

    def _event(self, notice: Notice, line: Line, routing: str) -> dict[str, object] | None:
        if line.state is State.ENDED:
            return None  # the incident stays open: nobody has seen that it is over
        dedup = f"gonogo/{notice.run}/{line.alert}"
        if len(dedup) > _LONGEST_KEY:
            dedup = f"gonogo/{notice.run}/{hashlib.sha256(line.alert.encode()).hexdigest()}"
        event: dict[str, object] = {"routing_key": routing, "dedup_key": dedup}
        if line.state is State.RESOLVED:
            return {**event, "event_action": "resolve"}
        return {
            **event,
            "event_action": "trigger",
            "client": "gonogo",
            "payload": {
                "summary": f"{notice.about}: {line.text}"[:_LONGEST_SUMMARY],
                "source": notice.about,
                "severity": _severity(line),
                "timestamp": moment(line.since_ms),
                "class": line.severity.value,
                "custom_details": {"run": notice.run, "reason": line.reason.value, "ack": line.ack},
            },
        }


def _severity(line: Line) -> str:
    """Return the severity in the words of the event format."""
    if line.state is State.TEST:
        return "info"
    if line.severity in (Severity.CRITICAL, Severity.P0):
        return "critical"
    if line.urgent:
        return "error"
    return "info" if line.severity is Severity.P3 else "warning"


def _pagerduty(address: str) -> tuple[str, str]:
    """Return where events go and the routing key."""
    if "://" not in address:
        return _PAGERDUTY, address.strip()
    parts = urlsplit(address)
    where = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{where}{parts.path or '/v2/enqueue'}", parts.username or ""


def _plain(text: str) -> str:
    """Keep text from being read as marks, links or calls of everybody."""
    told = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return told[:_LONGEST_TEXT]


def post(url: str, body: object, timeout_s: float, *, trusted: str = "", key: str = "") -> Receipt:
    """Post JSON and say what came of it; redirects are not followed, the address is a secret."""
    curl = pycurl.Curl()
    answer, headers = bytearray(), dict[str, str]()

    def take(data: bytes) -> int | None:
        answer.extend(data)
        return None if len(answer) <= _MOST_BYTES else -1

    def take_header(line: bytes) -> None:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()

    try:
        _set_up(curl, url, timeout_s, trusted)
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        curl.setopt(pycurl.POSTFIELDS, data)
        lines = ["Content-Type: application/json; charset=utf-8", "User-Agent: gonogo", "Expect:"]
        if key:
            lines.append(f"Idempotency-Key: {re.sub(r'[^!-~]', '_', key)}")
        curl.setopt(pycurl.HTTPHEADER, lines)
        curl.setopt(pycurl.WRITEFUNCTION, take)
        curl.setopt(pycurl.HEADERFUNCTION, take_header)
        curl.perform()
        status = int(curl.getinfo(pycurl.RESPONSE_CODE))
    except (pycurl.error, UnicodeError) as error:
        if len(answer) > _MOST_BYTES:  # more than anybody reads; the status has come before
            return _judged(int(curl.getinfo(pycurl.RESPONSE_CODE)), b"", headers)
        return _not_sent(error, curl, timeout_s)
    finally:
        curl.close()
    return _judged(status, bytes(answer), headers)


def _set_up(curl: pycurl.Curl, url: str, timeout_s: float, trusted: str) -> None:
    curl.setopt(pycurl.URL, url.encode())
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.POST, 1)
    curl.setopt(pycurl.TIMEOUT_MS, max(int(timeout_s * 1000), 1))
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(int(min(_CONNECT_S, timeout_s) * 1000), 1))
    if _LOOPBACK.fullmatch(urlsplit(url).hostname or ""):
        curl.setopt(pycurl.NOPROXY, "*")
    bundle = trusted or next((path for path in _BUNDLES if Path(path).is_file()), "")
    if bundle:
        curl.setopt(pycurl.CAINFO, bundle)


def _not_sent(error: Exception, curl: pycurl.Curl, timeout_s: float) -> Receipt:
    """Say why there is no answer, without the address: it is a secret."""
    code = error.args[0] if isinstance(error, pycurl.error) else pycurl.E_URL_MALFORMAT
    failure = _BY_CODE.get(code, Failure.UNREACHABLE)
    if code == pycurl.E_OPERATION_TIMEDOUT and not curl.getinfo(pycurl.CONNECT_TIME):
        return Receipt(Failure.UNREACHABLE, f"no connection within {_CONNECT_S:g} s")
    said = {
        pycurl.E_OPERATION_TIMEDOUT: f"no answer within {timeout_s:g} s",
        pycurl.E_COULDNT_RESOLVE_HOST: "the host cannot be resolved",
        pycurl.E_COULDNT_CONNECT: "nothing answers there: connection refused",
        pycurl.E_PEER_FAILED_VERIFICATION: "the certificate is not trusted",
        pycurl.E_GOT_NOTHING: "the connection was closed without an answer",
        pycurl.E_URL_MALFORMAT: "the address is no URL",
        pycurl.E_UNSUPPORTED_PROTOCOL: "the address is neither http nor https",
    }.get(code, f"the connection failed (error {code} of libcurl)")
    return Receipt(failure, said)


def _judged(status: int, answer: bytes, headers: Mapping[str, str]) -> Receipt:
    if 200 <= status < 300:
        return Receipt(id=_id(answer))
    said = " ".join(answer[:200].decode("utf-8", "replace").split())
    words = f"status {status}" + (f": {said}" if said else "")
    wait = _retry_after(headers.get("retry-after", ""))
    return Receipt(failure_of_status(status), words, retry_after_s=wait)


def _id(answer: bytes) -> str:
    """Return what the service calls the message, from the usual names in its answer."""
    try:
        data = json_in(answer)
    except ValueError:
        return ""
    if not isinstance(data, dict):
        return ""
    found = next((data[name] for name in ("id", "dedup_key", "ts") if data.get(name)), "")
    return str(found)[:100]


def _retry_after(text: str) -> float | None:
    """Return the seconds of a `Retry-After` header, given as seconds or as a moment."""
    if re.fullmatch(r"\d{1,9}", text):
        return min(float(text), _LONGEST_WAIT_S)
    try:
        when: datetime = email.utils.parsedate_to_datetime(text)
        left = (when.astimezone(UTC) - SystemClock().now()).total_seconds()
    except (ValueError, TypeError, OverflowError):  # a year that no calendar has
        return None
    return min(max(left, 0.0), _LONGEST_WAIT_S)
