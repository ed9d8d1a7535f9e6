"""`gonogo answer`: say what a run asks a person, one question or all of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from gonogo.cli import alerts, questions, screen
from gonogo.cli.home import Home, add_home, home_of, home_words, pick_run
from gonogo.cli.who import add_by, read_expiry, who_of
from gonogo.clock import SystemClock, stamp
from gonogo.errors import UsageError
from gonogo.run.journal import Answer, Event, Journal
from gonogo.run.people import NEEDS_REASON, Form


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("step", nargs="?", help="id, title or a few words; without it: list")
    parser.add_argument("answer", nargs="?", help="yes, no, skip, run, go, no-go, the typed name")
    parser.add_argument("--run", metavar="ID", help="the run (default: the one that is open)")
    parser.add_argument("--all", metavar="ANSWER", help="give this answer to every manual step")
    add_by(parser, "who answers")
    parser.add_argument(
        "--reason", "--note", metavar="TEXT", default="", help="why, or a note for the evidence"
    )
    parser.add_argument("--link", metavar="URL", default="", help="where the evidence is")
    parser.add_argument(
        "--expires", metavar="DATE", default="", help="until when a go against a hold is good"
    )
    parser.add_argument("--json", action="store_true", help="questions or answers as JSON")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """List open questions, or put answers into the inbox of the run."""
    if options.all is not None and options.step is not None:
        raise UsageError(
            f"both `--all` and a step, `{options.step}`, were named", hint="answer one, or all"
        )
    expires = read_expiry(options.expires)
    home = home_of(options)
    journal = home.journal()
    run = pick_run(journal, options.run, only_open=options.run is None)
    asked = questions.waiting(journal, run)
    told = alerts.waiting(journal, run)
    if options.all is None and options.step is None:
        return _list(home, run, asked, told, as_json=options.json)
    if options.all is None:
        chosen = [_alert(journal, run, options.step, told) or _one(options.step, asked, told)]
    else:
        chosen = _manual(asked)
    words = options.answer if options.all is None else options.all
    if not words:
        raise UsageError("no answer was given", hint=_fitting(chosen[0]))
    answers = [_fitted(event, words.strip(), options.reason) for event in chosen]
    who = who_of(options)
    given: list[Answer] = []
    for event, answer in zip(chosen, answers, strict=True):
        at = stamp(SystemClock().now())
        item = Answer(run, 1, event.item, answer, who, at, options.reason, options.link, expires)
        _put(journal, item)
        given.append(item)
    _tell(home, run, chosen, given, as_json=options.json)
    return 0


def _put(journal: Journal, item: Answer) -> None:
    if journal.put(item):
        return
    first = journal.answer(item.run, item.item)
    by = f" by {first.who}: {first.answer}" if first is not None else ""
    raise UsageError(f"`{item.item}` was answered meanwhile{by}", hint="the first answer counts")


def _tell(
    home: Home, run: str, asked: Sequence[Event], given: Sequence[Answer], *, as_json: bool
) -> None:
    if as_json:
        screen.say_json(
            [{"run": a.run, "item": a.item, "answer": a.answer, "by": a.who} for a in given]
        )
    else:
        from gonogo.report.words import cut

        for event, item in zip(asked, given, strict=True):
            told = f": {item.answer}, by {item.who}"
            screen.say(cut(questions.text(event), max(20, screen.width() - len(told))) + told)
    if not home.is_served():
        more = f"`gonogo resume {run}{home_words(home)}` goes on"
        screen.tell(f"nobody carries run {run} now: {more}")


def _list(
    home: Home, run: str, asked: Sequence[Event], told: Sequence[Event], *, as_json: bool
) -> int:
    """List the questions, and behind them the alerts that wait for an acknowledgement."""
    if as_json:
        screen.say_json([questions.as_json(event) for event in (*asked, *told)])
        return 0
    if not asked and not told:
        screen.say(f"run {run} asks nothing")
    for event in asked:
        for line in questions.shown(event, screen.width()):
            screen.say(line.rstrip())
        screen.say(f"  {_fitting(event)}\n  id: {event.item}")
    for line in alerts.how_to_acknowledge(home, run, told, screen.width()):
        screen.say(line)
    return 0


def _alert(journal: Journal, run: str, wanted: str, told: Sequence[Event]) -> Event | None:
    """Return the alert that is named by its id and waits; None when no alert is named.

    Raises:
        UsageError: an alert is named that is over, acknowledged, or unknown.
    """
    found = next((event for event in told if questions.fits_exactly(event, wanted)), None)
    why = alerts.why_not(journal, run, wanted) if found is None else None
    if why is not None:
        raise UsageError(why[0], hint=why[1])
    return found


def _one(wanted: str, asked: Sequence[Event], told: Sequence[Event]) -> Event:
    """Return what is asked about a step named by id, by title, or by a few of its words.

    What a run asks comes before its alerts: their words are often those of its steps.
    """
    exact = [event for event in asked if questions.fits_exactly(event, wanted)]
    loose = [event for event in asked if wanted and questions.fits_loosely(event, wanted)]
    aside = [event for event in told if wanted and questions.fits_loosely(event, wanted)]
    for found in (exact, loose, [] if loose else aside):
        if len(found) == 1:
            return found[0]
    what = "several open questions fit" if exact or loose or aside else "no open question fits"
    named = [questions.name_of(event, asked) for event in asked] + [event.item for event in told]
    known = "; ".join(named) or "nothing is asked"
    raise UsageError(f"{what} `{wanted}`", hint=f"open: {known}")


def _manual(asked: Sequence[Event]) -> list[Event]:
    """Return the questions that one answer may settle together: steps that people do."""
    manual = [event for event in asked if event.body.get("form") == Form.MANUAL.value]
    if not manual:
        raise UsageError(
            "no manual step waits for an answer", hint="`gonogo answer` lists what does"
        )
    return manual


def _fitted(event: Event, words: str, reason: str) -> str:
    """Return the answer as the run knows it; a typed name must be typed exactly."""
    form = event.body.get("form")
    answer = words if form == Form.TYPED.value and words.lower() != "no" else words.lower()
    if answer not in questions.choices(event):
        raise UsageError(f"`{words}` is no answer to `{event.item}`", hint=_fitting(event))
    needs = {(kind.value, choice) for kind, choice in NEEDS_REASON}
    if (form, answer) in needs and not reason.strip():
        raise UsageError(f"`{answer}` needs a reason", hint="--reason 'why it is good enough'")
    return answer


def _fitting(event: Event) -> str:
    if event.body.get("form") == Form.TYPED.value:
        return "answers: the name, typed out exactly, or `no`"
    return "answers: " + ", ".join(f"`{choice}`" for choice in questions.choices(event))
