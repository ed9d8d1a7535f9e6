"""From a collected step to typed steps: blocks bound, directives read, expectations settled."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from gonogo.plan.kinds import Destruction, Effect, Lasting, Role
from gonogo.plan.model import Baseline, Block, Expectation, Step
from gonogo.plan.secretwords import masked
from gonogo.runbook import (
    baselines,
    expectations,
    given_blocks,
    misspelt,
    phrases,
    promises,
    remembering,
    stated,
)
from gonogo.runbook.blocks import Bound, Fences, shifted
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.drafts import WHOLE, Draft, Origin, Part
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.roles import Topic
from gonogo.runbook.settings import Settings

_NOTED = frozenset(
    {Name.NOTE, Name.EVIDENCE, Name.EVERY, Name.FOR, Name.NO_DUMP, Name.BLOCKS}
)  # kept with the step, for people


@dataclass(frozen=True, slots=True)
class Loose:
    """A step that still lacks its final identity and the steps it needs."""

    step: Step
    draft: Draft
    named: Remark | None
    needs: tuple[Remark, ...]
    suffix: str = ""  # of the second and further blocks of one step
    follows: bool = False  # needs the block before it, which belongs to the same step


class Binder:
    """Binds drafts; keeps the settings and the fences at hand."""

    def __init__(
        self, book: Notebook, settings: Settings, fences: Fences, find: baselines.Find
    ) -> None:
        """Bind with the defaults of the front matter; `find` knows the bound metrics."""
        self.find = find
        self.book = book
        self.settings = settings
        self.fences = fences

    def bind(self, draft: Draft) -> tuple[Loose, ...]:
        """Return the steps of a draft: one per block, or one question to a person."""
        if not draft.parts:
            self._only_inline(draft)
            return (self._loose(draft, None, 0),)
        found = tuple(self._loose(draft, part, n) for n, part in enumerate(draft.parts))
        misspelt.report_way_back(draft, self.book)
        promises.report_title(draft, [loose.step for loose in found], self.book)
        return found

    def _loose(self, draft: Draft, part: Part | None, number: int) -> Loose:
        remarks = [r for r in draft.remarks if number == 0 or r.name in WHOLE]
        bound = None
        if part is not None:
            bound = self.fences.bind(part.fence)
            remarks += [*(bound.remarks if bound else ()), *part.remarks]
        for remark in remarks:
            self._mean_remark(remark)
        named = of_name(remarks, Name.NAME)
        for extra in named[1:]:
            self.book.strict("GN317", "a step has one name", extra.span, hint="keep one `Name:`")
        return Loose(
            step=self._step(draft, part, bound, remarks),
            draft=draft,
            named=named[0] if named and named[0].text.strip() else None,
            needs=(*of_name(remarks, Name.NEEDS), *of_name(remarks, Name.REQUIRES)),
            suffix=f"-{number + 1}" if number else "",
            follows=number > 0,
        )

    def _step(
        self, draft: Draft, part: Part | None, bound: Bound | None, remarks: Sequence[Remark]
    ) -> Step:
        by_hand = bound is not None and bool(bound.by_hand)
        block = bound.block if bound is not None and not by_hand else None
        span = part.fence.span if part is not None and part is not draft.parts[0] else draft.span
        role = Role.VERIFY if draft.topic is Topic.PROOF else draft.role
        effect = self._effect(block, role, remarks)
        baseline = self._baseline(draft, remarks) if part is None else None
        wanted = expectations.read_expectations(remarks, part.fence if part else None, self.book)
        expect = tuple(wanted.expect)
        expect = expectations.of_block(block, expect, self.book) if block is not None else expect
        if block is not None and not expect:  # a person judges the prose on top of the default
            prose = effect is Effect.CHECK and bool(wanted.notes)
            expect = expectations.by_default(
                block.work, effect, block.span, self.book, judged_by_hand=prose
            )
        if block is not None and part is not None and not wanted.notes:
            self.book.extend(expectations.unjudged(block, part.fence, expect, remarks))
        elif block is None and not expect:
            expect = self._of_title(draft)
        step = Step(
            id="",
            title=draft.title,
            span=span,
            path=draft.path,
            effect=effect if baseline is None else Effect.CHECK,
            block=block,
            expect=expect,
            critical=draft.critical or stated.yes(remarks, Name.CRITICAL, self.book),
            claimed=draft.claimed,
            optional=draft.optional or stated.yes(remarks, Name.OPTIONAL, self.book),
            parallel=stated.yes(remarks, Name.PARALLEL, self.book),
            background=given_blocks.in_background(
                block, self.book, beside=draft.role is not Role.ROLLBACK
            ),
            retry=stated.retry(remarks, self.settings.retry, self.book),
            timeout_s=stated.duration(remarks, Name.TIMEOUT, self.book) or self._room(block),
            unless=given_blocks.unless(remarks, self.fences, self.book),
            undo=given_blocks.undo(remarks, self.fences, self.book),
            interrupted=stated.interrupted(remarks, self.book),
            destroys=self._destroys(bound.block if bound else None, part),
            owner=stated.owner(draft, remarks),
            estimate_s=stated.estimate(draft, remarks, self.book),
            records=remembering.names(remarks),
            keeps=remembering.kept(remarks, self.book),
            notes=(*_notes(draft, remarks, self.book), *wanted.notes, *_by_hand(bound, part)),
            deadline_s=stated.duration(remarks, Name.DEADLINE, self.book),
            baseline=baseline,
            every_s=stated.duration(remarks, Name.EVERY, self.book) if role is Role.WATCH else None,
        )
        self._mean(step, draft, part)
        return step

    def _baseline(self, draft: Draft, remarks: Sequence[Remark]) -> Baseline | None:
        records = of_name(remarks, Name.RECORD)
        for_s = stated.duration(remarks, Name.FOR, self.book) if records else None
        return baselines.baseline_of(draft.role, remarks, for_s, self.find, self.book)

    # --- what a step does

    def _effect(self, block: Block | None, role: Role, remarks: Sequence[Remark]) -> Effect:
        if block is None:
            return Effect.MANUAL
        effect = block.work.effect(role)
        for remark in of_name(remarks, Name.KIND):
            said = remark.text.strip().strip("`").casefold()
            if said not in (Effect.CHECK.value, Effect.ACTION.value):
                self.book.strict(
                    "GN315",
                    f"`Kind` is `{remark.text}`, expected `check` or `action`",
                    remark.value.place(),
                )
            elif said == Effect.CHECK.value and block.work.destroys():
                self.book.error(
                    "GN316",
                    "a block that destroys something is no check",
                    remark.value.place(),
                    hint="take `Kind: check` away: it is carried out once, after a person's yes",
                )
            else:
                effect = Effect(said)
        return effect

    def _destroys(self, block: Block | None, part: Part | None) -> tuple[Destruction, ...]:
        if block is None or part is None:
            return ()
        return tuple(
            dataclasses.replace(d, span=shifted(d.span, part.fence)) for d in block.work.destroys()
        )

    def _of_title(self, draft: Draft) -> tuple[Expectation, ...]:
        """Return the bound that the words of a question state, so that the answer is held to it."""
        if draft.role not in (Role.SIGNOFF, Role.WATCH, Role.VERIFY, Role.LOAD):
            return ()
        if draft.must_not_be or not phrases.may_hold_a_bound(draft.words.text):
            return ()
        said = phrases.read(draft.words)
        if said.condition is None or not phrases.has_bound(said.condition):
            return ()
        return (Expectation(said.condition, draft.span),)

    def _only_inline(self, draft: Draft) -> None:
        """Say that a command in the words of a step is not run."""
        codes = [text for text, _ in draft.words.inline_code if " " in text.strip()]
        if len(codes) != 1 or draft.origin not in (Origin.BOX, Origin.ITEM, Origin.MARK):
            return
        self.book.note(
            "GN318",
            f"`{codes[0][:60]}` is not run: a person does it",
            draft.span,
            hint="put it in a `bash` block under the step to run it",
        )

    def _room(self, block: Block | None) -> float:
        """Return the default timeout, but never less than the block says that it takes."""
        lasts = block.work.lasts_s() if block and isinstance(block.work, Lasting) else 0.0
        return max(self.settings.timeout_s, lasts)

    # --- meanings

    def _mean(self, step: Step, draft: Draft, part: Part | None) -> None:
        claimed = " (claimed by a tick)" if step.claimed else ""
        if step.baseline is not None:
            names = ", ".join(figure[0] for figure in step.baseline.figures)
            self.book.mean(step.span, "baseline", f"measured before the deploy: {names}")
            return
        if step.block is None:
            said = (
                "a person answers, and it must not be so"
                if draft.must_not_be
                else "a person answers"
            )
            self.book.mean(step.span, "manual step", f"{step.title}: {said}{claimed}")
            if part is not None:
                self.book.mean(part.fence.span, "by hand", "not carried out by gonogo")
            return
        self.book.mean(draft.span, "step", f"{draft.origin.value}: {step.title}{claimed}")
        work = step.block.work
        what = f"{work.kind}: {work.describe()}"
        self.book.mean(part.fence.span if part else step.block.span, step.effect.value, what)

    def _mean_remark(self, remark: Remark) -> None:
        if remark.name is not Name.EXPECT:
            said = f"{remark.name.value}: {remark.text}"
            self.book.mean(remark.span.to(remark.value.place()), "directive", said)
        for fence in remark.fences:
            self.book.mean(fence.span, "directive", f"block of {remark.name.value}")
        for item in remark.items:
            self.book.mean(item.span, "directive", f"under {remark.name.value}: {item.text}")


def _notes(draft: Draft, remarks: Sequence[Remark], book: Notebook) -> tuple[str, ...]:
    found = list(draft.notes)
    found += [
        f"{remark.name.value}: {' '.join(remark.text.split())}"
        for remark in remarks
        if remark.name in _NOTED or stated.is_remark(remark, book)
    ]
    return tuple(found)


def _by_hand(bound: Bound | None, part: Part | None) -> tuple[str, ...]:
    if bound is None or not bound.by_hand or part is None:
        return ()
    return (f"By hand only: {bound.by_hand}", f"Block: {masked(bound.block.text)}")
