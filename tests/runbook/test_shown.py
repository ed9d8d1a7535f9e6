"""A bound in a block that is only shown is said, once for the block; other text is left alone."""

from __future__ import annotations

import pytest
from tests.runbook.conftest import Reader

from gonogo.errors import Diagnostic, Severity

PAGE = """\
---
gonogo: 1
service: web
---
# Web

## %s

- [ ] The port answers

  ```bash
  true
  ```

- [ ] It is written down

%s
"""
BOUNDS = {
    "list": ("markdown", "Rollback if:\n- Error rate > 5%\n- It is broken", "Error rate > 5%"),
    "boxes": ("text", "- [ ] P95 latency < 500ms", "P95 latency < 500ms"),
    "numbered": ("text", "1. queue depth > 1000 for 5 minutes", "queue depth > 1000 for 5 minutes"),
    "comment": ("", "# error rate above 2 %", "error rate above 2 %"),
    "yaml": ("yaml", "- name: high\n  condition: error_rate > 1%", "error_rate > 1%"),
    "quoted": ("yaml", 'rules:\n  - when: "P99 > 2s"', "P99 > 2s"),
    "json": ("json", '{\n  "condition": "memory > 90%",\n  "for": "5m"\n}', "memory > 90%"),
    "yaml list": ("yaml", "- Queue lag > 25s\n- Database down", "Queue lag > 25s"),
    "yaml remark": ("yaml", "a: 1  # x\n# error rate stays < 2%", "error rate stays < 2%"),
    "promql": ("promql", "sum(rate(a[5m]))\n# must be < 1.5", "must be < 1.5"),
    "k6": ("javascript", "  http_req_duration: ['p(95)<500'],", "p(95)<500"),
    "k6 in ts": ("ts", "  http_req_failed: ['rate<0.1', 'x'],", "rate<0.1"),
}
NONE = {
    "output": ("text", "P95: 450ms\nerrors: 3"),
    "code": ("typescript", "if (retries > 3 && share < 0.5) { throw new Error('p95 < 5') }"),
    "versions": ("yaml", 'python: ">=3.11"\nimage: "web>2"'),
    "workflow": ("yaml", "on: push\njobs:\n  a:\n    if: github.ref == 'refs/heads/main'"),
    "manifest": ("yaml", "kind: Deployment\nspec:\n  replicas: 3"),
    "arrow": ("text", "client -> proxy -> web"),
    "prompt": ("text", "> 3 rows"),
    "diff": ("text", "<<<<<<< HEAD\n>>>>>>> branch"),
    "step": ("text", "Deploy to 5 % of the users"),
}


def fenced(language: str, body: str) -> str:
    return "\n".join(f"  {line}" for line in [f"```{language}", *body.split("\n"), "```"])


def told(understood: Reader, phase: str, language: str, body: str) -> list[Diagnostic]:
    found = understood(PAGE % (phase, fenced(language, body)))
    return [one for one in found.diagnostics if one.code == "GN527"]


@pytest.mark.parametrize(("language", "body", "bound"), BOUNDS.values(), ids=[*BOUNDS])
def test_a_bound_in_a_shown_block_is_told_at_its_place(
    really_understood: Reader, language: str, body: str, bound: str
) -> None:
    text = PAGE % ("Deploy", fenced(language, body))
    (one,) = told(really_understood, "Deploy", language, body)
    assert one.severity is Severity.WARNING
    assert one.message == f"the bound `{bound}` stands in a block that is only shown"
    line = text.splitlines()[one.span.line - 1]
    assert line[one.span.column - 1 : one.span.end_column - 1] == bound


def test_one_warning_counts_all_bounds_of_a_block(really_understood: Reader) -> None:
    body = "- error rate > 5%\n- P95 latency > 3s\n- cache hit rate < 80%"
    (one,) = told(really_understood, "Deploy", "text", body)
    assert one.message.startswith("the bound `error rate > 5%` and 2 more stand in a block")


@pytest.mark.parametrize(("language", "body"), NONE.values(), ids=[*NONE])
def test_other_text_in_a_block_is_left_alone(
    really_understood: Reader, language: str, body: str
) -> None:
    assert told(really_understood, "Deploy", language, body) == []


def test_a_reference_section_is_never_looked_at(really_understood: Reader) -> None:
    assert told(really_understood, "Troubleshooting", "text", "error rate > 5%") == []
