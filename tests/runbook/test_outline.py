"""Each construct that teams write has its one place in the outline."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gonogo.errors import Severity
from gonogo.runbook.markdown import read
from gonogo.runbook.outline import (
    Checkbox,
    Fence,
    Html,
    Item,
    Node,
    Outline,
    Paragraph,
    Quote,
    Table,
)
from gonogo.source import Source, Span


def outline(text: str) -> Outline:
    return read(Source("deploy.md", dedent(text)))


def nodes(text: str) -> list[Node]:
    return [node for _, node in outline(text).walk()]


def only_item(text: str) -> Item:
    (item,) = [node for node in nodes(text) if isinstance(node, Item)]
    return item


def shown(source: str, span: Span) -> str:
    """Return what stands at a place of one line."""
    assert span.line == span.end_line
    return source.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.mark.parametrize(
    ("line", "checkbox", "ordered", "text"),
    [
        ("- [ ] Back up", Checkbox.OPEN, None, "Back up"),
        ("* [x] Back up", Checkbox.TICKED, None, "Back up"),
        ("+ [X] Back up", Checkbox.TICKED, None, "Back up"),
        ("1. [ ] Back up", Checkbox.OPEN, 1, "Back up"),
        ("7) [x] Back up", Checkbox.TICKED, 7, "Back up"),
        ("- Back up", None, None, "Back up"),
        ("- [ ]", Checkbox.OPEN, None, ""),
        ("- [Guide](https://x.example/a_b_c) read", None, None, "Guide read"),
        ("- [Contact Info]", None, None, "[Contact Info]"),
        ("- [x](https://x.example)", None, None, "x"),
        ("- [ ] [ ] twice", Checkbox.OPEN, None, "[ ] twice"),
        ("-\n  below its bullet", None, None, "below its bullet"),
    ],
)
def test_an_item_has_its_box_its_number_and_its_words(
    line: str, checkbox: Checkbox | None, ordered: int | None, text: str
) -> None:
    item = only_item(line)
    assert (item.checkbox, item.ordered, item.text) == (checkbox, ordered, text)
    assert not item.has_malformed_box


@pytest.mark.parametrize("box", ["[]", "[x ]", "[  ]", "[-]", "[✓]", "[x]glued"])
def test_what_is_nearly_a_box_is_an_ordinary_item_and_said_so(box: str) -> None:
    result = outline(f"- {box} Back up")
    (item,) = result.sections[0].nodes
    assert isinstance(item, Item)
    assert item.checkbox is None
    assert item.has_malformed_box
    (said,) = result.diagnostics
    assert (said.code, said.severity) == ("GN009", Severity.WARNING)
    assert said.span.column == 3


@pytest.mark.parametrize(
    ("line", "mark", "text"),
    [
        ("- ✅ Tests pass", "✅", "Tests pass"),
        ("- ☐ Tests pass", "☐", "Tests pass"),
        ("1. ⬜ Tests pass", "⬜", "Tests pass"),
        ("- ❌ 500 errors", "❌", "500 errors"),
        ("- ☑️ Tests pass", "☑", "Tests pass"),
        ("- ✔ **Tests** pass", "✔", "Tests pass"),
        ("- [ ] ✅ Tests pass", "✅", "Tests pass"),
        ("- 🚀 Deploy 🚀", None, "Deploy"),
        ("- `✅` is shown", None, "✅ is shown"),
    ],
)
def test_a_leading_sign_is_a_mark_and_not_part_of_the_words(
    line: str, mark: str | None, text: str
) -> None:
    item = only_item(line)
    assert (item.mark, item.text) == (mark, text)


@pytest.mark.parametrize(
    ("line", "critical"),
    [
        ("- [ ] ⚠️ Obtain the certificate", True),
        ("- [ ] Obtain the certificate ⚠", True),
        ("- [ ] Obtain the certificate (critical)", True),
        ("- [ ] CRITICAL obtain the certificate", True),
        ("- [ ] **Critical**: obtain the certificate", True),
        ("- [ ] No critical bugs reported", False),
        ("- [ ] Smoke test critical flows", False),
        ("- [ ] LOG_LEVEL=CRITICAL is set", False),
    ],
)
def test_the_warning_sign_or_the_word_as_a_label_makes_an_item_critical(
    line: str, critical: bool
) -> None:
    assert only_item(line).is_critical is critical


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("- > 95 %", "> 95 %"),
        ("- >= 99.9 % uptime", ">= 99.9 % uptime"),
        ("- >5%", ">5%"),
        ("- [ ] > 95 %", "> 95 %"),
        ("- Error rate\n  > 1 % for 5 minutes", "Error rate > 1 % for 5 minutes"),
        ("- p95 >\n  500ms", "p95 > 500ms"),
        ("- <3 s", "<3 s"),
        ("- latency &lt; 3 s", "latency < 3 s"),
        ("- latency \\> 3 s", "latency > 3 s"),
        ("- <sha> is deployed", "<sha> is deployed"),
        ("- errors <b and c> 5 %", "errors <b and c> 5 %"),
        ("- errors <b\n  > 5 %", "errors <b > 5 %"),
        ('- <a href="x">errors</a> > 5 %<br/>', "errors > 5 %"),
        ("- <https://x.example/a>", "https://x.example/a"),
        ("- 2.20+ of *Compose*", "2.20+ of Compose"),
        ("- *a**b*", "a**b"),
        ("- ***so*** **a *b* c** __d__ and \\*e\\*", "so a b c d and *e*"),
        ("- ``a ` b`` and `c", "a ` b and `c"),
        ("- a<!-- b -->c <!-- d", "ac <!-- d"),
        ("- 5 * 3 * 2 and a_b_c", "5 * 3 * 2 and a_b_c"),
        ("- first  \n  second\\\n  third", "first\nsecond\nthird"),
    ],
)
def test_no_sign_of_a_comparison_is_lost(line: str, text: str) -> None:
    assert only_item(line).text == text


def test_a_comparison_that_a_page_shows_as_a_quotation_is_said() -> None:
    result = outline("- > 95 %\n\n> 3 seconds\n")
    assert [(d.code, d.span) for d in result.diagnostics] == [
        ("GN010", Span(1, 3, 1, 9)),
        ("GN010", Span(3, 1, 3, 12)),
    ]
    assert {d.severity for d in result.diagnostics} == {Severity.NOTE}
    quote = result.sections[0].nodes[1]
    assert isinstance(quote, Quote)
    assert quote.is_comparison
    assert quote.text == "> 3 seconds"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("> Ask the owner\n> twice", "Ask the owner twice"),
        ("> 1. first\n> 2. second", ""),
        ("> 95 % of the requests\n> are counted", "95 % of the requests are counted"),
        ("> one\n>\n> two", "one\ntwo"),
    ],
)
def test_a_real_quotation_stays_one(text: str, words: str) -> None:
    quote = nodes(text)[0]
    assert isinstance(quote, Quote)
    assert not quote.is_comparison
    assert quote.text == words


def test_items_nest_with_blocks_tables_and_text() -> None:
    text = dedent("""\
        1. [ ] Migrate
           - [x] dump taken
             ```sql
             SELECT 1
             ```

           Some words.

           | a | b |
           |---|---|
           | 1 | 2 |
        2. Restart
    """)
    first, second = outline(text).sections[0].nodes
    assert isinstance(first, Item)
    assert isinstance(second, Item)
    assert [type(child) for child in first.children] == [Item, Paragraph, Table]
    inner = first.items[0]
    assert (inner.depth, inner.checkbox, inner.fences[0].body) == (
        1,
        Checkbox.TICKED,
        "SELECT 1",
    )
    assert inner.fences[0].body_span == Span(4, 1, 4, 14)
    assert shown(text, inner.fences[0].place(0, 7)) == "1"
    assert (second.ordered, second.text, second.span) == (2, "Restart", Span(12, 1, 12, 11))


def test_boxes_in_blocks_and_comments_are_no_steps_but_are_told() -> None:
    found = nodes("""\
        <!--
        - [ ] hidden
        -->

        ```markdown
        - [ ] template
        ```

        <details><summary>More</summary>

        - [ ] shown

        </details>

        <div>
        - [ ] not a box on the page
        </div>

        [//]: # (also hidden)
    """)
    assert [n.text for n in found if isinstance(n, Item)] == ["shown"]
    html = [n for n in found if isinstance(n, Html)]
    assert [(h.is_comment, [s.line for s in h.hidden_boxes]) for h in html] == [
        (True, [2]),
        (False, []),
        (False, []),
        (False, [16]),
        (True, []),
    ]


def test_a_table_keeps_signs_in_raw_and_has_unescaped_words() -> None:
    text = dedent("""\
        | Metric | Target | Now |
        |:-------|:------:|----|
        | **p95** | <500ms \\| 1s | ✅ |
        | `a\\|b` |  |
        error rate | &lt; 1% | ❌ bad
    """)
    table = outline(text).sections[0].nodes[0]
    assert isinstance(table, Table)
    assert [cell.text for cell in table.header] == ["Metric", "Target", "Now"]
    assert table.column("goal", "TARGET") == 1
    assert table.column("owner") is None
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["p95", "<500ms | 1s", ""],
        ["a|b", "", ""],
        ["error rate", "< 1%", "bad"],
    ]
    assert table.rows[0].cells[2].raw == "✅"
    assert shown(text, table.rows[0].cells[0].span) == "**p95**"
    assert shown(text, table.rows[0].cells[1].span) == "<500ms \\| 1s"
    assert shown(text, table.rows[0].cells[1].words.place(9, 11)) == "1s"
    assert shown(text, table.rows[2].cells[1].words.place(2)) == "1%"
    assert table.span == Span(1, 1, 5, 29)


@pytest.mark.parametrize(
    ("text", "is_step"),
    [
        ("**Back up**\n```bash\ntrue\n```", True),
        ("**1. Back up**: take a dump\n\n- one", True),
        ("**Back up**\n\nwords", False),
        ("Back up\n```bash\ntrue\n```", False),
    ],
)
def test_a_bold_paragraph_before_a_block_can_be_a_step(text: str, is_step: bool) -> None:
    first = nodes(text)[0]
    assert isinstance(first, Paragraph)
    assert first.is_bold_step is is_step
    assert (first.bold_prefix is not None) is ("**" in text)


def test_lines_that_each_begin_with_a_tick_are_paragraphs_of_their_own() -> None:
    found = nodes("✅ Unit tests\n☐ Build\n")
    assert [(n.mark, n.text) for n in found if isinstance(n, Paragraph)] == [
        ("✅", "Unit tests"),
        ("☐", "Build"),
    ]


def test_an_unclosed_block_is_a_mistake_at_its_opening() -> None:
    result = outline("# A\n\n```bash\ntrue\n# B\n")
    fence = result.sections[1].nodes[0]
    assert isinstance(fence, Fence)
    assert not fence.is_closed
    assert fence.body == "true\n# B"
    (said,) = result.diagnostics
    assert (said.code, said.severity, said.span) == ("GN008", Severity.ERROR, Span(3, 1, 3, 4))


def test_four_spaces_are_documentation() -> None:
    (block,) = nodes("words\n\n    rm -rf /\n    # more\n")[1:]
    assert isinstance(block, Fence)
    assert block.is_indented_code
    assert (block.language, block.body) == ("", "rm -rf /\n# more")
    assert block.place(1, 2) == Span.of_line(4, 7)


def test_front_matter_is_set_apart_with_its_lines() -> None:
    result = outline("---\ngonogo: 1\nservice: search\n---\n# A\n")
    assert result.front_matter is not None
    assert result.front_matter.text == "gonogo: 1\nservice: search"
    assert result.front_matter.place(1, 9, 6) == Span(3, 10, 3, 16)
    assert result.sections[1].span == Span(5, 1, 5, 4)


@pytest.mark.parametrize("text", ["---\nwords\n\n---\nmore", "---\n\nwords", "\n---\na: 1\n---"])
def test_a_rule_across_the_page_is_no_front_matter(text: str) -> None:
    assert outline(text).front_matter is None


def test_front_matter_without_an_end_is_told() -> None:
    (said,) = outline("---\ngonogo: 1\n\n# A\n").diagnostics
    assert (said.code, said.span) == ("GN006", Span(1, 1, 1, 4))


def test_struck_words_are_known() -> None:
    assert only_item("- [ ] ~~Old step~~").words.is_struck
    assert not only_item("- [ ] ~~Old~~ step").words.is_struck


def test_code_and_bold_in_an_item_have_places() -> None:
    text = "- [ ] **Page**: run `vercel --prod`, then `curl`"
    item = only_item(text)
    assert item.bold_prefix == "Page"
    assert [code for code, _ in item.inline_code] == ["vercel --prod", "curl"]
    assert [shown(text, span) for _, span in item.inline_code] == ["vercel --prod", "curl"]
    assert item.raw == "[ ] **Page**: run `vercel --prod`, then `curl`"
    assert item.span == Span(1, 1, 1, len(text) + 1)


def test_a_wrapped_item_has_one_place_per_line() -> None:
    item = only_item("- [ ] p95 >\n      500ms\n")
    assert item.line_spans == (Span(1, 3, 1, 12), Span(2, 7, 2, 12))
    assert item.words.place(6) == Span(2, 7, 2, 12)


def test_what_is_nested_too_deep_is_kept_and_told() -> None:
    result = outline(">" * 60 + " deploy now\n")
    assert [d.code for d in result.diagnostics] == ["GN007"]
    quotes = [n for _, n in result.walk() if isinstance(n, Quote)]
    assert "deploy now" in quotes[-1].text
