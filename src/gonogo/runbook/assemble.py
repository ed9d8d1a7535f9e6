"""From the outline of a page to a plan, with all mistakes at once: the second of the six hops."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from gonogo.errors import Diagnostic, RunbookError, Severity
from gonogo.plan.kinds import Catalog, Role
from gonogo.plan.lengths import lengths
from gonogo.plan.model import Checkpoint, Meaning, Phase, Plan, Recovery, Rollback
from gonogo.runbook import (
    baselines,
    contradictions,
    durations,
    first_looks,
    guarding,
    layout,
    naming,
    needing,
    offline,
    polarity,
    remembering,
    requiring,
    returning,
    rollback,
    settings,
    strangers,
    variables,
    watched,
)
from gonogo.runbook.binding import Binder
from gonogo.runbook.blocks import Fences
from gonogo.runbook.bound import BoundChapter, asked_in
from gonogo.runbook.calendars import calendar_of
from gonogo.runbook.chapters import read_chapters
from gonogo.runbook.checkpoints import checkpoints_of
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.drafts import Draft, Origin, RuleDraft
from gonogo.runbook.identity import Register, slug
from gonogo.runbook.limits import Rules
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Outline
from gonogo.runbook.returning import OF_OPTION, OF_RECOVERY, Ways
from gonogo.runbook.roles import Topic
from gonogo.runbook.settings import Settings


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was understood, also when it is not enough for a plan."""

    plan: Plan | None  # None when there is an error
    diagnostics: tuple[Diagnostic, ...]
    meanings: tuple[Meaning, ...]
    draft: Plan  # what could be bound, also when there is an error: to look at, never to run


def assemble(outline: Outline, catalog: Catalog) -> Plan:
    """Return the plan of a runbook.

    Raises `RunbookError` with all diagnostics, by line, when one of them is an error.
    """
    understood = understand(outline, catalog)
    if understood.plan is None:
        raise RunbookError(outline.source, understood.diagnostics)
    return understood.plan


def understand(outline: Outline, catalog: Catalog) -> Understanding:
    """Return the plan, or none when there is an error, with all diagnostics and meanings."""
    book = Notebook(outline.source, catalog)
    book.extend(outline.diagnostics)
    found = settings.read(outline.front_matter, book)
    plan = _Assembly(outline, found, book).plan()
    offline.report(plan, found, book)
    diagnostics, meanings = book.diagnostics, book.meanings
    if any(d.severity is Severity.ERROR for d in diagnostics):
        return Understanding(None, diagnostics, meanings, plan)
    plan = dataclasses.replace(plan, diagnostics=diagnostics, meanings=meanings)
    return Understanding(plan, diagnostics, meanings, plan)


