"""From findings to a verdict: the worst decides, and no evidence is never a go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """What is known about one step, best first."""

    PASS = "pass"  # noqa: S105 - looked, and it is as expected
    WAIVED = "waived"  # a named person accepts it, with a reason and an expiry
    UNKNOWN = "unknown"  # not enough to say: no data, not run, not answered
    ERROR = "error"  # could not look
    FAIL = "fail"  # looked, and it is bad


class Verdict(StrEnum):
    """What a gate says, best first."""

    GO = "go"
    HOLD = "hold"  # a person decides
    NO_GO = "no-go"


ORDER: tuple[Status, ...] = tuple(Status)
"""Statuses from best to worst; `worst` is the maximum in this order."""

_VERDICT: Mapping[Status, Verdict] = {
    Status.PASS: Verdict.GO,
    Status.WAIVED: Verdict.GO,
    Status.UNKNOWN: Verdict.HOLD,
    Status.ERROR: Verdict.HOLD,
    Status.FAIL: Verdict.NO_GO,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged step: what was expected, what was seen, where it is written, how long it took."""

    item: str  # step id
    title: str
    status: Status
    effect: str  # check, action, manual
    line: int
    expected: str = ""
    actual: str = ""
    why: str = ""
    started: str = ""  # ISO 8601 UTC; empty when it never began
    duration_s: float = 0.0
    planned_s: float | None = None
    attempts: int = 0
    by: str | None = None  # the person who answered or waived
    reason: str | None = None
    expires: str | None = None
    link: str | None = None  # evidence that a person gave
    text: str = ""  # redacted excerpt of output or body
    indicators: Mapping[str, object] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()  # one per expectation, the value inside
    critical: bool = False
    notes: tuple[str, ...] = ()  # re-attached, already done, ended by deadline …

    def as_json(self) -> dict[str, object]:
        """Return the form in which a finding is journaled; `from_json` reads it back."""
        data: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        data["status"] = self.status.value
        data["sentences"] = list(self.sentences)
        data["notes"] = list(self.notes)
        data["indicators"] = dict(self.indicators)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Finding:
        """Read what `as_json` wrote; unknown fields are an error."""
        fields = dict(data)
        fields["status"] = Status(str(fields["status"]))
        for name in ("sentences", "notes"):
            value = fields.get(name, ())
            fields[name] = tuple(value) if isinstance(value, list | tuple) else ()
        return cls(**fields)  # type: ignore[arg-type]


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst status; nothing at all is unknown."""
    return max(statuses, key=ORDER.index, default=Status.UNKNOWN)


def decide(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of a gate: the worst finding decides; no findings at all is hold."""
    return _VERDICT[worst(finding.status for finding in findings)]
