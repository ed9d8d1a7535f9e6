"""Tells a shell text from what is not one: prose, JavaScript, a URL, JSON, a prompt, SQL."""

from __future__ import annotations

import re

from gonogo.plan.shellwords import Command, Script

Judgement = tuple[str, str, tuple[int, int]]  # message, hint, offsets

_VERBS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))
_SQL = frozenset(
    "SELECT INSERT UPDATE DELETE CREATE ALTER DROP TRUNCATE WITH GRANT REVOKE VACUUM".split()  # noqa: SIM905
)
_SCRIPT = re.compile(
    r"(?:const|let|var)\s+[\w${\[]|import\s+(?:[\w*{]|['\"]).*\bfrom\b|import\s+['\"]"
    r"|export\s+(?:const|default|function|async|class)\b|await\s+\w|async\s+function"
    r"|console\.\w+\(|function\s*\w*\s*\([\w,\s]*\)\s*\{|(?:from\s+[\w.]+\s+)import\s+\w+\s*$"
    r"|require\(|document\.|window\.|def\s+\w+\(|class\s+[A-Z]\w+"
)
_PROSE = re.compile(r"[A-Z][a-z]+[,:]?$")
_BULLET = re.compile(r"(?:[-*•→►✅❌☐☑⚠]\ufe0f?|\d+[.)])$")
_CRON = re.compile(r"[\d*/,-]+(?:[ \t]+[\d*/,\-]+){4}[ \t]+\S")
_CONFIG = re.compile(r"\[[A-Za-z][\w .:-]*\]$|/[\w./*-]+$")
_LATER_PROSE = re.compile(r"(?:[a-z]+|[A-Z][a-z]+|[>→&])[.,:;]?$")


def judge(script: Script) -> Judgement | None:
    """Return why a text is no shell script, or None; judged on the first words of its commands."""
    code = script.code
    stripped = code.strip()
    start = len(code) - len(code.lstrip())
    if re.match(r"\{\s*\"|\[\s*[{\"]", stripped) or re.match(r"\{\s*\}$", stripped):
        return _say("JSON", "name the language of the fence `json`", start, start + 1)
    if stripped.startswith("<") and re.match(r"<[!?A-Za-z][^>\n]*>", stripped):
        return _say("markup", "name the language of the fence `html` or `xml`", start, start + 1)
    for command in script.commands:
        if command.level == 0 and not command.lead and command.words:
            found = _foreign(command, script)
            if found is not None:
                return found
    return None


def _say(what: str, hint: str, start: int, end: int) -> Judgement:
    return f"this is {what}, not a shell command", hint, (start, end)


def _foreign(command: Command, script: Script) -> Judgement | None:
    first = command.words[0]
    word = first.text
    at = first.at, command.words[-1].end
    line = script.text[first.at : first.at + 200].partition("\n")[0]
    if word in script.functions:
        return None
    if word in {"$", ">>>", "❯", "%"} or (word == ">" and len(command.words) > 1):
        message = f"the prompt `{word}` would be run as a command"
        return message, "leave it out, or name the language of the fence `console`", at
    following = command.words[1].value if len(command.words) > 1 else ""
    if word in _VERBS and following.startswith(("/", "http", "{{", "$")):
        return _say("an HTTP request", "name the language of the fence `http`", *at)
    if re.match(r"https?://", word):
        return _say("a URL", "use an http block: `GET` and the URL", *at)
    if word in _SQL and following and not following.startswith("-"):
        return _say("SQL", "name the language of the fence `sql`", *at)
    if word.startswith("//") or _SCRIPT.match(line):
        return _say("code of another language", "name its language, or run it: `node -e '…'`", *at)
    if _CRON.match(line):
        hint = "install it with a command, or make it a manual step"
        return _say("a line of a crontab", hint, *at)
    return _words(command, line, at)


def _words(command: Command, line: str, at: tuple[int, int]) -> Judgement | None:
    word = command.words[0].text
    values = [w.text for w in command.words[1:]]
    if _CONFIG.match(word) and (values == ["{"] or (word[0] == "[" and not values)):
        return _say("a configuration file", "write it to a file with a command", *at)
    if re.fullmatch(r"[\w.-]+:", word) and not word.startswith(":"):
        return _say("configuration or prose", "name its language, or make it a manual step", *at)
    prose = "make it a manual step: write it as the step's text, without a fence"
    if _BULLET.match(word):
        return _say("a list", prose, *at)
    plain = [v for v in values if _LATER_PROSE.match(v)]
    if _PROSE.match(word) and values and len(plain) * 2 >= len(values) and "=" not in line:
        return _say("prose", prose, *at)
    return None
