"""The stories of the campaigns service, and how to see afterwards that they came true."""

from __future__ import annotations

import json
from dataclasses import dataclass

import psycopg
import redis

from gonogo.demo.proof import ANSWER_WITHIN_S, DIRECT, Claim, number, recorded
from gonogo.demo.story import Expected, Fault, Story
from gonogo.demo.workspace import Workspace

KEYS = ("agent_metrics", "campaign_eta", "health_check")
DONE = "SELECT count(*) FROM tasks WHERE state = 'done'"
TESTS = "SELECT count(*) FROM campaigns WHERE name LIKE 'smoke test%'"


@dataclass(frozen=True, slots=True)
class State:
    """What can be seen of the service from outside, in words that compare."""

    release: str
    worker: str
    agents: str
    migrations: str
    schema: tuple[str, ...]
    done: int
    left_over: int  # test campaigns
    cached: int  # keys of v2 in the cache


def look(place: Workspace) -> State:
    """Ask the running service, its database and its cache.

    Raises psycopg.Error and redis.RedisError when the database or the cache cannot be asked.
    """
    settings = place.settings
    with psycopg.connect(settings["DATABASE_URL"], connect_timeout=5) as connection:
        migrations, schema = recorded(connection)
        done, left_over = (number(connection, text) for text in (DONE, TESTS))
    return State(
        release=_told(place, "bin/service"),
        worker=_told(place, "bin/worker"),
        agents=_agents(settings["APP_URL"]),
        migrations=migrations,
        schema=schema,
        done=done,
        left_over=left_over,
        cached=_cached(settings["CACHE_URL"]),
    )


def _told(place: Workspace, program: str) -> str:
    """Return the release that runs, when it is also ready."""
    if not place.works(program, "status"):
        return "none"
    return place.script(program, "release")


def _agents(url: str) -> str:
    try:
        with DIRECT.open(f"{url}/agents.json", timeout=ANSWER_WITHIN_S) as answer:
            told = json.load(answer)
            return f"{told['online']} of {told['total']} online"
    except (OSError, ValueError, KeyError) as error:
        return f"no answer ({error})"


def _cached(url: str) -> int:
    with redis.Redis.from_url(url, socket_timeout=ANSWER_WITHIN_S) as client:
        return int(client.exists(*(f"cache:v2:{name}" for name in KEYS)))


def _common(before: State, after: State) -> tuple[Claim, ...]:
    return (
        Claim("the agents", "4 of 4 online", after.agents),
        Claim("finished tasks", str(before.done), str(after.done)),
        Claim("test campaigns left over", "0", str(after.left_over)),
    )


def _rolled_back(before: State, after: State) -> tuple[Claim, ...]:
    same = "identical" if before.schema == after.schema else "another"
    return (
        Claim("the release that answers", "v1", after.release),
        Claim("the worker that works", "v1", after.worker),
        Claim("migrations on record", "0001", after.migrations),
        Claim("the schema beside the one before", "identical", same),
        Claim("keys of v2 left in the cache", "0", str(after.cached)),
        *_common(before, after),
    )


def _released(before: State, after: State) -> tuple[Claim, ...]:
    return (
        Claim("the release that answers", "v2", after.release),
        Claim("the worker that works", "v2", after.worker),
        Claim("migrations on record", "0001 0002 0003", after.migrations),
        Claim("keys of v2 in the cache", "3", str(after.cached)),
        *_common(before, after),
    )


def _watched(what: str, rule: str, fault: str) -> Story[State]:
    """Return a story whose fault comes in the middle of the watch and is rolled back."""
    return Story(
        title="release v2 of a campaigns service goes wrong under watch and is rolled back",
        announcement=(
            f"v2 passes its smoke tests, its caches are warm, the watch begins. Then {what}. The "
            f"trigger `{rule}` fires; v2 goes, with exactly the two migrations that it brought."
        ),
        fault=fault,
        healthy=2,
        expected=Expected(
            exit_code=4, meaning="rolled back", rule=rule, recovered="all objectives green"
        ),
        claims=_rolled_back,
    )


def _stopped(what: str, step: str, fault: str) -> Story[State]:
    """Return a story whose fault is there from the start and is found by a step."""
    return Story(
        title="release v2 of a campaigns service goes wrong and is rolled back",
        announcement=f"{what} The step `{step}` fails, and the way back is taken at once.",
        fault=fault,
        healthy=None,
        expected=Expected(exit_code=4, meaning="rolled back", failing=step),
        claims=_rolled_back,
    )


STORIES: dict[str, Story[State]] = {
    "fine": Story(
        title="release v2 of a campaigns service replaces v1",
        announcement=(
            "v2 is about to replace v1, as deploy.md says: two migrations, a test campaign that is "
            "pushed to whoever listens, three warm caches, a watch, the questions at the end."
        ),
        fault=Fault.NONE.command,
        healthy=None,
        expected=Expected(exit_code=0, meaning="go"),
        claims=_released,
    ),
    "second-fails": _stopped(
        "The second of the two migrations fails on real data. Only the first was applied, so only "
        "that one is taken back; `STEP=2` would have taken an older one as well.",
        "Migrate the schema, once (about 5 seconds)",
        "second-fails",
    ),
    "create-broken": _stopped(
        "With v2, no campaign can be created.",
        "A test campaign is created, and whoever listens is told",
        "create-broken",
    ),
    "page-slow": _watched(
        "the page of the campaigns takes 5.2 s",
        "Page load max > 5s for 2 of 3 buckets",
        "page-load 5.2",
    ),
    "agents-offline": _watched(
        "no agent reports any more", "Agents offline > 0 for 1 bucket", "agents-offline"
    ),
}
