"""Recognises commands that destroy what cannot be got back, whatever their label says."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from gonogo.plan.destructive import Loss, as_destructions, losses_in_sql, shortened
from gonogo.plan.destructive_tools import TOOLS
from gonogo.plan.kinds import Destruction
from gonogo.plan.shellcalls import Call, calls
from gonogo.plan.shellsyntax import split
from gonogo.plan.shellwords import Command, Script

_SQL_CLIENTS = {
    "psql": ("-c", "--command"),
    "pgcli": ("-c",),
    "mysql": ("-e", "--execute"),
    "mariadb": ("-e", "--execute"),
    "cockroach": ("-e", "--execute"),
    "clickhouse-client": ("-q", "--query"),
    "sqlcmd": ("-Q", "-q"),
    "sqlite3": (),
    "pg:psql": ("-c", "--command"),
}
_CLUSTER = re.compile(r"-[A-Za-z0-9]{2,}")
_BUILD_OUTPUTS = re.compile(
    r"(?:\./)?(?:[\w.@-]+/)*(?:node_modules|dist|build|out|target|\.next|\.nuxt|\.turbo|\.cache"
    r"|\.parcel-cache|__pycache__|\.pytest_cache|coverage|\.venv|venv)(?:/\*?)?"
)
_TEMPORARY = re.compile(  # S108 means files that we make; these are read in a runbook
    r"/tmp/\S+|/var/tmp/\S+|\$\{?(?:TMPDIR|TMP|TEMP|tmp|tmpdir)\b\S*"  # noqa: S108
)
_HARMLESS_SIGNALS = re.compile(r"-(?:s\s*)?(?:SIG)?(?:0|HUP|1|USR1|10|USR2|12|WINCH|28|CONT|18)$")
_DUMP = re.compile(
    r"(?:backup|dump|snapshot|restore)[^/]*\.(?:sql|gz|bz2|zst|dump|bak)", re.IGNORECASE
)
_SCRATCH = re.compile(r"scratch|restore_?test|test_?restore|verify|drill|rehears|_copy|_check|_tmp")
_REDIS = frozenset(("redis-cli", "valkey-cli", "keydb-cli"))


def in_shell(text: str) -> tuple[Destruction, ...]:
    """Return what a shell text destroys; places are relative to the text."""
    script = split(text)
    losses: list[Loss] = []
    for call in calls(script):
        losses += _of_call(call, script)
    losses += _overwritten_devices(script)
    return as_destructions(text, tuple(losses))


def _of_call(call: Call, script: Script) -> Iterator[Loss]:
    for sql in _sql_of(call):
        for loss in losses_in_sql(sql):
            yield Loss(loss.statement, loss.target, call.at, call.end)
    if not call.innermost or _is_trial(call):
        return
    rule = _RULES.get(call.name) or TOOLS.get(call.name)
    target = rule(call) if rule else None
    if target is not None:
        text = shortened(script.text[call.at : call.end])
        yield Loss(text, target or call.name, call.at, call.end)


def _is_trial(call: Call) -> bool:
    return any(arg.startswith("--dry-run") and not arg.endswith("=none") for arg in call.args)


def _sql_of(call: Call) -> Iterator[str]:
    """Yield the SQL that the call hands to a database client, in whatever way."""
    name = call.name
    if name == "heroku" and call.args[:1] == ("pg:psql",):
        name = "pg:psql"
    if name not in _SQL_CLIENTS:
        return
    options = _SQL_CLIENTS[name]
    for index, arg in enumerate(call.args):
        if index and _takes_sql(call.args[index - 1], options):
            yield arg
        for option in options:
            if arg.startswith(option + "=") or (len(option) == 2 and arg.startswith(option)):
                yield arg[len(option) :].lstrip("=")
    if name == "sqlite3":
        yield from call.plain()[1:]
    yield from _input_of(call)


def _takes_sql(arg: str, options: Collection[str]) -> bool:
    """Say whether SQL stands behind an argument: `-c`, `--command`, and `-c` last of `-tAc`."""
    return arg in options or (_CLUSTER.fullmatch(arg) is not None and f"-{arg[-1]}" in options)


def _input_of(call: Call) -> Iterator[str]:
    yield from call.command.documents
    for operator, word in call.command.redirects:
        if operator == "<<<":
            yield word.value
    if call.reads is not None:
        yield from _printed(call.reads)


def _printed(command: Command) -> Iterator[str]:
    """Yield what a command writes, where that can be seen: echo, printf, cat of a document."""
    values = [word.value for word in command.words]
    if values[:1] in (["echo"], ["printf"]):
        yield " ".join(v for v in values[1:] if v not in {"-e", "-n", "-en"}).replace("\\n", "\n")
    elif values[:1] == ["cat"]:
        yield from command.documents


def _remove(call: Call) -> str | None:
    targets = call.plain()
    if "xargs" in call.outer and not targets:
        return "files by pattern" if call.has("-r", "-R", "--recursive") else None
    everything = [t for t in targets if t in {"*", "./*", "/*", "~/*"} or t.endswith("/*")]
    if not call.has("-r", "-R", "--recursive") and not everything:
        return None
    lost = [
        target
        for target in targets
        if not (_BUILD_OUTPUTS.fullmatch(target) or _TEMPORARY.fullmatch(target))
    ]
    return " ".join(lost) or None


def _find(call: Call) -> str | None:
    removes = any(arg.rpartition("/")[2] in {"rm", "shred", "unlink"} for arg in call.args)
    if "-delete" not in call.args and not ("-exec" in call.args and removes):
        return None
    where = call.args[0] if call.args and not call.args[0].startswith("-") else "."
    return None if _TEMPORARY.fullmatch(where + "/x") else where


def _kill_by_pattern(call: Call) -> str | None:
    if any(_HARMLESS_SIGNALS.match(arg) for arg in call.args):
        return None
    if call.has("-l", "-V", "--version", "--help"):
        return None
    names = call.plain("-u -g -P -t -s -G -U --signal --euid")
    return " ".join(names) or "processes by pattern"


def _kill(call: Call) -> str | None:
    if any(_HARMLESS_SIGNALS.match(arg) for arg in call.args):
        return None
    for arg in call.args:
        match = re.search(r"(?:\$\(|`)\s*(pgrep|pidof|lsof|ps|fuser)\b([^)`|]*)", arg)
        if match:
            return f"{match[1]}{match[2]}".strip()
    reads = call.reads
    if "xargs" in call.outer and reads is not None and reads.words:
        source = reads.words[0].value
        return None if source in {"cat", "echo", "head", "tail"} else "processes by pattern"
    return None


def _redis(call: Call) -> str | None:
    texts = [" ".join(call.args), *_input_of(call)]
    match = re.search(r"\b(FLUSHDB|FLUSHALL)\b", "\n".join(texts), re.IGNORECASE)
    if match:
        number = call.value("-n")
        whole = match[1].upper() == "FLUSHALL"
        return "all databases" if whole else f"database {number or '0'}"
    words = {arg.upper() for arg in call.plain("-h -p -a -n -u --user --pass")[:1]}
    if "xargs" in call.outer and words & {"DEL", "UNLINK"}:
        return "keys by pattern"
    return None


def _dd(call: Call) -> str | None:
    for arg in call.args:
        if arg.startswith("of=/dev/") and arg[3:] not in {"/dev/null", "/dev/stdout"}:
            return arg[3:]
    return None


def _pg_restore(call: Call) -> str | None:
    if call.has("-l", "--list") or call.has("-f", "--file"):
        return None
    name = call.value("-d", "--dbname")
    cleans = call.has("-c", "--clean")
    if name is None and not cleans:
        return None
    if (name and _SCRATCH.search(name)) or (call.has("-C", "--create") and not cleans):
        return None
    return name or "the database"


def _load_dump(call: Call) -> str | None:
    """Recognise a backup that is loaded over live data."""
    files = [word.value for operator, word in call.command.redirects if operator == "<"]
    files += [call.value("-f", "--file") or ""]
    if call.reads is not None:
        files += [word.value for word in call.reads.words]
    if not any(_DUMP.search(file) for file in files):
        return None
    name = call.value("-d", "--dbname", "-D", "--database") or " ".join(call.plain("-h -p -U")[:1])
    return None if _SCRATCH.search(name) else name or "the database"


def _git(call: Call) -> str | None:
    words = [arg for arg in call.args if arg not in {"-C", "-c"}]
    verb = next((w for w in words if re.fullmatch(r"[a-z-]+", w) and w[0] != "-"), "")
    plain = [w for w in call.plain("-C -c -m -o") if w != verb]
    rules: dict[str, bool] = {
        "push": call.has("-f", "--force", "-d", "--delete", "--mirror")
        or any(w.startswith(("+", ":")) for w in plain),
        "reset": call.has("--hard"),
        "clean": call.has("-f", "--force") and not call.has("-n"),
        "branch": call.has("-D"),
        "stash": bool({"drop", "clear"} & set(plain)),
        "filter-branch": True,
    }
    return " ".join(plain) or f"git {verb}" if rules.get(verb) else None


def _named(*values: str) -> Callable[[Call], str | None]:
    """Return a rule for programs that destroy whatever they are given."""
    return lambda call: " ".join(call.plain(" ".join(values))) or call.name


def _overwritten_devices(script: Script) -> Iterator[Loss]:
    for command in script.commands:
        for operator, word in command.redirects:
            if operator in {">", ">>", ">|"} and re.match(r"/dev/(?:sd|nvme|vd|xvd)", word.value):
                text = shortened(script.text[command.at : word.end])
                yield Loss(text, word.value, command.at, word.end)


_RULES: Mapping[str, Callable[[Call], str | None]] = {
    "rm": _remove,
    "find": _find,
    "pkill": _kill_by_pattern,
    "killall": _kill_by_pattern,
    "skill": _kill_by_pattern,
    "kill": _kill,
    "fuser": lambda call: (" ".join(call.plain()) or None) if call.has("-k", "--kill") else None,
    **dict.fromkeys(_REDIS, _redis),
    "dd": _dd,
    "pg_restore": _pg_restore,
    "psql": _load_dump,
    "mysql": _load_dump,
    "mariadb": _load_dump,
    "git": _git,
    "shred": _named("-n", "-s"),
    "wipefs": lambda call: " ".join(call.plain()) if call.has("-a", "--all") else None,
    "dropdb": _named("-h", "-p", "-U", "-w", "--maintenance-db"),
    "dropuser": _named("-h", "-p", "-U"),
    "truncate": lambda call: " ".join(call.plain("-s -r --size --reference")) or None,
    "crontab": lambda call: "crontab" if call.has("-r") else None,
    "userdel": _named(),
    "lvremove": _named(),
    "vgremove": _named(),
    **{f"mkfs{kind}": _named("-t", "-L") for kind in ("", ".ext4", ".ext3", ".xfs", ".btrfs")},
}
