"""A stand-in answers as Prometheus documents it; the real one is asked where it is installed."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.metrics.logs import START_MS
from tests.metrics.reading import Source
from tests.support.kinds import closed_port

from gonogo.plan.samples import Flaw, Sample


class StandIn:
    """Answers every query with the text that was set for it."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str]] = {}
        self.asked: list[dict[str, list[str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                words = parse_qs(parts.query)
                outer.asked.append(words)
                status, text = outer.answers.get(words["query"][0], (404, "no such page"))
                if parts.path != "/api/v1/query":
                    status, text = 404, "404 page not found"
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def says(self, query: str, data: object = None, **more: object) -> None:
        said = {"status": "success", "data": data, **more}
        self.answers[query] = (200, json.dumps(said))


@pytest.fixture
def prom() -> Iterator[StandIn]:
    stand_in = StandIn()
    thread = threading.Thread(target=stand_in.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    with contextlib.closing(stand_in.server.socket):
        yield stand_in
        stand_in.server.shutdown()
        thread.join()
        stand_in.server.server_close()


def one(value: str) -> dict[str, object]:
    return {"resultType": "vector", "result": [{"metric": {}, "value": [1, value]}]}


def a_metric(folder: Path, prom: StandIn, **fields: object) -> Source:
    return Source(folder, {"prom": prom.url}, prometheus="prom", query="q", **fields)


@pytest.mark.parametrize(
    "data",
    [one("0.250"), {"resultType": "scalar", "result": [1, "0.250"]}],
    ids=["vector", "scalar"],
)
def test_one_number(tmp_path: Path, prom: StandIn, data: object) -> None:
    prom.says("q", data)
    with a_metric(tmp_path, prom, unit="s") as metric:
        assert metric.read(30).samples == [Sample(START_MS + 30_000, Decimal("0.250"))]
    assert prom.asked[0]["time"] == [f"{(START_MS + 30_000) / 1000:.3f}"]


def test_a_fraction_becomes_percent(tmp_path: Path, prom: StandIn) -> None:
    prom.says("q", one("0.0125"))
    with a_metric(tmp_path, prom, unit="fraction") as metric:
        assert [s.value for s in metric.read(0).samples] == [Decimal("1.25")]


def test_a_second_query_says_how_many_samples_were_behind_it(tmp_path: Path, prom: StandIn) -> None:
    prom.says("q", one("0.2"))
    prom.says("n", one("1234.5"))
    with a_metric(tmp_path, prom, unit="s", count="n", stat="p95") as metric:
        assert [s.samples for s in metric.read(0).samples] == [1234]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("NaN", Flaw.NOT_FINITE),
        ("+Inf", Flaw.NOT_FINITE),
        ("-Inf", Flaw.NOT_FINITE),
        ("-3", Flaw.NEGATIVE),
        ("fast", Flaw.TEXT),
    ],
)
def test_what_is_no_measurement_is_bad(
    tmp_path: Path, prom: StandIn, value: str, why: Flaw
) -> None:
    prom.says("q", one(value))
    with a_metric(tmp_path, prom) as metric:
        batch = metric.read(0)
    assert (batch.samples, [bad.why for bad in batch.bad]) == ([], [why])


SEVERAL = {"resultType": "vector", "result": [{"metric": {}, "value": [1, "2"]}] * 3}


@pytest.mark.parametrize(
    ("data", "more", "said"),
    [
        ({"resultType": "vector", "result": []}, {}, "gives no series"),
        (SEVERAL, {}, "gives 3 series, expected one"),
        ({"resultType": "matrix", "result": []}, {}, "values over time"),
        ({"resultType": "vector", "result": [{"histogram": [1, {}]}]}, {}, "histogram_quantile"),
        (one("1"), {"warnings": ["a store is away"]}, "may be incomplete: a store is away"),
        (one("1"), {"infos": ["PARTIAL response"]}, "may be incomplete"),
        (None, {}, "is not one of Prometheus"),
        (7, {}, "is not one of Prometheus"),
        (None, {"status": "error", "error": "parse error at 3"}, "refused: parse error at 3"),
    ],
)
def test_what_is_doubtful_is_blind_and_says_why(
    tmp_path: Path, prom: StandIn, data: object, more: dict[str, object], said: str
) -> None:
    prom.says("q", data, **more)
    with a_metric(tmp_path, prom) as metric:
        batch = metric.read(0)
    assert (batch.samples, batch.bad) == ([], ())
    assert said in (batch.blind or "")


@pytest.mark.parametrize("text", ["<html>proxy</html>", "", "[1]", '{"a": 1}', "{" * 5000])
def test_a_page_of_something_else_is_blind(tmp_path: Path, prom: StandIn, text: str) -> None:
    prom.answers["q"] = (502, text)
    with a_metric(tmp_path, prom) as metric:
        assert metric.read(0).blind == "the answer is not one of Prometheus (status 502)"


def test_a_remark_that_is_no_warning_does_not_matter(tmp_path: Path, prom: StandIn) -> None:
    prom.says("q", one("1"), infos=["metric might not be a counter"])
    with a_metric(tmp_path, prom) as metric:
        assert metric.read(0).blind is None


def test_a_server_that_is_away_is_blind(tmp_path: Path) -> None:
    url = f"http://ana:hunter2secret@127.0.0.1:{closed_port()}"
    with Source(tmp_path, {"prom": url}, prometheus="prom", query="q") as metric:
        said = metric.read(0).blind or ""
    assert "connection refused" in said
    assert "hunter2secret" not in said


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_the_real_server(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "prometheus.yml").write_text("global: {}\n")
    port = closed_port()
    argv = [
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            target = {"prom": f"http://127.0.0.1:{port}"}
            with Source(tmp_path, target, prometheus="prom", query="vector(0.25)") as metric:
                pause = threading.Event()
                for second in range(200):
                    batch = metric.read(second)
                    if batch.samples:
                        break
                    pause.wait(0.1)
                assert [s.value for s in batch.samples] == [Decimal("0.25")]
            with Source(tmp_path, target, prometheus="prom", query="nothing_at_all") as metric:
                assert "gives no series" in (metric.read(0).blind or "")
        finally:
            server.terminate()


@pytest.mark.parametrize("warnings", [["a part"], "a part", {"a part": 1}, 7])
def test_a_warning_in_any_form_is_blind(tmp_path: Path, prom: StandIn, warnings: object) -> None:
    prom.says("q", one("5"), warnings=warnings)
    with a_metric(tmp_path, prom) as metric:
        batch = metric.read(0)
    assert batch.samples == []
    assert "the answer may be incomplete" in (batch.blind or "")


@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "[]", "7", '{"status": "success", "data": ' + "[" * 600 + "]" * 600 + "}"],
    ids=["lists without end", "a list", "a number", "lists in lists"],
)
def test_json_of_another_form_is_blind(tmp_path: Path, prom: StandIn, text: str) -> None:
    prom.answers["q"] = (200, text)
    with a_metric(tmp_path, prom) as metric:
        batch = metric.read(0)
    assert batch.samples == []
    assert "is not one of Prometheus" in (batch.blind or "")
