"""`python -m gonogo` and the console script; answers `--version` without loading anything else."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        from gonogo import __version__

        sys.stdout.write(f"gonogo {__version__}\n")
        return 0
    from gonogo.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
