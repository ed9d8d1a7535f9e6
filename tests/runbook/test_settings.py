"""The front matter: typed values, and a message with a place for everything that is wrong."""

from __future__ import annotations

import pytest
from tests.runbook.conftest import Reader
from tests.runbook.scripted import ScriptedCatalog

from gonogo.errors import Severity
from gonogo.plan.model import Retry
from gonogo.runbook import settings
from gonogo.runbook.markdown import read
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.settings import Settings
from gonogo.source import Source

BODY = "## Deploy\n- [ ] x\n"


def _read(front: str) -> tuple[Settings, Notebook]:
    source = Source("x.md", f"---\n{front}\n---\n{BODY}")
    book = Notebook(source, ScriptedCatalog())
    return settings.read(read(source).front_matter, book), book


def test_everything_that_can_be_set() -> None:
    found, book = _read(
        "gonogo: 1\ntitle: Nightly\nservice: search\ntargets: {db: '${DB}'}\n"
        "metrics: {Error_Rate: {log: a, ratio: status >= 500, every: 1.50, on: true, n: 3, x: null}}\n"  # noqa: E501
        "environments: {prod: {A: b}, test: }\nenv: {LEVEL: info}\nrollback: ask\ncwd: app\n"
        "timezone: Europe/Berlin\ncontacts: [ana, ben]\nparallel: 8\n"
        "defaults: {timeout: 90s, window: 10m, minimum samples: 50, retry: 2 times}\n"
    )
    assert book.diagnostics == ()
    assert (found.title, found.service, found.automatic) == ("Nightly", "search", False)
    assert [(t.name, t.text) for t in found.targets] == [("db", "${DB}")]
    assert [m.name for m in found.metrics] == ["error rate"]
    assert str(found.metrics[0].fields["every"]) == "1.50"
    assert found.environments == {"prod": {"A": "b"}, "test": {}}
    assert found.env == {"LEVEL": "info"}
    assert (found.timeout_s, found.retry) == (90.0, Retry(2, 5.0))
    assert found.others == {
        "contacts": "ana, ben",
        "cwd": "app",
        "minimum samples": "50",
        "parallel": "8",
        "timezone": "Europe/Berlin",
        "window": "600",
    }


@pytest.mark.parametrize(
    ("front", "code", "line"),
    [
        pytest.param("gonogo: 1\n- a", "GN301", 3, id="no-yaml"),
        pytest.param("gonogo: 1\na: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: 1}}}}}}}}}}}}",
                     "GN301", 3, id="too-deep"),
        pytest.param('gonogo: 1\ntitle: "\\UFFFFFFFF"', "GN301", 2, id="an-odd-escape"),
        pytest.param('gonogo: 1\ntitle: "\\U00110000"', "GN301", 2, id="no-character"),
        pytest.param("gonogo: true", "GN305", 2, id="version-is-no-number"),
        pytest.param("gonogo: 1\nzone: x", "GN303", 3, id="unknown"),
        pytest.param("gonogo: 1\ntitle: []", "GN302", 3, id="title-is-a-list"),
        pytest.param("gonogo: 1\nparallel: many", "GN302", 3, id="parallel-is-no-number"),
        pytest.param("gonogo: 1\nparallel: 1000", "GN302", 3, id="parallel-too-large"),
        pytest.param("gonogo: 1\nrollback: never", "GN302", 3, id="rollback"),
        pytest.param("gonogo: 1\ntargets: x", "GN302", 3, id="targets-is-no-mapping"),
        pytest.param("gonogo: 1\ntargets:\n  a: [x]", "GN302", 4, id="target-is-a-list"),
        pytest.param("gonogo: 1\ntargets:\n  a: x\n  a: y", "GN302", 5, id="target-twice"),
        pytest.param("gonogo: 1\nmetrics:\n  a: x", "GN302", 4, id="metric-without-source"),
        pytest.param("gonogo: 1\nmetrics:\n  a b: {x: 1}\n  A_b: {x: 1}", "GN302", 5, id="metric-twice"),  # noqa: E501
        pytest.param("gonogo: 1\nenv:\n  a-b: x", "GN302", 4, id="no-name-of-a-variable"),
        pytest.param("gonogo: 1\nenv:\n  A: [x]", "GN302", 4, id="variable-is-a-list"),
        pytest.param("gonogo: 1\nenv:\n  API_TOKEN: abc", "GN306", 4, id="secret-by-name"),
        pytest.param("gonogo: 1\nenvironments:\n  p:\n    U: http://a:b@c/", "GN306", 5, id="in-url"),  # noqa: E501
        pytest.param("gonogo: 1\ndefaults:\n  timeout: soon", "GN302", 4, id="timeout"),
        pytest.param("gonogo: 1\ndefaults:\n  minimum samples: few", "GN302", 4, id="samples"),
        pytest.param("gonogo: 1\ndefaults:\n  retry: often", "GN302", 4, id="retry"),
        pytest.param("gonogo: 1\ndefaults:\n  timeuot: 1m", "GN303", 4, id="unknown-default"),
    ],
)  # fmt: skip
def test_mistakes_have_a_code_and_a_place(front: str, code: str, line: int) -> None:
    _, book = _read(front)
    assert [(d.code, d.span.line) for d in book.diagnostics if d.severity is Severity.ERROR][
        :1
    ] == [(code, line)]


def test_a_secret_by_reference_is_fine() -> None:
    found, book = _read("gonogo: 1\nenv: {API_TOKEN: '${VAULT}', DB: 'postgres://a:${PW}@h/d'}")
    assert book.diagnostics == ()
    assert found.env["API_TOKEN"] == "${VAULT}"


def test_front_matter_with_our_keys_but_without_gonogo_is_a_warning(understood: Reader) -> None:
    found = understood(f"---\nmetrics: {{a: 1}}\n---\n{BODY}")
    assert [(d.code, d.severity) for d in found.diagnostics] == [("GN304", Severity.WARNING)]


def test_front_matter_with_a_list_at_the_top_is_refused() -> None:
    _, book = _read("- gonogo: 1\n- x")
    assert book.explicit is False  # it names no setting at all, so it is somebody else's
