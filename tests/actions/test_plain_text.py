"""SQL text is read as psql reads it: what would leave the database is seen, whatever hides it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.actions.backup.plain import COMPLETE, Screen

END = b"--\n-- " + COMPLETE + b"\n--\n"

PARTS = (
    b"\\restrict abc123\n",
    b"SET standard_conforming_strings = on;\n",
    b"CREATE TABLE public.t (\n    a integer,\n    b text DEFAULT ';'::text\n);\n",
    b"ALTER TABLE public.t OWNER TO app;\n",
    b"COPY public.t (a, b) FROM stdin;\n1\t\\N\n2\t\\\\.x\n\\.\n",
    b"COPY public.empty (a) FROM stdin;\n\\.\n",
    b"INSERT INTO public.t VALUES (1, 'it''s\n\\connect x\n;');\n",
    b"INSERT INTO public.t VALUES (2, E'a\\'\n\\\\connect; x');\n",
    b"CREATE FUNCTION f() RETURNS int AS $_$\n\\connect y\n CREATE ROLE z; $$ $_$ LANGUAGE sql;\n",
    b'CREATE TABLE "odd;\n\\c name" (a int);\n',
    b"/* a remark;\n\\connect z */ SELECT 1;\n",
    b"-- a remark; \\connect z\n",
    b"GRANT SELECT ON TABLE public.t TO app;\n",
    b"INSERT INTO public.t VALUES (-3, 'it''s; -- /*', NULL, '');\n",
    b"CREATE USER MAPPING FOR app SERVER far;\n",
    b"SELECT a$b$c FROM t; SELECT 'x'; \n",
    b"CREATE FUNCTION g() RETURNS int\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT 1;\nEND;\n",
    b"COMMENT ON DATABASE shop IS 'two\nlines';\n",
)
LEFT_OUT = (3, 12, 17)


def screened(text: bytes, cuts: list[int]) -> tuple[bytes, Screen]:
    screen = Screen()
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    out = [screen.pass_on(text[a:b]) for a, b in itertools.pairwise(places)]
    return b"".join([*out, screen.finish()]), screen


@given(st.lists(st.integers(0, len(PARTS) - 1), max_size=12), st.lists(st.integers(0, 5000)))
def test_what_belongs_to_the_database_goes_through_as_it_is(
    chosen: list[int], cuts: list[int]
) -> None:
    text = b"".join(PARTS[number] for number in chosen) + END
    out, screen = screened(text, cuts)
    assert screen.problem == ""
    assert out.count(b"\n") == text.count(b"\n"), "the numbers of the lines stay"
    assert screen.left_out == sum(number in LEFT_OUT for number in chosen)
    kept = b"".join(PARTS[number] for number in chosen if number not in LEFT_OUT)
    assert _told(out) == _told(kept)


def _told(text: bytes) -> list[bytes]:
    """Return the lines that say something: remarks and empty lines may come and go."""
    return [line for line in text.splitlines() if line.strip() and not line.startswith(b"--")]


REFUSED = {
    "connect": (b"\\connect shop\n", "it connects to a database by itself (`\\connect shop`)"),
    "connect, short": (b"\\c shop\n", "it connects to a database"),
    "connect behind a statement": (b"SELECT 1; \\connect shop\n", "it connects|command of psql"),
    "a program": (b"\\! rm -rf /\n", "a command of psql (`\\! rm -rf /`)"),
    "another file": (b"\\i other.sql\n", "a command of psql"),
    "behind a row": (b"INSERT INTO t VALUES ('a'); \\! rm\n", "a command of psql"),
    "behind a row, too": (b"INSERT INTO t VALUES (1); DROP ROLE x;\n", "changes more than"),
    "inside a statement": (b"SELECT 1 \\gexec\n", "a command of psql"),
    "a database": (b"CREATE DATABASE shop;\n", "changes more than the database"),
    "over two lines": (b"create\n  database shop;\n", "changes more than the database"),
    "behind a remark": (b"/* x */ DROP DATABASE shop;\n", "changes more than the database"),
    "a role": (b"CREATE ROLE ana;\n", "changes more than the database"),
    "a user": (b"CREATE USER ana;\n", "changes more than the database"),
    "the server": (b"ALTER SYSTEM SET fsync = off;\n", "changes more than the database"),
    "a setting of a database": (b"ALTER DATABASE a SET b = 'c';\n", "changes more than"),
}


@pytest.mark.parametrize("before", [b"", *PARTS], ids=range(len(PARTS) + 1))
@pytest.mark.parametrize("name", REFUSED)
def test_what_leaves_the_database_is_refused_and_not_passed_on(name: str, before: bytes) -> None:
    line, words = REFUSED[name]
    out, screen = screened(before + line + PARTS[2] + END, [len(before), len(before) + 3])
    assert any(word in screen.problem for word in words.split("|"))
    assert line not in out
    assert b"CREATE TABLE public.t" not in out[len(before) :]


def test_old_quotes_are_read_as_old_quotes() -> None:
    text = b"SET standard_conforming_strings = off;\nSELECT 'a\\'\n\\connect x';\n"
    assert screened(text + END, [])[1].problem == ""


def test_a_text_without_its_last_line_is_cut_off() -> None:
    for text in (b"", PARTS[2], PARTS[4][:-5]):
        assert "cut off" in screened(text, [])[1].problem


def test_a_statement_longer_than_the_memory_for_it_goes_through() -> None:
    long = b"INSERT INTO t VALUES ('" + b"line\n" * 500_000 + b"');\n"
    out, screen = screened(long + END, list(range(0, len(long), 100_000)))
    assert screen.problem == ""
    assert long in out
