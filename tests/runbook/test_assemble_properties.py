"""Laws of the hop from outline to plan: no crash, identity without position, values not bytes."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runbook.scripted import ScriptedCatalog

from gonogo.plan.model import Plan
from gonogo.runbook.assemble import Understanding, understand
from gonogo.runbook.canonical import digest, plan_json
from gonogo.runbook.markdown import read
from gonogo.source import Source

_HEADINGS = (
    "Deployment", "Pre-deployment", "Smoke tests", "Monitoring", "Rollback", "Sign-off", "Notes",
    "Step 1: Apply", "2.1 Check", "Rollback triggers", "Alerts", "Targets", "Whatever", "⚠️ Release",
)  # fmt: skip
_LINES = (
    "- [ ] Do it", "- [x] Done", "1. First", "2) Second", "✅ Green", "- Expect: status = 403",
    "- Needs: Do it", "- Needs: Nobody", "- Retry: 3 times every 10s", "- Phase: watch",
    "- Error rate > 1% for 2 buckets", "- > 95 %", "> 95 %", "Expect: a = 1 Retry: 2 times",
    "**Warn**: P95 > 600ms", "**Do this:**", "```bash", "```", "```sql", "--| on: db", "#| cwd: x",
    "| Metric | Target |", "| --- | --- |", "| Latency | < 5ms |", "# | Item | Status |",
    "<!-- - [ ] hidden -->", "  - Undo: `x`", "   ```http", "text", "", "- Undo:", "tail -f x",
    "- Kind: check", "- Name: same", "DROP TABLE x", "Expected: 200", "{{app}} ${NAME}", "\t- deep",
)  # fmt: skip
_FRONT = st.sampled_from(
    [
        "",
        "---\ngonogo: 1\n---\n",
        "---\ngonogo: 1\ntargets: {db: x}\nmetrics: {error rate: {a: 1}}\n---\n",
        "---\ntitle: x\n---\n",
        "---\ngonogo: [\n---\n",
        "---\ngonogo: 1\nenv: {A: [1]}\n---\n",
    ]
)


def _understand(text: str) -> Understanding:
    return understand(read(Source("any.md", text)), ScriptedCatalog())


@st.composite
def _documents(draw: st.DrawFn) -> str:
    lines = draw(
        st.lists(
            st.one_of(
                st.sampled_from(_LINES),
                st.builds(
                    lambda level, words: f"\n{'#' * level} {words}\n",
                    st.integers(1, 4),
                    st.sampled_from(_HEADINGS),
                ),
                st.text(max_size=12),
            ),
            max_size=25,
        )
    )
    return draw(_FRONT) + "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(_documents())
def test_any_markdown_gives_a_plan_or_diagnostics_and_nothing_else(text: str) -> None:
    found = _understand(text)
    lines = len(Source("any.md", text).lines)
    assert found.plan is not None or found.diagnostics
    for place in [d.span for d in found.diagnostics] + [m.span for m in found.meanings]:
        assert 1 <= place.line <= place.end_line <= lines + 1
        assert place.column >= 1


@settings(max_examples=300, deadline=None)
@given(_documents())
def test_identities_are_unique(text: str) -> None:
    plan = _understand(text).plan
    if plan is not None:
        ids = [step.id for step in plan.every_step()]
        assert len(ids) == len(set(ids))
        rules = [rule.id for rule in plan.rules]
        assert len(rules) == len(set(rules))
        assert len({phase.id for phase in plan.phases}) == len(plan.phases)


@settings(max_examples=100, deadline=None)
@given(_documents())
def test_a_plan_is_json_and_its_digest_is_stable(text: str) -> None:
    plan = _understand(text).plan
    if plan is not None:
        assert digest(plan) == digest(_plan(text))
        assert plan_json(plan)["mode"] in {"explicit", "assisted"}


_TITLES = st.lists(
    st.from_regex(r"[A-Z][a-z]{3,9}( [a-z]{3,9}){0,3}", fullmatch=True),
    min_size=2,
    max_size=8,
    unique_by=str.lower,
)


def _plan(text: str) -> Plan:
    plan = _understand(text).plan
    assert plan is not None, [d.message for d in _understand(text).diagnostics]
    return plan


def _ids(plan: Plan) -> dict[str, str]:
    return {step.title: step.id for step in plan.every_step()}


def _runbook(titles: list[str]) -> str:
    boxes = "".join(f"- [ ] {title}\n" for title in titles)
    return f"---\ngonogo: 1\n---\n\n# A\n\n## Deployment\n\n{boxes}"


@given(_TITLES, st.randoms(use_true_random=False))
def test_reordering_steps_keeps_their_identities(titles: list[str], chance: object) -> None:
    shuffled = list(titles)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _ids(_plan(_runbook(titles))) == _ids(_plan(_runbook(shuffled)))


@given(_TITLES, st.integers(0, 8))
def test_a_step_put_in_between_changes_no_other_identity(titles: list[str], at: int) -> None:
    before = _ids(_plan(_runbook(titles)))
    more = [*titles[:at], "Something 42 else", *titles[at:]]
    after = _ids(_plan(_runbook(more)))
    assert {title: after[title] for title in before} == before


_EXAMPLE = """\
---
gonogo: 1
targets: {app: "${APP_URL}"}
metrics:
  error rate: {log: access.jsonl, ratio: "status >= 500"}
