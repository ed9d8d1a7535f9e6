"""Sends requests when they are due, over many connections, and times each from its due moment."""

from __future__ import annotations

import contextlib
import select
import selectors
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pycurl

from gonogo import __version__
from gonogo.clock import Clock
from gonogo.load.job import Job, Request
from gonogo.load.schedule import Mix, dues, length_s
from gonogo.load.summary import Result, Tally

AGENT = f"gonogo/{__version__} load"
_LEAD_S = 0.05  # from the first instruction to the first due moment
_GIVE_UP_S = 3.0  # without a single answer, and with nothing but refused connections
_QUICK_S = 0.0002  # a wait this short was none: there was work already
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
TIMED_OUT = "no answer in time"
_REASONS = {
    pycurl.E_OPERATION_TIMEDOUT: TIMED_OUT,
    pycurl.E_COULDNT_CONNECT: "connection refused",
    pycurl.E_COULDNT_RESOLVE_HOST: "the host cannot be resolved",
    pycurl.E_PEER_FAILED_VERIFICATION: "the certificate is not trusted",
    pycurl.E_SSL_CONNECT_ERROR: "no TLS connection",
    pycurl.E_SSL_CACERT_BADFILE: "the file of `ca` cannot be read",
    pycurl.E_GOT_NOTHING: "closed without an answer",
    pycurl.E_RECV_ERROR: "the connection broke",
    pycurl.E_SEND_ERROR: "the connection broke",
    pycurl.E_PARTIAL_FILE: "the answer was cut off",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "what answers is no HTTP",  # one number for all protocols
    pycurl.E_URL_MALFORMAT: "the URL is not valid",
    pycurl.E_UNSUPPORTED_PROTOCOL: "the URL is neither http nor https",
}


