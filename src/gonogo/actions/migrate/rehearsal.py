"""Rehearses what is pending on a copy: up, down, up, and what the way down did not put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from gonogo.actions.migrate.common import Migrating, took
from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic, WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Datum, Looks, Observation
from gonogo.plan.said import says
from gonogo.plan.units import Quantity

if TYPE_CHECKING:
    from gonogo.actions.migrate.database import Database
    from gonogo.actions.migrate.schema import Snapshot
    from gonogo.actions.migrate.series import Series

_clock = SystemClock()
_TABLES = {  # in which each tool keeps what is applied
    "alembic": "alembic_version",
    "django": "django_migrations",
    "flyway": "flyway_schema_history",
    "prisma": "_prisma_migrations",
    "supabase": "supabase_migrations.schema_migrations",
}
_MOST = 10  # differences that are told


@dataclass(slots=True)
class _Seen:
    """What the three ways showed."""

    names: tuple[str, ...] = ()
    times: dict[str, Quantity] = field(default_factory=dict)
    after_down: tuple[str, ...] = ()
    after_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal(Migrating, Looks):
    """Apply what is pending on a copy, take it back, apply it again, and compare the schema.

    The copy is a scratch database on the same server, made from this run's backup or from the
    schema alone; it is dropped in any case. The database itself is only read.
    """

    kind: ClassVar[str] = "migration-rehearsal"
    indicators: ClassVar[Mapping[str, str]] = {
        "complete": "true when both ways worked and the schema was the same; null: none is pending",
        "migrations": "how many were rehearsed",
        "same after down": "true when the way down put the schema back as it was",
        "same after up": "true when the second way up gave the same schema; absent: not tried",
        "differences": "how many parts of the schema were not the same",
        "up time": "how long the first way up took (s)",
        "down time": "how long the way down took (s)",
        "second up time": "how long the second way up took (s)",
        "copied": "what the copy was made from",
        "duration": "how long it all took, with the copy (s)",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: migration-rehearsal\non: db\nfolder: migrations\n```\n\n"
        "- Expect: complete is true\n- Expect: down time < 1m\n"
    )
    expects: ClassVar[str | None] = "complete is true"

    copy: Literal["auto", "backup", "schema", "template"] = says(
        "what it is tried on: this run's backup restored, the schema alone, or a copy of the "
        "database made by the server (nobody may be connected); `auto`: the backup if there is one",
        default="auto",
    )
    variable: str = says(
        "the variable in which a tool finds its database; on the copy it holds the copy's address",
        default="DATABASE_URL",
    )
    tools: str = says("the folder of pg_dump and pg_restore; without it PATH is searched")

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what does not go together; without a way down there is nothing to rehearse."""
        return (*self.mistakes(), *self.one_way())

    def describe(self) -> str:
        """Return what is rehearsed."""
        return f"up, down, up on a copy of {filling.shown(self.on)}"

    def perform(self, context: Context) -> Observation:
        """Make the copy and go up, down and up again.

        Raises:
            WorkError: no copy can be made, or one of the ways failed.
        """
        from gonogo.actions.migrate.copy import Wish, copied
        from gonogo.actions.migrate.database import Database
        from gonogo.actions.migrate.opening import opened

        began = _clock.monotonic()
        address = filling.target(self.on, context)
        with opened(self.settings(), context) as (series, _):
            waiting = series.state().pending
        if not waiting:
            text = "nothing is pending, so nothing was rehearsed"
            return Observation({"complete": None, "migrations": 0}, text=text)
        wish = Wish(self.copy, _TABLES.get(self.tool, self.table), self.tools)
        with (
            Database(address, filling.shown(self.on), context) as database,
            copied(database, wish, context) as (copy, made_from),
        ):
            there = replace(
                context,
                targets={**context.targets, self.on: copy},
                variables={**context.variables, self.variable: copy},
                folder=context.folder / "copy",
                run_folder=context.folder / "copy-run",
            )
            seen = self._ways(copy, there)
        return _observation(seen, made_from, context, began)

    def _ways(self, copy: str, context: Context) -> _Seen:
        from gonogo.actions.migrate.database import Database
        from gonogo.actions.migrate.opening import opened

        seen = _Seen()
        settings = replace(self.settings(), on=self.on if self.on in context.targets else copy)
        with (
            Database(copy, "the copy", context) as database,
            opened(settings, context) as (series, identity),
        ):
            self._up_down_up(series, database, identity, (context, seen))
        return seen

    def _up_down_up(
        self, series: Series, database: Database, identity: str, to: tuple[Context, _Seen]
    ) -> None:
        from gonogo.actions.migrate.record import Record
        from gonogo.actions.migrate.schema import differences

        context, seen = to
        record = Record(context.run_folder, identity, self.settings().series)
        seen.names = series.state().pending
        first = self._snapshot(database)
        seen.times["up time"] = _timed("up", lambda: series.up(record))
        upper = self._snapshot(database)
        ways = series.applied_of(tuple(reversed(record.begun())))

        def down() -> None:
            for way in ways:
                series.back(way, record)

        seen.times["down time"] = _timed("down", down)
        seen.after_down = differences(first, self._snapshot(database))
        if seen.after_down:  # the second way up would only stumble over what is left
            return
        seen.times["second up time"] = _timed("the second way up", lambda: series.up(record))
        seen.after_up = differences(upper, self._snapshot(database))

    def _snapshot(self, database: Database) -> Snapshot:
        from gonogo.actions.migrate.schema import snapshot

        table = _TABLES.get(self.tool, self.table)
        return snapshot(database, table.rpartition(".")[2])


def _timed(way: str, work: Callable[[], None]) -> Quantity:
    began = _clock.monotonic()
    try:
        work()
    except WorkError as error:
        raise WorkError(
            f"on a copy, {way} failed: {error.message}", hint=error.hint, failed=True
        ) from None
    return took(began)


def _observation(seen: _Seen, made_from: str, context: Context, began: float) -> Observation:
    lines = [f"rehearsed {name}" for name in seen.names]
    lines += [f"after down: {line}" for line in seen.after_down[:_MOST]]
    lines += [f"after the second up: {line}" for line in seen.after_up[:_MOST]]
    hidden = len(seen.after_down) + len(seen.after_up) - 2 * _MOST
    if hidden > 0:
        lines.append(f"and {hidden} more")
    found: dict[str, Datum] = {
        "complete": not seen.after_down and not seen.after_up,
        "migrations": len(seen.names),
        "same after down": not seen.after_down,
        "differences": len(seen.after_down) + len(seen.after_up),
        "copied": made_from,
        "duration": took(began),
        **seen.times,
    }
    if "second up time" in seen.times:
        found["same after up"] = not seen.after_up
    return Observation(found, text=context.redact("\n".join([*lines, f"on {made_from}"])))
