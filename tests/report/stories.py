"""Runs that went in different ways, told once and read by many tests."""

from __future__ import annotations

from collections.abc import Callable

from tests.report.builders import Story, a_phase, a_plan, a_step, an_option
from tests.report.watches import Watched

ADMIN = "A regular user may not read the admin API"


def the_plan() -> dict:
    return a_plan(
        a_phase(
            "pre",
            "Pre-deployment",
            a_step("disk", "At least 8 GB of disk are free", 12, critical=True),
            a_step("index", "Every materialized view has a unique index", 18),
            a_step("told", "Support knows about the release", 25, "manual", owner="ben"),
            a_step("backup", "A backup of last night exists", 27, claimed=True),
            line=10,
        ),
        a_phase(
            "deploy",
            "Deployment",
            a_step("migrate", "Apply the migration", 33, "action", estimate_s=60),
            a_step("switch", "Switch to the new release", 41, "action", critical=True),
            line=31,
            planned=120,
        ),
        a_phase(
            "smoke",
            "Smoke tests",
            a_step("home", "Home page answers", 50),
            a_step("admin", ADMIN, 57, critical=True),
            a_step("search", "Search finds a known document", 63),
            line=48,
        ),
        options=(
            an_option(
                "previous",
                "Option 1: previous release",
                a_step("switch-back", "Switch back to the old release", 73, "action"),
                stated=120,
            ),
            an_option(
                "restore",
                "Option 2: restore the backup",
                a_step("pg-restore", "Restore the dump", 82, "action"),
                stated=900,
                line=80,
            ),
        ),
        proof=(
            a_step("old-home", "Home page answers (old version)", 87),
            a_step("old-schema", "The schema is the old one", 89),
        ),
    )


def _before_smoke(story: Story, *, first: str = "pass", **more: object) -> Story:
    story.phase("pre", "Pre-deployment", "preflight")
    story.do("disk", took=0.2, expected="free >= 8 GB", actual="free 31 GB")
    story.do("index", first, 3, **more)
    story.begin("told")
    story.say(
        "question.asked",
        "told",
        question="Support knows about the release",
        form="manual",
        choices=["yes", "no", "skip"],
        line=25,
    )
    story.wait(30).answer("told", "yes", "ben", link="https://chat.example/1", form="manual")
    story.end("told", took=30, actual="answered yes", by="ben", link="https://chat.example/1")
    return story.do("backup", took=0.4, expected="age < 24 h", actual="age 9 h")


def _deployed(story: Story) -> Story:
    story.gate("pre").phase("deploy", "Deployment", "deploy")
    story.do("migrate", took=64, actual="exit 0", text="CREATE INDEX\nALTER TABLE\n")
    return story.do("switch", took=8, actual="exit 0").gate("deploy").phase("smoke", "", "verify")


def go() -> Story:
    story = _deployed(_before_smoke(Story(the_plan())))
    story.do("home", took=0.1, actual="status 200", expected="status = 200")
    story.begin("admin").wait(0.2)
    story.say("step.tried", "admin", attempt=1, status="fail", actual="status 502", why="")
    story.wait(2).do("admin", took=0.1, actual="status 403", expected="status = 403", attempts=2)
    story.do("search", took=0.3).gate("smoke")
    return story.verdict("go", 0)


def rolled_back() -> Story:
    story = _deployed(_before_smoke(Story(the_plan())))
    story.do("home", took=0.1)
    story.do(
        "admin",
        "fail",
        0.2,
        actual="status 200",
        expected="status = 403",
        critical=True,
        sentences=("status 200, expected = 403",),
        indicators={"status": 200, "latency_s": 0.2},
        text='HTTP/1.1 200 OK\n\n{"p99": [1, 2, 3]}\n',
    )
    skipped = f"not run: `{ADMIN}` (line 57) did not pass"
    story.end("search", "unknown", 0, why=skipped, attempts=0)
    why = f"{ADMIN}: status 200"
    story.gate("smoke", "no-go", why, f"Search finds a known document: {skipped}")
    _going_back(story, f"Smoke tests: {why}", "options")
    story.say("option.started", "previous", title="Option 1: previous release", stated_s=120)
    story.do("switch-back", took=38, actual="exit 0").wait(11)
    story.do("previous?proof:old-home", took=4).do("previous?proof:old-schema", took=5)
    story.say("option.finished", "previous", status="pass", why="")
    _back(story, "pass", option="previous", why="Option 1: previous release")
    times = {"detect_s": 4.0, "decide_s": 0.0, "act_s": 38.0, "recover_s": 20.0}
    return story.verdict("no-go", 4, why=f"Smoke tests: {why}", way="options", times=times)


def _going_back(story: Story, reason: str, way: str) -> None:
    body = {"reason": reason, "item": "smoke", "way": way, "why": ""}
    story.say("rollback.started", "rollback?decide", body=body)


def _back(story: Story, status: str, *, option: str = "", why: str = "") -> None:
    story.say("rollback.finished", "rollback?decide", status=status, option=option, why=why)


