"""What a drill changes in a release: a breach that the judge is told of, and nothing in the world.

In a watch with a rollback trigger that has figures, every whole slice counts as a breach of the
first trigger: rule, alert, rollback and recovery then run as they would. The figures themselves are
kept as they were seen. Where no such trigger is watched, the drill goes back before that phase, or
at the end.
"""

from __future__ import annotations

from collections.abc import Iterable

from gonogo.judge.course import figured
from gonogo.judge.rules import Machine
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence, Phase, Rule
from gonogo.run.scene import Scene

WHY = "drill: the way back is rehearsed"


def trigger(rules: Iterable[Rule]) -> Rule | None:
    """Return the trigger that a drill lets fire: the first one."""
    return next((rule for rule in rules if rule.consequence is Consequence.ROLLBACK), None)


def make_up(scene: Scene, machine: Machine) -> None:
    """Let the trigger of a watch fire, when this is a drill."""
    rule = trigger(machine.rules)
    if scene.drill and rule is not None:
        machine.make_up(rule.id)


def goes_back_before(scene: Scene, phase: Phase) -> bool:
    """Say whether a drill has seen enough before this phase."""
    if not scene.drill:
        return False
    if phase.role is Role.WATCH:
        return trigger(figured(scene.plan, phase)) is None
    return phase.role is Role.SIGNOFF
