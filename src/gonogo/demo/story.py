"""The stories of the demo: releases that are rolled back, and one that ends in go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from gonogo.demo.proof import Claim, State, difference

StateT = TypeVar("StateT")  # what can be seen of the service from outside


class Fault(StrEnum):
    """What goes wrong with the release."""

    ERRORS = "errors"  # every fifth request fails, from the middle of the watch on
    SLOW = "slow"  # three of a hundred requests take 1.3 s longer, from then on
    CACHE = "cache"  # at most 15 % of the look-ups are answered from the cache, from then on
    REFRESH = "refresh"  # a materialized view cannot be refreshed any longer, from then on
    ADMIN_OPEN = "admin-open"  # a regular user may read the admin API, from the start
    NONE = "none"  # nothing

    @property
    def command(self) -> str:
        """Return the words of `bin/fault` that plant it."""
        return COMMANDS.get(self, self.value)


COMMANDS = {Fault.ERRORS: "errors 20", Fault.SLOW: "slow 3 1300", Fault.CACHE: "cache 15"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What the run is going to say of itself."""

    exit_code: int
    meaning: str  # of that exit code
    failing: str = "none"  # the step that fails
    rule: str = "none"  # the rollback trigger that fires, as it is written
    alerts: str = "none"  # what fires before it: the severities, least first
    recovered: str = "no watch had begun"
    arrived: str = "none"  # the severities of the alerts that arrive, in the order of their coming
    buckets: int = 4  # from the fault to the start of the rollback, at most


@dataclass(frozen=True, slots=True)
class Story(Generic[StateT]):
    """What is going to happen, said before it happens, and how to see that it did."""

    title: str
    announcement: str
    fault: str  # the words of `bin/fault`
    healthy: int | None  # the fault comes after so many healthy buckets; None: before the release
    expected: Expected
    claims: Callable[[StateT, StateT], tuple[Claim, ...]]  # before and after the release

    @property
    def planted_first(self) -> str:
        """Return the words of `bin/fault` with which the release begins."""
        return self.fault if self.healthy is None else Fault.NONE.command


def _rolled_back(before: State, after: State) -> tuple[Claim, ...]:
    return (
        Claim("requests were answered by", "v1 then v2 then v1", after.served_by),
        Claim("the release that answers", "v1 ok", after.release),
        Claim("its answers with an error", "under 1 %", after.errors),
        Claim("migrations on record", "0001", after.migrations),
        Claim("the schema beside the one before", "identical", difference(before, after)),
        Claim("documents", str(before.documents), str(after.documents)),
        Claim("a regular user who asks the admin API gets", "403", after.regular_user),
        Claim("answers of v2 left in the cache", "0", str(after.kept_for_v2)),
        Claim("the cache worker", "runs", after.worker),
    )


def _released(before: State, after: State) -> tuple[Claim, ...]:
    column = "column documents.search_vector tsvector NO"
    present = "present" if column in after.schema else "missing"
    return (
        Claim("requests were answered by", "v1 then v2", after.served_by),
        Claim("the release that answers", "v2 ok", after.release),
        Claim("its answers with an error", "under 1 %", after.errors),
        Claim("migrations on record", "0001 0002 0003", after.migrations),
        Claim("the new column, filled and required", "present", present),
        Claim("documents", str(before.documents), str(after.documents)),
        Claim("a regular user who asks the admin API gets", "403", after.regular_user),
        Claim("the cache worker", "runs", after.worker),
    )


def _watched(fault: Fault, what: str, rule: str, **expected: Any) -> Story[State]:
    """Return a story in which the fault comes in the middle of the watch and is rolled back."""
    return Story(
        title="release v2 of a search service goes wrong under watch and is rolled back",
        announcement=(
            "v2 is about to replace v1, as deploy.md says, while visitors ask it {rate} questions "
            "a second. It passes its smoke tests and a load test, and is watched in {bucket} "
            f"buckets. After two healthy ones the demo breaks it: {what}. The trigger `{rule}` "
            "fires; the rollback section brings v1 and its schema back, and is over when the "
            "figures are green again. Every alert goes to a receiver of the demo."
        ),
        fault=fault.command,
        healthy=2,
        expected=Expected(
            exit_code=4,
            meaning="rolled back",
            rule=rule,
            recovered="all objectives green (2 of 2)",
            **expected,
        ),
        claims=_rolled_back,
    )


STORIES: dict[Fault, Story[State]] = {
    Fault.ERRORS: _watched(
        Fault.ERRORS,
        "every fifth request fails",
        "Error rate > 1% for 2 consecutive buckets",
        alerts="page, critical",
        arrived="critical, page",
    ),
    Fault.SLOW: _watched(
        Fault.SLOW,
        "three of a hundred requests take 1.3 s longer",
        "P99 > 1.2s for 2 consecutive buckets",
        alerts="page",
        arrived="page",
    ),
    Fault.CACHE: _watched(
        Fault.CACHE,
        "no more than 15 % of its answers come from the cache, which no alert line speaks of",
        "Cache hit rate < 20% for 2 consecutive buckets",
        arrived="page",
    ),
    Fault.REFRESH: _watched(
        Fault.REFRESH,
        "one of its materialized views cannot be refreshed, which no alert line speaks of",
        "View refresh failures max > 2",
        arrived="page",
        buckets=8,
    ),
    Fault.ADMIN_OPEN: Story(
        title="release v2 of a search service goes wrong and is rolled back",
        announcement=(
            "v2 is about to replace v1, as deploy.md says. Its access rules name one role too "
            "many: a regular user may read the admin API. The smoke tests see it, the rollback "
            "section brings v1 and its schema back and proves it, and all of it goes into a "
            "report."
        ),
        fault=Fault.ADMIN_OPEN.command,
        healthy=None,
        expected=Expected(
            exit_code=4,
            meaning="rolled back",
            failing="A regular user may not read the admin API",
            arrived="page",
        ),
        claims=_rolled_back,
    ),
    Fault.NONE: Story(
        title="release v2 of a search service replaces v1",
        announcement=(
            "v2 is about to replace v1, as deploy.md says, while visitors ask it {rate} questions "
            "a second, and nothing is wrong with it. The tests pass, it is watched for "
            "{length} in {bucket} buckets, somebody signs off, and all of it goes into a report."
        ),
        fault=Fault.NONE.command,
        healthy=None,
        expected=Expected(exit_code=0, meaning="go"),
        claims=_released,
    ),
}
