"""Plays a story of the campaigns service: a week's ticket, released by the real command."""

from __future__ import annotations

import argparse
import textwrap
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from gonogo.clock import SystemClock
from gonogo.demo import campaigns_place, performance, stage, told
from gonogo.demo.campaigns_story import STORIES, State, look
from gonogo.demo.performance import RUN, WIDTH, say
from gonogo.demo.story import Fault, Story
from gonogo.demo.workspace import Workspace

WORDS = (*RUN[:6], *campaigns_place.CALENDAR, *RUN[6:])
CALENDAR_WORDS = "The week of the watch passes in a minute, in buckets of 5 s."
SERVICES = ("search", "campaigns")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add what chooses this show to a parser that has the options of the other one."""
    parser.add_argument(
        "service",
        nargs="?",
        choices=SERVICES,
        default="search",
        help="which of the bundled services is released (default: %(default)s)",
    )
    parser.add_argument(
        "--story",
        choices=sorted(STORIES),
        default="page-slow",
        metavar="NAME",
        help=f"with `campaigns`: what happens: {', '.join(STORIES)} (default: %(default)s)",
    )


def carry_out(asked: argparse.Namespace) -> int:
    """Play the demo; 0 when everything went as announced, 1 when not, 130 after a Ctrl-C.

    Nothing runs afterwards, whichever way it ends. Raises UsageError when it cannot be played.
    """
    story = STORIES[asked.story]
    return performance.to_the_end(partial(play, story, asked.home, keep=asked.keep))


def play(story: Story[State], home: Path, *, keep: bool = False) -> int:
    """Play one story and put its report into a folder below `home`."""
    clock = SystemClock()
    began = clock.monotonic()
    shelf = performance.lay_shelf(home.absolute(), clock.now(), "campaigns-")
    say(f"gonogo demo: {story.title}\n")
    say(textwrap.fill(story.announcement, WIDTH, initial_indent="  ", subsequent_indent="  "))
    with ExitStack() as stack:
        place = _set_up(stack)
        if story.planted_first != Fault.NONE.command:
            place.plant(story.planted_first)
        before = look(place)
        say(f"\n  campaigns v1 answers on {place.settings['APP_URL']}")
        say(f"  {CALENDAR_WORDS}")
        say(f"\n$ gonogo {' '.join(WORDS[:8])} \\\n    {' '.join(WORDS[8:])}\n")
        code = performance.run(place, performance.in_the_watch(place, story, []), WORDS)
        seen = story.claims(before, look(place))
        recovered = told.recovery(place.folder)
        performance.collect(place.folder, shelf, keep=keep)
    said = told.claims(story.expected, code, shelf / "report.json", recovered)
    performance.announce("What the run says", said)
    performance.announce("What is true now, seen without the run", seen)
    return performance.conclude((*said, *seen), shelf, clock.monotonic() - began)


def _set_up(stack: ExitStack) -> Workspace:
    """Start the servers and v1; everything is taken down when the stack is left."""
    postgres, valkey, own = stage.build(stack)
    addresses = {
        "DATABASE_URL": postgres.create_database("campaigns"),
        "CACHE_URL": valkey.url(0),
        "QUEUE_URL": valkey.url(1),
    }
    place = campaigns_place.lay_out(own / "campaigns", postgres.bin, addresses)
    stage.hold(stack, place)
    campaigns_place.watch(place)
    campaigns_place.bring_up(place)
    return place
