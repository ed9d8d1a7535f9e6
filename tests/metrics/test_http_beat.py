from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.metrics.logs import START, a_source
from tests.support.kinds import Answering, Silent, a_context, closed_port

from gonogo import __version__
from gonogo.clock import SystemClock
from gonogo.metrics.web.beat import BeatReader, Schedule
from gonogo.plan.samples import Batch, Flaw
from gonogo.plan.sources import HttpSource

VARIABLES = {"PORT": "99999", "HOST": "["}


class Beating:
    """A source that asks; `until` reads until something was found."""

    def __init__(self, folder: Path, url: str, **fields: object) -> None:
        source = a_source({"http": url, "every": "1s", **fields})
        assert isinstance(source, HttpSource)
        self.reader = BeatReader(
            source, a_context(folder, variables={"TOKEN": "s3cret", **VARIABLES})
        )
        self.now = START

    def until(self, enough: Callable[[Batch], object]) -> Batch:
        pause = threading.Event()
        for _ in range(600):
            self.now += timedelta(seconds=1)
            batch = self.reader.read(self.now)
            if enough(batch):
                return batch
            pause.wait(0.02)
        raise AssertionError("nothing was found")

    def __enter__(self) -> Beating:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()


def test_measures_how_long_an_answer_takes_in_ms(tmp_path: Path, web: Answering) -> None:
    with Beating(tmp_path, f"{web.url}/json") as beat:
        (sample,) = beat.until(lambda b: b.samples).samples
    assert sample.value is not None
    assert 0 < sample.value < 60_000
    assert abs(sample.at_ms - SystemClock().now().timestamp() * 1000) < 60_000


def test_says_who_it_is_so_that_its_requests_can_be_left_out(
    tmp_path: Path, web: Answering
) -> None:
    headers = {"Authorization": "Bearer ${TOKEN}"}
    with Beating(tmp_path, f"{web.url}/json", headers=headers) as beat:
        beat.until(lambda b: b.samples)
    sent = web.seen[0][2]
    assert sent["User-Agent"] == f"gonogo/{__version__}"
    assert sent["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("path", "value", "success", "hits"),
    [
        ("/json", "failures", None, 0),
        ("/status/500", "failures", None, 1),
        ("/status/404", "failures", None, 1),
        ("/status/404", "failures", "status < 500", 0),
        ("/json", "availability", None, 1),
        ("/status/503", "availability", None, 0),
        ("/json", "availability", "size > 100000", 0),
    ],
)
def test_counts_successes(
    tmp_path: Path, web: Answering, path: str, value: str, success: str | None, hits: int
) -> None:
    more = {} if success is None else {"success": success}
    with Beating(tmp_path, web.url + path, value=value, **more) as beat:
        (sample,) = beat.until(lambda b: b.samples).samples
    assert (sample.hits, sample.total) == (hits, 1)


@pytest.mark.parametrize(("value", "hits"), [("failures", 1), ("availability", 0)])
def test_no_answer_is_never_a_success(tmp_path: Path, value: str, hits: int) -> None:
    url = f"http://127.0.0.1:{closed_port()}/"
    with Beating(tmp_path, url, value=value, success="status < 500") as beat:
        (sample,) = beat.until(lambda b: b.samples).samples
    assert (sample.hits, sample.total) == (hits, 1)


def test_a_refused_connection_has_no_latency_and_is_blind(tmp_path: Path) -> None:
    with Beating(tmp_path, f"http://127.0.0.1:{closed_port()}/") as beat:
        batch = beat.until(lambda b: b.bad)
    assert batch.samples == []
    assert [bad.why for bad in batch.bad] == [Flaw.UNANSWERED]
    assert "connection refused" in (batch.blind or "")


@pytest.mark.parametrize("place", ["127.0.0.1:${PORT}", "${HOST}"])
def test_an_address_that_is_none_is_blind_and_not_silent(tmp_path: Path, place: str) -> None:
    with Beating(tmp_path, f"http://{place}/") as beat:
        batch = beat.until(lambda b: b.blind)
    assert batch.samples == []
    assert "no valid URL" in (batch.blind or "")


def test_a_page_that_hangs_counts_with_the_time_that_was_waited(
    tmp_path: Path, silent: Silent
) -> None:
    with Beating(tmp_path, f"http://127.0.0.1:{silent.port}/", timeout="0.2s") as beat:
        batch = beat.until(lambda b: b.samples)
    assert [s.value for s in batch.samples] == [200]
    assert batch.blind is None


def test_closing_gives_up_a_request_on_its_way(tmp_path: Path, silent: Silent) -> None:
    beat = Beating(tmp_path, f"http://127.0.0.1:{silent.port}/", timeout="100s")
    beat.reader.close()
    beat.reader.close()
    assert not [t for t in threading.enumerate() if t.name == "gonogo-beat"]


@given(
    st.floats(0.5, 60),
    st.lists(st.floats(0, 500), min_size=1, max_size=30),
)
def test_the_beat_never_bunches_up_and_every_point_is_asked_or_missed(
    every_s: float, pauses: list[float]
) -> None:
    schedule = Schedule(every_s, 0.0)
    now = 0.0
    asked: list[float] = []
    missed = 0
    for pause in pauses:
        now += schedule.wait(now)
        missed += schedule.begin(now)
        asked.append(now)
        now += pause
    points = {int(at / every_s + 1e-9) for at in asked}
    assert len(points) == len(asked)  # never two requests for one point of the grid
    assert len(asked) + missed == max(points) + 1
