"""Listens on a WebSocket: connects, subscribes, causes a change and sees whether it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from gonogo.errors import Diagnostic, WorkError
from gonogo.plan import filling, shellscript
from gonogo.plan.httptext import Problem, Request, read
from gonogo.plan.kinds import Context, Effect, Observation, Role, Sends, Variable
from gonogo.plan.places import Places
from gonogo.plan.said import pairs, says
from gonogo.source import Span

_LOOKING = frozenset(("GET", "HEAD", "OPTIONS"))
_ADDRESS = re.compile(r"(?:wss?|https?)://|\{\{|\$\{", re.IGNORECASE)
CABLE = "actioncable-v1-json"
_SPARE_S = 5.0
_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class WebSocket(Sends):
    """Connect a WebSocket, subscribe, cause a change, and see whether a message arrives in time.

    A refused upgrade, a closed connection and silence are observations; an address where nothing
    answers, and what is no WebSocket at all, are errors.
    """

    kind: ClassVar[str] = "websocket"
    indicators: ClassVar[Mapping[str, str]] = {
        "connected": "true when the server accepted the upgrade, else false",
        "status": "the status code of that answer: 101 when it was accepted",
        "protocol": "the subprotocol that the server chose; null without one",
        "confirmed": "whether the subscription was confirmed; only with `channel`",
        "messages": "how many wanted messages came; welcome, ping and confirmations do not count",
        "message": "the last wanted message: JSON as values (`message.event`), else text",
        "value": "the same as `messages`",
        "latency": "until the first wanted message, from the trigger or the subscription (s)",
        "connect": "the time until the upgrade was answered (s)",
        "trigger status": "the status code of the answer to `trigger`",
        "close code": "the code with which the server closed; absent while it stays open",
    }
    example: ClassVar[str] = (
        '```yaml\ncheck: websocket\nurl: "{{app}}/cable"\nchannel: CampaignsChannel\n'
        "trigger: POST {{app}}/campaigns/7/touch\nwithin: 5s\n```\n\n"
        "- Expect: messages > 0\n- Expect: latency < 2s\n"
    )

    url: str = says("where it listens: `wss://…`; `https://…` is understood as well")
    channel: str = says(
        "subscribe to this channel as ActionCable does: its name, or the whole identifier as JSON"
    )
    send: str = says("instead of `channel`: a text that is sent when the connection is there")
    trigger: str = says(
        "an HTTP request that causes the change, as in an `http` block; sent once subscribed"
    )
    contains: str = says("only messages with this text are wanted; without it, all are")
    within_s: float = says(
        "how long to wait for a wanted message; not said: 5 s with `trigger`, `contains` or "
        "`send`, else not at all",
        default=0.0,
    )
    headers: dict[str, str] | tuple[str, ...] = says(  # noqa: RUF009
        'headers of the upgrade: `{ Authorization: "Bearer ${TOKEN}" }`', default=()
    )
    protocol: str = says(f"the subprotocol to ask for; `{CABLE}` when there is a `channel`")
    insecure: bool = says("accept any certificate; lint and plan print it", default=False)
    ca: str = says("a file with the certificates to trust, from the folder of the runbook")
    kind_: Literal["auto", "check", "action"] = says(
        "whether it looks or changes; `auto`: the method of `trigger` tells", default="auto"
    )
    body: str = says("the text of the block")

    def effect(self, role: Role) -> Effect:
        """Tell from the method of the trigger; without one it looks."""
        del role
        if self.kind_ != "auto":
            return Effect(self.kind_)
        request = read(self.trigger) if self.trigger.strip() else None
        changes = isinstance(request, Request) and request.method not in _LOOKING
        return Effect.ACTION if changes else Effect.CHECK

    def default_expectation(self, effect: Effect) -> str | None:
        """Expect the message that was waited for, else the subscription, else the connection."""
        del effect
        if self._wait_s():
            return "messages > 0"
        return "confirmed is true" if self.channel else "connected is true"

    def lasts_s(self) -> float:
        """Return how long it waits for a message, and a little for all that comes before it."""
        return self._wait_s() + _SPARE_S

    def _wait_s(self) -> float:
        waits = self.trigger or self.contains or self.send
        return self.within_s or (_WITHIN_S if waits else 0.0)

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        fields = (self.url, self.channel, self.send, self.trigger, self.contains, self.ca)
        texts = [*fields, *(text for _, text in pairs(self.headers))]
        return filling.variables_of({str(n): text for n, text in enumerate(texts)}, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what can neither be connected nor sent."""
        return (*self._review(), *shellscript.secrets(self.body))

    def _review(self) -> Iterator[Diagnostic]:
        if not _ADDRESS.match(self.url.strip()):
            message = f"`url` is `{self.url}`, expected an address" if self.url else "no `url`"
            hint = 'write `url: "{{app}}/cable"` or `wss://host/path`'
            yield Diagnostic("GN560", message, self._place("url"), hint=hint)
        if self.channel.strip() and self.send.strip():
            message = "`channel` and `send` are both there, expected one of them"
            hint = "`channel` for ActionCable, `send` for any other server"
            yield Diagnostic("GN560", message, self._place("send"), hint=hint)
        if identifier(self.channel) is None:
            message = f"`channel` is `{self.channel}`, which is no JSON with a `channel`"
            hint = 'write its name, or `{"channel": "RoomChannel", "id": 7}`'
            yield Diagnostic("GN560", message, self._place("channel"), hint=hint)
        request = read(self.trigger) if self.trigger.strip() else None
        if isinstance(request, Problem):
            place = self._place("trigger")
            yield Diagnostic(request.code, request.message, place, hint=request.hint)

    def _place(self, word: str) -> Span:
        at = self.body.find(word)
        return Span.of_line(1) if at < 0 else Places(self.body).span(at, at + len(word))

    def describe(self) -> str:
        """Return the address, what is listened to, and what causes a change."""
        said = f"listen on {filling.shown(self.url)}"
        if self.channel:
            said += f", {self.channel}"
        request = read(self.trigger) if self.trigger.strip() else None
        if isinstance(request, Request):
            said += f", {request.method} {request.url}"
        return said + (" (insecure)" if self.insecure else "")

    def perform(self, context: Context) -> Observation:
        """Connect once, listen until a wanted message is there or the time is over, hang up.

        Raises:
            WorkError: nothing answers, what answers is no WebSocket, or the trigger gets no answer.
        """
        from gonogo.probes.websocket.listening import Listening, Wish

        wanted_channel = identifier(filling.fill(self.channel, context))
        if wanted_channel is None:
            raise WorkError(f"`channel` is `{self.channel}`, which is no JSON with a `channel`")
        trigger = read(self.trigger) if self.trigger.strip() else None
        if isinstance(trigger, Problem):
            raise WorkError(trigger.message, hint=trigger.hint)
        if trigger is not None:
            headers = tuple((name, filling.fill(text, context)) for name, text in trigger.headers)
            url, body = (filling.fill(text, context) for text in (trigger.url, trigger.body))
            trigger = Request(trigger.method, url, headers, body)
        url = filling.fill(self.url.strip(), context)
        wish = Wish(
            url=re.sub(r"^http", "ws", url, flags=re.IGNORECASE),
            headers=tuple(
                (name, filling.fill(text, context)) for name, text in pairs(self.headers)
            ),
            protocol=self.protocol or (CABLE if wanted_channel else ""),
            identifier=wanted_channel,
            send=filling.fill(self.send, context),
            trigger=trigger,
            contains=filling.fill(self.contains, context),
            within_s=self._wait_s(),
            insecure=self.insecure,
            ca=str(context.cwd / filling.fill(self.ca, context)) if self.ca else "",
        )
        return Listening(wish, context).observe()


def identifier(channel: str) -> str | None:
    """Return ActionCable's identifier of a channel; empty without one, None when it is none."""
    text = channel.strip()
    if not text.startswith("{"):
        return json.dumps({"channel": text}, separators=(",", ":")) if text else ""
    if "{{" in text or "${" in text:
        return text  # known when its names are
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return text if isinstance(found.get("channel"), str) else None
