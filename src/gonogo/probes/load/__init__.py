"""Sends load on a fixed schedule and holds the answers to limits; or runs a k6 or Locust script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from gonogo.errors import Diagnostic, Severity, WorkError
from gonogo.load import Job, Request, Stage, count, length_s
from gonogo.plan import filling, shellscript
from gonogo.plan.httptext import Problem, read
from gonogo.plan.kinds import Context, Effect, Observation, Role, Sends, Variable
from gonogo.plan.places import Places
from gonogo.plan.said import says
from gonogo.probes.load import schedules, thresholds
from gonogo.source import Span

_READING = frozenset(("GET", "HEAD", "OPTIONS"))
_LOOKING = frozenset((Role.PREFLIGHT, Role.VERIFY, Role.LOAD, Role.WATCH, Role.SIGNOFF))
_SCRIPT_S = 30.0  # a script's own start and end
_START_S = 5.0
_MOST_CONNECTIONS = 20_000


@dataclass(frozen=True, slots=True)
class Load(Sends):
    """Send HTTP load on a fixed schedule, timed from when each request was due.

    A request without a good answer (no answer, or a status from 400 on) counts with the whole
    `request timeout`. A run whose generator did not keep its schedule is an error, never a pass.
    """

    kind: ClassVar[str] = "load"
    indicators: ClassVar[Mapping[str, str]] = {
        "p50": "half of the requests were answered within this time (s); needs 2 requests",
        "median": "the same as `p50` (s)",
        "p90": "nine of ten were (s); needs 10 requests",
        "p95": "95 of 100 were (s); needs 20 requests",
        "p99": "99 of 100 were (s); needs 100 requests",
        "p99.9": "999 of 1000 were (s); needs 1000 requests",
        "max": "the longest (s)",
        "avg": "the mean (s)",
        "latency": "all of these by name: `latency p95` (s)",
        "response time": "the same as `latency` (s)",
        "service time": "the same statistics from the moment of sending (s)",
        "lateness": "the same statistics of how late requests were sent (s)",
        "late p99": "the same as `lateness p99` (s)",
        "error rate": "the share of requests without a good answer (%)",
        "errors": "how many had no good answer",
        "rate limited": "how many were answered with 429; they are errors too",
        "dropped": "how many were never sent, because no connection became free; errors too",
        "requests": "how many requests are judged: all that were due after the warm-up",
        "rate achieved": "how many of them were sent within the schedule, per second (r/s)",
        "failed thresholds": "how many limits of a k6 script were crossed; null when it has none",
    }
    example: ClassVar[str] = (
        '```yaml\ncheck: load\nurl: "{{app}}/api/search?q=shoes"\nrate: 50/s\nfor: 5m\n'
        "warm up: 10s\nthresholds:\n  - p95 < 500ms\n  - p99 < 1s\n  - error rate < 1%\n```\n"
    )
    traceable: ClassVar[bool] = True
    elsewhere: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("vus", "users", "virtual users", "concurrency", "clients", "iterations"),
            "load is sent by the clock, whoever still waits: write `rate: 50/s` and `for: 5m`",
        ),
        "ramp up": "write `rate: 10/s to 50/s`, or `stages`",
        "ramp": "write `rate: 10/s to 50/s`, or `stages`",
        "rps": "write `rate: 50/s`",
        "think time": "leave it out: `rate` says how often a request is sent",
        "sleep": "leave it out: `rate` says how often a request is sent",
    }

    url: str = says("what is asked for with GET; short for a `request` of one line")
    request: str = says("one request as in an `http` block: line, headers, empty line, body")
    mix: tuple[dict[str, str], ...] = says(
        "several requests: `url` or `request` each, with a `weight` (1)", default=()
    )
    rate: str = says("requests per time, whatever the server does: `50/s`, or `10/s to 50/s`")
    for_: float = says("how long", default=0.0, unit="s")
    stages: tuple[dict[str, str], ...] = says(
        "instead of `rate` and `for`: a list of both, one after the other", default=()
    )
    warm_up_s: float = says("the first part of the schedule, sent and not judged", default=0.0)
    thresholds: tuple[str, ...] | dict[str, tuple[str, ...]] = says(  # noqa: RUF009
        "limits, as conditions or as k6 spells them: `p(95)<500`, `rate<0.01`", default=()
    )
    request_timeout_s: float = says(
        "how long a request may take from the moment it is due", default=10.0
    )
    connections: int = says("how many requests may be under way at once", default=1000)
    insecure: bool = says("accept any certificate; lint and plan print it", default=False)
    ca: str = says("a file with the certificates to trust, from the folder of the runbook")
    k6: str = says("a script of k6, run as it is, if k6 is installed")
    locust: str = says("a locustfile, run as it is, if Locust is installed")
    arguments: str = says("more arguments for k6 or Locust: `--users 50 --run-time 5m`")
    kind_: Literal["auto", "check", "action"] = says(
        "whether it looks or changes; `auto`: the methods tell, for scripts the phase",
        default="auto",
    )
    body: str = says("the text of the block")

    def effect(self, role: Role) -> Effect:
        """Tell from the methods; a script tells nothing, so there the phase does."""
        if self.kind_ != "auto":
            return Effect(self.kind_)
        if self._script():
            return Effect.CHECK if role in _LOOKING else Effect.ACTION
        found = [read(text) for text, _ in self._texts()]
        looks = all(isinstance(one, Problem) or one.method in _READING for one in found)
        return Effect.CHECK if looks else Effect.ACTION

    def default_expectation(self, effect: Effect) -> str | None:
        """Expect that a k6 script keeps its own limits; anything else must be written."""
        del effect
        return "failed thresholds = 0" if self.k6 else None

    def stated(self) -> tuple[str, ...]:
        """Return the limits of the block in the words of the condition language."""
        found = [thresholds.read(text, Span.of_line(1)) for text in self._limits()]
        return tuple(said.condition.say() for said in found if said.condition is not None)

    def translated(self, text: str) -> str | None:
        """Return a limit in k6's spelling in our words; None for any other text."""
        return thresholds.translated(text)

    def lasts_s(self) -> float:
        """Return how long it takes at least, in seconds; 0 when that is not known."""
        try:
            stages = self._stages()
        except ValueError:
            return 0.0
        needed = float(length_s(stages)) + self.request_timeout_s + _START_S if stages else 0.0
        return max(needed, self.for_ + _SCRIPT_S if self._script() and self.for_ else 0.0)

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the requests, the schedule and the options."""
        texts = [text for text, _ in self._texts()]
        texts += [self.rate, self.ca, self.k6, self.locust, self.arguments]
        texts += [value for stage in self.stages for value in stage.values()]
        return filling.variables_of({str(n): text for n, text in enumerate(texts)}, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what can neither be sent nor judged."""
        return (*self._review(), *shellscript.secrets(self.body))

    def _review(self) -> Iterator[Diagnostic]:
        yield from self._review_source()
        for text, weight in self._texts():
            request = read(text)
            if isinstance(request, Problem):
                yield Diagnostic(
                    request.code, request.message, self._place("request"), hint=request.hint
                )
            if not weight.isdecimal() or not 1 <= int(weight) <= 10_000:
                hint = "write a whole number from 1 on"
                yield self._wrong(f"`weight` is `{weight}`", "mix", hint)
        if not 1 <= self.connections <= _MOST_CONNECTIONS:
            message = f"`connections` is `{self.connections}`"
            yield self._wrong(message, "connections", f"write 1 to {_MOST_CONNECTIONS}")
        if self.request_timeout_s <= 0:
            yield self._wrong("`request timeout` is 0", "request timeout", "write `10s`")
        requests = None
        try:
            stages = self._stages()
            requests = self._judged(stages) if stages else None
        except ValueError as problem:
            key = "stages" if self.stages else "rate"
            yield self._wrong(str(problem), key, self._scheduled())
        if requests is not None and requests <= 0:
            hint = "the warm-up is a part of the schedule: make `for` longer"
            yield self._wrong("nothing is left to judge after the warm-up", "warm up", hint)
            requests = None
        for limit in self._limits():
            said = thresholds.read(limit, self._place_of(limit))
            yield from said.remarks
            if said.condition is not None:
                yield from thresholds.mistakes(said.condition, self._place_of(limit), requests)

    def _scheduled(self) -> str:
        """Return how a schedule is written; `duration`, as k6 has it, only estimates the step."""
        said = re.search(r"(?mi)^[ \t-]*duration[ \t]*:[ \t]*(\S+)", self.body)
        if said is not None and not self.for_ and not self.stages:
            return f"write `for: {said[1]}`; `duration` is only an estimate of the step"
        return "write `rate: 50/s` and `for: 5m`, or `stages`"

    def _review_source(self) -> Iterator[Diagnostic]:
        given = [n for n in ("url", "request", "mix", "k6", "locust") if getattr(self, n)]
        if len(given) != 1:
            hint = 'write `url: "{{app}}/path"`, and `rate` and `for`'
            said = "nothing says what to send" if not given else f"`{given[0]}` and `{given[1]}`"
            expected = "one of `url`, `request`, `mix`, `k6` and `locust` is needed"
            yield self._wrong(f"{said}: {expected}", given[-1] if given else "", hint)
        if self._script() and (self.rate or self.stages or self.warm_up_s):
            hint = "take `rate`, `stages` and `warm up` out, or send the load without a script"
            yield self._wrong("a script has its own schedule", "rate", hint)
        if not self._script() and self.arguments:
            hint = "take it out"
            yield self._wrong("`arguments` are for k6 and Locust", "arguments", hint)
        if self.stages and (self.rate or self.for_):
            hint = "keep `stages`, or `rate` and `for`"
            yield self._wrong("`stages` stand beside `rate` or `for`", "stages", hint)

    def describe(self) -> str:
        """Return what is sent, how often and for how long."""
        if self._script():
            return f"{'k6' if self.k6 else 'locust'} {self.k6 or self.locust}"
        texts = [" ".join(text.split("\n")[0].split()) for text, _ in self._texts()]
        what = texts[0] if texts else "nothing"
        more = f" (+{len(texts) - 1})" if len(texts) > 1 else ""
        stages = [f"{stage.get('rate')} for {stage.get('for')}" for stage in self.stages]
        when = ", ".join(stages) or f"{self.rate or 'no rate'} for {self.for_:g} s"
        return f"{when}: {what}{more}" + (" (insecure)" if self.insecure else "")

    def perform(self, context: Context) -> Observation:
        """Send the load, or attach to it if it was started before, and return what was seen.

        Raises:
            WorkError: it could not be sent, was stopped, had no good answer at all, or was sent by
                a generator that did not keep its schedule.
        """
        from gonogo.load.running import Place, carry_out
        from gonogo.probes.load import scripts, seen

        errors = [d for d in self._review() if d.severity is Severity.ERROR]
        if errors:
            raise WorkError(errors[0].message, hint=errors[0].hint)
        script = self._script()
        if script:
            more = filling.fill(self.arguments, context)
            return scripts.perform(
                "k6" if self.k6 else "locust", filling.fill(script, context), more, context
            )
        job = self._job(context)
        needed = float(length_s(job.stages)) + job.timeout_s + _START_S
        if needed > context.timeout_s:
            raise WorkError(
                f"the load takes {needed:g} s and has {context.timeout_s:g} s; nothing was sent",
                hint=f"write `timeout: {needed + 1:.0f}s`, or send for a shorter time",
            )
        place = Place(
            folder=context.folder,
            cwd=context.cwd,
            environment=context.variables,
            timeout_s=context.timeout_s,
            is_action=context.effect is Effect.ACTION,
            on_output=context.on_output,
            should_stop=context.should_stop,
        )
        result = carry_out(job, place)
        seen.refuse_worthless(result, context.redact(job.requests[0].url))
        return seen.observed(result)

    # --- what the fields say

    def _script(self) -> str:
        return self.k6 or self.locust

    def _limits(self) -> tuple[str, ...]:
        return thresholds.flat(self.thresholds)

    def _texts(self) -> tuple[tuple[str, str], ...]:
        """Return each request as a text, with its weight as written."""
        given = self.mix or ({"url": self.url, "request": self.request},)
        found = []
        for one in given:
            text = one.get("request") or (f"GET {one['url']}" if one.get("url") else "")
            if text or self.mix:
                found.append((text, one.get("weight", "1")))
        return tuple(found)

    def _stages(self, context: Context | None = None) -> tuple[Stage, ...]:
        """Return the schedule; nothing when it still holds names, or when there is a script."""
        written = [self.rate, *(value for stage in self.stages for value in stage.values())]
        if self._script() or (context is None and any(map(schedules.named, written))):
            return ()

        def filled(text: str) -> str:
            return filling.fill(text, context) if context is not None else text

        if self.stages:
            stages = [{key: filled(value) for key, value in stage.items()} for stage in self.stages]
            return schedules.staged(stages)
        return schedules.constant(filled(self.rate), self.for_)

    def _judged(self, stages: tuple[Stage, ...]) -> int:
        warm_up = Fraction(str(self.warm_up_s))
        return count(stages) - (count(stages, before_s=warm_up) if warm_up else 0)

    def _job(self, context: Context) -> Job:
        try:
            stages = self._stages(context)
        except ValueError as problem:
            hint = "look at the values of the names in it"
            raise WorkError(str(problem), hint=hint) from None
        trusted = str(context.cwd / filling.fill(self.ca, context)) if self.ca else ""
        for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            trusted = trusted or context.variables.get(name, "")
        return Job(
            requests=tuple(_filled(text, weight, context) for text, weight in self._texts()),
            stages=stages,
            timeout_s=self.request_timeout_s,
            connections=self.connections,
            warm_up_s=self.warm_up_s,
            insecure=self.insecure,
            ca=trusted,
        )

    # --- places

    def _wrong(self, message: str, key: str, hint: str) -> Diagnostic:
        return Diagnostic("GN517", message, self._place(key), hint=hint)

    def _place(self, key: str) -> Span:
        words = r"[ _-]".join(map(re.escape, key.split()))
        found = re.search(rf"(?m)^[ \t-]*({words})[ \t]*:", self.body) if key else None
        return Places(self.body).span(*found.span(1)) if found else Span.of_line(1)

    def _place_of(self, limit: str) -> Span:
        for text in (limit, limit.partition(": ")[2]):
            at = self.body.find(text) if text else -1
            if at >= 0:
                return Places(self.body).span(at, at + len(text))
        return self._place("thresholds")


def _filled(text: str, weight: str, context: Context) -> Request:
    request = read(text)
    if isinstance(request, Problem):
        raise WorkError(request.message, hint=request.hint)
    headers = tuple((name, filling.fill(value, context)) for name, value in request.headers)
    for name, value in headers:
        if any(sign in value for sign in "\r\n\0"):
            raise WorkError(f"the value of header `{name}` holds a line end", hint="remove it")
    return Request(
        request.method,
        filling.fill(request.url, context),
        headers,
        filling.fill(request.body, context),
        int(weight),
    )
