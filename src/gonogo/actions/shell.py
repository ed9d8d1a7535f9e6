"""Runs a block of shell text as a script of its own, and stops at its first failing command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from gonogo.errors import Diagnostic, Severity, WorkError
from gonogo.plan import filling, shellqueries, shellscript
from gonogo.plan.destructive_shell import in_shell
from gonogo.plan.kinds import (
    Context,
    Datum,
    Destruction,
    Effect,
    Observation,
    Printed,
    Role,
    Usual,
    Variable,
)
from gonogo.plan.said import says
from gonogo.plan.secretwords import masked
from gonogo.plan.shellsyntax import split
from gonogo.plan.units import Quantity
from gonogo.redaction.flow import Flow
from gonogo.source import Span, shortened

if TYPE_CHECKING:
    from gonogo.process import Command, Outcome

_LOOKING = frozenset((Role.PREFLIGHT, Role.VERIFY, Role.LOAD, Role.WATCH, Role.SIGNOFF))
_HIDDEN = frozenset(("BASH_ENV", "ENV"))  # files that a shell would run without being asked
_PROMPT = re.compile(r"(?:[\w.-]+@[\w.-]+[^$#\n]{0,80})?[$❯][ \t]+")
_TAIL = 400
_SAID = 160  # characters of last words beside a finding
_LAST = 12  # lines in which they are looked for
_SCRIPT = "script"
_COMPLAINT = re.compile(
    r"error|fatal|fail|refused|denied|not found|cannot|can't|could not|unable|no such|invalid",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shell(Usual):
    """Run shell text as a script of its own; it stops at the first command that fails.

    A check that does not end in time could not look (error); an action has failed.
    """

    kind: ClassVar[str] = "shell"
    languages: ClassVar[tuple[str, ...]] = ("bash", "sh", "shell", "console", "shell-session")
    indicators: ClassVar[Mapping[str, str]] = {
        "exit code": "what the script ended with; 128 + n when signal n ended it",
        "output": "all of standard output, without blanks at both ends",
        "errors": "all of standard error, without blanks at both ends",
        "lines": "how many lines the output has",
        "duration": "how long it ran (s)",
    }
    example: ClassVar[str] = (
        '```bash\n#| timeout: 2m\n./migrate status\n```\n\n- Expect: output contains "up to date"\n'
    )
    expects: ClassVar[str | None] = "exit code = 0"
    traceable: ClassVar[bool] = True

    body: str = says("the shell text")
    shell: str = says("`bash`, `sh`, or another program that takes a script file", default="bash")
    interpreter: str = says("runs the script instead of a shell: `python3`, `node`")
    cwd: str = says("the folder in which it runs, from the folder of the runbook")
    env: tuple[str, ...] = says("more variables for it: `NAME=value, OTHER=value`", default=())
    strict: bool = says(
        "stop at the first failing command, also in a pipe, and at unset variables", default=True
    )
    kind_: Literal["auto", "check", "action"] = says(
        "whether it looks or changes; `auto`: the phase tells", default="auto"
    )

    def effect(self, role: Role) -> Effect:
        """Tell from the phase; a block that destroys something is always an action."""
        if self.kind_ != "auto":
            return Effect(self.kind_)
        return Effect.CHECK if role in _LOOKING and not self.destroys() else Effect.ACTION

    def variables(self) -> tuple[Variable, ...]:
        """Return the variables in capitals that the text does not set itself."""
        own = {pair.partition("=")[0] for pair in self.env}
        found = shellscript.variables(self.script()) if self._is_shell() else ()
        more = filling.variables_of({"env": " ".join(self.env), "cwd": self.cwd}, self.body)
        return tuple(v for v in (*found, *more) if v.name not in own)

    def destroys(self) -> tuple[Destruction, ...]:
        """Return what its commands destroy."""
        return in_shell(self.script()) if self._is_shell() else ()

    def review(self) -> tuple[Diagnostic, ...]:
        """Return why the text cannot run by itself."""
        if not self._is_shell():
            return (*self._review_fields(), *shellscript.secrets(self.body))
        found = [*self._review_fields(), *shellscript.review(self.script())]
        if self.strict:
            found += shellscript.early_ends(self.script())
        return tuple(found)

    def unjudged(self) -> tuple[Diagnostic, ...]:
        """Return the queries whose answer it only prints."""
        return tuple(shellqueries.unjudged(self.script())) if self._is_shell() else ()

    def _review_fields(self) -> list[Diagnostic]:
        found = []
        for pair in self.env:
            name, sign, _ = pair.partition("=")
            if not sign or not name.isidentifier():
                message = f"`env` is `{name}`, expected `NAME=value`"
                found.append(
                    Diagnostic("GN517", message, Span.of_line(1), hint="write `env: A=1, B=2`")
                )
        if not (self.interpreter or self.shell).strip():
            found.append(
                Diagnostic("GN517", "`shell` is empty", Span.of_line(1), hint="write `bash`")
            )
        return found

    def describe(self) -> str:
        """Return the first command, and how many more there are."""
        lines = [line.strip() for line in split(self.script()).code.splitlines() if line.strip()]
        first = shortened(masked(lines[0])) if lines else "nothing"
        return f"{first} (+{len(lines) - 1} lines)" if len(lines) > 1 else first

    def script(self) -> str:
        """Return the text that is run, line for line as on the page."""
        return self.body.replace("\r\n", "\n")

    def perform(self, context: Context) -> Observation:
        """Run the script, or attach to it if it was started before, and return what it said.

        Raises:
            WorkError: it could not be started, did not end in time, or was stopped.
        """
        from gonogo import process

        command = self._command(context)
        live = Flow(context.redact, context.on_output)
        outcome = process.run(
            command, context.folder, on_output=live.take, should_stop=context.should_stop
        )
        live.finish()
        self._refuse(outcome, context)
        return _observation(outcome, context)

    def _is_shell(self) -> bool:
        program = (self.interpreter or self.shell).split()[:1]
        return not program or program[0].rpartition("/")[2] in {"bash", "sh", "dash", "ash", "ksh"}

    def _command(self, context: Context) -> Command:
        from gonogo.process import Command

        environment = {k: v for k, v in context.variables.items() if k not in _HIDDEN}
        for pair in self.env:
            name, _, value = pair.partition("=")
            environment[name] = filling.fill(value, context)
        return Command(
            argv=(*self._program(), str(self._file(context).absolute())),
            cwd=(context.cwd / filling.fill(self.cwd, context)).absolute(),
            environment=environment,
            timeout_s=context.timeout_s,
            durable=context.effect is Effect.ACTION,
        )

    def _program(self) -> tuple[str, ...]:
        words = tuple(shlex.split(self.interpreter or self.shell))
        if not words:
            raise WorkError("no program is named to run the script", hint="write `shell: bash`")
        if len(words) > 1 or not self.strict or not self._is_shell():
            return words
        return (*words, "-euo", "pipefail") if words[0].endswith("bash") else (*words, "-eu")

    def _file(self, context: Context) -> Path:
        """Write the script beside its records; it holds names of secrets, never their values."""
        path = context.folder / _SCRIPT
        try:
            context.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_text(self.script().rstrip("\n") + "\n", encoding="utf-8")
            fresh.replace(path)  # a running shell goes on reading the file that it has opened
        except OSError as error:
            raise WorkError(
                f"the script cannot be written to `{context.folder}`: {error.strerror}",
                hint="make room on that disk, or make the folder writable",
            ) from error
        return path

    def _refuse(self, outcome: Outcome, context: Context) -> None:
        """Raise for a script that did not come to its own end."""
        from gonogo.process import EndedBy

        is_action = context.effect is Effect.ACTION
        last = _last_words(outcome, context)
        match outcome.ended_by:
            case EndedBy.EXIT:
                return
            case EndedBy.DEADLINE:
                hint = f"allow more time with `timeout:`, or find out what it waits for{last}"
                message = f"`{self.describe()}` did not end within {context.timeout_s:g} s"
                raise WorkError(message, hint=hint, failed=is_action)
            case EndedBy.ABORT:
                begun = outcome.started is not None
                when = "in its middle" if begun else "before it began"
                raise WorkError(
                    f"`{self.describe()}` was stopped {when}",
                    hint=f"look at what it has done so far{last}" if begun else "nothing was done",
                    failed=is_action and begun,
                )
            case EndedBy.LOST:
                raise WorkError(
                    f"`{self.describe()}` was started, and nobody knows how it ended",
                    hint=f"look at what it has done, then say so{last}",
                )


class Sh(Shell):
    """Shell text for `sh`."""

    __slots__ = ()
    languages: ClassVar[tuple[str, ...]] = ("sh",)

    def _program(self) -> tuple[str, ...]:
        if self.interpreter or self.shell != "bash":
            return super()._program()
        return ("sh", "-eu") if self.strict else ("sh",)


class Session(Shell):
    """A terminal session: the lines behind a prompt run, the others are what it printed."""

    __slots__ = ()
    languages: ClassVar[tuple[str, ...]] = ("console", "shell-session", "sh-session")

    def script(self) -> str:
        """Return the commands; prompts and output are blanked, so that places stay the same."""
        lines = super().script().split("\n")
        if not any(_PROMPT.match(line.lstrip()) for line in lines):
            return "\n".join(lines)
        kept: list[str] = []
        continues = False
        for line in lines:
            bare = line.lstrip()
            prompt = _PROMPT.match(bare)
            if prompt:
                start = len(line) - len(bare) + prompt.end()
                kept.append(" " * start + line[start:])
            elif continues:
                kept.append(re.sub(r"^\s*> ", lambda m: " " * len(m[0]), line))
            else:
                kept.append("")
            continues = kept[-1].rstrip().endswith("\\")
        return "\n".join(kept)


class _Refused(Shell):
    """A shell that gonogo does not run."""

    __slots__ = ()
    named: ClassVar[str] = ""

    def destroys(self) -> tuple[Destruction, ...]:
        """Return nothing: it is never carried out."""
        return ()

    def variables(self) -> tuple[Variable, ...]:
        """Return nothing: it is never carried out."""
        return ()

    def review(self) -> tuple[Diagnostic, ...]:
        """Refuse the block; only secrets are looked for in it."""
        hint = "write it for `bash`, or make it a manual step and its fence `text`"
        message = f"{self.named} is not run by gonogo"
        refused = Diagnostic("GN510", message, Span.of_line(1), hint=hint, severity=Severity.ERROR)
        return (refused, *shellscript.secrets(self.body))

    def perform(self, context: Context) -> Observation:
        """Refuse to run.

        Raises:
            WorkError: always.
        """
        del context
        raise WorkError(f"{self.named} is not run by gonogo", hint="write it for `bash`")


class PowerShell(_Refused):
    """PowerShell; refused."""

    __slots__ = ()
    languages: ClassVar[tuple[str, ...]] = ("powershell", "pwsh", "posh", "ps1")
    named: ClassVar[str] = "PowerShell"


class Batch(_Refused):
    """Windows command files; refused."""

    __slots__ = ()
    languages: ClassVar[tuple[str, ...]] = ("cmd", "bat", "batch", "dosbatch")
    named: ClassVar[str] = "the Windows command prompt"


class OtherShell(_Refused):
    """Shells with another grammar than bash and sh; refused."""

    __slots__ = ()
    languages: ClassVar[tuple[str, ...]] = ("zsh", "fish", "csh", "tcsh", "ksh")
    named: ClassVar[str] = "a shell other than bash and sh"


def _observation(outcome: Outcome, context: Context) -> Observation:
    code = outcome.exit_code if outcome.exit_code is not None else 128 + (outcome.signal or 0)
    output = outcome.stdout.strip()
    indicators: dict[str, Datum] = {
        "exit code": code,
        "output": Printed(output),
        "errors": outcome.stderr.strip(),
        "lines": len(output.splitlines()),
        "duration": Quantity(Decimal(str(round(outcome.duration_s, 6))), "s"),
    }
    parts = [output]
    if outcome.stderr.strip():
        parts.append(f"errors:\n{outcome.stderr.strip()}")
    if outcome.truncated:
        parts.append("(the output was longer than what is kept)")
    said = _said(outcome, context) if code else ""
    return Observation(indicators, text=context.redact("\n".join(p for p in parts if p)), said=said)


def _said(outcome: Outcome, context: Context) -> str:
    """Return the line that most likely says why a script failed, redacted before it is cut.

    The last complaint of its last lines, else the last line; of standard error where it has any.
    """
    whole = context.redact(outcome.stderr).strip() or context.redact(outcome.stdout).strip()
    lines = [line for line in whole.splitlines()[-_LAST:] if line.strip()]
    plain = [line for line in lines if not line[0].isspace()] or lines
    told = [line for line in plain if _COMPLAINT.search(line)] or plain
    last = " ".join(told[-1].split()) if told else ""
    last = last.removeprefix(f"{context.folder.absolute() / _SCRIPT}: ")  # bash: its own file
    return shortened(last, _SAID)


def _last_words(outcome: Outcome, context: Context) -> str:
    words = context.redact(outcome.stderr.strip() or outcome.stdout.strip())[-_TAIL:]
    return f"; its last words: {words}" if words else ""
