"""The fault table of the watched release, on the real service: each row its own release.

With short buckets they run every night. In real time, `python3 go.py test tests/demo -m realtime`
plays all rows side by side, with buckets of five minutes (docs/realtime-s4.md); `ROWS` names some.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

import pytest
from tests.demo.conftest import laid_out
from tests.demo.rows import AWAY, THRICE, TWICE, Played, Row, play

from gonogo.demo import inbox
from gonogo.demo.pace import Pace
from gonogo.services import Postgres, Valkey

ERRORS = "Error rate > 1% for 2 consecutive buckets"
SLOW = "P99 > 1.2s for 2 consecutive buckets"
HITS = "Cache hit rate < 20% for 2 consecutive buckets"
REFRESH = "View refresh failures max > 2"
ASKS, ROLLED_BACK = 3, 4
A_MINUTE_MS = 60_000
A_SERVER = 16  # so many databases has a cache server, one for each row
ROWS = [
    Row("no fault", ()),
    Row("p95 700 ms twice", ("slow 11 700",) * 2, (("warn", 2),), code=ASKS),
    Row("errors 1.5 % twice", ("errors 1.5",) * 2, (), ERRORS, 2, ROLLED_BACK, width_s=10),
    Row("errors 3 % twice", ("errors 3",) * 2, (("page", 2),), ERRORS, 2, ROLLED_BACK),
    Row("errors 8 % once", ("errors 8",), (("critical", 1),), code=ASKS),
    Row(
        "errors 8 % twice",
        ("errors 8",) * 2,
        (("critical", 1), ("page", 2)),
        ERRORS,
        2,
        ROLLED_BACK,
    ),
    Row("p99 1.3 s twice", ("slow 3 1300",) * 2, (("page", 2),), SLOW, 2, ROLLED_BACK),
    Row("p99 2.1 s once", ("slow 3 2100",), (("critical", 1),), code=ASKS, width_s=10),
    Row("hit rate 15 %", ("cache 15",) * 4, (), HITS, 2, ROLLED_BACK, early_s=2),
    Row("hit rate 25 %", ("cache 25",) * 4, code=ASKS, early_s=2),
    Row("two failed refreshes", (TWICE,)),
    Row("three failed refreshes", (THRICE,), (), REFRESH, 0, ROLLED_BACK, width_s=10),
    Row("bad, good, bad", ("errors 3", "none", "errors 3")),
    Row("a bucket without data", ("none", AWAY, "none"), code=ASKS),
    Row(
        "bad, no data, bad",
        ("errors 1.5", AWAY, "errors 1.5"),
        (),
        ERRORS,
        3,
        ROLLED_BACK,
        width_s=10,
    ),
    Row("bad in the last bucket", ("none", "none", "errors 1.5"), width_s=10),
    Row(
        "bad in the last and the next",
        ("none", "none", "errors 1.5", "errors 1.5"),
        (),
        ERRORS,
        4,
        ROLLED_BACK,
        width_s=10,
    ),
    Row("the check of a migration is false", (), before="verify", code=ROLLED_BACK),
    Row("a regular user may read", (), before="admin-open", code=ROLLED_BACK),
]
CHOSEN = [row for row in ROWS if row.name in os.environ.get("ROWS", row.name).split(";")]
SIDE_BY_SIDE = int(os.environ.get("SIDE_BY_SIDE", "3"))


class Stage:
    """Plays rows side by side, each in a folder, a database, a cache and on ports of its own."""

    def __init__(self, folder: Path, postgres: Postgres, caches: Sequence[Valkey]) -> None:
        self._folder = folder
        self._postgres = postgres
        self._caches = caches
        self._loading = Lock()

    def play(self, row: Row, *, real_time: bool) -> Played:
        number = ROWS.index(row)
        width_s = 300 if real_time else row.width_s
        bucket = "5-minute" if real_time else f"{width_s}-second"
        length = "15 minutes" if real_time else f"{3 * width_s} seconds"
        per_second = 10 if real_time else 40
        cache = self._caches[number // A_SERVER].url(number % A_SERVER)
        folder = self._folder / f"row {number}"
        with ExitStack() as stack:
            alone = stack.enter_context(ExitStack())
            if real_time:  # so many load tests at once would disturb each other
                alone.enter_context(self._loading)
            place = laid_out(folder, self._postgres, cache, f"row_{number}")
            workspace = stack.enter_context(place)
            every_s = "60" if real_time else "3"
            settled = workspace.with_settings(REFRESH_EVERY_S=every_s)
            pace = Pace(length, bucket, width_s)
            played = play(row, settled, pace, per_second, watched=alone.close)
        told = [f"== {row.name}: exit code {played.code}", *played.story()]
        told += [message.say() for message in played.messages]
        told += [played.text if played.first_ms == 0 else ""]
        (self._folder / f"row {number}.txt").write_text("\n".join(told), encoding="utf-8")
        if "STORIES" in os.environ:
            with Path(os.environ["STORIES"]).open("a", encoding="utf-8") as log:
                log.write("\n".join(told) + "\n\n")
        return played


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Stage]:
    with ExitStack() as stack:
        servers = range(-(-len(ROWS) // A_SERVER))
        caches = [stack.enter_context(Valkey.start()) for _ in servers]
        yield Stage(tmp_path_factory.mktemp("rows"), postgres, caches)


def is_as_the_table_says(played: Played) -> None:
    row = played.row
    told = "\n".join((*played.story(), played.text))
    assert played.fired("warn", "page", "critical") == row.alerts, told
    text, at = played.trigger()
    assert text == row.trigger, told
    mixed = row.early_s > 0 and played.width_ms < A_MINUTE_MS  # its first bucket: old and new
    assert row.at in (0, at, at - mixed), told
    assert played.code == row.code, told
    begun = set(inbox.begun(played.messages))
    wanted = {severity for severity, _ in row.alerts}
    if row.code == ROLLED_BACK:  # a rollback is always told, whether an alert line covers it or not
        wanted |= {"page"}
        texts = [text for message in played.messages for _, _, text in message.alerts]
        assert any("rolling back" in text for text in texts), told
        assert any("rolled back" in text for text in texts), told
    if AWAY in row.faults:  # a silence that is over within the group's time is told to nobody
        assert any(event.item.startswith("no-data/") for event in played.of("rule.moved")), told
        begun -= {"warn"}
    assert begun == wanted, told


@pytest.fixture(scope="module")
def all_short(stage: Stage) -> Iterator[dict[str, Future[Played]]]:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        futures = {row.name: pool.submit(stage.play, row, real_time=False) for row in CHOSEN}
        yield futures
        for future in futures.values():
            future.cancel()


@pytest.fixture(scope="module")
def all_real(stage: Stage) -> Iterator[dict[str, Future[Played]]]:
    with ThreadPoolExecutor(len(CHOSEN)) as pool:
        futures = {row.name: pool.submit(stage.play, row, real_time=True) for row in CHOSEN}
        yield futures


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.name)
def test_with_short_buckets(all_short: dict[str, Future[Played]], row: Row) -> None:
    is_as_the_table_says(all_short[row.name].result())


@pytest.mark.realtime
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.name)
def test_in_real_time(all_real: dict[str, Future[Played]], row: Row) -> None:
    is_as_the_table_says(all_real[row.name].result())
