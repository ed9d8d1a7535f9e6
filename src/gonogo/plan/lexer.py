"""A line of a runbook as words, numbers and signs, with the column that each came from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from html import unescape
from typing import SupportsIndex, overload

from gonogo.plan.units import parse_number
from gonogo.plan.words import stat_of

_ENTITY = re.compile(r"&(?:[A-Za-z]{2,10}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_MARKER = re.compile(r"\s{0,40}(?:(?:[-*+•]|\d{1,4}[.)])\s{1,20})?(?:\[[ xX]\]\s{1,20})?")
# An emoji whose bytes were read as another encoding; only in front of a text.
_GARBLED = re.compile(r"(?:[‚â][^\x00-\x7f]{2,8}|ð[^\x00-\x7f]{2,3})\s{1,5}")
_SHORTCODE = re.compile(r":[a-z][a-z0-9_+-]{0,40}:(?=[\s*]|$)")  # `:warning:` is an emoji too
_QUOTE_MARK = re.compile(r"\s{0,40}>\s?(?![vV]\d)(?=[^\W\d_])")
_SAME = {
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "′": "'",
    "–": "-", "—": "-", "‒": "-", "−": "-", "‑": "-", "‐": "-", "―": "-",
    "≥": ">=", "⩾": ">=", "≧": ">=", "≤": "<=", "⩽": "<=", "≦": "<=", "≠": "!=",
    "＜": "<", "＞": ">", "＝": "=", "％": "%", "⇒": "→", "➡": "→", "⟶": "→", "➔": "→", "➜": "→",
    "×": "x", "…": "...",
}  # fmt: skip
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f\u20e3")
_THIN = frozenset("\u00a0\u202f\u2009")


def _is_emoji(char: str) -> bool:
    code = ord(char)
    return (
        0x1F000 <= code <= 0x1FAFF or 0x2600 <= code <= 0x27BF or 0x2B00 <= code <= 0x2BFF
    ) and char not in _SAME


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without Markdown's and typography's dress, and where each character stood."""

    text: str
    places: tuple[int, ...]  # one more than characters


