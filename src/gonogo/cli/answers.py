"""Answers given beforehand in a file, for runs that nobody attends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from gonogo.cli.who import read_expiry
from gonogo.clock import SystemClock, stamp
from gonogo.errors import UsageError
from gonogo.plan.model import Mode, Plan
from gonogo.run.gates import KEEP, may_keep
from gonogo.run.journal import Answer, Journal
from gonogo.run.people import CHOICES, NEEDS_REASON, Form

_FIELDS = ("answer", "reason", "note", "link", "by", "expires")
_LARGEST = 1024 * 1024


@dataclass(slots=True)
class Answers:
    """What people said beforehand, by the item that will be asked about."""

    given: Mapping[str, Mapping[str, str]]
    who: str
    put: set[str] = field(default_factory=set)

    def give(self, journal: Journal, run: str, item: str) -> None:
        """Put the answer to an open question into the inbox; each is given once."""
        found = self.given.get(item)
        if found is None or item in self.put:
            return
        self.put.add(item)
        at = stamp(SystemClock().now())
        journal.put(
            Answer(
                run,
                1,
                item,
                found["answer"],
                found.get("by", self.who),
                at,
                found.get("reason", found.get("note", "")),
                found.get("link", ""),
                found.get("expires", ""),
            )
        )


def read_answers(path: str, plan: Plan, who: str) -> Answers:
    """Read a YAML file of `step: answer` or `step: {answer, reason, link, expires, by}`.

    A step is named by its id or its title; the gate of a phase by the phase and `?gate`. Every name
    must be known, be asked about, and get an answer that fits. A typed confirmation of something
    destructive is never taken from a file.

    Raises:
        UsageError: the file cannot be read, or with all that does not fit.
    """
    asked = _asked(plan)
    kept = {f"{phase.id}?gate" for phase in plan.phases if may_keep(phase)}
    names = _names(plan)
    given: dict[str, Mapping[str, str]] = {}
    wrong: list[str] = []
    for key, value in _read(path):
        items = names.get(key.lower(), ())
        if len(items) != 1:
            wrong.append(_unknown(key, items))
            continue
        item = next((i for i in (items[0], f"{items[0]}?block") if i in asked), None)
        if item is None:
            wrong.append(f"`{key}` is carried out by gonogo and asks nobody")
            continue
        fields, why = _fields(value)
        why = why or _misfit(asked[item], fields, keeps=item in kept)
        if not why and item in given:
            why = "is answered twice"
        if why:
            wrong.append(f"`{key}`: {why}")
            continue
        given[item] = fields
    if wrong:
        raise UsageError(
            f"answers `{path}`: {'; '.join(wrong)}",
            hint="`gonogo plan` lists what people are asked",
        )
    return Answers(given, who)


def _read(path: str) -> Iterable[tuple[str, object]]:
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise UsageError(
                f"answers `{path}` are larger than 1 MiB", hint="is it the right file?"
            )
        node = yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise UsageError(
            f"answers `{path}` cannot be read: {error.strerror or error}", hint="look at the path"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"answers `{path}` are not UTF-8", hint="save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise UsageError(
            f"answers `{path}` are no YAML{line}: {getattr(error, 'problem', None) or error}",
            hint="expected lines such as `step title: yes`",
        ) from None
    except (ValueError, OverflowError, RecursionError):
        raise UsageError(
            f"answers `{path}` are no YAML: an escape or a number is odd, or it is nested too deep",
            hint="expected lines such as `step title: yes`",
        ) from None
    if not isinstance(node, yaml.MappingNode) or not all(
        isinstance(key, yaml.ScalarNode) for key, _ in node.value
    ):
        raise UsageError(
            f"answers `{path}` hold no mapping", hint="expected lines such as `step title: yes`"
        )
    # The words stay as they were written: YAML would read a bare `yes` as true.
    return [(str(key.value), _value(value)) for key, value in node.value]


def _value(node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.MappingNode):
        return {
            str(key.value): str(value.value)
            if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)
            else None
            for key, value in node.value
        }
    return None


def _names(plan: Plan) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for step in plan.every_step():
        for name in dict.fromkeys((step.id.lower(), step.title.lower())):
            names[name] = (*names.get(name, ()), step.id)
    for phase in plan.phases:
        names[f"{phase.id}?gate".lower()] = (f"{phase.id}?gate",)
        title = f"{phase.title}?gate".lower()
        names.setdefault(title, (f"{phase.id}?gate",))
    return names


def _asked(plan: Plan) -> dict[str, Form]:
    """Return what may be answered beforehand; typed confirmations are not among it."""
    asked = {f"{phase.id}?gate": Form.HOLD for phase in plan.phases}
    for step in plan.every_step():
        if step.block is None:
            asked[step.id] = Form.MANUAL
        elif plan.mode is Mode.ASSISTED:
            asked[f"{step.id}?block"] = Form.BLOCK
    return asked


def _unknown(key: str, items: tuple[str, ...]) -> str:
    if items:
        return f"`{key}` names several steps: {', '.join(items)}"
    if "?typed" in key:
        return f"`{key}`: what cannot be undone is confirmed by a person, never by a file"
    return f"`{key}` names no step of the runbook"


def _fields(value: object) -> tuple[Mapping[str, str], str]:
    if isinstance(value, str):
        return {"answer": value.strip().lower()}, ""
    if not isinstance(value, dict):
        return {}, "expected an answer, or a mapping with `answer`"
    for name, text in value.items():
        if name not in _FIELDS:
            return {}, f"`{name}` is none of {', '.join(_FIELDS)}"
        if text is None:
            return {}, f"`{name}` is no single value"
    fields = {str(name): str(text) for name, text in value.items()}
    if "answer" not in fields:
        return {}, "`answer` is missing"
    return fields | {"answer": fields["answer"].strip().lower()}, ""


def _misfit(form: Form, fields: Mapping[str, str], *, keeps: bool) -> str:
    answer = fields["answer"]
    fit = (*CHOICES[form], KEEP) if keeps else CHOICES[form]
    if answer not in fit:
        return f"`{answer}` is no answer here, expected {', '.join(fit)}"
    reason = fields.get("reason", fields.get("note", ""))
    if (form, answer) in NEEDS_REASON and not reason.strip():
        return f"`{answer}` needs a `reason`"
    try:
        read_expiry(fields.get("expires", ""))
    except UsageError as error:
        return str(error)
    return ""
