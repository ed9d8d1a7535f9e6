"""Files that are no good runbook: each gets a clear message, none crashes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.cli import books
from tests.cli.running import Done, all_at_once, gonogo

HEAD = "---\ngonogo: 1\nservice: web\n---\n# Web\n\n"
STEP = "## Deployment\n\n1. Switch\n\n   ```bash\n   echo hi\n   ```\n"
CYCLE = """\
## Deployment

1. One

   ```bash
   echo 1
   ```

   - Needs: Two

2. Two

   ```bash
   echo 2
   ```

   - Needs: One
"""
WATCHED = STEP + "\n## Watch for 1 hour\n\n### Alerts\n\n- **Page**: page load > 5s for 2 buckets\n"
TWICE = STEP + "\n" + STEP
SEVERAL = """\
## Deployment

1. Look

   ```bash
   if true; then
   ```

2. Change

   ```bash
   vim notes
   ```

   - Undo:

     ```bash
     echo "open
     ```

3. Migrate

   ```yaml
   action: migrate
   on: db
   folder: nowhere
   ```

## Watch for 1 hour

### Triggers

- Share > 5 s
"""
MISFIT = """---
gonogo: 1
service: web
targets:
  db: ${DATABASE_URL}
metrics:
  share: { log: access.jsonl, ratio: "status >= 500" }
---
# Web

