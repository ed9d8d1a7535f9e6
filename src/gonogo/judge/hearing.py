"""Alerts that nobody would hear: found with the runbook, before anything has to be told."""

from __future__ import annotations

from gonogo.errors import Diagnostic
from gonogo.errors import Severity as Weight
from gonogo.judge.course import figured
from gonogo.plan.model import ALERTS, Consequence, Mode, Plan
from gonogo.plan.notices import Severity
from gonogo.plan.receiving import unheard

_RAISED = {**{kind: Severity(kind.value) for kind in ALERTS}, Consequence.ROLLBACK: Severity.PAGE}


def unheard_in(plan: Plan) -> list[Diagnostic]:
    """Return a warning for each alert that nobody is told of; one note where nobody can be told.

    A rollback is an alert too. Without `gonogo: 1` a person sits at the terminal and sees it.
    """
    if plan.mode is not Mode.EXPLICIT:
        return []
    raised = [(_RAISED[r.consequence], r.span) for r in figured(plan) if r.consequence in _RAISED]
    if raised and not any(contact.channels for contact in plan.receivers.contacts):
        note = "nobody is told of alerts: they stand on the screen and in the report only"
        hint = "name people with their channels under `contacts:`; docs/alerts.md"
        return [Diagnostic("GN376", note, raised[0][1], hint=hint, severity=Weight.NOTE)]
    return unheard(plan.receivers, raised)
