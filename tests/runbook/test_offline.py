"""`offline: yes`: what would fetch from outside is a mistake with its place."""

from __future__ import annotations

import pytest
from tests.runbook.conftest import Reader

from gonogo.plan.outside import outside_host

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


REQUEST = """---
gonogo: 1
offline: yes
targets:
  app: ${{APP_URL}}
---
# Search

## Smoke tests

- [ ] The page answers

  ```http
  # timeout: 5s
  GET {url}
  ```
"""


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://api.example.com/health", "the request to `api.example.com` goes outside"),
        ("http://8.8.8.8:8080/", "the request to `8.8.8.8` goes outside"),
        ("{{app}}/health", ""),
        ("${APP_URL}/health", ""),
        ("http://localhost:3000/health", ""),
        ("http://10.1.2.3/health", ""),
    ],
)
def test_a_request_to_a_host_outside_is_one_too(
    really_understood: Reader, url: str, message: str
) -> None:
    found = really_understood(REQUEST.format(url=url))
    said = [(d.span.line, d.message) for d in found.diagnostics if d.code == "GN551"]
    assert said == ([(15, message)] if message else [])


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://shop.example.com/x", "shop.example.com"),
        ("https://user:pw@shop.example.com:8443", "shop.example.com"),
        ("https://10.example.com", "10.example.com"),
        ("https://172.32.0.1", "172.32.0.1"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]"),
        ("https://172.16.0.1", None),
        ("https://127.0.0.1:9/", None),
        ("https://[::1]/", None),
        ("https://[fd00::1]:80/", None),
        ("http://app:3000/health", None),
        ("http://app", None),
        ("https://App.Internal./", None),
        ("https://printer.local", None),
        ("https://${HOST}.example.com", None),
        ("/health", None),
    ],
)
def test_which_written_addresses_lie_outside(address: str, host: str | None) -> None:
    assert outside_host(address) == host
