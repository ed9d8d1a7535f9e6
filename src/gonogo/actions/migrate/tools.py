"""Migrations by the commands of the tool that a team has: Alembic, Rails, Django and others."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gonogo import process
from gonogo.actions.migrate import aim, calls, prisma
from gonogo.actions.migrate.database import Database
from gonogo.actions.migrate.outputs import READERS, Listed, planned
from gonogo.actions.migrate.record import Record, Way
from gonogo.actions.migrate.series import Settings, State, folder_of
from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Effect
from gonogo.plan.migrations import Migration, Script
from gonogo.redaction.flow import Flow

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Tool:
    """The words of one tool behind its program; `{name}` and `{before}` are filled in."""

    program: str
    status: tuple[str, ...]  # several are asked one after the other
    up: str
    back: str  # empty: it has no step back
    no_back: str = ""
    target: str = ""  # the option that names the database; empty: the tool knows it by itself
    settle: str = ""  # what makes it go on after one that failed


TOOLS: Mapping[str, Tool] = {
    "alembic": Tool(  # without the name a step back to a fork would take the other branch too
        "alembic", ("history", "current"), "upgrade head", "downgrade {name}@{before}"
    ),
    "rails": Tool(
        "bin/rails", ("db:migrate:status",), "db:migrate", "db:migrate:down VERSION={name}"
    ),
    "django": Tool(
        "python manage.py",
        ("showmigrations --plan",),
        "migrate --noinput",
        "migrate --noinput {app} {before}",
    ),
    "dbmate": Tool("dbmate", ("status",), "migrate", "rollback"),
    "flyway": Tool(
        "flyway",
        ("info -outputType=json",),
        "migrate",
        "undo -target={name}",
        settle="`flyway repair`",
    ),
    "prisma": Tool(
        "npx prisma",
        ("migrate status",),
        "migrate deploy",
        "",
        "prisma has no step back",
        settle="`prisma migrate resolve --applied` or `--rolled-back`",
    ),
    "supabase": Tool(
        "supabase",
        ("migration list",),
        "db push --yes",
        "",
        "`supabase migration down` resets the whole database, it is no step back",
        "--db-url",  # without it version 3 means the local stack, and 2 the linked project
    ),
}
_ONLY_NEWEST = frozenset(("alembic", "dbmate", "flyway"))
_NO_TABLE_YET = "Schema migrations table does not exist yet"  # Rails, in an empty database
_SAID = 250  # characters of each end of what a tool says when it fails


class Commands:
    """The migrations of a tool, by its own commands; each runs under the shim."""

    def __init__(self, settings: Settings, context: Context, database: Database) -> None:
        """Keep where and how the tool is called, and the connection to its database."""
        self._settings = settings
        self._database = database
        self._context = context
        self._tool = TOOLS[settings.tool]
        self._folder = folder_of(settings, context)
        self._calls = 0
        self._latest: Listed | None = None  # until we change something: a status takes seconds
        self._waited = context.effect is not Effect.ACTION

    def state(self) -> State:
        """Return what the tool says.

        Raises:
            WorkError: it cannot be asked, or one has begun and not ended.
        """
        listed = self._sound()
        return State(listed.applied, listed.pending)

    def pending(self) -> tuple[Migration, ...]:
        """Return what the tool calls pending; its text stays with the tool."""
        return tuple(_named(name) for name in self._sound().pending)

    def up(self, record: Record) -> None:
        """Have the tool apply what is pending; what it did is seen from its status afterwards.

        Raises:
            WorkError: it failed; what it had applied before that is in the record.
        """
        wanted = self.pending()
        if not wanted:
            return
        for migration in wanted:
            record.begin(migration)
        began = _clock.monotonic()
        try:
            self._call(self._tool.up, Effect.ACTION)
        except WorkError:
            with contextlib.suppress(WorkError):  # why it failed says more than a silent status
                self._note(wanted, record, began)
            raise
        self._note(wanted, record, began)

    def _note(self, wanted: Sequence[Migration], record: Record, began: float) -> None:
        took = (_clock.monotonic() - began) / len(wanted)
        there = self._listed().applied
        for migration in wanted:
            if migration.version in there:
                record.applied(migration.version, took)

    def back(self, way: Way, record: Record) -> None:
        """Have the tool take back one migration, and see that it took back that one only.

        Raises:
            WorkError: it cannot, it failed, or another one is the newest.
        """
        if not self._tool.back:
            raise WorkError(
                f"`{way.version}` stays: {self._tool.no_back}",
                hint="keep ways back of your own and use `tool: folder`, or restore the backup",
                failed=True,
            )
        listed = self._listed()
        if self._settings.tool in _ONLY_NEWEST and listed.applied[-1:] != (way.version,):
            newest = listed.applied[-1] if listed.applied else "none"
            raise WorkError(
                f"the newest migration is `{newest}`, and this run applied `{way.version}`: "
                "somebody else has migrated since",
                hint="a step back would take back theirs; settle it by hand",
                failed=True,
            )
        app, _, _ = way.version.partition(".")
        words = self._tool.back.format(
            name=way.version, app=app, before=listed.before.get(way.version, "")
        )
        if self._settings.tool == "django":
            self._refuse_more(words, way.version)
        self._call(words, Effect.ACTION)
        left = self._listed().applied
        lost = [name for name in listed.applied if name not in left and name != way.version]
        if lost or way.version in left:
            what = f"took back `{', '.join(lost)}` too" if lost else "did not take it back"
            raise WorkError(f"`{way.version}`: the tool {what}", failed=True)
        record.undone(way.version)

    def applied_of(self, ways: Sequence[Way]) -> tuple[Way, ...]:
        """Return those of the migrations that the tool calls applied now."""
        there = self._sound().applied
        return tuple(way for way in ways if way.version in there)

    def _refuse_more(self, words: str, name: str) -> None:
        """Refuse a step back for which Django would take back others too, before it does.

        Raises:
            WorkError: there are others.
        """
        told = self._call(f"{words} --plan", Effect.CHECK)
        others = [found for found in planned(told) if found != name]
        if others:
            raise WorkError(
                f"a step back behind `{name}` would take back `{', '.join(others)}` too",
                hint="they need it, and this run did not apply them; settle it by hand",
                failed=True,
            )

    def _sound(self) -> Listed:
        """Return what the tool says where nothing is half done.

        Raises:
            WorkError: one has begun and not ended.
        """
        listed = self._listed()
        if listed.failed:
            raise WorkError(
                f"`{listed.failed[0]}` has begun in this database and not ended, says "
                f"{self._settings.tool}: nobody knows how much of it is there",
                hint=f"look, finish or undo it by hand, then {self._tool.settle}",
                failed=self._context.effect is Effect.ACTION,
            )
        return listed

    def _listed(self) -> Listed:
        if self._latest is None:
            self._latest = self._ask()
        return self._latest

    def _ask(self) -> Listed:
        if not self._waited:  # what an earlier call still does would be missing
            calls.wait_for_earlier(self._context, self._what)
            self._waited = True
        answers = [self._call(words, Effect.CHECK) for words in self._tool.status]
        if self._settings.tool == "prisma":
            return prisma.listed(answers[0], prisma.names_in(self._folder), self._database)
        if self._settings.tool == "rails" and "Migration ID" not in answers[0]:
            answers = ["\n".join(f"down {name}" for name in self._rails_files())]
        found = READERS[self._settings.tool]("\n---\n".join(answers))
        if self._settings.app:  # Django: one app only
            mine = f"{self._settings.app}."
            return Listed(
                tuple(name for name in found.applied if name.startswith(mine)),
                tuple(name for name in found.pending if name.startswith(mine)),
                found.before,
            )
        return found

    @property
    def _what(self) -> str:
        """Return what tells calls about these migrations from others of the same run."""
        return f"{self._settings.series} {self._settings.on}"

    def _rails_files(self) -> list[str]:
        """Return the versions of the files: without its table Rails tells none of them."""
        found = (self._folder / "db" / "migrate").glob("[0-9]*_*.rb")
        return sorted((path.name.partition("_")[0] for path in found), key=int)

    def _may_fail(self, outcome: process.Outcome) -> bool:
        """Say whether a status that ended with 1 is an answer nevertheless."""
        if self._settings.tool == "rails":
            return outcome.exit_code == 1 and _NO_TABLE_YET in outcome.stderr
        return self._settings.tool == "prisma" and prisma.is_an_answer(_all_of(outcome))

    def _call(self, words: str, effect: Effect) -> str:
        """Run the tool and return what it printed.

        Raises:
            WorkError: it failed, did not end in time, or is not there.
        """
        self._calls += 1
        command = self._settings.command or self._tool.program
        program = shlex.split(filling.fill(command, self._context))
        more = [self._settings.app] if words == self._tool.up and self._settings.app else []
        variables = dict(self._context.variables)
        if self._tool.target:
            address, secret = aim.without_password(filling.target(self._settings.on, self._context))
            more += [self._tool.target, address]
            variables |= secret
        folder = self._context.folder / f"{self._calls:02d}-{words.split()[0].replace(':', '-')}"
        if effect is Effect.ACTION:
            self._latest = None
            calls.keep(self._context, self._what, folder)
        live = Flow(self._context.redact, self._context.on_output)
        outcome = process.run(
            process.Command(
                argv=(*program, *shlex.split(words), *more),
                cwd=self._folder.absolute(),
                environment=variables,
                timeout_s=self._context.timeout_s,
                durable=effect is Effect.ACTION,
            ),
            folder,
            on_output=live.take,
            should_stop=self._context.should_stop,
        )
        live.finish()
        if outcome.exit_code == 0 or (effect is Effect.CHECK and self._may_fail(outcome)):
            return _all_of(outcome) if self._settings.tool == "prisma" else outcome.stdout
        how = f"ended with {outcome.exit_code}" if outcome.exit_code is not None else "was ended"
        raise WorkError(
            f"`{shlex.join([*program, *words.split()])}` {how}",
            hint=_both_ends(self._context.redact(outcome.stderr.strip() or outcome.stdout.strip())),
            failed=effect is Effect.ACTION,
        )


def _named(name: str) -> Migration:
    return Migration(name, name, Script(name, ""), None)


def _all_of(outcome: process.Outcome) -> str:
    return f"{outcome.stdout}\n{outcome.stderr}"


def _both_ends(said: str) -> str:
    """Shorten a text in its middle: Rails says the reason first, Python says it last."""
    return said if len(said) <= 2 * _SAID else f"{said[:_SAID]} … {said[-_SAID:]}"
