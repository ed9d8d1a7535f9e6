"""Sends one HTTP request and reports status, headers, body and the time of each phase."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from gonogo.errors import Diagnostic
from gonogo.plan import filling, placeholders, shellscript
from gonogo.plan.httptext import Problem, Request, read
from gonogo.plan.kinds import Context, Effect, Observation, Role, Sends, Variable
from gonogo.plan.places import Places
from gonogo.plan.said import says

_LOOKING = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class Http(Sends):
    """Send one HTTP request: request line, headers, an empty line, body.

    GET, HEAD and OPTIONS look; any other method is an action unless the block says `kind: check`.
    """

    kind: ClassVar[str] = "http"
    languages: ClassVar[tuple[str, ...]] = ("http", "rest")
    indicators: ClassVar[Mapping[str, str]] = {
        "status": "the status code of the answer",
        "header": "the headers by name, in small letters: `header content-type`",
        "body": "the body: JSON as values (`body.checks.database`), else text",
        "size": "the size of the body (B)",
        "latency": "from the start to the last byte (s)",
        "response time": "the same as `latency` (s)",
        "dns": "the time to resolve the name (s)",
        "connect": "the time to connect, without `dns` (s)",
        "tls": "the time of the TLS handshake (s); absent without TLS",
        "first byte": "the time from the sent request to the first byte of the answer (s)",
        "redirect url": "where a redirect leads, if there is one",
        "redirects": "how many redirects were followed",
        "remote address": "the address that answered",
        "http version": "the version of the protocol: 1.1, 2",
        "certificate expiry": "how long the certificate is still valid (d); only with TLS",
    }
    example: ClassVar[str] = (
        "```http\nGET {{app}}/api/admin\nAuthorization: Bearer {{USER_TOKEN}}\n```\n\n"
        "- Expect: status = 403\n"
    )
    expects: ClassVar[str | None] = "status between 200 and 299"

    body: str = says("the request")
    follow: bool = says("follow redirects, ten at most", default=False)
    insecure: bool = says("accept any certificate; lint and plan print it", default=False)
    ca: str = says("a file with the certificates to trust, from the folder of the runbook")
    connect_timeout_s: float = says("give up when there is no connection in time", default=10.0)
    proxy: str = says(
        "`environment` (HTTP_PROXY, HTTPS_PROXY, NO_PROXY as bound in the run), `none`, or a URL",
        default="environment",
    )
    kind_: Literal["auto", "check", "action"] = says(
        "whether it looks or changes; `auto`: the method tells", default="auto"
    )

    def effect(self, role: Role) -> Effect:
        """Tell from the method, whatever the phase."""
        del role
        if self.kind_ != "auto":
            return Effect(self.kind_)
        request = read(self.body)
        looks = isinstance(request, Problem) or request.method in _LOOKING
        return Effect.CHECK if looks else Effect.ACTION

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the request and in the options."""
        fields = {"ca": self.ca, "proxy": self.proxy}
        return (*filling.variables(_code(self.body)), *filling.variables_of(fields, self.body))

    def review(self) -> tuple[Diagnostic, ...]:
        """Return why the block is no single request, and what in it is not filled in."""
        return tuple(self._review())

    def _review(self) -> Iterator[Diagnostic]:
        places = Places(self.body)
        request = read(self.body)
        if isinstance(request, Problem):
            place = places.of_line(request.line)
            yield Diagnostic(request.code, request.message, place, hint=request.hint)
        if self.proxy not in {"environment", "none"} and "://" not in self.proxy:
            hint = "write `environment`, `none`, or `http://host:port`"
            message = f"`proxy` is `{self.proxy}`, expected a URL"
            yield Diagnostic("GN517", message, places.of_line(1), hint=hint)
        code = _code(self.body)
        yield from shellscript.blanks(self.body, placeholders.Language.HTTP, code)
        yield from shellscript.secrets(self.body)

    def describe(self) -> str:
        """Return method and URL, and that certificates are not looked at."""
        request = read(self.body)
        if isinstance(request, Problem):
            return "no request"
        return f"{request.method} {request.url}" + (" (insecure)" if self.insecure else "")

    def perform(self, context: Context) -> Observation:
        """Send the request and return the answer, whatever its status.

        Raises:
            WorkError: no answer came: no name, no connection, no time, no valid certificate.
        """
        from gonogo.errors import WorkError
        from gonogo.probes.http.exchange import Exchange, Options

        request = read(self.body)
        if isinstance(request, Problem):
            raise WorkError(request.message, hint=request.hint)
        filled = Request(
            request.method,
            filling.fill(request.url, context),
            tuple((name, filling.fill(value, context)) for name, value in request.headers),
            filling.fill(request.body, context),
        )
        ca = str(context.cwd / filling.fill(self.ca, context)) if self.ca else ""
        proxy = filling.fill(self.proxy, context)
        options = Options(self.follow, self.insecure, ca, self.connect_timeout_s, proxy)
        return Exchange(filled, options, context).observe()


def _code(body: str) -> str:
    """Return the text with its comment lines blanked; offsets stay the same."""
    return re.sub(r"(?m)^[ \t]*(?:#|//).*$", lambda match: " " * len(match[0]), body)
