"""The heartbeat of a run: an outside watcher hears of it on a beat, and calls when it stops.

    heartbeat.failed  -  failure, why: the first of a row of beats that were not taken
    heartbeat.back    -  missed: how many were not taken before this one was

Beats that arrive are not journaled. Only a machine elsewhere can notice that this one is gone.
"""

from __future__ import annotations

import threading

from gonogo.errors import GonogoError, InternalError
from gonogo.judge.raising import Clearing, Raising
from gonogo.plan.notices import Beat, Receipt, Severity
from gonogo.run.alerting import clear_alert, raise_alert
from gonogo.run.scene import Scene

RULE = "heartbeat"
_TOLD_AFTER = 2  # one beat may be lost; the second in a row is told
_LAST_S = 15.0  # for a beat that is under way at the end


class Heart:
    """Beats in a thread of its own, so that a slow watcher holds nothing up."""

    def __init__(self, scene: Scene, way: Beat, every_s: float) -> None:
        """Go on from the journal: what was said of a silent watcher is not said again."""
        self._scene = scene
        self._way = way
        self._every_s = every_s
        self._missed = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        failed, back = scene.last("heartbeat.failed"), scene.last("heartbeat.back")
        if failed is not None and (back is None or back.seq < failed.seq):
            told = scene.last("alert.raised", RULE)
            is_told = told is not None and told.seq > failed.seq
            self._missed = _TOLD_AFTER if is_told else 1

    def start(self) -> None:
        """Beat now and then on the beat until `finish`."""
        self._thread = threading.Thread(target=self._work, name="heart", daemon=True)
        self._thread.start()

    def finish(self, *, ended: bool) -> None:
        """Stop beating; a run that has its verdict says so with a last beat.

        A run that is left open falls silent, so that somebody asks what it waits for.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_LAST_S)
        if ended:
            self.beat("ended")

    def beat(self, state: str = "running") -> None:
        """Say once that the run is carried, and journal what changed for the worse or better."""
        body = {
            "version": 1,
            "run": self._scene.run,
            "service": self._scene.plan.service,
            "state": state,
            "next_s": self._every_s if state == "running" else None,
        }
        receipt = self._way.beat(body)
        if receipt.failure is None:
            self._heard()
        else:
            self._missed += 1
            self._not_heard(receipt)

    def _heard(self) -> None:
        missed, self._missed = self._missed, 0
        if missed:
            self._scene.write("heartbeat.back", body={"missed": missed})
        if missed >= _TOLD_AFTER:
            clear_alert(self._scene, Clearing(RULE, "the heartbeat is heard again"))

    def _not_heard(self, receipt: Receipt) -> None:
        failure = receipt.failure.value if receipt.failure is not None else ""
        why = self._scene.redact(receipt.message)
        if self._missed == 1:
            self._scene.write("heartbeat.failed", body={"failure": failure, "why": why})
        elif self._missed == _TOLD_AFTER:
            now_ms = int(self._scene.clock.now().timestamp() * 1000)
            text = f"nobody outside hears of this run: the heartbeat is not taken ({why})"
            raise_alert(self._scene, Raising(RULE, Severity.WARN, text, now_ms))

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                self.beat()
                self._stop.wait(self._every_s)
        except GonogoError as error:
            self._scene.on_fatal(error)
        except Exception as error:  # noqa: BLE001 - a silent end of this thread would tell nobody
            self._scene.on_fatal(InternalError(f"the heartbeat failed: {error!r}"))
