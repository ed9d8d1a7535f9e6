"""Walks over one section of a phase and collects its steps, rules and directives."""

from __future__ import annotations

from collections.abc import Callable

from gonogo.plan.kinds import Role
from gonogo.runbook import checklists, phrases, roles, shown, tables
from gonogo.runbook.directives import Name, Remark, lines_of, remarks_of
from gonogo.runbook.drafts import Draft, Origin, Part, RuleDraft, is_optional, short_title
from gonogo.runbook.labels import numbered
from gonogo.runbook.layout import Place
from gonogo.runbook.misspelt import is_no_directive
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import (
    CROSS_MARKS,
    TICK_MARKS,
    Checkbox,
    Fence,
    Html,
    Item,
    Node,
    Paragraph,
    Quote,
    Table,
)
from gonogo.runbook.roles import CONSEQUENCES, Topic
from gonogo.runbook.shapes import (
    STEP_MARKS,
    first_comment,
    has_box,
    has_boxes,
    heads_a_list,
    holds_conditions,
    is_wait,
    mean_html,
    mean_quotation,
    origin_of,
    title_of,
)
from gonogo.runbook.words import Words
from gonogo.source import Span

_RULE_TOPICS = frozenset(CONSEQUENCES) - {Topic.CRITERIA}
_CODE_RESULT = frozenset({"", "text", "txt", "json", "output", "console", "log", "plain"})