def second_way() -> Story:
    """The first way back fails, the proof after the second does not hold."""
    story = _deployed(_before_smoke(Story(the_plan())))
    story.do("home", "error", 5, why="connection refused", expected="status = 200", critical=True)
    story.gate("smoke", "no-go", "Home page answers: connection refused")
    story.say("abort.requested", who="ana", reason="the shop is down")
    _going_back(story, "aborted by ana: the shop is down", "options")
    story.say("option.started", "previous")
    story.do("switch-back", "fail", 10, actual="exit 1", expected="exit = 0")
    story.say("option.finished", "previous", status="fail", why="`switch-back` failed")
    story.say("option.started", "restore")
    story.do("pg-restore", took=400).do("restore?proof:old-home")
    story.do("restore?proof:old-schema", "unknown", why="no rows came back")
    why = "The schema is the old one: no rows came back"
    story.say("option.finished", "restore", status="fail", why=why)
    _back(story, "fail", why=why)
    return story.verdict("no-go", 1, way="options", why=f"aborted by ana; rollback failed: {why}")


def undone() -> Story:
    """No rollback section: the Undo blocks of the finished steps, in reverse."""
    plan = {**the_plan(), "rollback": None}
    story = _deployed(_before_smoke(Story(plan)))
    story.do("home", "fail", 1, actual="status 500", expected="status = 200")
    story.gate("smoke", "no-go", "Home page answers: status 500")
    _going_back(story, "Smoke tests: Home page answers: status 500", "undo")
    story.do("switch~undo1", took=3).do("migrate~undo1", took=4)
    _back(story, "pass", why="2 undone; no proof was written")
    times = {"detect_s": 1, "decide_s": 0, "act_s": 7, "recover_s": 0}
    return story.verdict("no-go", 4, times=times)


def _held() -> Story:
    story = Story(the_plan(), waivers={"backup": {"who": "eve", "reason": "old", "expires": "x"}})
    waived = {
        "actual": "has_unique_index false",
        "expected": "has_unique_index is true in every row",
        "why": "fail: 1 of 3 rows",
        "by": "ana",
        "reason": "the view is refreshed at night only",
        "expires": "2026-02-28",
    }
    _before_smoke(story, first="waived", **waived)
    _deployed(story)
    story.do("home")
    story.do("admin", "unknown", 0.3, why="no answer within 10 s", expected="status = 403")
    story.do("search", "error", 1, why="could not resolve the host `search.internal`")
    story.say(
        "question.asked",
        "smoke?gate",
        question="`Smoke tests` cannot be decided: go or no-go?",
        form="hold",
        choices=["go", "no-go"],
        line=48,
    )
    return story


def hold_with_waiver() -> Story:
    """Nobody answers at the gate."""
    story = _held()
    story.gate("smoke", "hold", f"{ADMIN}: no answer within 10 s", "watch of 3 rules: not watched")
    return story.verdict("hold", 3, why="nobody answered")


def held_then_go() -> Story:
    """Somebody says go at the gate, with a reason, and so accepts what has no evidence."""
    story = _held().wait(20)
    said = {"reason": "checked by hand", "expires": "2026-04-01"}
    story.answer("smoke?gate", "go", "eve", form="hold", **said)
    held = ["admin", "search", "smoke/rules"]
    body = {"verdict": "go", "reasons": [], "by": "eve", "held": held, **said}
    return story.say("gate.decided", "smoke", body=body).verdict("go", 0)


def crashed_and_resumed() -> Story:
    story = _before_smoke(Story(the_plan())).gate("pre").phase("deploy")
    story.begin("migrate").wait(130).say("run.resumed", pid=4711, gap_s=130)
    story.say(
        "question.asked",
        "migrate?interrupted1",
        question="was `Apply the migration` done?",
        form="interrupted",
        choices=["done", "again", "failed"],
        line=33,
    )
    story.wait(5).answer("migrate?interrupted1", "again", reason="the table was not there")
    story.begin("migrate", 2).end("migrate", took=60, attempts=2, notes=("ran again",))
    story.do("switch").gate("deploy").phase("smoke")
    for step in ("home", "admin", "search"):
        story.do(step)
    return story.gate("smoke").verdict("go", 0)


def unfinished() -> Story:
    story = _before_smoke(Story(the_plan())).gate("pre").phase("deploy")
    return story.begin("migrate")


def _watched_plan() -> dict:
    plan = the_plan()
    home = a_step("first", "Home page answers in the first 15 minutes", 86)
    watch = a_phase("watch", "Watch for 40 minutes", home, line=84, planned=2400)
    return {**plan, "phases": [*plan["phases"], {**watch, "role": "watch"}]}


def _released() -> Story:
    story = _deployed(_before_smoke(Story(_watched_plan())))
    for step in ("home", "admin", "search"):
        story.do(step)
    return story.gate("smoke").phase("watch", "Watch for 40 minutes", "watch").do("first")


GOOD_SLICES = ((12, 310), (10, 290), (35, 380), (20, 460), (8, 300), (9, 310), (11, 320), (7, 305))


