"""Kill it anywhere, it goes on: SIGKILL of the command line over random runbooks.

After every kill the run is resumed; in the end its evidence must be that of an undisturbed run of
the same runbook, every effect of an action must be there exactly once, and nothing may be left.
The figures of the long form are in docs/recovery.md.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from tests.crash.lives import Killer, Nursery, Process, Run, facts, live, prove, undisturbed
from tests.crash.toys import a_toy

ROOT = Path(__file__).parents[2]


def after_events(count: int) -> Killer:
    """Kill as soon as a life has journaled so many new things."""
    return lambda run, known, _passed: facts(run.events()) >= known + count


def at_random(random: Random, most: int) -> Killer:
    """Kill some time after a life's first event; leave it in peace after `most` kills."""
    moments: dict[int, float] = {}

    def kill(run: Run, _known: int, passed: float) -> bool:
        moment = moments.setdefault(run.kills, random.uniform(0.0, 0.5) ** 1.5)
        return run.kills < most and passed > 0 and passed >= moment

    return kill


def while_starting(random: Random, most: int) -> Killer:
    """Kill before a life's first event, wherever its start is by then."""
    polls: Counter[int] = Counter()
    limits: dict[int, int] = {}

    def kill(run: Run, _known: int, passed: float) -> bool:
        polls[run.kills] += 1
        limit = limits.setdefault(run.kills, random.randint(1, 120))
        return run.kills < most and passed == 0 and polls[run.kills] >= limit

    return kill


def disturbed(nursery: Nursery, tmp_path: Path, seed: int, killer: Killer) -> Run:
    toy = a_toy(seed)
    calm = undisturbed(tmp_path / f"calm-{seed}", toy, nursery)
    run = Run(tmp_path / f"killed-{seed}", toy)
    try:
        live(run, nursery, killer)
        prove(run, calm)
    finally:
        run.close()
        calm.close()
    return run


@pytest.mark.timeout(240)
def test_killed_after_every_second_event(nursery, tmp_path):
    """A step of this runbook has `Unless:`; its first way back fails, the second works."""
    run = disturbed(nursery, tmp_path, 7, after_events(2))
    assert run.kills >= 10


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_killed_at_random_instants(nursery, tmp_path, seed):
    disturbed(nursery, tmp_path, seed, at_random(Random(seed), 3))


@pytest.mark.timeout(240)
def test_killed_while_starting(nursery, tmp_path):
    disturbed(nursery, tmp_path, 21, while_starting(Random(21), 4))


@pytest.mark.timeout(240)
def test_killed_for_real(tmp_path):
    """Not forked: the interpreter starts from nothing in every life."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    starter = Process([sys.executable, "-m", "gonogo"], environment)
    toy = a_toy(31)
    calm = undisturbed(tmp_path / "calm", toy, starter)
    run = Run(tmp_path / "killed", toy)
    try:
        live(run, starter, at_random(Random(31), 1))
        prove(run, calm)
    finally:
        run.close()
        calm.close()


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_killed_two_hundred_times(nursery, tmp_path, capsys):
    """At least 200 kills; which seeds, how many and where is printed."""
    total = 0
    places: Counter[str] = Counter()
    seeds = []
    for seed in range(1_000, 2_000):
        random = Random(seed)
        killers = [after_events(1), at_random(random, 8), while_starting(random, 5)]
        run = disturbed(nursery, tmp_path, seed, killers[(seed % 4) // 2 + seed % 4 // 3])
        seeds.append(f"{seed}:{run.kills}")
        total += run.kills
        places += run.killed_in
        if total >= 200:
            break
    with capsys.disabled():
        sys.stdout.write(f"\n{total} kills over {len(seeds)} runbooks, seed:kills {seeds}\n")
        sys.stdout.write(f"the last event before each kill: {dict(places.most_common())}\n")
    assert total >= 200
