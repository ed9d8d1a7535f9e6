from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import pytest
from markdown_it import MarkdownIt
from tests.report import stories
from tests.report.builders import Story, a_phase, a_plan, a_step

from gonogo.report import collect, render
from gonogo.report.cells import cell, fenced

HOSTILE = '<script src="http://evil.example/x.js"></script>|[a](http://evil.example)`*_\n# @x ]]>'


def hostile() -> Story:
    plan = a_plan(a_phase("smoke", HOSTILE, a_step("home", HOSTILE, 3)))
    text = f"# {HOSTILE}\n<img src=http://evil.example/a.png>\n- [ ] {HOSTILE}\n"
    story = Story(plan, title=HOSTILE, release=HOSTILE, text=text, host=HOSTILE)
    story.phase("smoke").do(
        "home",
        "fail",
        actual=HOSTILE,
        expected=HOSTILE,
        why=HOSTILE,
        text=f"```\n{HOSTILE}\n````\n",
        link="http://evil.example/",
        notes=(HOSTILE,),
        indicators={HOSTILE: HOSTILE},
    )
    story.say("question.asked", "home", question=HOSTILE, detail=HOSTILE)
    return story.answer("home", HOSTILE, HOSTILE, reason=HOSTILE, link="http://evil.example/")


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "col", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.styles.append(data)


@pytest.mark.parametrize(
    "story",
    [
        *(hostile, stories.rolled_back, stories.hold_with_waiver),
        *(stories.watch_rolled_back, stories.watch_blind, stories.watching),
    ],
)
def test_the_page_refers_to_nothing_outside_itself(story):
    page = Page(render(collect(story().events), "html"))
    assert page.open == []
    assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "base"} == set()
    for _, attributes in page.tags:
        assert "src" not in attributes
        assert (attributes.get("fill") or "url(#").startswith("url(#")
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:", "".join(page.styles))


@pytest.mark.parametrize(
    ("story", "line"), [(stories.second_way, "#L73"), (stories.watch_blind, "#L90")]
)
def test_every_link_of_the_page_leads_somewhere_and_every_id_is_one(story, line: str):
    page = Page(render(collect(story().events), "html"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert links
    assert {link.removeprefix("#") for link in links if link} <= set(ids)
    assert line in links
    named = [a["aria-labelledby"].split() for _, a in page.tags if "aria-labelledby" in a]
    filled = [a["fill"][5:-1] for _, a in page.tags if "fill" in a]
    assert {name for names in named for name in names} | set(filled) <= set(ids)


@pytest.mark.parametrize("story", [stories.rolled_back, stories.watch_rolled_back])
def test_the_page_can_be_read_without_seeing_it(story):
    page = Page(render(collect(story().events), "html"))
    names = [tag for tag, _ in page.tags]
    assert names.count("h1") == 1
    assert names.count("table") == names.count("caption") > 4
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert all("aria-label" in each or "aria-labelledby" in each for each in pictures)
    assert all(each.get("role") == "img" for each in pictures)
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert "details" in names
    assert "@media print" in "".join(page.styles)
    assert "prefers-color-scheme: dark" in "".join(page.styles)


def test_markdown_of_strangers_stays_text():
    text = render(collect(hostile().events), "md")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inline = [child for token in tokens for child in token.children or []]
    assert not [t for t in inline if t.type in ("link_open", "image", "code_inline", "em_open")]
    raw = [t.content for t in (*tokens, *inline) if t.type in ("html_block", "html_inline")]
    assert all(
        re.fullmatch(r"<br>|</details>\n?|<details>.*", content, re.DOTALL) for content in raw
    )
    assert not any("<script" in content for content in raw)


def test_markdown_tables_keep_their_columns():
    text = render(collect(hostile().events), "md")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    widths: list[int] = []
    for token in tokens:
        if token.type == "tr_open":
            widths.append(0)
        elif token.type in ("th_open", "td_open"):
            widths[-1] += 1
    assert set(widths) <= {2, 4, 5, 6, 9}
    assert widths.count(9) == 2


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("a\nb", "a b"),
        ("<b>", "&lt;b&gt;"),
        ("see https://x.example", "see https&#58;//x.example"),
        ("`x` *y* _z_", r"\`x\` \*y\* \_z\_"),
    ],
)
def test_cells_are_escaped(text: str, escaped: str):
    assert cell(text) == escaped


def test_an_output_cannot_close_its_fence():
    assert fenced("a\n`````\nb") == "``````text\na\n`````\nb\n``````"


def test_json_names_its_schema_and_holds_texts_exactly():
    text = render(collect(hostile().events), "json")
    data = json.loads(text)
    assert data["schema"] == "gonogo.evidence/1"
    finding = data["phases"][0]["steps"][0]["finding"]
    assert finding["actual"] == HOSTILE
    assert (data["events"], data["intact"]) == (6, True)


def cases(story: Story) -> dict[str, Xml.Element]:
    root = Xml.fromstring(render(collect(story.events), "junit"))
    for name in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(name)) == sum(int(suite.get(name)) for suite in root)
    return {case.get("name"): case for case in root.iter("testcase")}


def mark(case: Xml.Element) -> tuple[str, str] | None:
    found = [(part.tag, part.get("type", "")) for part in case if part.tag != "system-out"]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pass", None),
        ("fail", ("failure", "fail")),
        ("error", ("error", "error")),
        ("unknown", ("error", "unknown")),
        ("waived", ("skipped", "")),
    ],
)
def test_a_status_is_never_green_without_a_pass(status: str, expected: tuple[str, str] | None):
    plan = a_plan(a_phase("smoke", "Smoke tests", a_step("home", "Home page", 3)))
    story = Story(plan).phase("smoke").do("home", status, why="because")
    assert mark(cases(story)["Home page"]) == expected


def test_what_did_not_run_is_an_error_but_for_a_go():
    assert mark(cases(stories.rolled_back())["Search finds a known document"]) == (
        "error",
        "not run",
    )
    plan = a_plan(a_phase("smoke", "Smoke tests", a_step("home", "Home page", 3)))
    story = Story(plan).phase("smoke").gate("smoke").verdict("go", 0)
    assert mark(cases(story)["Home page"]) == ("skipped", "")


def test_what_a_person_accepted_at_a_gate_is_skipped_with_its_reason():
    case = cases(stories.held_then_go())["A regular user may not read the admin API"]
    (skipped,) = case.findall("skipped")
    assert "accepted at the gate by eve: checked by hand" in skipped.get("message")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("go", None),
        ("rolled-back", ("failure", "rolled back")),
        ("second-way", ("failure", "no-go")),
        ("hold-with-waiver", ("error", "hold")),
        ("unfinished", ("error", "unfinished")),
    ],
)
def test_the_verdict_is_a_case_of_its_own(name: str, expected: tuple[str, str] | None):
    found = cases(stories.STORIES[name][0]())
    assert mark(found["verdict"]) == expected
    assert mark(found["journal is unbroken"]) is None


def test_a_run_without_any_event_is_not_green():
    root = Xml.fromstring(render(collect([]), "junit"))
    assert root.get("errors") == "1"


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="pdf"):
        render(collect([]), "pdf")
