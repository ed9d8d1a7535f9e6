"""The scratch database of a restore test is never somebody else's, and none is left behind."""

from __future__ import annotations

import pytest
from tests.actions.backing_up import recorded
from tests.support.backups import Shop, databases, fill, name_of

from gonogo.actions.backup import CheckRestore, scratch
from gonogo.errors import WorkError
from gonogo.plan.kinds import Effect


def test_a_database_of_somebody_else_is_never_taken(shop: Shop) -> None:
    shop.back_up()
    context = shop.context(Effect.CHECK)
    name = scratch.name_of(context, "gonogo_scratch")
    shop.server.create_database(name)
    try:
        with pytest.raises(WorkError, match="it is not ours"):
            CheckRestore(on="db").perform(context)
        assert name in databases(shop.server)
    finally:
        shop.server.drop_database(name)


def test_a_left_over_of_this_attempt_is_dropped_first(shop: Shop) -> None:
    shop.back_up()
    context = shop.context(Effect.CHECK)
    name = scratch.name_of(context, "gonogo_scratch")
    url = shop.server.create_database(name)
    fill(
        url,
        f"CREATE TABLE half (a int); COMMENT ON DATABASE {name} IS '{scratch.mark_of(context)}'",
    )
    assert CheckRestore(on="db").perform(context).indicators["problem"] == "none"
    assert shop.scratch() == set()


def test_a_left_over_of_an_earlier_attempt_is_dropped_too(shop: Shop) -> None:
    shop.back_up()
    earlier = shop.context(Effect.CHECK)
    url = shop.server.create_database(scratch.name_of(earlier, "gonogo_scratch"))
    mark = scratch.mark_of(earlier)
    fill(url, f"COMMENT ON DATABASE {name_of(url)} IS '{mark}'")
    foreign = shop.server.create_database("gonogo_scratch_of_ana")
    fill(foreign, "COMMENT ON DATABASE gonogo_scratch_of_ana IS 'made by gonogo for the attempt x'")
    try:
        assert shop.test_restore().indicators["problem"] == "none"
        assert shop.scratch() == {"gonogo_scratch_of_ana"}
    finally:
        shop.server.drop_database("gonogo_scratch_of_ana")


def test_nothing_is_left_when_time_is_over(shop: Shop) -> None:
    shop.back_up()
    tools = shop.folder / "slow"
    tools.mkdir()
    (tools / "pg_restore").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_restore (PostgreSQL) 99.1" || sleep 30\n'
    )
    (tools / "pg_restore").chmod(0o755)
    with pytest.raises(WorkError, match="did not end within"):
        CheckRestore(on="db", tools="slow").perform(shop.context(Effect.CHECK, timeout_s=2.0))
    assert shop.scratch() == set()
    assert recorded(shop)[-1][0] is False


def test_a_user_who_may_make_no_database_is_told(shop: Shop) -> None:
    shop.back_up()
    fill(shop.url, "DROP ROLE IF EXISTS small; CREATE ROLE small LOGIN")
    shop.targets["db"] = shop.url.replace("postgres@", "small@")
    with pytest.raises(WorkError, match="permission denied to create database"):
        shop.test_restore()
