"""A look behind the deployment that is compared with one before it, which nobody takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from gonogo.plan import filling
from gonogo.plan.dumps import keeps_data
from gonogo.plan.kinds import Comparing, Effect, Role, Scripted
from gonogo.plan.model import Phase, Rollback, Step, Target
from gonogo.runbook.notebook import Notebook

_MIGRATES = re.compile(
    r"migrat|\b(?:alembic|flyway|liquibase|dbmate|goose|sqitch|atlas)\b|\bdb[ :](?:push|upgrade)\b",
    re.IGNORECASE,
)
_IN_THE_RELEASE = frozenset(Role) - {Role.ROLLBACK, Role.MAINTENANCE, Role.REFERENCE}


@dataclass(frozen=True, slots=True)
class _Place:
    """A step in the order in which the release carries it out."""

    step: Step
    role: Role


@dataclass(frozen=True, slots=True)
class _Change:
    """From which place on data may be other than before, and the step with which that begins."""

    at: int
    begin: Step


def report(
    phases: Sequence[Phase], back: Rollback | None, targets: Sequence[Target], book: Notebook
) -> None:
    """Warn of each place that is compared behind the deployment and was not looked at before."""
    places = [
        _Place(step, phase.role)
        for phase in phases
        if phase.role in _IN_THE_RELEASE
        for step in phase.steps
    ]
    texts = {target.name: target.text for target in targets}
    looks = any(_where(step, texts) for step in chain((p.step for p in places), _back(back)))
    change = _change(places) if looks else None
    if change is None:
        return
    before: dict[str, list[Step]] = {}
    for at, place in enumerate(places):
        for where in _where(place.step, texts):
            first_of_its = where not in before and _comes_before_more(places, at, texts)
            if at < change.at or first_of_its:
                before.setdefault(where, []).append(place.step)
    told: set[str] = set()
    behind = (place.step for place in places[change.at :] if not _is_on_a_beat(place))
    for step in chain(behind, _back(back)):
        for where in _where(step, texts):
            if where in before:
                _tell_gaps(step, before[where], book)
            elif where not in told and _tell_first(step, change.begin, book):
                told.add(where)


def _change(places: Sequence[_Place]) -> _Change | None:
    """Return where the release first changes data, as far as that can be seen from the page.

    The first migration, when one is recognised; else the first action of the deployment; else,
    when people do all of it, the last that they do.
    """
    acts = [at for at, place in enumerate(places) if place.step.effect is Effect.ACTION]
    migrations = [at for at in acts if _migrates(places[at])]
    actions = [at for at in acts if _deploys(places[at])]
    if migrations or actions:
        at = (migrations or actions)[0]
        return _Change(at, places[at].step)
    by_hand = [
        at
        for at, place in enumerate(places)
        if place.role is Role.DEPLOY and place.step.effect is Effect.MANUAL
    ]
    return _Change(by_hand[-1], places[by_hand[0]].step) if by_hand else None


def _deploys(place: _Place) -> bool:
    """Say whether an action belongs to the deployment; a dump of the data changes nothing."""
    acts = place.step.effect is Effect.ACTION
    return acts and place.role is Role.DEPLOY and not _keeps(place.step)


def _migrates(place: _Place) -> bool:
    block = place.step.block
    if block is None:
        return False
    if block.kind == "migrate":
        return True
    return (
        _deploys(place)
        and isinstance(block.work, Scripted)
        and _MIGRATES.search(block.work.script()) is not None
    )


def _keeps(step: Step) -> bool:
    return step.block is not None and keeps_data(step.block)


def _comes_before_more(places: Sequence[_Place], at: int, texts: Mapping[str, str]) -> bool:
    """Say whether a look amid a deployment may be meant as the one before.

    So it is where no migration is recognised, more is deployed behind it, and then somebody looks
    once more at the same place: the service was stopped, the rows counted, then it was changed.
    """
    if places[at].role is not Role.DEPLOY or any(_migrates(place) for place in places):
        return False
    more = (n for n in range(at + 1, len(places)) if _deploys(places[n]))
    change = next(more, None)
    if change is None:
        return False
    mine = _where(places[at].step, texts)
    return any(_where(place.step, texts) == mine for place in places[change:])


def _is_on_a_beat(place: _Place) -> bool:
    """Say whether a check is repeated in a watch: then it is compared with its own first look."""
    return place.role is Role.WATCH and place.step.every_s is not None


def _back(back: Rollback | None) -> Iterator[Step]:
    if back is not None:
        yield from chain.from_iterable(option.steps for option in back.options)
        yield from back.proof


def _where(step: Step, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the place at which a step looks, when it is one that compares."""
    if step.block is None or not isinstance(step.block.work, Comparing):
        return ()
    said = step.block.work.looks_on().strip()
    return (texts.get(said, said),) if said else ()


def _compared(step: Step, work: Comparing) -> str:
    """Return in words what a step compares, beside what its kind insists on; empty: nothing."""
    assert step.block is not None
    own = step.block.span
    written = [one.condition for one in step.expect if one.span != own and not one.default]
    return work.compares(written)


def _tell_first(step: Step, begin: Step, book: Notebook) -> bool:
    """Report a step that compares with a look that nobody takes; return whether it compares."""
    assert step.block is not None
    work = step.block.work
    assert isinstance(work, Comparing)
    compared = _compared(step, work)
    if compared:
        on = filling.shown(work.looks_on())
        book.warn(
            "GN415",
            f"no look at `{on}` stands before the deployment to compare {compared} with",
            step.block.span,
            label="the first look of the run, which passes whatever was lost",
            hint=f"write a `check: {step.block.kind}` with `on: {on}` before line {begin.span.line}"
            f" (`{begin.title}`)",
        )
    return bool(compared)


def _tell_gaps(step: Step, before: Sequence[Step], book: Notebook) -> None:
    """Report what a step compares and the looks before the deployment have not seen."""
    assert step.block is not None
    work = step.block.work
    assert isinstance(work, Comparing)
    earlier = [one.block.work for one in before if one.block is not None]
    if step in before or not _compared(step, work):
        return
    for gap in work.overlooked(earlier):
        book.warn(
            "GN416",
            gap,
            step.block.span,
            label="what was not seen before cannot be compared, and does not pass",
            hint=f"let the `check: {step.block.kind}` on line {before[0].span.line} see it too",
        )
