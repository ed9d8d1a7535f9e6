"""What a heading says about its section: the phase, and whether its lists are steps or rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence


class Topic(StrEnum):
    """What the lists of a section hold."""

    STEPS = "steps"
    OBJECTIVES = "objectives"  # must hold
    ALERTS = "alerts"  # must not hold; the severity stands in the line
    THRESHOLDS = "thresholds"  # which way they point is told by what they are of
    RED_FLAGS = "red flags"  # must not hold; somebody is called
    TRIGGERS = "triggers"  # must not hold; rolls back
    PROOF = "proof"  # steps of the rollback section that prove the old state
    CRITERIA = "criteria"  # of the sign-off: must hold


CONSEQUENCES: dict[Topic, Consequence] = {
    Topic.OBJECTIVES: Consequence.OBJECTIVE,
    Topic.CRITERIA: Consequence.OBJECTIVE,
    Topic.ALERTS: Consequence.PAGE,
    Topic.RED_FLAGS: Consequence.PAGE,
    Topic.THRESHOLDS: Consequence.PAGE,
    Topic.TRIGGERS: Consequence.ROLLBACK,
}
"""What a rule of this topic is for when its line names no severity."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What the words of one heading say; `strong` words outrank the heading above."""

    role: Role | None
    topic: Topic | None = None
    strong: bool = False


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(words)})", re.IGNORECASE)


_TOPICS: tuple[tuple[re.Pattern[str], Topic], ...] = (
    (
        _any(
            r"\b(?:roll[\s-]?back|revert|abort|back[\s-]?out|no[\s-]?go)\s+(?:decision\s+)?"
            r"(?:triggers?|criteria|conditions?|thresholds?|when|if)\b",
            r"\b(?:when|criteria|conditions|triggers?) (?:to|for|that require|requiring) "
            r"(?:(?:trigger|initiate|start|invoke|perform|execute|call|consider) )?(?:an? |the )?"
            r"(?:roll(?:ing)?[\s-]?back|revert(?:ing)?|abort(?:ing)?)",
            r"\brequir(?:e|es|ing) (?:a |an )?(?:immediate )?roll[\s-]?back",
            r"\babbruch(?:kriterien|bedingungen)\b",
            r"^triggers?\b|\btriggers?$|"
            r"\broll(?:ing)? back (?:[a-z]+ ){0,3}(?:if|when|once)\b",
            r"\broll-?back,? (?:(?:is triggered|immediately|at once|automatically|now) )?"
            r"(?:if|when|once)\b",
        ),
        Topic.TRIGGERS,
    ),
    (_any(r"\bred flags?\b", r"\bwarning signs\b", r"\bstop conditions?\b"), Topic.RED_FLAGS),
    (
        _any(
            r"\balert(?:s|ing)?\s*(?:rules?|thresholds?|conditions?|levels?|polic(?:y|ies))",
            r"\b(?:action|warning|critical|paging|escalation|failure|red)\s+thresholds?$",
            r"^(?:(?:critical|warning|info|paging|p[0-4]|high|medium|low)[\s-]+)?alerts?$",
            r"^alert(?:s|ing)? |\broll[\s-]?back (?:decision )?matrix\b",
        ),
        Topic.ALERTS,
    ),
    (
        _any(r"\b(?:success|acceptance|pass(?:ing)?|target|healthy|normal)\s+thresholds?$"),
        Topic.OBJECTIVES,
    ),
    (_any(r"\bthresholds?$"), Topic.THRESHOLDS),
    (
        _any(
            r"\bobjectives?\b|\bSLOs?\b|\bSLIs?\b|\bservice levels?\b|\bKPIs?\b",
            r"\btargets?\b(?! (?:databases?|db|systems?|environments?|servers?|hosts?|clusters?|"
            r"versions?|branch|schema|platform|state|users?|audience|groups?|dates?|regions?)\b)",
            r"\b(?:key|expected|target|performance|critical) metrics\b",
            r"\bperformance (?:benchmarks?|targets?|budgets?)\b|\bbenchmarks?$",
        ),
        Topic.OBJECTIVES,
    ),
    (
        _any(
            r"\bsuccess (?:criteria|metrics|indicators|conditions)\b",
            r"\b(?:exit|acceptance|go[\s-]live|go/no[\s-]go|done) criteria\b",
            r"\bsuccessful if\b|\bdefinition of done\b",
        ),
        Topic.CRITERIA,
    ),
)
_PROOF = _any(
    r"\b(?:verif\w*|validat\w*|confirm\w*|proof|prove|check|checks)\b",
    r"\bafter (?:the |a )?roll[\s-]?back\b|\bpost[\s-]roll[\s-]?back\b",
    r"^\s*after(?:wards?)?\s*$|\bafter (?:the |a )?way back\b",
)

