"""`gonogo demo`: the main job on the bundled service."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the demo."""
    from gonogo.demo import performance

    performance.configure(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Play the demo."""
    from gonogo.demo import performance

    return performance.carry_out(options)
