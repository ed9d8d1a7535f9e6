"""`offline: yes`: what would fetch from outside is a mistake with its place."""

from __future__ import annotations

from tests.runbook.conftest import Reader

PAGE = """---
gonogo: 1
offline: {offline}
---
# Search

## Deployment

1. Get the code

   ```bash
   cd app
   git pull origin main
   ```

   - Undo:

     ```bash
     docker pull app:v1
     ```
"""


def test_a_site_without_a_way_out_names_its_sources(really_understood: Reader) -> None:
    found = really_understood(PAGE.format(offline="yes"))
    assert found.plan is None
    wrong = [(d.code, d.span.line, d.message) for d in found.diagnostics if d.code == "GN551"]
    assert wrong == [
        ("GN551", 13, "`git pull` fetches from outside"),
        ("GN551", 19, "`docker pull` fetches from outside"),
    ]


def test_any_other_site_may_fetch(really_understood: Reader) -> None:
    found = really_understood(PAGE.format(offline="no"))
    assert found.plan is not None
    assert [d for d in found.diagnostics if d.code == "GN551"] == []


def test_it_is_yes_or_no(really_understood: Reader) -> None:
    found = really_understood(PAGE.format(offline="perhaps"))
    assert [d.message for d in found.diagnostics if d.code == "GN302"] == [
        "`offline` is `perhaps`, expected `yes` or `no`"
    ]