_ITS = r"(?:deploy\w*|release|rollout|go[\s-]?live|auslieferung|migration|umstellung)\b"
_ALSO_STEPS = _any(r"(?:&|\band\b|/|,|\+).*\b(?:procedures?|plan|steps|process|how to)\b")
_MONITORS = _any(r"^(?:monitoring|observability) (?:&|and)\b|^monitoring &")
_RECORDS = _any(r"\broll[\s-]?back (?:evidence|history|log|records?|reports?|examples?)$")
_STRONG: tuple[tuple[re.Pattern[str], Role], ...] = (
    (
        _any(
            r"\bpre[\s-]?(?:deploy\w*|release|launch|flight|migration|cut[\s-]?over|rollout|"
            r"checks?|requisites?)\b",
            r"\b(?:monitoring|alert\w*|logging|load[\s-]test\w*|roll[\s-]?back) (?:set[\s-]?up|"
            r"configuration|preparation|readiness)\b",
            r"\bprerequisites?\b|\bprerequirements?\b|\bready (?:to|for) (?:deploy|release|launch)",
            r"\bbefore (?:you |we |the )?(?:start|deploy\w*|releas\w*|launch\w*|begin\w*|"
            r"migrat\w*|go[\s-]live)",
            rf"\bvor (?:de[mr]|jede[mr]) {_ITS}|^voraussetzungen\b|^vorbereitung\b",
        ),
        Role.PREFLIGHT,
    ),
    (
        _any(
            r"\bmaintenance (?:schedule|plan|tasks?|calendar)\b|\bongoing (?:maintenance|tasks|"
            r"operations)\b",
            r"^maintenance$|^routine |\bstanding duties\b",
        ),
        Role.MAINTENANCE,
    ),
    (
        _any(
            r"\bsign[\s-]?offs?\b|\bgo[\s/-]+no[\s-]?go\b|\bgo[\s-]live (?:decision|approval|"
            r"declaration)\b|\bfinal approvals?\b|^abnahme\b|^freigabe\b",
            r"\bsuccess(?:ful)? (?:criteria|metrics|if)\b|\bexit criteria\b|^approvals?$",
        ),
        Role.SIGNOFF,
    ),
    (
        _any(
            r"\broll[\s-]?backs?\b|\brolling back\b|\bback[\s-]?out\b|\brevert(?: plan|"
            r" procedure| steps|ing)?\b",
            r"\b(?:disaster |emergency )?recovery (?:plan|procedures?|steps)\b|^recovery$|^undo\b",
            r"^zurückrollen\b|^rückfall(?:plan|ebene)?\b",
        ),
        Role.ROLLBACK,
    ),
    (
        _any(
            r"\b(?:load|stress|soak|performance)[\s-]tests?(?:ing)?\b|\bload generation\b",
        ),
        Role.LOAD,
    ),
    (
        _any(
            r"\bmonitor(?:ing)?\b|\bwatch(?:ing)?\b|\bobserv(?:e|ation|ability)\b|"
            r"\bhyper[\s-]?care\b|\bbake\b|\bsoak\b",
            r"^(?:überwachung|beobachtung)\b",
            r"^(?:T\+)?\d+[\s-]?(?:min(?:ute)?s?|h(?:ours?)?|days?|weeks?)\b",
            r"\b(?:first|next) (?:\d+[\s-])?(?:minutes?|hours?|days?|weeks?)\b|"
            r"\bcheck[\s-]?points?$",
        ),
        Role.WATCH,
    ),
    (
        _any(
            r"\bsmoke\b|\bpost[\s-]?(?:deploy\w*|release|launch|migration|flight|cut[\s-]?over|"
            r"rollout|go[\s-]live)\b",
            r"\bafter (?:the )?(?:deploy\w*|releas\w*|launch\w*|migration)\b|\bsanity (?:checks?|"
            r"tests?)\b|\bhealth checks?$",
            r"\bacceptance tests?\b|\bverification (?:steps|tests|checks)\b|"
            r"\bend[\s-]to[\s-]end tests?\b|^(?:final )?(?:verification|validation)$",
            rf"\bnach (?:de[mr]|jede[mr]) {_ITS}",
        ),
        Role.VERIFY,
    ),
    (
        _any(
            r"\b(?:deploy|deployment|release|rollout|roll[\s-]out|migration|cut[\s-]?over|launch|"
            r"upgrade|go[\s-]live|promotion)"
            r"\s+(?:steps?|process|procedures?|commands?|plan|day|execution|sequence|tasks)\b",
            r"^(?:the )?(?:deploy|deployment|deploying|release|rollout|roll[\s-]out|migrations?|"
            r"cut[\s-]?over|launch|go[\s-]live|execution|upgrade)$",
            r"^during (?:the )?(?:deploy\w*|release|rollout|migration|cut[\s-]?over|launch)\b",
            r"\b(?:database|schema|data) migrations?$|^deploy(?:ment|ing)? (?:to|on|the|of|in)\b|"
            r"^(?:release|deploy) (?:the|to|a)\b",
        ),
        Role.DEPLOY,
    ),
)
_WEAK: tuple[tuple[re.Pattern[str], Role], ...] = (
    (
        _any(
            r"\bprepar(?:e|ation|ing)\b|\breadiness\b|\brequirements?\b|\bset[\s-]?up\b|"
            r"\bbefore\b|\bback[\s-]?ups?\b|\bbaseline\b",
        ),
        Role.PREFLIGHT,
    ),
    (_any(r"\bdaily\b|\bweekly\b|\bmonthly\b|\bquarterly\b|\bmaintenance\b"), Role.MAINTENANCE),
    (_any(r"\bacceptance criteria\b|\bapprov(?:e|al|als)\b|\bdefinition of done\b"), Role.SIGNOFF),
    (
        _any(r"\bverif(?:y|ication|ying)\b|\bvalidat(?:e|ion|ing)\b|\bsmoke\b|\btest(?:s|ing)?\b"),
        Role.VERIFY,
    ),
    (
        _any(
            r"\bdeploy\w*\b|\breleas(?:e|ing)\b|\broll[\s-]?out\b|\bmigrat(?:e|ion|ions|ing)\b|"
            r"\bcut[\s-]?over\b|\bcanary (?:rules|stages?|steps?|phases?|plan|release)\b|^stages$",
            r"\blaunch\w*\b|\bgo[\s-]live\b|\bupgrad(?:e|ing)\b|\bpublish(?:ing)?\b|"
            r"\binstall(?:ation|ing)?\b|\bship\b",
        ),
        Role.DEPLOY,
    ),
)
_REFERENCE = _any(
    r"\bquick (?:reference|commands?|links?|start)\b|\bcommands? reference\b|\breferences?\b|"
    r"\btrouble[\s-]?shooting\b",
    r"\bcontacts?\b|\bcontact points?\b|^(?:\w+ )?notes?$|\bappendix\b|\bappendices\b|"
    r"\bglossary\b|\blinks?$|\boverview\b",
    r"\bbackground\b|\blessons\b|\btable of contents\b|^contents$|\bFAQs?\b|\bintroduction\b|"
    r"\bsummary$",
    r"^scope$|\bcommon (?:issues|problems|errors)\b|\bknown issues\b|\bchange[\s-]?log\b|"
    r"\brevision history\b",
    r"\barchitecture\b|\bresources$|^about\b|\bpurpose\b|\bdependencies$|\bestimated effort\b|"
    r"\btips\b|\bexamples?$",
    r"\bcheat[\s-]?sheet\b|\bescalation\b|^related\b|\brisks?(?: assessment)?$|"
    r"(?<!rollout )(?<!roll-out )(?<!cutover )(?<!deployment )\btimeline$|"
    r"^out of scope$|\bdocumentation$|\btemplates?$",
)


