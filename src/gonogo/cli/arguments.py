"""Words of the command line, understood; mistakes in our words, with the nearest right one."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from gonogo.cli import screen
from gonogo.errors import UsageError

_REQUIRED = re.compile(r"the following arguments are required: (.*)")
_CHOICE = re.compile(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)")
_COUNT = re.compile(r"argument (\S+): expected (?:one|at least one) argument")
_FLAG = re.compile(r"argument (\S+): ignored explicit argument '(.*)'")


class Parser(argparse.ArgumentParser):
    """Says what was wrong in our words and ends with exit code 2; its help shows an example."""

    def __init__(self, name: str, words: str, example: str) -> None:
        """Describe the command `name`."""
        super().__init__(
            prog=f"gonogo {name}",
            description=words,
            epilog="example:\n" + "\n".join(f"  {line}" for line in example.splitlines()),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--debug", action="store_true", help="show where an error came from")

    def understood(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the options.

        Raises:
            UsageError: a word is missing, unknown or one too many.
        """
        options, rest = self.parse_known_args(list(words))
        if rest:
            self._refuse(rest)
        return options

    def print_help(self, _file: object = None) -> None:
        """Write the help as data, also where a reader goes away in its middle."""
        screen.say(self.format_help().rstrip("\n"))

    def error(self, message: str) -> NoReturn:
        """Say it in our words instead of ending the process."""
        raise UsageError(_said(message), hint=self._help())

    def _refuse(self, rest: Sequence[str]) -> NoReturn:
        unknown = [word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"]
        if not unknown:
            words = ", ".join(f"`{word}`" for word in rest)
            raise UsageError(f"too many words for `{self.prog}`: {words}", hint=self._help())
        named = ", ".join(f"`{word}`" for word in unknown)
        what = "is no option" if len(unknown) == 1 else "are no options"
        known = [word for word in self._option_string_actions if word.startswith("--")]
        close = nearest(unknown[0], known)
        hint = f"did you mean `{close}`?" if close else self._help()
        raise UsageError(f"{named} {what} of `{self.prog}`", hint=hint)

    def _help(self) -> str:
        return f"`{self.prog} --help` shows what it takes"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like the one that was typed, if one is."""
    from difflib import get_close_matches

    found = get_close_matches(word, list(known), n=1)
    return found[0] if found else None


def _said(message: str) -> str:
    """Put a message of argparse into our form."""
    if found := _REQUIRED.fullmatch(message):
        return f"missing: {found[1].upper()}"
    if found := _CHOICE.fullmatch(message):
        options = found[3].replace("'", "`")
        if "`" not in options:  # newer versions of Python leave the quotes out
            options = ", ".join(f"`{word.strip()}`" for word in options.split(","))
        return f"`{found[2]}` is no value of `{found[1]}`, expected one of {options}"
    if found := _COUNT.fullmatch(message):
        return f"`{found[1]}` needs a value"
    if found := _FLAG.fullmatch(message):
        return f"`{found[1]}` takes no value, found `{found[2]}`"
    return message
