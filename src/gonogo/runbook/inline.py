"""Running text with its markup removed, without losing where a character was written.

This is a light reading of CommonMark's inline rules that takes time linear in the text, whatever
the text: emphasis, code, links, entities, escapes and line ends. What only looks like HTML stays
text (`<3 s`, `<sha>`), because an author's comparison or placeholder must not vanish.
"""

from __future__ import annotations

import bisect
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gonogo.runbook.words import Piece, Range, Words


class Chunk(NamedTuple):
    """Characters that stand together in the source from this place on."""

    text: str
    line: int
    column: int


_NAMES = """
    a abbr b big blockquote br center cite code dd del details dfn div dl dt em figcaption figure
    font h1 h2 h3 h4 h5 h6 hr i iframe img input ins kbd li mark nav ol p picture pre q s samp
    script small span strike strong style sub summary sup svg table tbody td textarea tfoot th
    thead tr tt u ul var video wbr
"""
HTML_NAMES = frozenset(_NAMES.split())
"""Elements that are taken as HTML; any other `<name>` is text, as a rule a placeholder."""

_EMOJI = (
    "\u2139\u203c\u2049\u231a\u231b\u23e9-\u23f3\u25a1\u25a2\u25aa\u25ab\u25fb-\u25fe"
    "\u2600-\u2775\u27b0\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff"
)
_JOINERS = "\u00ad\u200b\u200d\u2060\u20e3\ufe0e\ufe0f\ufeff\U0001f3fb-\U0001f3ff"
EDGE_EMOJI = re.compile(rf"[{_EMOJI}\s]+")

# only attributes with a value: `<b and c > 5` is HTML to CommonMark, but its author compares
_ATTRIBUTE = (
    r"[ ]+[A-Za-z_:][\w:.-]{0,50}[ ]*=[ ]*"
    r"(?:\"[^\"<>\n]{0,500}\"|'[^'<>\n]{0,500}'|[^\s\"'=<>`]{1,500})"
)
_TOKEN = re.compile(
    rf"""
      \\(?P<escape>[!-/:-@\[-`{{-~])
    | (?P<hard>(?:\\|[ ]{{2,}})\n[ \t]*)
    | (?P<soft>[ \t]*\n[ \t]*)
    | (?P<ticks>`+)
    | (?P<comment><!--)
    | <(?P<auto>[A-Za-z][A-Za-z0-9+.-]{{1,31}}:[^\s<>]*|[\w.+-]{{1,64}}@[\w.-]{{1,255}})>
    | (?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9]{{0,20}})(?:{_ATTRIBUTE}){{0,20}}[ ]*/?>)
    | (?P<entity>&(?:\#[0-9]{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});)
    | (?P<url>https?://[^\s<>`*\[\]]+)
    | (?P<run>\*+|_+|~~)
    | (?P<image>!\[) | (?P<open>\[) | (?P<close>\])
    | (?P<joiner>[{_JOINERS}]+)
    | (?P<emoji>[{_EMOJI}]+)
    | (?P<space>[^\S\n]+)
    """,
    re.VERBOSE,
)
_TARGET = re.compile(
    r"\(\s*(?:<[^<>\n]{0,2000}>|[^\s()<>]{0,2000}(?:\([^\s()]{0,500}\)[^\s()<>]{0,500}){0,3})"
    r"(?:\s+(?:\"[^\"]{0,500}\"|'[^']{0,500}'))?\s*\)"
)
_OPENERS_TRIED = 8
_PUNCTUATION = re.compile(r"[^\w\s]|_")


@dataclass(slots=True)
class _Part:
    """A stretch of output, or a run of emphasis signs that may turn out to be literal."""

    text: str
    at: int  # index into the raw text
    kind: str = ""  # "", "code", "space" or the sign of a run
    is_opener: bool = False
    is_closer: bool = False
    closes: list[str] = field(default_factory=list)
    opens: list[str] = field(default_factory=list)


def read_words(chunks: Sequence[Chunk], *, without_emoji: bool = False) -> Words:
    """Read running text; `chunks` follow each other, line ends belong to them as newlines."""
    return _Inline(chunks, without_emoji=without_emoji).words()


def nothing(line: int, column: int) -> Words:
    """Return words without a character, which still have a place."""
    return Words("", (Piece(0, line, column),))


