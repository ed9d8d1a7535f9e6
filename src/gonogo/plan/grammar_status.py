"""How something answered or ended, in words: `returns 404`, `HTTP 204`, `exits with 0`."""

from __future__ import annotations

import re
from decimal import Decimal

from gonogo.plan.condition import Null, Op
from gonogo.plan.grammar_predicates import Around, Segment, in_every, made_predicate
from gonogo.plan.grammar_subject import read_subject, strip_verbs
from gonogo.plan.grammar_values import Read, Scope, read_value
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import Quantity
from gonogo.plan.words import GENERIC_SUBJECTS, NEGATIONS, REASONS, bag

_RETURNS = bag(
    "return returns returned returning respond responds responded responding answers answer "
    "gives get gets → yields yield"
)
_BEFORE_STATUS = bag("with http a an status code only the")
_STATUS_PLACES = bag(
    "status endpoint endpoints api route routes request requests response responses url http "
    "page pages login health healthcheck"
)

_DUTY = r"(?:should |must |will )?(?:be )?"
_CODE = r"(?:with )?(?:an? |the )?(?:exit |return )?(?:code|status)(?: of| is| :)?"
_EXIT = re.compile(
    rf"(?:(?:it|(?:the )?(?:command|script|block)) )?{_DUTY}"
    rf"(?:(?:exits?|ends?|finish(?:es)?|returns?) {_CODE}|(?:exit|return) (?:code|status)(?: of)?"
    r"|exits|(?:exit|ends?|exits) with)"
    r" (?P<no>not )?(?P<number>\d{1,3}|zero|non - ?zero|nonzero|non-zero)"
)
_PLACES = {
    **dict.fromkeys(("output", "stdout", "standard output"), "output"),
    **dict.fromkeys(("errors", "stderr", "standard error", "error output"), "errors"),
}
_EMPTY = re.compile(
    rf"(?:the )?(?P<place>{'|'.join(_PLACES)}) (?:is |stays |remains )?{_DUTY}"
    r"(?P<no>not )?(?:be )?"
    r"(?P<state>empty|blank|non - empty|non-empty)|no (?P<nothing>output|stdout|stderr)"
)


def read_end(scope: Scope, tokens: Tokens, _: Around) -> Segment | None:
    """Read `exit code 0`, `exits with 1`, `stderr is empty`; the whole piece must say it."""
    if len(tokens) > 12:
        return None
    words = " ".join(t.low for t in tokens[strip_verbs(tokens) :] if t.kind is not Kind.END)
    end = len(tokens) - 1
    said = _EXIT.fullmatch(words)
    if said is not None:
        number = said["number"]
        denied = (said["no"] is not None) ^ number.startswith("non")
        value = Quantity(Decimal(number) if number.isdigit() else Decimal(0))
        read = Read(value, end)
        return made_predicate(scope, tokens, "exit code", read, Op.NE if denied else Op.EQ)
    said = _EMPTY.fullmatch(words)
    if said is None:
        return None
    full = said["nothing"] is None and ((said["no"] is not None) ^ said["state"].startswith("non"))
    name = _PLACES[said["place"] or said["nothing"]]
    return made_predicate(scope, tokens, name, Read(Null(), end), Op.EXISTS if full else Op.ABSENT)


def read_status(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read `returns 404`, `should return 403 Forbidden`, `HTTP 404`, `401 Unauthorized`."""
    every = tokens[strip_verbs(tokens)].low in {"all", "both", "every", "each"}
    for at, token in enumerate(tokens[:-1]):
        status = _code(tokens, at)
        if status is None:
            continue
        back = at
        while back and tokens[back - 1].low in _BEFORE_STATUS:
            back -= 1
        denied = back > 0 and tokens[back - 1].low in NEGATIONS
        verb = back - 1 - denied
        said = {word.low for word in tokens[back:at]} & {"http", "status"}
        reason = _reason(tokens, at + 1, token)
        returned = verb >= 0 and tokens[verb].low in _RETURNS
        labelled = _STATUS_PLACES & set((around.metric or "").split(" "))
        alone = not tokens[:back] or strip_verbs(tokens[:back]) == back
        if not (returned or (alone and (said or reason or labelled or around.expectation))):
            return None
        end = at + 1 + reason
        value = read_value(scope, tokens, at, Op.EQ)
        if value is None or (tokens[at + 1].kind is Kind.WORD and not reason and not returned):
            return None
        end = max(end, value.end)
        metric, denied = _asked(
            scope, tokens[: max(verb, 0)] if returned else Tokens(), denied=denied
        )
        metric = f"{metric} status" if metric else "status"
        if not metric.strip():
            return None
        op = Op.NE if denied else Op.EQ
        read = Read(value.value, end, value.op)
        made = made_predicate(scope, tokens, metric, read, op)
        if made is not None and made.predicate is not None and every:
            made.predicate = in_every(made.predicate)
        return made
    return None


def _code(tokens: Tokens, at: int) -> Token | None:
    token = tokens[at]
    if token.kind is Kind.CLASS:
        return token
    whole = token.kind is Kind.NUMBER and token.text.isdigit() and len(token.text) == 3
    free = not tokens[at + 1].glued or tokens[at + 1].text in {"/", ".", ")", "("}
    return token if whole and 100 <= token.number < 600 and free else None


def _reason(tokens: Tokens, at: int, code: Token) -> int:
    """Return how many words name the status behind its number."""
    for length in (3, 2, 1):
        phrase = " ".join(token.low for token in tokens[at : at + length])
        if phrase in REASONS and code.kind is Kind.NUMBER and REASONS[phrase] == code.number:
            return length
    return 0


def _asked(scope: Scope, tokens: Tokens, *, denied: bool) -> tuple[str | None, bool]:
    """Return the name in front of `returns 404`; None when it is only "the request"."""
    subject = read_subject(scope, tokens)
    if subject is None:
        return None, denied
    words = (subject.metric or "").split(" ")
    if all(word in GENERIC_SUBJECTS or word.startswith("/") or not word for word in words):
        return None, denied ^ subject.negated
    while words and words[0] in {"all", "both", "every", "each"}:
        words = words[1:]
    return " ".join(words), denied ^ subject.negated
