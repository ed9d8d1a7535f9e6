"""A page in a real browser; without one, nothing was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.support.browsers import driven
from tests.support.kinds import StopAfter, a_context, closed_port

from gonogo.errors import WorkError
from gonogo.plan.kinds import Datum, Effect
from gonogo.plan.units import Quantity
from gonogo.probes.browser import Browser

PAGE = b"""<!doctype html><title>A page</title><link rel="icon" href="data:,">
<h1>Seen</h1><img src="/slow.svg"><script>console.error("a mistake")</script>
<img src="/missing.png">"""
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


class _Handler(BaseHTTPRequestHandler):
    over = Event()

    def do_GET(self) -> None:
        if self.path == "/slow.svg":
            self.over.wait(0.4)
        if self.path == "/never":
            self.over.wait(30)
        known = {"/": PAGE, "/slow.svg": PICTURE}
        self.send_response(200 if self.path in known else 404)
        kind = "image/svg+xml" if self.path.endswith("svg") else "text/html"
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(known.get(self.path, b"nothing"))

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """A page with a slow picture, a missing one, and an error on the console."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        _Handler.over.set()
        server.shutdown()
    _Handler.over.clear()


def look(work: Browser, place: Path, **more: object) -> dict[str, Datum]:
    return dict(work.perform(a_context(place, **more)).indicators)  # type: ignore[arg-type]


@driven
def test_a_page_is_loaded_with_all_that_is_in_it(site: str, tmp_path: Path) -> None:
    found = look(Browser(url="{{site}}/", loads=3), tmp_path, targets={"site": site})
    load, longest, first = found["load"], found["load max"], found["first byte"]
    assert isinstance(load, Quantity)
    assert isinstance(longest, Quantity)
    assert isinstance(first, Quantity)
    assert load.unit == "s"
    assert first.number < load.number <= longest.number
    assert float(load.number) > 0.4  # the slow picture belongs to it
    assert (found["status"], found["title"], found["loads"]) == (200, "A page", 3)
    assert found["console errors"] == 6  # each load: ours, and the browser's about the picture
    assert found["failed requests"] == 3
    assert isinstance(found["first paint"], Quantity)


@driven
def test_a_page_that_is_not_there_is_an_observation(site: str, tmp_path: Path) -> None:
    assert look(Browser(url=f"{site}/gone"), tmp_path)["status"] == 404


@driven
def test_no_answer_and_no_end_are_errors(site: str, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="connection refused"):
        look(Browser(url=f"http://127.0.0.1:{closed_port()}/"), tmp_path)
    with pytest.raises(WorkError, match="was not loaded within 3 s"):
        look(Browser(url=f"{site}/never"), tmp_path, timeout_s=3.0)


@driven
def test_a_wish_to_stop_ends_the_browser(site: str, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="stopped"):
        look(Browser(url=f"{site}/never"), tmp_path, timeout_s=60.0, should_stop=StopAfter(20))


def test_without_a_browser_nothing_was_looked_at(tmp_path: Path) -> None:
    variables = {"GONOGO_BROWSER": "no-such-browser"}
    with pytest.raises(WorkError, match="not run: ") as caught:
        look(Browser(url="http://127.0.0.1/"), tmp_path, variables=variables)
    assert not caught.value.failed
    assert caught.value.hint


@pytest.mark.parametrize(
    "work", [Browser(), Browser(url="page"), Browser(url="http://h/", loads=0)]
)
def test_mistakes_are_found_before_the_run(work: Browser) -> None:
    assert [d.code for d in work.review()] == ["GN561"]
    assert work.default_expectation(Effect.CHECK) == "status between 200 and 299"
