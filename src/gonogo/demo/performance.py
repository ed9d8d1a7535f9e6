"""Plays a story: starts the servers, runs the release with the real command, looks afterwards."""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psycopg
import redis

from gonogo.clock import SystemClock
from gonogo.demo import stage, told
from gonogo.demo.inbox import Inbox, Message, read
from gonogo.demo.pace import REAL_TIME, SHORT, Pace
from gonogo.demo.proof import Claim, State, look
from gonogo.demo.story import STORIES, Fault, StateT, Story
from gonogo.demo.traffic import PER_SECOND, Visitors
from gonogo.demo.turn import LOOK_EVERY_S, Turn
from gonogo.demo.workspace import Workspace
from gonogo.errors import UsageError

RUN = (
    *("run", "deploy.md", "--env", "demo", "--release", "v2"),
    *("--yes", "--by", "demo", "--answers", "answers.yml"),
)
WIDTH = 78
LINE = 160
ENDS_WITHIN_S = 15.0
INTERRUPTED = 130
ENDINGS = (0, 1, 4)  # go, no-go, rolled back


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the demo to a parser."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--fault",
        choices=[fault.value for fault in STORIES if fault is not Fault.NONE],
        default=Fault.ERRORS.value,
        help="in the middle of the watch: errors (every fifth request fails), slow (some take "
        "1.3 s longer), cache (it is hardly used any longer), refresh (a materialized view cannot "
        "be refreshed); admin-open: a smoke test finds that a regular user may read the admin API "
        "(default: %(default)s)",
    )
    which.add_argument("--no-fault", action="store_true", help="a release without a fault: go")
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="watch for an hour in 5-minute buckets, not for a minute in 5-second ones",
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder of the release")
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(".gonogo") / "demo",
        metavar="FOLDER",
        help="where the report is put (default: %(default)s)",
    )


def carry_out(asked: argparse.Namespace) -> int:
    """Play the demo; 0 when everything went as announced, 1 when not, 130 after a Ctrl-C.

    Nothing runs afterwards, whichever way it ends. Raises UsageError when it cannot be played.
    """
    story = STORIES[Fault.NONE if asked.no_fault else Fault(asked.fault)]
    pace = REAL_TIME if asked.real_time else SHORT
    return to_the_end(partial(play, story, asked.home, pace=pace, keep=asked.keep))


def to_the_end(show: Callable[[], int]) -> int:
    """Play a show so that SIGTERM and Ctrl-C also take down what it has started."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        return show()
    except KeyboardInterrupt:
        print("\nstopped; nothing is left running", file=sys.stderr)
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)


def play(story: Story[State], home: Path, *, pace: Pace = SHORT, keep: bool = False) -> int:
    """Play one story and put its report into a folder below `home`."""
    clock = SystemClock()
    began = clock.monotonic()
    shelf = lay_shelf(home.absolute(), clock.now())
    say(f"gonogo demo: {story.title}")
    with ExitStack() as stack:
        workspace = _stage(stack, story, pace)
        before = look(workspace)
        say(f"  {workspace.settings['APP_URL']} ({clock.monotonic() - began:.1f} s)\n")
        _introduce(story, pace)
        planted: list[datetime] = []
        questions = workspace.folder / "queries.txt"
        with Visitors(workspace.settings["APP_URL"], questions) as visitors:
            code = run(workspace, in_the_watch(workspace, story, planted))
        seen = _seen(story, workspace, before)
        recovered = told.recovery(workspace.folder)
        messages = read(workspace.alerts)
        collect(workspace.folder, shelf, keep=keep)
    evidence = shelf / "report.json"
    said = told.claims(story.expected, code, evidence, recovered)
    if story.healthy is not None:
        said += (told.speed(planted, evidence, pace, story.expected.buckets),)
    arrived = told.arrived(story.expected, messages)
    announce("What the run says", said)
    _list("The alerts that arrived", messages)
    announce("What is true now, seen without the run", (arrived, *seen))
    say(f"\n{visitors.say()}")
    result = conclude((*said, arrived, *seen), shelf, clock.monotonic() - began)
    if not any(shelf.iterdir()):
        shelf.rmdir()
    return result


def _stage(stack: ExitStack, story: Story[State], pace: Pace) -> Workspace:
    """Start the servers and bring v1 up on them; all of it ends with the stack."""
    postgres, valkey, own = stage.build(stack)
    database = postgres.create_database("search")
    bare = Workspace.lay_out(own / "search", postgres.bin, database, valkey.url())
    stage.hold(stack, bare)
    bare.watch(pace)
    inbox = stack.enter_context(Inbox(bare.folder / "bin" / "inbox", bare.alerts))
    workspace = bare.with_settings(ALERT_URL=inbox.url)
    workspace.bring_up()
    workspace.plant(story.planted_first)
    say(f"\n  PostgreSQL {postgres.version} and Valkey {valkey.version} run, search v1 answers on")
    return workspace


def _introduce(story: Story[State], pace: Pace) -> None:
    words = {"rate": PER_SECOND, "length": pace.length, "bucket": pace.bucket}
    text = story.announcement.format(**words)
    say(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  "))
    if pace is SHORT and story.fault != Fault.ADMIN_OPEN.command:
        say(f"  Buckets of {pace.bucket_s} s are for the demo; --real-time takes 5-minute ones.")
    say(f"\n$ gonogo {' '.join(RUN[:6])} \\\n    {' '.join(RUN[6:])}\n")


def in_the_watch(
    workspace: Workspace, story: Story[StateT], planted: list[datetime]
) -> Turn | None:
    """Return what plants the fault in the middle of the watch, if the story has it there.

    The moment is put into `planted`.
    """
    if story.healthy is None:
        return None

    def act() -> None:
        workspace.plant(story.fault)
        planted.append(SystemClock().now())
        if not sys.stdout.isatty():  # on a terminal the run draws there
            say(f"demo     {story.healthy} healthy buckets seen; bin/fault {story.fault}")

    return Turn(workspace.folder, story.healthy, act)


def run(workspace: Workspace, turn: Turn | None = None, words: Sequence[str] = RUN) -> int:
    """Run the release with the real command on our terminal and return its exit code.

    Meanwhile `turn` is asked again and again whether it is time for it. A Ctrl-C on the terminal
    reaches the command by itself, and it says what to do. When it has ended for that reason, with
    a code that stands for no ending of a release, so do we: raises KeyboardInterrupt.
    """
    command = [sys.executable, "-m", "gonogo", *words]
    sys.stdout.flush()
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=workspace.folder, env=dict(workspace.settings)
    )
    try:
        code = _attend(process, turn)
    finally:
        signal.signal(signal.SIGINT, before)
        if turn is not None:
            turn.close()
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    if pressed and code not in ENDINGS:
        raise KeyboardInterrupt
    return code


def _attend(process: subprocess.Popen[bytes], turn: Turn | None) -> int:
    """Wait for the end of the run; return its exit code."""
    while turn is not None and not turn.done:
        try:
            return process.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            turn.look()
    return process.wait()


def say(text: str) -> None:
    """Write to the terminal at once, so that the order with the command's own lines is kept."""
    print(text, flush=True)


