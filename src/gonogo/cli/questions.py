"""The open questions of a run: which there are, how they are named, and how they are shown."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from gonogo.cli.home import Home, home_words
from gonogo.plan.notices import moment
from gonogo.run.journal import Event, Journal
from gonogo.run.people import open_questions

_LONGEST = 40
"""How long a name may be before a few words of the question are shown instead."""


def waiting(journal: Journal, run: str) -> tuple[Event, ...]:
    """Return the questions of a run that nobody has answered yet, in the order of the runbook."""
    events = journal.events(run)
    asked = {event.item: event for event in events if event.kind == "question.asked"}
    items = open_questions([(event.kind, event.item) for event in events])
    waiting_ = [asked[item] for item in items if journal.answer(run, item) is None]
    return tuple(sorted(waiting_, key=_line))


def _line(event: Event) -> int:
    line = event.body.get("line")
    return line if isinstance(line, int) else 0


def choices(event: Event) -> tuple[str, ...]:
    """Return the answers that fit a question."""
    found = event.body.get("choices")
    return tuple(str(choice) for choice in found) if isinstance(found, list | tuple) else ()


def text(event: Event) -> str:
    """Return the question in its own words."""
    return str(event.body.get("question", event.item))


def name_of(event: Event, others: Sequence[Event]) -> str:
    """Return the shortest name by which `gonogo answer` finds the question among `others`."""
    if len(event.item) <= _LONGEST:
        return event.item
    words = text(event).split()
    for number in range(2, len(words) + 1):
        start = " ".join(words[:number]).strip("`?:;, ")
        if len(start) > _LONGEST:
            break
        if [other for other in others if fits_loosely(other, start)] == [event]:
            return start
    return event.item


def fits_exactly(event: Event, wanted: str) -> bool:
    """Say whether these are the id or the title of what is asked about."""
    low = wanted.lower()
    return low in (event.item.lower(), event.item.split("?")[0].lower(), text(event).lower())


def fits_loosely(event: Event, wanted: str) -> bool:
    """Say whether the question, the id, or the title that the id is made of holds these words."""
    low, item = wanted.lower(), event.item.lower()
    return any(low in place for place in (text(event).lower(), item, item.replace("-", " ")))


def shown(event: Event, width: int) -> Iterator[str]:
    """Yield a question with its place, its detail and its answers, `width` columns wide."""
    from gonogo.report.words import pad, wrap

    line = f"line {event.body.get('line')}"
    first, *rest = wrap(text(event), width - len(line) - 4) or [event.item]
    yield f"? {pad(first, width - len(line) - 3)} {line}"
    yield from (f"  {more}" for more in rest)
    yield from _detail(event, width)


def _detail(event: Event, width: int) -> Iterator[str]:
    """Yield what stands beside a question; of a confirmation nothing is cut, only broken."""
    from gonogo.report.words import cut, neutral, wrap

    is_typed = event.body.get("form") == "typed"
    for more in neutral(str(event.body.get("detail") or "")).split("\n"):
        if more.strip() and is_typed:
            yield from (f"  | {line}" for line in wrap(more, width - 4, most=8, ends=True))
        elif more.strip():
            yield cut(f"  | {more}", width)


def how_to_answer(home: Home, asked: Sequence[Event], width: int) -> Iterator[str]:
    """Yield what a parked run waits for, and the commands that bring it on."""
    from gonogo.report.words import cut

    number = "a question waits" if len(asked) == 1 else f"{len(asked)} questions wait"
    yield f"{number} for a person:"
    where = home_words(home)
    for event in asked:
        yield cut(f"  {text(event)}", width)
        if event.body.get("form") == "typed":  # what is typed is typed with this in sight
            yield from _detail(event, width - 2)
        yield f"    {_command(event, asked)}{where}"
    yield f"then: gonogo resume {asked[0].run}{where}"


def escalating(at_ms: int, contacts: Sequence[str]) -> str:
    """Return why a run that waits for a person does not end yet: somebody else is told first."""
    verb = "is" if len(contacts) == 1 else "are"
    return (
        f"nobody has answered so far: {' and '.join(contacts)} {verb} told at {moment(at_ms)};"
        " this run stays until then and goes on when somebody answers"
    )


def in_full(home: Home, asked: Sequence[Event], width: int) -> Iterator[str]:
    """Yield each open question with all that stands beside it, and the command that answers."""
    for event in asked:
        yield from (line.rstrip() for line in shown(event, width))
        yield f"    {_command(event, asked)}{home_words(home)}"


def _command(event: Event, asked: Sequence[Event]) -> str:
    return f"gonogo answer {shlex.quote(name_of(event, asked))} {_first(event)}"


def _first(event: Event) -> str:
    """Return an answer as an example; what is typed out to confirm a loss is never suggested."""
    if event.body.get("form") == "typed":
        return "'TYPED NAME'"
    fit = choices(event)
    answer = shlex.quote(fit[0]) if fit else "ANSWER"
    return f"{answer} --reason WHY" if answer == "go" else answer


def as_json(event: Event) -> Mapping[str, object]:
    """Return a question as JSON."""
    said = {"run": event.run, "item": event.item, "asked": event.at, **event.body}
    return {**said, "question": text(event)}
