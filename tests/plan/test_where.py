from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.plan.where import NotUnderstoodError, read
from gonogo.plan.where_ask import compiled

LINE: dict[str, object] = {
    "status": 503,
    "code": "404",
    "path": "/api/search",
    "agent": "Mozilla/5.0 (X11)",
    "cached": False,
    "user": None,
    "ms": 12.5,
    "res": {"size": 10},
    "a.b": "flat",
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("status >= 500", True),
        ("status ≥ 500", True),
        ("status < 500", False),
        ("status = 503", True),
        ("status == 503.0", True),
        ("status != 503", False),
        ("status <> 200", True),
        ("code > 400", True),
        ("code = 404", True),
        ("ms > 12.4", True),
        ("path startswith /api", True),
        ("path starts with /api", True),
        ("path not startswith /api", False),
        ("path endswith search", True),
        ("path contains ear", True),
        ('agent contains "(X11)"', True),
        ("agent contains 'Mozilla/5.0 ('", True),
        ("status in (502, 503)", True),
        ("status in [502, 504]", False),
        ("status not in 502, 504", True),
        ("status between 500 and 599", True),
        ("status = 5xx", True),
        ("status != 5xx", False),
        ("status is 4XX", False),
        ("code = 4xx", True),
        ("status between 500 and 599 and path = /api/search", True),
        ("cached = false", True),
        ("cached is true", False),
        ("user = null", True),
        ("user is not null", False),
        ("user exists", True),
        ("gone exists", False),
        ("gone is absent", True),
        ("res.size = 10", True),
        ("a.b = flat", True),
        ("`a.b` = flat", True),
        ("not status = 200", True),
        ("status = 200 or path startswith /api", True),
        ("status = 200 or status = 503 and ms < 1", False),
        ("(status = 200 or status = 503) and ms > 1", True),
        ("status = 503 && ms > 1 || gone = 1", True),
        # unknown: the field is not there, or is no number
        ("gone = 1", None),
        ("gone != 1", None),
        ("not gone = 1", None),
        ("path > 5", None),
        ("user > 5", None),
        ("cached > 0", None),
        ("status startswith 5", None),
        ("res.gone = 1", None),
        ("status.x = 1", None),
        ("gone = 1 and status = 503", None),
        ("gone = 1 or status = 503", True),
        ("gone = 1 and status = 200", False),
        ("gone in (1, 2)", None),
    ],
)
def test_asks_a_line(text: str, said: bool | None) -> None:
    assert compiled(read(text))(LINE) is said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the filter ends where a field is expected"),
        ("status", "the filter ends where a comparison is expected"),
        ("status >=", "the filter ends where a value is expected"),
        ("status => 500", "`>` stands where a value is expected"),
        ("status >= high", "`high` behind `>=` is no number"),
        ("status >= 500ms", "`500ms` behind `>=` is no number"),
        ("500 <= status", "`500` is no field of a line"),
        ("status like 5", "`like` is no comparison"),
        ("status = 1 status = 2", "`status` is not expected there"),
        ("(status = 1", "a bracket is not closed"),
        ("status in (1, 2", "a list is not closed"),
        ("status in (4xx, 5xx)", "no line has `4xx`"),
        ("status between 1 to 2", "`between` needs two numbers"),
        ('path = "x', "is not understood"),
        ("status = 1 and", "the filter ends where a field is expected"),
        ("(" * 50 + "a = 1" + ")" * 50, "nested deeper"),
        ("a = 1 or " * 200 + "a = 1", "too long"),
    ],
)
def test_says_what_it_does_not_understand(text: str, said: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        read(text)
    assert said in str(caught.value)


def test_knows_its_fields() -> None:
    assert read("a = 1 and (b.c > 2 or not a = 3)").fields() == ("a", "b.c")


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_said_not_to_be(text: str) -> None:
    try:
        asked = read(text)
    except NotUnderstoodError:
        return
    assert compiled(asked)(LINE) in {True, False, None}


NAMES = st.sampled_from(["status", "gone", "path", "user"])
TESTS = st.builds("{} {} {}".format, NAMES, st.sampled_from([">=", "=", "!="]), st.just("500"))


@given(TESTS, TESTS)
def test_and_or_and_not_agree_with_each_other(one: str, other: str) -> None:
    both = compiled(read(f"not ({one} and {other})"))(LINE)
    either = compiled(read(f"not {one} or not {other}"))(LINE)
    assert both is either
