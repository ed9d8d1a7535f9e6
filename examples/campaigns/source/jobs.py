"""The background queue and its worker, with Sidekiq's keys in Redis.

An imitation by wire format, without Ruby: `queues`, `queue:NAME` (a list of JSON jobs), the sorted
sets `retry` and `dead`, `processes` with a hash per worker, `stat:processed` and `stat:failed`. The
worker also plays the agents, which report once a second that they are there.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import time
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import psycopg
import redis

from store import CHANGES, VERSION, Log, fault, trouble

QUEUE = "default"
BEAT_S = 1.0
PROCESS_LIVES_S = 10
RETRY_AFTER_S = 600.0
KEPT_DEAD = 10_000
AT_A_TIME = 10


def job(name: str, *arguments: object) -> str:
    """Return a job as Sidekiq writes it."""
    now = time.time()
    return json.dumps(
        {
            "class": name,
            "args": list(arguments),
            "queue": QUEUE,
            "jid": secrets.token_hex(12),
            "retry": True,
            "created_at": now,
            "enqueued_at": now,
        }
    )


class Worker:
    """Takes one job after the other, and beats so that others see that it lives."""

    def __init__(self) -> None:
        self.queue = redis.Redis.from_url(os.environ["QUEUE_URL"], socket_timeout=10)
        self.log = Log("app.jsonl")
        self.identity = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"
        self.started = time.time()
        self.ending = False
        self.beaten = 0.0
        self.database: psycopg.Connection[Any] | None = None

    def run(self) -> None:
        """Work until SIGTERM; what is being done then is finished first."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        for name in ("stat:processed", "stat:failed"):
            self.queue.setnx(name, 0)
        while not self.ending:
            try:
                self.beat()
                self.requeue_due()
                taken = self.queue.brpop([f"queue:{QUEUE}"], timeout=0.5)
                if taken is not None:
                    self.carry_out(taken[1])
            except (redis.RedisError, psycopg.Error) as error:
                self.database = None
                trouble(self.log, "worker", f"{type(error).__name__}: {error}")
                time.sleep(BEAT_S)
        self.queue.srem("processes", self.identity)
        self.queue.delete(self.identity)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.ending = True

    def beat(self) -> None:
        now = time.time()
        if now - self.beaten < BEAT_S:
            return
        self.beaten = now
        info = {
            "hostname": socket.gethostname(),
            "started_at": self.started,
            "pid": os.getpid(),
            "tag": f"campaigns {VERSION}",
            "concurrency": 1,
            "queues": [QUEUE],
            "identity": self.identity,
        }
        fields = {"info": json.dumps(info), "busy": 0, "beat": now, "quiet": "false"}
        with self.queue.pipeline() as pipe:
            pipe.sadd("processes", self.identity)
            pipe.hset(self.identity, mapping=fields)
            pipe.expire(self.identity, PROCESS_LIVES_S)
            pipe.execute()
        if not fault("agents offline"):
            self.rows("UPDATE agents SET last_seen_at = now() WHERE in_service")

    def requeue_due(self) -> None:
        for text in self.queue.zrangebyscore("retry", "-inf", time.time()):
            if self.queue.zrem("retry", text):
                self.queue.lpush(f"queue:{QUEUE}", text)

    def carry_out(self, text: bytes) -> None:
        asked = json.loads(text)
        today = datetime.now(UTC).date().isoformat()
        try:
            {"CampaignJob": self.work_on_campaign}[asked["class"]](int(asked["args"][0]))
        except Exception as error:  # noqa: BLE001 - whatever a job raises is kept with it
            self.keep_failed(asked, error)
            self.count("failed", today)
        self.count("processed", today)

    def count(self, what: str, today: str) -> None:
        self.queue.incr(f"stat:{what}")
        self.queue.incr(f"stat:{what}:{today}")

    def keep_failed(self, asked: dict[str, Any], error: Exception) -> None:
        """Put a job into the retry set, or with its retries used up into the dead set."""
        now = time.time()
        asked |= {
            "error_class": type(error).__name__,
            "error_message": str(error),
            "failed_at": asked.get("failed_at", now),
            "retry_count": asked.get("retry_count", -1) + 1,
        }
        if fault("jobs die") == "dead":
            self.queue.zadd("dead", {json.dumps(asked): now})
            self.queue.zremrangebyrank("dead", 0, -KEPT_DEAD - 1)
        else:
            self.queue.zadd("retry", {json.dumps(asked): now + RETRY_AFTER_S})
        trouble(self.log, "worker", f"{asked['class']}: {error}")

    def work_on_campaign(self, campaign: int) -> None:
        if fault("jobs die"):
            raise RuntimeError("the planner refuses the campaign")
        done = self.rows(
            "UPDATE tasks SET state = 'done', done_at = now(),"
            " agent_id = (SELECT id FROM agents WHERE in_service ORDER BY random() LIMIT 1)"
            " WHERE id IN (SELECT id FROM tasks WHERE campaign_id = %s AND state = 'waiting'"
            " ORDER BY id LIMIT %s) RETURNING id",
            [campaign, AT_A_TIME],
        )
        message = {"event": "progress", "campaign": campaign, "tasks_done": len(done)}
        self.queue.publish(CHANGES, json.dumps(message))
        if len(done) == AT_A_TIME:
            self.queue.lpush(f"queue:{QUEUE}", job("CampaignJob", campaign))

    def rows(self, statement: str, values: object = None) -> list[Any]:
        if self.database is None or self.database.closed:
            self.database = psycopg.connect(
                os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3
            )
        cursor = self.database.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


if __name__ == "__main__":
    Worker().run()
