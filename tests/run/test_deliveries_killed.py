"""Killed anywhere in a delivery: everybody is told, and only what was under way is sent again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.run.delivering import KEY, Broken
from tests.support.sink import HttpSink
from tests.support.telling import RUN, World

from gonogo.notify.webhook import Webhook
from gonogo.plan.notices import COPY

ROOT = Path(__file__).parents[2]


def test_after_a_restart_nothing_is_sent_twice(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url()), ("bob", "webhook"): Webhook(sink.url())})
    run.raised()
    for _ in range(150):
        run.run(10)
        run.journal.close()
        run.reborn()
    keys = [post.key for post in sink.taken]
    assert len(set(keys)) == len(keys)
    assert keys == [KEY, f"{RUN}/2/bob/webhook"]


CHILD = """
import os, signal, sys
from pathlib import Path
from tests.support.telling import World
from gonogo.clock import SystemClock
from gonogo.notify.webhook import PagerDuty, Slack, Webhook

class Deadly:
    '''A way whose process is killed as soon as the service has the message.'''
    def __init__(self, way):
        self.way, self.kind, self.knows_copies = way, way.kind, way.knows_copies
    def send(self, notice, *, key, is_copy=False):
        told = self.way.send(notice, key=key, is_copy=is_copy)
        os.kill(os.getpid(), signal.SIGKILL)

kind, url, folder, dies = sys.argv[1:]
way = {"slack": Slack, "page": PagerDuty, "webhook": Webhook}[kind](url)
world = World(Path(folder), {("ana", kind): Deadly(way) if dies == "dies" else way}, SystemClock())
if not world.events("alert.raised"):
    world.raised()
world.step()
print(len(world.deliverer.pending()))
"""


def child(kind: str, url: str, folder: Path, how: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-c", CHILD, kind, url, str(folder), how],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", ["webhook", "page", "slack"])
def test_killed_between_sending_and_knowing(sink: HttpSink, tmp_path: Path, kind: str) -> None:
    url = sink.pagerduty() if kind == "page" else sink.url()
    died = child(kind, url, tmp_path, "dies")
    assert died.returncode == -signal.SIGKILL, died.stderr
    went_on = child(kind, url, tmp_path, "lives")
    assert (went_on.returncode, went_on.stdout) == (0, "0\n"), went_on.stderr
    assert child(kind, url, tmp_path, "lives").stdout == "0\n"
    first, copy = sink.posts  # at least once, and not a third time
    assert first.key == copy.key == f"{RUN}/1/ana/{kind}"
    if kind == "page":
        assert first.json["dedup_key"] == copy.json["dedup_key"]  # one incident
    if kind == "slack":
        assert COPY in copy.json["text"]  # the reader is told, since Slack cannot tell
    world = World(tmp_path, {("ana", kind): Broken()})
    told = [(e.kind, e.body.get("failure")) for e in world.events() if e.item == first.key]
    assert told == [
        ("delivery.due", None),
        ("delivery.trying", None),
        ("delivery.tried", "interrupted"),
        ("delivery.trying", None),
        ("delivery.done", None),
    ]
    world.journal.close()


@pytest.mark.parametrize("after", range(1, 12))
def test_killed_after_any_event(world: Callable[..., World], sink: HttpSink, after: int) -> None:
    """Stop dead after the nth journaled event; the new process brings it to the same end."""
    ways = {("ana", "webhook"): Webhook(sink.url()), ("bob", "webhook"): Webhook(sink.url())}
    run = world(ways)
    left = [after]
    append = run.journal.append

    class Dead(BaseException):
        pass

    def dying(*words: Any, **more: Any) -> Any:
        event = append(*words, **more)
        left[0] -= 1
        if left[0] == 0:
            raise Dead
        return event

    run.journal.append = dying  # type: ignore[method-assign]
    try:
        run.raised()
        run.run(650)
    except Dead:
        pass
    run.journal.close()
    run.reborn()
    if not run.events("alert.raised"):
        run.raised()
    run.run(700)
    by_key: dict[str, int] = {}
    for post in sink.taken:
        by_key[post.key] = by_key.get(post.key, 0) + 1
    contacts = [post.json["contact"] for post in sink.taken]
    assert set(contacts) == {"ana", "bob"}
    assert len(by_key) == 2, "nobody is told twice under two names"
    assert len([key for key, n in by_key.items() if n > 1]) <= 1
    assert len(run.events("delivery.done")) == 2
