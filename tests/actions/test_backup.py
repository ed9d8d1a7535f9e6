"""Backups against a real PostgreSQL: whole, counted in one snapshot, never one over another."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from tests.actions.backing_up import ROWS, files, look
from tests.support.backups import Shop, ask, fill

from gonogo import records
from gonogo.actions.backup import Backup
from gonogo.errors import Severity, WorkError
from gonogo.plan.units import Quantity
from gonogo.services import Postgres


def test_a_backup_is_there_with_its_manifest(shop: Shop) -> None:
    seen = shop.back_up()
    assert seen.indicators["complete"] is True
    assert seen.indicators["tables"] == len(ROWS)
    assert seen.indicators["rows"] == sum(ROWS.values())
    assert files(shop.folder / "backups") == ["a.dump", "a.dump.json"]
    manifest = json.loads((shop.folder / "backups" / "a.dump.json").read_text())
    assert manifest["content"]["rows"] == ROWS
    assert manifest["size"] == (shop.folder / "backups" / "a.dump").stat().st_size
    assert manifest["content"]["sequences"]["public.tickets"] == 40
    assert "pg_trgm" in manifest["content"]["extensions"]
    assert manifest["server"].split(".")[0] == manifest["tool"].split(".")[0]


def test_what_only_looks_at_a_good_backup_finds_nothing_wrong(shop: Shop) -> None:
    shop.back_up()
    seen = look(shop, "backups/*.dump", on="db").indicators
    assert (seen["problem"], seen["complete"], seen["unchanged"]) == ("none", True, True)
    age = seen["age"]
    assert isinstance(age, Quantity)
    assert 0 <= age.number < 60


def test_a_later_step_finds_the_backup_of_this_run(shop: Shop) -> None:
    shop.back_up()
    (record,) = records.read(shop.folder / "run", records.BACKUPS)
    assert record["database"] == ask(shop.url, records.IDENTITY_SQL)
    assert Path(record["backup"]) == shop.folder / "backups" / "a.dump"
    assert look(shop, "this run", on="db").indicators["problem"] == "none"


def test_a_folder_is_written_by_several_jobs(shop: Shop) -> None:
    seen = shop.back_up("backups/big/", jobs=2)
    assert (shop.folder / "backups" / "big" / "toc.dat").exists()
    assert seen.indicators["complete"] is True
    assert look(shop, "backups/big", on="db").indicators["problem"] == "none"


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        ({"tables": ("users", "app.settings")}, {"public.users": 50, "app.settings": 1}),
        ({"schemas": ("app",)}, {"app.settings": 1}),
    ],
    ids=["tables", "schemas"],
)
def test_a_part_of_a_database(shop: Shop, said: dict[str, object], rows: dict[str, int]) -> None:
    shop.back_up(**said)  # type: ignore[arg-type]
    manifest = json.loads((shop.folder / "backups" / "a.dump.json").read_text())
    assert manifest["content"]["rows"] == rows
    assert manifest["complete"] is False
    assert shop.test_restore().indicators["problem"] == "none"


def test_an_older_backup_is_not_written_over(shop: Shop) -> None:
    shop.back_up()
    before = (shop.folder / "backups" / "a.dump").read_bytes()
    with pytest.raises(WorkError, match="exists already"):
        shop.back_up()
    assert (shop.folder / "backups" / "a.dump").read_bytes() == before


def test_only_the_newest_of_a_series_are_kept(shop: Shop) -> None:
    shop.targets["x"] = shop.url
    for number in range(4):
        context = shop.context()
        context = dataclasses.replace(
            context, variables={**context.variables, "RELEASE": f"v{number}"}
        )
        Backup(on="db", to="backups/s-{{RELEASE}}.dump", keep=2).perform(context)
        (shop.folder / "backups" / f"foreign-{number}.dump").touch()
    kept = [name for name in files(shop.folder / "backups") if name.startswith("s-")]
    assert kept == ["s-v2.dump", "s-v2.dump.json", "s-v3.dump", "s-v3.dump.json"]
    assert len(files(shop.folder / "backups")) == 8


def test_the_password_is_nowhere_but_in_the_environment(postgres: Postgres, tmp_path: Path) -> None:
    with Postgres.start(password="s3cr3t-of-the-test") as server:
        url = server.create_database("safe")
        fill(url, "CREATE TABLE t (a int)")
        shop = Shop(server, url, tmp_path)
        shop.back_up()
        shop.test_restore()
        for path in tmp_path.rglob("*"):
            if path.is_file():
                assert b"s3cr3t-of-the-test" not in path.read_bytes(), path


STAGES = ("began", "counted", "dumped", "sealed", "renamed", "told", "recorded")


@pytest.mark.parametrize("stage", STAGES)
def test_an_attempt_goes_on_from_what_it_has_written_down(shop: Shop, stage: str) -> None:
    """Leave the folder as a kill behind each stage would, and enter the attempt again."""
    at = STAGES.index(stage)
    work = Backup(on="db", to="backups/{{time}}.dump")
    context = shop.context()
    path = Path(str(work.perform(context).indicators["path"]))
    first = path.read_bytes()
    if at < STAGES.index("recorded"):
        (shop.folder / "run" / records.BACKUPS).unlink()
    if at < STAGES.index("told"):
        path.with_name(f"{path.name}.json").unlink()
    if at < STAGES.index("renamed"):
        path.rename(path.with_name(f"{path.name}.part"))
    if at < STAGES.index("sealed"):
        (context.folder / "sealed.json").unlink()
    if at < STAGES.index("dumped"):
        shutil.rmtree(context.folder / "round-1" / "pg_dump")
    if at < STAGES.index("counted"):
        shutil.rmtree(context.folder / "round-1")
    fill(shop.url, "INSERT INTO users (name) VALUES ('later')")
    seen = work.perform(context)
    assert files(shop.folder / "backups") == [path.name, f"{path.name}.json"]
    began_anew = at < STAGES.index("dumped")
    assert seen.indicators["rows"] == sum(ROWS.values()) + began_anew
    assert (path.read_bytes() == first) is not began_anew
    assert len(records.read(shop.folder / "run", records.BACKUPS)) == 1
    assert shop.test_restore().indicators["problem"] == "none"


MISTAKES = {
    "nothing": ({}, "GN520"),
    "no target": ({"to": "x"}, "GN520"),
    "both": ({"on": "db", "path": "x", "to": "y"}, "GN520"),
    "keep one": ({"on": "db", "to": "x-{{time}}", "keep": 1}, "GN520"),
    "keep without names": ({"on": "db", "to": "x", "keep": 3}, "GN520"),
    "tables of files": ({"path": "x", "to": "y", "tables": ("a",)}, "GN520"),
    "no jobs": ({"on": "db", "to": "x", "jobs": 0}, "GN517"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_seen_before_the_run(name: str) -> None:
    said, code = MISTAKES[name]
    found = Backup(**said).review()  # type: ignore[arg-type]
    assert [d.code for d in found if d.severity is Severity.ERROR][:1] == [code]
