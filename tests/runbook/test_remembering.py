"""Values that steps keep for later conditions: what is understood, and what is a mistake."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gonogo.errors import Severity
from gonogo.plan.model import Kept
from gonogo.runbook.assemble import Understanding

Reader = Callable[[str], Understanding]
PAGE = """---
gonogo: 1
metrics:
  errors: {{ log: a.jsonl, ratio: "status >= 500" }}
---
# Search

## Pre-deployment

- [ ] The release that is live

  ```bash
  cat live
  ```

  - Expect: output exists
  - Record: {record}

## Deployment

1. Switch

   ```bash
   ./switch
   ```

   - Expect: {expect}

## Watch for 1 hour

- errors > {rule}

## Rollback

### Option 1

```bash
./back
```

### Check that the old version is back

- [ ] It is the release from before

  ```bash
  cat live
  ```

  - Expect: output = recorded previous release
"""


def page(
    record: str = "output as previous release",
    expect: str = "exit code = 0",
    rule: str = "1%",
) -> str:
    return PAGE.format(record=record, expect=expect, rule=rule)


def errors(found: Understanding) -> list[tuple[str, str]]:
    return [(d.code, d.hint) for d in found.diagnostics if d.severity is Severity.ERROR]


def test_a_value_is_kept_under_a_name(really_understood: Reader) -> None:
    found = really_understood(page("output as `Previous  Release`, duration"))
    assert found.plan is not None, found.diagnostics
    step = found.plan.phases[0].steps[0]
    assert step.keeps == (Kept("output", "previous release"),)
    assert step.records == ("duration",)


def test_an_unknown_value_has_the_nearest_name(really_understood: Reader) -> None:
    found = really_understood(page("output as previous releese"))
    ((code, hint),) = errors(found)
    assert code == "GN406"
    assert "did you mean `previous releese`?" in hint


def test_a_value_that_is_kept_later_is_not_known_yet(really_understood: Reader) -> None:
    text = page(expect="output = recorded new release") + (
        "\n## Sign-off\n\n- [ ] The new one\n\n  ```bash\n  cat live\n  ```\n\n"
        "  - Expect: output exists\n  - Record: output as new release\n"
    )
    assert [code for code, _ in errors(really_understood(text))] == ["GN406"]


def test_two_values_of_one_name_are_a_mistake_where_they_are_asked_for(
    really_understood: Reader,
) -> None:
    text = page().replace(
        "   - Expect: exit code = 0",
        "   - Expect: exit code = 0\n   - Record: output as previous release",
    )
    assert [code for code, _ in errors(really_understood(text))] == ["GN407"]


def test_a_rule_of_the_watch_is_not_compared_with_it(really_understood: Reader) -> None:
    found = really_understood(page(rule="recorded previous release"))
    assert "GN408" in [code for code, _ in errors(found)]


@pytest.mark.parametrize("way", ["Unless: `cat live`"])
def test_a_condition_under_unless_asks_too(really_understood: Reader, way: str) -> None:
    text = page().replace(
        "   - Expect: exit code = 0", f"   - {way}\n     - Expect: output = recorded nothing"
    )
    assert [code for code, _ in errors(really_understood(text))] == ["GN406"]
