"""The end of the time that one block has, for everything that it does one after the other."""

from __future__ import annotations

from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_clock = SystemClock()


class Deadline:
    """Counts from the moment it is made; a person's wish to stop ends it too."""

    def __init__(self, context: Context) -> None:
        """Begin to count."""
        self._context = context
        self._until = _clock.monotonic() + context.timeout_s

    def left_s(self) -> float:
        """Return what is left, in seconds, never less than a tenth."""
        return max(self._until - _clock.monotonic(), 0.1)

    def why(self) -> str:
        """Return why the work must end now: `stopped`, `deadline`, or nothing."""
        if self._context.should_stop():
            return "stopped"
        return "deadline" if _clock.monotonic() > self._until else ""

    def refuse(self, what: str, *, failed: bool = False) -> None:
        """Raise WorkError when the work must end now; `what` was not done."""
        why = self.why()
        if why == "stopped":
            raise WorkError(f"{what}: stopped", hint="nothing of it is left", failed=failed)
        if why:
            raise WorkError(
                f"{what} within {self._context.timeout_s:g} s",
                hint="allow more time with `timeout:`",
                failed=failed,
            )
