"""`gonogo demo`: the main job on the bundled service."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the demo."""
    from gonogo.demo import campaigns, performance

    performance.configure(parser)
    campaigns.configure(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Play the demo."""
    from gonogo.demo import campaigns, performance

    if options.service == "campaigns":
        return campaigns.carry_out(options)
    return performance.carry_out(options)
