"""What must be said before a migration may run: what it brings, and what it destroys."""

from __future__ import annotations

from collections.abc import Sequence

from gonogo.actions.migrate.record import Record, Way
from gonogo.errors import WorkError
from gonogo.plan.destructive_tree import Fresh, losses_of
from gonogo.plan.migrations import Migration, keys
from gonogo.plan.sqlread import read


def refuse_unforeseen(
    pending: Sequence[Migration], only: Sequence[str], destroys: Sequence[str]
) -> None:
    """Refuse migrations that the block does not name, and losses that nobody has confirmed.

    Raises:
        WorkError: there is one; nothing was changed.
    """
    wanted = set(only)
    strangers = [item.title for item in pending if wanted and not wanted & set(keys(item))]
    if strangers:
        raise WorkError(
            f"`{strangers[0]}` is pending, and the block brings only {_list(only)}",
            hint="add it under `only:`, or apply it in a release of its own",
        )
    said = {name.casefold() for name in destroys}
    for path, target in lost_by(pending):
        if target.casefold() not in said:
            raise WorkError(
                f"`{path}` destroys `{target}`, and the block does not say so",
                hint=f"write `destroys: {target}`: a person types the name before it runs",
            )


def lost_by(migrations: Sequence[Migration]) -> list[tuple[str, str]]:
    """Return the path and the name of all that the ways up destroy, one name each."""
    fresh = Fresh()
    found: dict[tuple[str, str], None] = {}
    for migration in migrations:
        for statement in read(migration.up.text).statements:
            for loss in losses_of(statement, fresh):
                found.update(
                    dict.fromkeys((migration.up.path, name) for name in loss.target.split(", "))
                )
            fresh.learn(statement)
    return list(found)


def refuse_losing_ways(ways: Sequence[Way], record: Record, destroys: Sequence[str]) -> None:
    """Refuse ways back that destroy what this run has not made, unless the block says so.

    Raises:
        WorkError: there is one; nothing was taken back.
    """
    said = {name.casefold() for name in destroys}
    for way in ways:
        if way.down is None:
            continue
        fresh = record.made_by(way.version)
        for statement in read(way.down.text).statements:
            for loss in losses_of(statement, fresh):
                for name in loss.target.split(", "):
                    if name.casefold() not in said:
                        raise WorkError(
                            f"`{way.down.path}` destroys `{name}`, which was there before this run",
                            hint=f"write `destroys: {name}` under `migrate-back`, or restore",
                            failed=True,
                        )


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
