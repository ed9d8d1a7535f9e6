"""Turns lines of a log into samples: which count, when it was, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from gonogo.plan.log_lines import AGENT_FIELDS, line_reader
from gonogo.plan.log_times import TIME_FIELDS
from gonogo.plan.log_times import reader as time_reader
from gonogo.plan.samples import (
    Bad,
    Flaw,
    Flaws,
    Sample,
    Yields,
    fraction_as_percent,
    number_in,
    usable,
)
from gonogo.plan.sources import OWN_AGENT, LogSource
from gonogo.plan.where_ask import Line, compiled, getter, is_absent
from gonogo.source import shortened

LOOKED_AT = 200
"""How many lines are looked at for fields that never come."""

_ENOUGH = 20
_OF_REQUESTS = frozenset(("status", "path", "url", "request", "method", "uri"))


class Harvest:
    """Collects what the lines of one source give, between two readings."""

    def __init__(self, source: LogSource) -> None:
        """Prepare everything that does not change from line to line."""
        self._source = source
        needed = {*source.fields(), *AGENT_FIELDS, *TIME_FIELDS}
        self._read_line = line_reader(source.format, source.pattern, needed)
        self._where = None if source.where is None else compiled(source.where)
        self._ratio = None if source.ratio is None else compiled(source.ratio)
        self._exclude = tuple(map(compiled, source.exclude))
        self._value = getter(source.value)
        times = (source.time,) if source.time else TIME_FIELDS
        self._times = tuple(map(getter, times))
        self._time_found = self._times[0]
        self._time_of = time_reader()
        self._agents = tuple(map(getter, AGENT_FIELDS))
        self._feed = self._feeder()
        self._flaws = Flaws()
        self._notes: list[str] = []
        self._looked = 0
        self._met: dict[str, int] = dict.fromkeys(source.fields(), 0)
        self._others: dict[str, None] = {}
        self.absent: str | None = None  # the field that is needed and never comes
        self._start(0)

    def _start(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self.last_ms: int | None = None
        self._samples: list[Sample] = []
        self._seconds: dict[int, list[int]] = {}

    def begin(self, now_ms: int) -> None:
        """Begin a reading; lines without a time have this one."""
        self._start(now_ms)

    def take(self, block: bytes) -> None:
        """Take whole lines."""
        own = not self._source.own_traffic
        read_line, where = self._read_line, self._where
        for raw in block.decode("utf-8", "replace").split("\n"):
            line = raw.rstrip("\r")
            if not line:
                continue
            fields = read_line(line)
            if fields is None:
                if line.strip():
                    self._flaws.add(self._about(), Flaw.UNREADABLE)
                continue
            if self._looked < LOOKED_AT:
                self._look(fields)
            if own and OWN_AGENT in line and self._is_own(fields):
                continue
            if where is not None and where(fields) is not True:
                continue
            if self._exclude and any(ask(fields) for ask in self._exclude):
                continue
            at_ms = self._time(fields)
            if at_ms is not None:
                self._feed(fields, at_ms)

    def too_long(self, number: int) -> None:
        """Count lines that were not even read."""
        if number:
            self._flaws.add(self._about(), Flaw.OVERLONG, number)

    def samples(self) -> list[Sample]:
        """Return the samples of this reading."""
        if self._source.yields is Yields.SHARE:
            rows = self._seconds.items()
            return [Sample(at * 1000, hits=hits, total=total) for at, (hits, total) in rows]
        if self._source.yields is Yields.AMOUNT:
            return [Sample(at * 1000, total) for at, (_, total) in self._seconds.items()]
        return self._samples

    def bad(self) -> tuple[Bad, ...]:
        """Return what could not be used, and forget it."""
        return self._flaws.take()

    def notes(self) -> tuple[str, ...]:
        """Return the remarks that were not given yet."""
        notes, self._notes = self._notes, []
        return tuple(notes)

    def _about(self) -> int:
        return self._now_ms if self.last_ms is None else self.last_ms

    def _feeder(self) -> Callable[[Line, int], None]:
        match self._source.yields:
            case Yields.SHARE:
                return self._feed_share
            case Yields.AMOUNT:
                return self._feed_amount
            case _:
                return self._feed_value

    def _feed_share(self, fields: Line, at_ms: int) -> None:
        assert self._ratio is not None
        said = self._ratio(fields)
        if said is None:
            self._flaws.add(at_ms, Flaw.MISSING)
            return
        pair = self._seconds.setdefault(at_ms // 1000, [0, 0])
        pair[0] += said
        pair[1] += 1

    def _feed_amount(self, _fields: Line, at_ms: int) -> None:
        self._seconds.setdefault(at_ms // 1000, [0, 0])[1] += 1

    def _feed_value(self, fields: Line, at_ms: int) -> None:
        value = self._value(fields)
        kind = type(value)
        if (kind is float or kind is int) and 0 <= value < 1e15:  # type: ignore[operator]
            number = value
        elif is_absent(value):
            number = Flaw.MISSING
        elif isinstance(value, str):
            number = number_in(value, self._source.unit)
        else:
            number = usable(value)
        if self._source.fraction and not isinstance(number, Flaw):
            number = fraction_as_percent(number)  # type: ignore[arg-type]
        if isinstance(number, Flaw):
            self._flaws.add(at_ms, number)
        else:
            self._samples.append(Sample(at_ms, number))  # type: ignore[arg-type]

    def _time(self, fields: Line) -> int | None:
        """Return when it was; the time of reading where a line has none, None where it is bad."""
        found = self._time_of(self._time_found(fields))
        if found is not None:
            self.last_ms = found
            return found
        there = False
        for find in self._times:
            value = find(fields)
            if is_absent(value) or value is None:
                continue
            there = True
            found = self._time_of(value)
            if found is not None:
                self._time_found = find  # the first that works is the one from now on
                self.last_ms = found
                return found
        if there or self._source.time:
            self._flaws.add(self._about(), Flaw.NO_TIME)
            return None
        return self._now_ms

    def _is_own(self, fields: Line) -> bool:
        for find in self._agents:
            agent = find(fields)
            if isinstance(agent, str):
                return agent == OWN_AGENT or agent.startswith(f"{OWN_AGENT}/")
        return False

    def _look(self, fields: Mapping[str, object]) -> None:
        """Count which fields come, and say once which never do."""
        self._looked += 1
        for name in self._met:
            self._met[name] += not is_absent(getter(name)(fields))
        if len(self._others) < LOOKED_AT:
            self._others |= dict.fromkeys(fields)
        if self._looked == _ENOUGH:
            self._note_time_and_agent(fields)
        if self._looked in {_ENOUGH, LOOKED_AT}:
            self._note_absent(only_needed=self._looked == _ENOUGH)
        elif self.absent is not None and self._met[self.absent]:
            self.absent = None

    def _note_absent(self, *, only_needed: bool) -> None:
        needed = {self._source.value, *(self._source.ratio.fields() if self._source.ratio else ())}
        for name, times in self._met.items():
            if times or (only_needed and name not in needed):
                continue
            near = get_close_matches(name, list(self._others), n=1, cutoff=0.6)
            known = ", ".join(f"`{shortened(other)}`" for other in list(self._others)[:12])
            hint = f"did you mean `{near[0]}`?" if near else f"they have {known}"
            text = f"none of the first {self._looked} lines has a field `{name}`; {hint}"
            self._notes.append(text)
            if name in needed:
                self.absent = name

    def _note_time_and_agent(self, fields: Line) -> None:
        if all(is_absent(find(fields)) for find in self._times):
            self._notes.append("the lines have no time, so the time of reading is taken")
        has_agent = any(not is_absent(find(fields)) for find in self._agents)
        if not has_agent and not self._source.own_traffic and _OF_REQUESTS & set(fields):
            self._notes.append(
                "the lines do not say which program sent a request, so gonogo's own are counted"
            )