class _Cleaner:
    """One pass from left to right; quoted texts and regular expressions are kept as they are."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.out: list[str] = []
        self.places: list[int] = []
        self.closes = True  # becomes false at the first quotation mark without a partner

    def put(self, text: str, place: int) -> None:
        for char in text:
            self.out.append(char)
            self.places.append(place)

    def last(self) -> str:
        return self.out[-1] if self.out else " "

    def run(self) -> Cleaned:
        raw, at = self.raw, 0
        found = _QUOTE_MARK.match(raw)
        at = found.end() if found else 0
        for dress in (_MARKER, _GARBLED):
            dressed = dress.match(raw, at)
            at = dressed.end() if dressed else at
        while at < len(raw):
            at = self.step(at)
        while self.out and self.out[-1] == " ":
            self.out.pop()
            self.places.pop()
        return Cleaned("".join(self.out), (*self.places, len(raw)))

    def step(self, at: int) -> int:
        raw, char = self.raw, self.raw[at]
        if char in '"/' and self.closes and (char == '"' or self.after_matches()):
            end = self.verbatim(at, char)
            if end:
                return end
        if char == ":" and self.last() == " ":
            found = _SHORTCODE.match(raw, at)
            if found:
                return found.end()
        if char == "&":
            found = _ENTITY.match(raw, at)
            if found:
                for piece in unescape(found[0]):
                    self.character(piece, at, raw[found.end() : found.end() + 3])
                return found.end()
        self.character(char, at, raw[at + 1 : at + 4])
        return at + 1

    def after_matches(self) -> bool:
        return "".join(self.out[-10:]).rstrip().lower().endswith(("matches", "match", "~"))

    def verbatim(self, at: int, mark: str) -> int:
        """Copy a quoted text with its marks; return 0 when it is not closed."""
        end = at + 1
        while end < len(self.raw) and self.raw[end] != mark:
            end += 2 if self.raw[end] == "\\" else 1
        if end >= len(self.raw):
            self.closes = False
            return 0
        for place in range(at, end + 1):
            self.put(self.raw[place], place)
        return end + 1

    def character(self, char: str, at: int, ahead: str) -> None:
        before = self.last()
        if char in _INVISIBLE or _is_emoji(char) or (char in "`~*" and not self.kept(char, before)):
            return
        if char.isspace() or not char.isprintable():
            between = before.isdecimal() and ahead.isdecimal() and len(ahead) == 3
            if before != " " and not (char in _THIN and between):
                self.put(" ", at)
            return
        edge = before in " (" or not ahead or ahead[0] in " ,.:;)_"
        if char == "_" and edge and not ("_" in ahead[:1] and before not in " ("):
            return
        self.put(_SAME.get(char, char), at)

    def kept(self, char: str, before: str) -> bool:
        """Keep the signs in `items[*]`, `=~` and `~=`; all others are emphasis or code marks."""
        return (char == "*" and before == "[") or (char == "~" and before in "=!")


def clean_with_places(raw: str) -> Cleaned:
    """Clean a text and say where each character of the result came from."""
    return _Cleaner(raw).run()


def clean(text: str) -> str:
    """Take off entities, emoji, list marker, box, emphasis and typographic signs, in this order.

    A leading `>` before a digit is a comparison and stays; texts in quotation marks stay untouched.
    """
    return clean_with_places(text).text


class Kind(StrEnum):
    """What a token is."""

    NUMBER = "number"
    BAD_NUMBER = "bad number"  # 1,5
    VERSION = "version"  # 2.4.0, v3
    CLASS = "class"  # 5xx
    WORD = "word"
    STRING = "string"
    REGEX = "regex"
    STAT = "stat"
    OTHER = "other"  # dates, times of day, addresses, identifiers
    SIGN = "sign"  # punctuation that is no comparison
    ARROW = "arrow"
    OP = "op"  # a comparison, symbol or words; `op` says which, `need` what must follow
    AFTER = "after"  # `minimum`, `or more` behind a value
    JOIN = "join"  # and, or, comma, semicolon
    END = "end"


@dataclass(slots=True)
class Token:
    """A piece of a cleaned text; columns count from 0 in the cleaned text."""

    kind: Kind
    text: str
    start: int
    end: int
    glued: bool = False  # no space before it
    number: Decimal = Decimal(0)
    op: str = ""
    need: str = ""  # number, any, weak, matcher, none
    body: str = ""  # what stands between the marks of a quoted text

    @property
    def low(self) -> str:
        """Return the text in small letters."""
        return self.text.lower()


class Tokens(list[Token]):
    """Tokens that end with END; beyond the end there is only END, so that looking ahead is safe."""

    @overload
    def __getitem__(self, at: SupportsIndex) -> Token: ...
    @overload
    def __getitem__(self, at: slice) -> Tokens: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Token | Tokens:
        """Return the token at a place, END beyond the last one."""
        if isinstance(at, slice):
            return Tokens(super().__getitem__(at))
        return super().__getitem__(min(at.__index__(), len(self) - 1))


_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<url>[A-Za-z]{2,10}://\S*)
    | (?P<date>\d{4}-\d{2}-\d{2}(?!\d)(?:[T][\d:.Z+-]{0,30})?|\d{1,2}:\d{2}(?::\d{2})?(?![\d:]))
    | (?P<version>[vV]?\d{1,9}(?:\.\d{1,9}){2,8}(?:-[\w.]{1,40})?(?!\w)
        | [vV]\d{1,9}(?:\.\d{1,9})?(?![\w]))
    | (?P<stat>[pP]\(\d{2,3}(?:\.\d{1,3})?\)|[pP]\d{2,4}(?:\.\d{1,3})?(?![\w]))
    | (?P<nth>\d{1,2}(?:\.\d{1,3})?(?:st|nd|rd|th)(?!\w))
    | (?P<class>[1-5][xX][xX](?!\w))
    | (?P<number>\d[\d,_]*(?:\.\d+)?|(?<=[\s<>=$€£(-])\.\d+)
    | (?P<word>(?:[^\W\d]|[/@\#](?=\w))(?:[\w/@\#]|[.\-'](?=\w)|\[(?:\d{1,9}|\*)\])*)
    | (?P<arrow>-{1,3}>|==?>|→)
    | (?P<op>[=!]==?|<>|[<>]=|=<|=~|~=|!~|[<>=])
    | (?P<join>\|\||&&|[,;&])
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_THOUSANDS = re.compile(r"\d{1,3}(?:([,_])\d{3})(?:\1\d{3})*(?:\.\d+)?|\d*\.?\d+")
_MATCH_WORDS = ("matches", "match", "matching", "=~", "!~", "~=")


def lex(text: str) -> Tokens:
    """Split a cleaned text into tokens; linear, never fails, the last token is END."""
    tokens = Tokens()
    at, glued = 0, False
    lonely: set[str] = set()  # marks without a partner: never looked for again, to stay linear
    while at < len(text):
        token: Token | None = None
        if text[at] in "\"'/" and text[at] not in lonely:
            token = _quoted(text, at, tokens, lonely)
        if token is None and text[at] == "/" and glued:
            token = Token(Kind.SIGN, "/", at, at + 1)  # a path never begins inside a word
        if token is None:
            found = _TOKEN.match(text, at)
            assert found is not None
            at_end = found.end()
            if found.lastgroup == "space":
                at, glued = at_end, False
                continue
            token = _token(str(found.lastgroup), found[0], at)
        token.glued = glued
        tokens.append(token)
        at, glued = token.end, True
    tokens.append(Token(Kind.END, "", len(text), len(text)))
    return tokens


def _quoted(text: str, at: int, tokens: list[Token], lonely: set[str]) -> Token | None:
    """Read a quoted text or, behind `matches`, a regular expression between slashes."""
    mark = text[at]
    if mark == "/" and not (tokens and tokens[-1].low in _MATCH_WORDS):
        return None
    if mark == "'" and at and not text[at - 1].isspace() and text[at - 1] not in "(=<>:":
        return None
    body: list[str] = []
    end = at + 1
    while end < len(text) and text[end] != mark:
        if text[end] == "\\" and end + 1 < len(text):
            escaped = text[end + 1]
            plain = escaped == mark or (escaped == "\\" and mark != "/")
            body.append(escaped if plain else text[end : end + 2])
            end += 2
        else:
            body.append(text[end])
            end += 1
    if end >= len(text):
        lonely.add(mark)
        return None
    kind = Kind.REGEX if mark == "/" else Kind.STRING
    return Token(kind, text[at : end + 1], at, end + 1, body="".join(body))


def _token(group: str, text: str, at: int) -> Token:
    end = at + len(text)
    match group:
        case "number":
            return _number(text, at)
        case "word":
            kind = Kind.STAT if stat_of(text) and text.lower().startswith("p") else Kind.WORD
            if text.lower() in {"and", "or"}:
                kind = Kind.JOIN
            return Token(Kind.WORD if text.lower() == "peak" else kind, text, at, end)
        case "stat" | "version" | "class" | "arrow" | "op" | "join" | "sign":
            if group == "stat" and stat_of(text) is None:
                return Token(Kind.WORD, text, at, end)
            return Token(Kind(group), text, at, end)
        case "nth":
            return Token(Kind.WORD, text, at, end)
        case _:
            return Token(Kind.OTHER, text, at, end)


def _number(text: str, at: int) -> Token:
    text = text.rstrip(",_")
    end = at + len(text)
    if len(text) > 40:
        return Token(Kind.OTHER, text, at, end)
    if not _THOUSANDS.fullmatch(text):
        return Token(Kind.BAD_NUMBER, text, at, end)
    return Token(Kind.NUMBER, text, at, end, number=parse_number(text))
