"""The block in a runbook: what it may say, what is wrong with it, and what becomes of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.load.servers import Truthful
from tests.support.kinds import StopAfter, a_context, closed_port

from gonogo import catalog
from gonogo.errors import Diagnostic, RunbookError, Severity, WorkError
from gonogo.judge.verdict import Status
from gonogo.plan.kinds import Context, Effect, Role
from gonogo.plan.model import Step
from gonogo.probes.load import Load, thresholds
from gonogo.run.looking import Seen, look
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.source import Source, Span

FRONT = (
    "---\ngonogo: 1\nservice: shop\ntargets:\n  app: ${APP_URL}\n---\n\n# Shop\n\n## Load test\n\n"
)
SECRET = "s3cr3t-of-the-block"


def a_page(body: str, *under: str) -> Source:
    lines = ["- [ ] Under load", "", "  ```yaml", *(f"  {line}" for line in body.splitlines())]
    lines += ["  ```", "", *(f"  - {line}" for line in under)]
    return Source("shop.md", FRONT + "\n".join(lines) + "\n")


def a_step(body: str, *under: str) -> Step:
    plan = assemble(read(a_page(body, *under)), catalog.load())
    (step,) = plan.steps()
    return step


def remarks(body: str, *under: str) -> tuple[Diagnostic, ...]:
    try:
        return assemble(read(a_page(body, *under)), catalog.load()).diagnostics
    except RunbookError as error:
        return error.diagnostics


def carried_out(step: Step, web_url: str, tmp_path: Path, **more: object) -> Seen:
    """Carry a step out; again when this machine was too busy for it, as its user would."""
    assert step.block is not None
    for _ in range(5):
        there = a_there(tmp_path, web_url, timeout_s=60.0, **more)
        seen = look(step.block, step.expect, there)
        if "did not keep its schedule" not in seen.why:
            return seen
    return seen


def a_there(tmp_path: Path, url: str, **more: object) -> Context:
    context = a_context(
        tmp_path, targets={"app": url}, variables={"TOKEN": SECRET}, secrets=(SECRET,)
    )
    return dataclasses.replace(context, **more)  # type: ignore[arg-type]


SHORT = 'check: load\nurl: "{{app}}%s"\nrate: 100/s\nfor: 300ms\nthresholds: [ "%s" ]'

# --- carried out


@pytest.mark.parametrize(
    ("path", "limit", "status", "said"),
    [
        pytest.param("/ok", "error rate < 4 %", Status.PASS, "error rate 0 %", id="kept"),
        pytest.param("/ok", "p95 < 9s", Status.PASS, "p95", id="a percentile kept"),
        pytest.param("/ok", "p(95)<9000", Status.PASS, "p95", id="in k6's spelling"),
        pytest.param("/ok", "http_req_failed: rate<0.04", Status.PASS, "0 %", id="k6 with metric"),
        pytest.param("/ok", "p95 < 0.001 ms", Status.FAIL, "expected < 0.001 ms", id="too slow"),
        pytest.param("/every/5/500", "error rate < 10 %", Status.FAIL, "20 %", id="errors"),
        pytest.param("/every/5/500", "p95 < 9s", Status.FAIL, "p95 10 s", id="failing fast"),
        pytest.param("/every/5/429", "rate limited = 0", Status.FAIL, "6", id="rate limited"),
        pytest.param("/ok", "requests >= 30 and rate achieved > 1 r/s", Status.PASS, "30", id="n"),
        pytest.param("/status/500", "requests > 1", Status.FAIL, "none of 30", id="only errors"),
    ],
)
def test_a_load_is_held_to_its_limits(
    web: Truthful, tmp_path: Path, path: str, limit: str, status: Status, said: str
) -> None:
    seen = carried_out(a_step(SHORT % (path, limit)), web.url, tmp_path)
    assert seen.status is status, seen
    assert said in seen.actual


def test_without_a_single_answer_it_is_an_error(tmp_path: Path) -> None:
    step = a_step(SHORT % ("/", "requests > 1"))
    seen = carried_out(step, f"http://127.0.0.1:{closed_port()}", tmp_path)
    assert seen.status is Status.ERROR
    assert "connection refused" in seen.why


def test_limits_and_expectations_hold_together(web: Truthful, tmp_path: Path) -> None:
    step = a_step(SHORT % ("/every/5/500", "requests > 1"), "Expect: rate<0.3", "Expect: p50 < 9s")
    assert [item.condition.say() for item in step.expect] == [
        "requests > 1",
        "error rate < 30 %",
        "p50 < 9 s",
    ]
    assert carried_out(step, web.url, tmp_path).status is Status.PASS
    worse = a_step(SHORT % ("/every/5/500", "requests > 1"), "Expect: p(95)<500")
    assert carried_out(worse, web.url, tmp_path).status is Status.FAIL


def test_too_few_requests_say_nothing(web: Truthful, tmp_path: Path) -> None:
    step = a_step(SHORT % ("/ok", "requests > 1"), "Expect: p99 < 9s")
    seen = carried_out(step, web.url, tmp_path)
    assert seen.status is Status.UNKNOWN


def test_every_named_value_can_be_asked_for(web: Truthful, tmp_path: Path) -> None:
    asked = [
        *("p50 > 0 ms", "median > 0 ms", "max < 1h", "avg > 0 ms", "latency p95 > 0 ms"),
        *("response time p90 > 0 ms", "service time p95 > 0 ms", "lateness max >= 0 ms"),
        *("errors = 0", "rate limited = 0", "dropped = 0", "requests = 30"),
    ]
    step = a_step(SHORT % ("/ok", "error rate = 0 %"), *(f"Expect: {text}" for text in asked))
    seen = carried_out(step, web.url, tmp_path)
    assert seen.status is Status.PASS, seen.why
    assert set(seen.indicators) <= set(Load.indicators)
    assert set(Load.indicators) - set(seen.indicators) == {"failed thresholds"}


def test_the_evidence_shows_all_three_times_and_no_secret(web: Truthful, tmp_path: Path) -> None:
    body = (
        "check: load\nrequest: |\n  GET {{app}}/ok\n  Authorization: Bearer {{TOKEN}}\n"
        'rate: 50/s\nfor: 400ms\nthresholds: [ "error rate = 0 %" ]'
    )
    seen = carried_out(a_step(body), web.url, tmp_path)
    assert web.arrivals[-1].headers["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in str(seen)
    for word in ("latency", "service time", "lateness", "of the generator", "status 200: 20"):
        assert word in seen.text


def test_a_wish_to_stop_ends_it(web: Truthful, tmp_path: Path) -> None:
    work = Load(url=f"{web.url}/ok", rate="10/s", for_=20.0)
    with pytest.raises(WorkError, match="stopped"):
        work.perform(a_there(tmp_path, web.url, timeout_s=60.0, should_stop=StopAfter(2)))


def test_a_step_with_too_little_time_sends_nothing(web: Truthful, tmp_path: Path) -> None:
    work = Load(url=f"{web.url}/ok", rate="10/s", for_=20.0)
    with pytest.raises(WorkError, match="takes 35 s and has 10 s") as caught:
        work.perform(a_there(tmp_path, web.url, timeout_s=10.0))
    assert "timeout: 36s" in caught.value.hint
    assert web.arrivals == []


def test_a_rate_from_a_variable(web: Truthful, tmp_path: Path) -> None:
    work = Load(url=f"{web.url}/ok", rate="${RATE}", for_=0.2)
    assert work.review() == ()
    context = a_there(tmp_path, web.url, timeout_s=60.0)
    seen = work.perform(dataclasses.replace(context, variables={"RATE": "100/s"}))
    assert seen.indicators["requests"] == 20
    with pytest.raises(WorkError, match="is no rate"):
        work.perform(dataclasses.replace(context, variables={"RATE": "fast"}))


# --- read


def test_a_step_gets_the_time_that_its_schedule_needs() -> None:
    body = SHORT.replace("300ms", "20m") % ("/", "error rate < 1 %")
    assert a_step(body).timeout_s == 20 * 60 + 15
    assert a_step(body, "Timeout: 30m").timeout_s == 30 * 60
    assert a_step(SHORT % ("/", "error rate < 5 %")).timeout_s == 300


@pytest.mark.parametrize(
    ("work", "role", "effect"),
    [
        (Load(url="http://h/"), Role.DEPLOY, Effect.CHECK),
        (Load(request="POST http://h/\n\n1"), Role.LOAD, Effect.ACTION),
        (Load(request="POST http://h/\n\n1", kind_="check"), Role.LOAD, Effect.CHECK),
        (Load(mix=({"url": "http://h/"}, {"request": "PUT http://h/"})), Role.LOAD, Effect.ACTION),
        (Load(k6="a.js"), Role.LOAD, Effect.CHECK),
        (Load(k6="a.js"), Role.DEPLOY, Effect.ACTION),
    ],
)
def test_the_methods_tell_whether_it_looks(work: Load, role: Role, effect: Effect) -> None:
    assert work.effect(role) is effect


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("p(95)<500", "p95 < 500 ms"),
        ("p(99.9) <= 1500.5", "p99.9 <= 1500.5 ms"),
        ("med<200", "p50 < 200 ms"),
        ("avg < 200", "avg < 200 ms"),
        ("max<2000", "max < 2000 ms"),
        ("rate<0.01", "error rate < 1 %"),
        ("rate<0.001", "error rate < 0.1 %"),
        ("rate===0", "error rate = 0 %"),
        ("http_req_failed: rate<0.1", "error rate < 10 %"),
        ("http_req_duration: p(95)<500", "p95 < 500 ms"),
        ("http_reqs: rate>100", "rate achieved > 100 r/s"),
        ("http_reqs: count>=1000", "requests >= 1000"),
        ("checks: rate>0.9", None),
        ("p95 < 500ms", None),
        ("p(95) < 500ms", None),
        ("error rate < 1 %", None),
        ("p(95)", None),
    ],
)
def test_the_spelling_of_k6_in_our_words(written: str, ours: str | None) -> None:
    assert thresholds.translated(written) == ours


@pytest.mark.parametrize("written", ["rate<0.1", "http_req_failed: rate<=0.1", "rate < 0.5"])
def test_a_tenth_is_warned_of(written: str) -> None:
    (found,) = thresholds.read(written, Span.of_line(1)).remarks
    assert (found.code, found.severity) == ("GN113", Severity.WARNING)
    assert "%" in found.message


@pytest.mark.parametrize("written", ["rate<0.01", "rate<0.001", "p(95)<500", "error rate < 10 %"])
def test_what_means_what_it_says_is_not_warned_of(written: str) -> None:
    assert thresholds.read(written, Span.of_line(1)).remarks == ()


def test_the_warning_stands_at_its_place() -> None:
    (found,) = remarks(SHORT % ("/", "rate<0.1"))
    assert "allows 10 % errors" in found.message
    line = a_page(SHORT % ("/", "rate<0.1")).line(found.span.line)
    assert line[found.span.column - 1 : found.span.end_column - 1] == "rate<0.1"


def test_thresholds_as_k6_groups_them() -> None:
    body = SHORT.replace('[ "%s" ]', "{ http_req_duration: ['p(90)<400'], http_req_failed: %s }")
    step = a_step(body % ("/", "['rate<0.04']"))
    assert [e.condition.say() for e in step.expect] == ["p90 < 400 ms", "error rate < 4 %"]


def test_thresholds_of_k6_as_a_list_with_their_metric() -> None:
    body = SHORT.replace('[ "%s" ]', "[ 'p(95)<500', http_req_failed: rate<0.04 ]")
    step = a_step(body % "/")
    assert [e.condition.say() for e in step.expect] == ["p95 < 500 ms", "error rate < 4 %"]


URL = 'check: load\nurl: "{{app}}/"\n'
LONG = URL + "rate: 50/s\nfor: 1m\n"
MISTAKES = {
    "nothing to send": ("check: load\nrate: 1/s\nfor: 2s", "nothing says what to send"),
    "two things to send": (LONG + "k6: a.js", "`url` and `k6`"),
    "no rate": (URL + "for: 5m", "is no rate"),
    "no duration": (URL + "rate: 5/s", "`for` is missing"),
    "a bare number": (URL + "rate: 50\nfor: 5m", "`50` is no rate"),
    "a rate of jobs": (URL + "rate: 50 jobs/s\nfor: 5m", "counts jobs"),
    "a rate of nothing": (URL + "rate: 0/s\nfor: 5m", "sends nothing"),
    "a bad duration": (URL + "rate: 50/s\nfor: soon", "expected a duration"),
    "stages and a rate": (
        LONG + "stages: [ {for: 5s, rate: 1/s} ]",
        "`stages` stand beside `rate`",
    ),
    "a stage without rate": (URL + "stages: [ {for: 5s} ]", "needs `for` and `rate`"),
    "a strange stage": (URL + "stages: [ {for: 5s, target: 10} ]", "has `target`"),
    "a stage without a unit": (URL + "stages: [ {for: 5, rate: 1/s} ]", "no duration"),
    "all warm-up": (LONG + "warm up: 1m", "nothing is left to judge"),
    "no connections": (LONG + "connections: 0", "`connections` is `0`"),
    "no time to answer": (LONG + "request timeout: 0s", "`request timeout` is 0"),
    "no URL": ("check: load\nurl: search\nrate: 1/s\nfor: 2s", "no complete URL"),
    "a weight of nothing": (
        'check: load\nmix: [ {url: "{{app}}/", weight: 0} ]\nrate: 1/s\nfor: 2s',
        "`weight` is `0`",
    ),
    "a schedule for a script": ("check: load\nk6: a.js\nrate: 5/s\nfor: 1m", "its own schedule"),
    "arguments for nobody": (LONG + "arguments: --users 5", "are for k6 and Locust"),
    "a limit without a unit": (LONG + 'thresholds: [ "p95 < 500" ]', "compares time with a number"),
    "a fraction for a share": (LONG + 'thresholds: [ "error rate < 1" ]', "compares ratio"),
    "a limit on nothing": (LONG + 'thresholds: [ "page load < 3 s" ]', "nothing that a load test"),
    "no limit at all": (LONG + 'thresholds: [ "fast enough" ]', "states no condition"),
    "a limit of k6 that is not measured": (LONG + 'thresholds: [ "checks: rate>0.9" ]', "nothing"),
    "a limit with a window": (
        LONG + 'thresholds: [ "p95 < 1s for 2 buckets" ]',
        "judged once, at its end",
    ),
    "too few for a percentile": (
        URL + 'rate: 5/s\nfor: 10s\nthresholds: [ "p99 < 1s" ]',
        "`p99` needs 100 requests, and 50 will be judged",
    ),
    "too few for a share": (
        URL + 'rate: 50/s\nfor: 20s\nthresholds: [ "error rate < 0.1 %" ]',
        "needs 1001 requests, and 1000 will be judged",
    ),
    "nothing is asked": (LONG.rstrip(), "asserts nothing"),
    "a token in the text": (
        LONG + "request_timeout: 5s\nca: ghp_" + "a1B2" * 9 + '\nthresholds: [ "p95 < 1s" ]',
        "stands in the runbook",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_before_the_run(name: str) -> None:
    body, words = MISTAKES[name]
    errors = [d for d in remarks(body) if d.severity is Severity.ERROR]
    assert any(words in d.message + d.expected for d in errors), [d.message for d in errors]
    page = a_page(body)
    for found in errors:
        assert 12 <= found.span.line <= len(page.lines), found
        assert not found.message.endswith(".")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (URL + "vus: 50\nrate: 5/s\nfor: 1m", "write `rate: 50/s` and `for: 5m`"),
        (URL + "users: 50\nrate: 5/s\nfor: 1m", "write `rate: 50/s` and `for: 5m`"),
        (URL + "ramp-up: 30s\nrate: 5/s\nfor: 1m", "`rate: 10/s to 50/s`"),
        (URL + "rate: 5/s\nduration: 5m", "write `for: 5m`"),
    ],
)
def test_who_knows_k6_is_shown_the_words_for_it(body: str, hint: str) -> None:
    errors = [d for d in remarks(body) if d.code in {"GN209", "GN517"}]
    assert any(hint in d.hint for d in errors), [(d.code, d.hint) for d in errors]


def test_what_is_sent_is_said_in_a_line() -> None:
    assert (
        Load(url="http://h/a", rate="50/s", for_=300).describe() == "50/s for 300 s: GET http://h/a"
    )
    staged = Load(url="http://h/", stages=({"for": "5s", "rate": "1/s to 9/s"},), insecure=True)
    assert staged.describe() == "1/s to 9/s for 5s: GET http://h/ (insecure)"
    assert Load(locust="load.py").describe() == "locust load.py"
