"""The rollback section: what a way loses, when it is open, how long going back may take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gonogo.errors import Severity
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Option, Plan
from gonogo.runbook import returning
from gonogo.runbook.assemble import Understanding
from gonogo.source import Span

Reader = Callable[[str], Understanding]
PAGE = """---
gonogo: 1
metrics:
  errors: {{ log: a.jsonl, ratio: "status >= 500" }}
{front}---
# Search

## Deployment

1. Apply the migration

   ```bash
   ./migrate up
   ```

## Watch for 1 hour in 5-minute buckets

### Objectives

- errors < 1%
{objective}
## Rollback

{section}
### Option 1: previous release (about 2 minutes)

{first}
```bash
./back
```

### Option 2: restore the backup (about 20 minutes)

1. Restore

   ```bash
   ./restore
   ```
{second}
"""


def page(**more: str) -> str:
    names = ("front", "objective", "section", "first", "second")
    return PAGE.format(**{name: more.get(name, "") for name in names})


def plan_of(found: Understanding) -> Plan:
    assert found.plan is not None, [d.message for d in found.diagnostics]
    return found.plan


def options(found: Understanding) -> tuple[Option, ...]:
    back = plan_of(found).rollback
    assert back is not None
    return back.options


def codes(found: Understanding, severity: Severity = Severity.ERROR) -> list[str]:
    return [d.code for d in found.diagnostics if d.severity is severity]


def test_without_a_word_one_green_bucket_ends_it(really_understood: Reader) -> None:
    found = really_understood(page())
    recovery = plan_of(found).recovery
    assert (recovery.green, recovery.within_s, recovery.limits) == (1, None, ())
    assert any("1 bucket (default)" in m.detail for m in found.meanings)


@pytest.mark.parametrize(
    ("said", "green", "within"),
    [
        ({"front": "recovery: { green: 3 buckets, within: 30m }\n"}, 3, 1800.0),
        ({"front": "recovery: { green: 2 }\n"}, 2, None),
        ({"section": "- Green: 3 buckets\n"}, 3, None),
        ({"front": "recovery: { green: 2 }\n", "section": "- Green: 4\n"}, 4, None),
    ],
)
def test_how_many_is_said_in_the_front_matter_or_the_section(
    really_understood: Reader, said: dict[str, str], green: int, within: float | None
) -> None:
    recovery = plan_of(really_understood(page(**said))).recovery
    assert (recovery.green, recovery.within_s) == (green, within)


@pytest.mark.parametrize(
    ("said", "seconds", "strict"),
    [
        ({"section": "- RTO: 15 minutes\n"}, 900.0, False),
        ({"section": "- Recovery within: 15m\n"}, 900.0, False),
        ({"section": "**Recovery time**: < 15 minutes\n"}, 900.0, True),
        ({"front": "recovery: { rto: 1h }\n"}, 3600.0, False),
        ({"objective": "- RTO < 15 minutes\n"}, 900.0, True),
        ({"objective": "- Recovery time: < 15 minutes\n"}, 900.0, True),
        ({"objective": "- Recovery time <= 15 minutes\n"}, 900.0, False),
    ],
)
def test_a_bound_on_the_time_is_read_wherever_it_stands(
    really_understood: Reader, said: dict[str, str], seconds: float, strict: bool
) -> None:
    plan = plan_of(really_understood(page(**said)))
    assert [(one.seconds, one.strict) for one in plan.recovery.limits] == [(seconds, strict)]
    assert len(plan.rules) == 1, "a bound on the way back is no rule of the watch"


def test_about_is_a_stated_time_and_no_bound(really_understood: Reader) -> None:
    plan = plan_of(really_understood(page(section="- Recovery time: about 10 minutes\n")))
    assert plan.recovery.limits == ()
    assert plan.rollback is not None
    assert plan.rollback.stated_s == 600


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"front": "recovery: { green: many }\n"}, "GN411"),
        ({"front": "recovery: { green: 0 }\n"}, "GN411"),
        ({"front": "recovery: often\n"}, "GN411"),
        ({"front": "recovery: { grene: 3 }\n"}, "GN303"),
        ({"front": "recovery: { within: soon }\n"}, "GN412"),
        ({"section": "- RTO: as fast as we can\n"}, "GN412"),
        ({"section": "- Green: all\n"}, "GN411"),
        ({"front": "recovery: { green: 3, within: 10m }\n"}, "GN413"),
        ({"objective": "- Loses: nothing\n"}, "GN410"),
        ({"section": "- Loses: everything\n"}, "GN410"),
        ({"first": "- Only if:\n"}, "GN321"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(
    really_understood: Reader, said: dict[str, str], code: str
) -> None:
    assert code in codes(really_understood(page(**said)))


def test_a_stated_time_above_the_bound_is_a_warning(really_understood: Reader) -> None:
    found = really_understood(page(section="- RTO: 15 minutes\n"))
    told = [d for d in found.diagnostics if d.code == "GN414"]
    assert [d.severity for d in told] == [Severity.WARNING]
    assert "`restore the backup (about 20 minutes)` takes 20 min" in told[0].message


def test_what_is_lost_stands_under_the_heading_or_behind_the_steps(
    really_understood: Reader,
) -> None:
    said = page(first="- Loses: the cache.\n", second="   - Loses: all orders since the backup\n")
    assert [one.loss for one in options(really_understood(said))] == [
        "the cache",
        "all orders since the backup",
    ]


def test_without_a_line_what_the_statements_destroy_is_lost(really_understood: Reader) -> None:
    text = page().replace("./back", "dropdb shop")
    found = really_understood(text.replace("gonogo: 1\n", ""))
    assert [one.loss for one in options(found)] == ["what is in shop", ""]


def test_a_command_is_looked_at(really_understood: Reader) -> None:
    first, _ = options(really_understood(page(first="- Only if: `test -e .migrated`\n")))
    (step,) = first.conditions
    assert step.effect is Effect.CHECK
    assert [one.condition.say() for one in step.expect] == ["exit code = 0"]
    assert first.open_when == ("test -e .migrated",)


def test_a_block_with_an_expectation_is_looked_at(really_understood: Reader) -> None:
    said = '- Only if: it is there\n\n  ```bash\n  cat it\n  ```\n\n  - Expect: output = "x"\n\n'
    first, _ = options(really_understood(page(first=said)))
    (step,) = first.conditions
    assert step.title == "it is there"
    assert [one.condition.say() for one in step.expect] == ['output = "x"']


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("Apply the migration", True),
        ("`apply the migration` was begun".replace("`", ""), True),
        ("Apply the migration was not applied", False),
        ("not Apply the migration", False),
    ],
)
def test_a_step_of_the_release_is_looked_up_in_the_run(
    really_understood: Reader, text: str, begun: bool
) -> None:
    first, _ = options(really_understood(page(first=f"- Only if: {text}\n")))
    assert first.conditions == ()
    assert [(one.title, one.begun) for one in first.after] == [("Apply the migration", begun)]


def test_anything_else_is_asked_of_a_person_and_lint_says_so(really_understood: Reader) -> None:
    found = really_understood(page(first="- Only if: nobody has paid since.\n"))
    first, _ = options(found)
    (step,) = first.conditions
    assert (step.effect, step.title) == (Effect.MANUAL, "nobody has paid since?")
    assert "GN409" in codes(found, Severity.NOTE)


@pytest.mark.parametrize(
    ("text", "seconds", "strict"),
    [
        ("15m", 900.0, False),
        ("< 15 minutes", 900.0, True),
        ("<= 15 minutes", 900.0, False),
        ("at most 1 h", 3600.0, False),
        ("under 90 seconds", 90.0, True),
    ],
)
def test_the_forms_of_a_bound(text: str, seconds: float, strict: bool) -> None:
    limit = returning.read_limit(text, Span.of_line(1))
    assert limit is not None
    assert (limit.seconds, limit.strict) == (seconds, strict)


@pytest.mark.parametrize("text", ["", "about 15 minutes", "15", "soon", "0 s", "-5 m"])
def test_what_is_no_bound(text: str) -> None:
    assert returning.read_limit(text, Span.of_line(1)) is None


def test_a_bound_is_exact() -> None:
    strict = returning.read_limit("< 15 minutes", Span.of_line(1))
    loose = returning.read_limit("15 minutes", Span.of_line(1))
    assert strict is not None
    assert loose is not None
    assert strict.breached(900)
    assert not loose.breached(900)
    assert loose.breached(900.001)


LADDER = """---
gonogo: 1
---
# Search

## Deployment

1. Switch

   ```bash
   ./switch
   ```

## Rollback

### Option 1: previous release

1. Switch back

   ```bash
   ./back
   ```

### {title}

- [ ] The home page answers

  ```http
  GET {{{{app}}}}/
  ```
"""


def test_a_way_back_that_only_looks_is_warned_of(really_understood: Reader) -> None:
    found = really_understood(LADDER.format(title="When all is over"))
    [warned] = [d for d in found.diagnostics if d.code == "GN386"]
    assert (warned.severity, warned.span.line) == (Severity.WARNING, 24)
    assert "`### Verify`" in warned.hint


@pytest.mark.parametrize("title", ["Verify", "Afterwards", "After the way back"])
def test_checks_under_a_heading_of_proof_are_no_way_back(
    really_understood: Reader, title: str
) -> None:
    found = really_understood(LADDER.format(title=title))
    assert "GN386" not in {d.code for d in found.diagnostics}


def test_a_way_back_that_a_person_goes_is_one(really_understood: Reader) -> None:
    text = LADDER.format(title="Option 2: call the provider").split("  ```http")[0]
    assert "GN386" not in {d.code for d in really_understood(text).diagnostics}
