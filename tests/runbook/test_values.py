"""Durations, retries, yes and no, names that stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runbook.conftest import Reader

from gonogo.plan.model import Retry
from gonogo.runbook import durations
from gonogo.runbook.drafts import short_title
from gonogo.runbook.identity import Register, slug, step_id
from gonogo.runbook.values import parse_retry, parse_yes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5m", 300), ("90s", 90), ("1h 30m", 5400), ("1h30m", 5400), ("2 minutes", 120),
        ("about 2 minutes", 120), ("~15 min", 900), ("4-6 hours", 21600), ("1.5 h", 5400),
        ("an hour", 3600), ("1 day and 2 hours", 93600), ("(3 min)", 180), ("500ms", 0.5),
        ("5", None), ("soon", None), ("5 bananas", None), ("", None), ("in 5 minutes or so", None),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert durations.seconds(text) == seconds


@pytest.mark.parametrize(
    ("title", "seconds"),
    [
        ("Watch for 24 hours in 5-minute buckets", 86400), ("First hour", 3600),
        ("First 15 minutes", 900), ("Monitoring (24 Hours)", 86400), ("Next 2 days", 172800),
        ("Watch 3 buckets (~15 minutes)", 900), ("Monitoring", None), ("First 30-minute watch", 1800),  # noqa: E501
        ("For one week", 604800), ("During the first day", 86400),
    ],
)  # fmt: skip
def test_how_long_a_watch_lasts(title: str, seconds: float | None) -> None:
    assert durations.span_in(title) == seconds


@pytest.mark.parametrize(
    ("title", "seconds", "without"),
    [
        ("Option 1: back (about 2 minutes)", 120, "Option 1: back"),
        ("Publish [3 min]", 180, "Publish"),
        ("Monitoring (first hour)", None, "Monitoring"),
        ("Database (Supabase)", None, "Database (Supabase)"),
        ("Wait", None, "Wait"),
    ],
)
def test_a_stated_time_is_no_part_of_a_name(
    title: str, seconds: float | None, without: str
) -> None:
    assert durations.stated_in(title) == seconds
    assert durations.without(title) == without


def test_buckets_in_headings() -> None:
    assert durations.bucket_in("Watch in 5-minute buckets") == 300
    assert durations.bucket_in("Watch in buckets") is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(45, "45 s"), (0.5, "0.5 s"), (120, "2 min"), (5400, "1 h 30 min")]
)
def test_durations_are_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert durations.say(seconds) == said


@given(st.text(max_size=40))
def test_any_text_is_a_duration_or_none(text: str) -> None:
    for reader in (durations.seconds, durations.span_in, durations.stated_in, durations.bucket_in):
        found = reader(text)
        assert found is None or found >= 0


@pytest.mark.parametrize(
    ("text", "retry"),
    [
        ("3 times every 10s", Retry(3, 10.0)), ("3 times", Retry(3, 5.0)), ("3x", Retry(3, 5.0)),
        ("up to 5 attempts, 1 minute", Retry(5, 60.0)), ("5 attempts, every 1 minute", Retry(5, 60.0)),  # noqa: E501
        ("for 2 minutes every 5s", Retry(25, 5.0)), ("until 1m, every 30 s", Retry(3, 30.0)),
        ("0 times", None), ("often", None), ("3 times every blue moon", None),
        ("for ages every 5s", None), ("for 400 d every 1ms", None),
    ],
)  # fmt: skip
def test_retries(text: str, retry: Retry | None) -> None:
    assert parse_retry(text) == retry


@pytest.mark.parametrize(
    ("text", "yes"), [("", True), ("Yes", True), ("`on`", True), ("no", False), ("perhaps", None)]
)
def test_yes_and_no(text: str, yes: bool | None) -> None:
    assert parse_yes(text) is yes


@given(st.text(max_size=300))
def test_a_slug_is_short_and_safe_and_always_the_same(text: str) -> None:
    name = slug(text)
    assert 0 < len(name) <= 60
    assert name == slug(text)
    assert not set(name) & set(" /\n`\"'")


def test_long_texts_that_differ_at_their_end_stay_different() -> None:
    assert slug("word " * 40 + "one") != slug("word " * 40 + "two")


def test_signs_alone_have_names_too() -> None:
    assert slug("!!!") != slug("???")
    assert slug(" ") == "unnamed"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Migrate (approx. 2 min)", "Migrate (approx. 2 min)"),
        ("Migrate the data, ca. 2 min", "Migrate the data, ca. 2 min"),
        ("Restart workers, e.g. mail. Then wait", "Restart workers, e.g. mail"),
        ("Restart the worker No. 2. Then wait", "Restart the worker No. 2"),
        ("Restart queues, caches, etc. Then wait", "Restart queues, caches, etc"),
        ("Migrate the data. Then wait", "Migrate the data"),
        ("Migrate all data: it takes long", "Migrate all data"),
        ("Upgrade to version 2.4.0 now! Then wait", "Upgrade to version 2.4.0 now"),
    ],
)
def test_a_short_title_ends_with_its_sentence(text: str, title: str) -> None:
    assert short_title(text) == title


@pytest.mark.parametrize("words", ["approx. 2 min", "ca. 2 min", "max. 2 min", "est. 2 min"])
def test_an_abbreviation_cuts_off_no_estimate(understood: Reader, words: str) -> None:
    found = understood(
        f"---\ngonogo: 1\n---\n# A\n\n## Deployment\n\n**Step 2 – Migrate** ({words})\n\n"
        "```bash\ntrue\n```\n"
    )
    assert found.plan is not None
    (step,) = found.plan.steps()
    assert (step.title, step.estimate_s) == (f"Migrate ({words})", 120.0)


def test_the_identity_of_a_step_forgets_a_stated_time() -> None:
    assert step_id(("Deploy (5 min)",), "Switch (1 min)") == "deploy/switch"


@given(st.lists(st.sampled_from(["a", "a-2", "b"]), max_size=12))
def test_a_register_never_gives_a_name_twice(wanted: list[str]) -> None:
    register = Register()
    given_names = [register.claim(name, line)[0] for line, name in enumerate(wanted)]
    assert len(set(given_names)) == len(given_names)
