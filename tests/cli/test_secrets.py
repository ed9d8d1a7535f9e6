"""Secrets leave the process nowhere, and what cannot be reached is said; on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli import books
from tests.cli.running import Done, gonogo
from tests.support.kinds import closed_port

from gonogo.services import Postgres

RIGHT, WRONG, TOKEN = "right-pässword-1", "wr0ng/pass:word@2", "t0ken-of-somebody"


@dataclass(frozen=True, slots=True)
class Tried:
    """A run against a server that refuses the password, and what was given to it."""

    folder: Path
    env: dict[str, str]
    done: Done


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "deploy.md").write_text(books.UNREACHABLE)
    with Postgres.start(password=RIGHT) as server:
        there = server.url().rpartition("@")[2]
        env = {
            "APP_URL": f"http://127.0.0.1:{closed_port()}",
            "DATABASE_URL": f"postgresql://postgres:wr0ng%2Fpass%3Aword%402@{there}",
            "GONE_URL": f"postgresql://postgres:{RIGHT}@127.0.0.1:{closed_port()}/web",
            "API_TOKEN": TOKEN,
        }
        yield Tried(folder, env, gonogo("run", "deploy.md", "--yes", cwd=folder, env=env))


def test_what_cannot_be_reached_is_said(tried: Tried) -> None:
    out = " ".join(tried.done.out.split())
    assert tried.done.code in (1, 3), tried.done.both
    for title in ("The app answers", "The database answers", "The other database answers"):
        assert f"error {title}" in out
    assert "refused" in out
    assert "password" in out
    assert "bug in gonogo" not in tried.done.both


def test_no_secret_is_written_anywhere(tried: Tried) -> None:
    secrets = [text.encode() for text in (RIGHT, WRONG, TOKEN, "wr0ng%2Fpass%3Aword%402", "wr0ng")]
    files = [path for path in (tried.folder / ".gonogo").rglob("*") if path.is_file()]
    assert len(files) > 5
    texts = {str(path): path.read_bytes() for path in files}
    texts |= {"stdout": tried.done.out.encode(), "stderr": tried.done.err.encode()}
    leaks = [(name, word) for name, text in texts.items() for word in secrets if word in text]
    assert leaks == []


def test_a_run_is_not_resumed_with_another_secret(tried: Tried) -> None:
    if tried.done.code != 3:
        pytest.skip("the run came to a verdict, so there is nothing to resume")
    other = "an0ther-secret"
    done = gonogo("resume", cwd=tried.folder, env={**tried.env, "API_TOKEN": other})
    assert (done.code, done.out) == (2, "")
    assert "no longer as at the start of the run: `API_TOKEN`" in done.err
    assert other not in done.err
    assert TOKEN not in done.err
    missing = {name: value for name, value in tried.env.items() if name != "DATABASE_URL"}
    done = gonogo("resume", cwd=tried.folder, env=missing)
    assert (done.code, done.out) == (2, "")
    assert "`DATABASE_URL` has no value" in done.err


def test_a_run_is_not_resumed_without_what_its_fingerprints_rest_on(tried: Tried) -> None:
    if tried.done.code != 3:
        pytest.skip("the run came to a verdict, so there is nothing to resume")
    salt = tried.folder / ".gonogo" / "salt"
    kept = salt.rename(salt.with_suffix(".away"))
    try:
        done = gonogo("resume", cwd=tried.folder, env=tried.env)
        assert (done.code, done.out) == (3, "")
        assert "nobody can tell whether secrets are still the same" in done.err
    finally:
        kept.rename(salt)
