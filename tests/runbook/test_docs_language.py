"""The pages about the language and the diagnostics tell the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gonogo import catalog
from gonogo.codes import CODES
from gonogo.errors import Severity
from gonogo.plan.kinds import Role
from gonogo.runbook.assemble import understand
from gonogo.runbook.directives import DIRECTIVES, Name, name_of
from gonogo.runbook.markdown import read
from gonogo.runbook.roles import guess
from gonogo.runbook.settings import KEYS
from gonogo.source import Source

_DOCS = Path(__file__).parents[2] / "docs"
_LANGUAGE = (_DOCS / "language.md").read_text(encoding="utf-8")
_ERRORS = (_DOCS / "errors.md").read_text(encoding="utf-8")
_EXAMPLES = re.findall(r"^````markdown runbook\n(.*?)^````$", _LANGUAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", _EXAMPLES, ids=lambda text: f"{len(text)}-characters")
def test_every_example_of_the_page_is_understood(text: str) -> None:
    found = understand(read(Source("language.md", text)), catalog.load())
    assert found.plan is not None, [d.message for d in found.diagnostics]
    assert not [d.message for d in found.diagnostics if d.severity is Severity.WARNING]


def test_the_page_has_its_examples() -> None:
    assert len(_EXAMPLES) >= 3


@pytest.mark.parametrize("name", list(Name), ids=lambda name: name.value)
def test_every_directive_is_on_the_page_and_has_an_example(name: Name) -> None:
    said = name.value if name is not Name.IDEMPOTENT else "Idempotent"
    assert f"{said}:" in _LANGUAGE
    _, example = DIRECTIVES[name]
    assert name_of(example.removeprefix("- ").partition(":")[0]) is name


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_on_the_page(key: str) -> None:
    assert f"`{key}" in _LANGUAGE


_PHASES = _LANGUAGE.partition("## Phases")[2].partition("\n## ")[0]
_ROLES = re.findall(r"^\| `([a-z-]+)` \| (.+?) \|$", _PHASES, re.MULTILINE)


@pytest.mark.parametrize(("role", "words"), _ROLES, ids=[role for role, _ in _ROLES])
def test_the_words_of_headings_mean_the_phase_of_their_row(role: str, words: str) -> None:
    for word in words.split(", "):
        assert guess(word).role is Role(role), word


def test_every_phase_has_a_row() -> None:
    assert {role for role, _ in _ROLES} == {role.value for role in Role}


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_paragraph(code: str) -> None:
    found = re.search(rf"^### {code}\n\n(.+)$", _ERRORS, re.MULTILINE)
    assert found is not None, f"docs/errors.md lacks {code}"
    assert len(found[1]) > len(CODES[code]) + 20, f"{code} says no more than its title"


def test_the_page_of_diagnostics_has_no_code_that_does_not_exist() -> None:
    assert set(re.findall(r"^### (GN\d+)$", _ERRORS, re.MULTILINE)) <= set(CODES)


def test_every_code_used_in_the_runbook_hop_is_declared() -> None:
    folder = Path(__file__).parents[2] / "src" / "gonogo" / "runbook"
    used = {
        code
        for path in folder.glob("*.py")
        for code in re.findall(r"\"(GN\d{3})\"", path.read_text(encoding="utf-8"))
    }
    assert used <= set(CODES)
