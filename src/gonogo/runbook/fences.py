"""The settings of a block: its info string, attributes of other tools, option comments, prompts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from gonogo.runbook.outline import Attribute, Option
from gonogo.source import Span

SHELLS = frozenset({"bash", "sh", "shell", "zsh", "ksh", "dash", "fish"})
CONSOLES = frozenset({"console", "shell-session", "shellsession", "sh-session", "terminal"})
_SQL = frozenset({"sql", "psql", "pgsql", "postgres", "postgresql", "plsql", "lua", "haskell"})
_SLASH_NAMES = """
    c c++ cpp cs csharp dart go java javascript js json5 jsonc jsx kotlin php rust scala swift ts
    tsx typescript
"""
_SLASHES = frozenset(_SLASH_NAMES.split())


@dataclass(frozen=True, slots=True)
class Info:
    """An info string, taken apart."""

    language: str
    words: tuple[str, ...]
    attributes: tuple[Attribute, ...]


_BRACES = re.compile(r"\{([^}]*)(\}?)")
_PANDOC = re.compile(r"\s*\.([\w+#-]+)|\s*#([\w:.-]+)|\s*([\w-]+)=(\"[^\"]*\"|\S+)")
_TAGGED = re.compile(r"(?P<language>[A-Za-z][\w+-]+)#(?P<tag>[A-Za-z][\w-]*)$")


def read_info(info: str, line: int, column: int) -> Info:
    """Take an info string apart; `line` and `column` tell where its first character stands.

    The language is the first word, in lower case. Attributes run from the first brace to the
    first closing one, as Runme reads them; `{.bash #id}` and `{python}` name the language in the
    braces.
    """
    braces = _BRACES.search(info)
    plain = info if braces is None else f"{info[: braces.start()]} {info[braces.end() :]}"
    words = plain.split()
    attributes: tuple[Attribute, ...] = ()
    if braces is not None:
        inside = braces.start(1)
        if info[: braces.start()].strip():
            attributes = _attributes(braces, line, column + inside)
        else:
            named, attributes = _named(braces[1], line, column + inside)
            words.insert(0, named)
    language = words[0] if words else ""
    tagged = _TAGGED.match(language)
    if tagged is not None:
        language = tagged["language"]
        words.insert(1, f"#{tagged['tag']}")
    return Info(language.lower(), tuple(words[1:]), attributes)


def _named(inside: str, line: int, column: int) -> tuple[str, tuple[Attribute, ...]]:
    """Read the Pandoc and Quarto forms, where the language stands in the braces."""
    if not inside.lstrip().startswith((".", "#")) and "=" not in inside.split(" ", 1)[0]:
        first, _, rest = inside.strip().partition(" ")
        found = tuple(_pairs(rest, line, column + inside.find(rest)) if rest.strip() else ())
        return first.rstrip(","), found
    language = ""
    attributes = []
    for token in _PANDOC.finditer(inside):
        place = Span.of_line(line, column + token.start(), len(token[0]))
        if token[1]:
            language = language or token[1]
        elif token[2]:
            attributes.append(Attribute("id", token[2], place))
        else:
            attributes.append(Attribute(token[3], token[4].strip('"'), place))
    return language, tuple(attributes)


def _attributes(braces: re.Match[str], line: int, column: int) -> tuple[Attribute, ...]:
    """Read attributes as Runme does: as JSON, else as pairs between single spaces."""
    text = braces[1]
    whole = Span.of_line(line, column, len(text))
    if not braces[2]:
        return (Attribute(None, text.strip(), whole),)
    try:
        value = json.loads("{" + text + "}")
    except (ValueError, RecursionError):
        return tuple(_pairs(text, line, column))
    return tuple(
        Attribute(key, one if isinstance(one, str) else json.dumps(one), whole)
        for key, one in value.items()
    )


def _pairs(text: str, line: int, column: int) -> list[Attribute]:
    found = []
    for token in re.finditer(r"[^ ]+", text):
        place = Span.of_line(line, column + token.start(), len(token[0]))
        key, equals, value = token[0].strip(",").partition("=")
        named = bool(equals) and bool(re.fullmatch(r"[A-Za-z][\w.-]*", key))
        found.append(Attribute(key, value, place) if named else Attribute(None, token[0], place))
    return found


@dataclass(frozen=True, slots=True)
class Options:
    """The option comments of a body and what is left of it, with as many lines."""

    options: tuple[Option, ...]
    rest: str


_OPTION = re.compile(r"(?P<indent>[ \t]*)(?P<sign>#|--|//)\|[ \t]?(?P<text>.*)$")
_KEY_VALUE = re.compile(r"\s*(?P<key>[A-Za-z][\w-]*(?: [\w-]+){0,2})\s*:(?=\s|$)\s*(?P<value>.*)$")


def option_sign(language: str) -> str:
    """Return the comment sign with which options begin in this language: `#`, `--` or `//`."""
    if language in _SQL:
        return "--"
    return "//" if language in _SLASHES else "#"


def read_options(body: str, language: str, first_line: int, offsets: tuple[int, ...]) -> Options:
    """Take the option comments off the top of a body (a `#!` line may stand before them).

    `first_line` is the source line of the body's first line, `offsets` the characters before each
    body line. An option that cannot be read is kept with `key` None and the reason.
    """
    lines = body.split("\n")
    options: list[Option] = []
    for row, text in enumerate(lines):
        if row == 0 and text.startswith("#!"):
            continue
        found = _OPTION.match(text)
        if found is None:
            break
        column = (offsets[row] if row < len(offsets) else 0) + 1
        options.append(_option(found, language, first_line + row, column))
        lines[row] = ""
    return Options(tuple(options), "\n".join(lines))


def _option(found: re.Match[str], language: str, line: int, column: int) -> Option:
    begin = found.start("sign")
    text = found["text"]
    whole = Span.of_line(line, column + begin, len(found[0].rstrip()) - begin)
    pair = _KEY_VALUE.match(text)
    sign = option_sign(language)
    if language and found["sign"] != sign:
        problem = f"an option in a `{language}` block begins with `{sign}|`"
        return Option(None, text.strip(), whole, whole, problem)
    if pair is None:
        return Option(None, text.strip(), whole, whole, "an option reads `key: value`")
    at = column + found.start("text") + pair.start("value")
    value = pair["value"].rstrip()
    return Option(pair["key"], value, whole, Span.of_line(line, at, len(value)))


@dataclass(frozen=True, slots=True)
class Prompted:
    """A body with prompts, as a script with as many lines; `outputs` are the rows left empty."""

    script: str
    outputs: tuple[int, ...]


def without_prompts(body: str, language: str) -> Prompted | None:
    """Take `$ ` off the commands of a terminal session; None when it is a plain script.

    Lines behind a backslash or behind `> ` belong to their command, comments stay, and any other
    line is output of the terminal: it is left out and its row (from 0) is told.
    """
    if language not in SHELLS | CONSOLES:
        return None
    lines = body.split("\n")
    first = next((t.strip() for t in lines if t.strip() and not t.lstrip().startswith("#")), "")
    if not first.startswith("$ "):
        return None
    outputs = []
    goes_on = False
    for row, text in enumerate(lines):
        bare = text.lstrip()
        if bare.startswith("$ "):
            lines[row] = bare[2:]
        elif goes_on:
            lines[row] = bare[2:] if bare.startswith("> ") else text
        elif bare and not bare.startswith("#"):
            lines[row] = ""
            outputs.append(row)
        goes_on = lines[row].endswith("\\")
    return Prompted("\n".join(lines), tuple(outputs))
