"""Several watches one after the other, and the way back: what a rehearsal says of each."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.rehearsals import Said, as_json, clock

HOUR = 3_600_000


def test_each_watch_is_shown_with_its_times_and_its_checkpoints(said: Said) -> None:
    found = as_json(said, "rehearse", "watches.md", "--timeline", "watches.yaml")
    spans = {
        one["title"]: (clock(one["first_bucket_ms"]), one["ends_ms"] // HOUR)
        for one in found["watches"]
    }
    assert spans == {
        "First hour in 5-minute buckets": ("09:00", 10),
        "First day": ("10:05", 24 + 9),
        "First week": ("33:05", 7 * 24 + 9),
    }
    points = {c["title"]: (c["begins_s"], c["ends_s"], c["every_s"], len(c["steps"]))
              for one in found["watches"] for c in one["checkpoints"]}  # fmt: skip
    assert points == {
        "First 15 minutes": (0, 900, 300, 1),
        "After 4 hours": (14400, 14400, None, 1),
    }


def test_a_trigger_in_the_first_watch_ends_the_rehearsal_there(said: Said) -> None:
    found = as_json(said, "rehearse", "watches.md", "--timeline", "watches.yaml")
    story = next(one for one in found["stories"] if one["name"].startswith("errors in the first"))
    assert [one["title"] for one in story["watches"]] == ["First hour in 5-minute buckets"]
    assert story["not_reached"] == ["First day", "First week"]
    assert clock(story["rollback"]["at_ms"]) == "09:15"
    back = story["recovery"]
    assert (back["outcome"], clock(back["at_ms"])) == ("green", "09:35")
    row = [(clock(one["closed_ms"]), one["look"], one["green"]) for one in back["buckets"]]
    assert row == [("09:25", "green", 1), ("09:30", "green", 2), ("09:35", "green", 3)]


def test_a_rule_of_a_later_watch_is_judged_in_it_alone(said: Said) -> None:
    found = as_json(said, "rehearse", "watches.md")
    story = next(one for one in found["stories"] if str(one["rule"]).startswith("objective/resp"))
    assert [(one["verdict"], one["moves"]) for one in story["watches"]] == [
        ("go", 0), ("no-go", 2), ("go", 0),
    ]  # fmt: skip


def test_a_recovery_that_takes_longer_than_allowed_says_so(said: Said) -> None:
    text = Path("watches.md").read_text(encoding="utf-8")
    Path("hasty.md").write_text(text.replace("rto: 40m", "rto: 25m"), encoding="utf-8")
    _, out, _ = said("rehearse", "hasty.md", "--timeline", "watches.yaml")
    assert "30 min 10 s after the first bad bucket began; too long: at most 25 min (line 7)" in (
        " ".join(out.split())
    )
    assert "too long" not in said("rehearse", "watches.md", "--timeline", "watches.yaml")[1]


def test_a_runbook_without_a_way_back_says_so(said: Said) -> None:
    text = Path("watches.md").read_text(encoding="utf-8")
    Path("none.md").write_text(text.split("### Option 1")[0], encoding="utf-8")
    _, out, _ = said("rehearse", "none.md", "--timeline", "watches.yaml")
    assert "rollback  at 09:15; the runbook has no way back\n" in out
    assert "recovered" not in out.replace("recovered:", "")
    code, out, _ = said("test", "none.md", "--timeline", "watches.yaml")
    assert code == 1
    assert "the runbook has no way back; expected at 09:35" in out


def test_where_no_option_is_written_the_undo_of_the_steps_is_the_way_back(said: Said) -> None:
    text = Path("watches.md").read_text(encoding="utf-8").split("### Option 1")[0]
    step = (
        "1. Switch\n\n   ```bash\n   ./switch v2\n   ```\n\n"
        "   - Undo:\n\n     ```bash\n     ./switch v1\n     ```\n"
    )
    text = text.replace("- [ ] The new version serves all traffic\n", step)
    Path("undo.md").write_text(text, encoding="utf-8")
    _, out, _ = said("rehearse", "undo.md", "--timeline", "watches.yaml")
    assert "way back  what the steps undo, then 3 green buckets in a row within 6\n" in out
    assert "recovered at 09:35" in out


def test_what_is_expected_of_the_way_back_is_told_where_it_differs(said: Said) -> None:
    text = Path("watches.yaml").read_text(encoding="utf-8")
    Path("wrong.yaml").write_text(text.replace("09:35", "09:30"), encoding="utf-8")
    code, out, _ = said("test", "watches.md", "--timeline", "wrong.yaml")
    assert code == 1
    assert "  FAIL  end: no-go; recovered at 09:30 " in out
    assert "        recovered at 09:35; expected at 09:30\n" in out
    (timeline,) = json.loads(said("test", "watches.md", "--timeline", "wrong.yaml", "--json")[1])[
        "timelines"
    ]
    told = {case["name"][:6]: case["recovery"] for case in timeline["cases"]}
    assert told["nothin"] is None
    assert told["errors"]["outcome"] == "green"
    assert told["the ol"]["outcome"] == "never"
