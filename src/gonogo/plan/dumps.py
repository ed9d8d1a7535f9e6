"""Which blocks keep a copy of data, and which losses such a copy could make good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gonogo.plan.kinds import Destruction, Scripted
from gonogo.plan.model import Block
from gonogo.plan.shellcalls import Call
from gonogo.plan.shellscript import Reading

_KEEPING_KINDS = frozenset({"backup", "restore"})  # a restore keeps what it replaces by itself
_TOOLS = frozenset(
    """pg_dump pg_dumpall pg_basebackup pgbackrest wal-g barman mysqldump mariadb-dump mongodump
    restic borg duplicity""".split()  # noqa: SIM905
)
_SQL_TOOLS = _TOOLS - {"mongodump", "restic", "borg", "duplicity"}
_COPIES = frozenset(("cp", "rsync", "rclone", "tar", "zip"))  # when a name says what it is for
_BACKUP = re.compile(r"backup|dump|snapshot|\.bak\b", re.IGNORECASE)
_REDIS = frozenset(("redis-cli", "valkey-cli", "keydb-cli"))
_OPENS = re.compile(r"-?[a-zA-Z]*[xt]|.*--(?:extract|list|get)\b")
_BY_WORDS = re.compile(
    r"\b(?:supabase db dump|pg:backups:capture|create-(?:db-)?snapshot|snapshot create|backups? "
    r"(?:create|run|take)|(?:create|take|make)-?_?backup)\b|(?:^|/)(?:backup|dump|snapshot)[\w-]*(?:\.\w+)?$",
    re.IGNORECASE,
)
_NO_DATA = re.compile(
    r"^(?:\S*/)?(?:kill|pkill|killall|fuser|skill|git|terraform|tofu|pulumi|helm|systemctl|reboot|"
    r"shutdown|poweroff|halt|init)\b"
)
_SQL_VERBS = re.compile(
    r"(?:DROP|TRUNCATE|DELETE\s+FROM|UPDATE|ALTER|WITH|DO|EXPLAIN|COPY|PREPARE)\b", re.IGNORECASE
)
_FILE_VERBS = re.compile(r"(?:\S*/)?(?:rm|find|shred|unlink|truncate|rsync)\b")
_FLUSHES = re.compile(r"\b(?:FLUSHDB|FLUSHALL|redis-cli|valkey-cli|keydb-cli)\b", re.IGNORECASE)
_NAME = re.compile(r"[\w-]+")
_NO_ROWS = ("--schema-only", "-s")


class Matter(StrEnum):
    """What a copy holds, or a statement destroys."""

    SQL = "a database"
    CACHE = "a cache"
    FILES = "files"
    UNKNOWN = "something"  # what cannot be told apart is given the benefit of the doubt


@dataclass(frozen=True, slots=True)
class Copy:
    """What one block keeps a copy of, as far as its own words tell."""

    matter: Matter
    on: str = ""  # the target; empty: it cannot be said
    parts: tuple[str, ...] = ()  # only these tables
    schemas: tuple[str, ...] = ()  # only these schemas

    def _is_elsewhere(self, on: str) -> bool:
        """Say whether both name a target, and not the same one; addresses are not compared."""
        named = _NAME.fullmatch(self.on) and _NAME.fullmatch(on)
        return bool(named) and self.on != on and self.matter is not Matter.FILES

    def misses(self, loss: Destruction, on: str) -> str:
        """Return why it cannot hold what is lost on a target; empty when it may."""
        lost = _matter_of(loss)
        if Matter.UNKNOWN not in {self.matter, lost} and lost is not self.matter:
            return f"is of {self.matter.value}"
        if self._is_elsewhere(on):
            return f"is of `{self.on}`"
        if lost is Matter.SQL and self.parts and not _all_among(loss.target, self.parts):
            return f"holds only {', '.join(self.parts)}"
        if lost is Matter.SQL and self.schemas and not _all_within(loss.target, self.schemas):
            return f"holds only schema {', '.join(self.schemas)}"
        return ""


def keeps_data(block: Block) -> bool:
    """Say whether a block makes a copy of data: by its kind, else by the programs that it calls."""
    return bool(copies(block))


def copies(block: Block) -> tuple[Copy, ...]:
    """Return what a block makes copies of."""
    if block.kind in _KEEPING_KINDS:
        return (_declared(block),)
    if not isinstance(block.work, Scripted) or block.work.interpreter:
        return ()
    return tuple(_called(Reading(block.work.script()).calls))


def _declared(block: Block) -> Copy:
    """Read the fields of a kind that keeps copies; this room does not know the kinds themselves."""
    if getattr(block.work, "path", ""):
        return Copy(Matter.FILES)
    parts = tuple(getattr(block.work, "tables", ()))
    schemas = tuple(getattr(block.work, "schemas", ()))
    matter = Matter.SQL if parts or schemas else Matter.UNKNOWN  # else `on` may be a cache
    return Copy(matter, getattr(block.work, "on", ""), parts, schemas)


def _called(calls: tuple[Call, ...]) -> Iterator[Copy]:
    for call in calls:
        if not _keeps(call):
            continue
        if call.name == "pg_dump" and call.has(*_NO_ROWS):
            continue  # no row is in it
        if call.name in _SQL_TOOLS:
            table = call.value("-t", "--table") if call.name == "pg_dump" else None
            yield Copy(Matter.SQL, parts=(table,) if table else ())
        elif call.name in _REDIS:
            yield Copy(Matter.CACHE)
        else:
            yield Copy(Matter.FILES if call.name in _COPIES else Matter.UNKNOWN)


def _matter_of(loss: Destruction) -> Matter:
    statement = loss.statement.strip()
    if _SQL_VERBS.match(statement):
        return Matter.SQL
    if _FLUSHES.search(statement):
        return Matter.CACHE
    return Matter.FILES if _FILE_VERBS.match(statement) else Matter.UNKNOWN


def _all_among(target: str, parts: tuple[str, ...]) -> bool:
    """Say whether each of the lost tables (or their columns) is one of the parts."""
    return all(any(_is_of(name.strip(), part) for part in parts) for name in target.split(","))


def _is_of(lost: str, part: str) -> bool:
    if set(part) & set("*?$"):
        return True
    words, table = lost.lower().split("."), part.lower().rpartition(".")[2]
    return table in words


def _all_within(target: str, schemas: tuple[str, ...]) -> bool:
    known = {schema.lower() for schema in schemas}
    names = [name.strip().lower().split(".") for name in target.split(",")]
    return all(len(name) == 1 or name[0] in known for name in names)


def is_loss_of_data(statement: str) -> bool:
    """Say whether a copy could bring back what a statement destroys; not so for a process."""
    return _NO_DATA.match(statement.strip()) is None


def _keeps(call: Call) -> bool:
    if call.name in _TOOLS:
        return True
    if call.name in _COPIES:
        opens = call.name == "tar" and _OPENS.match(" ".join(call.args)) is not None
        return not opens and any(_BACKUP.search(word) for word in call.args[-2:])
    if call.name in _REDIS:
        words = {word.upper() for word in call.args}
        return bool(words & {"BGSAVE", "SAVE", "--RDB"})
    return _BY_WORDS.search(" ".join((call.name, *call.args))) is not None
