"""Blocks: which fences run, and how what they say becomes the fields of their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import pytest
import yaml
from tests.runbook.books import EXPLICIT, a_plan, a_step, codes
from tests.runbook.conftest import Reader
from tests.runbook.scripted import Base, Port, Shell

from gonogo.plan.condition import Null, Relative
from gonogo.plan.kinds import Work
from gonogo.plan.units import Quantity
from gonogo.runbook import fields, yaml_nodes
from gonogo.runbook.assemble import understand
from gonogo.runbook.canonical import value_json, work_json
from gonogo.runbook.markdown import read
from gonogo.source import Source


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Everything(Base):
    """A kind with a field of each sort."""

    languages: ClassVar[tuple[str, ...]] = ("everything",)
    flag: bool = False
    many: int = 0
    ratio: float = 0.0
    exact: Decimal = Decimal(0)
    amount: Quantity | None = None
    where: Path = Path()
    colour: Colour = Colour.RED
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ()
    ports: list[int] = cast("list[int]", ())  # noqa: RUF009
    tags: frozenset[str] = frozenset()
    headers: Mapping[str, str] | None = None
    items: Sequence[int] = ()
    wait_s: float = 0.0
    from_: str = ""
    anything: Any = None


EVERYTHING = cast("type[Work]", Everything)


@pytest.mark.parametrize(
    ("field", "value", "typed"),
    [
        ("flag", True, True), ("flag", "yes", True), ("flag", "off", False), ("many", "1_000", 1000),  # noqa: E501
        ("many", 3, 3), ("many", "-2", -2), ("ratio", "1.5", 1.5), ("exact", "0.10", Decimal("0.10")),  # noqa: E501
        ("amount", "512 MiB", Quantity(Decimal(512), "MiB")), ("amount", None, None),
        ("where", "a/b", Path("a/b")), ("colour", "Blue", Colour.BLUE), ("mode", "slow", "slow"),
        ("names", "a, b", ("a", "b")), ("names", ["a", 1], ("a", "1")), ("ports", "1,2", [1, 2]),
        ("names", 7, ("7",)), ("tags", ["a"], frozenset({"a"})), ("headers", {"A": 1}, {"A": "1"}),
        ("items", [1, 2], (1, 2)), ("wait_s", "2m", 120.0), ("wait_s", 3, 3.0),
        ("wait_s", Decimal("1.5"), 1.5), ("from_", "x", "x"), ("anything", [1], [1]),
    ],
)  # fmt: skip
def test_values_that_fit(field: str, value: Any, typed: object) -> None:
    found = fields.convert(EVERYTHING, field, value)
    assert found == typed
    assert type(found) is type(typed)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("flag", "perhaps", "`true` or `false`"), ("many", "1.5", "a whole number"),
        ("many", "٣", "a whole number"), ("ratio", "5 %", "a number"), ("exact", "x", "a number"),
        ("amount", "lots", "a number with its unit"), ("colour", "green", "one of `red`, `blue`"),
        ("mode", "x", "one of `fast`, `slow`"), ("headers", "x", "a list of `name: value`"),
        ("names", {"a": 1}, "one line of text"), ("wait_s", "soon", "a duration"),
        ("from_", ["a"], "one line of text"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_say_what_was_expected(
    field: str, value: Any, expected: str
) -> None:
    if field == "names":
        value = [value]
    with pytest.raises(fields.MismatchError, match=expected.replace("(", r"\(")):
        fields.convert(EVERYTHING, field, value)


def test_names_of_fields_as_an_author_writes_them() -> None:
    names = fields.written_names(EVERYTHING)
    assert {"wait", "from", "flag"} <= set(names)
    assert "text" not in names
    assert fields.field_of(EVERYTHING, "From") == "from_"
    assert fields.field_of(EVERYTHING, "WAIT") == "wait_s"
    assert fields.field_of(EVERYTHING, "text") is None


def test_the_field_of_the_body() -> None:
    @dataclass(frozen=True)
    class Marked:
        other: str = ""

    assert fields.body_field(cast("type[Work]", Shell)) == "text"
    assert fields.body_field(cast("type[Work]", Marked)) is None


@dataclass(frozen=True, slots=True)
class Needy(Port):
    """A kind that refuses values itself."""

    def __post_init__(self) -> None:
        if self.port == 13:
            raise ValueError("`port` is 13, which brings bad luck")


def test_a_field_without_default_must_be_given() -> None:
    @dataclass(frozen=True)
    class Strict:
        address: str
        text: str = ""

    assert fields.missing(cast("type[Work]", Strict), {}) == ("address",)
    assert fields.missing(cast("type[Work]", Strict), {"address": 1}) == ()


@pytest.mark.parametrize(
    ("fence", "found"),
    [
        pytest.param("```bash copy\n./go\n```", ["GN205"], id="word-behind-the-language"),
        pytest.param("```\n./go\n```", ["GN203"], id="no-language"),
        pytest.param("```json\n{}\n```", [], id="documentation"),
        pytest.param("```klingon\nx\n```", [], id="unknown-language-far-from-all"),
        pytest.param("```bahs\n./go\n```", ["GN201"], id="misspelt-language"),
        pytest.param("```yaml\n# a file\nname: x\n```", [], id="plain-yaml"),
        pytest.param("```yaml\n```", [], id="empty-yaml"),
        pytest.param("```yaml\ncheck: http\n```", ["GN202"], id="kind-with-a-language-of-its-own"),
        pytest.param(
            "```yaml\ncheck: port\nport: 1\nport: 2\n```", ["GN207", "GN207"], id="key-twice"
        ),
        pytest.param("```bash {tag=x id=1}\n./go\n```", [], id="harmless-attributes"),
        pytest.param("```bash {background=false}\n./go\n```", [], id="not-in-the-background"),
        pytest.param("```bash {background=true}\n./go\n```", [], id="in-the-background"),
        pytest.param("```bash {background=soon}\n./go\n```", ["GN212"], id="background-when"),
        pytest.param("```bash {loose}\n./go\n```", ["GN213"], id="attribute-without-value"),
        pytest.param("```http {cwd=x}\nGET /\n```", ["GN213"], id="cwd-where-there-is-none"),
        pytest.param("```bash {interpreter=zsh}\n./go\n```", [], id="interpreter"),
        pytest.param("```bash\n#| phase: watch\n./go\n```", ["GN209"], id="phase-is-no-option"),
        pytest.param("    indented code", [], id="indented-code"),
        pytest.param("```bash\n./go", ["GN008"], id="never-closed"),
    ],
)
def test_what_is_said_of_a_block(understood: Reader, fence: str, found: list[str]) -> None:
    assert codes(understood, f"{EXPLICIT}## Deploy\n- [ ] x\n\n{fence}\n") == found


def test_several_expectations_in_one_typed_block(understood: Reader) -> None:
    step = a_step(
        understood,
        "- [ ] P\n\n  ```yaml\n  check: port\n  port: 1\n  expect:\n    - open = true\n    - open != false\n  ```\n",  # noqa: E501
    )
    assert len(step.expect) == 2


def test_an_attribute_that_is_a_name_names_the_step(understood: Reader) -> None:
    assert a_step(understood, "```bash {name=warm-up}\n./go\n```\n").id == "warm-up"


def test_an_attribute_puts_the_step_into_the_background(understood: Reader) -> None:
    assert a_step(understood, "```bash {background=true}\n./go\n```\n").background
    assert not a_step(understood, "```bash {background=false}\n./go\n```\n").background


def test_loose_blocks_are_named_by_what_stands_before_them(understood: Reader) -> None:
    text = (
        f"{EXPLICIT}## Deploy\n- [ ] Ready\n\n### Caches\n\n```bash\n./one\n```\n\nWarm all of them. Then wait:\n\n"  # noqa: E501
        "```bash\n./two\n```\n```bash\n# Count them\n./three\n```\n```bash\n./four\n```\n"
    )
    plan = a_plan(understood, text)
    assert [(s.title, s.id) for s in plan.steps()][1:] == [
        ("Caches", "deploy/caches"),
        ("Warm all of them", "deploy/caches/warm-all-of-them"),
        ("Count them", "deploy/caches/count-them"),
        ("Count them", "deploy/caches/count-them-2"),
    ]


def test_a_block_behind_a_table_is_named_by_its_heading(understood: Reader) -> None:
    text = f"{EXPLICIT}## Deploy\n\n| Item | Owner |\n|-|-|\n| a | b |\n\n```bash\n./x\n```\n"
    assert [s.title for s in a_plan(understood, text).steps()] == ["a", "Deploy"]


def test_a_critical_heading_makes_its_block_critical(understood: Reader) -> None:
    text = (
        f"{EXPLICIT}## Deploy\n### ⚠️ Switch\n```bash\n./x\n```\n**⚠️ Again:**\n\n```bash\n./y\n```\n"
    )
    assert [s.critical for s in a_plan(understood, text).steps()] == [True, True]


def test_expected_output_in_a_block_is_kept_as_a_note(understood: Reader) -> None:
    text = "## Smoke tests\n```bash\n./go\n```\n\nExpected output:\n\n```text\nall\ngood\n```\n"
    assert next(a_plan(understood, text).steps()).notes == ("Expected output: all good",)


def test_an_expectation_of_its_own_outranks_a_comment(understood: Reader) -> None:
    text = f"{EXPLICIT}## Smoke tests\n- [ ] x\n\n  ```bash\n  ./go # Expected: 3\n  ```\n\n  - Expect: output = 3\n"  # noqa: E501
    assert codes(understood, text) == ["GN336"]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param("  - Undo:\n\n    ```text\n    x\n    ```\n", ["GN321"], id="undo-is-text"),
        pytest.param("  - Unless: whatever\n", ["GN321"], id="unless-is-prose"),
        pytest.param("  - If interrupted: ask\n", [], id="ask"),
        pytest.param("  - Kind: action\n", [], id="kind"),
        pytest.param("  - Estimate: a while\n", ["GN319"], id="estimate"),
        pytest.param("  - Critical: maybe\n", ["GN315"], id="yes-or-no"),
        pytest.param("  - Critical\n  - Optional\n", [], id="a-word-alone"),
        pytest.param("  > Expect: output = 3\n", [], id="quotation"),
        pytest.param("  > Only a remark\n", [], id="quoted-remark"),
        pytest.param("  | a | b |\n  |-|-|\n  | 1 | 2 |\n", [], id="table"),
        pytest.param("  <!-- remark -->\n", [], id="comment"),
        pytest.param("  - Because we say so\n    - twice\n", [], id="prose"),
        pytest.param("  - The latency stays < 5 ms\n", ["GN330"], id="bound-in-a-note"),
        pytest.param("  - Ownr: ana\n", ["GN312"], id="misspelt"),
    ],
)
def test_what_stands_under_a_step(understood: Reader, lines: str, found: list[str]) -> None:
    text = f"{EXPLICIT}## Deploy\n- [ ] x\n\n  ```bash\n  ./go\n  ```\n\n{lines}"
    assert codes(understood, text) == found


def test_unless_with_an_expectation_of_its_own(understood: Reader) -> None:
    step = a_step(
        understood,
        "- [ ] x\n\n  ```bash\n  ./go\n  ```\n\n  - Unless:\n\n    ```bash\n    ./version\n    ```\n\n"  # noqa: E501
        '    - Expect: output = "v2"\n',
    )
    assert step.unless is not None
    assert [e.condition.text for e in step.unless.expect] == ['output = "v2"']


def test_a_misspelt_target_in_braces(understood: Reader) -> None:
    front = "---\ngonogo: 1\ntargets: {app: x}\n---\n"
    body = "## Deploy\n- [ ] x\n\n  ```http\n  GET {{apps}}/\n  ```\n"
    assert codes(understood, front + body) == ["GN211"]
    assert codes(understood, front + body.replace("{{apps}}", "${apps}")) == []
    assert codes(understood, front + body.replace("{{apps}}", "{{TOKEN}}")) == []


def test_targets_written_out_are_no_names(understood: Reader) -> None:
    body = "## Deploy\n- [ ] x\n\n  ```sql\n  --| on: {}\n  SELECT 1 AS a\n  ```\n\n  - Expect: a = 1\n"  # noqa: E501
    front = "---\ngonogo: 1\ntargets: {db: x}\n---\n"
    assert codes(understood, front + body.replace("{}", "postgres://h/d")) == []
    assert codes(understood, front + body.replace("{}", "${DB}")) == []
    assert codes(understood, front + body.replace("{}", "bd")) == ["GN211"]


def test_cwd_and_interpreter_of_other_tools_are_honoured_and_printed(understood: Reader) -> None:
    text = f"{EXPLICIT}## Deploy\n- [ ] x\n\n  ```bash {{cwd=app}}\n  ./go\n  ```\n"
    found = understood(text)
    assert found.plan is not None
    block = next(found.plan.steps()).block
    assert block is not None
    assert block.work.cwd == "app"  # type: ignore[attr-defined]
    assert any(m.what == "attribute" and m.detail == "cwd: app" for m in found.meanings)


class OneKind:
    """A catalog of one kind."""

    def __init__(self, kind: type[Work]) -> None:
        self._kind = kind

    def kind(self, name: str) -> type[Work] | None:
        return self._kind if name == self._kind.kind else None

    def language(self, word: str) -> type[Work] | None:
        return self._kind if word in self._kind.languages else None

    def names(self) -> tuple[str, ...]:
        return (self._kind.kind,)


@dataclass(frozen=True, slots=True)
class Strict:
    """A kind with a field that must be given, and no body."""

    address: str
    kind: ClassVar[str] = "port"
    languages: ClassVar[tuple[str, ...]] = ()


@pytest.mark.parametrize(
    ("kind", "lines", "code"),
    [
        pytest.param(Strict, "", "GN214", id="lacks-a-field"),
        pytest.param(Needy, "  port: 13\n", "GN215", id="the-kind-itself-refuses"),
    ],
)
def test_a_kind_that_cannot_be_made(kind: type[Work], lines: str, code: str) -> None:
    text = f"{EXPLICIT}## Deploy\n- [ ] x\n\n  ```yaml\n  check: port\n{lines}  ```\n"
    found = understand(read(Source("x.md", text)), OneKind(kind))
    assert [d.code for d in found.diagnostics] == [code]


def test_values_of_all_sorts_are_json() -> None:
    found = work_json(cast("Work", Everything(exact=Decimal("0.10"), where=Path("a/b"), tags=frozenset({"b", "a"}),  # noqa: E501
        amount=Quantity(Decimal(5), "s"), colour=Colour.BLUE, headers={"A": "1"}, anything=(Null(), Relative(Decimal("1.2")), {1}, object))))  # fmt: skip  # noqa: E501
    assert found["exact"] == "0.10"
    assert (found["where"], found["tags"], found["amount"]) == ("a/b", ["a", "b"], "5 s")
    assert (found["colour"], found["headers"]) == ("blue", {"A": "1"})
    assert found["anything"] == [None, "1.2x baseline", ["1"], "<class 'object'>"]
    assert value_json(Needy(port=3)) == {
        "text": "", "host": "localhost", "port": 3, "wait_s": 1.0, "tags": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.10", "1.10"), ("0x1F", "0x1F"), (".inf", ".inf"), ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"), ("1" * 50, "1" * 50), ("yes", "true"), ("~", "null"),
        ("{a: 1, b: [x, 2]}", "a: 1, b: x, 2"),
    ],
)  # fmt: skip
def test_yaml_values_stay_what_the_author_wrote(text: str, value: str) -> None:
    node = yaml.compose(text)
    assert yaml_nodes.say(yaml_nodes.plain(node)) == value


def test_yaml_with_a_character_that_it_forbids(understood: Reader) -> None:
    text = f"{EXPLICIT}## Deploy\n- [ ] x\n\n  ```yaml\n  check: port\n  host: a\x07b\n  ```\n"
    assert codes(understood, text) == ["GN206"]


@pytest.mark.parametrize("line", ["port: 'x", "port: @x", "port: a: b"])
def test_hints_for_yaml_that_cannot_be_read(understood: Reader, line: str) -> None:
    text = f"{EXPLICIT}## Deploy\n- [ ] x\n\n  ```yaml\n  check: port\n  {line}\n  ```\n"
    (found,) = understood(text).diagnostics
    assert found.code == "GN206"
    assert found.span.line == 10
