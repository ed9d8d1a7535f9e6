"""Other runs and drills, as a later run sees them: none, open, ended well, ended badly."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.kinds import a_context

from gonogo import outcomes
from gonogo.clock import stamp
from gonogo.errors import WorkError
from gonogo.outcomes import Outcome
from gonogo.plan.kinds import Observation
from gonogo.plan.units import Quantity
from gonogo.probes.history.drill import Drill
from gonogo.probes.history.past_run import PastRun

MINE = Outcome("me", "search", environment="production", rollback="abc", started="2026-03-02")


def ago(**past: float) -> str:
    return stamp(datetime.now(UTC) - timedelta(**past))


def look(folder: Path, kind: PastRun | Drill, *others: Outcome) -> Observation:
    for one in (MINE, *others):
        outcomes.write(folder / "runs" / one.run, one)
    context = a_context(folder, variables={"RELEASE": "v2"})
    return kind.perform(dataclasses.replace(context, run_folder=folder / "runs" / "me"))


def ended(run: str, **more: object) -> Outcome:
    values: dict[str, object] = {
        "service": "search", "environment": "staging", "release": "v2", "verdict": "go",
        "started": ago(hours=3), "ended": ago(hours=2),
    }  # fmt: skip
    return Outcome(run, **{**values, **more})  # type: ignore[arg-type]


def seconds(seen: Observation, name: str = "age") -> float:
    found = seen.indicators[name]
    assert isinstance(found, Quantity)
    return float(found.si)


def test_without_a_run_there_is_no_verdict(tmp_path: Path) -> None:
    seen = look(tmp_path, PastRun(), ended("b", service="other"), ended("c", ended="", verdict=""))
    assert (seen.indicators["verdict"], seen.indicators["open"]) == (None, 1)
    assert seen.text == "no run of search has ended here"


def test_the_last_run_that_has_ended_counts(tmp_path: Path) -> None:
    older = ended("b", verdict="no-go", ended=ago(days=2))
    seen = look(
        tmp_path, PastRun(), older, ended("c"), ended("d", drill=True, ended=ago(minutes=1))
    )
    assert (seen.indicators["run"], seen.indicators["verdict"]) == ("c", "go")
    assert 7_100 < seconds(seen) < 7_300


def test_it_can_be_asked_of_one_environment_and_release(tmp_path: Path) -> None:
    kind = PastRun(environment="staging", release="${RELEASE}")
    others = (ended("b", release="v1"), ended("c", environment="production"))
    assert look(tmp_path, kind, *others).indicators["verdict"] is None
    assert look(tmp_path, kind, ended("d")).indicators["run"] == "d"


def test_another_service_is_named(tmp_path: Path) -> None:
    seen = look(tmp_path, PastRun(service="billing"), ended("b"), ended("c", service="billing"))
    assert seen.indicators["run"] == "c"


def test_without_a_drill_nothing_passed(tmp_path: Path) -> None:
    seen = look(tmp_path, Drill(), ended("b"))
    assert seen.indicators["passed"] is None
    assert "never rehearsed" in seen.text


@pytest.mark.parametrize(("rollback", "same"), [("abc", True), ("changed", False)])
def test_a_drill_says_whether_it_is_still_the_same_way_back(
    rollback: str,
    same: bool,
    tmp_path: Path,
) -> None:
    times = {"detect_s": 1.0, "decide_s": 0.0, "act_s": 30.5, "recover_s": 10.0}
    drill = ended("b", drill=True, passed=True, rollback=rollback, times=times)
    seen = look(tmp_path, Drill(), drill, ended("c", ended=ago(minutes=1)))
    assert (seen.indicators["passed"], seen.indicators["same"]) == (True, same)
    assert seen.indicators["valid"] is same
    assert seconds(seen, "recovery time") == 41.5


@pytest.mark.parametrize(("days", "valid"), [(1, True), (-1, False)])
def test_a_drill_expires(tmp_path: Path, days: int, valid: bool) -> None:
    drill = ended("b", drill=True, passed=True, rollback="abc", expires=ago(days=-days))
    seen = look(tmp_path, Drill(), drill)
    assert (seen.indicators["passed"], seen.indicators["valid"]) == (True, valid)
    assert ("expired" in seen.text) is not valid


def test_a_failed_drill_after_a_good_one_counts(tmp_path: Path) -> None:
    good = ended("b", drill=True, passed=True, ended=ago(days=3))
    seen = look(tmp_path, Drill(), good, ended("c", drill=True, why="it took 16 min"))
    assert seen.indicators["passed"] is False
    assert "failed: it took 16 min" in seen.text


def test_a_drill_does_not_ask_for_itself(tmp_path: Path) -> None:
    outcomes.write(tmp_path / "runs" / "me", dataclasses.replace(MINE, drill=True))
    context = dataclasses.replace(a_context(tmp_path), run_folder=tmp_path / "runs" / "me")
    assert Drill().perform(context).indicators["passed"] is True


@pytest.mark.parametrize("kind", [PastRun(), Drill()])
def test_a_folder_that_says_nothing_is_an_error(kind: PastRun | Drill, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="says nothing"):
        kind.perform(dataclasses.replace(a_context(tmp_path), run_folder=tmp_path / "nowhere"))


WHOLE = '"run": "x", "service": "web"'


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[1]", '{"run": "x"}', "[" * 100_000, '{"run": 7, "service": "web"}'),
        f'{{{WHOLE}, "passed": "false"}}',
        f'{{{WHOLE}, "drill": 1}}',
        f'{{{WHOLE}, "ended": "yesterday"}}',
        f'{{{WHOLE}, "ended": "2026-01-01T00:00:00"}}',
        f'{{{WHOLE}, "expires": 7}}',
        f'{{{WHOLE}, "times": [1]}}',
        f'{{{WHOLE}, "times": {{"act_s": "1"}}}}',
        f'{{{WHOLE}, "times": {{"act_s": NaN}}}}',
        f'{{{WHOLE}, "stated_s": 1e400}}',
    ],
    ids=range(15),
)
def test_a_file_that_cannot_be_read_is_no_outcome(text: str, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / outcomes.FILE).write_text(text)
    assert outcomes.read(tmp_path / "x") is None
    assert outcomes.all_in(tmp_path) == ()
    assert outcomes.all_in(tmp_path / "nowhere") == ()
    assert outcomes.damaged_in(tmp_path) == (tmp_path / "x" / outcomes.FILE,)


@pytest.mark.parametrize("kind", [PastRun(), Drill()])
def test_an_older_run_does_not_stand_for_a_damaged_one(
    kind: PastRun | Drill, tmp_path: Path
) -> None:
    good = ended("b", drill=True, passed=True, ended=ago(days=3))
    outcomes.write(tmp_path / "runs" / "c", ended("c", drill=True))
    file = tmp_path / "runs" / "c" / outcomes.FILE
    file.write_text(file.read_text(encoding="utf-8")[:40], encoding="utf-8")
    with pytest.raises(WorkError, match=r"c/outcome\.json` is damaged"):
        look(tmp_path, kind, good)
