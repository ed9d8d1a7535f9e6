"""`gonogo answer`: say what a run asks a person, one question or all of them."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence

from gonogo.cli import screen
from gonogo.cli.home import add_home, home_of, pick_run
from gonogo.clock import SystemClock, stamp
from gonogo.errors import UsageError
from gonogo.run.journal import Answer, Event
from gonogo.run.people import open_questions


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("step", nargs="?", help="id or title of the step; without it: list")
    parser.add_argument("answer", nargs="?", help="yes, no, skip, run, go, no-go, the typed name …")
    parser.add_argument("--run", metavar="ID", help="the run (default: the one that is open)")
    parser.add_argument("--all", metavar="ANSWER", help="give this answer to every manual step")
    parser.add_argument("--by", metavar="NAME", help="who answers (default: your login)")
    parser.add_argument("--reason", "--note", default="", help="why, or a note")
    parser.add_argument("--link", default="", help="where the evidence is")
    parser.add_argument("--expires", default="", help="until when a go against a hold is good")
    parser.add_argument("--json", action="store_true", help="open questions as JSON")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """List open questions, or put answers into the inbox of the run."""
    home = home_of(options)
    journal = home.journal()
    run = pick_run(journal, options.run, only_open=options.run is None)
    events = journal.events(run)
    waiting = [
        item
        for item in open_questions([(e.kind, e.item) for e in events])
        if journal.answer(run, item) is None
    ]
    asked = {e.item: e for e in events if e.kind == "question.asked" and e.item in waiting}
    if options.all is None and options.step is None:
        return _list(run, list(asked.values()), as_json=options.json)
    chosen = _all(asked.values()) if options.all else [_one(options.step, asked)]
    words = options.all or options.answer
    if words is None:
        raise UsageError("no answer was given", hint=_choices(chosen[0]))
    who = options.by or getpass.getuser()
    for event in chosen:
        _refuse_misfit(event, words, options.reason)
        at = stamp(SystemClock().now())
        journal.put(
            Answer(
                run, 1, event.item, words, who, at, options.reason, options.link, options.expires
            )
        )
        screen.say(f"{event.item}: {words}, by {who}")
    if not home.is_served():
        screen.tell(f"nobody carries run {run} now: `gonogo resume {run}` goes on")
    return 0


def _list(run: str, asked: Sequence[Event], *, as_json: bool) -> int:
    if as_json:
        screen.say_json([{"item": e.item, "asked": e.at, **e.body} for e in asked])
        return 0
    if not asked:
        screen.say(f"run {run} asks nothing")
    for event in asked:
        screen.say(f"{event.item}\n    {event.body.get('question')}  ({_choices(event)})")
    return 0


def _one(wanted: str, asked: dict[str, Event]) -> Event:
    """Return the open question of a step named by id, by title, or by the end of its id."""
    low = wanted.lower()
    exact = [e for i, e in asked.items() if low in (i.lower(), i.split("?")[0].lower())]
    loose = [
        e for e in asked.values() if low in str(e.body.get("question", "")).lower() or low in e.item
    ]
    for found in (exact, loose):
        if len(found) == 1:
            return found[0]
    known = ", ".join(asked) or "nothing is asked"
    what = "several open questions fit" if exact or loose else "no open question fits"
    raise UsageError(f"{what} `{wanted}`", hint=f"open: {known}")


def _all(asked: object) -> list[Event]:
    assert hasattr(asked, "__iter__")
    manual = [event for event in asked if event.body.get("form") == "manual"]
    if not manual:
        raise UsageError(
            "no manual step waits for an answer", hint="`gonogo answer` lists what does"
        )
    return manual


def _refuse_misfit(event: Event, words: str, reason: str) -> None:
    choices = event.body.get("choices")
    if isinstance(choices, list) and words not in choices:
        raise UsageError(f"`{words}` is no answer to `{event.item}`", hint=_choices(event))
    if words in ("skip", "go") and not reason.strip():
        raise UsageError(f"`{words}` needs a reason", hint="--reason 'why it is good enough'")


def _choices(event: Event) -> str:
    choices = event.body.get("choices")
    return "answers: " + ", ".join(str(c) for c in choices) if isinstance(choices, list) else ""
