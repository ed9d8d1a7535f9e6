"""The list of kinds: complete, documented, quick to load, open to installed packages."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from gonogo import catalog
from gonogo.errors import UsageError
from gonogo.plan.kinds import Work
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.source import Source

PAGE = (Path(__file__).parents[2] / "docs" / "kinds.md").read_text(encoding="utf-8")


def _section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def _written(field: str) -> str:
    return field.rstrip("_").removesuffix("_s").replace("_", " ")


def test_every_kind_that_the_page_has_a_section_for_is_there() -> None:
    told = [part.partition("\n")[0] for part in PAGE.split("\n## ") if "\nWritten as: " in part]
    assert sorted(set(told) - {kind.kind for kind in catalog.ours()}) == []
    assert len(told) > 10


@pytest.mark.parametrize("kind", catalog.ours(), ids=lambda kind: kind.kind)
def test_the_page_says_what_the_kind_says(kind: type[Work]) -> None:
    section = _section(kind.kind)
    assert (inspect.getdoc(kind) or "no docstring") in section
    assert kind.example.rstrip() in section
    for language in kind.languages:
        assert f"`{language}`" in section
    for name, sentence in kind.indicators.items():
        assert f"| {name} | {sentence} |" in section
    assert dataclasses.is_dataclass(kind)
    options, _, indicators = section.partition("| indicator |")
    rows = [line for line in options.splitlines() if line.startswith("| ")]
    fields = [field for field in dataclasses.fields(kind) if field.name != "body"]
    for field in fields:
        (row,) = [r for r in rows if r.startswith(f"| {_written(field.name)} |")]
        assert row.endswith(f"| {field.metadata['help']} |")
    assert len(rows) == 1 + len(fields)
    assert indicators.count("\n| ") == len(kind.indicators)


def test_names_and_languages_belong_to_one_kind_each() -> None:
    names = [kind.kind for kind in catalog.ours()]
    assert len(set(names)) == len(names)
    languages = [language for kind in catalog.ours() for language in kind.languages]
    assert len(set(languages)) == len(languages)
    kinds = catalog.load()
    assert kinds.names()[: len(names)] == tuple(names)
    for kind in catalog.ours():
        assert kinds.kind(kind.kind) is kind


@pytest.mark.parametrize("entry", [*catalog.ENTRIES, *catalog.VARIANTS], ids=lambda e: e.place)
def test_the_list_says_what_the_kind_says(entry: catalog.Entry) -> None:
    kind = entry.kind()
    assert kind.kind == entry.name
    assert set(entry.languages.split()) <= set(kind.languages)
    for language in kind.languages:
        found = catalog.load().language(language)
        assert found is not None
        assert found is kind or issubclass(found, kind)


@pytest.mark.parametrize("word", ["", "yaml", "json", "text", "python", "mermaid"])
def test_documentation_languages_are_no_kind(word: str) -> None:
    assert catalog.load().language(word) is None


def test_loading_the_catalog_imports_nothing_heavy() -> None:
    code = (
        "import sys; from gonogo import catalog; k = catalog.load();"
        "assert not [m for m in sys.modules if m.startswith(('gonogo.probes', 'gonogo.actions'))];"
        "k.language('yaml'); k.kind('sql');"
        "print([m for m in ('pycurl', 'psycopg', 'redis', 'subprocess', 'importlib.metadata')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _install(folder: Path, module: str, entry: str) -> None:
    (folder / "foreign_kind.py").write_text(module)
    info = folder / "foreign-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[gonogo.kinds]\n{entry}\n")


GOOD = """
from gonogo.probes.tcp import Tcp
class Foreign(Tcp):
    __slots__ = ()
    kind = "foreign"
    languages = ("foreign-lang",)
"""


def test_an_installed_kind_is_found_by_name_and_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, GOOD, "foreign = foreign_kind:Foreign")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "foreign_kind", raising=False)
    kinds = catalog.load()
    kinds.kind("sql")
    kinds.language("yaml")
    assert "foreign_kind" not in sys.modules
    found = kinds.kind("foreign")
    assert found is not None
    assert found.kind == "foreign"
    assert kinds.language("Foreign-Lang") is found
    assert "foreign" in kinds.names()


@pytest.mark.parametrize(
    ("module", "words"),
    [("raise RuntimeError('broken')", "cannot be loaded"), ("Foreign = object()", "lacks `kind`")],
)
def test_an_installed_kind_that_cannot_be_used_is_told(
    module: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, module, "foreign = foreign_kind:Foreign")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "foreign_kind", raising=False)
    with pytest.raises(UsageError, match=words):
        catalog.load().kind("foreign")


FRONT = """---
gonogo: 1
service: search
targets:
  app: ${APP_URL}
  db: ${DATABASE_URL}
  cache: ${CACHE_URL}
---

# Search: release

## Pre-deployment

- [ ] A step

"""


@pytest.mark.parametrize("kind", catalog.ours(), ids=lambda kind: kind.kind)
def test_the_example_is_accepted_in_an_explicit_runbook(kind: type[Work]) -> None:
    lines = [f"  {line}" if line else "" for line in kind.example.splitlines()]
    plan = assemble(read(Source("example.md", FRONT + "\n".join(lines) + "\n")), catalog.load())
    (step,) = plan.steps()
    assert step.block is not None
    assert step.block.kind == kind.kind
    assert step.expect
    assert plan.diagnostics == ()
