"""One entry under `metrics:` while it is read: typed values out of it, and all of its mistakes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from enum import Enum
from typing import TypeVar

from gonogo.errors import Diagnostic, Severity
from gonogo.plan import sqltext, where
from gonogo.plan.model import Metric
from gonogo.plan.samples import turned_into
from gonogo.plan.sources import KINDS, CommandSource, Source, keys_of
from gonogo.plan.units import nearest_unit, parse_quantity, rate_of, unit_of
from gonogo.plan.where import Filter
from gonogo.plan.words import stat_of

_Choice = TypeVar("_Choice", bound=Enum)
_SHORTEST_S, _LONGEST_S = 1.0, 86_400.0
ADDRESS = re.compile(r"://|\$|\{\{")
_TELLING_UNITS = {"ms": "ms", "us": "us", "ns": "ns", "seconds": "s", "secs": "s", "bytes": "B"}


def _plain(key: str) -> str:
    return " ".join(key.replace("_", " ").replace("-", " ").casefold().split())


def _shown(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(map(_shown, value))
        case _:
            return str(value)


class Draft:
    """One entry, while it is read; collects its mistakes."""

    def __init__(self, metric: Metric, targets: Collection[str]) -> None:
        """Begin with what is written."""
        self.metric = metric
        self.targets = targets
        self.diagnostics: list[Diagnostic] = []
        self.given: dict[str, object] = {}
        self.common: dict[str, object] = {"name": metric.name}
        for key, value in metric.fields.items():
            if _plain(key) in self.given:
                self.wrong("GN365", f"`{_plain(key)}` is set twice", "keep one of the two")
            self.given[_plain(key)] = value

    def wrong(
        self, code: str, message: str, hint: str = "", severity: Severity = Severity.ERROR
    ) -> None:
        """Note a mistake or a remark; its place is the name of the metric."""
        text = f"metric `{self.metric.name}`: {message}"
        self.diagnostics.append(
            Diagnostic(code, text, self.metric.span, hint=hint, severity=severity)
        )

    def kind(self) -> type[Source] | None:
        """Return the one kind of source that is named."""
        named = [kind for kind in KINDS if kind.kind in self.given]
        if "redis" in self.given and CommandSource in named:
            named.remove(CommandSource)  # `command` is also what to ask of Redis
        if len(named) == 1:
            return named[0]
        if named:
            both = " and ".join(f"`{kind.kind}`" for kind in named)
            self.wrong("GN361", f"has {both}, but one source is expected", "keep one of them")
            return None
        known = [kind.kind for kind in KINDS]
        near = [(key, near) for key in self.given if (near := nearest(key, known))]
        hint = f"did you mean `{near[0][1]}` for `{near[0][0]}`?" if near else listed(known)
        self.wrong("GN360", "names no source", hint)
        return None

    def refuse_unknown_keys(self, kind: type[Source]) -> None:
        """Refuse keys that this kind of source does not have."""
        known = keys_of(kind)
        for key in self.given:
            if key in known:
                continue
            owners = [f"`{other.kind}`" for other in KINDS if key in keys_of(other)]
            near = nearest(key, known)
            if owners:
                hint = f"`{key}` belongs to {' and '.join(owners)}"
            else:
                hint = f"did you mean `{near}`?" if near else listed(known)
            self.wrong("GN362", f"`{kind.kind}` has no `{key}`", hint)

    def text(self, key: str) -> str:
        """Return a text; empty when the key is not there."""
        value = self.given.get(key, "")
        if value is None or isinstance(value, list | Mapping | bool):
            self.unfit(key, "a text")
            return ""
        found = str(value).strip()
        if not found and key in self.given:
            self.unfit(key, "a text")
        return found

    def unfit(self, key: str, expected: str, hint: str = "") -> None:
        """Refuse a value."""
        shown = _shown(self.given.get(key))
        self.wrong("GN363", f"`{key}` is `{shown[:80]}`, expected {expected}", hint)

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self.given.get(key, False)
        if not isinstance(value, bool):
            self.unfit(key, "`true` or `false`")
            return False
        return value

    def choice(self, key: str, choices: type[_Choice], default: _Choice) -> _Choice:
        """Return one of a few words."""
        text = _plain(self.text(key)) if key in self.given else str(default.value)
        found = {str(each.value): each for each in choices}
        if text not in found:
            near = nearest(text, found)
            hint = f"did you mean `{near}`?" if near else ""
            self.unfit(key, " or ".join(f"`{each}`" for each in found), hint)
            return default
        return found[text]

    def seconds(self, key: str, shortest: float = _SHORTEST_S) -> float | None:
        """Return a duration in seconds; None when it is not there or is none."""
        if key not in self.given:
            return None
        quantity = parse_quantity(_shown(self.given[key]))
        found = turned_into(quantity, "s") if quantity is not None else None
        if found is None:
            self.unfit(key, "a duration such as `30s`")
            return None
        if not shortest <= found <= _LONGEST_S:
            self.unfit(key, f"{shortest:g} s to 1 d")
            return None
        return float(found)

    def filter(self, key: str) -> Filter | None:
        """Return a filter; None when there is none, or it is not understood."""
        return self._filter(key, self.given[key]) if key in self.given else None

    def filters(self, key: str) -> tuple[Filter, ...]:
        """Return the filters of a list, or a single one."""
        value = self.given.get(key, [])
        found = [
            self._filter(key, each) for each in (value if isinstance(value, list) else [value])
        ]
        return tuple(each for each in found if each is not None)

    def _filter(self, key: str, value: object) -> Filter | None:
        if not isinstance(value, str):
            self.unfit(key, 'a comparison such as `"status >= 500"`')
            return None
        try:
            return where.read(value)
        except where.NotUnderstoodError as problem:
            self.wrong("GN367", f"`{key}: {value[:60]}`: {problem}", problem.hint)
            return None

    def target(self, key: str) -> str:
        """Return the name of a target, or an address."""
        name = self.text(key)
        if not name or name in self.targets or ADDRESS.search(name):
            return name
        near = nearest(name, self.targets)
        hint = f"did you mean `{near}`?" if near else f"bind it: `targets: {{ {name}: ${{…}} }}`"
        self.wrong("GN366", f"no target is named `{name}`", hint)
        return name

    def need(self, *keys: str, why: str = "") -> None:
        """Refuse that a key is missing."""
        for key in keys:
            if key not in self.given:
                hint = f"`{key}` is {self._meaning(key)}"
                self.wrong("GN364", f"`{key}` is missing{why}", hint)

    def _meaning(self, key: str) -> str:
        return next(keys_of(kind)[key] for kind in KINDS if key in keys_of(kind))

    def only_one(self, *keys: str) -> tuple[str, ...]:
        """Refuse more than one of the keys; return those that are there."""
        found = tuple(key for key in keys if key in self.given and self.given[key] is not False)
        if len(found) > 1:
            both = " and ".join(f"`{key}`" for key in found)
            self.wrong("GN365", f"{both} do not go together", "keep one of them")
        return found

    def not_with(self, key: str, reason: str, *others: str) -> None:
        """Refuse keys that say nothing beside another."""
        for other in others:
            if other in self.given:
                self.wrong("GN365", f"`{other}` does not go with `{key}`", reason)

    def settle(
        self, kind: type[Source], unit: str | None = None, instead: str = ""
    ) -> dict[str, object]:
        """Return the fields that all sources have; `unit` when it does not come from the author.

        `instead` is what to write where the author wants another unit.
        """
        found = self.common
        for key in ("every", "timeout"):
            seconds = self.seconds(key, 0.1 if key == "timeout" else _SHORTEST_S)
            if seconds is not None:
                found[f"{key}_s"] = seconds
        least = self.given.get("minimum samples")
        if least is not None:
            if isinstance(least, bool) or not isinstance(least, int) or not 0 <= least <= 10**9:
                self.unfit("minimum samples", "a whole number")
            else:
                found["minimum_samples"] = least
        if unit is not None:
            self._fixed_unit(kind, unit, instead)
        else:
            self._unit()
        return found

    def _fixed_unit(self, kind: type[Source], unit: str, instead: str) -> None:
        said = self.text("unit") if "unit" in self.given else unit
        if (unit_of(said) or said) != unit:
            self.wrong(
                "GN369",
                f"`unit` is `{said}`, but `{kind.kind}` gives `{unit}` here",
                instead or f"write `{unit}`, or leave it out",
            )
        self.common["unit"] = unit

    def _unit(self) -> None:
        said = self.text("unit") if "unit" in self.given else ""
        if said.casefold() == "fraction":
            self.common |= {"unit": "%", "fraction": True}
            return
        unit = unit_of(said) or rate_of(said)
        if unit is None and re.fullmatch(r"[a-z][a-z-]{2,}|[$€£]", said):
            unit = said  # a count of things
            near = nearest_unit(said)
            if near is not None and get_close_matches(said, [near], 1, 0.75):
                self.wrong("GN369", f"`{said}` is no known unit", f"did you mean `{near}`?")
        if said and unit is None:
            near = nearest_unit(said)
            hint = f"did you mean `{near}`?" if near else "for example `ms`, `%`, `MiB`, `jobs/min`"
            self.wrong("GN369", f"`{said}` is no known unit", hint)
        self.common["unit"] = unit or ""

    def hint_at_unit(self, field: str) -> None:
        """Say so when a field's name has a unit that the entry does not have."""
        ending = re.split(r"[_.\s]", field.lower())[-1]
        if "unit" not in self.given and ending in _TELLING_UNITS:
            self.wrong(
                "GN369",
                f"`{field}` has no unit, so it is compared with bare numbers only",
                f"write `unit: {_TELLING_UNITS[ending]}`",
                Severity.WARNING,
            )

    def stat(self) -> str:
        """Return the canonical name of a statistic, or nothing."""
        said = self.text("stat")
        found = stat_of(said) if said else ""
        if found is None:
            self.unfit("stat", "a statistic such as `p95` or `avg`")
        return found or ""

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return names and values of headers."""
        value = self.given.get("headers", {})
        if not isinstance(value, Mapping):
            self.unfit("headers", "a list of `name: value`")
            return ()
        found = tuple((str(name), _shown(said)) for name, said in value.items())
        for name, said in found:
            if not re.fullmatch(r"[\w-]+", name) or re.search(r"[\r\n\0]", said):
                self.wrong("GN363", f"`{name}` cannot be the name of a header with that value")
        return found

    def statement(self, key: str) -> str:
        """Return one SQL statement that only looks."""
        text = self.text(key)
        if not text:
            return ""
        sql = sqltext.split(text)
        fits = len(sql.statements) == 1 and sqltext.only_looks(sql.statements[0])
        if not fits:
            self.wrong("GN363", f"`{key}` is not one statement that only looks", "write one SELECT")
        return text.strip().rstrip(";").strip()


def nearest(word: str, names: Collection[str]) -> str | None:
    """Return the name that the author most likely meant."""
    close = get_close_matches(word.casefold()[:80], list(names)[:400], n=1, cutoff=0.6)
    return close[0] if close else None


def listed(names: Collection[str]) -> str:
    """Return a hint with all names."""
    return "known: " + ", ".join(f"`{name}`" for name in names)
