"""How each family of errors ends the program: what is said, and the exit code."""

from __future__ import annotations

from gonogo.cli import screen
from gonogo.errors import GonogoError, InternalError, JournalError, RunbookError, UsageError

BUG = 70
_CODES: dict[type[GonogoError], str] = {UsageError: "GN700", JournalError: "GN710"}


def ended(error: Exception, *, as_json: bool = False, debug: bool = False) -> int:
    """Say what went wrong, once, in the form that was asked for; return the exit code."""
    if debug:
        import traceback

        screen.tell("".join(traceback.format_exception(error)).rstrip("\n"))
    if not isinstance(error, GonogoError) or isinstance(error, InternalError):
        return _bug(error, as_json=as_json)
    if isinstance(error, RunbookError):
        if as_json:
            from gonogo.cli import hiding

            hide = hiding.hider(error.source, error.diagnostics)
            found = [hiding.about(one, hide) for one in error.diagnostics]
            screen.say_json(screen.error_json(str(error), code="GN400", diagnostics=found))
        else:
            screen.tell(screen.runbook_error(error))
        return error.exit_code
    hint = str(getattr(error, "hint", ""))
    code = str(getattr(error, "code", _CODES.get(type(error), "GN700")))
    _say(str(error), hint, code, f"error[{code}]: {error}", as_json=as_json)
    return error.exit_code


def _bug(error: Exception, *, as_json: bool) -> int:
    message = f"bug in gonogo: {type(error).__name__}: {error}".rstrip(": ")
    hint = (
        "run again with --debug and send us what it prints; a run that was begun is journaled and "
        "can be resumed"
    )
    _say(message, hint, "GN799", message, as_json=as_json)
    return BUG


def _say(message: str, hint: str, code: str, drawn: str, *, as_json: bool) -> None:
    if as_json:
        screen.say_json(screen.error_json(message, hint=hint, code=code))
    else:
        screen.tell(drawn + (f"\nhint: {hint}" if hint else ""))
