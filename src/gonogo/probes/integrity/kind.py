"""What a runbook may say of an integrity check, and what becomes of what was counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from decimal import Context as Precision
from typing import TYPE_CHECKING, ClassVar

from gonogo.errors import Diagnostic
from gonogo.plan import filling, shellscript
from gonogo.plan.condition import Condition, Op
from gonogo.plan.kinds import Context, Datum, Effect, Insists, Looks, Observation, Variable, Work
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

if TYPE_CHECKING:
    from gonogo.probes.integrity.comparing import Compared, Line
    from gonogo.probes.integrity.counting import Seen

_EXACT = Precision(prec=12, rounding=ROUND_DOWN)  # one NULL of many rows never becomes 100
_SHOWN = 20
_SINCE = frozenset({"lost", "gained", "changed", "gone"})  # said of the time between two looks


@dataclass(frozen=True, slots=True)
class Integrity(Looks, Insists):
    """Count the rows of tables and compare with the first look of this run; look for NULLs.

    All of it is read in one state of the database, without changing anything.
    """

    kind: ClassVar[str] = "integrity"
    indicators: ClassVar[Mapping[str, str]] = {
        "rows": "how many rows the tables have together; null when there is no table",
        "lost": "how many rows are gone since the first look, of all tables with fewer",
        "gained": "how many rows have come since, of all tables with more",
        "changed": "how many tables of `fingerprint` have as many rows with other content",
        "nulls": "how many NULLs stand in the columns of `not null`",
        "populated": "how much of the emptiest of them is filled (%); null when a table is empty",
        "unindexed": "how many foreign keys have no index on the columns that refer",
        "invalid": "how many indexes are invalid",
        "gone": "how many tables of the first look are not there any more",
        "tables": "how many tables were counted",
        "first": "true when nothing was looked at before in this run",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: integrity\non: db\ntables: documents, users\n"
        "not null: users.organization_id\n```\n\n- Expect: unindexed = 0\n"
    )

    on: str = says("the target: a name of the front matter, or an address")
    tables: tuple[str, ...] = says(
        "the tables, `table` or `schema.table`; default: all but those of extensions", default=()
    )
    not_null: tuple[str, ...] = says(
        "columns in which no NULL may stand, `table.column`", default=()
    )
    fingerprint: tuple[str, ...] = says(
        "tables whose content must stay the same, not only their number of rows", default=()
    )
    may_lose: int = says("how many rows may be fewer than at the first look", default=0)
    body: str = says("the text of the block")

    def default_expectation(self, effect: Effect) -> str | None:
        """Expect that no row is lost; what else is asked for is stated."""
        del effect
        return self.stated()[0]

    def stated(self) -> tuple[str, ...]:
        """Return what holds beside every `Expect`."""
        found = [f"lost <= {self.may_lose}" if self.may_lose > 0 else "lost = 0", "invalid = 0"]
        if self.not_null:
            found += ["nulls = 0", "populated = 100%"]
        if self.fingerprint:
            found.append("changed = 0")
        return tuple(found)

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        return filling.variables_of({"on": self.on}, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what is missing or cannot be a name."""
        found = []
        if not self.on.strip():
            message = "`on` is missing: the database to look at"
            found.append(Diagnostic("GN553", message, Span.of_line(1), hint="write `on: db`"))
        for name in self.not_null:
            if "." not in name:
                message = f"`{name}` does not say of which table"
                hint = f"write `not null: table.{name}`"
                found.append(Diagnostic("GN554", message, Span.of_line(1), hint=hint))
        if self.may_lose < 0:
            message = f"`may lose` is `{self.may_lose}`, expected 0 or more"
            found.append(Diagnostic("GN517", message, Span.of_line(1), hint="write `may lose: 10`"))
        return (*found, *shellscript.secrets(self.body))

    def looks_on(self) -> str:
        """Return the database, as written."""
        return self.on

    def compares(self, asked: Sequence[Condition]) -> str:
        """Return which indicators need an earlier look of the run; none where all is absolute.

        `lost = 0` holds of every look, so it counts only when nothing else is asked for. Whoever
        expects `first is true` knows that there is no earlier one.
        """
        expected = [one for condition in asked for one in condition.predicates]
        first = [one for one in expected if one.metric == "first"]
        if any(one.op is Op.EQ and one.value is True for one in first):
            return ""
        said = {one.metric for one in expected}
        found = said & _SINCE
        found |= {"changed"} if self.fingerprint else set()
        found |= {"lost"} if self.may_lose or first else set()
        if not found and not said and not self.not_null:
            found = {"lost"}
        return " and ".join(f"`{name}`" for name in self.indicators if name in found)

    def overlooked(self, earlier: Sequence[Work]) -> tuple[str, ...]:
        """Return the fingerprints that no earlier look made, and tables that none counted."""
        from gonogo.probes.integrity import names

        looks = [look for look in earlier if isinstance(look, Integrity)]
        marked = [name for look in looks for name in look.fingerprint]
        found = [
            f"no fingerprint of `{name}` is made before the deployment"
            for name in self.fingerprint
            if not any(names.are_alike(name, other) for other in marked)
        ]
        if not self.tables and looks and all(look.tables for look in looks):
            only = ", ".join(f"`{name}`" for look in looks for name in look.tables)
            found.append(f"all tables are counted, and before the deployment only {only}")
        return tuple(found)

    def describe(self) -> str:
        """Return what is counted where."""
        what = ", ".join(self.tables) if self.tables else "all tables"
        return f"count {what} in {filling.shown(self.on) or '?'}"

    def perform(self, context: Context) -> Observation:
        """Look once; the first look of a run is kept for later ones.

        Raises:
            WorkError: it could not be looked at: no connection, no rights, no such table, no time.
        """
        from gonogo.probes.integrity import comparing, counting

        wish = counting.Wish(self.tables, self.not_null, self.fingerprint)
        memory = comparing.Memory(context)
        seen = counting.look(self.on, wish, memory, context)
        return _observation(seen, memory.compare(seen), context)


