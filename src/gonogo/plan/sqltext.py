"""Takes SQL apart into statements, and says of each whether it looks or changes."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Letters are said by what they are not: a class that reaches to U+FFFF takes long to compile.
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
_LATER = r"[^\x00-#%-/:-@\[-^`{-\x7f]"  # digits and `$` too
_TAG = r"[^\x00-/:-@\[-^`{-\x7f]"  # digits too
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<comment>--[^\n]*)
    |(?P<string>(?:[eE]'(?:[^'\\]|\\.|'')*')|(?:(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'))
    |(?P<ident>(?:[uU]&)?"(?:[^"]|"")*")
    |(?P<dollar>\$(?P<tag>{_LETTER}{_TAG}*)?\$)
    |(?P<variable>\$\{{[A-Za-z_]\w*\}}|\{{\{{\s*\w[\w -]*\}}\}})
    |(?P<number>\d[\w.]*)
    |(?P<word>{_LETTER}{_LATER}*)
    |(?P<meta>\\[A-Za-z!?][^\n]*)
    |(?P<sign>::|:=|[-+*/<>=~!@\#%^&|`?]+|[\s\S])""",
    re.VERBOSE | re.DOTALL,
)
_LOOKING = frozenset(("SELECT", "SHOW", "VALUES", "TABLE", "WITH", "EXPLAIN"))
_SETTING = frozenset(("SET", "RESET", "DISCARD"))
_WRITING = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE"))
_READ_WRITE_SETTING = frozenset(("TRANSACTION", "CHARACTERISTICS", "TRANSACTION_READ_ONLY"))
_ACTING_FUNCTIONS = re.compile(
    r"pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile|pg_switch_wal"
    r"|pg_promote|pg_notify|pg_stat_reset\w*|pg_stat_statements_reset|pg_wal_replay_\w+"
    r"|pg_(?:create|drop|copy)_\w*(?:slot|point)\w*|pg_backup_\w+|pg_advisory_lock\w*"
    r"|pg_replication_origin_\w+|dblink\w*|nextval|setval|lo_(?:create|unlink|import)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL; `word` is its upper-case form for words, else as written."""

    kind: str  # word, string, ident, dollar, variable, number, meta, sign
    text: str
    at: int
    depth: int  # of brackets

    @property
    def word(self) -> str:
        """Return a keyword or unquoted name in capitals; other tokens as written."""
        return self.text.upper() if self.kind == "word" else self.text

    @property
    def name(self) -> str:
        """Return what the token names: unquoted names as written, quoted ones without quotes."""
        return self.text.strip('"').replace('""', '"') if self.kind == "ident" else self.text


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon; offsets are in the whole text."""

    text: str
    at: int
    tokens: tuple[Token, ...]

    @property
    def end(self) -> int:
        """Return the offset behind the statement."""
        return self.at + len(self.text)

    @property
    def first(self) -> str:
        """Return its first keyword; looks through opening brackets."""
        return next((t.word for t in self.tokens if t.text != "("), "")


@dataclass(frozen=True, slots=True)
class Sql:
    """A list of statements, and what of the text is not SQL."""

    statements: tuple[Statement, ...]
    comments: tuple[tuple[int, int], ...]
    open_at: int | None  # a quote, dollar quote or comment that is never closed
    metas: tuple[Token, ...]  # psql's commands: \\d, \\copy …


def split(text: str) -> Sql:
    """Split at semicolons outside quotes, comments, brackets and `BEGIN ATOMIC` bodies."""
    return _Splitter(text).split()


class _Splitter:
    """Reads the text once; remembers the statement that it is in."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.statements: list[Statement] = []
        self.comments: list[tuple[int, int]] = []
        self.metas: list[Token] = []
        self.open_at: int | None = None
        self.depth = 0
        self.body = 0  # how deep in BEGIN ATOMIC … END and CASE … END

    def split(self) -> Sql:
        at = 0
        while at < len(self.text):
            at = self._next(at)
        self._close()
        return Sql(tuple(self.statements), tuple(self.comments), self.open_at, tuple(self.metas))

    def _next(self, at: int) -> int:
        if self.text.startswith("/*", at):
            end = comment_end(self.text, at)
            self.comments.append((at, end or len(self.text)))
            if not end:
                self._broken(at)
            return end or len(self.text)
        match = _TOKEN.match(self.text, at)
        assert match is not None
        kind = match.lastgroup or "sign"
        if kind == "comment":
            self.comments.append(match.span())
        if kind in {"space", "comment"}:
            return match.end()
        if kind == "tag" or match["dollar"]:
            return self._dollar(at, match[0])
        if kind == "meta":
            self.metas.append(Token(kind, match[0], at, self.depth))
            return match.end()
        if match[0] in {"'", '"'}:
            self._broken(at)
            self.tokens.append(Token("string", self.text[at:], at, self.depth))
            return len(self.text)
        self._take(Token(kind, match[0], at, self.depth))
        return match.end()

    def _dollar(self, at: int, tag: str) -> int:
        end = self.text.find(tag, at + len(tag))
        if end < 0:
            self._broken(at)
            end = len(self.text)
        end = min(end + len(tag), len(self.text))
        self.tokens.append(Token("dollar", self.text[at:end], at, self.depth))
        return end

    def _broken(self, at: int) -> None:
        self.open_at = at if self.open_at is None else self.open_at

    def _take(self, token: Token) -> None:
        if token.text == "(":
            self.depth += 1
        elif token.text == ")":
            self.depth = max(self.depth - 1, 0)
        elif token.text == ";" and not self.depth and not self.body:
            self._close()
            return
        elif token.word == "ATOMIC" and self.tokens and self.tokens[-1].word == "BEGIN":
            self.body = 1
        elif token.word == "CASE" and self.body:
            self.body += 1
        elif token.word == "END" and self.body:
            self.body -= 1
        self.tokens.append(token)

    def _close(self) -> None:
        tokens, self.tokens = self.tokens, []
        self.depth = self.body = 0
        if tokens:
            start, end = tokens[0].at, tokens[-1].at + len(tokens[-1].text)
            self.statements.append(Statement(self.text[start:end], start, tuple(tokens)))


def comment_end(text: str, at: int) -> int | None:
    """Return the offset behind a block comment; they nest in SQL."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return None


def without_comments(text: str, sql: Sql) -> str:
    """Return the text with its comments blanked; offsets stay the same."""
    parts: list[str] = []
    at = 0
    for start, end in sql.comments:
        parts += [text[at:start], re.sub(r"[^\n]", " ", text[start:end])]
        at = end
    return "".join([*parts, text[at:]])


def only_looks(statement: Statement) -> bool:
    """Say whether a statement reads and changes nothing, as far as its words tell.

    A function may still write; a check runs in a read-only transaction, which refuses that.
    """
    first = statement.first
    words = [t.word for t in statement.tokens if t.kind == "word"]
    if first in _SETTING:
        return not any(word in _READ_WRITE_SETTING or "READ_ONLY" in word for word in words)
    if first not in _LOOKING:
        return False
    if first == "EXPLAIN" and not _analyses(words):
        return True
    if "INTO" in words or any(_ACTING_FUNCTIONS.fullmatch(word.lower()) for word in words):
        return False
    return not any(_is_writing(statement.tokens, i) for i in range(len(statement.tokens)))


def _analyses(words: list[str]) -> bool:
    return any(word in {"ANALYZE", "ANALYSE"} for word in words[:8])


def _is_writing(tokens: tuple[Token, ...], index: int) -> bool:
    """Say whether a data-modifying statement (or a row lock) starts at this token."""
    token = tokens[index]
    if token.kind != "word":
        return False
    before = tokens[index - 1].word if index else ""
    if before == "FOR" or (before == "KEY" and token.word in {"UPDATE", "SHARE"}):
        return token.word in {"UPDATE", "SHARE", "NO", "KEY"}
    if token.word not in _WRITING:
        return False
    after = tokens[index + 1].word if index + 1 < len(tokens) else ""
    return before in {"", "(", ")", "EXPLAIN", "ANALYZE", "VERBOSE"} and after not in {
        ",",
        ")",
        "(",
    }
