"""Answers given beforehand in a file, for runs that nobody attends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from gonogo.clock import SystemClock, stamp
from gonogo.errors import UsageError
from gonogo.plan.model import Plan
from gonogo.run.journal import Answer, Journal


def read_answers(path: str, plan: Plan, who: str) -> Callable[[Journal, str, str], bool]:
    """Read a YAML file of `step: answer` or `step: {answer, reason, link, expires, by}`.

    A step is named by its id or its title; a gate by its phase and `?gate`. Every name must be
    known. A typed confirmation of something destructive is never taken from a file.

    Raises:
        UsageError: the file cannot be read, is not such a mapping, or names what is not there.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"answers `{path}` cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise UsageError(
            f"answers `{path}` hold no mapping", hint="expected lines such as `step title: yes`"
        )
    names = {step.id: step.id for step in plan.every_step()}
    names |= {step.title.lower(): step.id for step in plan.every_step()}
    names |= {f"{phase.id}?gate": f"{phase.id}?gate" for phase in plan.phases}
    given: dict[str, dict[str, str]] = {}
    for key, value in data.items():
        item = names.get(str(key)) or names.get(str(key).lower())
        if item is None:
            raise UsageError(
                f"answers `{path}` name no known step: `{key}`", hint="`gonogo plan` lists them"
            )
        given[item] = _fields(value)

    def put(journal: Journal, run: str, item: str) -> bool:
        found = given.get(item)
        if found is None:
            return False
        at = stamp(SystemClock().now())
        name = found.get("by", who)
        reason, link = found.get("reason", found.get("note", "")), found.get("link", "")
        answer = found.get("answer", "yes")
        return journal.put(
            Answer(run, 1, item, answer, name, at, reason, link, found.get("expires", ""))
        )

    return put


def _fields(value: object) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(k): _word(v) for k, v in value.items()}
    return {"answer": _word(value)}


def _word(value: object) -> str:
    if isinstance(value, bool):  # YAML reads a bare `yes` as true
        return "yes" if value else "no"
    return str(value)
