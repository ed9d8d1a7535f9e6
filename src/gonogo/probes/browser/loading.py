"""Drives a browser of the system with Playwright, in a thread that can be called back."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median
from typing import Any

from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context, Datum, Observation
from gonogo.plan.units import Quantity

_STEP_S = 0.1
_ENDS_WITHIN_S = 10.0
_BAD = 400
_KEPT = 10
_LONGEST = 2_000
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
_QUIET = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
# the observer is asked for what it has kept; the short wait lets it answer
_TIMES = """async () => {
  const page = performance.getEntriesByType('navigation')[0];
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  const largest = await new Promise(done => {
    let last = null;
    const seen = list => { for (const one of list.getEntries()) last = one.startTime; };
    try {
      new PerformanceObserver(seen).observe({type: 'largest-contentful-paint', buffered: true});
    } catch (_) { done(null); }
    setTimeout(() => done(last), 100);
  });
  return {load: page.loadEventEnd, first_byte: page.responseStart,
          first_paint: paint ? paint.startTime : null, largest_paint: largest};
}"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to load; names are filled in, secrets inside."""

    url: str
    loads: int
    headers: Mapping[str, str]
    insecure: bool


@dataclass(slots=True)
class _Told:
    """What a page told, counted; only the first few are kept, because a page may tell for ever."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.count += 1
        if len(self.first) < _KEPT:
            self.first.append(text[:_LONGEST])


@dataclass(slots=True)
class _Seen:
    """What the loads have shown so far."""

    times: list[Mapping[str, float | None]] = field(default_factory=list)
    status: int = 0
    title: str = ""
    errors: _Told = field(default_factory=_Told)
    failed: _Told = field(default_factory=_Told)


class Loading:
    """One browser and its loads; used once."""

    def __init__(self, wish: Wish, context: Context) -> None:
        """Remember what to load; nothing is started yet."""
        self._wish = wish
        self._context = context
        self._seen = _Seen()
        self._problem: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def observe(self) -> Observation:
        """Load the page as often as asked and return what was seen.

        Raises:
            WorkError: nothing could be looked at, or the page did not come to its end in time.
        """
        program = self._program()
        clock = SystemClock()
        until = clock.monotonic() + self._context.timeout_s
        thread = threading.Thread(target=self._run, args=(program,), daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_STEP_S)
            stopped = self._context.should_stop()
            if stopped or clock.monotonic() > until:
                self._call_back()
                thread.join(_ENDS_WITHIN_S)
                if stopped:
                    raise WorkError("the browser was stopped")
                raise WorkError(
                    f"`{self._shown()}` was not loaded within {self._context.timeout_s:g} s",
                    hint="allow more time with `timeout:`, or find out what the page waits for",
                )
        if self._problem is not None:
            raise self._explained(self._problem)
        return self._observation()

    def _program(self) -> str:
        """Return the browser to start.

        Raises:
            WorkError: there is none, or nothing to drive it with.
        """
        try:
            import playwright.async_api  # noqa: F401 - only to see whether it is there
        except ImportError:
            raise WorkError(
                "not run: the package `playwright`, which drives a browser, is not installed",
                hint="install gonogo with its extra: gonogo[browser]",
            ) from None
        named = self._context.variables.get("GONOGO_BROWSER", "")
        path = self._context.variables.get("PATH")
        found = (shutil.which(name, path=path) for name in ((named,) if named else PROGRAMS))
        program = next(filter(None, found), None)
        if program is None:
            what = f"`{named}` of GONOGO_BROWSER" if named else "a browser"
            raise WorkError(
                f"not run: {what} was not found",
                hint="install Chromium, or name a program in GONOGO_BROWSER",
            )
        return program

    def _call_back(self) -> None:
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _run(self, program: str) -> None:
        try:
            asyncio.run(self._load(program))
        except (Exception, asyncio.CancelledError) as problem:  # noqa: BLE001 - told by our caller
            self._problem = problem

    async def _load(self, program: str) -> None:
        from playwright.async_api import async_playwright

        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        arguments = [*_QUIET, *(["--no-sandbox"] if root else [])]
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=program, args=arguments)
            try:
                for _ in range(self._wish.loads):
                    await self._load_once(browser)
            finally:
                await browser.close()

    async def _load_once(self, browser: Any) -> None:
        """Load the page in a profile of its own, in which nothing is kept."""
        seen = self._seen
        profile = await browser.new_context(
            ignore_https_errors=self._wish.insecure, extra_http_headers=dict(self._wish.headers)
        )
        page = await profile.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: seen.errors.add(str(error)))
        page.on("requestfailed", lambda request: seen.failed.add(request.url))
        page.on("response", self._look_at)
        left_ms = self._context.timeout_s * 1000
        answer = await page.goto(self._wish.url, wait_until="load", timeout=left_ms)
        seen.status = max(seen.status, answer.status if answer is not None else 0)
        seen.times.append(await page.evaluate(_TIMES))
        seen.title = await page.title()
        await profile.close()

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self._seen.errors.add(message.text)

    def _look_at(self, response: Any) -> None:
        if response.status >= _BAD and not response.request.is_navigation_request():
            self._seen.failed.add(f"{response.url} ({response.status})")

    def _shown(self) -> str:
        return self._context.redact(self._wish.url)

    def _explained(self, problem: BaseException) -> WorkError:
        said = self._context.redact(str(problem)).split("\n", 1)[0]
        for sign, words in _REASONS.items():
            if sign in said:
                return WorkError(f"`{self._shown()}`: {words}", hint="look at the address")
        return WorkError(
            f"the browser could not load `{self._shown()}`: {said}",
            hint="does it start by hand with `--headless`?",
        )

    def _observation(self) -> Observation:
        seen = self._seen
        loads = [each["load"] or 0.0 for each in seen.times]
        if not all(loads):  # no page is there after no time at all
            raise WorkError(
                f"`{self._shown()}` did not say when it was loaded",
                hint="does it replace itself by another page, or is it no page?",
            )
        found: dict[str, Datum] = {
            "load": _seconds(median(loads)),
            "value": _seconds(median(loads)),
            "load max": _seconds(max(loads)),
            "first byte": self._median("first_byte"),
            "first paint": self._median("first_paint"),
            "largest paint": self._median("largest_paint"),
            "status": seen.status,
            "title": seen.title,
            "console errors": seen.errors.count,
            "failed requests": seen.failed.count,
            "loads": len(loads),
        }
        each = ", ".join(f"{ms:.0f} ms" for ms in loads)
        lines = [f"{self._wish.url}: status {seen.status}, loaded in {each}"]
        lines += [f"console: {text}" for text in seen.errors.first]
        lines += [f"failed: {text}" for text in seen.failed.first]
        return Observation(found, text=self._context.redact("\n".join(lines)))

    def _median(self, name: str) -> Quantity | None:
        values = [each[name] for each in self._seen.times]
        known = [value for value in values if value is not None]
        return _seconds(median(known)) if len(known) == len(values) else None


_REASONS = {
    "ERR_CONNECTION_REFUSED": "nothing answers there: connection refused",
    "ERR_NAME_NOT_RESOLVED": "the host cannot be resolved",
    "ERR_CERT": "the certificate is not trusted",
    "ERR_INVALID_URL": "it is no valid URL",
    "ERR_EMPTY_RESPONSE": "the connection was closed without an answer",
    "ERR_CONNECTION_RESET": "the connection broke",
}


def _seconds(milliseconds: float) -> Quantity:
    return Quantity(Decimal(str(round(milliseconds / 1000, 6))), "s")