def watch_go() -> Story:
    """Every slice is good; one warning is on its way and fades."""
    watched = Watched(_released())
    watched.see(*GOOD_SLICES)
    return watched.end().gate("watch").verdict("go", 0)


def _tell(story: Story, number: int, text: str, state: str = "firing", *, tries: int = 1) -> None:
    line = {
        "alert": "rollback/1",
        "severity": "page",
        "state": state,
        "reason": "first" if state == "firing" else "resolved",
        "text": text,
    }
    notice = {"run": "7f3a", "number": number, "contact": "ops", "lines": [line]}
    key = f"7f3a/{number}/ops/slack"
    decided = {"alert": "rollback/1", "reason": line["reason"], "contacts": ["ops"], "who": ""}
    story.say("alert.decided", decisions=[decided], notices=[notice], state={}, seen=1, ended=False)
    body = {"notice": notice, "contact": "ops", "channel": "slack"}
    story.say("delivery.due", key, body={**body, "due_ms": int(story.now.timestamp() * 1000)})
    for attempt in range(1, tries):
        story.say("delivery.trying", key, attempt=attempt)
        body = {"failure": "timeout", "why": "no answer within 10 s", "next_s": 5.0}
        story.wait(5).say("delivery.tried", key, attempt=attempt, body=body)
    story.say("delivery.trying", key, attempt=tries)
    done = {"outcome": "sent", "failure": None, "why": "", "id": "17", "attempts": tries}
    story.say("delivery.done", key, attempt=tries, **done, contact="ops", channel="slack")


def watch_rolled_back() -> Story:
    """Two buckets in a row have too many errors, and the run goes back."""
    watched = Watched(_released())
    moves = watched.see((12, 310), (140, 290), (35, 520), (20, 300), (180, 470), (410, 480))
    story = watched.story
    why = moves[-1].reason
    watched.end(complete=False, why=why)
    story.gate("watch", "no-go", f"errors: {why}")
    _going_back(story, f"Watch for 40 minutes: {why}", "options")
    _tell(story, 1, f"rolling back: {why}", tries=2)
    story.say("option.started", "previous", title="Option 1: previous release", stated_s=120)
    story.do("switch-back", took=38, actual="exit 0").wait(11)
    story.do("previous?proof:old-home", took=0.04).do("previous?proof:old-schema", took=5)
    story.say("recovery.started", "previous", started_ms=1_772_375_460_000)
    for start, says in (
        (1_772_375_400_000, "error rate 1.2 %, expected <= 1 %"),
        (1_772_375_700_000, "all objectives green"),
    ):
        body = {"way": "previous", "start_ms": start, "says": says}
        story.say("recovery.seen", f"previous@{start}", body=body)
    story.say("option.finished", "previous", status="pass", why="")
    _back(story, "pass", option="previous", why="Option 1: previous release")
    _tell(story, 2, "rolled back, the old state is proved", "resolved")
    times = {"detect_s": 600.0, "decide_s": 0.045, "act_s": 38.0, "recover_s": 20.0}
    return story.verdict("no-go", 4, why=why, way="options", times=times)


def watch_blind() -> Story:
    """A source refuses, then nobody carries the run on; what nobody saw is no evidence."""
    watched = Watched(_released(), values=False, why=("permission denied",))
    watched.see((12, 310), (10, 600), (8, None), (9, None), (None, None))
    story = watched.story.wait(700)
    story.say("run.resumed", pid=4711, gap_s=700)
    watched.miss(2)
    watched.see((None, None), coverage=0)
    watched.see((140, 310), (7, 305))
    story = watched.end()
    note = {"alert": "no-data/response time/1", "reason": "silenced", "contacts": []}
    story.say("alert.decided", decisions=[{**note, "who": "ana: planned work"}], notices=[])
    story.say(
        "question.asked",
        "watch?gate",
        question="`Watch for 40 minutes`: 2 without evidence; go on?",
        form="hold",
        choices=["go", "no-go"],
        line=84,
    )
    said = {"reason": "the logs of the balancer are fine", "expires": "2026-04-01"}
    story.wait(20).answer("watch?gate", "no-go", "eve", form="hold", **said)
    body = {"verdict": "hold", "reasons": [], "held": ["fast", "errors"]}
    return story.say("gate.decided", "watch", body=body).verdict("hold", 3, why="held by eve")


def watching() -> Story:
    """The watch goes on, and a trigger has one of its two buckets."""
    watched = Watched(_released(), planned=288)
    watched.see((12, 310), (10, 290), (35, 380), (20, 300), (140, 300))
    return watched.story


STORIES: dict[str, tuple[Callable[[], Story], int | None]] = {
    "go": (go, 0),
    "rolled-back": (rolled_back, 4),
    "second-way": (second_way, 1),
    "undone": (undone, 4),
    "hold-with-waiver": (hold_with_waiver, 3),
    "held-then-go": (held_then_go, 0),
    "crashed-and-resumed": (crashed_and_resumed, 0),
    "unfinished": (unfinished, None),
    "watch-go": (watch_go, 0),
    "watch-rolled-back": (watch_rolled_back, 4),
    "watch-blind": (watch_blind, 3),
    "watching": (watching, None),
}
