"""Takes the events of a watch one after the other; what is missing or odd stays empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gonogo.report import reading, words
from gonogo.report.facts import StepFacts
from gonogo.report.watch import (
    NO_DATA,
    NOT_WATCHED,
    Blank,
    Move,
    RuleFacts,
    Seen,
    Slice,
    Taken,
    Watch,
)
from gonogo.run.journal import Event

_MOST = 10**10
_BRIEF = 64  # slices that the lines of a running watch look at


@dataclass(slots=True)
class Watching:
    """A watch as far as it is known, and it can still learn."""

    head: Watch
    slices: list[Slice] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    latest: dict[str, Move] = field(default_factory=dict)

    def whole(self, findings: tuple[StepFacts, ...] = ()) -> Watch:
        """Return all of it."""
        slices = tuple(self.slices)
        return replace(
            self.head,
            slices=slices,
            moves=tuple(self.moves),
            gaps=tuple(gaps(slices, self.head)),
            findings=findings,
        )

    def brief(self) -> Watch:
        """Return what the lines on a screen need: the last slices, the last move of each rule."""
        slices, moves = tuple(self.slices[-_BRIEF:]), tuple(self.latest.values())
        return replace(self.head, slices=slices, moves=moves)

    def start(self, event: Event) -> None:
        """Learn the beginning; said once more after a crash, it changes nothing."""
        if self.head.started:
            return
        body = event.body
        sources = reading.inner(body, "metrics")
        self.head = replace(
            self.head,
            started=words.at_ms(body.get("started_ms")) or event.at,
            width_ms=_size(body, "width_ms"),
            planned=_size(body, "planned"),
            blind_after_s=reading.number(body, "blind_after_s"),
            metrics={name: reading.text(sources, name) for name in sources},
            rules=_rules(reading.listed(body, "rules")),
        )

    def close_slice(self, event: Event) -> Slice | None:
        """Learn a closed slice; None when its time cannot be read."""
        one = _slice(event)
        if one is None:
            return None
        if not self.slices or one.start_ms > self.slices[-1].start_ms:
            self.slices.append(one)
        else:
            known = {each.start_ms: each for each in self.slices}
            known[one.start_ms] = one
            self.slices = [known[start] for start in sorted(known)]
        return one

    def move(self, event: Event) -> Move:
        """Learn that a rule moved."""
        move = _move(event)
        self.moves.append(move)
        self.latest.pop(move.rule, None)
        self.latest[move.rule] = move
        return move

    def end(self, event: Event) -> None:
        """Learn the end and its reason."""
        self.head = replace(
            self.head,
            ended=event.at,
            why=reading.text(event.body, "why"),
            complete=reading.flag(event.body, "complete"),
        )


def _size(body: reading.Body, key: str) -> int:
    """Return a number that can be a width or a count; 0 for any other."""
    number = reading.whole(body, key)
    return number if 0 < number <= _MOST else 0


def watch_of(event: Event) -> str:
    """Return the id of the watch that a closed slice belongs to."""
    return reading.text(event.body, "phase") or event.item.rpartition("@")[0]


def _rules(bodies: Sequence[reading.Body]) -> tuple[RuleFacts, ...]:
    found: dict[str, RuleFacts] = {}
    for body in bodies:
        name, text = reading.text(body, "id"), reading.text(body, "text")
        says = reading.text(body, "says") or text or name
        found.setdefault(
            name,
            RuleFacts(
                name,
                text or says,
                says,
                reading.text(body, "consequence"),
                reading.whole(body, "line"),
                reading.text(body, "baseline"),
            ),
        )
    return tuple(found.values())


def _slice(event: Event) -> Slice | None:
    body = event.body
    start_ms = reading.whole(body, "start_ms")
    start = words.at_ms(start_ms) if "start_ms" in body else ""
    if not start:
        return None
    rules, metrics = reading.inner(body, "rules"), reading.inner(body, "metrics")
    return Slice(
        start=start,
        start_ms=start_ms,
        rules={name: _seen(reading.inner(rules, name)) for name in rules},
        metrics={name: _taken(reading.inner(metrics, name)) for name in metrics},
    )


def _seen(body: reading.Body) -> Seen:
    return Seen(
        says=reading.text(body, "says"),
        event=reading.text(body, "event"),
        state=reading.text(body, "state"),
        count=reading.whole(body, "count"),
        need=reading.whole(body, "need"),
        of=reading.whole(body, "of"),
        value=reading.number(body, "value"),
        unit=reading.text(body, "unit"),
        limit=reading.number(body, "limit"),
    )


def _taken(body: reading.Body) -> Taken:
    bad = reading.inner(body, "bad")
    return Taken(
        count=max(0, reading.whole(body, "count")),
        coverage=reading.number(body, "coverage"),
        late=max(0, reading.whole(body, "late")),
        why=reading.texts(body, "why"),
        bad={why: max(0, reading.whole(bad, why)) for why in reading.texts(body, "bad")},
    )


def _move(event: Event) -> Move:
    body = event.body
    slices, values = body.get("slices"), reading.inner(body, "values")
    starts = slices if isinstance(slices, Sequence) and not isinstance(slices, str) else ()
    return Move(
        rule=reading.text(body, "rule") or event.item.rpartition("@")[0] or event.item,
        consequence=reading.text(body, "consequence"),
        at=words.at_ms(body.get("at_ms")),
        closed=words.at_ms(body.get("closed_ms")),
        before=reading.text(body, "before"),
        after=reading.text(body, "after"),
        event=reading.text(body, "event"),
        reason=reading.text(body, "reason"),
        slices=tuple(at for at in map(words.at_ms, starts) if at),
        values={name: reading.text(values, name) for name in values},
    )


@dataclass(slots=True)
class _Run:
    """Slices in a row that lack the same."""

    what: str
    since_ms: int
    until_ms: int
    slices: int
    why: dict[str, None]


def gaps(slices: Sequence[Slice], watch: Watch) -> list[Blank]:
    """Return where the watch knows nothing: slices without data, and slices that are missing."""
    found: list[tuple[int, str, _Run]] = []
    runs: dict[str, _Run] = {}
    width = watch.width_ms
    before: int | None = None
    for one in slices:
        missing = 0 if before is None or not width else (one.start_ms - before) // width - 1
        if missing > 0 and before is not None:
            lacks = {"": (NOT_WATCHED, ())}
            found += _extended(runs, lacks, before + width, one.start_ms, missing)
        lacking = _lacking(one, watch.metrics)
        found += _extended(runs, lacking, one.start_ms, one.start_ms + width, 1)
        before = one.start_ms
    found += [(run.since_ms, metric, run) for metric, run in runs.items()]
    return [
        Blank(
            what=run.what,
            metric=metric,
            since=words.at_ms(run.since_ms),
            until=words.at_ms(run.until_ms),
            slices=run.slices,
            why="; ".join(run.why),
        )
        for _, metric, run in sorted(found, key=lambda each: each[:2])
    ]


_Lacks = Mapping[str, tuple[str, tuple[str, ...]]]


def _lacking(one: Slice, names: Mapping[str, str]) -> _Lacks:
    """Return the metrics without data in a slice; under the empty name when nobody looked."""
    found = {}
    metrics = dict.fromkeys([*names, *one.metrics])
    for name in metrics:
        taken = one.metrics.get(name, Taken())
        if not taken.count:
            looked = bool(taken.lacks) or (taken.coverage or 0) > 0
            found[name] = (NO_DATA if looked else NOT_WATCHED, taken.lacks)
    blind = [what for what, _ in found.values() if what == NOT_WATCHED]
    return {"": (NOT_WATCHED, ())} if metrics and len(blind) == len(metrics) else found


def _extended(
    runs: dict[str, _Run], lacks: _Lacks, since_ms: int, until_ms: int, slices: int
) -> list[tuple[int, str, _Run]]:
    """Prolong the runs that go on, begin new ones; return those that are over."""
    over = [
        (run.since_ms, metric, runs.pop(metric))
        for metric, run in list(runs.items())
        if metric not in lacks or lacks[metric][0] != run.what
    ]
    for metric, (what, why) in lacks.items():
        run = runs.setdefault(metric, _Run(what, since_ms, until_ms, 0, {}))
        run.until_ms, run.slices = until_ms, run.slices + slices
        run.why |= dict.fromkeys(why)
    return over
