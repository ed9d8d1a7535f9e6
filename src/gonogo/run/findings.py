"""Findings about a step: from what is known of it, and with the waiver that a person gave."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from gonogo.clock import moment
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Expectation, Step
from gonogo.run.scene import Scene

THIS_RUN = "the end of this run"
"""Until when a yes holds for which a person named no day: nothing of it outlives its run."""
_DATE = len("2026-01-31")
_STOPPED = "stopped: the run was aborted"


def blank(step: Step, status: Status, why: str, **more: object) -> Finding:
    """Return a finding about `step` that rests on `why` alone."""
    return Finding(
        item=step.id,
        title=step.title,
        status=status,
        effect=step.effect.value,
        line=step.span.line,
        why=why,
        expected=expected(step.expect),
        planned_s=step.estimate_s,
        critical=step.critical,
        **more,  # type: ignore[arg-type]
    )


def expected(expect: tuple[Expectation, ...]) -> str:
    """Return what is expected, in the canonical words of the conditions."""
    return "; ".join(item.condition.say() for item in expect)


def waived(scene: Scene, step: Step, finding: Finding) -> Finding:
    """Return the finding with the waiver that a person gave for it before the gate, if any."""
    if finding.status in (Status.PASS, Status.WAIVED):
        return finding
    given = scene.waivers.get(step.id)
    if given is None:
        return finding
    expires = given.get("expires", "")
    if has_passed(expires, scene.clock.now()):
        return replace(finding, notes=(*finding.notes, f"waiver expired {expires}"))
    return replace(
        finding,
        status=Status.WAIVED,
        why=f"{finding.status.value}: {finding.why or finding.actual}".rstrip(": "),
        by=given.get("who"),
        reason=given.get("reason"),
        expires=good_until(expires),
    )


def good_until(expires: str) -> str:
    """Return until when something is accepted: the day that was named, else the end of the run."""
    return expires or THIS_RUN


def has_passed(expires: str, now: datetime) -> bool:
    """Say whether a yes is over; a bare date lasts to its end in UTC, an unreadable one is."""
    if not expires or expires == THIS_RUN:
        return False
    try:
        end = moment(expires)
    except ValueError:
        return True
    if len(expires) == _DATE:
        end = end.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return (end if end.tzinfo else end.replace(tzinfo=UTC)) <= now


def stopped(scene: Scene) -> str:
    """Return why a step was not carried out to its end."""
    why = scene.ending.why if scene.ending is not None else ""
    return f"stopped: {why}" if why else _STOPPED
