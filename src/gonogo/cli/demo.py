"""`gonogo demo`: the main job on the bundled service."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Hand every word on to the demo, which has its own options."""
    parser.add_argument("words", nargs=argparse.REMAINDER, help="options of the demo, see --help")


def carry_out(options: argparse.Namespace) -> int:
    """Run the demo."""
    from gonogo.demo.__main__ import main

    return main(options.words)
