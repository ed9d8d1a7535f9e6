"""Shell blocks: what a pasted block does, what it is refused for, and how it ends."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.support.kinds import StopAfter, a_context

from gonogo import catalog
from gonogo.actions.shell import Session, Sh, Shell
from gonogo.errors import Severity, WorkError
from gonogo.plan.kinds import Effect, Role
from gonogo.plan.units import Quantity

RESULTS = {
    "a command says its exit code": ("exit 3", {"exit code": 3}),
    "output is without blanks at both ends": (
        "echo; echo ' a b '; echo",
        {"output": "a b", "lines": 1},
    ),
    "errors are apart": ("echo out; echo err >&2", {"output": "out", "errors": "err"}),
    "no output has no lines": ("true", {"output": "", "lines": 0}),
    "the first failing command stops": ("echo a\nfalse\necho b", {"exit code": 1, "output": "a"}),
    "a failing part of a pipe counts": ("false | cat", {"exit code": 1}),
    "an unset variable stops": ("echo $unset_here; echo b", {"exit code": 1, "output": ""}),
    "a signal is 128 and its number": ("kill -9 $$", {"exit code": 137}),
    "commands see an end of input": ("cat; echo done", {"output": "done"}),
    "quotes and documents work": ("cat <<'X'\n$a 'b'\nX", {"output": "$a 'b'"}),
    "bash is bash": ("a=(1 2 3); echo ${#a[@]}", {"output": "3"}),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_script_is_seen_as_it_ended(name: str, tmp_path: Path) -> None:
    text, expected = RESULTS[name]
    seen = Shell(text).perform(a_context(tmp_path))
    assert {key: seen.indicators[key] for key in expected} == expected
    duration = seen.indicators["duration"]
    assert isinstance(duration, Quantity)
    assert duration.unit == "s"
    assert duration.number > 0


LAST_WORDS = {
    "the last line of the errors": ("echo out; echo a >&2; echo 'b  c' >&2; exit 1", "b c"),
    "else of the output": ("echo one; echo two; exit 1", "two"),
    "nothing, where nothing was said": ("exit 1", ""),
    "nothing of a script that went well": ("echo fine >&2", ""),
    "a complaint counts more than what follows": (
        "printf 'ERROR:  no table\\nLINE 1: SELECT\\n       ^\\n' >&2; exit 1",
        "ERROR: no table",
    ),
    "what is indented belongs to the line before": (
        "printf 'connection refused\\n\\tis it running?\\n' >&2; exit 2",
        "connection refused",
    ),
    "what bash says, without its file": ("no-such-program-here", "no-such-program-here: command"),
    "a long line is cut": (f"echo {'x' * 400} >&2; exit 1", "x" * 159 + "…"),
}


@pytest.mark.parametrize("name", LAST_WORDS)
def test_the_last_words_of_what_failed_are_kept(name: str, tmp_path: Path) -> None:
    text, expected = LAST_WORDS[name]
    said = Shell(text).perform(a_context(tmp_path)).said
    assert (expected in said) if expected else (said == "")
    assert len(said) <= 160
    assert str(tmp_path) not in said


def test_a_secret_is_no_last_word_even_where_the_line_is_cut(tmp_path: Path) -> None:
    secret = "s3cr3t-of-two\nlines-" + "y" * 30
    known = (secret, "longer-secret-word")
    context = a_context(tmp_path, variables={"TOKEN": secret}, secrets=known)
    for text in (
        'echo "$TOKEN" >&2; exit 1',
        f"echo {'x' * 150}longer-secret-word >&2; exit 1",
    ):
        said = Shell(text).perform(context).said
        assert said
        assert "yyyy" not in said
        assert "longer" not in said
        context = dataclasses.replace(context, folder=tmp_path / "second")


def test_strict_off_goes_on_after_a_failure(tmp_path: Path) -> None:
    seen = Shell("false\necho $unset_here b", strict=False).perform(a_context(tmp_path))
    assert seen.indicators["exit code"] == 0
    assert seen.indicators["output"] == "b"


def test_variables_come_from_the_run_and_from_env(tmp_path: Path) -> None:
    block = Shell('echo "$A $B"', env=("B=${A}!",))
    seen = block.perform(a_context(tmp_path, variables={"A": "x y"}))
    assert seen.indicators["output"] == "x y x y!"


def test_no_file_runs_before_the_script(tmp_path: Path) -> None:
    (tmp_path / "hidden").write_text("echo hidden\n")
    variables = {"BASH_ENV": str(tmp_path / "hidden"), "ENV": str(tmp_path / "hidden")}
    for block in (Shell("echo a"), Sh("echo a")):
        context = a_context(tmp_path, variables=variables)
        assert block.perform(context).indicators["output"] == "a"


def test_it_runs_in_the_folder_of_the_runbook_or_in_cwd(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    seen = Shell("pwd").perform(a_context(tmp_path))
    assert seen.indicators["output"] == str(tmp_path)
    context = a_context(tmp_path / ".", variables={"WHERE": "sub"})
    assert Shell("pwd", cwd="${WHERE}").perform(context).indicators["output"] == str(
        tmp_path / "sub"
    )


def test_the_script_on_disk_holds_names_and_no_values(tmp_path: Path) -> None:
    context = a_context(tmp_path, variables={"TOKEN": "s3cr3t-value"}, secrets=("s3cr3t-value",))
    Shell('echo "$TOKEN" >/dev/null').perform(context)
    written = b"".join(p.read_bytes() for p in context.folder.iterdir() if p.is_file())
    assert b"$TOKEN" in written
    assert b"s3cr3t-value" not in written


def test_the_same_attempt_is_attached_to_and_never_runs_twice(tmp_path: Path) -> None:
    block = Shell("echo once >> log; cat log")
    context = a_context(tmp_path, effect=Effect.ACTION)
    first = block.perform(context)
    again = block.perform(context)
    assert first.indicators == again.indicators
    assert (tmp_path / "log").read_text() == "once\n"


@pytest.mark.parametrize(("effect", "failed"), [(Effect.ACTION, True), (Effect.CHECK, False)])
def test_too_late_is_a_failed_action_but_a_check_that_could_not_look(
    effect: Effect, failed: bool, tmp_path: Path
) -> None:
    context = a_context(tmp_path, effect=effect, timeout_s=0.5)
    with pytest.raises(WorkError, match=r"did not end within 0.5 s") as caught:
        Shell("echo begun; sleep 30").perform(context)
    assert caught.value.failed is failed
    assert "begun" in caught.value.hint


def test_a_stop_before_the_start_does_nothing(tmp_path: Path) -> None:
    context = a_context(tmp_path, effect=Effect.ACTION, should_stop=StopAfter(0))
    with pytest.raises(WorkError, match="before it began") as caught:
        Shell("touch done").perform(context)
    assert not caught.value.failed
    assert not (tmp_path / "done").exists()


def test_live_output_comes_line_by_line_and_redacted(tmp_path: Path) -> None:
    heard: list[tuple[str, str]] = []
    context = a_context(
        tmp_path,
        secrets=("s3cr3t-value",),
        on_output=lambda stream, text: heard.append((stream, text)),
    )
    Shell("printf s3cr3t; sleep 0.2; echo -value; echo two >&2; printf end").perform(context)
    said = {name: "".join(t for s, t in heard if s == name) for name in ("stdout", "stderr")}
    assert said == {"stdout": "••••\nend", "stderr": "two\n"}


def test_an_interpreter_runs_other_languages(tmp_path: Path) -> None:
    block = Shell("import sys\nprint(sys.argv[0][-6:])", interpreter="python3")
    assert block.perform(a_context(tmp_path)).indicators["output"] == "script"
    assert block.variables() == ()


ROLES = {
    Role.PREFLIGHT: Effect.CHECK,
    Role.VERIFY: Effect.CHECK,
    Role.LOAD: Effect.CHECK,
    Role.WATCH: Effect.CHECK,
    Role.SIGNOFF: Effect.CHECK,
    Role.DEPLOY: Effect.ACTION,
    Role.ROLLBACK: Effect.ACTION,
    Role.MAINTENANCE: Effect.ACTION,
}


@pytest.mark.parametrize("role", ROLES)
def test_the_phase_tells_whether_a_block_looks_or_changes(role: Role) -> None:
    assert Shell("./x").effect(role) is ROLES[role]
    assert Shell("./x", kind_="action").effect(role) is Effect.ACTION
    assert Shell("./x", kind_="check").effect(role) is Effect.CHECK
    assert Shell("rm -rf data").effect(role) is Effect.ACTION


LANGUAGES = {
    "bash": Shell, "sh": Sh, "shell": Shell, "console": Session, "BASH": Shell,
}  # fmt: skip


@pytest.mark.parametrize("word", LANGUAGES)
def test_a_fence_language_means_a_shell(word: str) -> None:
    assert catalog.load().language(word) is LANGUAGES[word]


@pytest.mark.parametrize("word", ["powershell", "pwsh", "cmd", "bat", "zsh", "fish"])
def test_shells_that_are_not_run_are_refused_before_the_run(word: str, tmp_path: Path) -> None:
    kind = catalog.load().language(word)
    assert kind is not None
    work = kind(body="Get-ChildItem -Recurse")  # type: ignore[call-arg]
    (refusal,) = work.review()
    assert refusal.code == "GN510"
    assert refusal.severity is Severity.ERROR
    assert "bash" in refusal.hint
    assert work.variables() == work.destroys() == ()
    with pytest.raises(WorkError, match="not run by gonogo"):
        work.perform(a_context(tmp_path))


def test_a_session_runs_what_stands_behind_the_prompts(tmp_path: Path) -> None:
    text = "$ echo one \\\n>   two\none two\nana@host:~/app$ echo three\nthree\n"
    block = Session(text)
    assert block.perform(a_context(tmp_path)).indicators["output"] == "one two\nthree"
    assert Session("echo plain").script() == "echo plain"
    (place,) = [v.span for v in Session("$ echo $NAME\nx\n").variables()]
    assert (place.line, place.column) == (1, 8)


def test_env_that_is_no_assignment_is_a_mistake() -> None:
    (mistake,) = Shell("./x", env=("A",)).review()
    assert (mistake.code, mistake.severity) == ("GN517", Severity.ERROR)


def test_a_block_is_described_by_its_first_command() -> None:
    assert Shell("# why\n./migrate up\n").describe() == "./migrate up"
    assert Shell("a\nb\nc").describe() == "a (+2 lines)"
    assert len(Shell("x" * 500).describe()) <= 60


def test_a_missing_folder_and_a_missing_program_are_told(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="does not exist"):
        Shell("true", cwd="nowhere").perform(a_context(tmp_path))
    with pytest.raises(WorkError, match="command not found"):
        Shell("true", interpreter="no-such-program").perform(a_context(tmp_path))
