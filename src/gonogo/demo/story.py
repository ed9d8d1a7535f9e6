"""The two stories of the demo: a release that is rolled back, and one that ends in go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gonogo.demo.proof import Claim, State, difference


@dataclass(frozen=True, slots=True)
class Story:
    """What is going to happen, said before it happens, and how to see that it did."""

    title: str
    announcement: str
    fault: str  # what `bin/plant` puts into v2
    exit_code: int  # of the run
    meaning: str  # of that exit code
    failing: str  # the step that fails in the run, or `none`
    claims: Callable[[State, State], tuple[Claim, ...]]


def _rolled_back(before: State, after: State) -> tuple[Claim, ...]:
    return (
        Claim("requests were answered by", "v1 then v2 then v1", after.served_by),
        Claim("the release that answers", "v1 ok", after.release),
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
        Claim("migrations on record", "0001 0002 0003", after.migrations),
        Claim("the new column, filled and required", "present", present),
        Claim("documents", str(before.documents), str(after.documents)),
        Claim("a regular user who asks the admin API gets", "403", after.regular_user),
    )


ROLLED_BACK = Story(
    title="release v2 of a search service goes wrong and is rolled back",
    announcement=(
        "v2 is about to replace v1, as deploy.md says. Its access rules name one role too many: "
        "a regular user may read the admin API. The smoke tests see it, the rollback section "
        "brings v1 and its schema back and proves it, and all of it goes into a report."
    ),
    fault="admin-open",
    exit_code=4,
    meaning="rolled back",
    failing="A regular user may not read the admin API",
    claims=_rolled_back,
)
RELEASED = Story(
    title="release v2 of a search service replaces v1",
    announcement=(
        "v2 is about to replace v1, as deploy.md says, and nothing is wrong with it. The smoke "
        "tests pass, somebody signs off, and all of it goes into a report."
    ),
    fault="none",
    exit_code=0,
    meaning="go",
    failing="none",
    claims=_released,
)
