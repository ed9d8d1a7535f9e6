"""A mistyped first line of a YAML block is told; YAML that is documentation stays so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runbook.conftest import Reader

from gonogo import catalog
from gonogo.errors import Severity
from gonogo.runbook.typos import nearly_typed

KINDS = catalog.load().names()
PAGE = """\
---
gonogo: 1
service: web
targets:
  db: ${DATABASE_URL}
---
# Web

## Smoke tests

- [ ] The port answers

  ```yaml
%s
  ```

- [ ] The home page answers

  ```bash
  true
  ```
"""
SLIPS = {
    "chekc: tcp\nport: 1": "check: tcp",
    "chck: tcp": "check: tcp",
    "checks: tcp": "check: tcp",
    "Check: tcp": "check: tcp",
    "check = tcp": "check: tcp",
    '"check": tcp': "check: tcp",
    " check: tcp\n port: 1": "check: tcp",
    "chekc: tpc": "check: tcp",
    "# the port\nchekc: tcp": "check: tcp",
    "port: 1\ncheck: tcp": "check: tcp",
    "actoin: backup  # first\non: db": "action: backup",
    "acton: migrate": "action: migrate",
    "porbe: http": "probe: http",
    "laod: http": "load: http",
    "checkk: restore": "check: restore",
}
DOCUMENTATION = {
    "compose": "services:\n  web:\n    image: web\n    healthcheck:\n      test: curl -f localhost",
    "compose with a file": "version: '3'\nservices:\n  db: { image: postgres }",
    "kubernetes": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web",
    "kind first": "kind: Service\napiVersion: v1",
    "actions": "on: push\njobs:\n  check:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ls",
    "jobs": "check:\n  stage: test\n  script:\n    - make check",
    "another CI": "stages:\n  - check\nchecks:\n  - http",
    "ansible": "- name: copy it\n  action: file path=/srv state=directory",
    "nested": "checks:\n  web:\n    check: http",
    "prometheus": "scrape_configs:\n  - job_name: web",
    "helm": "load: 3\nreplicas: 2",
    "another word": "section: file\nname: x",
    "short words": "lead: file\nmind: run",
    "a sentence": "checks: http is not https",
}


@pytest.mark.parametrize(("body", "meant"), SLIPS.items(), ids=[*SLIPS])
def test_a_slip_in_the_first_line_is_an_error_with_what_was_meant(
    really_understood: Reader, body: str, meant: str
) -> None:
    text = PAGE % "\n".join(f"  {line}" for line in body.split("\n"))
    found = really_understood(text)
    assert found.plan is None
    (mistake,) = [d for d in found.diagnostics if d.code == "GN526"]
    assert mistake.severity is Severity.ERROR
    assert f"did you mean `{meant}`" in mistake.hint
    line = text.splitlines()[mistake.span.line - 1]
    assert line[mistake.span.column - 1 :].startswith(mistake.message.split("`")[1])
    assisted = really_understood(text.replace("gonogo: 1\n", "# \n"))
    (warned,) = [d for d in assisted.diagnostics if d.code == "GN526"]
    assert warned.severity is Severity.WARNING


@pytest.mark.parametrize("body", DOCUMENTATION.values(), ids=[*DOCUMENTATION])
def test_other_yaml_stays_documentation(really_understood: Reader, body: str) -> None:
    found = really_understood(PAGE % "\n".join(f"  {line}" for line in body.split("\n")))
    assert [d.code for d in found.diagnostics if d.code in ("GN526", "GN202")] == []


def test_what_is_only_read_is_not_looked_at(really_understood: Reader) -> None:
    text = PAGE.replace("## Smoke tests", "## Troubleshooting")
    found = really_understood(text % "  chekc: tcp" + "\n## Smoke tests\n\n```bash\ntrue\n```\n")
    assert "GN526" not in [d.code for d in found.diagnostics]


@given(st.text(max_size=200))
def test_any_text_is_read(body: str) -> None:
    found = nearly_typed(body, KINDS)
    assert found is None or body.split("\n")[found.row][found.start :].startswith(found.said)
