"""One fence to one block that can be carried out: its kind, its options, its mistakes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import yaml

from gonogo.errors import Severity
from gonogo.plan.kinds import Variable, Work
from gonogo.plan.model import Block
from gonogo.runbook import fields, yaml_nodes
from gonogo.runbook.directives import Name, Remark, name_of
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Attribute, Fence, Option
from gonogo.runbook.typos import nearly_typed
from gonogo.runbook.words import Piece, Words
from gonogo.runbook.yaml_nodes import Plain
from gonogo.source import Span

_TYPED = re.compile(r"(check|action|kind|load|probe)[ \t]*:[ \t]*[\"']?([\w-]+)")
_TYPED_KEYS = frozenset({"check", "action", "kind", "load", "probe"})
_OURS = frozenset({"check", "action"})  # the others are also words of manifests and charts
_YAML = frozenset({"yaml", "yml"})
_FOREIGN = frozenset(
    """id interactive closeTerminalOnSuccess terminalRows mimeType promptEnv tag category title
    showLineNumbers excerpt lang file filename linenos""".split()  # noqa: SIM905
)
_HONOURED = ("name", "cwd", "interpreter", "background", "excludeFromRunAll")
_DOCUMENTS = frozenset(
    """text txt json jsonc json5 yaml yml toml ini markdown md html css js ts jsx tsx javascript
    typescript python py ruby go rust java diff xml csv mermaid promql nginx dockerfile env
    properties log output plain hcl terraform make makefile lua php c cpp plaintext cron apache
    conf config scss graphql jsonl vim r kotlin swift scala perl""".split()  # noqa: SIM905
)
_ON = ("on", "target", "targets")


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """A block and the directives that its options state."""

    block: Block
    remarks: tuple[Remark, ...]
    by_hand: str = ""  # assisted only: why it is not carried out by gonogo


def is_in_background(block: Block) -> bool:
    """Say whether a block carries Runme's `background=true`."""
    return any(k == "background" and v.casefold() == "true" for k, v in block.options)


