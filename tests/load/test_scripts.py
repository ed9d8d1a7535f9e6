"""Scripts of k6 and Locust: run by whatever is installed, read from summaries in their forms."""

from __future__ import annotations

import json
import os
import shutil
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from tests.load.servers import Truthful
from tests.support.kinds import StopAfter, a_context

from gonogo.errors import WorkError
from gonogo.plan.kinds import Context, Observation
from gonogo.plan.units import Quantity
from gonogo.probes.load import Load
from gonogo.probes.load.scripts import read_k6, read_locust

TREND = {
    "avg": 21.5,
    "min": 10,
    "med": 20,
    "max": 950.25,
    "p(90)": 40,
    "p(95)": 60.125,
    "p(99)": 300,
    "p(99.9)": 900,
}
EXPORTED = {
    "metrics": {
        "http_req_duration": {**TREND, "thresholds": {"p(95)<500": False, "p(99)<200": True}},
        "http_req_failed": {"passes": 3, "fails": 297, "value": 0.01},
        "http_reqs": {"count": 300, "rate": 49.99},
    }
}
HANDED = {
    "metrics": {
        "http_req_duration": {
            "type": "trend",
            "values": TREND,
            "thresholds": {"p(95)<500": {"ok": True}, "p(99)<200": {"ok": False}},
        },
        "http_req_failed": {"values": {"passes": 3, "fails": 297, "rate": 0.01}},
        "http_reqs": {"values": {"count": 300, "rate": 49.99}},
    }
}


@pytest.mark.parametrize("summary", [EXPORTED, HANDED], ids=["exported", "handed over"])
def test_both_forms_of_a_k6_summary_say_the_same(summary: object) -> None:
    found = read_k6(json.dumps(summary)).indicators
    assert found["p95"] == Quantity(Decimal("0.060125"), "s")
    assert found["median"] == Quantity(Decimal("0.02"), "s")
    assert found["max"] == Quantity(Decimal("0.95025"), "s")
    assert found["error rate"] == Quantity(Decimal(1), "%")
    assert found["requests"] == 300
    assert found["rate achieved"] == Quantity(Decimal("49.99"), "r/s")
    assert found["failed thresholds"] == 1
    assert found["p99.9"] is None  # 300 requests cannot show it


def test_a_script_without_limits_proves_nothing_by_default() -> None:
    metrics = {"http_reqs": {"count": 5, "rate": 1}, "http_req_duration": TREND}
    found = read_k6(json.dumps({"metrics": metrics})).indicators
    assert found["failed thresholds"] is None
    assert found["error rate"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"metrics": {"http_reqs"', "cannot be read"),
        ("{}", "no metrics"),
        ('{"metrics": {}}', "sent no HTTP request"),
        ('{"metrics": {"http_reqs": {"count": 0}}}', "sent no HTTP request"),
    ],
)
def test_a_k6_summary_that_says_nothing_is_an_error(text: str, words: str) -> None:
    with pytest.raises(WorkError, match=words) as caught:
        read_k6(text)
    assert not caught.value.failed


LOCUST = [
    {
        "name": "/search",
        "method": "GET",
        "num_requests": 90,
        "num_failures": 0,
        "total_response_time": 1800.0,
        "max_response_time": 21.4,
        "response_times": {"20": 90},
    },
    {
        "name": "/cart",
        "method": "POST",
        "num_requests": 10,
        "num_failures": 2,
        "total_response_time": 7000.0,
        "max_response_time": 1234.5,
        "response_times": {"100": 4, "1200": 6},
    },
]


def test_the_statistics_of_locust_are_put_together() -> None:
    found = read_locust("noise before\n" + json.dumps(LOCUST)).indicators
    assert found["requests"] == 100
    assert found["errors"] == 2
    assert found["error rate"] == Quantity(Decimal(2), "%")
    assert found["p50"] == Quantity(Decimal("0.02"), "s")
    assert found["p90"] == Quantity(Decimal("0.02"), "s")
    assert found["p95"] == Quantity(Decimal("1.2"), "s")
    assert found["max"] == Quantity(Decimal("1.2345"), "s")
    assert found["avg"] == Quantity(Decimal("0.088"), "s")
    assert found["p99.9"] is None


@pytest.mark.parametrize("text", ["", "no list", "[1, 2]", "[]", '[{"num_requests": 0}]', "[{"])
def test_statistics_of_locust_that_say_nothing_are_an_error(text: str) -> None:
    with pytest.raises(WorkError, match=r"cannot be read|sent no request"):
        read_locust(text)


