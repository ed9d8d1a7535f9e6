"""From what a block says to its migrations: the right tool, connected where it needs to be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from gonogo.actions.migrate.database import Database
from gonogo.actions.migrate.series import Folder, Series, Settings
from gonogo.actions.migrate.tools import Commands
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context


@contextmanager
def opened(settings: Settings, context: Context) -> Iterator[tuple[Series, str]]:
    """Yield the migrations and the identity of their database; empty where nobody can tell.

    Raises:
        WorkError: the database cannot be reached, or refuses.
    """
    with Database(
        filling.target(settings.on, context), filling.shown(settings.on), context
    ) as database:
        identity = database.identity()
        try:
            if settings.tool == "folder":
                yield Folder(database, settings, context), identity
            else:
                yield Commands(settings, context, database), identity
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error).strip().split("\n")[0]
            raise WorkError(
                context.redact(f"the database refuses: {said}"),
                hint="may the user of the target read and write the table of the migrations?",
                failed=True,
            ) from None