class _Assembly:
    """One runbook on its way to a plan."""

    def __init__(self, outline: Outline, found: Settings, book: Notebook) -> None:
        self.outline = outline
        self.settings = found
        self.book = book
        self.fences = Fences(book, frozenset(target.name for target in found.targets))
        names = [target.name for target in found.targets]
        self.rules = Rules(book, found.metrics, names)
        self.binder = Binder(book, found, self.fences, self.rules.metric_meant)
        self.register = Register()
        self.blocks = ""  # what waits for this release
        self._phase_needs: dict[str, tuple[str, ...]] = {}

    def plan(self) -> Plan:
        places = layout.lay_out(self.outline, self.book)
        strangers.report(places, self.book)
        bound = naming.name_phases(read_chapters(places, self.book, self.fences), self.book)
        several = sum(one.chapter.role is Role.WATCH for one in bound) > 1
        for one in bound:
            own = several and one.chapter.role is Role.WATCH
            self.rules.watch = one.id if own else ""
            self._read_rules(one)
        self._place_questions(bound)
        self.blocks = requiring.settle(bound, places, self.book)
        for one in bound:
            self._bind(one)
        self._phase_needs = needing.settle(bound, self.book)
        phases = tuple(self._phase(one, bound) for one in bound if one.is_phase)
        back = self._rollback(bound)
        phases = guarding.guard(phases, back, self.book)
        contradictions.report(self.rules.rules, self.book)
        watched.report(self.settings, self.rules.rules, self.book)
        every_step = [step for phase in phases for step in phase.steps]
        baselines.report(self.rules.rules, every_step, self.book)
        self._say_lengths(phases)
        watched.report_idle(phases, self.settings, self.rules.rules, self.book)
        self._check_buckets(bound)
        remembering.report(phases, back, self.rules.rules, self.book)
        first_looks.report(phases, back, self.settings.targets, self.book)
        used = variables.collect(self.fences.variables, self.settings, self.book)
        self._check_empty(phases)
        return Plan(
            title=self.settings.title or self.outline.title or self.outline.source.name,
            service=self.settings.service
            or slug(self.settings.title or self.outline.title or "runbook"),
            mode=self.book.mode,
            source=self.outline.source,
            phases=phases,
            rollback=back,
            rules=tuple(self.rules.rules),
            metrics=self.settings.metrics,
            targets=self.settings.targets,
            environments=self.settings.environments,
            variables=used,
            meanings=(),
            diagnostics=(),
            settings=self._settings(bound),
            env=self.settings.env,
            receivers=self.settings.receivers,
            recovery=self._recovery(bound, back),
        )

    # --- phases

    def _read_rules(self, one: BoundChapter) -> None:
        before = len(self.rules.rules)
        rules = one.chapter.rules if self.book.explicit else polarity.settled(one.chapter.rules)
        for draft in rules:
            question = self.rules.add(draft)
            if question is not None:
                one.questions.append(question)
        for step in one.chapter.drafts:
            self._rule_of_box(step)
        one.has_rules = len(self.rules.rules) > before

    def _rule_of_box(self, draft: Draft) -> None:
        """Make a success criterion with a figure a rule, beside the question that it stays."""
        if draft.parts or draft.origin not in (Origin.BOX, Origin.MARK, Origin.ITEM, Origin.ROW):
            return
        if draft.role not in (Role.SIGNOFF, Role.WATCH):
            return
        must = draft.role is Role.SIGNOFF
        self.rules.add_box(
            RuleDraft(draft.words, draft.span, Topic.CRITERIA, draft.role, draft.path, certain=must)
        )

    def _place_questions(self, bound: list[BoundChapter]) -> None:
        """Give each question to its phase; those of triggers of the rollback to every watch."""
        watches = [one for one in bound if one.chapter.role is Role.WATCH]
        homes = watches or [one for one in bound if one.chapter.role is not Role.ROLLBACK][-1:]
        for one in bound:
            back = one.chapter.role is Role.ROLLBACK
            one.chapter.drafts += [q for q in one.questions if not (back and q.must_not_be)]
            one.chapter.drafts.sort(key=lambda draft: draft.span)
        for one in bound:
            if one.chapter.role is not Role.ROLLBACK:
                continue
            triggers = [q for q in one.questions if q.must_not_be]
            for home in homes:
                home.chapter.drafts += [asked_in(home, homes[0], q) for q in triggers]
            for draft in triggers if not homes else ():
                self.book.warn("GN338", "no phase is left in which this is asked", draft.span)

    def _bind(self, one: BoundChapter) -> None:
        for draft in one.chapter.drafts:
            for loose in self.binder.bind(draft):
                one.loose.append(loose)
                one.steps.append(naming.name_step(loose, self.register, self.book))

    def _phase(self, one: BoundChapter, bound: list[BoundChapter]) -> Phase:
        chapter = one.chapter
        span_s = chapter.watch_s() if chapter.role is Role.WATCH else None
        estimate = None if chapter.role is Role.WATCH else durations.stated_in(chapter.title)
        for remark in of_name(chapter.remarks, Name.ESTIMATE):
            estimate = durations.seconds(remark.text) or estimate
        return Phase(
            id=one.id,
            title=chapter.title,
            role=chapter.role,
            span=chapter.span,
            steps=tuple(one.steps),
            estimate_s=estimate,
            needs=self._phase_needs.get(one.id, ()),
            span_s=span_s,
            calendar=calendar_of(chapter, [b.chapter for b in bound], self.settings, self.book),
            from_first=span_s is not None and chapter.counts_from_first,
            checkpoints=self._checkpoints(one, span_s),
        )

    def _say_lengths(self, phases: tuple[Phase, ...]) -> None:
        released = [p for p in phases if p.role is not Role.MAINTENANCE]
        left = lengths(released, self.rules.rules, self.settings.metrics)
        for phase in phases:
            length = left.get(phase.id)
            if length is None:
                continue
            said = f"lasts {durations.say(length)}, from its begin"
            if phase.from_first and length != phase.span_s:
                whole = durations.say(phase.span_s or 0.0)
                said = f"lasts another {durations.say(length)}: {whole} from the first watch on"
            self.book.mean(phase.span, "watch", said)

    def _checkpoints(self, one: BoundChapter, span_s: float | None) -> tuple[Checkpoint, ...]:
        chapter = one.chapter
        if chapter.role is not Role.WATCH:
            return ()
        steps = zip(one.steps, (loose.draft.section for loose in one.loose), strict=True)
        watch = (chapter.span, span_s)
        return checkpoints_of([*steps], chapter.headings, chapter.beats, watch, self.book)

    # --- the rest

    def _rollback(self, bound: list[BoundChapter]) -> Rollback | None:
        sections = [
            rollback.Section(
                one.chapter.title,
                one.chapter.span,
                tuple(zip(one.loose, one.steps, strict=True)),
                tuple(one.chapter.remarks),
                one.chapter.headings,
                one.chapter.below,
            )
            for one in bound
            if one.chapter.role is Role.ROLLBACK
        ]
        steps = [step for one in bound if one.is_phase for step in one.steps]
        ways = Ways(self.book, self.fences, steps)
        back = rollback.build(sections, ways, automatic=self.settings.automatic)
        if back is not None:
            for option in back.options:
                kept = " (destroys something: a person confirms)" if option.destructive else ""
                self.book.mean(option.span, "rollback option", option.title + kept)
        return back

    def _recovery(self, bound: list[BoundChapter], back: Rollback | None) -> Recovery:
        """Read when going back is over from the front matter and from anywhere on the page."""
        page: list[Remark] = []
        for one in bound:
            said = [remark for found in one.chapter.below.values() for remark in found]
            said += returning.remarks_in(one.chapter.drafts, OF_OPTION | OF_RECOVERY)
            page += [remark for remark in said if remark.name in OF_RECOVERY]
            if one.chapter.role is not Role.ROLLBACK:
                returning.misplaced([r for r in said if r.name in OF_OPTION], self.book)
        found = returning.of_page(
            returning.of_settings(self.settings.recovery, self.book), page, self.book
        )
        found = dataclasses.replace(found, limits=(*found.limits, *self.rules.limits))
        returning.check(found, back, self._settings(bound), self.book)
        if back is not None and self.rules.rules:
            number = "1 bucket (default)" if found.green == 1 else f"{found.green} buckets in a row"
            self.book.mean(back.span, "rollback", f"over when the figures are green for {number}")
        return found

    def _settings(self, bound: list[BoundChapter]) -> dict[str, str]:
        found = dict(self.settings.others)
        for one in bound:
            bucket = durations.bucket_in(one.chapter.title)
            if one.chapter.role is Role.WATCH and bucket is not None:
                found.setdefault("bucket", f"{bucket:g}")
            for remark in of_name(one.chapter.remarks, Name.EVERY):
                beat = durations.seconds(remark.text)
                if one.chapter.role is Role.WATCH and beat is not None:
                    found.setdefault("bucket", f"{beat:g}")
        if self.blocks:
            found["blocks"] = self.blocks
        if not self.settings.automatic:
            found["rollback"] = "ask"  # counts for the undoing of steps too, without a section
        return dict(sorted(found.items()))

    def _check_buckets(self, bound: list[BoundChapter]) -> None:
        """Report watches that ask for other buckets: all of a release lie on one grid."""
        width = float(self._settings(bound).get("bucket", 0))
        for one in bound:
            asked = durations.bucket_in(one.chapter.title)
            if one.chapter.role is Role.WATCH and asked is not None and asked != width:
                self.book.strict(
                    "GN384",
                    f"`{one.chapter.title}` asks for buckets of {durations.say(asked)}, and this"
                    f" release is watched in buckets of {durations.say(width)}",
                    one.chapter.span,
                    hint="all watches of a release have buckets of one width: name the same one",
                )

    def _check_empty(self, phases: tuple[Phase, ...]) -> None:
        if any(phase.steps for phase in phases) or self.book.has_errors:
            return
        self.book.strict(
            "GN405",
            "this runbook has no step: no heading names a phase that holds one",
            self.outline.sections[0].span,
            hint="write `## Deployment` and a numbered list under it, or `- Phase: deploy`",
        )
