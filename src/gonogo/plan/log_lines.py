"""Takes one line of a log apart: JSON, the usual access logs, an nginx format, or a pattern."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from json.scanner import make_scanner

from gonogo.plan import safe_pattern
from gonogo.plan.safe_pattern import RefusedError

LineReader = Callable[[str], Mapping[str, object] | None]
"""From a line without its end to its fields; None when it is no such line."""

FORMATS: dict[str, str] = {
    "json": "one JSON object per line; `a.b` is a field inside a field",
    "common": "the Common Log Format of Apache",
    "combined": "the Combined Log Format of Apache and nginx",
    "nginx": "what nginx writes by default, also with `$request_time` at the end",
}
ACCESS_FIELDS = (
    *("remote_addr", "remote_user", "time", "request", "method", "path", "protocol", "status"),
    *("bytes", "referer", "user_agent", "request_time"),
)
"""The fields of access logs; `path` is without the query, `request_time` only in `nginx`."""

AGENT_FIELDS = (
    *("user_agent", "http_user_agent", "userAgent", "user-agent", "useragent", "User-Agent"),
    *("agent", "ua", "headers.user-agent", "request.headers.user-agent", "req.headers.user-agent"),
)
"""Where the user agent is looked for, so that gonogo's own requests can be left out."""

_FROM_REQUEST = frozenset(("method", "path", "protocol"))
_QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'
_COMMON = (
    (r"", "remote_addr", r"\S+"),
    (r" \S+ ", "remote_user", r"[^ ]+(?: [^ \[]+)*"),
    (r" \[", "time", r"[^\]]*"),
    (r'\] "', "request", _QUOTED),
    (r'" ', "status", r"\d{3}"),
    (r" ", "bytes", r"\d+|-"),
)
_COMBINED = (*_COMMON, (r' "', "referer", _QUOTED), (r'" "', "user_agent", _QUOTED))
_VARIABLE = re.compile(r"\$\{?([a-z_][a-z0-9_]*)\}?", re.IGNORECASE)


def json_reader() -> LineReader:
    """Return a reader of JSON lines; anything but an object is no line."""
    # raw_decode without the call around it: this is the hottest line of a watch
    scan: Callable[[str, int], tuple[object, int]] = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]

    def read(line: str) -> Mapping[str, object] | None:
        try:
            found, end = scan(line, 0)
        except (StopIteration, ValueError, RecursionError):
            stripped = line.lstrip()
            return read(stripped) if stripped != line else None
        if type(found) is not dict or (end != len(line) and line[end:].strip()):
            return None
        return found

    return read


def access_reader(kind: str, needed: Iterable[str]) -> LineReader:
    """Return a reader of access logs that finds the needed fields only."""
    wanted = set(needed)
    if wanted & _FROM_REQUEST:
        wanted.add("request")
    parts = _COMMON if kind == "common" else _COMBINED
    pattern = "".join(
        f"{lead}(?P<{name}>{inner})" if name in wanted else f"{lead}(?:{inner})"
        for lead, name, inner in parts
    )
    if kind != "common":
        pattern += '"'
    if kind == "nginx" and "request_time" in wanted:
        pattern += r'(?: "[^"]*")?(?: (?P<request_time>\d+\.\d+|-)(?: |$))?'
    return _derived(re.compile(pattern), wanted)


def nginx_reader(text: str, needed: Iterable[str]) -> LineReader:
    """Return a reader of lines that an nginx `log_format` writes.

    Raises:
        RefusedError: two variables follow each other with nothing between them.
    """
    pattern, at, names = "", 0, set()
    matches = list(_VARIABLE.finditer(text))
    for number, match in enumerate(matches):
        name = match[1]
        pattern += re.escape(text[at : match.start()])
        at = match.end()
        if number + 1 < len(matches) and matches[number + 1].start() == at:
            raise RefusedError(
                f"`${name}` and the next variable have nothing between them",
                "put a space or a quote between them in the log format",
            )
        following = text[at : at + 1]
        inner = _inner(name, following)
        pattern += f"(?:{inner})" if name in names else f"(?P<{name}>{inner})"
        names.add(name)
    if not names:
        raise RefusedError("the format has no variable", "copy it from `log_format` of nginx")
    return _derived(re.compile(pattern + re.escape(text[at:])), set(needed) | names)


def _inner(name: str, following: str) -> str:
    if not following:
        return r".*"
    other = f"[^{re.escape(following)}]*"
    if name.startswith("upstream_") and following == " ":
        return r"[^ ]*(?:(?:,| :) [^ ]*)*"  # one value per server that was asked
    return other


def pattern_reader(text: str) -> LineReader:
    """Return a reader of lines that a regular expression with named groups fits.

    Raises:
        RefusedError: it cannot be read, names nothing, or could take forever.
    """
    pattern = safe_pattern.compiled(text)
    if not pattern.groupindex:
        raise RefusedError("the pattern has no named group", r"write `(?P<duration>\d+)`")
    return _derived(pattern, set(pattern.groupindex), limit=safe_pattern.longest_line(text))


def _derived(pattern: re.Pattern[str], wanted: set[str], limit: int = 1 << 21) -> LineReader:
    """Return a reader that also takes `GET /path?query HTTP/1.1` apart where that is needed."""
    matches = pattern.match
    names = frozenset(pattern.groupindex)
    splits = "request" in names and bool(wanted & _FROM_REQUEST - names)

    def read(line: str) -> Mapping[str, object] | None:
        match = matches(line) if len(line) <= limit else None
        if match is None:
            return None
        found: dict[str, object] = match.groupdict()
        if splits:
            words = match["request"].split(" ")
            if len(words) == 3:
                found["method"], target, found["protocol"] = words
                found["path"] = target.partition("?")[0]
        return found

    return read


def is_nginx_format(text: str) -> bool:
    """Tell whether a format is the text of an nginx `log_format`."""
    return _VARIABLE.search(text) is not None


def line_reader(form: str, pattern: str, needed: Iterable[str]) -> LineReader:
    """Return the reader of a format by its name or text, or of a pattern.

    Raises:
        RefusedError: there is no such format, or it cannot be used.
    """
    if pattern:
        return pattern_reader(pattern)
    if form == "json":
        return json_reader()
    if form in FORMATS:
        return access_reader(form, needed)
    if is_nginx_format(form):
        return nginx_reader(form, needed)
    known = ", ".join(f"`{name}`" for name in FORMATS)
    raise RefusedError(
        f"`{form}` is no format of a log", f"known: {known}, or the text of an nginx `log_format`"
    )


def fields_of(form: str, pattern: str) -> tuple[str, ...] | None:
    """Return the fields that lines of a format can have; None when only the lines tell.

    Raises:
        RefusedError: there is no such format, or it cannot be used.
    """
    if pattern:
        names = tuple(safe_pattern.compiled(pattern).groupindex)
    elif form == "json":
        return None
    elif form in FORMATS:
        rest = {"json", "common", "combined"}
        cut = 1 if form in rest else 0
        names = ACCESS_FIELDS[: len(ACCESS_FIELDS) - cut]
        return names if form != "common" else names[:-2]
    else:
        names = tuple(dict.fromkeys(match[1] for match in _VARIABLE.finditer(form)))
    return (*names, *sorted(_FROM_REQUEST)) if "request" in names else names