def joined(parts: Sequence[Words], separator: str) -> Words:
    """Join words; the separator counts as standing where the text before it ends."""
    texts: list[str] = []
    base = 0
    pieces: list[Piece] = []
    ranges: tuple[list[Range], list[Range], list[Range]] = ([], [], [])
    for part in parts:
        pieces += (p._replace(offset=p.offset + base) for p in part.pieces)
        for into, found in zip(ranges, (part.code, part.bold, part.struck), strict=True):
            into.extend(Range(a + base, b + base) for a, b in found)
        texts.append(part.text)
        base += len(part.text) + len(separator)
    return Words(separator.join(texts), tuple(pieces), *(tuple(kept) for kept in ranges))


class _Inline:
    """One reading: the raw text is split into parts once, then written out once."""

    def __init__(self, chunks: Sequence[Chunk], *, without_emoji: bool) -> None:
        self.chunks = chunks
        self.raw = "".join(chunk.text for chunk in chunks)
        self.without_emoji = without_emoji
        self.starts: list[int] = []
        at = 0
        for chunk in chunks:
            self.starts.append(at)
            at += len(chunk.text)
        self.parts: list[_Part] = []
        self.brackets: list[int] = []
        self.openers: dict[str, list[int]] = {"*": [], "_": [], "~": []}
        self.ticks: dict[int, list[int]] | None = None
        self.no_comment_after = len(self.raw)

    def words(self) -> Words:
        """Split, then write out."""
        at = 0
        while found := _TOKEN.search(self.raw, at):
            if found.start() > at:
                self.parts.append(_Part(self.raw[at : found.start()], at))
            at = self._take(found)
        if at < len(self.raw):
            self.parts.append(_Part(self.raw[at:], at))
        return self._written()

    def _take(self, found: re.Match[str]) -> int:
        """Turn one token into parts and return where reading goes on."""
        kind = found.lastgroup
        match kind:
            case "escape" | "auto":
                self.parts.append(_Part(found[kind], found.start(kind)))
            case "hard" | "soft" | "space":
                blank = "\n" if kind == "hard" else " "
                self.parts.append(_Part(blank, found.start(), "space"))
            case "ticks":
                return self._code(found)
            case "comment":
                return self._comment(found)
            case "entity":
                text = html.unescape(found[0])
                self.parts.append(_Part(text, found.start(), "space" if text.isspace() else ""))
            case "run":
                self._run(found)
            case "emoji" | "joiner":
                self._emoji(found)
            case _:
                return self._markup(found)
        return found.end()

    def _emoji(self, found: re.Match[str]) -> None:
        """Keep a picture unless the reader wants words only; its modifiers never stay."""
        if found.lastgroup == "joiner":
            return
        if self.without_emoji:
            self.parts.append(_Part(" ", found.start(), "space"))
        else:
            self.parts.append(_Part(found[0], found.start()))

    def _markup(self, found: re.Match[str]) -> int:
        """Take brackets, addresses and tags."""
        if found.lastgroup in {"open", "image"}:
            self.brackets.append(len(self.parts))
        elif found.lastgroup == "close" and self.brackets:
            opener = self.brackets.pop()
            target = _TARGET.match(self.raw, found.end())
            if target is not None:
                self.parts[opener].text = ""
                return target.end()
        elif found["tag"] and found["name"].lower() in HTML_NAMES:
            if found["name"].lower() == "br":
                self.parts.append(_Part("\n", found.start(), "space"))
            return found.end()
        self.parts.append(_Part(found[0], found.start()))
        return found.end()

    def _comment(self, found: re.Match[str]) -> int:
        """Leave a comment out; without its end it is text."""
        end = -1
        if found.start() < self.no_comment_after:
            end = self.raw.find("-->", found.end())
        if end < 0:
            self.no_comment_after = min(self.no_comment_after, found.start())
            self.parts.append(_Part(found[0], found.start()))
            return found.end()
        return end + 3

    def _code(self, found: re.Match[str]) -> int:
        """Take inline code up to the next run of as many backticks, else the backticks as text."""
        if self.ticks is None:
            self.ticks = {}
            for run in re.finditer("`+", self.raw):
                self.ticks.setdefault(len(run[0]), []).append(run.start())
        same = self.ticks.get(len(found[0]), [])
        index = bisect.bisect_left(same, found.end())
        if index == len(same):
            self.parts.append(_Part(found[0], found.start()))
            return found.end()
        start, end = found.end(), same[index]
        body = self.raw[start:end]
        if body.strip() and body[0] in " \n" and body[-1] in " \n":
            start, body = start + 1, body[1:-1]
        for line in re.finditer(r"[^\n]+|\n[ \t]*", body):
            text = " " if line[0][0] == "\n" else line[0]
            self.parts.append(_Part(text, start + line.start(), "code"))
        return end + len(found[0])

    def _run(self, found: re.Match[str]) -> None:
        """Take a run of emphasis signs: close what is open, leave the rest as an opener."""
        sign = found[0][0]
        before = self.raw[found.start() - 1] if found.start() else " "
        after = self.raw[found.end()] if found.end() < len(self.raw) else " "
        left = not after.isspace() and (
            not _PUNCTUATION.match(after) or before.isspace() or bool(_PUNCTUATION.match(before))
        )
        right = not before.isspace() and (
            not _PUNCTUATION.match(before) or after.isspace() or bool(_PUNCTUATION.match(after))
        )
        part = _Part(found[0], found.start(), sign)
        part.is_opener = left and (sign != "_" or not right or bool(_PUNCTUATION.match(before)))
        part.is_closer = right and (sign != "_" or not left or bool(_PUNCTUATION.match(after)))
        if part.is_closer:
            self._close(part, self.openers[sign])
        if part.is_opener and part.text:
            self.openers[sign].append(len(self.parts))
        self.parts.append(part)

    def _close(self, part: _Part, openers: list[int]) -> None:
        """Close openers from the inside out, as far as the signs of a run last."""
        while part.text and openers:
            # CommonMark's rule of three can forbid the innermost; how far out to look is bounded
            fitting = (n for n in reversed(openers[-_OPENERS_TRIED:]) if self._fits(part, n))
            index = next(fitting, None)
            if index is None:
                return
            opener = self.parts[index]
            width = 2 if min(len(part.text), len(opener.text)) >= 2 else 1
            kind = {"~": "struck"}.get(part.kind, "bold" if width == 2 else "")
            part.text, opener.text = part.text[width:], opener.text[width:]
            part.closes.append(kind)
            opener.opens.insert(0, kind)
            for others in self.openers.values():
                while others and others[-1] > index:
                    others.pop()
            if not opener.text:
                openers.pop()

    def _fits(self, part: _Part, index: int) -> bool:
        opener = self.parts[index]
        sum_of_three = (len(part.text) + len(opener.text)) % 3 == 0 and len(part.text) % 3 != 0
        return not (sum_of_three and (part.is_opener or opener.is_closer))

    def _written(self) -> Words:
        """Write the parts out with single spaces and note where each came from."""
        out: list[str] = []
        length = 0
        pieces: list[Piece] = []
        last = "\n"
        starts: dict[str, list[int]] = {"bold": [], "struck": [], "": []}
        ranges: dict[str, list[Range]] = {"bold": [], "struck": [], "": [], "code": []}
        for part in self.parts:
            for kind in part.closes:
                ranges[kind].append(Range(starts[kind].pop(), length))
            text = part.text
            if part.kind == "space":
                text, dropped = self._blank(part, out, last)
                length -= dropped
            if text:
                pieces.append(Piece(length, *self._place(part.at)))
                if part.kind == "code":
                    ranges["code"].append(Range(length, length + len(text)))
                out.append(text)
                length += len(text)
                last = text[-1]
            for kind in part.opens:
                starts[kind].append(length)
        return self._trimmed("".join(out), pieces, ranges)

    @staticmethod
    def _blank(part: _Part, out: list[str], last: str) -> tuple[str, int]:
        """Return the white space to write: none after white space, a hard break wins."""
        if part.text == "\n":
            if out and last == " " and out[-1] == " ":
                out.pop()
                return "\n", 1
            return "\n" if out else "", 0
        return ("" if last in " \n" else " "), 0

    def _place(self, at: int) -> tuple[int, int]:
        chunk = self.chunks[bisect.bisect_right(self.starts, at) - 1]
        start = self.starts[bisect.bisect_right(self.starts, at) - 1]
        return chunk.line, chunk.column + at - start

    def _trimmed(self, text: str, pieces: list[Piece], ranges: dict[str, list[Range]]) -> Words:
        if not pieces:
            first = self.chunks[0] if self.chunks else Chunk("", 1, 1)
            return nothing(first.line, first.column)
        kept = {
            kind: tuple(sorted(r for r in found if r.end > r.start))
            for kind, found in ranges.items()
        }
        words = Words(text, tuple(pieces), _merged(kept["code"]), kept["bold"], kept["struck"])
        return words if text == text.strip() else words.part(0)


def _merged(ranges: Sequence[Range]) -> tuple[Range, ...]:
    """Join code ranges that touch: one span of code over several lines."""
    out: list[Range] = []
    for one in ranges:
        if out and out[-1].end == one.start:
            out[-1] = Range(out[-1].start, one.end)
        else:
            out.append(one)
    return tuple(out)
