"""Loads a page in a real browser and says how long a reader waits for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from gonogo.errors import Diagnostic
from gonogo.plan import filling, shellscript
from gonogo.plan.kinds import Context, Looks, Observation, Variable
from gonogo.plan.said import pairs, says
from gonogo.source import Span

_ADDRESS = re.compile(r"https?://|\{\{|\$\{", re.IGNORECASE)
_MOST_LOADS = 25
_START_S = 10.0
_EACH_S = 10.0


@dataclass(frozen=True, slots=True)
class Browser(Looks):
    """Load a page in a real browser, with its pictures and scripts, once or several times.

    Each load begins with nothing kept from the one before. Without a browser, or without the
    package that drives it, nothing was looked at: an error, never a pass.
    """

    kind: ClassVar[str] = "browser"
    indicators: ClassVar[Mapping[str, str]] = {
        "load": "until the page and all in it is there, the median of the loads (s)",
        "value": "the same as `load`",
        "load max": "the longest of the loads (s)",
        "first byte": "until the answer begins, the median (s)",
        "first paint": "until something is to be seen (FCP), the median (s); or null",
        "largest paint": "until the largest part is to be seen (LCP), the median (s); or null",
        "status": "the status code of the page; the highest of the loads",
        "title": "the title of the page, at the last load",
        "console errors": "how many errors the page wrote to the console, or threw, in all loads",
        "failed requests": "how many of its pictures, scripts and the like had no good answer",
        "loads": "how many loads there were",
    }
    example: ClassVar[str] = (
        '```yaml\ncheck: browser\nurl: "{{app}}/campaigns"\nloads: 3\n```\n\n'
        "- Expect: load < 5s\n- Expect: console errors = 0\n"
    )
    expects: ClassVar[str | None] = "status between 200 and 299"

    url: str = says("the page")
    loads: int = says(
        "how often it is loaded; the median of 3 is above a limit when 2 of them are", default=1
    )
    headers: dict[str, str] | tuple[str, ...] = says(  # noqa: RUF009
        'headers of each request: `{ Cookie: "session=${SESSION}" }`', default=()
    )
    insecure: bool = says("accept any certificate; lint and plan print it", default=False)
    body: str = says("the text of the block")

    def lasts_s(self) -> float:
        """Return how long a browser may take, in seconds."""
        return _START_S + self.loads * _EACH_S

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        texts = [self.url, *(text for _, text in pairs(self.headers))]
        return filling.variables_of({str(n): text for n, text in enumerate(texts)}, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what cannot be loaded."""
        return (*self._review(), *shellscript.secrets(self.body))

    def _review(self) -> Iterator[Diagnostic]:
        place = Span.of_line(1)
        if not _ADDRESS.match(self.url.strip()):
            message = f"`url` is `{self.url}`, expected an address" if self.url else "no `url`"
            yield Diagnostic("GN561", message, place, hint='write `url: "{{app}}/page"`')
        if not 1 <= self.loads <= _MOST_LOADS:
            message = f"`loads` is `{self.loads}`, expected a number from 1 to {_MOST_LOADS}"
            yield Diagnostic("GN561", message, place, hint="write `loads: 3`")

    def describe(self) -> str:
        """Return the page, and how often it is loaded."""
        often = f", {self.loads} times" if self.loads > 1 else ""
        return f"load {self.url} in a browser{often}" + (" (insecure)" if self.insecure else "")

    def perform(self, context: Context) -> Observation:
        """Start a browser, load the page, end the browser.

        Raises:
            WorkError: there is no browser or no package that drives it, or the page does not load.
        """
        from gonogo.probes.browser.loading import Loading, Wish

        wish = Wish(
            url=filling.fill(self.url.strip(), context),
            loads=self.loads,
            headers={name: filling.fill(text, context) for name, text in pairs(self.headers)},
            insecure=self.insecure,
        )
        return Loading(wish, context).observe()
