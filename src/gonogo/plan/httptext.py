"""Reads an http block: a request line, headers, an empty line, a body."""

from __future__ import annotations

import re
from dataclasses import dataclass

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_REQUEST = re.compile(
    r"(?P<method>[A-Za-z]+)[ \t]+(?P<url>\S(?:.*?\S)?)(?:[ \t]+HTTP/[\d.]+)?[ \t]*$"
)
_ADDRESS = re.compile(r"(?:https?://|\{\{|\$\{)\S*$", re.IGNORECASE)
_HEADER = re.compile(r"(?P<name>[A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*:[ \t]*(?P<value>.*?)[ \t]*$")
_NEXT = re.compile(r"(?:GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE)[ \t]+(?:https?://|/|\{\{|\$\{)\S*")
_RESPONSE = re.compile(
    r"HTTP(?:/[\d.]+)?[ \t]+(?:\d{3}|\*)[ \t]*$|\[(?:Asserts|Captures|Options)\]$"
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as written, with its names still in it."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is no single request: a code, a message, a hint, and the line (from 1)."""

    code: str
    message: str
    hint: str
    line: int


def read(text: str) -> Request | Problem:
    """Return the request of a block, or the first thing that cannot be understood."""
    lines = text.replace("\r\n", "\n").split("\n")
    at = _skip(lines, 0)
    if at >= len(lines):
        return Problem("GN507", "there is no request in this block", "write `GET` and a URL", 1)
    if lines[at].startswith("###"):
        at = _skip(lines, at + 1, separators=True)
    first = lines[at].strip() if at < len(lines) else ""
    match = _REQUEST.match(first)
    if match is None and _ADDRESS.match(first):
        match = _REQUEST.match(f"GET {first}")
    if match is None or match["method"].upper() not in METHODS:
        return _no_request(first, at)
    url, at = _whole_url(match["url"], lines, at + 1)
    if not _ADDRESS.match(url.split()[0]) or " " in url:
        return Problem(
            "GN514",
            f"`{url}` is no complete URL",
            "write `{{app}}/path` with a target of the front matter, or `https://host/path`",
            at,
        )
    return _headers(Request(match["method"].upper(), url), lines, at)


def _no_request(first: str, at: int) -> Problem:
    if re.match(r"@[\w-]+\s*=", first):
        message = f"`{first}` sets a variable of another tool"
        return Problem("GN514", message, "bind it under `targets:` or in the environment", at + 1)
    word = first.split()[0] if first else ""
    hint = f"begin with one of {', '.join(METHODS)} and a URL"
    return Problem("GN514", f"`{word}` begins no request", hint, at + 1)


def _skip(lines: list[str], at: int, *, separators: bool = False) -> int:
    """Return the index of the first line that is neither empty nor a comment."""
    while at < len(lines):
        line = lines[at].strip()
        is_separator = line.startswith("###") and not separators
        if is_separator or (line and not line.startswith(("#", "//"))):
            return at
        at += 1
    return at


def _whole_url(url: str, lines: list[str], at: int) -> tuple[str, int]:
    """Join the lines of a query that goes on below: `  ?a=1`, `  &b=2`."""
    while at < len(lines) and re.match(r"[ \t]+[?&]", lines[at]):
        url += lines[at].strip()
        at += 1
    return url, at


def _headers(request: Request, lines: list[str], at: int) -> Request | Problem:
    headers: list[tuple[str, str]] = []
    while at < len(lines) and lines[at].strip():
        line = lines[at].strip()
        at += 1
        if line.startswith(("#", "//")) and not line.startswith("###"):
            continue
        if line.startswith("###") or _NEXT.match(line):
            return _second(at)
        if _RESPONSE.match(line):
            return _expected(line, at)
        match = _HEADER.match(line)
        if match is None:
            hint = "headers are `Name: value`; an empty line comes before the body"
            return Problem("GN514", f"`{line}` is no header", hint, at)
        headers.append((match["name"], match["value"]))
    return _body(request, tuple(headers), lines, at)


def _body(
    request: Request, headers: tuple[tuple[str, str], ...], lines: list[str], at: int
) -> Request | Problem:
    rest = lines[at:]
    for index, line in enumerate(rest, start=at + 1):
        if line.startswith("###") or _NEXT.fullmatch(line.strip()):
            return _second(index)
        if _RESPONSE.match(line.strip()):
            return _expected(line.strip(), index)
    body = "\n".join(rest).strip("\n")
    return Request(request.method, request.url, headers, body if body.strip() else "")


def _second(line: int) -> Problem:
    hint = "give each request a block and a step of its own"
    return Problem("GN515", "a second request begins here", hint, line)


def _expected(text: str, line: int) -> Problem:
    status = next(iter(re.findall(r"\d{3}", text)), "200")
    hint = f"write it under the block: `- Expect: status = {status}`"
    return Problem("GN514", f"`{text}` is an answer, not part of the request", hint, line)