class Collector:
    """Reads the nodes of one section in the order of the page."""

    def __init__(self, place: Place, title: str, book: Notebook, runnable: Callable[[Fence], bool]):
        """Start at the top of a section whose phase is called `title`."""
        self.place = place
        self.book = book
        self.runnable = runnable
        self.drafts: list[Draft] = []
        self.rules: list[RuleDraft] = []
        self.remarks: list[Remark] = []  # of the phase or section
        self.path = (title, *place.headings)
        self.current: Draft | None = None
        self.before: Node | None = None
        self.label: Paragraph | None = None
        self.lead = ""
        self.lead_topic: Topic | None = None
        self.announced = False  # the paragraph before says `Expected:` and a list follows

    @property
    def topic(self) -> Topic:
        """What the next list holds: the sentence before it outranks the heading."""
        return self.lead_topic or self.place.topic

    @property
    def for_rules(self) -> bool:
        """Whether the next list holds rules."""
        return self.topic in _RULE_TOPICS

    def collect(self) -> None:
        """Read the whole section."""
        for node in self.place.section.nodes:
            match node:
                case Item():
                    self._item(node, self.path)
                case Fence():
                    self._fence(node)
                case Table():
                    self._table(node)
                case Paragraph():
                    for line in lines_of(node):
                        self._paragraph(line)
                case Quote():
                    self._quote(node)
                case Html():
                    mean_html(node, self.book)
            if not isinstance(node, Html):
                self.before = node

    # --- items

    def _item(self, item: Item, path: tuple[str, ...]) -> None:
        remarks = () if has_box(item) else remarks_of(item, self.book)
        announced = self.announced and not has_box(item) and self.current is not None
        if announced and self.current is not None and not remarks:
            self.current.attach(Remark(Name.EXPECT, item.words, item.span, prose_expectation=True))
        elif remarks:
            self._remarks_of_list(remarks)
        elif self._is_step(item):
            if self.for_rules and not item.fences and not has_boxes(item):
                self._ruled(item)
            else:
                self._step(item, path, origin_of(item))
        elif item.fences and any(self.runnable(f) for f in item.fences):
            self._step(item, path, Origin.BULLET)
        else:
            self._bullet(item)

    def _is_step(self, item: Item) -> bool:
        if has_box(item):
            return True
        return item.ordered is not None and item.mark not in CROSS_MARKS

    def _remarks_of_list(self, remarks: tuple[Remark, ...]) -> None:
        """Place directives that stand in a list of their own."""
        if self.current is None:
            self.remarks.extend(remarks)
            return
        beside = isinstance(self.before, Item) and self.current.span == self.before.span
        if beside and self.current.origin in (Origin.BOX, Origin.ITEM, Origin.BULLET):
            self.book.strict(
                "GN311",
                f"`{remarks[0].name.value}` stands beside the step, not under it",
                remarks[0].span,
                label="belongs to no step",
                hint="indent it under the step that it belongs to",
            )
        for remark in remarks:
            self.current.attach(remark)

    def _bullet(self, item: Item) -> None:
        """Take a plain item: a rule, an expectation, a misspelt directive or text."""
        if self._is_no_directive(item):
            return
        if self.for_rules or self.topic is Topic.CRITERIA:
            self._ruled(item)
            return
        if self.place.role is Role.WATCH or phrases.smells(item.words):
            self._rule(item.words, item.span, certain=False)
        else:
            self.book.mean(item.span, "text", short_title(item.text))
        self._below(item)

    def _ruled(self, item: Item) -> None:
        """Take a line that is a rule, and those below it; a mere category is no question."""
        if not heads_a_list(item):
            self._rule(item.words, item.span, certain=True)
        elif not holds_conditions(item, self.book):
            return
        self._below(item)

    def _below(self, item: Item) -> None:
        kept = self.lead
        self.lead = item.text if self.for_rules and heads_a_list(item) else kept
        for child in item.items:
            self._item(child, (*self.path, short_title(item.text)))
        self.lead = kept

    def _is_no_directive(self, node: Item | Paragraph) -> bool:
        ruled = self.for_rules or self.topic is Topic.CRITERIA or self.place.role is Role.WATCH
        return is_no_directive(node, None if ruled else self.current, self.book, behind=True)

    def _step(self, item: Item, path: tuple[str, ...], origin: Origin) -> None:
        draft = self._draft(item.words, item.span, path, origin)
        draft.critical = item.is_critical
        draft.claimed = item.checkbox is Checkbox.TICKED or (
            item.checkbox is None and item.mark in TICK_MARKS
        )
        boxes = []
        for child in item.children:
            if isinstance(child, Item) and has_box(child):
                boxes.append(child)
            else:
                self._under_step(child, draft)
        if draft.left_out and not draft.parts:
            self.book.mean(item.span, "reference", "its block is left out of runs")
        elif boxes and not draft.parts:
            self.book.mean(item.span, "group", f"{len(boxes)} steps")
            self.current = None
        else:
            self.drafts.append(draft)
            self.current = draft
        kept, self.lead = self.lead, item.text if self.for_rules and boxes else self.lead
        self._children(boxes, draft)
        self.lead = kept

    def _children(self, boxes: list[Item], parent: Draft) -> None:
        kept = self.current
        for child in boxes:
            first = len(self.drafts)
            self._item(child, (*parent.path, parent.title))
            for draft in self.drafts[first:]:
                draft.critical = draft.critical or parent.critical
                draft.optional = draft.optional or parent.optional
                draft.owner = draft.owner or parent.owner
                if not parent.parts:
                    draft.remarks[:0] = [r for r in parent.remarks if r.name is not Name.NAME]
        if boxes and kept is not None:
            self.current = kept

    def _under_step(self, node: Node, draft: Draft) -> None:
        """Take what stands under an item into its step."""
        if isinstance(node, Paragraph) and len(lines_of(node)) > 1:
            for line in lines_of(node):
                self._under_step(line, draft)
            return
        remarks = remarks_of(node, self.book)
        if remarks:
            for remark in remarks:
                draft.attach(remark)
            return
        match node:
            case Fence():
                self._add_part(node, draft)
            case Item() | Paragraph() | Quote():
                if not is_no_directive(node, draft, self.book):
                    self._prose_under(node, draft)
            case Table():
                self.book.mean(node.span, "text", "table under a step")
            case Html():
                mean_html(node, self.book)

    def _prose_under(self, node: Item | Paragraph | Quote, draft: Draft) -> None:
        if isinstance(node, Item):
            for fence in node.fences:
                self._add_part(fence, draft)
            for child in node.items:
                self._under_step(child, draft)
        if node.words.text.strip():
            draft.notes.append(" ".join(node.words.text.split()))
            self.book.mean(node.span, "text", "note of the step above")
            phrases.warn_of_bound(node.words, node.span, self.book, draft.title, draft.role)

    def _add_part(self, fence: Fence, draft: Draft) -> None:
        if self.runnable(fence):
            draft.parts.append(Part(fence))
            return
        self._documentation(fence)
        left_out = fence.attribute("excludeFromRunAll")
        draft.left_out = draft.left_out or (left_out is not None and left_out.value == "true")

    # --- other nodes

    def _fence(self, fence: Fence) -> None:
        """Take a block that stands in no item: of the step before, or a step of its own."""
        if not self.runnable(fence):
            self._documentation(fence)
            return
        current = self.current
        if isinstance(self.before, Item) and current is not None and not current.parts:
            current.parts.append(Part(fence))
            return
        label = self.before if isinstance(self.before, Paragraph) else None
        if label is not None and label.is_bold_step:
            words = label.words
            self._begin(words, label.span, Origin.PARAGRAPH, fence)
            return
        if not self.drafts and self.place.section.level > 0 and self.place.section.text:
            section = self.place.section
            words = section.words
            self._begin(words, section.span, Origin.HEADING, fence)
            return
        self._loose(fence, label)

    def _loose(self, fence: Fence, label: Paragraph | None) -> None:
        """Give a block without a step a step of its own, named by the words before it."""
        if label is not None and not remarks_of(label, self.book):
            self._begin(label.words, fence.span, Origin.BLOCK, fence)
            return
        comment = first_comment(fence)
        if comment is not None:
            self._begin(comment, fence.span, Origin.BLOCK, fence)
            return
        if self.current is not None and self.current.parts:
            self.current.parts.append(Part(fence))
            return
        heading = self.place.section.words
        self._begin(heading, fence.span, Origin.BLOCK, fence)

    def _begin(self, words: Words, span: Span, origin: Origin, fence: Fence) -> None:
        path = self.path
        if origin is Origin.HEADING and self.place.role is not Role.ROLLBACK:
            path = self.path[:-1] if self.place.headings else self.path
        draft = self._draft(words, span, path, origin)
        if origin is Origin.HEADING:
            draft.title = self.place.section.title or self.place.section.text
            draft.critical = self.place.section.is_critical
            if self.place.headings:
                draft.remarks += [r for r in self.remarks if r.name is not Name.PHASE]
                self.remarks = []
        elif self.label is not None and self.label.is_critical:
            draft.critical = True
        draft.parts.append(Part(fence))
        self.drafts.append(draft)
        self.current = draft

    def _documentation(self, fence: Fence) -> None:
        current = self.current
        if current and fence.language in _CODE_RESULT and current.expects_in_prose:
            current.notes.append("Expected output: " + " ".join(fence.body.split())[:200])
        shown.document(fence, self.book)

    def _table(self, table: Table) -> None:
        rows = checklists.checklist(table)
        head = Span(table.span.line, table.span.column, table.span.line + 1, 1)
        if rows is not None and not self.for_rules:
            for row in rows:
                draft = self._draft(row.words, row.span, self.path, Origin.ROW)
                draft.claimed, draft.owner = row.claimed, row.owner
                draft.notes += row.notes
                draft.critical = row.critical
                self.drafts.append(draft)
            self.current = None
            self.book.mean(head, "table", "checklist: one step per row")
            return
        found = tables.targets(table, self.place, self.path, (self.topic, self.lead))
        if found is None:
            self.book.mean(table.span, "text", "table")
            if self.place.role is not Role.PREFLIGHT:
                tables.report_bounds(table, self.book)
            return
        self.book.mean(head, "table", "one rule per bound")
        tables.report_others(table, found, self.book)
        self.rules += found

    def _paragraph(self, paragraph: Paragraph) -> None:
        remarks = remarks_of(paragraph, self.book)
        self.announced = bool(remarks) and remarks[0].name is Name.EXPECT and not remarks[0].text
        if remarks:
            if self.current is not None:
                for remark in remarks:
                    self.current.attach(remark)
            else:
                self.remarks.extend(remarks)
            return
        if self._is_no_directive(paragraph):
            return
        if paragraph.mark in STEP_MARKS and not paragraph.is_bold_step:
            self._marked_lines(paragraph)
            return
        if not self.book.explicit and is_wait(paragraph, self.place.role):
            self._marked_lines(paragraph)
            return
        if paragraph.is_bold_step:
            self.label = paragraph
            self.current = None
        text = paragraph.text.strip()
        self.lead = text if text.endswith(":") or paragraph.is_bold_step else ""
        self.lead_topic = roles.topic_of_lead(text.rstrip(":")) if self.lead else None
        if self.for_rules and not self.lead:
            self._rule(paragraph.words, paragraph.span, certain=False)
            return
        self.book.mean(paragraph.span, "text", short_title(text))
        if not (self.for_rules or (paragraph.is_bold_step and numbered(text)[0])):
            phrases.warn_of_bound(paragraph.words, paragraph.span, self.book, "", self.place.role)

    def _marked_lines(self, paragraph: Paragraph) -> None:
        draft = self._draft(paragraph.words, paragraph.span, self.path, Origin.MARK)
        draft.claimed = paragraph.mark in TICK_MARKS
        draft.critical = paragraph.is_critical
        self.drafts.append(draft)
        self.current = draft

    def _quote(self, quote: Quote) -> None:
        remarks = remarks_of(quote, self.book)
        if remarks and self.current is not None:
            for remark in remarks:
                self.current.attach(remark)
        elif quote.is_comparison:
            self._rule(quote.words, quote.span, certain=self.for_rules)
        else:
            mean_quotation(quote, self.book)

    # --- drafts

    def _draft(self, words: Words, span: Span, path: tuple[str, ...], origin: Origin) -> Draft:
        return Draft(
            title=title_of(words, origin),
            words=words,
            span=span,
            path=path,
            origin=origin,
            role=self.place.role or Role.REFERENCE,
            topic=self.topic,
            section=self.path,
            optional=is_optional(words.text),
        )

    def _rule(self, words: Words, span: Span, *, certain: bool) -> None:
        role = self.place.role or Role.REFERENCE
        self.rules.append(
            RuleDraft(words, span, self.topic, role, self.path, self.lead, certain=certain)
        )
