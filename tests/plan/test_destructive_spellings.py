"""Spellings that a second reader collected: what destroys, and what only looks so."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plan.destructive_spellings import DESTRUCTIVE, UNSEEN
from tests.plan.harmless_spellings import HARMLESS

from gonogo.plan.destructive_shell import in_shell


@pytest.mark.parametrize("text", DESTRUCTIVE)
def test_what_destroys_is_recognised_with_a_name_to_type(text: str) -> None:
    found = in_shell(text)
    assert found
    assert all(loss.target.strip() for loss in found)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_so_is_left_alone(text: str) -> None:
    assert in_shell(text) == ()


def test_precision_and_recall_are_what_the_page_says() -> None:
    rows = [*DESTRUCTIVE, *UNSEEN]
    hits = sum(bool(in_shell(text)) for text in rows)
    false = sum(bool(in_shell(text)) for text in HARMLESS)
    page = " ".join((Path(__file__).parents[2] / "docs" / "kinds.md").read_text().split())
    assert f"{len(rows) + len(HARMLESS)} commands, {len(HARMLESS)} of them harmless" in page
    assert f"precision {hits / (hits + false):.1%} and recall {hits / len(rows):.1%}" in page


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ('DATA=/srv/data; rm -rf "$DATA"', "/srv/data"),
        ("A=/srv\nB=$A/data\nrm -rf ${B}", "/srv/data"),
        ('if x; then d=/tmp/a; else d=/srv/b; fi; rm -rf "$d"', "/srv/b"),
        ('if x; then d=/srv/b; else d=/tmp/a; fi; rm -rf "$d"', "/srv/b"),
        ("Q='DELETE '\nQ+='FROM orders'\npsql -c \"$Q\"", "orders"),
        ('TABLE=orders; psql -c "TRUNCATE $TABLE"', "orders"),
        ("RM='rm -rf'; $RM /srv/data", "/srv/data"),
        ("redis-cli -u redis://cache/3 FLUSHDB", "database 3"),
        ('redis-cli -u "$CACHE_URL" FLUSHDB', "database of $CACHE_URL"),
        ("redis-cli -u redis://:word@cache FLUSHDB", "database 0"),
    ],
)
def test_what_is_lost_is_named_through_variables_and_addresses(text: str, target: str) -> None:
    assert [loss.target for loss in in_shell(text)] == [target]


def test_what_the_block_itself_has_made_may_go() -> None:
    assert in_shell("createdb a && pg_restore -d a x.dump && dropdb a") == ()
    assert [loss.target for loss in in_shell("dropdb a; createdb a")] == ["a"]
