"""The words of the condition language: comparisons, statistics, states, severities, windows."""

from __future__ import annotations

import re


def bag(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


# op -> phrases that need a number behind them
BEFORE_NUMBER: dict[str, str] = {
    "<": "under|below|back below|back under|beneath|less than|fewer than|lower than|smaller than"
    "|shorter than"
    "|faster than|quicker than|younger than|newer than",
    ">": "over|above|back above|back over|more than|greater than|higher than|larger than"
    "|bigger than|longer than"
    "|slower than|older than|in excess of|beyond|exceeds|exceed|exceeding|exceeded|surpasses"
    "|surpass|tops|goes past|rises past|climbs past",
    "<=": "at most|up to|maximum|maximum of|a maximum of|max|max of|max.|within|no more than"
    "|no higher than|no greater than|no longer than|no later than|no slower than|no older than"
    "|no larger than|at or below|at or under|less than or equal to|fewer than or equal to"
    "|lower than or equal to|equal to or less than|equal to or below|less than or equal",
    ">=": "at least|minimum|minimum of|a minimum of|min|min of|min.|no less than|no fewer than"
    "|no lower than|at or above|at or over|greater than or equal to|more than or equal to"
    "|higher than or equal to|equal to or greater than|equal to or above|greater than or equal"
    "|reaches|reach",
    "between": "between|in the range|in range|from",
}
# op -> phrases that may have any value behind them
BEFORE_ANY: dict[str, str] = {
    "=": "is|are|be|equals|equal|equal to|is equal to|are equal to|exactly|remains|stays|remain"
    "|stay|is exactly|are exactly|be exactly|was|were|shows|show|reads",
    "!=": "differs from|is other than|not equal to|not equal",
    "contains": "contains|contain|containing|includes|include",
    "matches": "matches|match|matching",
    "in": "is one of|one of|is any of|in|is in",
}
# phrases that have no value behind them
ALONE: dict[str, str] = {
    "exists": "is not missing|is not absent|exists|exist|is present|are present|is set|are set"
    "|is defined|are defined|present",
    "is absent": "is not set|are not set|is not present|are not present|is not defined|not set"
    "|not present|does not exist|do not exist|doesn't exist|is absent|are absent|is missing"
    "|are missing|is unset|absent|missing",
}
# phrases behind a value
AFTER: dict[str, str] = {
    ">=": "or more|or higher|or above|or greater|or better|or newer|or later|or over|and above"
    "|and up|minimum|min|and newer|and later|and higher",
    "<=": "or less|or fewer|or lower|or below|or under|or faster|maximum|max|tops|at most"
    "|and below",
}
SYMBOLS: dict[str, str] = {
    "<": "<", ">": ">", "<=": "<=", ">=": ">=", "=<": "<=", "=": "=", "==": "=", "===": "=",
    "!=": "!=", "!==": "!=", "<>": "!=", "=~": "matches", "~=": "matches", "!~": "does not match",
}  # fmt: skip
NEGATED: dict[str, str] = {
    "<": ">=", ">": "<=", "<=": ">", ">=": "<", "=": "!=", "!=": "=",
    "contains": "does not contain", "matches": "does not match",
    "exists": "is absent", "is absent": "exists",
}  # fmt: skip

Phrases = dict[tuple[str, ...], str]


def _phrases(table: dict[str, str]) -> Phrases:
    return {tuple(words.split()): op for op, row in table.items() for words in row.split("|")}


NUMBER_PHRASES = _phrases(BEFORE_NUMBER)
ANY_PHRASES = _phrases(BEFORE_ANY)
ALONE_PHRASES = _phrases(ALONE)
AFTER_PHRASES = _phrases(AFTER)
LONGEST = 5  # words in the longest phrase

STATS: dict[str, str] = {
    "avg": "avg", "average": "avg", "mean": "avg", "median": "median", "med": "median",
    "max": "max", "maximum": "max", "peak": "max", "min": "min", "minimum": "min",
    "p999": "p99.9", "p9999": "p99.99",
}  # fmt: skip
PERCENTILE = re.compile(r"p\(?(\d{2,3}(?:\.\d{1,3})?)\)?")


def stat_of(word: str) -> str | None:
    """Return the canonical name of a statistic word: `P95`, `p(95)` and `mean` alike."""
    low = word.lower()
    if low in STATS:
        return STATS[low]
    found = PERCENTILE.fullmatch(low)
    if found is None or not 10 <= float(found[1]) <= 100:
        return None
    return "p" + found[1]


SEVERITIES: dict[str, str] = {
    "warn": "warn", "warning": "warn", "page": "page", "crit": "critical", "critical": "critical",
    "info": "info", "p0": "p0", "p1": "p1", "p2": "p2", "p3": "p3", "p4": "p4", "high": "high",
    "medium": "medium", "low": "low", "red": "red", "yellow": "yellow",
    **{f"sev{n}": f"sev{n}" for n in range(6)}, **{f"sev-{n}": f"sev{n}" for n in range(6)},
}  # fmt: skip

STATES = bag(
    "running healthy ready active green passing pass passed passes up ok okay online connected "
    "enabled disabled complete completed successful succeeded available synced deployed applied "
    "responding working valid open closed done idle stopped down unhealthy unavailable "
    "unreachable offline failing failed degraded red yellow inactive bound started terminated "
    "operational reachable accessible live installed configured present scheduled paused locked "
    "unlocked"
)
BAD_STATES = bag("down unhealthy unavailable unreachable offline failing failed degraded stopped")

CHECK_VERBS = bag(
    "verify confirm ensure check assert validate expect expected see monitor watch keep "
    "maintain make sure that the a an our your there it this these those should must shall will "
    "to have has target targets goal slo sla require requires required needs need result "
    "results output: i.e. and or but also still either"
)
ACTION_VERBS = bag(
    "wait run set increase decrease scale restart allow investigate review plan schedule reduce "
    "add create click send open go notify call contact use configure update upgrade take sleep "
    "pause ramp shift route limit raise lower stop start enable disable rotate estimate budget "
    "spend give hold try repeat retry apply delete remove drop fix reserve book roll escalate "
    "export const let var "
    "page alert abort trigger rollback stay consider deploy migrate"
)
FOLLOW_UPS = ACTION_VERBS | bag(
    "immediately otherwise then declare switch revert rerun re-run inform warn proceed continue "
    "no-go freeze see ask halt undo begin initiate investigate"
)
DONE_ABOUT_IT = FOLLOW_UPS | bag(
    "check clean clear look archive free purge tune optimize optimise watch monitor"
)
"""Words that begin what is done, where only that can stand: behind a colon or dash."""
FILLERS_BEFORE_OP = bag(
    "is are be been was were being should must shall will would to it stays stay staying "
    "remains remain remaining keeps drops drop dropping falls fall falling dips dip goes go "
    "grows grow growing going gets get rises rise rising climbs climb jumps spikes increases "
    "increase takes take taking has have had in of at with by for the a an need needs well "
    "always consistently degrades worsens regresses deteriorates improves "
    "may can now currently ever reach that which do does did return returns returned list lists"
)
NEGATIONS = bag(
    "not never cannot can't don't doesn't isn't aren't won't mustn't shouldn't wasn't didn't"
)
CONDITION_WORDS = frozenset({"if", "when", "whenever", "once"})
BASELINES = frozenset({"baseline", "baselines"})
BUCKET_WORDS = bag(
    "bucket buckets window windows check checks sample samples interval intervals period "
    "periods measurement measurements probe probes evaluation evaluations scrape scrapes poll "
    "polls time times failure failures reading readings"
)
PREPOSITIONS = bag(
    "on in at for of from across to by via during after before while under per with without "
    "between when within over until as inside against through among since into"
)
SIZE_NOUNS = bag(
    "ram memory disk storage ssd hdd swap vcpu vcpus cpu cpus core cores node nodes replica "
    "replicas instance instances"
)
GENERIC_LABELS = bag(
    "performance reliability efficiency scalability availability stability quality target "
    "targets goal goals slo sla objective objectives threshold thresholds limit limits expected "
    "expect acceptance criteria success condition conditions trigger triggers rule alert alerts "
    "metric metrics note requirement requirements result results"
)
GENERIC_SUBJECTS = bag(
    "it endpoint endpoints request requests response responses server api url page all both "
    "each every call curl get post put delete head patch http they this that the an a and to "
    "unauthenticated"
)
REASONS: dict[str, int] = {
    "ok": 200, "created": 201, "accepted": 202, "no content": 204, "found": 302, "forbidden": 403,
    "bad request": 400, "unauthorized": 401, "not found": 404, "too many requests": 429,
    "internal server error": 500, "bad gateway": 502, "service unavailable": 503, "conflict": 409,
    "gone": 410, "method not allowed": 405, "unprocessable entity": 422, "gateway timeout": 504,
}  # fmt: skip
NOT_ZERO = bag(
    "action actions longer matter need further doubt other later sooner one way idea more less "
    "fewer higher lower greater problem worries manual change changes response-needed later "
    "estimate preference limit limits"
)
NEEDED = frozenset({"required", "needed", "necessary", "planned", "yet", "applicable"})

NOUNS_BEHIND_ORDERS = bag(
    "load time count rate latency failures errors duration depth coverage size speed lag "
    "throughput faults connections loads views queries requests"
)
_ANYWHERE = (
    bag(
        "and or then if when whenever once unless for no zero without not return returns returning "
        "respond responds returned http percentile null nil true false consecutive sustained every "
        "each all any both baseline baselines consistently persistently continuously repeatedly"
    )
    | NEGATIONS
    | frozenset(p[0] for table in (ANY_PHRASES, ALONE_PHRASES) for p in table if p[0] != "in")
)
_FIRST = (
    frozenset(p[1] for p in AFTER_PHRASES if len(p) > 1)
    | CHECK_VERBS
    | frozenset(STATS)
    | FILLERS_BEFORE_OP
    | frozenset(SEVERITIES) - {"critical"}
)
_LAST = frozenset(p[-1] for p in NUMBER_PHRASES) | FILLERS_BEFORE_OP | frozenset(STATS) | NEGATIONS
_PLAIN = re.compile(r"[a-z](?:[a-z0-9_/]|[.\-](?=[a-z0-9_])|\[\d{1,9}\])*")


ORDERS = bag(
    "wait run set increase decrease scale restart allow investigate reduce add create send go "
    "notify use configure take sleep pause ramp enable disable rotate spend give try apply delete "
    "remove reserve roll consider limit raise lower stop start export const let var"
)
NOISE = bag(
    "target targets goal goals slo sla expect expected should must shall be is are was were it "
    "return returns returned show shows stays stay remains remain drops drop falls fall goes go "
    "keep keeps output: list lists never always not that the ensure verify confirm and or"
)
WAITS = bag("wait sleep pause allow hold run take set")


def is_order(words: list[str]) -> bool:
    """Tell an order (`scale to`) from a name that begins like one (`page load`)."""
    if len(words) == 1 and words[0] in WAITS:
        return True
    if not words or words[0] not in ACTION_VERBS or len(words) == 1:
        return False
    strict = words[0] in ORDERS and not any(word in NOUNS_BEHIND_ORDERS for word in words[1:])
    return len(words) > 4 or strict


def is_plain_name(name: str) -> bool:
    """Tell whether a metric name can stand unquoted in a sentence and be read back as it is."""
    words = name.split(" ")
    if not 1 <= len(words) <= 8 or words[0] in _FIRST or words[-1] in _LAST or is_order(words):
        return False
    return all(
        _PLAIN.fullmatch(word) is not None
        and word not in _ANYWHERE
        and (stat_of(word) is None or word in STATS)
        and word[-1] not in "_/"
        for word in words
    )