def program(folder: Path, name: str, text: str) -> None:
    """Put a program of this name on the path: it stands for one that is not installed here."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def there(folder: Path, **more: object) -> Context:
    (folder / "load.js").write_text("script\n")
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return a_context(folder, variables={"PATH": path, "APP": "http://h"}, **more)  # type: ignore[arg-type]


WRITES = """
for word; do case "$word" in --summary-export=*) out="${word#*=}";; esac; done
printf '%s' "$SUMMARY" > "$out"
"""


def k6(folder: Path, text: str, *, ends: int = 0) -> Observation:
    summary = json.dumps(EXPORTED).replace("'", "")
    program(folder, "k6", f"SUMMARY='{summary}'\n{text}\nexit {ends}")
    return Load(k6="load.js").perform(there(folder))


@pytest.mark.parametrize("ends", [0, 99])
def test_a_k6_script_is_run_and_its_summary_read(tmp_path: Path, ends: int) -> None:
    found = k6(tmp_path, WRITES, ends=ends)
    assert found.indicators["failed thresholds"] == 1
    assert "crossed: http_req_duration p(99)<200" in found.text
    assert set(found.indicators) <= set(Load.indicators)


def test_a_k6_that_breaks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="exit code 107") as caught:
        k6(tmp_path, "echo 'SyntaxError: line 3' >&2", ends=107)
    assert "line 3" in caught.value.hint
    assert not caught.value.failed


def test_a_k6_without_a_summary_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="left no summary"):
        k6(tmp_path, "true")


def test_a_script_that_waits_is_stopped(tmp_path: Path) -> None:
    program(tmp_path, "k6", "sleep 30")
    with pytest.raises(WorkError, match="k6 was stopped"):
        Load(k6="load.js").perform(there(tmp_path, should_stop=StopAfter(3)))


def test_a_script_has_a_deadline(tmp_path: Path) -> None:
    program(tmp_path, "locust", "sleep 30")
    with pytest.raises(WorkError, match=r"locust did not end within 0\.5 s"):
        Load(locust="load.js").perform(there(tmp_path, timeout_s=0.5))


def test_a_locustfile_is_run_with_its_arguments(tmp_path: Path) -> None:
    text = f"echo \"$@\" > words\necho '{json.dumps(LOCUST)}'\nexit 1"
    program(tmp_path, "locust", text)
    found = Load(locust="load.js", arguments="--users 5 --host ${APP}").perform(there(tmp_path))
    words = (tmp_path / "words").read_text().split()
    assert words[:3] == ["-f", "load.js", "--headless"]
    assert words[-4:] == ["--users", "5", "--host", "http://h"]
    assert found.indicators["requests"] == 100
    assert set(found.indicators) <= set(Load.indicators)


@pytest.mark.parametrize(
    ("work", "name"), [(Load(k6="load.js"), "k6"), (Load(locust="load.js"), "locust")]
)
def test_a_program_that_is_not_installed_is_never_a_pass(
    work: Load, name: str, tmp_path: Path
) -> None:
    (tmp_path / "load.js").write_text("script\n")
    with pytest.raises(WorkError, match=f"not run: {name} is not installed") as caught:
        work.perform(a_context(tmp_path, variables={"PATH": str(tmp_path)}))
    assert not caught.value.failed
    assert caught.value.hint


def test_a_script_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    program(tmp_path, "k6", WRITES)
    with pytest.raises(WorkError, match=r"there is no file `other\.js`"):
        Load(k6="other.js").perform(there(tmp_path))


@pytest.mark.skipif(shutil.which("k6") is None, reason="k6 is not installed")
def test_the_real_k6(web: Truthful, tmp_path: Path) -> None:
    (tmp_path / "real.js").write_text(
        "import http from 'k6/http';\n"
        "const thresholds = { http_req_failed: ['rate<0.5'] };\n"
        "export const options = { iterations: 30, thresholds };\n"
        f"export default () => {{ http.get('{web.url}/ok'); }};\n"
    )
    found = Load(k6="real.js").perform(a_context(tmp_path, timeout_s=60))
    assert found.indicators["requests"] == len(web.arrivals) == 30
    assert found.indicators["failed thresholds"] == 0


@pytest.mark.skipif(shutil.which("locust") is None, reason="Locust is not installed")
def test_the_real_locust(web: Truthful, tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text(
        "from locust import HttpUser, task\n\n\nclass Shopper(HttpUser):\n"
        "    @task\n    def look(self):\n"
        "        for _ in range(30):\n            self.client.get('/ok')\n"
        "        self.environment.runner.quit()\n"  # else it leaves out what is still on its way
    )
    more = f"--host {web.url} --users 1 --run-time 30s"
    found = Load(locust="real.py", arguments=more).perform(a_context(tmp_path, timeout_s=60))
    assert found.indicators["requests"] == len(web.arrivals) == 30


ENTRY = {
    "num_requests": 200,
    "num_failures": 0,
    "response_times": {"10": 200},
    "total_response_time": 2000,
    "max_response_time": 10,
}


@pytest.mark.parametrize("value", [None, "many", "NaN", -1, [], 1e30], ids=str)
@pytest.mark.parametrize("name", [name for name in ENTRY if name != "response_times"])
def test_a_figure_that_locust_does_not_say_is_not_taken_for_none(name: str, value: object) -> None:
    assert read_locust(json.dumps([ENTRY])).indicators["errors"] == 0
    with pytest.raises(WorkError, match=r"cannot be read|sent no request"):
        read_locust(json.dumps([{**ENTRY, name: value}]))


@pytest.mark.parametrize("times", [None, 7, [1], {"10": "many"}, {"x": 1}, {"10": -5}], ids=str)
def test_times_of_another_form_are_refused(times: object) -> None:
    with pytest.raises(WorkError, match=r"cannot be read|sent no request"):
        read_locust(json.dumps([{**ENTRY, "response_times": times}]))


def test_figures_of_k6_that_cannot_be_are_unknown() -> None:
    trend = {"avg": 1e30, "med": -5, "p(90)": "NaN", "p(95)": None, "max": [], "thresholds": [1]}
    reqs = {"count": 300, "rate": -1}
    summary = {"metrics": {"http_req_duration": trend, "http_reqs": reqs}}
    found = read_k6(json.dumps(summary)).indicators
    names = ("avg", "p50", "p90", "p95", "max", "rate achieved", "error rate", "failed thresholds")
    assert [found[name] for name in names] == [None] * len(names)


@pytest.mark.parametrize(
    "text", ["[" * 900, '{"metrics": {"x": 1e99999999999999999999}}', '{"metrics": 7}', "\x00"]
)
def test_a_summary_that_is_none_is_refused(text: str) -> None:
    for read in (read_k6, read_locust):
        with pytest.raises(WorkError):
            read(text)
