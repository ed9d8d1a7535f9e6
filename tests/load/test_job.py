"""A job travels in the environment and arrives as it was."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.load import Job, Request, Stage
from gonogo.load.job import from_environment, to_environment

words = st.text(max_size=40)
requests = st.builds(
    Request,
    st.sampled_from(["GET", "POST"]),
    words,
    st.lists(st.tuples(words, words), max_size=3).map(tuple),
    words,
    st.integers(1, 100),
)
jobs = st.builds(
    Job,
    st.lists(requests, min_size=1, max_size=3).map(tuple),
    st.lists(
        st.builds(Stage, st.fractions(1, 60), st.fractions(0, 60), st.fractions(0, 60)), max_size=3
    ).map(tuple),
    st.floats(0.1, 60),
    st.integers(1, 1000),
    st.floats(0, 60),
    st.booleans(),
    words,
)


@given(jobs)
def test_a_job_arrives_as_it_was(job: Job) -> None:
    assert from_environment({"PATH": "/bin", **to_environment(job)}) == job


def test_a_long_body_fits_into_the_variables_of_an_environment() -> None:
    stage = Stage(Fraction(1), Fraction(1), Fraction(1))
    job = Job((Request("POST", "http://h/", (), "é" * 50_000),), (stage,), 1.0, 1)
    written = to_environment(job)
    assert len(written) > 1
    assert all(len(value.encode()) < 128 * 1024 for value in written.values())
    assert from_environment(written) == job


def test_an_environment_without_a_job_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        from_environment({"PATH": "/bin"})
