"""What a run is bound to besides its text: the values of its variables and its targets.

Values that hold no secret are journaled with the run, so that it can be resumed from another shell;
of a secret only a salted fingerprint is kept, enough to see that it is still the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gonogo.errors import Diagnostic, RunbookError, Severity
from gonogo.plan.model import Plan
from gonogo.plan.receivers import secret_parts
from gonogo.redaction import Redactor, is_secret
from gonogo.source import Span

_REFERENCE = re.compile(
    r"\$\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)\}|\$(?P<bare>[A-Za-z_][A-Za-z0-9_]*)"
)
RELEASE = "RELEASE"
ENVIRONMENT = "ENVIRONMENT"


@dataclass(frozen=True, slots=True)
class Bindings:
    """The values that a run works with."""

    values: Mapping[str, str]  # each name that the plan asks for
    targets: Mapping[str, str]
    variables: Mapping[str, str]  # the whole environment of child processes
    redact: Redactor
    hidden: frozenset[str] = frozenset()  # names that are secrets whatever they look like

    def journaled(self, salt: str) -> dict[str, object]:
        """Return what of the bindings goes into the journal."""
        return {
            name: {"secret": True, "fingerprint": fingerprint(value, salt)}
            if name in self.hidden or is_secret(name, value)
            else {"secret": False, "value": value}
            for name, value in sorted(self.values.items())
        }


def fingerprint(value: str, salt: str) -> str:
    """Return a digest that tells whether a secret is the same, and not what it is."""
    return hashlib.scrypt(value.encode(), salt=salt.encode(), n=2**12, r=8, p=1, dklen=12).hex()


def bind(
    plan: Plan,
    ambient: Mapping[str, str],
    *,
    environment: str | None = None,
    release: str | None = None,
) -> Bindings:
    """Find a value for every name that the plan asks for.

    The release and the environment's name come first, then the runbook's `environments:` entry,
    then `ambient` (the process environment), then the runbook's own defaults.

    Raises:
        RunbookError: with one diagnostic for each name that has no value, all at once.
    """
    given = {RELEASE: release, ENVIRONMENT: environment}
    first = {name: value for name, value in given.items() if value is not None}
    merged = {**plan.env, **ambient, **first}
    chosen = plan.environments.get(environment, {}) if environment is not None else {}
    lacking = {name: _lacking(text, merged) for name, text in chosen.items() if name not in first}
    merged |= {name: expand(text, merged) for name, text in chosen.items()} | first
    named_by = {v.name: lacking.get(v.name) or v.name for v in plan.variables}
    missing = [v for v in plan.variables if lacking.get(v.name) or not merged.get(v.name)]
    if missing:
        wrong = [_unbound(named_by[v.name], v.span, merged) for v in missing]
        raise RunbookError(plan.source, wrong)
    values = {v.name: merged[v.name] for v in plan.variables}
    targets = {target.name: expand(target.text, merged) for target in plan.targets}
    named = {f"TARGET_{name}": value for name, value in targets.items()}
    hidden = plan.receivers.hidden()
    keys = [part for name in hidden for part in secret_parts(merged.get(name, ""))]
    redact = Redactor.of_bindings({**merged, **named}, known=keys)
    return Bindings(values, targets, merged, redact, hidden)


def must_be_set(
    plan: Plan, *, environment: str | None = None, release: str | None = None
) -> tuple[str, ...]:
    """Return the names that only the process environment can give a value, in order of first use.

    What the release, the environment's entry or the runbook's own defaults give is left out; a
    name that the entry uses in its turn is asked for instead.
    """
    given = {RELEASE: release, ENVIRONMENT: environment}
    known = {**plan.env, **{name: value for name, value in given.items() if value is not None}}
    chosen = plan.environments.get(environment, {}) if environment is not None else {}
    needed: dict[str, None] = {}
    for variable in plan.variables:
        name = variable.name
        if name in chosen and given.get(name) is None:
            used = (match["braced"] for match in _REFERENCE.finditer(chosen[name]))
            needed.update((one, None) for one in used if one and not known.get(one))
        elif not known.get(name):
            needed[name] = None
    return tuple(needed)


def expand(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of `${NAME}` and `$NAME`; a name without a value stays as it is."""

    def put(match: re.Match[str]) -> str:
        return values.get(match["braced"] or match["bare"], match[0])

    return _REFERENCE.sub(put, text)


def _lacking(text: str, values: Mapping[str, str]) -> str:
    """Return the first `${NAME}` without a value that an environment's entry is made of.

    A bare `$word` may be part of a password, so only the form in braces is a claim.
    """
    names = (match["braced"] for match in _REFERENCE.finditer(text))
    return next((name for name in names if name and not values.get(name)), "")


def differences(
    journaled: Mapping[str, object], values: Mapping[str, str], salt: str
) -> tuple[str, ...]:
    """Return the names whose value is no longer the one that the run started with."""
    changed: list[str] = []
    for name, kept in journaled.items():
        assert isinstance(kept, Mapping)
        value = values.get(name, "")
        same = (
            kept.get("fingerprint") == fingerprint(value, salt)
            if kept.get("secret")
            else kept.get("value") == value
        )
        if not same:
            changed.append(name)
    return tuple(changed)


def _unbound(name: str, span: Span, known: Mapping[str, str]) -> Diagnostic:
    hint = f"export {name}=… before the run, or put it under `environments:` and use --env"
    if name == RELEASE:
        hint = "say which release with --release"
    close = [other for other in known if other.lower() == name.lower() and other != name]
    if close:
        hint = f"`{close[0]}` is set; is that the one?"
    return Diagnostic(
        "GN450",
        f"`{name}` has no value",
        span,
        label="used here",
        hint=hint,
        severity=Severity.ERROR,
        expected="a value in the environment of gonogo",
    )
