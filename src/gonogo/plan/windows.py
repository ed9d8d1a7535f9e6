"""When a release may begin: a window of low usage, and days on which nothing is released.

A window is written as people say it, in the time of a place:

    Tue-Thu 02:00-05:00 Europe/London
    weekdays 22:00-02:00 UTC (if possible)
    Sat, Sun 06:00-09:00 or Wed 02:00-04:00

Times are wall-clock times of the named zone, so a window moves with daylight saving: a time that
is skipped that day counts as if the clock had not been set yet, an hour that comes twice is open
twice. The end is not part of the window.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST = 3
_GROUPS = {"daily": range(7), "every day": range(7), "weekdays": range(5), "weekends": (5, 6)}
_SOFT = re.compile(r"\(?\b(?:if possible|preferably|preferred|ideally)\b\)?", re.IGNORECASE)
_TIMES = re.compile(r"(\d{1,2}):(\d{2})\s*(?:-|–|—|to|until)\s*(\d{1,2}):(\d{2})", re.IGNORECASE)
_ZONE = re.compile(r"\b(UTC|GMT|[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_+-]+)+)\b")
_BETWEEN = re.compile(r"\s*(?:-|–|—|\bto\b)\s*", re.IGNORECASE)
_DATES = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:\s*(?:to|until|-|–|—)\s*(\d{4}-\d{2}-\d{2}))?\s*:?\s*(.*)"
)
_MINUTE = timedelta(minutes=1)
_AHEAD_DAYS = 366
_DAY_MINUTES = 24 * 60


class NotUnderstood(ValueError):  # noqa: N818 - what a reader may say of a text
    """A text says no window; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One stretch of a day that comes back every week; over midnight it ends the next day."""

    days: frozenset[int]  # 0 is Monday
    begins: time
    ends: time  # not part of it

    @property
    def minutes(self) -> int:
        """Return how long it is by the clock on the wall."""
        begins = self.begins.hour * 60 + self.begins.minute
        ends = self.ends.hour * 60 + self.ends.minute
        return (ends - begins) % _DAY_MINUTES or _DAY_MINUTES

    def say(self) -> str:
        """Return the canonical words."""
        return f"{_say_days(self.days)} {self.begins:%H:%M}-{self.ends:%H:%M}"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days on which nothing is released, both ends included, in the zone of the calendar."""

    first: date
    last: date
    why: str = ""

    def say(self) -> str:
        """Return the canonical words."""
        until = "" if self.last == self.first else f" to {self.last.isoformat()}"
        return f"{self.first.isoformat()}{until}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a phase may begin. Without slots it may at any time that is not frozen."""

    slots: tuple[Slot, ...] = ()
    zone: str = "UTC"
    soft: bool = False  # `if possible`: outside of it is recorded, and the run goes on
    freezes: tuple[Freeze, ...] = ()

    def say(self) -> str:
        """Return the window in canonical words."""
        words = " or ".join(slot.say() for slot in self.slots) or "any time"
        return f"{words} {self.zone}" + (" (if possible)" if self.soft else "")

    def closed(self, at: datetime, lasting: timedelta = _MINUTE) -> str | None:
        """Return why something that takes `lasting` may not begin at `at` (UTC); None: it may."""
        frozen = self.frozen(at)
        if frozen is not None:
            return f"releases are frozen: {frozen.say()}"
        if not self.slots:
            return None
        ends = self.ends(at)
        if ends is None:
            return f"it is {self.local(at)}, outside of {self.say()}"
        if ends - at < lasting:
            left = int((ends - at).total_seconds() // 60)
            return f"the window closes in {left} min, and it takes longer"
        return None

    def frozen(self, at: datetime) -> Freeze | None:
        """Return the freeze that `at` lies in."""
        day = at.astimezone(_zone(self.zone)).date()
        return next((f for f in self.freezes if f.first <= day <= f.last), None)

    def ends(self, at: datetime) -> datetime | None:
        """Return when the window that is open at `at` closes; None when none is open."""
        ends = [end for begin, end in self._stretches(at) if begin <= at < end]
        return max(ends, default=None)

    def opens(self, at: datetime, lasting: timedelta = _MINUTE) -> datetime | None:
        """Return the first moment from `at` on at which it may begin; None within a year."""
        if self.closed(at, lasting) is None:
            return at
        begins: list[datetime] = []
        for day in range(_AHEAD_DAYS):
            moment = at + timedelta(days=day)
            if self.slots:
                begins = [begin for begin, _ in self._stretches(moment) if begin > at]
            else:
                begins = [_midnight(moment, _zone(self.zone))]
            for begin in sorted(begins):
                if begin > at and self.closed(begin, lasting) is None:
                    return begin
        return None

    def local(self, at: datetime) -> str:
        """Return a moment as people there say it: `Tue 2026-03-03 02:10 Europe/London`."""
        return f"{at.astimezone(_zone(self.zone)):%a %Y-%m-%d %H:%M} {self.zone}"

    def _stretches(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the stretches that begin the day before, on the day of, and after `at`, in UTC."""
        zone = _zone(self.zone)
        today = at.astimezone(zone).date()
        for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
            for slot in self.slots:
                if day.weekday() in slot.days:
                    begin = datetime.combine(day, slot.begins)
                    end = begin + timedelta(minutes=slot.minutes)
                    pair = (_utc(begin, zone, fold=0), _utc(end, zone, fold=1))
                    if pair[0] < pair[1]:
                        yield pair


def read(text: str, zone: str = "UTC") -> Calendar:
    """Return the window that a text says; `zone` counts where the text names none.

    Raises:
        NotUnderstood: it says none, or names a zone that this machine does not know.
    """
    soft = _SOFT.search(text) is not None
    rest = _SOFT.sub(" ", text)
    named = _ZONE.search(rest)
    if named is not None:
        zone = named[1]
        rest = rest.replace(named[0], " ")
    _known(zone)
    slots = tuple(_slot(part) for part in re.split(r"\s*(?:;|\bor\b)\s*", rest.strip(" .()")))
    return Calendar(slots, zone, soft)


def read_freeze(text: str) -> Freeze:
    """Return the freeze that a text says: `2026-12-18 to 2027-01-04: year end`.

    Raises:
        NotUnderstood: it names no days, or they end before they begin.
    """
    found = _DATES.fullmatch(text.strip())
    if found is None:
        raise NotUnderstood(f"`{text}` names no days, expected `2026-12-18 to 2027-01-04: why`")
    try:
        first = date.fromisoformat(found[1])
        last = date.fromisoformat(found[2] or found[1])
    except ValueError:
        raise NotUnderstood(f"`{text}` names a day that does not exist") from None
    if last < first:
        raise NotUnderstood(f"`{text}` ends before it begins")
    return Freeze(first, last, found[3].strip())


def _slot(text: str) -> Slot:
    times = _TIMES.search(text)
    if times is None:
        raise NotUnderstood(f"`{text}` names no times, expected `Tue-Thu 02:00-05:00`")
    try:
        begins, ends = time(int(times[1]), int(times[2])), _end(int(times[3]), int(times[4]))
    except ValueError:
        raise NotUnderstood(f"`{times[0]}` names a time that does not exist") from None
    return Slot(_days(text[: times.start()] + text[times.end() :]), begins, ends)


def _end(hour: int, minute: int) -> time:
    return time(0, 0) if (hour, minute) == (24, 0) else time(hour, minute)


def _days(text: str) -> frozenset[int]:
    words = text.strip(" ,.").lower()
    if not words:
        return frozenset(range(7))
    if words in _GROUPS:
        return frozenset(_GROUPS[words])
    found: set[int] = set()
    for part in re.split(r"\s*(?:,|\band\b|&)\s*", words):
        ends = [_day(word) for word in _BETWEEN.split(part)]
        if len(ends) > 2:  # a range has two ends
            raise NotUnderstood(f"`{part}` is no range of days, expected `Tue-Thu`")
        span = (ends[-1] - ends[0]) % 7
        found |= {(ends[0] + step) % 7 for step in range(span + 1)}
    return frozenset(found)


def _day(word: str) -> int:
    cleaned = word.strip(" .").removesuffix("s") if word.endswith("days") else word.strip(" .")
    for number, name in enumerate(DAYS):
        if len(cleaned) >= _SHORTEST and name.startswith(cleaned):
            return number
    raise NotUnderstood(f"`{word}` is no day, expected `Mon` to `Sun`, `daily` or `weekdays`")


def _say_days(days: frozenset[int]) -> str:
    if len(days) == len(DAYS):
        return "daily"
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = [name[:_SHORTEST].capitalize() for name in DAYS]
    return ", ".join(names[r[0]] if len(r) == 1 else f"{names[r[0]]}-{names[r[-1]]}" for r in runs)


def _known(zone: str) -> None:
    try:
        _zone(zone)
    except (KeyError, ValueError, OSError):
        hint = "expected `UTC` or a name such as `Europe/London`"
        raise NotUnderstood(f"`{zone}` is no time zone that this machine knows, {hint}") from None


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo  # only for runbooks that say a window

    return ZoneInfo("UTC" if name == "GMT" else name)


def _utc(wall: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    """Return a wall-clock time in UTC; one that is skipped that day is the moment of the skip."""
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    return _utc(datetime.combine(at.astimezone(zone).date(), time(0, 0)), zone, fold=0)