class Engine:
    """One load test; used once."""

    def __init__(self, job: Job, clock: Clock, tell: Callable[[str], None]) -> None:
        """Get ready; nothing is sent yet. `tell` gets a line of progress every second or so."""
        self._job = job
        self._now = clock.monotonic
        self._tell = tell
        self._tally = Tally(job.timeout_s)
        self._mix = Mix([request.weight for request in job.requests])
        self._idle: list[list[Any]] = [[] for _ in job.requests]
        # When each free connection became free; the oldest is taken first.
        self._free: deque[float] = deque([0.0] * job.connections)
        self._flying: dict[Any, tuple[float, float, float, int]] = {}
        self._queue: deque[float] = deque()
        self._begin = self._woke = self._ready = 0.0
        self._alarm: float | None = None
        self._answers = 0
        self._selector = selectors.DefaultSelector()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_alarm)
        self._multi.setopt(pycurl.M_MAXCONNECTS, job.connections)

    def run(self) -> Result:
        """Send everything, wait for the answers, and return what was seen."""
        schedule = dues(self._job.stages)
        length = float(length_s(self._job.stages))
        said, pause = 0.0, max(1.0, length / 60)
        given_up = False
        following = next(schedule, None)
        self._begin = self._now() + _LEAD_S
        while following is not None or self._queue or self._flying:
            now = self._now() - self._begin
            while following is not None and following <= now:
                self._queue.append(following)
                following = next(schedule, None)
            self._send_waiting(length)
            if self._is_hopeless(now):
                given_up = True
                break
            if now - said >= pause:
                said = now
                self._tell(self._progress(now))
            self._turn(following)
        self._close()
        return self._tally.result(length - self._job.warm_up_s, given_up=given_up)

    def _send_waiting(self, length: float) -> None:
        """Send what is due, as far as connections are free; drop what has waited too long."""
        queue, limit = self._queue, self._job.timeout_s
        while queue:
            now = self._now() - self._begin
            if queue[0] + limit <= now:
                self._drop(queue.popleft(), now)
            elif self._free:
                self._send(queue.popleft(), now, in_time=now < length)
            else:
                break

    def _drop(self, due: float, now: float) -> None:
        if due < self._job.warm_up_s:
            self._tally.warm_up += 1
        else:
            self._tally.drop(now - due)

    def _send(self, due: float, now: float, *, in_time: bool) -> None:
        freed = self._free.popleft()
        index = self._mix.pick()
        handle = self._idle[index].pop() if self._idle[index] else self._handle(index)
        left = due + self._job.timeout_s - now
        handle.setopt(pycurl.TIMEOUT_MS, max(int(left * 1000), 1))
        self._flying[handle] = (due, now, now - max(due, freed), index)
        self._multi.add_handle(handle)
        if due < self._job.warm_up_s:
            return
        self._tally.lateness.add(now - due)
        self._tally.waited += freed > due
        self._tally.sent_in_time += in_time

    def _turn(self, following: float | None) -> None:
        """Wait for the next thing to do, at most to the next due moment, and do it."""
        entered = self._now()
        ends = [] if following is None else [following]
        if self._queue:
            ends.append(self._queue[0] + self._job.timeout_s)
        if self._alarm is not None:
            ends.append(self._alarm - self._begin)
        patience = min(ends) - (entered - self._begin) if ends else 1.0
        # `select` on the selector itself, because the selector's own wait counts in milliseconds
        select.select([self._selector], [], [], min(max(patience, 0.0), 1.0))
        woke = self._now()
        # What was there already may have waited since the last turn began to work.
        self._ready = self._woke if woke - entered < _QUICK_S else woke
        self._woke = woke
        worked = False
        for key, events in self._selector.select(0):
            mask = pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0
            mask |= pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
            self._multi.socket_action(key.fd, mask)
            worked = True
        if self._alarm is not None and self._alarm <= self._now():
            self._alarm = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            worked = True
        if worked:
            self._reap()

    def _reap(self) -> None:
        left = 1
        while left:
            left, done, broken = self._multi.info_read()
            for handle in done:
                self._landed(handle, int(handle.getinfo(pycurl.RESPONSE_CODE)), "")
            for handle, code, said in broken:
                self._landed(handle, 0, _reason(code, str(said)))

    def _landed(self, handle: Any, status: int, reason: str) -> None:
        now = self._now()
        due, sent, own, index = self._flying.pop(handle)
        self._multi.remove_handle(handle)
        self._idle[index].append(handle)
        end = now - self._begin
        self._free.append(end)
        self._answers += not reason
        tally = self._tally
        if due < self._job.warm_up_s:
            tally.warm_up += 1
            return
        tally.service.add(end - sent)
        tally.own.add(own + now - self._ready)
        if reason:
            tally.broken(reason, end - due)
        else:
            tally.answered(status, end - due)

    def _is_hopeless(self, now: float) -> bool:
        """Tell that going on has no point: nothing has ever answered, and not from slowness."""
        if now < _GIVE_UP_S or self._answers:
            return False
        reasons = self._tally.reasons
        return bool(reasons) and TIMED_OUT not in reasons and not self._tally.dropped

    def _progress(self, now: float) -> str:
        tally = self._tally
        return (
            f"{now:.0f} s: {tally.requests} requests, {tally.errors} errors, "
            f"{len(self._flying)} under way, {len(self._queue)} waiting"
        )

    def _close(self) -> None:
        for handle in self._flying:
            self._multi.remove_handle(handle)
        for handle in (*self._flying, *(h for handles in self._idle for h in handles)):
            handle.close()
        self._multi.close()
        self._selector.close()

    # --- what libcurl asks for

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        """Watch a socket as libcurl wishes."""
        if what == pycurl.POLL_REMOVE:
            with contextlib.suppress(KeyError, ValueError, OSError):
                self._selector.unregister(descriptor)
            return
        events = selectors.EVENT_READ if what & pycurl.POLL_IN else 0
        events |= selectors.EVENT_WRITE if what & pycurl.POLL_OUT else 0
        try:
            self._selector.modify(descriptor, events)
        except KeyError:
            self._selector.register(descriptor, events)

    def _set_alarm(self, milliseconds: int) -> None:
        self._alarm = None if milliseconds < 0 else self._now() + milliseconds / 1000

    def _handle(self, index: int) -> Any:
        """Return a new handle that is set up for one of the requests, whole but for its time."""
        job, request = self._job, self._job.requests[index]
        curl = pycurl.Curl()
        curl.setopt(pycurl.URL, request.url.encode())
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PROXY, "")
        # One request per connection at a time: what `connections` says is what happens.
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        curl.setopt(pycurl.WRITEFUNCTION, len)  # takes the bytes and says how many they were
        trusted = job.ca or next((path for path in _BUNDLES if Path(path).is_file()), "")
        if trusted:
            curl.setopt(pycurl.CAINFO, trusted)
        if job.insecure:
            curl.setopt(pycurl.SSL_VERIFYPEER, 0)
            curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        _set_request(curl, request)
        return curl


def _reason(code: int, said: str) -> str:
    if code == pycurl.E_UNSUPPORTED_PROTOCOL and " HTTP" in said:  # of the answer, not the URL
        code = pycurl.E_FTP_WEIRD_SERVER_REPLY
    return _REASONS.get(code, f"error {code} of libcurl")


def _set_request(curl: Any, request: Request) -> None:
    if request.method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    elif request.body or request.method == "POST":
        data = request.body.encode()
        curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(data))
        curl.setopt(pycurl.COPYPOSTFIELDS, data)
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)
    else:
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)
    lines, agent, typed = [], AGENT, False
    for name, value in request.headers:
        if name.lower() == "user-agent":
            agent = f"{value} {AGENT}"  # the marker stays: metrics leave this traffic out by it
        else:
            lines.append(f"{name}: {value}" if value else f"{name};")
        typed = typed or name.lower() == "content-type"
    lines += [f"User-Agent: {agent}", "Expect:"]
    if request.body and not typed:
        is_json = request.body.lstrip().startswith(("{", "["))
        lines.append(f"Content-Type: {'application/json' if is_json else 'text/plain'}")
    curl.setopt(pycurl.HTTPHEADER, [line.encode() for line in lines])
