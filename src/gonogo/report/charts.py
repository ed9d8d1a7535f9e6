"""A rule over time as an SVG: values with their limit, breaches, and hatched where nobody knows.

However long the watch was, a chart has at most 240 columns; each keeps the smallest and the largest
value of its slices, so that no spike is lost. Nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gonogo.report import watch_words, words
from gonogo.report.watch import BREACH, FIRING, GOOD, RuleFacts, Seen, Watch

COLUMNS = 240
WIDTH, HEIGHT = 720, 150
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 14, 24
_MOST_MARKS = 40


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the chart with its words."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn of one rule; coordinates are those of a view box of WIDTH by HEIGHT."""

    id: str
    title: str
    text: str  # the same for whoever does not see the picture
    line: str  # path of the values
    dots: str  # path of slices that stand alone, or of good ones where there are no values
    crosses: str  # path of the breaches
    gaps: tuple[tuple[float, float], ...]  # x and width of what is not known
    fires: tuple[Mark, ...]
    scale: tuple[Mark, ...]  # at the left
    times: tuple[Mark, ...]  # below
    limit: Mark | None = None


def chart(rule: RuleFacts, watch: Watch, name: str) -> Chart:
    """Return the drawing of one rule; `name` makes the ids in it unique on the page."""
    series = list(watch.series(rule.id))
    columns = watch_words.chunks(series, COLUMNS)
    scale = _Scale.of(series)
    step = (WIDTH - LEFT - RIGHT) / max(len(columns), 1)
    middles = [LEFT + (place + 0.5) * step for place in range(len(columns))]
    line, dots = _drawn(columns, middles, scale)
    return Chart(
        id=name,
        title=words.one_line(rule.text + (f", baseline {rule.baseline}" if rule.baseline else "")),
        text=_told(rule, watch, series),
        line=line,
        dots=dots,
        crosses="".join(_crosses(columns, middles, scale)),
        gaps=tuple(_unknown(columns, step)),
        fires=tuple(_fires(rule, watch, step)),
        scale=scale.marks(),
        times=_times(watch),
        limit=scale.limit_mark(),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to heights; without values there are two heights, good and bad."""

    low: float
    top: float
    unit: str
    limit: float | None
    valued: bool

    @classmethod
    def of(cls, series: Sequence[Seen]) -> _Scale:
        values = [seen.value for seen in series if seen.known and seen.value is not None]
        limit = next((seen.limit for seen in reversed(series) if seen.limit is not None), None)
        unit = next((seen.unit for seen in reversed(series) if seen.unit), "")
        if not values:
            return cls(0.0, 1.0, "", None, valued=False)
        known = values if limit is None else [*values, limit]
        low, top = min([0.0, *known]), max(known)
        return cls(low, top if top > low else low + 1.0, unit, limit, valued=True)

    def y(self, value: float) -> float:
        room = HEIGHT - TOP - BOTTOM
        share = (value - self.low) / (self.top - self.low)
        return round(TOP + (1 - share) * room, 1)

    def of_seen(self, seen: Seen) -> float:
        """Return the height of a judged slice."""
        if self.valued:
            return self.y(seen.value if seen.value is not None else self.limit or self.low)
        return self.y(0.8 if seen.event == BREACH else 0.2)

    def marks(self) -> tuple[Mark, ...]:
        if not self.valued:
            return (Mark(LEFT - 6, self.y(0.8) + 4, "bad"), Mark(LEFT - 6, self.y(0.2) + 4, "good"))
        ends = [self.top, self.low]
        near = 0 if self.limit is None else (self.top - self.low) * 0.12
        shown = [end for end in ends if self.limit is None or abs(end - self.limit) > near]
        return tuple(
            Mark(LEFT - 6, self.y(end) + 4, f"{watch_words.number(end)} {self.unit}".strip())
            for end in shown
        )

    def limit_mark(self) -> Mark | None:
        if self.limit is None:
            return None
        text = f"{watch_words.number(self.limit)} {self.unit}".strip()
        return Mark(LEFT - 6, self.y(self.limit), text)


def _drawn(
    columns: Sequence[Sequence[Seen]], middles: Sequence[float], scale: _Scale
) -> tuple[str, str]:
    """Return the line through known values, broken at gaps, and what stands alone as dots."""
    runs: list[list[str]] = [[]]
    dots: list[str] = []
    for column, x in zip(columns, middles, strict=True):
        judged = [seen for seen in column if seen.known and seen.value is not None]
        if judged:
            runs[-1] += [f"{x:.1f},{y}" for y in _ends(judged, scale)]
        else:
            runs.append([])
        if not scale.valued and any(seen.event == GOOD for seen in column):
            dots.append(_dot(x, scale.y(0.2)))
    dots += [_dot(*map(float, run[0].split(","))) for run in runs if len(run) == 1]
    return "".join("M" + "L".join(run) for run in runs if len(run) > 1), "".join(dots)


def _ends(judged: Sequence[Seen], scale: _Scale) -> list[float]:
    """Return the heights of a column: of its only value, or of the smallest and the largest."""
    heights = [scale.of_seen(seen) for seen in judged]
    low, high = max(heights), min(heights)
    if low == high:
        return [low]
    return [low, high] if heights.index(low) < heights.index(high) else [high, low]


def _dot(x: float, y: float) -> str:
    return f"M{x - 1.5:.1f},{y}h3"


def _crosses(
    columns: Sequence[Sequence[Seen]], middles: Sequence[float], scale: _Scale
) -> list[str]:
    found = []
    for column, x in zip(columns, middles, strict=True):
        bad = [scale.of_seen(seen) for seen in column if seen.event == BREACH]
        if bad:
            y = min(bad)
            found.append(f"M{x - 3.5:.1f},{y - 3.5:.1f}l7,7m0,-7l-7,7")
    return found


def _unknown(columns: Sequence[Sequence[Seen]], step: float) -> list[tuple[float, float]]:
    """Return where no slice of a column could be judged, neighbours joined."""
    found: list[tuple[float, float]] = []
    start: int | None = None
    for place in range(len(columns) + 1):
        blank = place < len(columns) and not any(seen.known for seen in columns[place])
        if blank and start is None:
            start = place
        elif not blank and start is not None:
            found.append((round(LEFT + start * step, 1), round((place - start) * step, 1)))
            start = None
    return found


def _fires(rule: RuleFacts, watch: Watch, step: float) -> list[Mark]:
    """Return where the rule fired, at the slice that filled its streak; the first ones only."""
    grid = watch.grid()
    places = {one.start: place for place, one in enumerate(grid) if one is not None}
    columns = min(len(grid), COLUMNS) or 1
    fired = [move for move in watch.moves if move.rule == rule.id and move.after == FIRING]
    return [
        Mark(
            round(LEFT + (places[move.at] * columns // len(grid) + 0.5) * step, 1),
            TOP,
            f"fired {watch_words.clock(move.at, watch)}",
        )
        for move in fired[:_MOST_MARKS]
        if move.at in places
    ]


def _times(watch: Watch) -> tuple[Mark, ...]:
    if not watch.slices:
        return ()
    first, last = watch.slices[0].start, watch.slices[-1].start
    marks = [Mark(LEFT, HEIGHT - 6, watch_words.clock(first, watch))]
    if last != first:
        marks.append(Mark(WIDTH - RIGHT, HEIGHT - 6, watch_words.clock(last, watch)))
    return tuple(marks)


def _told(rule: RuleFacts, watch: Watch, series: Sequence[Seen]) -> str:
    """Return the chart in a sentence."""
    bad = sum(seen.event == BREACH for seen in series)
    known = sum(seen.known for seen in series)
    said = f"{words.count(len(series), 'slice')}: {known} judged, {bad} bad"
    silent = len(series) - known
    said += f", {silent} said nothing" if silent else ""
    values = [seen.value for seen in series if seen.known and seen.value is not None]
    if values:
        unit = next((seen.unit for seen in reversed(series) if seen.unit), "")
        low, high = watch_words.number(min(values)), watch_words.number(max(values))
        said += f"; values from {low} to {high} {unit}".rstrip()
    return f"{said}; {watch_words.standing(rule, watch)}"
