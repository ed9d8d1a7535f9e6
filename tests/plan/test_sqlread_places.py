"""Where statements stand in a text, whatever its characters are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gonogo.plan import sqlread

WORDS = st.text("aä→𝛼 '", max_size=8).map(lambda text: text.replace("'", "''"))


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_each_statement_is_found_where_it_is_written(words: list[str]) -> None:
    written = [f"SELECT '{word}'" for word in words]
    text = ";\n-- ö\n".join(written)
    found = sqlread.read(text).statements
    assert [one.text for one in found] == written
    assert [text[one.at :].startswith(one.text) for one in found] == [True] * len(written)
