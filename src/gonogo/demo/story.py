"""The stories of the demo: two releases that are rolled back, and one that ends in go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gonogo.demo.proof import Claim, State, difference


class Fault(StrEnum):
    """What goes wrong with the release; the words of `bin/plant`."""

    ERRORS = "errors"  # every tenth search fails, from the middle of the watch on
    ADMIN_OPEN = "admin-open"  # a regular user may read the admin API, from the start
    NONE = "none"  # nothing


@dataclass(frozen=True, slots=True)
class Expected:
    """What the run is going to say of itself."""

    exit_code: int
    meaning: str  # of that exit code
    failing: str = "none"  # the step that fails
    rule: str = "none"  # the rollback trigger that fires, as it is written
    alerts: str = "none"  # what fires before it: the severities, least first
    recovered: str = "no watch had begun"


@dataclass(frozen=True, slots=True)
class Story:
    """What is going to happen, said before it happens, and how to see that it did."""

    title: str
    announcement: str
    fault: Fault
    healthy: int | None  # the fault comes after so many healthy buckets; None: before the release
    expected: Expected
    claims: Callable[[State, State], tuple[Claim, ...]]


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
    )


STORIES: dict[Fault, Story] = {
    Fault.ERRORS: Story(
        title="release v2 of a search service goes wrong under watch and is rolled back",
        announcement=(
            "v2 is about to replace v1, as deploy.md says, while visitors ask it {rate} questions "
            "a second. It passes its smoke tests and is watched in {bucket} buckets. After two "
            "healthy ones the demo breaks it: every tenth search fails. Alerts fire, then the "
            "trigger `Error rate > 1% for 2 consecutive buckets`; the rollback section brings v1 "
            "and its schema back, and is over when the figures are green again."
        ),
        fault=Fault.ERRORS,
        healthy=2,
        expected=Expected(
            exit_code=4,
            meaning="rolled back",
            rule="Error rate > 1% for 2 consecutive buckets",
            alerts="warn, page",
            recovered="all objectives green",
        ),
        claims=_rolled_back,
    ),
    Fault.ADMIN_OPEN: Story(
        title="release v2 of a search service goes wrong and is rolled back",
        announcement=(
            "v2 is about to replace v1, as deploy.md says. Its access rules name one role too "
            "many: a regular user may read the admin API. The smoke tests see it, the rollback "
            "section brings v1 and its schema back and proves it, and all of it goes into a "
            "report."
        ),
        fault=Fault.ADMIN_OPEN,
        healthy=None,
        expected=Expected(
            exit_code=4,
            meaning="rolled back",
            failing="A regular user may not read the admin API",
        ),
        claims=_rolled_back,
    ),
    Fault.NONE: Story(
        title="release v2 of a search service replaces v1",
        announcement=(
            "v2 is about to replace v1, as deploy.md says, while visitors ask it {rate} questions "
            "a second, and nothing is wrong with it. The smoke tests pass, it is watched for "
            "{length} in {bucket} buckets, somebody signs off, and all of it goes into a report."
        ),
        fault=Fault.NONE,
        healthy=None,
        expected=Expected(exit_code=0, meaning="go"),
        claims=_released,
    ),
}
