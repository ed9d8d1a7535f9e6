"""What a runbook may say in every block about migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic
from gonogo.plan import filling, shellscript
from gonogo.plan.kinds import Context, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

if TYPE_CHECKING:
    from gonogo.actions.migrate.series import Series, Settings

_clock = SystemClock()
_ONE_WAY = ("prisma", "supabase")  # the other tools have a command that goes one step back

ToolName = Literal["folder", "alembic", "rails", "django", "prisma", "flyway", "dbmate", "supabase"]


@dataclass(frozen=True, slots=True)
class Migrating:
    """What every block about migrations may say, and how its database is opened."""

    on: str = says("the target: a name of the front matter, or an address", default="db")
    tool: ToolName = says(  # noqa: RUF009 - a text
        "`folder` sends plain SQL files itself; the others are called by their own commands",
        default="folder",
    )
    folder: str = says(
        "where the migrations are; for a tool, where it is called; `folder`: `migrations`"
    )
    table: str = says(
        "the table that keeps what is applied; only of `folder`", default="schema_migrations"
    )
    command: str = says("the program to call instead of the usual one: `bundle exec rails`")
    app: str = says("only this app; only of `django`")
    lock_timeout_s: float = says(
        "give up when a lock is not free within this time; only of `folder`", default=5.0
    )
    body: str = says("the text of the block")

    def settings(self) -> Settings:
        """Return what the block says, without what only one kind has."""
        from gonogo.actions.migrate.series import Settings

        return Settings(
            self.on,
            self.tool,
            self.folder,
            self.table,
            self.lock_timeout_s,
            self.command,
            self.app,
        )

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        fields = {"on": self.on, "folder": self.folder, "command": self.command}
        return filling.variables_of(fields, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what does not go together."""
        return tuple(self.mistakes())

    def mistakes(self) -> Iterator[Diagnostic]:
        """Yield what does not go together in the fields that all kinds have."""
        if self.app and self.tool != "django":
            message = "`app` is only understood with `tool: django`"
            yield Diagnostic("GN517", message, Span.of_line(1), hint="leave `app` out")
        if self.command and self.tool == "folder":
            message = "`command` is only understood with the tool of a command"
            hint = "name it: `tool: rails`; `folder` sends the files itself"
            yield Diagnostic("GN517", message, Span.of_line(1), hint=hint)
        if self.lock_timeout_s <= 0:
            message = "`lock timeout` is 0, expected more than nothing"
            hint = "a migration that waits for its lock lets everybody behind it wait too"
            yield Diagnostic("GN517", message, Span.of_line(1), hint=hint)
        yield from shellscript.secrets(self.body)

    def one_way(self) -> Iterator[Diagnostic]:
        """Yield that the tool has no step back, for a block that would need one."""
        if self.tool in _ONE_WAY:
            message = f"`{self.tool}` has no step back, so this could never work"
            hint = "send files of your own as the way back (`action: sql`), or restore the backup"
            yield Diagnostic("GN558", message, Span.of_line(1), hint=hint)

    @contextmanager
    def opened(self, context: Context) -> Iterator[tuple[Series, str]]:
        """Yield the migrations and what tells their database from others; empty: not known."""
        from gonogo.actions.migrate.opening import opened

        with opened(self.settings(), context) as found:
            yield found


class InParts:
    """A kind that may be done in part: the run's folder says which migrations were done."""

    __slots__ = ()

    def keeps_its_part(self) -> str:
        """Return the file of the run's folder that says which migrations were done."""
        from gonogo.actions.migrate.record import NAME

        return NAME


def took(began: float) -> Quantity:
    """Return the time since `began`, a reading of the clock that only goes forward."""
    return Quantity(Decimal(str(round(_clock.monotonic() - began, 6))), "s")