def _seen(story: Story[State], workspace: Workspace, before: State) -> tuple[Claim, ...]:
    try:
        return story.claims(before, look(workspace))
    except (psycopg.Error, redis.RedisError) as error:
        words = " ".join(str(error).split())
        return (Claim("the state after the run", "can be seen", f"cannot be seen ({words})"),)


def collect(folder: Path, shelf: Path, *, keep: bool) -> None:
    """Copy the reports of the newest run in a folder to the shelf; none when there was no run.

    With `keep` the whole folder goes there as well.
    """
    runs = sorted(folder.glob(".gonogo/runs/*/"), key=lambda path: path.stat().st_mtime)
    for report in runs[-1].glob("report.*") if runs else ():
        shutil.copy2(report, shelf / report.name)
    if keep:
        shutil.copytree(folder, shelf / "workspace", symlinks=True)


def announce(heading: str, claims: Sequence[Claim]) -> None:
    """Print claims under a heading, those that differ marked as such."""
    say(f"\n{heading}:\n")
    for claim in claims:
        say(claim.say())


def _list(heading: str, messages: Sequence[Message]) -> None:
    say(f"\n{heading}:\n")
    for message in messages:
        say(textwrap.shorten(message.say(), LINE, placeholder=" …"))
    if not messages:
        say("  none")


def conclude(claims: Sequence[Claim], shelf: Path, seconds: float) -> int:
    """Say where the report is and how it went; return 0 when every claim holds, else 1."""
    say("")
    for name, what in (("report.html", "report"), ("workspace", "workspace")):
        if (shelf / name).exists():
            say(f"{what:<10} {shelf / name}")
    if all(claim.holds for claim in claims):
        say(f"The story went as announced ({seconds:.0f} s). Nothing is left running.")
        return 0
    wrong = sum(not claim.holds for claim in claims)
    say(f"The story did not go as announced: {wrong} of {len(claims)} claims differ.")
    return 1


def lay_shelf(home: Path, now: datetime, prefix: str = "") -> Path:
    """Make the folder for what stays: one per demo, named by its time in UTC.

    Raises UsageError when it cannot be made there.
    """
    name = prefix + now.strftime("%Y%m%d-%H%M%S")
    try:
        home.mkdir(parents=True, exist_ok=True)
        for further in range(100):
            shelf = home / (f"{name}-{further}" if further else name)
            if not shelf.exists():
                shelf.mkdir()
                return shelf
    except OSError as error:
        raise UsageError(
            f"cannot write the report to `{home}`: {error.strerror}",
            hint="name a folder with --home",
        ) from None
    raise UsageError(f"`{home}` holds too many demos of this second", hint="try again")


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """End in good order on SIGTERM, so that everything is taken down on the way out."""
    sys.exit(128 + number)
