"""The ladder of ways back: which are open, in which order they are tried, what a person chooses.

Ways are tried in the written order. One whose `Only if` does not hold is left out, with the reason.
Where a person is to decide, or nothing is left that runs by itself, the whole ladder is shown and
one way is chosen, by its number or its name. A way that was tried is never tried again.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Follows, Option, Plan, Rollback
from gonogo.run.durable import Slots
from gonogo.run.people import Form, Question, ask
from gonogo.run.perform import perform
from gonogo.run.scene import Scene
from gonogo.run.times import spoken

IN_ORDER = "*"
"""The wish for the next way as it is written."""
ASK = ""
"""No wish yet: a person chooses."""
REFUSED = "no"
SKIPPED = "skipped"
_TIME = re.compile(r"\s*[(\[][^()\[\]]{1,60}[)\]]\s*$")


@dataclass(frozen=True, slots=True)
class Climbed:
    """What came of the ladder."""

    restored: bool
    why: str
    option: str = ""  # the id of the way that worked


Try = Callable[[Option], Awaitable[Finding | None]]
"""Carry out an option and prove it; returns the finding that is not good, None when all is."""


def slot_names(option: Option) -> list[str]:
    """Return the names of the slots that open a way, and that close it."""
    return [f"{option.id}?open", *(step.id for step in option.conditions)]


def choice_names(plan: Plan) -> list[str]:
    """Return the names of the slots in which a person chooses."""
    options = plan.rollback.options if plan.rollback is not None else ()
    return [_choice(number) for number in range(len(options))]


def _choice(number: int) -> str:
    return f"rollback?choice{number}"


def first_wish(rollback: Rollback) -> str:
    """Return how the ladder begins by itself: in order, unless every way of several destroys."""
    return ASK if _nobody_left(rollback.options, rollback.options) else IN_ORDER


def _nobody_left(left: Sequence[Option], options: Sequence[Option]) -> bool:
    """Say whether nothing is left that runs by itself; a single way asks by its typed name."""
    return len(options) > 1 and bool(left) and all(option.destructive for option in left)


async def climb(
    scene: Scene, slots: Slots, rollback: Rollback, wish: str, carry_out: Try
) -> Climbed:
    """Try ways until one is proved; `wish` is an option's id, `IN_ORDER` or `ASK`."""
    left = list(rollback.options)
    why, asked = "no option was written", 0
    while left:
        if wish == ASK:
            choose = partial(_choose, scene, tuple(left), asked, why)
            said = await slots.run(_choice(asked), choose)
            wish, asked = str(said["choice"]), asked + 1
            if wish == REFUSED:
                return Climbed(
                    restored=False, why=f"{said['who']} refused: {said['reason']}; {why}"
                )
        option = next((one for one in left if one.id == wish), left[0])
        left.remove(option)
        closed = await _closed(scene, slots, option)
        if closed:
            await slots.run(f"{option.id}?end", partial(_end, scene, option, SKIPPED, closed))
            why = f"{option.title} was left out: {closed}"
        else:
            why = await _tried(scene, slots, option, carry_out)
            if not why:
                return Climbed(restored=True, why=option.title, option=option.id)
        chosen = wish != IN_ORDER
        wish = ASK if chosen or _nobody_left(left, rollback.options) else IN_ORDER
    return Climbed(restored=False, why=why)


async def _tried(scene: Scene, slots: Slots, option: Option, carry_out: Try) -> str:
    """Carry out one way; return why it did not work, nothing when it did."""
    await slots.run(f"{option.id}?begin", partial(_begin, scene, option))
    failed = await carry_out(option)
    status = Status.PASS if failed is None else Status.FAIL
    why = "" if failed is None else said_of(failed)
    await slots.run(f"{option.id}?end", partial(_end, scene, option, status.value, why))
    return why


async def _closed(scene: Scene, slots: Slots, option: Option) -> str:
    """Return why a way is not open now; nothing when it is. What cannot be said is not open."""
    if option.after:
        found = await slots.run(f"{option.id}?open", partial(_follows, scene, option))
        if found["why"]:
            return str(found["why"])
    for step in option.conditions:
        result = await slots.run(step.id, partial(perform, scene, step, deaf=True))
        finding = Finding.from_json(result)
        if finding.status is not Status.PASS:
            return f"only if {step.title.rstrip('?')}: {finding.why or finding.actual}"
    return ""


def _follows(scene: Scene, option: Option) -> Mapping[str, object]:
    closed = (_unmet(scene, one) for one in option.after)
    return {"why": next((why for why in closed if why), "")}


