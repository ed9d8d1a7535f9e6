"""Reads SQL text as psql would, and lets through only what stays in the database it is read into.

psql reads more than SQL: a line of a dump can connect to another database or run a program. What
would reach beyond the scratch database is refused; what archives leave out in a restore test
(owners, rights, subscriptions) is left out here too, line for line, so that the numbers of the
lines stay those of the file.
"""

from __future__ import annotations

import re

COMPLETE = b"PostgreSQL database dump complete"
CLUSTER = b"PostgreSQL database cluster dump"  # of pg_dumpall
_TAIL = 4096
_HELD = 1024 * 1024  # of one statement; a longer one is let through as it comes
_CODE = 400  # of one statement, enough to see what it is
_SHOWN = 30

_TOKEN = re.compile(
    rb"""
    (?P<escaped> (?<![\w$\x80-\xff]) [eE]' )
  | (?P<quote> ' ) | (?P<name> " ) | (?P<remark> -- ) | (?P<block> /\* )
  | (?P<dollar> (?<![\w$\x80-\xff]) \$ (?: [A-Za-z_\x80-\xff][\w\x80-\xff]* )? \$ )
  | (?P<meta> \\ ) | (?P<end> ; )
    """,
    re.VERBOSE,
)
_ESCAPED_END = re.compile(rb"(?:[^'\\]++|\\.|'')*+'", re.DOTALL)
_ENDS = {"quote": b"'", "name": b'"', "block": b"*/"}
# One row in one line, of which there may be millions: nothing in it needs a closer look.
_ROW = re.compile(rb"INSERT INTO (?:[^'\"\\$;/-]++|-(?!-)|'[^'\\]*+')*+;\r?\n")
_GUARD = re.compile(rb"\\(?:un)?restrict \w+\s*")  # pg_dump's own bar to commands of psql
_CONNECT = re.compile(rb"\\c(?:onnect)?\b")
_COPY = re.compile(rb"COPY .* FROM STDIN\b", re.DOTALL)
_OLD_QUOTES = re.compile(rb"SET STANDARD_CONFORMING_STRINGS\s*(?:=|TO)\s*OFF")
_BEYOND = re.compile(
    rb"(?:CREATE|ALTER|DROP) (?:DATABASE|ROLE|USER(?! MAPPING)|GROUP|TABLESPACE)\b|ALTER SYSTEM\b"
)
_LEFT_OUT = re.compile(
    rb"(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES|(?:SET|RESET) SESSION AUTHORIZATION)\b"
    rb"|ALTER (?:.* )?OWNER TO\b|(?:CREATE|ALTER|COMMENT ON|SECURITY LABEL .*ON) SUBSCRIPTION\b"
    rb"|(?:COMMENT|SECURITY LABEL .*) ?ON DATABASE\b",
    re.DOTALL,
)