---
# Release
## Deployment
1. Apply it
   ```bash
   ./apply
   ```
   - Timeout: 5m
   - Undo: `./undo`
2. Look at *it*
   - Owner: ana
## Monitoring
| Metric | Target |
|---|---|
| Error rate | < 1% |
## Smoke tests
- [ ] It answers
  ```http
  GET {{app}}/
  ```
  - Expect: status = 200
"""


def _stars(text: str) -> str:
    return re.sub(r"(?m)^(\s*)- ", r"\1* ", text)


def _renumbered(text: str) -> str:
    return text.replace("2. Look", "1. Look")


def _aligned(text: str) -> str:
    table = "| Metric     | Target |\n| :--------- | -----: |\n| Error rate |   < 1% |"
    return text.replace("| Metric | Target |\n|---|---|\n| Error rate | < 1% |", table)


def _spaced(text: str) -> str:
    text = text.replace("## ", "\n## ").replace("   ```bash", "\n   ```bash")
    return text.replace("   - Timeout", "\n   - Timeout").replace("  ```http", "\n  ```http")


def _blanks_at_line_ends(text: str) -> str:
    return text.replace("./apply\n", "./apply  \n")


def _emphasised(text: str) -> str:
    return text.replace("*it*", "_it_")


def _block_style(text: str) -> str:
    flow = '  error rate: {log: access.jsonl, ratio: "status >= 500"}\n'
    block = "  error rate:\n    ratio: 'status >= 500'\n    log: access.jsonl\n"
    assert flow in text
    return text.replace(flow, block)


_FORMATTERS = (
    _stars,
    _renumbered,
    _aligned,
    _spaced,
    _emphasised,
    _block_style,
    _blanks_at_line_ends,
)


@given(st.lists(st.sampled_from(_FORMATTERS), unique=True))
def test_formatting_does_not_change_the_digest(formatters: list[object]) -> None:
    text = _EXAMPLE
    for formatter in formatters:
        text = formatter(text)  # type: ignore[operator]
    assert digest(_plan(text)) == digest(_plan(_EXAMPLE))


def test_another_value_does_change_the_digest() -> None:
    assert digest(_plan(_EXAMPLE.replace("5m", "6m"))) != digest(_plan(_EXAMPLE))
    assert digest(_plan(_EXAMPLE.replace("< 1%", "<= 1%"))) != digest(_plan(_EXAMPLE))
    assert digest(_plan(_EXAMPLE.replace("./apply", "./apply -x"))) != digest(_plan(_EXAMPLE))
