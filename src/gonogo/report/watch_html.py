"""What the page shows of a watch: a chart per rule, and tables that stay short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gonogo.report import charts, watch_lines, watch_tables
from gonogo.report.charts import Chart
from gonogo.report.watch import Blank, Move, Watch
from gonogo.report.watch_tables import RuleRow, SliceRow

SIZE = (charts.WIDTH, charts.HEIGHT, charts.TOP, charts.BOTTOM, charts.LEFT, charts.RIGHT)
"""The view box and its margins: width, height, top, bottom, left, right."""
_MOST_GAPS = 100


@dataclass(frozen=True, slots=True)
class ShownWatch:
    """A watch, ready for the template."""

    anchor: str
    title: str
    watch: Watch
    watched: str
    rows: Sequence[RuleRow]
    charts: Sequence[Chart]
    names: dict[str, str]
    moves: Sequence[Move]
    more_moves: int
    gaps: Sequence[Blank]
    more_gaps: int
    slices: Sequence[SliceRow]
    more_slices: int


def shown(watch: Watch, anchor: str, title: str = "") -> ShownWatch:
    """Return what the page shows; its size does not grow with the length of the watch."""
    moves, more_moves = watch_tables.move_rows(watch)
    slices, more_slices = watch_tables.slice_rows(watch)
    longest = sorted(watch.gaps, key=lambda gap: -gap.slices)[:_MOST_GAPS]
    return ShownWatch(
        anchor=anchor,
        title=title,
        watch=watch,
        watched=watch_lines.watched(watch),
        rows=watch_tables.rule_rows(watch),
        charts=[
            charts.chart(rule, watch, f"{anchor}c{place}")
            for place, rule in enumerate(watch.rules, start=1)
        ],
        names={rule.id: rule.text for rule in watch.rules},
        moves=moves,
        more_moves=more_moves,
        gaps=sorted(longest, key=lambda gap: (gap.since, gap.metric)),
        more_gaps=len(watch.gaps) - len(longest),
        slices=slices,
        more_slices=more_slices,
    )