_STEPS = re.compile(
    r"(?:(?:emergency |immediate )?roll[\s-]?back |recovery )?"
    r"(?:plan|steps|procedure|actions|process)",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"^no\b.*\b(?:if|when)\b|\b(?:can|may|should) wait\b|\bfix[\s-]forward\b|\bno(?:t)? "
    r"(?:need to )?roll|\bdon['’]t roll|\bnot (?:be )?(?:needed|required|necessary|roll\w*)\b",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\s*\([^()]*\)")


def denies(words: str) -> bool:
    """Tell whether a sentence says when nothing is done: `Rollback can wait if:`."""
    return _DENIES.search(words) is not None


def topic_of(words: str) -> Topic | None:
    """Return what the lists under a heading of these words hold, when it is not steps."""
    if denies(words):
        return None
    for text in (words, _BRACKETS.sub("", words).strip()):
        for pattern, topic in _TOPICS:
            if pattern.search(text):
                return topic
    return None


def topic_of_lead(words: str) -> Topic | None:
    """Return what the list under a sentence holds; one that says no turns no line into a rule."""
    return Topic.STEPS if denies(words) or are_steps(words) else topic_of(words)


def are_steps(words: str) -> bool:
    """Tell a list of what is done (`Rollback plan:`) from one of conditions, among triggers."""
    return _STEPS.fullmatch(words.strip().rstrip(":").strip()) is not None


_COMMAND = _any(
    r"^(?:watch|monitor|observe|revert|verify|check|confirm|test|prepare|load[\s-]test|smoke[\s-]test)"
    r"\s+(?:the|a|an|all|your|any|that|if|whether|every|each)\b",
)


def guess(words: str) -> Guess:
    """Read the phase and the topic from the words of a heading (without its number).

    `Watch the logs` is one thing to do, so it does not outrank the heading above; `Monitoring` is.
    """
    text = words.strip().rstrip(":").strip()
    found = _beside_brackets(text) or _guess(text, topic_of(text))
    if found.strong and _COMMAND.match(text):
        return Guess(found.role, found.topic)
    return found


def _beside_brackets(text: str) -> Guess | None:
    """Read `Phased rollout (testing for real)` without what stands in brackets; None to read all.

    Strong words count wherever they stand, and so does what the lists hold.
    """
    head = _BRACKETS.sub("", text).strip()
    if not head or head == text:
        return None
    topic = topic_of(head)
    outside = _guess(head, topic)
    everything = _guess(text, topic_of(text))
    if outside.role is None or (everything.strong and not outside.strong):
        return everything
    return outside if topic is not None else Guess(outside.role, everything.topic, outside.strong)


def _of_both(text: str, topic: Topic | None) -> Guess | None:
    """Read `Triggers and procedure` as a way back, `Monitoring & success metrics` as a watch."""
    if topic is Topic.TRIGGERS:
        steps = _ALSO_STEPS.search(text) is not None
        return Guess(Role.ROLLBACK, strong=True) if steps else Guess(Role.WATCH, topic)
    if topic is Topic.CRITERIA and _MONITORS.match(text):
        return Guess(Role.WATCH, Topic.OBJECTIVES, strong=True)
    return None


def _guess(text: str, topic: Topic | None) -> Guess:
    both = _of_both(text, topic)
    if both is not None:
        return both
    if _RECORDS.search(text):
        return Guess(Role.REFERENCE)
    for pattern, role in _STRONG:
        if pattern.search(text):
            return Guess(role, topic, strong=True)
    if topic in {Topic.RED_FLAGS, Topic.ALERTS, Topic.OBJECTIVES, Topic.THRESHOLDS}:
        return Guess(Role.WATCH, topic)
    if _REFERENCE.search(text):
        return Guess(Role.REFERENCE)
    for pattern, role in _WEAK:
        if pattern.search(text):
            return Guess(role, topic)
    return Guess(None, topic)


def is_proof(words: str) -> bool:
    """Tell whether a heading inside the rollback section speaks of proving the old state."""
    return _PROOF.search(words) is not None


def role_named(word: str) -> Role | None:
    """Return the role that `Phase:` names: its own name or an everyday word for it."""
    text = word.strip().strip("`").casefold()
    for role in Role:
        if text in {role.value, role.value.replace("-", " "), role.value.replace("-", "")}:
            return role
    found = guess(text).role
    return found if found is not Role.REFERENCE else None