def _unmet(scene: Scene, follows: Follows) -> str:
    """Say why a way that depends on a step of the release is not open."""
    by_hand = scene.last("answer.given", f"{follows.step}?block")
    begun = by_hand is not None and by_hand.body.get("answer") == "by hand"
    begun = begun or scene.last("step.started", follows.step) is not None
    if begun is follows.begun:
        return ""
    return f"`{follows.title}` was {'begun' if begun else 'not begun'} in this run"


def said_of(finding: Finding) -> str:
    """Return what a finding says, in one line."""
    return f"{finding.title}: {finding.why or finding.actual}"


def _begin(scene: Scene, option: Option) -> Mapping[str, object]:
    body = {
        "title": option.title,
        "stated_s": option.stated_s,
        "loses": option.loss,
        "destructive": option.destructive,
    }
    return scene.once("option.started", option.id, body=body)


def _end(scene: Scene, option: Option, status: str, why: str) -> Mapping[str, object]:
    return scene.once("option.finished", option.id, body={"status": status, "why": why})


# --- a person chooses


def rungs(rollback: Rollback, left: Sequence[Option]) -> tuple[str, ...]:
    """Return the ladder as lines: rank, name, stated time, what is lost, when it is open."""
    lines: list[str] = []
    for rank, option in enumerate(rollback.options, start=1):
        if option not in left:
            lines.append(f"{rank}. {option.title}: was tried or left out")
            continue
        said = option.title
        if option.stated_s is not None and _TIME.search(option.title) is None:
            said += f", about {spoken(option.stated_s)}"
        lines.append(f"{rank}. {said}")
        lines += [f"   loses {option.loss}"] if option.loss else []
        lines += ["   a person types its name first"] if option.destructive else []
        lines += [f"   only if {text}" for text in option.open_when]
    return tuple(lines)


def names_of(rollback: Rollback) -> dict[str, str]:
    """Return the names by which options are chosen: titles in small letters, without a time.

    A title that two options share, or that is a word or number of another meaning, is no name.
    """
    found = {o.id: " ".join(_TIME.sub("", o.title).lower().split()) for o in rollback.options}
    known = [*found.values(), "yes", "no"]
    return {
        key: name for key, name in found.items() if known.count(name) == 1 and not name.isdigit()
    }


def question(
    item: str, text: str, rollback: Rollback, left: Sequence[Option], why: str = ""
) -> Question:
    """Return the question that offers what is left of the ladder, and `yes` for the next of it."""
    ranks = {option.id: str(n) for n, option in enumerate(rollback.options, start=1)}
    names = names_of(rollback)
    choices = [ranks[option.id] for option in left]
    choices += [names[option.id] for option in left if option.id in names]
    detail = "\n".join((*((why,) if why else ()), *rungs(rollback, left)))
    several = tuple(choices) if len(rollback.options) > 1 else ()
    return Question(item, Form.ROLLBACK, text, rollback.span.line, detail, more=several)


def choice(rollback: Rollback, answer: str) -> str:
    """Return the wish that an answer to `question` means."""
    if answer == "no":
        return REFUSED
    names = names_of(rollback)
    for rank, option in enumerate(rollback.options, start=1):
        if answer in (str(rank), names.get(option.id)):
            return option.id
    return IN_ORDER


def _what_is_left(rollback: Rollback, left: Sequence[Option]) -> str:
    """Say which ways are left, or that none of them runs by itself."""
    if all(option.destructive for option in left):
        return "nothing is left that runs by itself"
    ranks = {option.id: n for n, option in enumerate(rollback.options, start=1)}
    named = (f"{ranks[option.id]}. {_TIME.sub('', option.title)}" for option in left)
    return f"left {'is' if len(left) == 1 else 'are'} {', '.join(named)}"


def _choose(scene: Scene, left: Sequence[Option], number: int, why: str) -> dict[str, object]:
    rollback = scene.plan.rollback
    assert rollback is not None, "a ladder has rungs"
    tried = why if len(left) < len(rollback.options) else ""
    text = f"which way back? {_what_is_left(rollback, left)}"
    answer = ask(scene, question(_choice(number), text, rollback, left, tried), deaf=True)
    wish = choice(rollback, answer.answer)
    if wish == IN_ORDER:
        wish = left[0].id  # the person has chosen it: after it fails, a person is asked again
    return {"choice": wish, "who": answer.who, "reason": answer.reason}
