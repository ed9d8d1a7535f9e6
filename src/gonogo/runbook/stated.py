"""What the directives of a step state, typed: yes or no, durations, retries, who, after a crash."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gonogo.plan.kinds import Role
from gonogo.plan.model import Interrupted, Retry
from gonogo.runbook import durations
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.drafts import Draft
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.values import parse_retry, parse_yes

_FEWEST_WORDS = 3  # of a remark: fewer may be a misspelt yes or no
_APPROVAL = re.compile(
    r"^(?:approved|signed[\s-]off|sign[\s-]off|approval) by\b\s*:?\s*(.{1,80})$", re.IGNORECASE
)


def yes(remarks: Sequence[Remark], name: Name, book: Notebook) -> bool:
    """Return what the last directive of a name answers; no when there is none."""
    answer = False
    for remark in of_name(remarks, name):
        said = parse_yes(remark.text)
        if said is None and is_remark(remark, book):
            continue
        if said is None:
            book.strict(
                "GN315",
                f"`{name.value}` is `{remark.text}`, expected `yes` or `no`",
                remark.value.place(),
            )
        answer = bool(said)
    return answer


def is_remark(remark: Remark, book: Notebook) -> bool:
    """Tell `Critical: look at the schema first` of a team's own runbook from `Critical: yes`."""
    said = remark.name is Name.CRITICAL and parse_yes(remark.text) is None
    return said and not book.explicit and len(remark.text.split()) >= _FEWEST_WORDS


def duration(remarks: Sequence[Remark], name: Name, book: Notebook) -> float | None:
    """Return the seconds that the last directive of a name states, or None."""
    found = None
    for remark in of_name(remarks, name):
        found = durations.seconds(remark.text)
        if found is None or found <= 0:
            book.strict(
                "GN315",
                f"`{name.value}` is `{remark.text}`, expected a duration",
                remark.value.place(),
                hint="write for example `30s`, `5m` or `2 hours`",
            )
            found = None
    return found


def retry(remarks: Sequence[Remark], default: Retry | None, book: Notebook) -> Retry | None:
    """Return how often a step is tried, `default` when it does not say so itself."""
    found = default
    for remark in of_name(remarks, Name.RETRY):
        found = parse_retry(remark.text)
        if found is None:
            book.strict(
                "GN315",
                f"`Retry` is `{remark.text}`, which says neither how often nor how long",
                remark.value.place(),
                hint="write `3 times every 10s` or `for 2 minutes every 5s`",
            )
    return found


def estimate(draft: Draft, remarks: Sequence[Remark], book: Notebook) -> float | None:
    """Return the seconds that a step should take, from its directive or its title."""
    for remark in of_name(remarks, Name.ESTIMATE):
        found = durations.seconds(remark.text)
        if found is not None:
            return found
        book.note(
            "GN319", f"`{remark.text}` is no duration; it is only shown", remark.value.place()
        )
    return None if draft.role is Role.WATCH else durations.stated_in(draft.title)


def interrupted(remarks: Sequence[Remark], book: Notebook) -> Interrupted:
    """Return what happens to a step after a crash in its middle; a person is asked by default."""
    found = Interrupted.RERUN if yes(remarks, Name.IDEMPOTENT, book) else Interrupted.ASK
    for remark in of_name(remarks, Name.INTERRUPTED):
        said = remark.text.strip().strip("`.").casefold()
        if said in ("rerun", "run again", "retry", "repeat"):
            found = Interrupted.RERUN
        elif said in ("ask", "stop"):
            found = Interrupted.ASK
        else:
            book.strict(
                "GN315",
                f"`If interrupted` is `{remark.text}`, expected `ask` or `rerun`",
                remark.value.place(),
            )
    return found


def owner(draft: Draft, remarks: Sequence[Remark]) -> str | None:
    """Return who does or answers a step: its directive, its own words, or `Approved by …`."""
    for remark in of_name(remarks, Name.OWNER):
        if remark.text.strip():
            return remark.text.strip()
    approval = _APPROVAL.match(draft.title)
    return draft.owner or (approval[1].strip() if approval else None)
