"""Info strings, attributes of other tools, option comments and prompts, each with its place."""

from __future__ import annotations

import pytest

from gonogo.runbook.fences import read_info, without_prompts
from gonogo.runbook.markdown import read
from gonogo.runbook.outline import Fence
from gonogo.source import Source, Span


def fence(text: str) -> Fence:
    (found,) = [n for _, n in read(Source("deploy.md", text)).walk() if isinstance(n, Fence)]
    return found


@pytest.mark.parametrize(
    ("info", "language", "words", "attributes"),
    [
        ("bash", "bash", (), []),
        ("", "", (), []),
        ("SQL db", "sql", ("db",), []),
        ('bash check t="two words"', "bash", ("check", 't="two', 'words"'), []),
        ("bash {name=build cwd=./app}", "bash", (), [("name", "build"), ("cwd", "./app")]),
        ("bash{name=build}", "bash", (), [("name", "build")]),
        (
            'sh {"name":"build it","background":true,"x":1}',
            "sh",
            (),
            [("name", "build it"), ("background", "true"), ("x", "1")],
        ),
        ("sh { name=a } { name=b }", "sh", ("{", "name=b", "}"), [("name", "a")]),
        ('sh {name="two words"}', "sh", (), [("name", '"two'), (None, 'words"')]),
        ("sh {name}", "sh", (), [(None, "name")]),
        ("sh {name=a", "sh", (), [(None, "name=a")]),
        ("sh {}", "sh", (), []),
        ("{.bash #build}", "bash", (), [("id", "build")]),
        ("{.bash name=x y='z'}", "bash", (), [("name", "x"), ("y", "'z'")]),
        ("{python}", "python", (), []),
        ("{r, echo=FALSE}", "r", (), [("echo", "FALSE")]),
        ("bash#build", "bash", ("#build",), []),
        ("c#", "c#", (), []),
    ],
)
def test_an_info_string_is_taken_apart(
    info: str, language: str, words: tuple[str, ...], attributes: list[tuple[str | None, str]]
) -> None:
    found = read_info(info, 1, 4)
    assert (found.language, found.words) == (language, words)
    assert [(a.key, a.value) for a in found.attributes] == attributes


def test_attributes_stand_where_they_were_written() -> None:
    text = "- step\n\n  ```bash {name=build cwd=app}\n  true\n  ```\n"
    found = fence(text)
    assert [a.span for a in found.attributes] == [Span(3, 12, 3, 22), Span(3, 23, 3, 30)]
    assert found.info_span == Span(3, 6, 3, 31)
    assert found.attribute("cwd") is found.attributes[1]
    assert found.attribute("tag") is None


@pytest.mark.parametrize(
    ("language", "line", "key", "value"),
    [
        ("bash", "#| timeout: 5m", "timeout", "5m"),
        ("sql", "--| on: db", "on", "db"),
        ("js", "//| on: node", "on", "node"),
        ("yaml", "#|on: db", "on", "db"),
        ("http", "#| Expect: status = 200", "Expect", "status = 200"),
        ("python", "#| undo:", "undo", ""),
        ("", "#| on: db", "on", "db"),
        ("bash", "#| timeout 5m", None, "timeout 5m"),
        ("bash", "#| a b c d: e", None, "a b c d: e"),
        ("sql", "#| on: db", None, "on: db"),
        ("bash", "//| on: db", None, "on: db"),
    ],
)
def test_an_option_comment_is_read_or_kept_with_the_reason(
    language: str, line: str, key: str | None, value: str
) -> None:
    found = fence(f"```{language}\n{line}\nbody\n```\n")
    (option,) = found.options
    assert (option.key, option.value) == (key, value)
    assert bool(option.problem) is (key is None)
    assert option.span == Span(2, 1, 2, len(line) + 1)
    assert found.body == f"{line}\nbody"
    assert found.body_without_options == "\nbody"


def test_options_stand_only_at_the_top_and_lines_keep_their_number() -> None:
    found = fence("```bash\n#!/bin/bash\n#| a: 1\n#| b: 2\nrun\n#| c: 3\n```\n")
    assert [o.key for o in found.options] == ["a", "b"]
    assert found.body_without_options == "#!/bin/bash\n\n\nrun\n#| c: 3"
    assert found.option("B") is found.options[1]
    assert found.option("c") is None


def test_the_last_option_of_a_name_counts() -> None:
    found = fence("```bash\n#| a: 1\n#| a: 2\n```\n")
    option = found.option("a")
    assert option is not None
    assert option.value == "2"


def test_places_in_an_indented_block_count_from_the_source_line() -> None:
    text = "1. step\n   ~~~~sql db\n   --| on: db\n     SELECT x\n   ~~~~\n"
    found = fence(text)
    assert (found.language, found.words, found.indent, found.is_closed) == ("sql", ("db",), 3, True)
    assert found.body == "--| on: db\n  SELECT x"
    assert found.options[0].span == Span(3, 4, 3, 14)
    assert found.options[0].value_span == Span(3, 12, 3, 14)
    assert found.place(1, 9) == Span(4, 13, 4, 14)
    assert found.span == Span(2, 4, 5, 8)


def test_a_quoted_block_has_its_columns() -> None:
    found = fence("> ```bash\n> #| a: 1\n> run\n> ```\n")
    assert found.options[0].span == Span(2, 3, 2, 10)
    assert found.place(1, 0, 3) == Span(3, 3, 3, 6)


@pytest.mark.parametrize(
    ("text", "body", "lines"),
    [
        ("```\n```\n", "", ()),
        ("```\n\n```\n", "", (0,)),
        ("```\na\n\n```\n", "a\n", (0, 0)),
    ],
)
def test_empty_bodies(text: str, body: str, lines: tuple[int, ...]) -> None:
    found = fence(text)
    assert (found.body, found.offsets, found.is_closed) == (body, lines, True)


def test_prompts_are_taken_off_and_output_is_left_out() -> None:
    body = "$ curl -I \\\n    https://x.example\nHTTP/2 200\n# then\n$ echo done\n> more"
    found = without_prompts(body, "console")
    assert found is not None
    assert found.script == "curl -I \\\n    https://x.example\n\n# then\necho done\n"
    assert found.outputs == (2, 5)


@pytest.mark.parametrize(
    ("body", "language"),
    [("echo $HOME", "bash"), ("$ curl", "python"), ("", "bash"), ("# $ curl\ncurl", "sh")],
)
def test_a_plain_script_has_no_prompts(body: str, language: str) -> None:
    assert without_prompts(body, language) is None
