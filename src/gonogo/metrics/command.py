"""Runs a command that prints one number."""

from __future__ import annotations

from datetime import datetime

from gonogo.errors import WorkError
from gonogo.plan.kinds import Context
from gonogo.plan.samples import (
    Batch,
    Flaw,
    Flaws,
    Sample,
    fraction_as_percent,
    number_in,
    position_of,
    to_ms,
    whole,
)
from gonogo.plan.sources import CommandSource
from gonogo.process import run_short

_MOST_BYTES = 65_536
# The exit code of the command, not of `head`, which keeps a flood out of our memory; one of errors
# is read to its end, because many words are no reason to end a command.
_WRAPPED = (
    'exec 3>&1 5>&2; said=$( { { { sh -c "$1" 3>&- 4>&- 5>&- 6>&-; echo "$?" >&4; } 2>&6 | '
    f"head -c {_MOST_BYTES} >&3; }} 6>&1 | {{ head -c {_MOST_BYTES} >&5; cat >/dev/null; }}; "
    '} 4>&1 ); exit "$said"'
)


class CommandReader:
    """A command that is run again and again."""

    def __init__(self, source: CommandSource, context: Context, position: object = None) -> None:
        """Remember what to run; the shell fills in variables."""
        self._source = source
        self._context = context
        self._since_ms = whole(position_of(position).get("read_ms"))

    def read(self, now: datetime) -> Batch:
        """Run the command once; it is killed when it takes longer than its timeout."""
        now_ms = to_ms(now)
        since_ms, self._since_ms = self._since_ms, now_ms
        flaws = Flaws()
        samples: list[Sample] = []
        blind = None
        try:
            said = run_short(
                ["sh", "-c", _WRAPPED, "sh", self._source.command],
                cwd=self._context.cwd,
                timeout_s=self._source.timeout_s,
                environment=self._context.variables,
            )
        except WorkError as problem:
            blind = self._too_late(problem)
        else:
            if said.exit_code:
                words = self._context.redact(" ".join(said.stderr.split()))[:200]
                blind = f"the command ended with {said.exit_code}" + (f": {words}" if words else "")
            else:
                value = number_in(said.stdout, self._source.unit)
                if self._source.fraction and not isinstance(value, Flaw):
                    value = fraction_as_percent(value)
                if isinstance(value, Flaw):
                    flaws.add(now_ms, value)
                else:
                    samples.append(Sample(now_ms, value))
        return Batch(samples, {"read_ms": now_ms}, flaws.take(), blind, since_ms)

    def close(self) -> None:
        """Do nothing: no command is left running."""

    def _too_late(self, problem: WorkError) -> str:
        if "no answer within" in problem.message:
            return f"the command did not end within {self._source.timeout_s:g} s"
        return problem.message