def _observation(seen: Seen, compared: Compared, context: Context) -> Observation:
    lines = compared.lines
    counted = [line for line in lines if line.rows is not None]
    found: dict[str, Datum] = {
        "rows": sum(line.rows or 0 for line in counted) if counted else None,
        "lost": compared.lost() if lines else None,
        "gained": compared.gained() if lines else None,
        "changed": compared.changed(),
        "nulls": sum(column.nulls for column in seen.columns),
        "populated": _populated(seen),
        "unindexed": len(seen.unindexed),
        "invalid": len(seen.invalid),
        "gone": sum(line.rows is None for line in lines),
        "tables": len(counted),
        "first": compared.is_first,
    }
    rows = [_row(line, seen) for line in lines]
    return Observation(found, rows, context.redact("\n".join(_words(seen, compared))))


def _row(line: Line, seen: Seen) -> dict[str, Datum]:
    nulls = [column.nulls for column in seen.columns if column.table == line.table]
    return {
        "table": line.table,
        "rows": line.rows,
        "before": line.before,
        "lost": line.lost,
        "changed": line.changed,
        "nulls": sum(nulls) if nulls else None,
    }


def _populated(seen: Seen) -> Datum:
    """Return the share of the emptiest column, rounded down; no rows are no evidence."""
    if not seen.columns or any(column.rows == 0 for column in seen.columns):
        return None
    shares = [
        _EXACT.divide(Decimal(100 * (column.rows - column.nulls)), Decimal(column.rows))
        for column in seen.columns
    ]
    return Quantity(min(shares), "%")


def _words(seen: Seen, compared: Compared) -> list[str]:
    since = "the first look" if compared.is_first else f"since {compared.since}"
    count = sum(line.rows is not None for line in compared.lines)
    notable = [words for line in compared.lines if (words := line.words())]
    return [
        f"{count} {'table' if count == 1 else 'tables'}, {since}",
        *_listed(notable),
        *_listed([column.words() for column in seen.columns if column.nulls or not column.rows]),
        *_listed([f"foreign key without an index: {name}" for name in seen.unindexed]),
        *_listed([f"invalid index: {name}" for name in seen.invalid]),
    ]


def _listed(words: list[str]) -> list[str]:
    more = len(words) - _SHOWN
    return [*words[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
