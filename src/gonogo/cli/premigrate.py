"""What can be seen of migrations before a run: their files are read, and what must stand before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gonogo.actions.migrate import Migrate
from gonogo.errors import Diagnostic, Severity, WorkError
from gonogo.plan.kinds import Scripted
from gonogo.plan.migrations import Migration, Problem, Script, keys, order
from gonogo.plan.model import Block, Mode, Plan, Step
from gonogo.plan.places import Places
from gonogo.plan.shellsyntax import split as split_shell
from gonogo.plan.sqlrisk import CODES, Danger, Known, Risk, Setting

_MOST = 20  # remarks about one block: old migrations are applied long since
_STEPS_BACK = re.compile(
    r"\bdb:rollback\b(?:\s+STEP=\d+)?|\balembic\s+downgrade\s+-\d+|\bdbmate\s+(?:rollback|down)\b"
    r"|\bmigrate:rollback\b(?:\s+--step=\d+)?|\bmigrate\s+down\s+\d+|\bgoose\b[^\n;|&]*\sdown\b"
)
_USUAL = {  # where tools keep migrations that are SQL
    "folder": "migrations",
    "dbmate": "db/migrations",
    "supabase": "supabase/migrations",
    "prisma": "prisma/migrations",
    "flyway": "sql",
}
_GRAVE = frozenset((Danger.UNREADABLE, Danger.TRANSACTION))


@dataclass(frozen=True, slots=True)
class _Found:
    """The migrations of one block, as far as they can be read here."""

    block: Block
    work: Migrate
    shown: str  # the folder as the author wrote it
    migrations: tuple[Migration, ...]  # those of this release, or all
    problems: tuple[Problem, ...]

    @property
    def are_named(self) -> bool:
        """Say whether the block names the migrations of this release."""
        return bool(self.work.only)


def migration_remarks(plan: Plan, *, whole: bool = True) -> tuple[Diagnostic, ...]:
    """Return what is wrong or risky about the migrations of a plan, each at its block.

    Where the plan is not `whole`, nothing is said of what should stand before them.
    """
    found: list[Diagnostic] = [*(_unproved(plan) if whole else ()), *_counted(plan)]
    for step in plan.every_step():
        for block in _migrating(step):
            found += _of_block(block, plan)
    return tuple(found)


def losses_ahead(plan: Plan) -> dict[str, str]:
    """Return, by the id of a step, what its migrations destroy: there is no way back behind it."""
    ahead: dict[str, str] = {}
    for step in plan.steps():
        for block in _migrating(step):
            try:
                read = _read(block, plan)
            except WorkError:
                continue
            lost = [
                f"{risk.target} is lost ({read.shown}/{migration.up.path})"
                for migration, risk in _risks(read)
                if risk.danger is Danger.LOST
            ] if read else []  # fmt: skip
            if lost:
                more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
                ahead.setdefault(step.id, f"{lost[-1]}{more}")
    return ahead


def _migrating(step: Step) -> Iterator[Block]:
    if step.block is not None and isinstance(step.block.work, Migrate):
        yield step.block


def _unproved(plan: Plan) -> Iterator[Diagnostic]:
    """Refuse a migration before which nothing proves that the database can be brought back."""
    kinds: set[str] = set()  # a backup counts only for its own target
    for step in plan.steps():
        for block in _migrating(step):
            assert isinstance(block.work, Migrate)
            lacking = [
                said
                for said, needed in (
                    ("backup", {f"backup {block.work.on}", "check backup"}),
                    ("restore test", {f"check restore {block.work.on}"}),
                )
                if not needed & kinds
            ]
            if lacking and not block.work.unproved.strip():
                severity = Severity.ERROR if plan.mode is Mode.EXPLICIT else Severity.WARNING
                yield Diagnostic(
                    "GN540",
                    f"no {' and no '.join(lacking)} stands before this migration",
                    block.span,
                    hint="put `action: backup` and `check: restore` before it, or say "
                    "`unproved: why`, which a person must confirm",
                    severity=severity,
                )
        if step.block is not None and not _is_partial(step.block):
            work = step.block.work
            on = getattr(work, "source", "") or getattr(work, "on", "")
            kinds |= {step.block.kind, f"{step.block.kind} {on}"}


def _is_partial(block: Block) -> bool:
    """Say whether a backup holds chosen tables only: a database does not come back from it."""
    return bool(getattr(block.work, "tables", ()) or getattr(block.work, "schemas", ()))


def _counted(plan: Plan) -> Iterator[Diagnostic]:
    """Warn of steps back by a number: it is right only when all of that number were applied."""
    for step in plan.every_step():
        for block in (step.block, *step.undo):
            if block is None or not isinstance(block.work, Scripted):
                continue
            for match in _STEPS_BACK.finditer(split_shell(block.work.script()).code):
                yield _remark(
                    block,
                    "GN544",
                    f"`{match[0]}` goes back by a number, whatever this run has applied",
                    "`action: migrate-back` takes back exactly what this run applied",
                    Severity.WARNING,
                )


def _of_block(block: Block, plan: Plan) -> Iterator[Diagnostic]:
    try:
        read = _read(block, plan)
    except WorkError as error:
        yield _remark(block, "GN538", error.message, error.hint, Severity.ERROR)
        return
    if read is None:
        work = block.work
        assert isinstance(work, Migrate)
        yield _remark(
            block,
            "GN538",
            f"the migrations of `{work.tool}` cannot be read here: what they lock is not seen",
            "`check: migration-rehearsal` tries them on a copy",
            Severity.NOTE,
        )
        return
    yield from _of_files(read)
    remarks = [*_of_ways(read), *_of_statements(read)]
    yield from remarks[-_MOST:]
    if len(remarks) > _MOST:
        yield _remark(
            block,
            "GN538",
            f"{len(remarks) - _MOST} more remarks about older files are not shown",
            "name the migrations of this release under `only:`",
            Severity.NOTE,
        )


def _read(block: Block, plan: Plan) -> _Found | None:
    """Read the files of a block; None: its tool keeps no SQL, or a variable is in the path.

    Raises:
        WorkError: the folder cannot be read.
    """
    from gonogo.actions.migrate.files import read_folder

    work = block.work
    assert isinstance(work, Migrate)
    said = work.folder or _USUAL.get(work.tool, "")
    if work.tool not in _USUAL or "$" in said or "{{" in said:
        return None
    base = Path(plan.source.name).parent
    folder = base / said
    if work.tool != "folder" and not folder.is_dir():
        return None
    migrations, problems = read_folder(folder)
    wanted = set(work.only)
    last = next((order(m.version) for m in migrations if work.to in keys(m)), None)
    chosen = tuple(
        m
        for m in migrations
        if (not wanted or wanted & set(keys(m))) and (last is None or order(m.version) <= last)
    )
    lacking = {*wanted, *filter(None, [work.to])} - {key for m in migrations for key in keys(m)}
    missing = tuple(
        Problem("", f"there is no migration `{name}`", "look at `only:` and `to:`")
        for name in sorted(lacking)
    )
    return _Found(block, work, said, chosen, (*problems, *missing))


def _of_files(read: _Found) -> Iterator[Diagnostic]:
    for problem in read.problems:
        yield _remark(
            read.block, "GN538", f"`{read.shown}/{problem.path}`: {problem.message}", problem.hint,
            Severity.ERROR if read.work.tool == "folder" else Severity.NOTE,
        )  # fmt: skip


def _of_ways(read: _Found) -> Iterator[Diagnostic]:
    """Say which migrations have no way back, or one that destroys what was there before."""
    from gonogo.plan.destructive_tree import Fresh, losses_of
    from gonogo.plan.sqlread import read as parse

    for migration in read.migrations if read.work.tool in {"folder", "dbmate"} else ():
        if migration.down is None:
            yield _remark(
                read.block,
                "GN539",
                f"`{read.shown}/{migration.up.path}` has no way back",
                "add a down file; without it only a restore goes back behind it",
                Severity.WARNING,
            )
            continue
        fresh = Fresh()
        for statement in parse(migration.up.text).statements:
            fresh.learn(statement)
        for statement in parse(migration.down.text).statements:
            for loss in losses_of(statement, fresh):
                yield _remark(
                    read.block,
                    "GN543",
                    f"`{_place(read, migration.down, loss.at)}` destroys `{loss.target}`, which "
                    "its way up has not made for certain",
                    "make it without IF NOT EXISTS, or write it under `destroys:` of "
                    "`migrate-back`; it is refused without",
                    Severity.WARNING,
                )


def _risks(read: _Found) -> Iterator[tuple[Migration, Risk]]:
    from gonogo.plan.sqlrisks import needs_no_transaction, risks

    known = Known()
    for migration in read.migrations:
        ours = read.work.tool == "folder"
        inside = migration.up.in_transaction and not (
            ours and needs_no_transaction(migration.up.text)
        )
        for risk in risks(migration.up.text, Setting(inside, has_lock_timeout=ours), known):
            yield migration, risk


def _of_statements(read: _Found) -> Iterator[Diagnostic]:
    from gonogo.plan.sqlrisks import has_own_transaction, needs_no_transaction
    from gonogo.plan.sqltext import split

    said = {name.casefold() for name in read.work.destroys_}
    for migration, risk in _risks(read):
        grave = risk.danger in _GRAVE and read.are_named
        severity = Severity.ERROR if grave else Severity.WARNING
        code = CODES[risk.danger]
        place = _place(read, migration.up, risk.at)
        yield _remark(read.block, code, f"`{place}`: {risk.message}", risk.hint, severity)
    for migration in read.migrations if read.work.tool == "folder" else ():
        script = migration.up
        words = needs_no_transaction(script.text)
        if words and len(split(script.text).statements) > 1:
            yield _remark(
                read.block,
                "GN537",
                f"`{read.shown}/{script.path}` holds `{words}`, so none of its statements is in a "
                "transaction",
                "put that statement into a file of its own",
                Severity.WARNING,
            )
        if script.in_transaction and not words and has_own_transaction(script.text):
            yield _remark(
                read.block,
                "GN537",
                f"`{read.shown}/{script.path}` begins or ends a transaction itself, and is refused",
                "leave BEGIN and COMMIT to gonogo, or write `-- gonogo: no transaction` above",
                Severity.ERROR if read.are_named else Severity.WARNING,
            )
    yield from _unsaid(read, said)


def _unsaid(read: _Found, said: set[str]) -> Iterator[Diagnostic]:
    """Say what is destroyed and not named in the block: the run would refuse it."""
    from gonogo.actions.migrate.guard import lost_by

    if read.work.tool != "folder":
        return
    for path, target in lost_by(read.migrations):
        if target.casefold() not in said:
            yield _remark(
                read.block,
                "GN541",
                f"`{read.shown}/{path}` destroys `{target}`, and the block does not say so",
                f"write `destroys: {target}`: a person types the name before it runs",
                Severity.ERROR if read.are_named else Severity.WARNING,
            )


def _place(read: _Found, script: Script, at: int) -> str:
    return f"{read.shown}/{script.path}:{Places(script.text).span(at, at + 1).line}"


def _remark(block: Block, code: str, message: str, hint: str, severity: Severity) -> Diagnostic:
    return Diagnostic(code, message, block.span, hint=hint, severity=severity)