"""
SAME_STEPS = STEP + "\n2. Switch\n\n   ```bash\n   echo again\n   ```\n"

FILES: Mapping[str, tuple[bytes, int, tuple[str, ...]]] = {
    # name: what is in the file, the exit code, what is said
    "empty": (b"", 2, ("GN001",)),
    "blank": (b" \n\t\n", 2, ("GN001",)),
    "binary": (bytes(range(256)) * 64, 2, ("GN002",)),
    "large": (b"# Web\n" + b"- [ ] Step\n" * 1_000_000, 2, ("GN003", "MB")),
    "nested": (HEAD.encode() + b">" * 20_000 + b" deep\n\n" + STEP.encode(), 2, ("GN007",)),
    "lists": (
        HEAD.encode() + b"".join(b" " * n + b"- a\n" for n in range(0, 400, 2)) + STEP.encode(),
        2,
        ("GN007",),
    ),
    "mojibake": (
        (HEAD + STEP).encode().replace(b"Switch", "Größe".encode("cp1252")),
        0,
        ("GN004",),
    ),
    "windows": ((HEAD + STEP).replace("\n", "\r\n").encode(), 0, ()),
    "bom": (b"\xef\xbb\xbf" + (HEAD + STEP).encode(), 0, ()),
    "utf-16": ((HEAD + STEP).encode("utf-16"), 0, ()),
    "headings": ((HEAD + TWICE).encode(), 2, ("GN322", "Deployment")),
    "steps": ((HEAD + SAME_STEPS).encode(), 2, ("GN323", "Switch")),
    "language": ((HEAD + STEP.replace("bash", "bsah")).encode(), 2, ("GN201", "bash")),
    "metric": ((HEAD + WATCHED).encode(), 2, ("GN340", "page load")),
    "cycle": ((HEAD + CYCLE).encode(), 2, ("GN403", "One", "Two")),
    "shell": ((HEAD + STEP.replace("echo hi", "if true; then")).encode(), 2, ("bash -n",)),
    "several": (
        (MISFIT + SEVERAL).encode(),
        2,
        ("bash -n", "unexpected EOF", "vim", "GN538", "GN347"),
    ),
    "front matter": (b"---\ngonogo: 1\n# Web\n\n" + STEP.encode(), 2, ("GN006",)),
    "nothing to do": ((HEAD + "Only prose.\n").encode(), 2, ("GN405",)),
    "null": (b"# Web\x00\n\n" + STEP.encode(), 2, ("GN002",)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    for name, (data, _, _) in FILES.items():
        (folder / f"{name}.md").write_bytes(data)
    (folder / "a folder.md").mkdir()
    (folder / "secret.md").write_text(HEAD + STEP, encoding="utf-8")
    (folder / "Größe und Maß.md").write_text(HEAD + STEP, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def linted(folder: Path) -> tuple[Done, dict[str, dict[str, Any]]]:
    """All files, linted by one process: as a person sees it, and as JSON."""
    names = [f"{name}.md" for name in FILES]
    both = all_at_once({"text": ("lint", *names), "json": ("lint", "--json", *names)}, folder)
    assert (both["json"].code, both["json"].err) == (2, "")
    found = json.loads(both["json"].out)
    return both["text"], dict(zip(FILES, found, strict=True))


@pytest.mark.parametrize("name", FILES)
def test_what_is_wrong_with_a_file_is_said(
    linted: tuple[Done, dict[str, dict[str, Any]]], name: str
) -> None:
    found = linted[1][name]
    code, words = FILES[name][1:]
    said = json.dumps(found, ensure_ascii=False)
    assert (found["errors"] > 0) == (code == 2), said
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("name", FILES)
def test_a_mistake_has_its_place_and_what_to_do(
    linted: tuple[Done, dict[str, dict[str, Any]]], name: str
) -> None:
    found = linted[1][name]
    if "error" in found:
        assert f"`{name}.md`" in found["error"]["message"]
        assert found["error"]["hint"]
        return
    for mistake in found["diagnostics"]:
        if mistake["severity"] == "error":
            assert mistake["line"] >= 1
            assert mistake["hint"] or mistake["expected"], mistake


def test_all_files_are_shown_on_80_columns(
    linted: tuple[Done, dict[str, dict[str, Any]]],
) -> None:
    done = linted[0]
    assert done.code == 2
    assert [line for line in done.out.splitlines() if len(line) > 80] == []
    assert "Traceback" not in done.err
    assert "bug in gonogo" not in done.err
    for name, (_, code, words) in FILES.items():
        if words and words[0].startswith("GN"):
            assert f"{name}.md" in done.err
            assert words[0] in done.err
        if code == 0:
            assert re.search(rf"^{re.escape(name)}\.md: .*explicit$", done.err, re.MULTILINE)


def test_what_is_no_file_is_said_with_what_is_there(folder: Path) -> None:
    said = all_at_once(
        {
            "missing": ("lint", "secert.md"),
            "no folder": ("lint", "no/such/file.md"),
            "folder": ("run", "a folder.md", "--yes"),
            "device": ("lint", "/dev/null"),
            "name": ("lint", "x" * 300 + ".md"),
            "under a file": ("lint", "secret.md/more.md"),
        },
        folder,
    )
    assert {name: done.code for name, done in said.items()} == dict.fromkeys(said, 2)
    assert {done.out for done in said.values()} == {""}
    assert "hint: did you mean `secret.md`?" in said["missing"].err
    assert "there is no file `no/such/file.md`" in said["no folder"].err
    assert "`a folder.md` is a folder" in said["folder"].err
    assert "`/dev/null` is empty" in said["device"].err
    assert "cannot be read" in said["name"].err
    assert "cannot be read" in said["under a file"].err


def test_several_files_are_linted_whatever_one_of_them_is(folder: Path) -> None:
    done = gonogo("lint", "no.md", "steps.md", "bom.md", cwd=folder)
    assert done.code == 2
    assert "there is no file `no.md`" in done.err
    assert "GN323" in done.err
    assert "bom.md: no mistakes" in done.err
    as_json = gonogo("lint", "--json", "no.md", "bom.md", cwd=folder)
    first, second = json.loads(as_json.out)
    assert first["error"]["message"] == "there is no file `no.md`"
    assert (second["errors"], second["mode"]) == (0, "explicit")


def test_every_unbound_variable_is_named_at_once(folder: Path) -> None:
    text = books.go().replace("service: web", "service: web\ntargets:\n  app: ${APP_URL}")
    book = folder / "unbound.md"
    book.write_text(text.replace("test -d .", 'test -d "${DATA_DIR}" -a -n "${REGION}"'))
    plan = gonogo("plan", book, cwd=folder)
    assert plan.code == 0
    assert "DATA_DIR" in plan.out
    done = gonogo("run", book, "--yes", cwd=folder, env={"REGION": "eu"})
    assert (done.code, done.out) == (2, "")
    assert "`APP_URL` has no value" in done.err
    assert "`DATA_DIR` has no value" in done.err
    assert "REGION` has no value" not in done.err
    assert "2 errors" in done.err
    assert not (folder / ".gonogo").exists()


def test_plan_asks_only_for_what_the_environment_does_not_set(folder: Path) -> None:
    head = """\
service: web
targets:
  app: ${APP_URL}
env:
  REGION: eu
environments:
  production: { APP_URL: "https://${HOST}/", REGION: us }
