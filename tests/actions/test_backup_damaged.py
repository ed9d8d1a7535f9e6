"""A backup that is cut off, changed, encrypted, missing or of another database is found out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.actions.backing_up import look
from tests.support.backups import Shop, fill

from gonogo.actions.backup import Backup


@pytest.fixture
def damaged(shop: Shop) -> tuple[Shop, Path]:
    shop.back_up()
    return shop, shop.folder / "backups" / "a.dump"


@pytest.mark.parametrize("known", [True, False], ids=["with manifest", "without"])
def test_a_truncated_backup_is_found(damaged: tuple[Shop, Path], known: bool) -> None:
    shop, path = damaged
    if not known:
        path.with_name("a.dump.json").unlink()
    os.truncate(path, path.stat().st_size * 2 // 3)
    seen = look(shop, "backups/*.dump", on="db").indicators
    assert seen["complete"] is False
    assert "cut off" in str(seen["problem"]) or "cannot be read" in str(seen["problem"])


def test_a_backup_that_was_changed_is_found(damaged: tuple[Shop, Path]) -> None:
    shop, path = damaged
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    seen = look(shop, "backups/*.dump", on="db").indicators
    assert seen["unchanged"] is False
    assert "checksum" in str(seen["problem"])


@pytest.mark.parametrize("known", [True, False], ids=["with manifest", "without"])
def test_a_backup_of_another_database_is_found(shop: Shop, known: bool) -> None:
    other = shop.server.create_database("other_shop")
    try:
        fill(other, "CREATE TABLE t (a int)")
        shop.targets["other"] = other
        Backup(on="other", to="backups/a.dump").perform(shop.context())
        if not known:
            (shop.folder / "backups" / "a.dump.json").unlink()
        seen = look(shop, "backups/*.dump", on="db").indicators
        assert seen["complete"] is True
        assert "another database: `other_shop`" in str(seen["problem"])
    finally:
        shop.server.drop_database("other_shop")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Salted__" + os.urandom(500), "encrypted"),
        (b"", "empty"),
        (b"-- PostgreSQL database dump\nCREATE TABLE t", "cut off"),
    ],
    ids=["encrypted", "empty", "half a text"],
)
def test_what_cannot_be_read_is_found(shop: Shop, content: bytes, words: str) -> None:
    (shop.folder / "x.dump").write_bytes(content)
    seen = look(shop, "x.dump").indicators
    assert seen["complete"] is False
    assert words in str(seen["problem"])


def test_a_plain_dump_is_whole_when_its_last_line_is_there(shop: Shop) -> None:
    text = subprocess.run(
        [shop.server.bin / "pg_dump", shop.url], capture_output=True, check=True
    ).stdout
    (shop.folder / "x.sql").write_bytes(text)
    assert look(shop, "x.sql").indicators["problem"] == "none"


def test_no_backup_at_all_is_a_finding(shop: Shop) -> None:
    seen = look(shop, "backups/*.dump").indicators
    assert seen["exists"] is False
    assert "there is no backup" in str(seen["problem"])


def test_a_half_written_backup_is_none(shop: Shop) -> None:
    (shop.folder / "backups").mkdir()
    (shop.folder / "backups" / "a.dump.part").write_bytes(b"PGDMP")
    assert look(shop, "backups/*").indicators["exists"] is False
