"""Which blocks keep a copy of data, and which losses such a copy could make good."""

from __future__ import annotations

import re

from gonogo.plan.kinds import Scripted
from gonogo.plan.model import Block
from gonogo.plan.shellcalls import Call
from gonogo.plan.shellscript import Reading

_KEEPING_KINDS = frozenset({"backup", "restore"})  # a restore keeps what it replaces by itself
_TOOLS = frozenset(
    """pg_dump pg_dumpall pg_basebackup pgbackrest wal-g barman mysqldump mariadb-dump mongodump
    restic borg duplicity""".split()  # noqa: SIM905
)
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


def keeps_data(block: Block) -> bool:
    """Say whether a block makes a copy of data: by its kind, else by the programs that it calls."""
    if block.kind in _KEEPING_KINDS:
        return True
    if not isinstance(block.work, Scripted) or block.work.interpreter:
        return False
    return any(_keeps(call) for call in Reading(block.work.script()).calls)


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