"""
    text = books.go().replace("service: web\n", head)
    words = 'test -d "$DATA_DIR" -a -n "$REGION$RELEASE$ENVIRONMENT"'
    (folder / "bound.md").write_text(text.replace("test -d .", words))
    said = all_at_once(
        {
            "plain": ("plan", "bound.md"),
            "env": ("plan", "bound.md", "--env", "production"),
            "both": ("plan", "bound.md", "--env", "production", "--release", "v2"),
            "json": ("plan", "bound.md", "--env", "production", "--release", "v2", "--json"),
            "other": ("plan", "bound.md", "--env", "prodution"),
        },
        folder,
    )

    def asked(name: str) -> str:
        found = re.search(r"^must be set +(.*)$", said[name].out, re.MULTILINE)
        return found[1] if found else ""

    assert asked("plain") == "APP_URL, DATA_DIR, RELEASE, ENVIRONMENT"
    assert asked("env") == "HOST, DATA_DIR, RELEASE"
    assert asked("both") == "HOST, DATA_DIR"
    assert "explicit, service web, environment production, release v2" in said["both"].out
    assert json.loads(said["json"].out)["route"]["must_be_set"] == ["HOST", "DATA_DIR"]
    assert (said["other"].code, said["other"].out) == (2, "")
    assert "there is no environment `prodution`\nhint: known: production" in said["other"].err


def test_a_path_may_hold_anything(folder: Path) -> None:
    name = "Größe und Maß.md"
    said = all_at_once({"relative": ("lint", name), "absolute": ("lint", folder / name)}, folder)
    assert {done.code for done in said.values()} == {0}
    assert f"{name}: no mistakes" in said["relative"].err
    undecodable = folder.joinpath("caf\udce9.md")
    undecodable.write_text(HEAD + STEP, encoding="utf-8")
    assert gonogo("lint", undecodable, cwd=folder).code == 0
    assert gonogo("lint", "--json", "no-caf\udce9.md", cwd=folder).code == 2


def test_lint_as_json_holds_all_mistakes(folder: Path) -> None:
    done = gonogo("lint", "--json", "steps.md", cwd=folder)
    found = json.loads(done.out)
    assert (done.code, done.err) == (2, "")
    assert found["errors"] == len([d for d in found["diagnostics"] if d["severity"] == "error"])
    assert {"line", "column", "code", "message", "hint"} <= set(found["diagnostics"][0])
    broken = gonogo("lint", "--json", "front matter.md", cwd=folder)
    assert json.loads(broken.out)["diagnostics"][0]["code"] == "GN006"


def test_plan_and_run_refuse_what_lint_refuses(folder: Path) -> None:
    said = all_at_once(
        {
            "plan": ("plan", "steps.md"),
            "plan as json": ("plan", "--json", "steps.md"),
            "run": ("run", "steps.md", "--yes"),
            "run as json": ("run", "--json", "steps.md", "--yes"),
            "plan of several": ("plan", "several.md"),
            "run of several": ("run", "several.md", "--yes"),
        },
        folder,
    )
    for name in ("plan", "run"):
        assert (said[name].code, said[name].out) == (2, ""), name
        assert "GN323" in said[name].err, name
        as_json = said[f"{name} as json"]
        assert (as_json.code, as_json.err) == (2, ""), name
        assert json.loads(as_json.out)["error"]["diagnostics"][0]["code"] == "GN323", name
    for name in ("plan of several", "run of several"):
        missing = [word for word in FILES["several"][2] if word not in said[name].err]
        assert (said[name].code, missing) == (2, []), name
    assert not (folder / ".gonogo").exists()


def test_explain_says_what_is_no_condition(folder: Path) -> None:
    said = all_at_once(
        {
            "good": ("explain", "P99 > 1.2s for 2 consecutive 5-minute buckets"),
            "words": ("explain", "error rate", "below", "1%"),
            "dash": ("explain", "- > 95 %"),
            "none": ("explain", "potato"),
            "half": ("explain", "p99 > potato"),
            "empty": ("explain", ""),
        },
        folder,
    )
    assert said["good"] == Done(0, "p99 > 1.2 s for 2 consecutive 5-minute buckets\n", "")
    assert said["words"].code == 0
    for name in ("none", "half", "empty"):
        assert (said[name].code, said[name].out) == (2, ""), name
        assert "error[GN1" in said[name].err, name
    assert "bug" not in said["dash"].err
