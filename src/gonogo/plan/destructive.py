"""Recognises SQL that destroys what cannot be got back, from the statement itself.

Destructive: DROP of what holds data or secrets (table, column, schema, database, materialized
view, sequence, role, anything with CASCADE), TRUNCATE, DELETE and UPDATE without a real WHERE, and
changes of a type that are told to cut values. Not destructive: DROP of what its definition brings
back (index, view, function, trigger, policy, constraint, default), and whatever the same text has
made itself.
"""

from __future__ import annotations

from gonogo.plan import sqlread
from gonogo.plan.destructive_loss import Loss, as_destructions
from gonogo.plan.destructive_tree import Fresh, losses_of
from gonogo.plan.destructive_words import losses_by_words, temporary_by_words
from gonogo.plan.kinds import Destruction


def in_sql(text: str) -> tuple[Destruction, ...]:
    """Return what SQL destroys; places are relative to the text."""
    return as_destructions(text, losses_in_sql(text))


def losses_in_sql(text: str) -> tuple[Loss, ...]:
    """Return the destructive statements of a text, by offsets.

    What PostgreSQL's parser cannot read is judged by its words, so that a mistake in a statement
    does not make it harmless.
    """
    reading = sqlread.read(text)
    fresh = Fresh()
    found: list[Loss] = []
    for statement in reading.statements:
        found += losses_of(statement, fresh)
        fresh.learn(statement)
    for unread in reading.unparsed:
        fresh.tables |= temporary_by_words(unread.statement)
        found += [
            loss
            for loss in losses_by_words(unread.statement)
            if loss.target.lower() not in fresh.tables
        ]
    return tuple(sorted(found, key=lambda loss: loss.at))
