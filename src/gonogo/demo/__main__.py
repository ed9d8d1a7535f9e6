"""Plays the demo: `python -m gonogo.demo [campaigns] [--no-fault] [--keep] [--home FOLDER]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gonogo.demo import campaigns, performance
from gonogo.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the demo and return its exit code; 2 when it cannot be played here."""
    parser = argparse.ArgumentParser(
        prog="gonogo demo",
        description="A real release of a bundled service, on real servers of its own, that goes "
        "wrong and is rolled back.",
    )
    performance.configure(parser)
    campaigns.configure(parser)
    asked = parser.parse_args(arguments)
    try:
        if asked.service == "campaigns":
            return campaigns.carry_out(asked)
        return performance.carry_out(asked)
    except UsageError as error:
        print(f"error[{error.code}]: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
