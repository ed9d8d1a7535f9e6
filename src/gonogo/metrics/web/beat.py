"""Asks a page on a beat of its own and measures the answers.

The beat is a grid that never shifts. After a pause (a slow answer, a suspended machine) it goes on
at the next point of the grid: what was missed is a gap and is never made up for in a bunch.
"""

from __future__ import annotations

import threading
from datetime import datetime
from decimal import Decimal

from gonogo.clock import Clock, SystemClock
from gonogo.metrics.web.fetch import Answer, Get, Silence, fetch
from gonogo.plan import filling
from gonogo.plan.kinds import Context
from gonogo.plan.samples import Batch, Flaw, Flaws, Sample, position_of, to_ms, whole
from gonogo.plan.sources import Beat, HttpSource
from gonogo.plan.where_ask import compiled

MOST_KEPT = 10_000


class Schedule:
    """When requests are due, on a clock that never goes backwards."""

    def __init__(self, every_s: float, start: float) -> None:
        """Begin at `start`."""
        self._every = every_s
        self._start = start
        self._next = 0

    def wait(self, now: float) -> float:
        """Return how long it is until the next request is due; 0 when it is."""
        return max(0.0, self._start + self._next * self._every - now)

    def begin(self, now: float) -> int:
        """Begin the request that is due; return how many before it were missed."""
        due = max(self._next, int((now - self._start) / self._every))
        missed = due - self._next
        self._next = due + 1
        return missed


class BeatReader:
    """A thread that asks, and what it found since the last reading."""

    def __init__(
        self,
        source: HttpSource,
        context: Context,
        position: object = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Begin to ask.

        Raises:
            WorkError: a name in the address or a header is not bound.
        """
        self._source = source
        self._redact = context.redact
        self._clock = clock or SystemClock()
        self._get = Get(
            filling.fill(source.http, context),
            tuple((name, filling.fill(value, context)) for name, value in source.headers),
            source.timeout_s,
            source.follow,
            source.insecure,
            context.variables,
        )
        self._success = None if source.success is None else compiled(source.success)
        self._since_ms = whole(position_of(position).get("read_ms"))
        self._lock = threading.Lock()
        self._samples: list[Sample] = []
        self._flaws = Flaws()
        self._missed = 0
        self._answered = self._silent = 0
        self._why = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gonogo-beat", daemon=True)
        self._thread.start()

    def read(self, now: datetime) -> Batch:
        """Return what was found since the last reading; never waits for an answer."""
        now_ms = to_ms(now)
        with self._lock:
            samples, self._samples = self._samples, []
            bad = self._flaws.take()
            missed, self._missed = self._missed, 0
            answered, silent = self._answered, self._silent
            self._answered = self._silent = 0
            why = self._why
        reasons = [why] if silent and not answered and self._source.value is Beat.LATENCY else []
        if missed:
            reasons.append(f"{missed} request{'s were' if missed > 1 else ' was'} not sent in time")
        since_ms, self._since_ms = self._since_ms, now_ms
        return Batch(samples, {"read_ms": now_ms}, bad, "; ".join(reasons) or None, since_ms)

    def close(self) -> None:
        """End the thread; a request on its way is given up."""
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        schedule = Schedule(self._source.every_s, self._clock.monotonic())
        while not self._stop.wait(schedule.wait(self._clock.monotonic())):
            if schedule.wait(self._clock.monotonic()) > 0:
                continue
            missed = schedule.begin(self._clock.monotonic())
            at_ms = to_ms(self._clock.now())
            answer = fetch(self._get, self._stop.is_set, self._redact)
            with self._lock:
                self._missed += missed
                self._keep(at_ms, answer)

    def _keep(self, at_ms: int, answer: Answer | Silence) -> None:
        if isinstance(answer, Silence) and answer.stopped:
            return
        if len(self._samples) >= MOST_KEPT:
            self._missed += 1
            return
        if isinstance(answer, Silence):
            self._silent += 1
            self._why = answer.why
        else:
            self._answered += 1
        if self._source.value is not Beat.LATENCY:
            good = isinstance(answer, Answer) and self._is_success(answer)
            self._samples.append(Sample(at_ms, hits=int(good == self._counts_good), total=1))
        elif isinstance(answer, Answer):
            self._samples.append(Sample(at_ms, _ms(answer.latency_s)))
        elif answer.timed_out:
            # It took at least that long: leaving it out would make a hanging page look fast.
            self._samples.append(Sample(at_ms, _ms(self._get.timeout_s)))
            self._answered += 1
        else:
            self._flaws.add(at_ms, Flaw.UNANSWERED)

    @property
    def _counts_good(self) -> bool:
        return self._source.value is Beat.AVAILABILITY

    def _is_success(self, answer: Answer) -> bool:
        if self._success is None:
            return 200 <= answer.status <= 399
        fields = {
            "status": answer.status,
            "latency": answer.latency_s * 1000,
            "size": len(answer.body),
        }
        return self._success(fields) is True


def _ms(seconds: float) -> Decimal:
    return Decimal(round(seconds * 1_000_000)).scaleb(-3)