class Screen:
    """Takes the text piece by piece; `problem` says why it may not go on, empty when it may."""

    def __init__(self) -> None:
        """Begin at the first line."""
        self.problem = ""
        self.left_out = 0  # statements
        self._tail = b""
        self._rest: list[bytes] = []  # a line whose end has not come yet
        self._copying = False  # in the rows of a COPY
        self._open: bytes | None = None  # what ends the literal or remark that is open
        self._old_quotes = False
        self._code = bytearray()  # of the current statement, without literals and remarks
        self._held: list[bytes] = []  # lines of statements that have not ended yet
        self._size = 0
        self._keep = False  # something in the held lines is to be carried out

    def pass_on(self, piece: bytes) -> bytes:
        """Return what of the text so far may be read now; nothing more once there is a problem."""
        self._tail = (self._tail + piece)[-_TAIL:]
        self._rest.append(piece)
        if b"\n" not in piece:
            return b""
        whole = b"".join(self._rest)
        end = whole.rfind(b"\n") + 1
        self._rest = [whole[end:]]
        return b"".join(self._lines(whole[:end]))

    def finish(self) -> bytes:
        """Return what is left when the text has ended, and see whether that was its end."""
        found = b"".join(self._lines(b"".join(self._rest))) + b"".join(self._held)
        if not self.problem and COMPLETE not in self._tail:
            self.problem = "it is cut off: the last line of pg_dump is missing"
        return b"" if self.problem else found

    def _lines(self, text: bytes) -> list[bytes]:
        out: list[bytes] = []
        at = 0
        while at < len(text) and not self.problem:
            if self._copying:
                end = self._end_of_rows(text, at)
                out.append(text[at:end])
            else:
                end = text.find(b"\n", at) + 1 or len(text)
                line = text[at:end]
                if not self._held and _ROW.fullmatch(line):
                    out.append(line)
                else:
                    self._read(line)
                    out += self._released(line)
            at = end
        return [] if self.problem else out

    def _end_of_rows(self, text: bytes, at: int) -> int:
        """Return where the rows of a COPY end in the text: behind a backslash and a dot."""
        place = _dot(text, at)
        while place >= 0:
            end = text.find(b"\n", place) + 1 or len(text)
            if text[place:end].strip() == b"\\.":
                self._copying = False
                return end
            place = _dot(text, end)
        return len(text)

    def _released(self, line: bytes) -> list[bytes]:
        """Return the lines that are complete; those of a statement wait for its end."""
        self._held.append(line)
        self._size += len(line)
        inside = self._open is not None or bool(self._code.strip())
        if inside and self._size < _HELD:
            return []
        found = self._held
        if inside:  # too long to wait: its first words were looked at
            self._judge(ended=False)
            self._keep = True
        elif not self._keep:
            found = [_emptied(line) for line in self._held]
        if not inside:
            self._keep = False
        self._held, self._size = [], 0
        return found

    def _read(self, line: bytes) -> None:
        """Go through one line outside the rows of a COPY."""
        at = 0
        while True:
            if self._open is not None:
                at = self._closed(line, at)
                if self._open is not None:
                    return
            token = _TOKEN.search(line, at)
            if len(self._code) < _CODE:
                self._code += line[at : token.start() if token else len(line)]
            if token is None:
                return
            at = token.end()
            kind = token.lastgroup
            if kind == "remark":
                return
            if kind == "meta":
                self._command(line)
                return
            if kind == "end":
                self._judge(ended=True)
            else:
                self._begin(kind or "", token[0])

    def _begin(self, kind: str, token: bytes) -> None:
        if kind == "escaped" or (kind == "quote" and self._old_quotes):
            self._open = b"\\'"
        else:
            self._open = _ENDS.get(kind, token)

    def _closed(self, line: bytes, at: int) -> int:
        """Return where the open literal or remark ends in the line; it may not."""
        assert self._open is not None
        if self._open == b"\\'":
            found = _ESCAPED_END.match(line, at)
            end = found.end() if found else -1
        else:
            place = line.find(self._open, at)
            end = place + len(self._open) if place >= 0 else -1
        if end >= 0:
            self._open = None
            if len(self._code) < _CODE:
                self._code += b" "
        return end

    def _judge(self, *, ended: bool) -> None:
        """See what a statement is, by its first words."""
        words = b" ".join(bytes(self._code).split())
        code = words.upper()
        if _BEYOND.match(code):
            self.problem = (
                f"it changes more than the database it is read into (`{_text(words)}`); "
                "make it with pg_dump without `--create`, not with pg_dumpall"
            )
        elif _LEFT_OUT.match(code):
            self.left_out += ended
        else:
            self._keep = self._keep or bool(code)
        if _OLD_QUOTES.match(code):
            self._old_quotes = True
        if ended:
            self._copying = _COPY.match(code) is not None
            self._code.clear()

    def _command(self, line: bytes) -> None:
        """Look at a line with a command of psql."""
        said = line.strip()
        if _GUARD.fullmatch(said) and not self._code.strip():
            self._keep = True
            self._code.clear()
        elif _CONNECT.match(said):
            self.problem = (
                f"it connects to a database by itself (`{_text(said)}`), so it cannot be read into "
                "another one; make it with pg_dump without `--create`, not with pg_dumpall"
            )
        else:
            self.problem = (
                f"it holds a command of psql (`{_text(said)}`), which pg_dump does not write"
            )


def _dot(text: bytes, at: int) -> int:
    """Return where the next line begins that starts as an end of rows; `at` is such a start."""
    if at == 0 and text.startswith(b"\\."):
        return 0
    found = text.find(b"\n\\.", max(at - 1, 0))
    return found + 1 if found >= 0 else -1


def _emptied(line: bytes) -> bytes:
    return b"\n" if line.endswith(b"\n") else b""


def _text(said: bytes) -> str:
    text = said.decode(errors="replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
