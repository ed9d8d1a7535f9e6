"""Tells people while a run goes on: alerts and deliveries in a thread beside it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from gonogo.errors import GonogoError, InternalError
from gonogo.run.alerting import Alerting
from gonogo.run.deliveries import Deliverer, Delivery
from gonogo.run.scene import Scene

MOST_AT_ONCE = 8
"""How many channels are tried side by side."""


class Telling:
    """Alerts and deliveries of one run, stepped together."""

    def __init__(self, scene: Scene, alerting: Alerting, deliverer: Deliverer) -> None:
        """Begin stopped; `start` steps in a thread of its own."""
        self._scene = scene
        self.alerting = alerting
        self.deliverer = deliverer
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def step(self) -> None:
        """Decide once, deliver once."""
        self.alerting.step()
        self.deliverer.step()

    def start(self) -> None:
        """Step every `poll_s` of the scene until `finish`; a fatal error goes to the scene."""
        self._thread = threading.Thread(target=self._work, name="telling", daemon=True)
        self._thread.start()

    def finish(self, within_s: float) -> tuple[Delivery, ...]:
        """Stop the thread, deliver for at most `within_s` more, return what is left.

        What is left stays in the journal as due, and is sent when the run is taken up again.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        clock = self._scene.clock
        end = clock.monotonic() + within_s
        self.step()
        while self.deliverer.pending() and clock.monotonic() < end:
            clock.wait(self._scene.poll_s)
            self.step()
        return self.deliverer.pending()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                self.step()
                self._scene.clock.wait(self._scene.poll_s)
        except GonogoError as error:
            self._scene.on_fatal(error)
        except Exception as error:  # noqa: BLE001 - a silent end of this thread would tell nobody
            self._scene.on_fatal(InternalError(f"telling people failed: {error!r}"))


def many() -> ThreadPoolExecutor:
    """Return the threads in which channels are tried side by side."""
    return ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="channel")
