"""Plays the demo: `python -m gonogo.demo [--no-fault] [--keep] [--home FOLDER]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gonogo.demo.performance import carry_out, configure
from gonogo.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the demo and return its exit code; 2 when it cannot be played here."""
    parser = argparse.ArgumentParser(
        prog="gonogo demo",
        description="A real release of a bundled service, on real servers of its own, that goes "
        "wrong and is rolled back.",
    )
    configure(parser)
    try:
        return carry_out(parser.parse_args(arguments))
    except UsageError as error:
        print(f"error[{error.code}]: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
