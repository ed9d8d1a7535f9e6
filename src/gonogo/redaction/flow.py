"""Redacts output that comes in pieces: what may go on in the next piece is held back."""

from __future__ import annotations

from collections.abc import Callable

from gonogo.redaction.pairs import open_from

_MOST_HELD = 1 << 16  # characters; what is longer is handed on as it is known


class Flow:
    """Hands output on line by line, redacted: a chunk may cut a secret in two.

    A line that ends in a name without its value waits for the next one, a list of secrets, a YAML
    block and a key in PEM form for their end. `finish` hands on what is left.
    """

    def __init__(self, redact: Callable[[str], str], hand_on: Callable[[str, str], None]) -> None:
        """Hand each stream on to `hand_on`, by its name."""
        self._redact = redact
        self._hand_on = hand_on
        self._rest: dict[str, list[str]] = {}

    def take(self, stream: str, text: str) -> None:
        """Take the next piece of a stream."""
        rest = self._rest.setdefault(stream, [])
        rest.append(text)
        if "\n" not in text:
            return
        whole = "".join(rest)
        ready = whole[: whole.rfind("\n") + 1]
        at = held_from(ready)
        if len(ready) - at > _MOST_HELD:
            at = len(ready)
        self._rest[stream] = [whole[at:]]
        if at:
            self._hand_on(stream, self._redact(ready[:at]))

    def finish(self) -> None:
        """Hand on what was held back, at the end of the output."""
        for stream, rest in self._rest.items():
            if text := "".join(rest):
                self._hand_on(stream, self._redact(text))
        self._rest.clear()


def held_from(text: str) -> int:
    """Return from where on whole lines may belong to a secret that goes on behind them."""
    key = text.rfind("-----BEGIN ")
    if key >= 0 and "PRIVATE KEY-----" in text[key : key + 80] and "-----END" not in text[key:]:
        return text.rfind("\n", 0, key) + 1
    name = open_from(text)
    return text.rfind("\n", 0, name) + 1 if name < len(text) else len(text)
