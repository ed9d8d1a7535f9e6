"""What the program says of itself, and what it says to words it does not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import Done, all_at_once

from gonogo import __version__
from gonogo.cli.main import COMMANDS, parser_of

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")

ASKED: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "help": ("--help",),
    "help word": ("help",),
    "help of a command": ("help", "lint"),
    "version": ("--version",),
    "unknown command": ("lnt",),
    "unlike any command": ("xyzzy",),
    "unknown first option": ("--verson",),
    "unknown option": ("lint", "--jsn", "deploy.md"),
    "two unknown options": ("lint", "--aa", "--bb=1", "deploy.md"),
    "unlike any option": ("status", "--zzzzzz"),
    "shortened option": ("lint", "--qui", "deploy.md"),
    "too many words": ("plan", "a.md", "b.md"),
    "missing word": ("run",),
    "missing value": ("run", "deploy.md", "--env"),
    "wrong choice": ("report", "--format", "pdf"),
    "value for a flag": ("lint", "--quiet=yes", "deploy.md"),
    **{f"{name} --help": (name, "--help") for name in COMMANDS},
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    return all_at_once(ASKED, tmp_path_factory.mktemp("help"))


def test_the_version_is_one_line_of_data(said: dict[str, Done]) -> None:
    assert said["version"] == Done(0, f"gonogo {__version__}\n", "")


def test_help_is_data_and_names_every_command_and_code(said: dict[str, Done]) -> None:
    done = said["help"]
    assert (done.code, done.err) == (0, "")
    assert said["help word"] == done
    for name in COMMANDS:
        assert f"\n  {name} " in done.out
    assert "0 go, 1 no-go, 2 mistake, 3 hold, 4 rolled back, 70 our bug" in done.out


def test_without_a_command_the_same_is_a_mistake(said: dict[str, Done]) -> None:
    assert said["nothing"] == Done(2, "", said["help"].out)


def test_help_before_or_behind_a_command_is_the_same(said: dict[str, Done]) -> None:
    assert said["help of a command"] == said["lint --help"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_shows_an_example(said: dict[str, Done], name: str) -> None:
    done = said[f"{name} --help"]
    assert (done.code, done.err) == (0, "")
    _, _, example = done.out.partition("\nexample:\n")
    assert example.startswith(f"  gonogo {name}")


@pytest.mark.parametrize("name", ["help", *(f"{name} --help" for name in COMMANDS)])
def test_help_fits_on_80_columns(said: dict[str, Done], name: str) -> None:
    assert [line for line in said[name].out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("unknown command", "`lnt` is no command\nhint: did you mean `gonogo lint`?"),
        ("unlike any command", "`xyzzy` is no command\nhint: `gonogo --help` lists"),
        ("unknown first option", "`--verson` is no option\nhint: did you mean `gonogo --version`?"),
        ("unknown option", "`--jsn` is no option of `gonogo lint`\nhint: did you mean `--json`?"),
        ("two unknown options", "`--aa`, `--bb` are no options of `gonogo lint`"),
        ("unlike any option", "no option of `gonogo status`\nhint: `gonogo status --help` shows"),
        ("shortened option", "`--qui` is no option of `gonogo lint`\nhint: did you mean `--quiet`"),
        ("too many words", "too many words for `gonogo plan`: `b.md`"),
        ("missing word", "missing: FILE"),
        ("missing value", "`--env` needs a value"),
        ("wrong choice", "`pdf` is no value of `--format`, expected one of `text`, `md`, `html`"),
        ("value for a flag", "`--quiet` takes no value, found `yes`"),
    ],
)
def test_a_wrong_word_is_named_with_what_is_right(
    said: dict[str, Done], asked: str, words: str
) -> None:
    done = said[asked]
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error[GN700]: ")
    assert words in done.err


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_documents_every_command_and_option(name: str) -> None:
    assert f"\n## gonogo {name}\n" in PAGE
    section = PAGE.partition(f"\n## gonogo {name}\n")[2].partition("\n## ")[0]
    parser = parser_of(name)
    options = [word for action in parser._actions for word in action.option_strings]
    missing = [
        word for word in options if f"`{word}`" not in section and f"`{word} " not in section
    ]
    assert [word for word in missing if word not in ("-h", "--help", "--debug")] == []
    for action in parser._actions:
        if not action.option_strings:
            assert f"`{action.dest.upper()}`" in section
    for line in COMMANDS[name].example.splitlines():
        assert line in section


def test_the_reference_names_no_option_that_does_not_exist() -> None:
    known = {word for name in COMMANDS for word in parser_of(name)._option_string_actions}
    written = {
        word.rstrip(".,;:)'\"`")
        for token in PAGE.replace("`", " ").replace("(", " ").split()
        if token.startswith("--")
        for word in [token.partition("=")[0]]
    }
    assert {word for word in written if len(word) > 2} - known - {"--version", "--help"} == set()


def test_errors_as_json_have_one_form(tmp_path: Path) -> None:
    words: dict[str, tuple[str, ...]] = {
        "lint": ("no.md",),
        "plan": ("no.md",),
        "run": ("no.md",),
        "drill": ("no.md",),
        "resume": (),
        "status": ("nope",),
        "answer": (),
        "silence": (),
        "abort": (),
        "report": (),
        "alert-test": ("no.md",),
        "test": ("no.md", "--timeline", "no.yaml"),
        "rehearse": ("no.md",),
        "explain": ("nothing to compare",),
        "kinds": ("nope",),
    }
    assert set(words) | {"demo"} == set(COMMANDS)
    said = all_at_once({name: (name, *more, "--json") for name, more in words.items()}, tmp_path)
    for name, done in said.items():
        assert done.err == "", name
        error = json.loads(done.out)
        assert list(error) == ["error"], name
        assert set(error["error"]) == {"code", "message", "hint", "diagnostics"}, name
        assert error["error"]["code"].startswith("GN"), name
        assert error["error"]["message"], name
        assert done.code in (2, 3), name
