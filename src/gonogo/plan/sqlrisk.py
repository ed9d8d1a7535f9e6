"""What a risk of a SQL statement is, and what is known of the statements before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gonogo.plan.destructive_tree import Fresh


class Danger(StrEnum):
    """What kind of risk a statement is."""

    UNREADABLE = "unreadable"  # it does not parse
    LOST = "lost"  # data is gone, no way back but a backup
    REWRITE = "rewrite"  # the whole table is written anew while nobody can use it
    LOCK = "lock"  # the table is read or indexed while others wait
    SCAN = "scan"  # a constraint is checked on every row while others wait
    EMPTY = "empty"  # it fails where the table has rows
    PATIENCE = "patience"  # it waits for its lock without end, and everybody behind it
    TRANSACTION = "transaction"  # it cannot run inside the transaction that it is written in
    BROKEN = "broken"  # the release that still runs uses the old name


CODES = {  # the diagnostic of each
    Danger.UNREADABLE: "GN530",
    Danger.LOST: "GN531",
    Danger.REWRITE: "GN532",
    Danger.LOCK: "GN533",
    Danger.SCAN: "GN534",
    Danger.EMPTY: "GN535",
    Danger.PATIENCE: "GN536",
    Danger.TRANSACTION: "GN537",
    Danger.BROKEN: "GN542",
}


@dataclass(frozen=True, slots=True)
class Risk:
    """A finding about one statement, by offsets; `target` is what is lost or locked."""

    danger: Danger
    message: str
    hint: str
    at: int
    end: int
    target: str = ""


@dataclass(slots=True)
class Known:
    """What the statements before have made or proved; handed from file to file of a release."""

    fresh: Fresh = field(default_factory=Fresh)
    checks: dict[tuple[str, str], str] = field(default_factory=dict)  # (table, name) -> column
    never_null: set[str] = field(default_factory=set)  # table.column, proved by a valid check
    indexes: set[str] = field(default_factory=set)  # made here


@dataclass(frozen=True, slots=True)
class Setting:
    """How the text is sent."""

    in_transaction: bool = True
    has_lock_timeout: bool = False
