"""Tells people by any of the services that the library Apprise knows; loaded when first used.

The library answers yes or no; the reason is read from what it logs meanwhile, and only our own
words are kept of it: its log may hold the address.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonogo.plan.notices import COPY, Failure, Notice, Receipt, State, failure_of_status

if TYPE_CHECKING:
    import apprise

TIMEOUT_S = 10.0
_STATUS = re.compile(r"error=(\d{3})\b")
_LOADING = threading.Lock()
_WORDS: tuple[tuple[str, Failure, str], ...] = (
    (r"timed? ?out", Failure.TIMEOUT, "no answer in time"),
    (r"certificate|ssl", Failure.UNREACHABLE, "no TLS connection with the service"),
    (r"name or service not known|resolve|getaddrinfo", Failure.UNREACHABLE, "no such host"),
    (r"connection refused|connection error|unreachable", Failure.UNREACHABLE, "no connection"),
    (r"authenticat|login|password", Failure.AUTH, "the key or password is refused"),
    (r"refused", Failure.REFUSED, "the service refuses the message"),
)


@dataclass(frozen=True, slots=True)
class Apprise:
    """Sends by an address of Apprise, such as `ntfy://host/topic` or `msteams://…`."""

    kind: ClassVar[str] = "apprise"
    knows_copies: ClassVar[bool] = False

    url: str
    timeout_s: float = TIMEOUT_S

    def send(self, notice: Notice, *, key: str, is_copy: bool = False) -> Receipt:
        """Send one message."""
        with _LOADING:  # it finds its services once, in whichever thread comes first
            sender = self._sender()
        if sender is None:
            return Receipt(Failure.GONE, "Apprise does not know this kind of address")
        text = f"{notice.text()}\n{COPY}" if is_copy else notice.text()
        kind = {State.RESOLVED: "success", State.TEST: "info"}.get(notice.state)
        told = sender.notify(
            text,
            title=notice.title(),
            notify_type=kind or ("failure" if notice.urgent else "warning"),
            body_format="text",
            timeout=self.timeout_s,
            log_level=logging.DEBUG,
        )
        if told:
            return Receipt(id=key)
        if told.status.name == "TIMEOUT":
            return Receipt(Failure.TIMEOUT, f"no answer within {self.timeout_s:g} s")
        return _failed([entry.message for entry in told.logs()])

    def _sender(self) -> apprise.Apprise | None:
        import apprise

        # Its log holds addresses: it is read here and goes nowhere else.
        logger = logging.getLogger("apprise")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logging.getLogger("urllib3").setLevel(logging.WARNING)
        asset = apprise.AppriseAsset(app_id="gonogo", app_desc="gonogo", async_mode=False)
        sender = apprise.Apprise(asset=asset)
        return sender if sender.add(self.url) else None


def _failed(log: list[str]) -> Receipt:
    """Say why, from what was logged; unknown when nothing is recognised."""
    for line in log:
        found = _STATUS.search(line)
        if found is not None:
            status = int(found[1])
            return Receipt(failure_of_status(status), f"status {status}")
    told = "\n".join(log).casefold()
    for words, failure, message in _WORDS:
        if re.search(words, told):
            return Receipt(failure, message)
    return Receipt(Failure.UNKNOWN, "Apprise could not send it and does not say why")
