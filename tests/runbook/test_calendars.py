"""Windows in a runbook: in the front matter for the deploy, under a heading for that phase."""

from __future__ import annotations

from tests.runbook.conftest import Reader

from gonogo.runbook.canonical import digest, plan_json

PAGE = """---
gonogo: 1
{front}
---
# Search

## Pre-deployment

- [ ] The old version answers

## Deployment

{under}- [ ] Somebody switches

## Deployment of the worker

- [ ] Somebody switches the worker
"""


def page(front: str = "", under: str = "") -> str:
    return PAGE.format(front=front, under=under)


def test_the_front_matter_speaks_of_the_first_deployment(understood: Reader) -> None:
    window = "release window: Tue-Thu 02:00-05:00 Europe/London"
    front = f"{window}\nfreeze:\n  - 2026-12-18 to 2027-01-04: x"
    plan = understood(page(front)).plan
    assert plan is not None
    said = [phase.calendar.say() if phase.calendar else None for phase in plan.phases]
    assert said == [None, "Tue-Thu 02:00-05:00 Europe/London", None]
    calendar = plan.phases[1].calendar
    assert calendar is not None
    assert [freeze.say() for freeze in calendar.freezes] == ["2026-12-18 to 2027-01-04: x"]


def test_a_line_under_a_heading_speaks_of_its_phase(understood: Reader) -> None:
    text = page("timezone: Europe/Berlin", "- Window: Sat 06:00-09:00 (if possible)\n\n")
    found = understood(text)
    assert found.plan is not None
    calendar = found.plan.phases[1].calendar
    assert calendar is not None
    assert calendar.say() == "Sat 06:00-09:00 Europe/Berlin (if possible)"
    told = [m.detail for m in found.meanings if m.what == "window"]
    assert told == ["begins Sat 06:00-09:00 Europe/Berlin (if possible)"]


def test_a_freeze_alone_holds_for_the_deployment(understood: Reader) -> None:
    plan = understood(page("freeze: 2026-12-24")).plan
    assert plan is not None
    calendar = plan.phases[1].calendar
    assert calendar is not None
    assert calendar.slots == ()
    assert calendar.say() == "any time UTC"


def test_a_window_changes_what_the_plan_says(understood: Reader) -> None:
    bare, early = understood(page()).plan, understood(page("release window: 02:00-05:00")).plan
    assert bare is not None
    assert early is not None
    assert digest(bare) != digest(early)
    assert "calendar" in plan_json(early)["phases"][1]  # type: ignore[index]


def test_what_is_no_window_is_a_mistake_in_its_place(understood: Reader) -> None:
    text = page(
        "release window: at night\nfreeze: [soon, 2026-12-24]", "- Window: Foo 1:00-2:00\n\n"
    )
    found = understood(text)
    assert found.plan is None
    wrong = [(d.code, d.span.line, d.message) for d in found.diagnostics if d.code == "GN550"]
    assert [(code, line) for code, line, _ in wrong] == [("GN550", 4), ("GN550", 14)]
    assert wrong[0][2].startswith("`soon` names no days")
    again = understood(page("release window: at night"))
    assert [(d.code, d.span.line) for d in again.diagnostics] == [("GN550", 3)]
