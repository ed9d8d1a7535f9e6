"""What a run leaves behind for people: the files of its evidence, and the last words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gonogo.cli import alerts, questions, screen, standing
from gonogo.cli.home import Home, home_words, is_open
from gonogo.report import Evidence, Format, collect, render
from gonogo.run.journal import Event, Journal

REPORTS: Mapping[str, Format] = {
    "report.html": Format.HTML,
    "report.md": Format.MARKDOWN,
    "report.json": Format.JSON,
    "report.txt": Format.TEXT,
    "junit.xml": Format.JUNIT,
}


def write_reports(
    folder: Path, evidence: Evidence, names: Iterable[str] = tuple(REPORTS)
) -> list[str]:
    """Write the evidence in its forms and return, in words, what could not be written.

    Never raises: a verdict counts also where its report cannot be kept.
    """
    failed: list[str] = []
    for name in names:
        try:
            text = render(evidence, REPORTS[name])
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f"{name}.draft"
            draft.write_text(text, encoding="utf-8", errors="replace")
            draft.replace(folder / name)  # a reader finds a whole report, old or new
        except OSError as error:
            failed.append(f"{name}: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 - a bug of a report must not hide the verdict
            failed.append(f"{name}: bug in gonogo: {type(error).__name__}: {error}")
    return failed


def is_overdue(home: Home, run: str, events: tuple[Event, ...]) -> bool:
    """Say whether a run has its verdict, but its process died before all reports were written."""
    return not is_open(events) and bool(_lacking(home, run)) and not home.is_served()


def catch_up(home: Home, run: str, events: tuple[Event, ...]) -> Iterator[str]:
    """Write the reports that an ended run lacks; yield what is said of it."""
    folder = home.run_folder(run)
    lacking = _lacking(home, run)
    evidence = collect(events, place=relative(folder / "report.html"))
    failed = [*standing.closed(folder, events), *write_reports(folder, evidence, lacking)]
    written = [name for name in lacking if (folder / name).exists()]
    if written:
        yield f"run {run} had ended before its reports were written"
        yield f"written now in {relative(folder)}: {', '.join(written)}"
    yield from unwritten(failed, home, run)


def _lacking(home: Home, run: str) -> list[str]:
    folder = home.run_folder(run)
    return [name for name in REPORTS if not (folder / name).exists()]


def show(evidence: Evidence, place: str, *, as_json: bool, drawn: bool) -> None:
    """Write the evidence to stdout; `drawn`: its reader has just seen it on the same terminal."""
    if as_json:
        screen.say_document(render(evidence, Format.JSON), Format.JSON.value)
    elif drawn and sys.stdout.isatty():
        screen.say(f"evidence {place}")
    else:
        screen.say(render(evidence, Format.TEXT, width=screen.width()).rstrip("\n"))


def unwritten(failed: list[str], home: Home, run: str) -> Iterator[str]:
    """Yield what is said when reports could not be written."""
    if failed:
        yield f"warning: the reports could not all be written: {'; '.join(failed)}"
        yield f"hint: the journal has it all: `gonogo report {run}{home_words(home)}`"


def left_open(home: Home, journal: Journal, run: str) -> Iterator[str]:
    """Yield why a run is left without a verdict, and what brings it on."""
    told = alerts.waiting(journal, run)
    yield from alerts.how_to_acknowledge(home, run, told, screen.width())
    asked = questions.waiting(journal, run)
    if asked:
        yield from questions.how_to_answer(home, asked, screen.width())
        return
    for title in _going_on(journal.events(run)):
        yield f"the command of `{title}` goes on by itself; a resumed run finds it again"
    yield f"stopped; `gonogo resume {run}{home_words(home)}` goes on"


def _going_on(events: tuple[Event, ...]) -> list[str]:
    """Return the titles of steps whose command was running when the run was left."""
    begun: dict[str, str] = {}
    for event in events:
        if event.kind == "step.started" and event.body.get("command"):
            begun[event.item] = str(event.body.get("title", event.item))
        elif event.kind == "step.finished":
            begun.pop(event.item, None)
    return list(begun.values())


def relative(path: Path) -> str:
    """Return the path as seen from here, where that is shorter to read."""
    try:
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    except OSError:  # the folder we were started in is gone
        return str(path)
