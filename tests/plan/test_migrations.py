"""From the files of a folder to migrations in their order, whatever layout the team has."""

from __future__ import annotations

import pytest

from gonogo.plan.migrations import Script, split_pending, understand

LAYOUTS = {
    "pairs of files": {"0001_a.up.sql": "A", "0001_a.down.sql": "B"},
    "folders": {"0001_a/up.sql": "A", "0001_a/down.sql": "B"},
    "sections of dbmate": {"0001_a.sql": "-- migrate:up\nA\n-- migrate:down\nB\n"},
    "sections of goose": {"0001_a.sql": "-- +goose Up\nA\n-- +goose Down\nB\n"},
    "flyway": {"V0001__a.sql": "A", "U0001__a.sql": "B"},
}


@pytest.mark.parametrize("files", LAYOUTS.values(), ids=LAYOUTS)
def test_a_layout_gives_both_ways(files: dict[str, str]) -> None:
    (migration,), problems = understand(files.items())
    assert problems == ()
    assert migration.title == "0001_a"
    assert migration.up.text.strip() == "A"
    assert migration.down is not None
    assert migration.down.text.strip() == "B"


def test_lines_of_a_section_keep_their_number() -> None:
    (migration,), _ = understand([("1_a.sql", "-- migrate:up\nA\n\n-- migrate:down\nB\n")])
    assert migration.down is not None
    assert migration.down.text.split("\n").index("B") == 4


def test_versions_are_ordered_as_numbers() -> None:
    names = ["10_c.up.sql", "9_b.up.sql", "0002_a.up.sql", "1.2_z.up.sql", "1.10_y.up.sql"]
    migrations, _ = understand((name, "SELECT 1") for name in names)
    assert [m.version for m in migrations] == ["1.2", "1.10", "0002", "9", "10"]


NO_TRANSACTION = {
    "ours": ("1_a.up.sql", "-- gonogo: no transaction\nSELECT 1", False),
    "dbmate": ("1_a.sql", "-- migrate:up transaction:false\nSELECT 1", False),
    "goose": ("1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1", False),
    "in a text": ("1_a.up.sql", "SELECT '-- gonogo: no transaction'", True),
    "none": ("1_a.up.sql", "SELECT 1", True),
}


@pytest.mark.parametrize(("path", "text", "wanted"), NO_TRANSACTION.values(), ids=NO_TRANSACTION)
def test_the_line_that_asks_for_no_transaction(path: str, text: str, wanted: bool) -> None:
    (migration,), _ = understand([(path, text)])
    assert migration.up.in_transaction is wanted


def test_a_way_back_without_a_statement_is_none() -> None:
    (migration,), _ = understand([("1_a.up.sql", "SELECT 1"), ("1_a.down.sql", "-- nothing\n")])
    assert migration.down is None


PROBLEMS = {
    "no version": ({"notes.sql": ""}, "the name has no version in front"),
    "twice": ({"1_a.up.sql": "", "1_b.up.sql": ""}, "version 1 is there twice: `1_a.up.sql` too"),
    "only down": ({"1_a.down.sql": "SELECT 1"}, "a way back without its way up"),
    "repeatable": ({"R__views.sql": ""}, "a repeatable migration has no way back"),
}


@pytest.mark.parametrize(("files", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong_with_a_folder_is_told(files: dict[str, str], message: str) -> None:
    _, problems = understand(files.items())
    assert [problem.message for problem in problems] == [message]


@pytest.mark.parametrize("there", ["0001", "1", "0001_a", "0001_a.sql"])
def test_tables_write_a_version_in_several_ways(there: str) -> None:
    migrations, _ = understand([("0001_a.up.sql", ""), ("0002_b.up.sql", "")])
    pending, unknown = split_pending(migrations, [there])
    assert ([m.title for m in pending], unknown) == (["0002_b"], ())


def test_a_version_without_a_file_is_unknown() -> None:
    migrations, _ = understand([("0001_a.up.sql", "")])
    assert split_pending(migrations, ["0001", "0099"]) == ((), ("0099",))
    assert migrations[0].up == Script("0001_a.up.sql", "")
