"""The page about alerts names everything that there is, and its example is understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.notify.test_receivers import mistakes, plan_of

from gonogo.plan.notices import FOR_GOOD, URGENCY, Failure, Reason, Severity
from gonogo.plan.receivers import CHANNELS, Receivers
from gonogo.plan.receiving import SETTINGS

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


def row(word: str, page: str = PAGE) -> list[str]:
    found = re.search(rf"^\| `{re.escape(word)}` \|(.+)\|$", page, re.MULTILINE)
    assert found is not None, f"docs/alerts.md has no row for `{word}`"
    return [cell.strip() for cell in found[1].split("|")]


@pytest.mark.parametrize("word", [*Reason, *CHANNELS])
def test_every_reason_and_channel_has_its_row(word: str) -> None:
    assert row(word)


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_says_whether_it_is_tried_again(failure: Failure) -> None:
    assert (row(failure)[0] == "no") is (failure in FOR_GOOD)


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_says_what_it_asks(severity: Severity) -> None:
    first, again, clock, _ = row(severity, PAGE.split("## Severities")[1])
    urgency = URGENCY[severity]
    assert (first == "at once") is urgency.at_once
    assert (again == "until acknowledged") is urgency.repeats
    hours = None if not clock else int(clock.removesuffix(" h")) * 3600
    assert hours == urgency.mend_within_s


def test_every_setting_is_on_the_page() -> None:
    assert [
        name for name in SETTINGS if f"`{name}`" not in PAGE and not re.match(r"p[12]", name)
    ] == []


def test_the_defaults_are_true() -> None:
    plain = Receivers()
    assert (row("repeat")[0], plain.repeat_s) == ("30m", 1800)
    assert (row("group")[0], plain.group_s) == ("30s", 30)
    assert (row("deliver within")[0], plain.within_s) == ("1h", 3600)


def test_the_example_is_understood() -> None:
    example = PAGE.split("```yaml\n")[1].split("```")[0]
    assert mistakes(example) == []
    assert len(plan_of(example).receivers.contacts) == 4
