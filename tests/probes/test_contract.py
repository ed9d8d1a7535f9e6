"""One suite for all kinds: what every one of them promises, whatever it looks at."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.kinds import Answering, Silent, StopAfter, a_context, closed_port

from gonogo import catalog
from gonogo.actions.shell import Sh, Shell
from gonogo.actions.sql import Sql
from gonogo.clock import SystemClock
from gonogo.errors import Severity, WorkError
from gonogo.plan import grammar
from gonogo.plan.kinds import Context, Datum, Effect, Observation, Role, Work
from gonogo.plan.units import Quantity
from gonogo.probes.file import File
from gonogo.probes.http import Http
from gonogo.probes.redis import Redis
from gonogo.probes.tcp import Tcp
from gonogo.source import Span

WAITING = ["shell", "sh", "sql", "http", "redis"]  # kinds that may wait for an answer
SECRET = "s3cr3t-value-of-the-test"


@dataclass(frozen=True)
class Case:
    """A look that succeeds, and one of the same kind that never gets an answer."""

    works: Work
    hangs: Work | None
    targets: Mapping[str, str]


@pytest.fixture(params=["shell", "sh", "sql", "http", "redis", "tcp", "file"])
def case(request: pytest.FixtureRequest, web: Answering, silent: Silent, tmp_path: Path) -> Case:
    (tmp_path / "there.txt").write_text(f"one\n{SECRET}\n")
    quiet = f"127.0.0.1:{silent.port}"
    match request.param:
        case "shell":
            return Case(Shell('echo "$TOKEN"; echo $(( 1 + 1 ))'), Shell("sleep 30"), {})
        case "sh":
            return Case(Sh('echo "$TOKEN"'), Sh("sleep 30"), {})
        case "sql":
            url = request.getfixturevalue("database")
            asleep = Sql("SELECT pg_sleep(30)")
            return Case(Sql("SELECT '${TOKEN}' AS a, 2 AS n"), asleep, {"db": url})
        case "http":
            asks = Http("POST {{web}}/echo\n\n${TOKEN}", kind_="check")
            return Case(asks, Http(f"GET http://{quiet}/"), {"web": web.url})
        case "redis":
            url = request.getfixturevalue("valkey")
            hangs = Redis(on=f"redis://{quiet}/0", command="PING")
            return Case(Redis(command="ECHO ${TOKEN}"), hangs, {"cache": url})
        case "tcp":
            return Case(Tcp("127.0.0.1", str(web.server.server_port)), None, {})
        case _:
            return Case(File("there.txt"), None, {})


def context_of(case: Case, place: Path, **more: object) -> Context:
    base = a_context(place, targets=case.targets, variables={"TOKEN": SECRET}, secrets=(SECRET,))
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


def values(datum: Datum | Observation) -> list[object]:
    """Return all single values of an observation."""
    if isinstance(datum, Observation):
        rows = [value for row in datum.rows or () for value in values(dict(row))]
        return [*values(dict(datum.indicators)), *rows]
    if isinstance(datum, dict):
        return [inner for value in datum.values() for inner in values(value)]
    if isinstance(datum, list):
        return [inner for value in datum for inner in values(value)]
    return [datum]


def test_a_look_gives_typed_indicators_that_the_documentation_names(
    case: Case, tmp_path: Path
) -> None:
    seen = case.works.perform(context_of(case, tmp_path))
    assert seen.indicators
    for name in seen.indicators:
        assert name in case.works.indicators
    for value in values(seen):
        assert (
            value is None
            or isinstance(value, bool | int | float | str | Quantity)
            or (type(value).__name__ == "Decimal")
        )


def test_the_text_for_evidence_is_redacted(case: Case, tmp_path: Path) -> None:
    seen = case.works.perform(context_of(case, tmp_path))
    assert seen.text
    assert SECRET not in seen.text


def test_live_output_is_redacted(case: Case, tmp_path: Path) -> None:
    heard: list[str] = []
    context = context_of(case, tmp_path, on_output=lambda _stream, text: heard.append(text))
    case.works.perform(context)
    assert SECRET not in "".join(heard)


def test_a_look_repeats_and_sees_the_same(case: Case, tmp_path: Path) -> None:
    first = case.works.perform(context_of(case, tmp_path))
    again = case.works.perform(context_of(case, tmp_path, folder=tmp_path / "second"))
    moving = {
        "duration",
        "latency",
        "response time",
        "connect",
        "dns",
        "first byte",
        "age",
        "header",
    }
    for name in first.indicators.keys() - moving:
        if name != "body":
            assert again.indicators[name] == first.indicators[name]


@pytest.mark.parametrize("case", WAITING, indirect=True)
def test_silence_until_the_deadline_is_an_error_and_no_observation(
    case: Case, tmp_path: Path
) -> None:
    assert case.hangs is not None
    clock = SystemClock()
    began = clock.monotonic()
    with pytest.raises(WorkError) as caught:
        case.hangs.perform(context_of(case, tmp_path, timeout_s=1.0))
    assert clock.monotonic() - began < 15
    assert not caught.value.failed
    assert caught.value.hint


@pytest.mark.parametrize("case", WAITING, indirect=True)
def test_a_wish_to_stop_ends_a_look_that_waits(case: Case, tmp_path: Path) -> None:
    assert case.hangs is not None
    clock = SystemClock()
    began = clock.monotonic()
    context = context_of(case, tmp_path, timeout_s=30.0, should_stop=StopAfter(2))
    with pytest.raises(WorkError, match="stopped"):
        case.hangs.perform(context)
    assert clock.monotonic() - began < 15


def test_looks_in_parallel_do_not_disturb_each_other(case: Case, tmp_path: Path) -> None:
    problems: list[BaseException] = []

    def look(number: int) -> None:
        try:
            case.works.perform(context_of(case, tmp_path, folder=tmp_path / f"p{number}"))
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            problems.append(error)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_block_says_in_one_line_what_it_does(case: Case) -> None:
    said = case.works.describe()
    assert said
    assert "\n" not in said


def test_a_good_block_has_no_mistakes(case: Case) -> None:
    errors = [d for d in case.works.review() if d.severity is Severity.ERROR]
    assert errors == []


UNREACHABLE: dict[str, tuple[Callable[[int], Work], str]] = {
    "sql": (
        lambda port: Sql("SELECT 1", on=f"postgresql://u:{SECRET}@127.0.0.1:{port}/d"),
        "refused",
    ),
    "http": (lambda port: Http(f"GET http://u:{SECRET}@127.0.0.1:{port}/"), "refused"),
    "redis": (
        lambda port: Redis(on=f"redis://:{SECRET}@127.0.0.1:{port}/0", command="PING"),
        "refused",
    ),
    "sql without a name": (
        lambda _: Sql("SELECT 1", on=f"postgresql://u:{SECRET}@no.invalid/d"),
        "resolved",
    ),
    "http without a name": (lambda _: Http("GET http://no.invalid/"), "resolved"),
    "redis without a name": (
        lambda _: Redis(on="redis://no.invalid/0", command="PING"),
        "resolved",
    ),
    "tcp without a name": (lambda _: Tcp("no.invalid", "1"), "resolved"),
    "shell without its program": (lambda _: Shell("x", interpreter="no-such-program"), "not found"),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_what_cannot_be_reached_is_an_error_with_a_reason(name: str, tmp_path: Path) -> None:
    make, reason = UNREACHABLE[name]
    with pytest.raises(WorkError, match=reason) as caught:
        make(closed_port()).perform(a_context(tmp_path, secrets=(SECRET,)))
    assert not caught.value.failed
    assert SECRET not in caught.value.message + caught.value.hint
    assert not caught.value.message.endswith(".")
    assert "Traceback" not in caught.value.message


@pytest.mark.parametrize("kind", catalog.ours(), ids=lambda kind: kind.kind)
def test_every_kind_is_declared_completely(kind: type[Work]) -> None:
    assert kind.kind.islower()
    assert dataclasses.is_dataclass(kind)
    assert kind.__doc__
    for field in dataclasses.fields(kind):
        assert field.metadata["help"], field.name
    for name, sentence in kind.indicators.items():
        assert name == name.lower()
        assert sentence


@pytest.mark.parametrize("kind", catalog.ours(), ids=lambda kind: kind.kind)
@pytest.mark.parametrize("effect", [Effect.CHECK, Effect.ACTION])
def test_the_default_expectation_is_a_condition(kind: type[Work], effect: Effect) -> None:
    text = kind(body="", **({"command": "PING"} if kind is Redis else {})).default_expectation(
        effect
    )  # type: ignore[call-arg]
    if text is not None:
        reading = grammar.read(text, Span.of_line(1))
        assert reading.condition is not None


COMPLETE = frozenset(
    ("run", "drill", "migrate", "migrate-back", "migrations", "migration-rehearsal")
)
"""Kinds whose fields all have a default that can be meant."""


@pytest.mark.parametrize("kind", catalog.ours(), ids=lambda kind: kind.kind)
def test_an_empty_block_is_a_mistake_and_breaks_nothing(kind: type[Work]) -> None:
    work = kind(body="")  # type: ignore[call-arg]
    assert work.describe()
    assert work.destroys() == ()
    for role in Role:
        assert work.effect(role) in Effect
    is_wrong = any(d.severity is Severity.ERROR for d in work.review())
    assert is_wrong is (kind.kind not in COMPLETE)
    assert json.dumps([d.as_json() for d in work.review()])
