"""Recognises commands that destroy what cannot be got back, whatever their label says."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from shlex import quote

from gonogo.plan.destructive import losses_in_sql
from gonogo.plan.destructive_loss import LONGEST, Loss, as_destructions
from gonogo.plan.destructive_tools import TOOLS
from gonogo.plan.kinds import Destruction
from gonogo.plan.shellcalls import Call, calls
from gonogo.plan.shellfilled import filled, fillings
from gonogo.plan.shellsyntax import split
from gonogo.plan.shellwords import Command, Script
from gonogo.source import shortened

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
    r"|tmp/cache|\.tmp|\.parcel-cache|__pycache__|\.pytest_cache|coverage|\.venv|venv)(?:/\*?)?"
)
_TEMPORARY = re.compile(  # S108 means files that we make; these are read in a runbook
    r"/tmp/\S+|/var/tmp/\S+|\$\(mktemp\b[^)]*\)\S*|\$\{?(?:TMPDIR|TMP|TEMP|tmp|tmpdir)\b\S*"  # noqa: S108
)
_HARMLESS_SIGNALS = re.compile(r"-(?:s\s*)?(?:SIG)?(?:0|HUP|1|USR1|10|USR2|12|WINCH|28|CONT|18)$")
_DUMP = re.compile(
    r"(?:backup|dump|snapshot|restore)[^/]*\.(?:sql|gz|bz2|zst|dump|bak)", re.IGNORECASE
)
_SCRATCH = re.compile(r"scratch|restore_?test|test_?restore|verify|drill|rehears|_copy|_check|_tmp")
_DATA_FILE = re.compile(r"\.(?:db|sqlite3?|rdb|aof|mdb|ibd)$", re.IGNORECASE)
_BUILT_NAMES = re.compile(
    r"\*\.(?:py[co]|o|class|tmp|swp|orig)|__pycache__|\.DS_Store|node_modules"
)
_OF_DB = re.compile(r"(?:\S*/)?(?:dropdb|pg_restore|psql)\b|DROP\s+DATABASE\b", re.IGNORECASE)
_DOCUMENT = re.compile(
    r"\$\(\s*cat\s*<<-?\s*['\"\\]?(?P<end>\w+)['\"]?[^\n]*\n(?P<body>.*?)\n\s*(?P=end)\b", re.DOTALL
)
_CODE: Mapping[str, tuple[str, ...]] = {  # interpreter -> options behind which its code stands
    **dict.fromkeys(("python", "python3"), ("-c",)),
    **dict.fromkeys(("node", "ruby", "perl"), ("-e",)),
    **dict.fromkeys(("rails", "bin/rails"), ()),
}
_DELETES = re.compile(
    r"\b(?P<model>[A-Z][\w:]*)\.(?:delete_all|destroy_all)\b|\brmtree\(|\brmSync\(|\brm_rf\b"
    r"|\b(?:flushdb|flushall)\(|\bdropDatabase\(|\bQueue\.new[^;\n]*\.clear\b|\bdrop_table\b"
    r"|\bunlink\s+glob\b"
)
_FLUSH = re.compile(r"\b(FLUSHDB|FLUSHALL)\b", re.IGNORECASE)
_SCRIPTED_DEL = re.compile(r"call\(\s*['\"](?:del|unlink)['\"]", re.IGNORECASE)
_READS = re.compile(r"(?i:get|help|command|config|exists|type|ttl|echo|acl)")
_REDIS_VALUES = "-h -p -a -n -u -s -i --user --pass"
_REDIS = frozenset(("redis-cli", "valkey-cli", "keydb-cli"))


def in_shell(text: str) -> tuple[Destruction, ...]:
    """Return what a shell text destroys; places are relative to the text."""
    script = split(text)
    losses: list[Loss] = []
    for values in fillings(script):
        for call in calls(script):
            losses += _of_variable(call, script, values)
            args = tuple(filled(arg, values) for arg in call.args)
            losses += _of_call(replace(call, args=args), script, values)
    losses += _overwritten(script)
    return as_destructions(text, _not_made_here(losses, script))


def _of_variable(call: Call, script: Script, values: Mapping[str, str]) -> Iterator[Loss]:
    """Look into a command that is kept in a variable: `RM="rm -rf"; $RM data`."""
    if not call.name.startswith("$"):
        return
    first = filled(call.name, values)
    if first == call.name:
        return
    for inner in calls(split(" ".join((first, *map(quote, call.args))))):
        yield from _of_call(replace(inner, at=call.at, end=call.end), script, values)


def _not_made_here(losses: Iterable[Loss], script: Script) -> tuple[Loss, ...]:
    """Leave out databases that the same text has created before."""
    made = {
        name: call.at
        for call in calls(script)
        if call.name == "createdb" and (name := (call.plain("-h -p -U -O -T -E -l -D") or ("",))[0])
    }
    return tuple(
        loss
        for loss in losses
        if not (
            loss.target in made and made[loss.target] < loss.at and _OF_DB.match(loss.statement)
        )
    )


def _of_call(call: Call, script: Script, values: Mapping[str, str]) -> Iterator[Loss]:
    for sql in (filled(sql, values) for sql in _sql_of(call)):
        for loss in losses_in_sql(sql):
            yield Loss(loss.statement, loss.target, call.at, call.end)
    if not call.innermost or _is_trial(call):
        return
    yield from _by_code(call, script)
    rule = _RULES.get(call.name) or TOOLS.get(call.name)
    target = rule(call) if rule else None
    if target is not None:
        text = shortened(script.text[call.at : call.end], LONGEST)
        yield Loss(text, target or call.name, call.at, call.end)


def _is_trial(call: Call) -> bool:
    """Say whether it only shows what it would do, or how it is called."""
    said = {*call.args[:2], *call.args[-1:]}
    if {"--help", "--version", "--dryrun"} & said or call.args[:1] == ("-V",):
        return True
    return any(arg.startswith("--dry-run") and not arg.endswith("=none") for arg in call.args)


def _by_code(call: Call, script: Script) -> Iterator[Loss]:
    """Recognise the usual words by which code that is handed to an interpreter deletes."""
    options = _CODE.get(call.name)
    if options is None:
        return
    texts = (
        [call.value(*options) or "", *_input_of(call)]
        if options
        else [*call.args, *_input_of(call)]
    )
    match = next((m for text in texts if (m := _DELETES.search(text))), None)
    if match is not None:
        target = match["model"] or match[0].rstrip("(")
        yield Loss(shortened(script.text[call.at : call.end], LONGEST), target, call.at, call.end)


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
    for arg in call.args:
        for match in _DOCUMENT.finditer(arg):
            yield match["body"]
        if arg.startswith("<("):
            for command in split(arg[2:].removesuffix(")")).commands:
                yield from _printed(command)
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
    if {"xargs", "parallel"} & set(call.outer) and not targets:
        return "files by pattern"
    everything = [t for t in targets if t.endswith("/*") or t == "*" or _DATA_FILE.search(t)]
    if not call.has("-r", "-R", "--recursive") and not everything:
        return None
    lost = [
        target
        for target in targets
        if not (_BUILD_OUTPUTS.fullmatch(target) or _TEMPORARY.fullmatch(target))
    ]
    return " ".join(lost) or None


def _emptied(words: tuple[str, ...]) -> str | None:
    """Recognise `cp /dev/null app.db`."""
    empties = words[:1] == ("/dev/null",) and _DATA_FILE.search(words[-1])
    return words[-1] if empties else None


def _find(call: Call) -> str | None:
    removes = any(arg.rpartition("/")[2] in {"rm", "shred", "unlink"} for arg in call.args)
    if "-delete" not in call.args and not ("-exec" in call.args and removes):
        return None
    where = call.args[0] if call.args and not call.args[0].startswith("-") else "."
    name = call.value("-name", "-iname")
    if name is not None and _BUILT_NAMES.fullmatch(name):
        return None
    return None if _TEMPORARY.fullmatch(where + "/x") else where


def _kill_by_pattern(call: Call) -> str | None:
    if any(_HARMLESS_SIGNALS.match(arg) for arg in call.args):
        return None
    if call.has("-l", "-V", "--version", "--help"):
        return None
    names = call.plain("-u -g -P -t -s -G -U --signal --euid")
    return " ".join(names) or "processes by pattern"


def _kill(call: Call) -> str | None:
    if call.args[1:] and call.args[-1] == "-1":
        return "every process"
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
    words = call.plain(_REDIS_VALUES)
    texts = [" ".join(words), *_input_of(call)]
    match = None if _READS.fullmatch((words or ("",))[0]) else _FLUSH.search("\n".join(texts))
    if match:
        whole = match[1].upper() == "FLUSHALL"
        return "all databases" if whole else _redis_database(call)
    verbs = {arg.upper() for arg in words[:1]}
    if "EVAL" in verbs and _SCRIPTED_DEL.search(" ".join(call.args)):
        return "keys by pattern"
    if "xargs" in call.outer and verbs & {"DEL", "UNLINK"}:
        return "keys by pattern"
    return None


def _redis_database(call: Call) -> str:
    """Name the database that is emptied: by its number, else by the address that has it."""
    number, address = call.value("-n"), call.value("-u")
    if number is None and address and "@" not in address:
        last = address.rpartition("/")[2]
        return f"database {last}" if last.isdigit() else f"database of {address}"
    return f"database {number or '0'}"


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
        "push": not call.has("-n")
        and (
            call.has("-f", "--force", "--force-with-lease", "-d", "--delete", "--mirror")
            or any(w.startswith(("+", ":")) for w in plain)
        ),
        "reset": call.has("--hard"),
        "clean": call.has("-f", "--force") and not call.has("-n"),
        "branch": call.has("-D"),
        "stash": bool({"drop", "clear"} & set(plain)),
        "filter-branch": True,
        "checkout": any(arg in {".", "--"} for arg in call.args),
        "restore": bool(plain) and not (call.has("--staged", "-S") and not call.has("-W")),
        "reflog": "expire" in plain,
        "update-ref": call.has("-d"),
    }
    return " ".join(plain) or f"git {verb}" if rules.get(verb) else None


def _named(*values: str) -> Callable[[Call], str | None]:
    """Return a rule for programs that destroy whatever they are given."""
    return lambda call: " ".join(call.plain(" ".join(values))) or call.name


def _overwritten(script: Script) -> Iterator[Loss]:
    """Find devices that are written to, and files of data that are emptied: `: > app.db`."""
    for command in script.commands:
        silent = [word.value for word in command.words] in ([], [":"], ["true"])
        for operator, word in command.redirects:
            device = re.match(r"/dev/(?:sd|nvme|vd|xvd)", word.value)
            emptied = operator == ">" and silent and _DATA_FILE.search(word.value)
            if operator in {">", ">>", ">|"} and (device or emptied):
                text = shortened(script.text[command.at : word.end], LONGEST)
                yield Loss(text, word.value, command.at, word.end)


_RULES: Mapping[str, Callable[[Call], str | None]] = {
    "rm": _remove,
    "unlink": _remove,
    "cp": lambda call: _emptied(call.plain()),
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