class Fences:
    """Tells which fences run and binds them; each fence is looked at once."""

    def __init__(self, book: Notebook, targets: frozenset[str]) -> None:
        """Bind against the kinds of the notebook's catalog and the targets of the front matter."""
        self.book = book
        self.targets = targets
        self._kinds: dict[Span, type[Work] | None] = {}
        self.variables: list[Variable] = []  # names used in the blocks that gonogo carries out

    def runnable(self, fence: Fence) -> bool:
        """Tell whether a fence in an executable phase is carried out; others are documentation."""
        return self.kind_of(fence) is not None

    def kind_of(self, fence: Fence) -> type[Work] | None:
        """Return the kind of a fence, with a diagnostic when its language is nearly one."""
        if fence.span not in self._kinds:
            self._kinds[fence.span] = self._find_kind(fence)
        return self._kinds[fence.span]

    def _find_kind(self, fence: Fence) -> type[Work] | None:
        if fence.is_indented_code:
            return None
        if self._left_out(fence):
            self.book.mean(fence.span, "reference", "not run: `excludeFromRunAll`")
            return None
        if fence.language in _YAML:
            return self._typed(fence)
        found = self.book.catalog.language(fence.language) if fence.language else None
        if found is None and self.book.explicit:
            self._strange(fence)
        return found

    def _left_out(self, fence: Fence) -> bool:
        attribute = fence.attribute("excludeFromRunAll")
        return attribute is not None and attribute.value.casefold() == "true"

    def _strange(self, fence: Fence) -> None:
        """Say that a block is not run, when its author may have thought otherwise."""
        book = self.book
        if not fence.language:
            book.warn(
                "GN203",
                "a block without a language is not run",
                Span.of_line(fence.span.line, fence.info_span.column),
                hint="write ```` ```bash ```` to run it, ```` ```text ```` to show it",
            )
            return
        if fence.language in _DOCUMENTS:
            return
        names = [language for name in book.catalog.names() for language in self._languages(name)]
        near = book.nearest(fence.language, names, cutoff=0.7)
        if near is not None:
            book.error(
                "GN201",
                f"no kind has the language `{fence.language}`",
                fence.info_span,
                hint=f"did you mean `{near}`? `gonogo kinds` lists all; `text` shows it only",
            )

    def _languages(self, name: str) -> tuple[str, ...]:
        kind = self.book.catalog.kind(name)
        return kind.languages if kind is not None else ()

    def _typed(self, fence: Fence) -> type[Work] | None:
        """Return the kind that the first key of a YAML block names."""
        for row, line in enumerate(fence.body_without_options.split("\n")):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            found = _TYPED.match(line)
            if found is None:
                self._mistyped(fence)
                return None
            catalog = self.book.catalog  # `check: backup` may be another kind than `action: backup`
            kind = catalog.kind(f"{found[1]} {found[2]}") or catalog.kind(found[2])
            if kind is None:
                if found[1] not in _OURS and not self._is_nearly_kind(found[2]):
                    return None  # a manifest says `kind: Service`, a chart `load: 3`
                self.book.strict(
                    "GN202",
                    f"there is no kind `{found[2]}`",
                    fence.place(row, found.start(2), len(found[2])),
                    hint=self.book.did_you_mean(found[2], self.book.catalog.names()),
                )
            elif kind.languages:
                self.book.strict(
                    "GN202",
                    f"`{found[2]}` is written in a block of its own language",
                    fence.place(row, found.start(2), len(found[2])),
                    hint=f"write ```` ```{kind.languages[0]} ```` and options as comment lines",
                )
                return None
            return kind
        return None

    def _is_nearly_kind(self, word: str) -> bool:
        return self.book.nearest(word, self.book.catalog.names(), cutoff=0.75) is not None

    def _mistyped(self, fence: Fence) -> None:
        """Say that a YAML block was likely meant to be run: its first line is nearly right."""
        slip = nearly_typed(fence.body_without_options, self.book.catalog.names())
        if slip is not None:
            self.book.strict(
                "GN526",
                f"`{slip.said}` makes this block documentation: it is not run",
                fence.place(slip.row, slip.start, slip.length),
                hint=f"did you mean `{slip.meant}`, in the first line? `text` only shows a block",
            )

    def bind(self, fence: Fence) -> Bound | None:
        """Return the block of a runnable fence, or None after diagnostics."""
        kind = self.kind_of(fence)
        if kind is None:
            return None
        book = self.book
        for word in fence.words:
            book.note(
                "GN205",
                f"`{word}` behind the language sets nothing: the page does not show it",
                fence.info_span,
                hint="write options as comment lines at the top of the block",
            )
        given: dict[str, object] = {}
        remarks: list[Remark] = []
        for attribute in fence.attributes:
            self._attribute(attribute, kind, given, remarks)
        for option in fence.options:
            self._option(option, kind, given, remarks)
        is_fine = self._body(fence, kind, given, remarks)
        fits = is_fine and None not in given.values()  # None: a value with a diagnostic
        work = self._make(fence, kind, given) if fits else None
        if work is None:
            return None
        options = tuple((o.key, o.value) for o in fence.options if o.key is not None)
        attributes = tuple((a.key, a.value) for a in fence.attributes if a.key in _HONOURED)
        block = Block(kind.kind, work, fence.body_without_options.strip("\n"), fence.body_span)
        block = dataclasses.replace(
            block, options=(*options, *((k or "", v) for k, v in attributes))
        )
        by_hand = self._review(fence, work)
        if not by_hand:
            self.variables += [
                dataclasses.replace(v, span=shifted(v.span, fence)) for v in work.variables()
            ]
        return Bound(block, tuple(remarks), by_hand)

    def _body(
        self, fence: Fence, kind: type[Work], given: dict[str, object], remarks: list[Remark]
    ) -> bool:
        """Fill the fields that the body states; False after diagnostics."""
        body = fields.body_field(kind)
        if body is not None:
            given[body] = fence.body_without_options
        return fence.language not in _YAML or self._keys(fence, kind, given, remarks)

    def _keys(
        self, fence: Fence, kind: type[Work], given: dict[str, object], remarks: list[Remark]
    ) -> bool:
        root = yaml_nodes.compose(fence.body, fence.place, self.book, "GN206")
        if not isinstance(root, yaml.MappingNode):
            return False
        for key, node in yaml_nodes.doubled(root):
            place = yaml_nodes.span_of(node, fence.place)
            self.book.strict("GN207", f"`{key}` is set twice", place)
        for index, (key, key_node, node) in enumerate(yaml_nodes.pairs(root)):
            if index == 0 and key in _TYPED_KEYS:
                continue
            place = yaml_nodes.span_of(node, fence.place)
            value = yaml_nodes.plain(node)
            self._set(
                kind,
                (key, value),
                (yaml_nodes.span_of(key_node, fence.place), place),
                given,
                remarks,
            )
        return True

    def _option(
        self, option: Option, kind: type[Work], given: dict[str, object], remarks: list[Remark]
    ) -> None:
        if option.key is None:
            self.book.strict(
                "GN208",
                f"this option cannot be read: {option.problem or 'no `name: value`'}",
                option.span,
                hint="write `name: value`",
            )
            return
        self.book.mean(option.span, "option", f"{option.key}: {option.value}")
        name_place = self.book.source.find(option.span.line, option.key, option.span.column)
        spans = (name_place, option.value_span)
        self._set(kind, (option.key, option.value), spans, given, remarks)

    def _set(
        self,
        kind: type[Work],
        said: tuple[str, Plain],
        spans: tuple[Span, Span],
        given: dict[str, object],
        remarks: list[Remark],
    ) -> None:
        """Set a field of the kind, or take the option for a directive of the step."""
        key, value = said
        field = fields.field_of(kind, key)
        if field is not None:
            self._convert(kind, (key, field, value), spans[1], given)
            return
        name = name_of(key)
        if name is not None and name is not Name.PHASE:
            texts = value if isinstance(value, list) else [value]
            for text in texts:
                piece = Piece(0, spans[1].line, spans[1].column)
                remarks.append(Remark(name, Words(yaml_nodes.say(text), (piece,)), spans[0]))
            return
        known = [
            *fields.written_names(kind),
            *(n.value.lower() for n in Name if n is not Name.PHASE),
        ]
        self.book.strict(
            "GN209",
            f"`{kind.kind}` has no option `{key}`",
            spans[0],
            hint=fields.known_elsewhere(kind, key)
            or self.book.did_you_mean(key, known, f"`gonogo kinds {kind.kind}` lists all"),
        )

    def _convert(
        self, kind: type[Work], said: tuple[str, str, Plain], span: Span, given: dict[str, object]
    ) -> None:
        key, field, value = said
        if field in given:
            self.book.strict("GN207", f"`{key}` is set twice", span)
        try:
            given[field] = fields.convert(kind, field, value)
        except fields.MismatchError as problem:
            self.book.strict(
                "GN210", f"`{key}` is `{yaml_nodes.say(value)}`, expected {problem}", span
            )
            given[field] = None
        if field in _ON:
            self._target(str(given[field]), span)

    def _target(self, name: str, span: Span) -> None:
        if name in self.targets or "://" in name or "$" in name or not self.book.explicit:
            return
        self.book.error(
            "GN211",
            f"no target is named `{name}`",
            span,
            label="not bound in the front matter",
            hint=self.book.did_you_mean(name, self.targets, "bind it under `targets:`"),
        )

    def _attribute(
        self,
        attribute: Attribute,
        kind: type[Work],
        given: dict[str, object],
        remarks: list[Remark],
    ) -> None:
        """Honour what other tools write in braces, as far as it is harmless."""
        key, value = attribute.key, attribute.value
        if key in _FOREIGN or key == "excludeFromRunAll":
            self.book.mean(attribute.span, "ignored", f"attribute of another tool: {key}")
        elif key == "name":
            remarks.append(
                Remark(
                    Name.NAME,
                    Words(value, (Piece(0, attribute.span.line, attribute.span.column),)),
                    attribute.span,
                )
            )
            self.book.mean(attribute.span, "attribute", f"name of the step: {value}")
        elif key == "background":
            self._background(value, attribute.span)
        elif key in ("cwd", "interpreter") and fields.field_of(kind, key) is not None:
            self._convert(
                kind, (key, fields.field_of(kind, key) or key, value), attribute.span, given
            )
            self.book.mean(attribute.span, "attribute", f"{key}: {value}")
        else:
            self.book.strict(
                "GN213",
                f"the attribute `{key if key is not None else value}` is not understood",
                attribute.span,
                hint=self.book.did_you_mean(key or value, _HONOURED),
            )

    def _background(self, value: str, span: Span) -> None:
        if value.casefold() == "true":
            self.book.mean(span, "attribute", "background: only the gate waits for this step")
        elif value.casefold() != "false":
            self.book.strict(
                "GN212",
                f"`background` is `{value}`, expected `true` or `false`",
                span,
                hint="with `true` the steps after it do not wait for it, only the gate does",
            )

    def _make(self, fence: Fence, kind: type[Work], given: dict[str, object]) -> Work | None:
        lacking = fields.missing(kind, given)
        if lacking:
            names = ", ".join(f"`{name}`" for name in lacking)
            self.book.strict(
                "GN214",
                f"`{kind.kind}` needs {names}",
                fence.info_span,
                hint=f"`gonogo kinds {kind.kind}` shows an example",
            )
            return None
        try:
            make: Callable[..., Work] = kind
            return make(**given)
        except (ValueError, TypeError) as problem:
            self.book.strict(
                "GN215", f"this `{kind.kind}` block cannot be used: {problem}", fence.info_span
            )
            return None

    def _review(self, fence: Fence, work: Work) -> str:
        """Note the mistakes inside a block; return the first error of an assisted runbook."""
        first = ""
        for found in work.review():
            moved = dataclasses.replace(found, span=shifted(found.span, fence))
            self.book.lenient(moved)
            if found.severity is Severity.ERROR and not first:
                first = found.message
        return "" if self.book.explicit else first


def shifted(span: Span, fence: Fence) -> Span:
    """Move a place inside a block to its place in the runbook."""
    start = fence.place(span.line - 1, span.column - 1)
    end = fence.place(span.end_line - 1, max(span.end_column - 1, 0))
    return Span(
        start.line,
        start.column,
        end.line,
        max(end.column, start.column + 1 if end.line == start.line else 1),
    )
