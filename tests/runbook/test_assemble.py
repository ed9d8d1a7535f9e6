"""What a whole runbook becomes: a plan in its mode, or all its mistakes with their places."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runbook.books import EXPLICIT, a_plan
from tests.runbook.conftest import Reader

from gonogo.errors import RunbookError, Severity
from gonogo.plan.kinds import Catalog
from gonogo.plan.model import Mode
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.source import Source


def test_gonogo_1_makes_a_runbook_explicit_and_nothing_else_does(understood: Reader) -> None:
    assert a_plan(understood, EXPLICIT + "## Deploy\n- [ ] x\n").mode is Mode.EXPLICIT
    assert a_plan(understood, "## Deploy\n- [ ] x\n").mode is Mode.ASSISTED
    assert a_plan(understood, "---\ntitle: x\n---\n## Deploy\n- [ ] x\n").mode is Mode.ASSISTED


def test_all_mistakes_are_raised_at_once_in_the_order_of_the_file(catalog: Catalog) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] a\n  - Retry: often\n- [ ] b\n  - Timeout: soon\n"
    with pytest.raises(RunbookError) as caught:
        assemble(read(Source("x.md", text)), catalog)
    assert [d.span.line for d in caught.value.diagnostics] == [7, 9]


def test_meanings_are_there_although_there_are_mistakes(understood: Reader) -> None:
    found = understood(EXPLICIT + "## Deploy\n- [ ] a\n  - Retry: often\n")
    assert found.plan is None
    assert {m.what for m in found.meanings} >= {"phase", "manual step"}


def test_what_is_a_mistake_in_an_explicit_runbook_is_a_warning_in_an_assisted_one(
    understood: Reader,
) -> None:
    body = "## Deploy\n- [ ] a\n  - Retry: often\n"
    assert understood(EXPLICIT + body).plan is None
    assert [d.severity for d in understood(body).diagnostics] == [Severity.WARNING]


def test_places_inside_a_block_become_places_in_the_file(understood: Reader) -> None:
    found = understood(
        EXPLICIT + "## Deploy\n1. Go\n\n   ```bash\n   ls\n   tail -f ${LOG}\n   ```\n"
    )
    (diagnostic,) = found.diagnostics
    assert (diagnostic.span.line, diagnostic.span.column) == (10, 4)


def test_variables_are_listed_once_with_their_first_use(understood: Reader) -> None:
    text = (
        "---\ngonogo: 1\ntargets: {app: '${APP_URL}'}\n---\n## Deploy\n1. Go\n\n"
        "   ```bash\n   echo ${A} ${B} ${A}\n   ```\n\n2. Ask\n\n   ```http\n   GET {{app}}/{{B}}\n   ```\n"  # noqa: E501
    )
    found = [(v.name, v.span.line) for v in a_plan(understood, text).variables]
    assert found == [("APP_URL", 3), ("A", 9), ("B", 9)]


_SEEDS = Path(__file__).parents[3] / "shared" / "seeds"


@pytest.mark.skipif(not _SEEDS.is_dir(), reason="the source documents are not part of the package")
def test_the_source_documents_give_a_plan(really_understood: Reader) -> None:
    for path in sorted(_SEEDS.glob("*.txt")):
        plan = a_plan(really_understood, path.read_text(encoding="utf-8", errors="replace"))
        assert len(list(plan.every_step())) >= 20


def test_work_grows_with_the_size_of_the_file_and_not_faster(understood: Reader) -> None:
    body = "### Part {n}\n\n1. Go {n}\n\n   ```bash\n   ./go {n}\n   ```\n\n   - Needs: Go {n}x\n"
    text = "## Deploy\n" + "".join(body.replace("{n}", str(n)) for n in range(600))
    found = understood(text)
    assert found.plan is not None
    assert len([d for d in found.diagnostics if d.code == "GN401"]) == 600
    assert (
        sum("did you mean" in d.hint for d in found.diagnostics) <= 60
    )  # the costly part is capped


def test_every_line_of_a_good_runbook_has_a_meaning(really_understood: Reader) -> None:
    for path in sorted((Path(__file__).parents[1] / "runbooks" / "good").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        meant: set[int] = set()
        for meaning in really_understood(text).meanings:
            meant.update(range(meaning.span.line, meaning.span.end_line + 1))
        lines = [n for n, line in enumerate(text.split("\n"), 1) if line.strip() not in ("", "---")]
        assert [n for n in lines if n not in meant] == [], path.name


def test_a_runbook_without_mistakes_gives_its_plan(catalog: Catalog) -> None:
    plan = assemble(read(Source("x.md", EXPLICIT + "## Deploy\n- [ ] a\n")), catalog)
    assert [p.id for p in plan.phases] == ["deploy"]
