"""From a collected step to typed steps: blocks bound, directives read, expectations settled."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gonogo.plan.kinds import Destruction, Effect, Lasting, Role, Work
from gonogo.plan.model import Baseline, Block, Done, Expectation, Interrupted, Retry, Step
from gonogo.runbook import baselines, durations, expectations, phrases, remembering
from gonogo.runbook.blocks import Bound, Fences, is_in_background, shifted
from gonogo.runbook.directives import Name, Remark, of_name, remarks_of
from gonogo.runbook.drafts import WHOLE, Draft, Origin, Part
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Fence
from gonogo.runbook.roles import Topic
from gonogo.runbook.settings import Settings
from gonogo.runbook.values import parse_retry, parse_yes
from gonogo.source import Span

_APPROVAL = re.compile(
    r"^(?:approved|signed[\s-]off|sign[\s-]off|approval) by\b\s*:?\s*(.{1,80})$", re.IGNORECASE
)
_SHELL = "bash"


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
        return tuple(self._loose(draft, part, n) for n, part in enumerate(draft.parts))

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
            needs=of_name(remarks, Name.NEEDS),
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
            critical=draft.critical or self._yes(remarks, Name.CRITICAL),
            claimed=draft.claimed,
            optional=draft.optional or self._yes(remarks, Name.OPTIONAL),
            parallel=self._yes(remarks, Name.PARALLEL),
            background=self._in_background(block, beside=draft.role is not Role.ROLLBACK),
            retry=self._retry(remarks),
            timeout_s=self._duration(remarks, Name.TIMEOUT) or self._room(block),
            unless=self._unless(remarks),
            undo=self._undo(remarks),
            interrupted=self._interrupted(remarks),
            destroys=self._destroys(bound.block if bound else None, part),
            owner=self._owner(draft, remarks),
            estimate_s=self._estimate(draft, remarks),
            records=remembering.names(remarks),
            keeps=remembering.kept(remarks, self.book),
            notes=(*_notes(draft, remarks), *wanted.notes, *_by_hand(bound, part)),
            deadline_s=self._duration(remarks, Name.DEADLINE),
            baseline=baseline,
            every_s=self._duration(remarks, Name.EVERY) if role is Role.WATCH else None,
        )
        self._mean(step, draft, part)
        return step

    def _in_background(self, block: Block | None, *, beside: bool) -> bool:
        """Say whether a block is carried out in the background; warn where nothing runs beside."""
        if block is None or not is_in_background(block):
            return False
        if not beside:
            self.book.warn(
                "GN519",
                "`background` changes nothing here",
                Span.of_line(block.span.line),
                label="a way back and what belongs to a step run one after another",
                hint="take it out",
            )
        return beside

    def _baseline(self, draft: Draft, remarks: Sequence[Remark]) -> Baseline | None:
        for_s = self._duration(remarks, Name.FOR) if of_name(remarks, Name.RECORD) else None
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

    # --- directives

    def _yes(self, remarks: Sequence[Remark], name: Name) -> bool:
        answer = False
        for remark in of_name(remarks, name):
            said = parse_yes(remark.text)
            if said is None:
                self.book.strict(
                    "GN315",
                    f"`{name.value}` is `{remark.text}`, expected `yes` or `no`",
                    remark.value.place(),
                )
            answer = bool(said)
        return answer

    def _retry(self, remarks: Sequence[Remark]) -> Retry | None:
        found = self.settings.retry
        for remark in of_name(remarks, Name.RETRY):
            found = parse_retry(remark.text)
            if found is None:
                self.book.strict(
                    "GN315",
                    f"`Retry` is `{remark.text}`, which says neither how often nor how long",
                    remark.value.place(),
                    hint="write `3 times every 10s` or `for 2 minutes every 5s`",
                )
        return found

    def _duration(self, remarks: Sequence[Remark], name: Name) -> float | None:
        found = None
        for remark in of_name(remarks, name):
            found = durations.seconds(remark.text)
            if found is None or found <= 0:
                self.book.strict(
                    "GN315",
                    f"`{name.value}` is `{remark.text}`, expected a duration",
                    remark.value.place(),
                    hint="write for example `30s`, `5m` or `2 hours`",
                )
                found = None
        return found

    def _room(self, block: Block | None) -> float:
        """Return the default timeout, but never less than the block says that it takes."""
        lasts = block.work.lasts_s() if block and isinstance(block.work, Lasting) else 0.0
        return max(self.settings.timeout_s, lasts)

    def _estimate(self, draft: Draft, remarks: Sequence[Remark]) -> float | None:
        for remark in of_name(remarks, Name.ESTIMATE):
            found = durations.seconds(remark.text)
            if found is not None:
                return found
            self.book.note(
                "GN319", f"`{remark.text}` is no duration; it is only shown", remark.value.place()
            )
        return None if draft.role is Role.WATCH else durations.stated_in(draft.title)

    def _interrupted(self, remarks: Sequence[Remark]) -> Interrupted:
        found = Interrupted.RERUN if self._yes(remarks, Name.IDEMPOTENT) else Interrupted.ASK
        for remark in of_name(remarks, Name.INTERRUPTED):
            said = remark.text.strip().strip("`.").casefold()
            if said in ("rerun", "run again", "retry", "repeat"):
                found = Interrupted.RERUN
            elif said in ("ask", "stop"):
                found = Interrupted.ASK
            else:
                self.book.strict(
                    "GN315",
                    f"`If interrupted` is `{remark.text}`, expected `ask` or `rerun`",
                    remark.value.place(),
                )
        return found

    def _owner(self, draft: Draft, remarks: Sequence[Remark]) -> str | None:
        for remark in of_name(remarks, Name.OWNER):
            if remark.text.strip():
                return remark.text.strip()
        approval = _APPROVAL.match(draft.title)
        return draft.owner or (approval[1].strip() if approval else None)

    # --- blocks of directives

    def _blocks_of(self, remark: Remark) -> tuple[Bound, ...]:
        """Return the blocks that a directive gives, as fences under it or as inline code."""
        fences = list(remark.fences)
        if not fences and remark.command is not None:
            fences = [inline_fence(remark)]
        bound = [self.fences.bind(fence) for fence in fences]
        found = tuple(b for b in bound if b is not None)
        for one in found:
            self._in_background(one.block, beside=False)
        if not fences or len(found) < len(fences):
            if not fences:
                self.book.strict(
                    "GN321",
                    f"`{remark.name.value}` needs a command",
                    remark.span,
                    hint=f"write `- {remark.name.value}:` and a command in backticks, or a block",
                )
            elif any(not self.fences.runnable(fence) for fence in fences):
                self.book.strict(
                    "GN321", f"`{remark.name.value}` needs a block that can be run", remark.span
                )
        return found

    def _unless(self, remarks: Sequence[Remark]) -> Done | None:
        done = None
        for remark in of_name(remarks, Name.UNLESS):
            done = self.done_of(remark) or done
        return done

    def done_of(self, remark: Remark) -> Done | None:
        """Return the first block that a directive gives, with what it must show."""
        for bound in self._blocks_of(remark)[:1]:
            inner = [r for item in remark.items for r in remarks_of(item, self.book)]
            fence = remark.fences[0] if remark.fences else None
            inner += list(bound.remarks)
            wanted = expectations.read_expectations(inner, fence, self.book)
            expect = tuple(wanted.expect)
            if not expect and not wanted.notes:
                work: Work = bound.block.work
                expect = expectations.by_default(work, Effect.CHECK, remark.span, self.book)
            source = fence or inline_fence(remark)
            self.book.extend(expectations.unjudged(bound.block, source, expect, inner))
            return Done(bound.block, expect)
        return None

    def _undo(self, remarks: Sequence[Remark]) -> tuple[Block, ...]:
        blocks: list[Block] = []
        for remark in of_name(remarks, Name.UNDO):
            for bound in self._blocks_of(remark):
                blocks.append(bound.block)
                self.book.mean(bound.block.span, "undo", bound.block.work.describe())
        return tuple(blocks)

    # --- meanings

    def _mean(self, step: Step, draft: Draft, part: Part | None) -> None:
        claimed = " (claimed by a tick)" if step.claimed else ""
        if step.baseline is not None:
            names = ", ".join(figure[0] for figure in step.baseline.figures)
            self.book.mean(step.span, "baseline", f"measured before the deploy: {names}")
            return
        if step.block is None:
            self.book.mean(step.span, "manual step", f"{step.title}: a person answers{claimed}")
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


def _notes(draft: Draft, remarks: Sequence[Remark]) -> tuple[str, ...]:
    found = list(draft.notes)
    found += [
        f"{remark.name.value}: {' '.join(remark.text.split())}"
        for remark in remarks
        if remark.name in (Name.NOTE, Name.EVIDENCE, Name.EVERY, Name.FOR, Name.NO_DUMP)
    ]
    return tuple(found)


def _by_hand(bound: Bound | None, part: Part | None) -> tuple[str, ...]:
    if bound is None or not bound.by_hand or part is None:
        return ()
    return (f"By hand only: {bound.by_hand}", f"Block: {bound.block.text}")


def inline_fence(remark: Remark) -> Fence:
    """Return the command that a directive writes in backticks as a block of one line."""
    text, span = remark.value.inline_code[0]
    return Fence(
        info=_SHELL,
        language=_SHELL,
        words=(),
        attributes=(),
        options=(),
        body=text,
        body_without_options=text,
        span=span,
        info_span=Span.of_line(span.line, span.column),
        body_span=span,
        offsets=(span.column - 1,),
    )
