"""What a page says about going back: what a way loses, when it is open, how long it may take."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence

from gonogo.plan.kinds import Effect
from gonogo.plan.model import Follows, Limit, Option, Recovery, Rollback, Step
from gonogo.plan.receiving import Written
from gonogo.runbook import durations, given_blocks
from gonogo.runbook.blocks import Fences
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.drafts import Draft
from gonogo.runbook.notebook import Notebook
from gonogo.source import Span, shortened

OF_OPTION = frozenset({Name.LOSES, Name.ONLY_IF})
"""Directives that stand under the heading of a way back."""
OF_RECOVERY = frozenset({Name.GREEN, Name.RTO})
"""Directives about the whole way back."""
FIELDS = ("green", "within", "rto")
_USUAL = Recovery()
_DEFAULT_BUCKET_S = 300.0
_GREEN = re.compile(r"(\d{1,3})(?:\s*(?:consecutive |full )?(?:buckets?|slices?|times))?\.?")
_SOFT = re.compile(r"^(?:about|around|approx(?:imately|\.)?|roughly|ca\.?|~|≈)", re.IGNORECASE)
_STRICT = re.compile(r"^(?:<(?!=)|under\b|less than\b|below\b)", re.IGNORECASE)
_BOUND = re.compile(
    r"^(?:<=?|≤|under|less than|below|at most|within|up to|max(?:imum)?\.?)\s*", re.IGNORECASE
)
_DONE = re.compile(
    r"^(?:the step\s+)?(?P<name>.{1,200}?)"
    r"(?:\s+(?:was|were|is|are|has been|have been)\s+(?P<not>not\s+)?"
    r"(?:applied|begun|started|run|done|carried out|made|executed))?[.]?$",
    re.IGNORECASE,
)
_UNLESS = re.compile(r"^(?:not|unless)\s+", re.IGNORECASE)


def read_limit(text: str, span: Span) -> Limit | None:
    """Read `< 15 minutes`, `15m` or `at most 1 h` as a bound; None for anything else."""
    cleaned = text.strip().strip("`")
    seconds = durations.seconds(_BOUND.sub("", cleaned))
    if seconds is None or seconds <= 0 or _SOFT.match(cleaned):
        return None
    return Limit(seconds, strict=_STRICT.match(cleaned) is not None, span=span)


def read_green(text: str) -> int | None:
    """Read `3 buckets`; None when it is no number of buckets from 1 to 999."""
    found = _GREEN.fullmatch(text.strip().strip("`").lower())
    number = int(found[1]) if found else 0
    return number or None


def of_settings(written: Written | None, book: Notebook) -> Recovery:
    """Read `recovery: { green: 3 buckets, within: 30m, rto: 15m }` of the front matter."""
    found = _USUAL
    if written is None:
        return found
    if not written.pairs:
        book.error(
            "GN411",
            "`recovery` says nothing that is understood",
            written.span,
            hint="write `recovery: { green: 3 buckets, within: 30m }`",
        )
    for name, place, value in written.pairs or ():
        if name not in FIELDS:
            hint = book.did_you_mean(name, FIELDS)
            book.error("GN303", f"`recovery` has no setting `{name}`", place, hint=hint)
            continue
        found = _with(found, name, value.text or "", value.span, book)
    return found


def of_page(given: Recovery, remarks: Iterable[Remark], book: Notebook) -> Recovery:
    """Return what the front matter says, with `Green:` and `RTO:` of the page over it."""
    for remark in remarks:
        if remark.name in OF_RECOVERY and not _SOFT.match(remark.text.strip()):
            given = _with(given, remark.name.value.lower(), remark.text, remark.value.place(), book)
    return given


def _with(found: Recovery, name: str, text: str, span: Span, book: Notebook) -> Recovery:
    if name == "green":
        number = read_green(text)
        if number is None:
            book.error(
                "GN411",
                f"`{text}` is no number of buckets",
                span,
                hint="write for example `green: 3 buckets`",
            )
        return dataclasses.replace(found, green=number or found.green)
    limit = read_limit(text, span)
    if limit is None:
        book.error(
            "GN412",
            f"`{name}` is `{text}`, expected a duration",
            span,
            hint=f"write for example `{name}: 15m`",
        )
        return found
    if name == "within":
        return dataclasses.replace(found, within_s=limit.seconds)
    return dataclasses.replace(found, limits=(*found.limits, limit))


def stated_in(remarks: Iterable[Remark]) -> float | None:
    """Return the time of `Recovery time: about 10 minutes`: stated, and no bound."""
    found = [remark.text.strip() for remark in of_name(remarks, Name.RTO)]
    soft = [durations.seconds(text) for text in found if _SOFT.match(text)]
    return next((seconds for seconds in soft if seconds), None)


def remarks_in(drafts: Iterable[Draft], names: frozenset[Name]) -> list[Remark]:
    """Return the directives of these names that stand at steps or behind their blocks."""
    found = []
    for draft in drafts:
        everything = [*draft.remarks, *(r for part in draft.parts for r in part.remarks)]
        found += [remark for remark in everything if remark.name in names]
    return found


class Ways:
    """Gives each way back its loss and its conditions."""

    def __init__(self, book: Notebook, fences: Fences, steps: Sequence[Step]) -> None:
        """Know the steps of the release: a way back may depend on one of them."""
        self.book = book
        self.fences = fences
        self._steps = {_same(step.title): step for step in reversed(steps)}
        self._steps |= {step.id: step for step in steps}

    def complete(self, option: Option, remarks: Sequence[Remark]) -> Option:
        """Return the option with what its directives say."""
        loses = [r.text.strip().rstrip(".") for r in of_name(remarks, Name.LOSES)]
        conditions: list[Step] = []
        after: list[Follows] = []
        for remark in of_name(remarks, Name.ONLY_IF):
            found = self._only_if(option, remark, len(conditions) + 1)
            if isinstance(found, Follows):
                after.append(found)
            elif found is not None:
                conditions.append(found)
        return dataclasses.replace(
            option,
            loses="; ".join(text for text in loses if text),
            conditions=tuple(conditions),
            after=tuple(after),
        )

    def _only_if(self, option: Option, remark: Remark, number: int) -> Step | Follows | None:
        if remark.fences or remark.command is not None:
            return self._looked_at(option, remark, number)
        text = " ".join(remark.text.split()).strip()
        if not text:
            self.book.strict(
                "GN321",
                "`Only if` says nothing",
                remark.span,
                hint="write a command in backticks, a block, the text of a step, or a question",
            )
            return None
        follows = self._follows(text)
        if follows is not None:
            begun = "begun" if follows.begun else "not begun"
            self.book.mean(remark.span, "condition", f"open when `{follows.title}` was {begun}")
            return follows
        self.book.mean(remark.span, "condition", f"a person is asked: {text}")
        near = self.book.nearest(text, [key for key in self._steps if " " in key])
        self.book.note(
            "GN409",
            f"`{shortened(text)}` is asked of a person when it comes to that",
            remark.value.place(),
            hint=(f"did you mean the step `{self._steps[near].title}`? " if near else "")
            + "write the text of a step, or a command, to have it looked at",
        )
        return _step(option, remark, number, text.rstrip("?.") + "?")

    def _looked_at(self, option: Option, remark: Remark, number: int) -> Step | None:
        done = given_blocks.done_of(remark, self.fences, self.book)
        if done is None:
            return None
        work = done.block.work
        self.book.mean(remark.span, "condition", f"open when this holds: {work.describe()}")
        step = _step(option, remark, number, remark.text.strip() or work.describe())
        return dataclasses.replace(
            step, effect=Effect.CHECK, block=done.block, expect=done.expect, timeout_s=60.0
        )

    def _follows(self, text: str) -> Follows | None:
        """Read the name of a step, also with `was applied` or `was not run` behind it."""
        bare = _UNLESS.sub("", text)
        matched = _DONE.match(bare)
        name = matched["name"] if matched else bare
        denied = bare != text or bool(matched and matched["not"])
        step = self._steps.get(_same(bare)) or self._steps.get(_same(name))
        return None if step is None else Follows(step.id, step.title, begun=not denied)


def _step(option: Option, remark: Remark, number: int, title: str) -> Step:
    return Step(
        id=f"{option.id}?if{number}",
        title=title,
        span=remark.span,
        path=(option.title,),
        effect=Effect.MANUAL,
    )


def _same(text: str) -> str:
    return " ".join(text.lower().strip("`\"' .").split())


def check(
    recovery: Recovery, back: Rollback | None, settings: Mapping[str, str], book: Notebook
) -> None:
    """Report times that cannot be kept: too little for the green buckets, or stated as too long."""
    bucket_s = float(settings.get("bucket", _DEFAULT_BUCKET_S))
    span = back.span if back is not None else Span.of_line(1)
    if recovery.within_s is not None and recovery.within_s < recovery.green * bucket_s:
        book.error(
            "GN413",
            f"{recovery.green} green buckets of {durations.say(bucket_s)} do not fit into"
            f" {durations.say(recovery.within_s)}",
            span,
            hint="give `recovery` a longer `within`, or ask for fewer green buckets",
        )
    if back is None or not recovery.limits:
        return
    limit = min(recovery.limits, key=lambda one: one.seconds)
    for option in back.options:
        if option.stated_s is not None and limit.breached(option.stated_s):
            book.warn(
                "GN414",
                f"`{shortened(option.title)}` takes {durations.say(option.stated_s)} as stated,"
                f" and going back may take {durations.say(limit.seconds)}",
                option.span,
                hint=f"the bound stands on line {limit.span.line}",
            )


def misplaced(remarks: Iterable[Remark], book: Notebook) -> None:
    """Report directives of a way back that stand where there is none."""
    for remark in remarks:
        book.strict(
            "GN410",
            f"`{remark.name.value}` speaks of a way back, and here is none",
            remark.span,
            hint="write it under a heading of the rollback section",
        )
