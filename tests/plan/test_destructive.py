"""Recognises a destructive statement from its own words, and leaves look-alikes alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plan.commands import DESTRUCTIVE_SHELL, HARMLESS_SHELL
from tests.plan.statements import DESTRUCTIVE_SQL, HARMLESS_SQL

from gonogo.plan.destructive import in_sql
from gonogo.plan.destructive_shell import in_shell


@pytest.mark.parametrize(("text", "target"), DESTRUCTIVE_SQL.items(), ids=list(DESTRUCTIVE_SQL))
def test_sql_that_destroys_is_recognised_with_what_is_lost(text: str, target: str) -> None:
    assert [loss.target for loss in in_sql(text)] == [target]


@pytest.mark.parametrize("text", HARMLESS_SQL)
def test_sql_that_only_looks_destructive_is_left_alone(text: str) -> None:
    assert in_sql(text) == ()


@pytest.mark.parametrize(("text", "target"), DESTRUCTIVE_SHELL.items(), ids=list(DESTRUCTIVE_SHELL))
def test_a_command_that_destroys_is_recognised_with_what_is_lost(text: str, target: str) -> None:
    assert [loss.target for loss in in_shell(text)] == [target]


@pytest.mark.parametrize("text", HARMLESS_SHELL)
def test_a_command_that_only_looks_destructive_is_left_alone(text: str) -> None:
    assert in_shell(text) == ()


def test_the_tables_are_large_and_balanced() -> None:
    destructive = len(DESTRUCTIVE_SQL) + len(DESTRUCTIVE_SHELL)
    harmless = len(HARMLESS_SQL) + len(HARMLESS_SHELL)
    assert destructive + harmless >= 150
    assert harmless >= destructive


def test_precision_and_recall_are_what_the_page_says() -> None:
    """Count both tables together, as docs/kinds.md does."""
    found = [bool(in_sql(text)) for text in DESTRUCTIVE_SQL]
    found += [bool(in_shell(text)) for text in DESTRUCTIVE_SHELL]
    false = sum(bool(in_sql(text)) for text in HARMLESS_SQL)
    false += sum(bool(in_shell(text)) for text in HARMLESS_SHELL)
    hits = sum(found)
    precision, recall = hits / (hits + false), hits / len(found)
    page = " ".join((Path(__file__).parents[2] / "docs" / "kinds.md").read_text().split())
    rows = len(found) + len(HARMLESS_SQL) + len(HARMLESS_SHELL)
    said = f"{rows} statements and commands, {rows - len(found)} of them harmless look-alikes"
    assert said in page
    assert f"precision {precision:.1%} and recall {recall:.1%}" in page
    assert min(precision, recall) >= 0.98


def test_the_place_is_the_statement_and_not_the_block() -> None:
    (loss,) = in_sql("SELECT 1;\n  DROP TABLE t;")
    assert (loss.span.line, loss.span.column, loss.span.end_column) == (2, 3, 15)
    (loss,) = in_shell("echo a\ncd x && rm -rf data # gone\n")
    assert (loss.span.line, loss.span.column, loss.span.end_column) == (2, 9, 20)
    assert loss.statement == "rm -rf data"


def test_each_loss_of_a_block_is_told() -> None:
    text = "redis-cli FLUSHALL\npsql -c 'TRUNCATE a; DROP TABLE b'\nrm -rf c\n"
    assert [loss.target for loss in in_shell(text)] == ["all databases", "a", "b", "c"]


_PIECES = st.lists(
    st.sampled_from([*DESTRUCTIVE_SHELL, *HARMLESS_SHELL, *DESTRUCTIVE_SQL, "'", '"', "$(", "${"]),
    max_size=6,
)


@given(_PIECES.map("\n".join) | st.text())
def test_no_text_breaks_the_readers_and_every_place_lies_inside(text: str) -> None:
    lines = text.count("\n") + 1
    for loss in (*in_sql(text), *in_shell(text)):
        assert 1 <= loss.span.line <= loss.span.end_line <= lines


@given(st.sampled_from([*DESTRUCTIVE_SHELL]), st.sampled_from(["sudo ", "time ", "nohup ", "! "]))
def test_a_prefix_does_not_hide_a_destructive_command(text: str, prefix: str) -> None:
    if text.split()[0] not in {"if", "while", "cat", "cd", "echo", "ls", "ps"}:
        assert in_shell(prefix + text)
