"""What is noted while a runbook is understood: mistakes, remarks, and what each line means."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from difflib import get_close_matches

from gonogo.errors import Diagnostic, Severity, in_order
from gonogo.plan.kinds import Catalog
from gonogo.plan.model import Meaning, Mode
from gonogo.source import Source, Span

_MOST_SUGGESTIONS = 60  # comparing words is slow: a file of nothing but mistakes stays linear
_MOST_CANDIDATES = 400


class Notebook:
    """Collects diagnostics and meanings in any order; nothing is ever raised from here."""

    def __init__(self, source: Source, catalog: Catalog, mode: Mode = Mode.ASSISTED) -> None:
        """Start empty; `mode` is settled by the front matter."""
        self.source = source
        self.catalog = catalog
        self.mode = mode
        self._diagnostics: list[Diagnostic] = []
        self._meanings: list[Meaning] = []
        self._suggested = 0
        self._noted: set[tuple[str, int]] = set()

    @property
    def explicit(self) -> bool:
        """Whether the author promised that everything can be understood."""
        return self.mode is Mode.EXPLICIT

    @property
    def has_errors(self) -> bool:
        """Whether a mistake was noted so far."""
        return any(d.severity is Severity.ERROR for d in self._diagnostics)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything noted so far, by place, without repetitions."""
        return in_order(self._diagnostics)

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        """What every piece was understood as, by place, without repetitions."""
        return tuple(sorted(dict.fromkeys(self._meanings), key=lambda m: (m.span, m.what)))

    def add(self, diagnostic: Diagnostic) -> None:
        """Note a diagnostic as it is."""
        self._diagnostics.append(diagnostic)
        self._noted.add((diagnostic.code, diagnostic.span.line))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Note several diagnostics as they are."""
        for diagnostic in diagnostics:
            self.add(diagnostic)

    def has_noted(self, code: str, line: int) -> bool:
        """Tell whether a diagnostic of this code was noted for a place that begins on a line."""
        return (code, line) in self._noted

    def error(self, code: str, message: str, span: Span, label: str = "", hint: str = "") -> None:
        """Note a mistake that refuses the run in both modes."""
        self.add(Diagnostic(code, message, span, label=label, hint=hint))

    def warn(self, code: str, message: str, span: Span, label: str = "", hint: str = "") -> None:
        """Note something that the author should look at; the run may start."""
        self.add(Diagnostic(code, message, span, label=label, hint=hint, severity=Severity.WARNING))

    def note(self, code: str, message: str, span: Span, label: str = "", hint: str = "") -> None:
        """Note a default or a reading that the author should know."""
        self.add(Diagnostic(code, message, span, label=label, hint=hint, severity=Severity.NOTE))

    def strict(self, code: str, message: str, span: Span, label: str = "", hint: str = "") -> None:
        """Note a mistake: an error in an explicit runbook, a warning in an assisted one."""
        self.lenient(Diagnostic(code, message, span, label=label, hint=hint))

    def lenient(self, diagnostic: Diagnostic) -> None:
        """Note a diagnostic; in an assisted runbook an error is only a warning."""
        if not self.explicit and diagnostic.severity is Severity.ERROR:
            diagnostic = dataclasses.replace(diagnostic, severity=Severity.WARNING)
        self.add(diagnostic)

    def mean(self, span: Span, what: str, detail: str) -> None:
        """Note what one piece of the runbook was understood as."""
        self._meanings.append(Meaning(span, what, " ".join(detail.split())))

    def nearest(self, word: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
        """Return the name that the author most likely meant, or None."""
        if self._suggested >= _MOST_SUGGESTIONS or len(word) > 80:
            return None
        self._suggested += 1
        by_lower = {name.casefold(): name for name in list(names)[:_MOST_CANDIDATES]}
        close = get_close_matches(word.casefold(), list(by_lower), n=1, cutoff=cutoff)
        return by_lower[close[0]] if close else None

    def did_you_mean(self, word: str, names: Iterable[str], otherwise: str = "") -> str:
        """Return a hint: the nearest of the names, else all of them if few, else `otherwise`."""
        known = list(names)
        near = self.nearest(word, known)
        if near is not None:
            return f"did you mean `{near}`?"
        if otherwise:
            return otherwise
        if not known:
            return ""
        shown = ", ".join(f"`{name}`" for name in known[:12])
        return f"known: {shown}" + (" …" if len(known) > 12 else "")
